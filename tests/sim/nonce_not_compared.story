otaria-story 1
rule audit_is_fresh
bug nonce_not_compared
seed 3
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
# the answer to the first question comes while the second is open, and the card has moved in between
20000 mo_lost
20000 request what=set-timers attach_s=100 auto_mode=2 count=1
30000 mo_late after_ms=245000
30000 mo_late place=1 after_ms=245000
210000 move what=second
380000 mo_lost
430000 mt_lost

otaria-story 1
rule audit_is_fresh
bug outdated_audit_taken
seed 3
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
# the answer to a question comes after a command that somebody forced past the doubt
20000 imei value=1
30000 mo_lost
30000 mo_lost place=1
320000 mo_late after_ms=400000
320000 mo_late place=1 after_ms=400000
500000 request what=set-timers force=1 attach_s=100 auto_mode=2 count=1

otaria-story 1
rule no_silent_difference
bug overtaken_audit_taken
seed 3
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
# a return is told before the answer that was made before it; then the CONFIRM's answer is lost
20000 request what=set-timers attach_s=100 auto_mode=2 return_s=1200 count=5
40000 move what=second
600000 move what=home
1419000 request what=audit
1419000 mo_late after_ms=10000
1419000 mo_late place=1 after_ms=10000
1428000 mo_lost

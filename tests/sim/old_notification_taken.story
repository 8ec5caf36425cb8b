otaria-story 1
rule counters_grow
bug old_notification_taken
seed 5
faults_ms 23274946
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
23266945 request what=download subscription=3 flags=7
23274945 mo_late after_ms=546799

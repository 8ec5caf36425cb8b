otaria-story 1
rule outcome_is_true
bug restart_without_doubt
seed 6
faults_ms 78052409
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
70946856 crash_acting after_ms=452347
78052408 request what=download subscription=3 flags=5

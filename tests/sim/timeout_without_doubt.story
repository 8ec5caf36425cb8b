otaria-story 1
rule outcome_is_true
bug timeout_without_doubt
seed 5
faults_ms 57068080
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
27781885 mt_late after_ms=4355954
57068079 request what=set-fallback

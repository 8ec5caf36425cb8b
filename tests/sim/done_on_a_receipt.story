otaria-story 1
rule outcome_is_true
bug done_on_a_receipt
seed 3
faults_ms 65025567
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
50042379 cut octet=68 value=243
65025566 request what=download subscription=3 flags=7

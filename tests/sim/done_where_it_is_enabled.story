otaria-story 1
rule outcome_is_true
bug done_where_it_is_enabled
seed 1
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
10000000 request what=enable subscription=1 flags=4
10008500 mo_lost
10012000 move what=first

otaria-story 1
rule outcome_is_true
bug result_of_another_taken
seed 1
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
9999999 mo_lost
10000000 hand what=DELETE subscription=1 id=1 ahead=1
10060000 request what=enable subscription=1 flags=4

otaria-story 1
rule as_the_model
bug confirms_what_is_rolled_back
seed 12
faults_ms 96755057
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 3
91405149 request what=enable subscription=1 flags=4
95789436 hand what=ENABLE flags=4 ahead=3
96755056 hand what=CONFIRM subscription=2 ahead=2

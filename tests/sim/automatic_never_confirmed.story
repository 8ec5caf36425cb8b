otaria-story 1
rule convergence
bug automatic_never_confirmed
seed 1
faults_ms 56566657
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
56566656 imei value=3

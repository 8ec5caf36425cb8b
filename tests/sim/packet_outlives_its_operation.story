otaria-story 1
rule in_time
bug packet_outlives_its_operation
seed 1
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
10000000 request what=delete subscription=1 contact=1 within_ms=300000
10235000 imei value=7

otaria-story 1
rule in_time
bug valid_for_a_minute_at_least
seed 1
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
10000000 link after_ms=262000
10000000 link card=1 after_ms=262000
10000001 request what=delete subscription=1 within_ms=300000

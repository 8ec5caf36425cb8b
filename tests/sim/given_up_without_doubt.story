otaria-story 1
rule doubt
bug given_up_without_doubt
seed 9
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 2
32739956 request what=enable subscription=1 flags=4
48403683 request what=set-fallback subscription=1 within_ms=413199

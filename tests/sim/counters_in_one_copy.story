otaria-story 1
rule counters_grow
bug counters_in_one_copy
seed 2
faults_ms 20329164
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
9685544 request what=read-timers
13633391 request what=read-timers subscription=4
16636028 request what=delete subscription=1
18063062 cut octet=262 value=218
18940484 request what=read-timers subscription=4
20329163 request what=read-timers

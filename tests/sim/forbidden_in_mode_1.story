otaria-story 1
rule as_the_model
bug forbidden_in_mode_1
seed 1
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
# on the fallback subscription, the preferred one is forbidden here, and service is gone
3600000 request what=enable subscription=1 flags=4
7200000 request what=set-timers subscription=1 value=1 octet=1 attach_s=180 auto_mode=1 return_s=86400 jitter_s=60 count=6
10800000 move what=first
21600000 move what=second

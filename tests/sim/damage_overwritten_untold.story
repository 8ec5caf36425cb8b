otaria-story 1
rule rot_is_told
bug damage_overwritten_untold
seed 3
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
3600000 request what=set-timers attach_s=300 auto_mode=2 return_s=86400 jitter_s=60 count=1
7200000 cut octet=60
7200000 rot octet=100 value=1

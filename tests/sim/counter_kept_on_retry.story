otaria-story 1
rule counter_once
bug counter_kept_on_retry
seed 1
faults_ms 49781712
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
48851546 hand what=DOWNLOAD ahead=1
48851546 mo_lost
49781711 request what=set-timers subscription=2 attach_s=157 heartbeat_h=4 return_s=170707 jitter_s=99 count=2

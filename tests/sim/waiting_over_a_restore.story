otaria-story 1
rule outcome_is_true
bug waiting_over_a_restore
seed 10527
faults_ms 116758108
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
14909715 backup
40171900 request what=set-timers subscription=4 attach_s=341 heartbeat_h=4 return_s=119363 jitter_s=30 count=4
40785155 request what=download subscription=4 flags=7
41526911 restore after_ms=318304
49095101 crash_acting after_ms=101974
50276797 request what=delete subscription=1 force=1
68775003 backup
116758107 restore after_ms=210174

otaria-story 1
rule audit_is_fresh
bug killed_after_a_clock_back
seed 44668
faults_ms 4752000000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
1942114380 request what=audit subscription=3
3732616044 request what=set-timers subscription=3 attach_s=202 auto_mode=2 heartbeat_h=5 return_s=73894 jitter_s=105 count=5
3790535325 move what=third
3918052108 clock after_ms=157687 behind_s=315360000
3956091163 crash_acting after_ms=38079
4000435621 move what=home

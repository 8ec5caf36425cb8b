otaria-story 1
rule fell_again
bug decided_by_a_doubt
seed 14665
faults_ms 259200000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
clone_of 1
models 0
61682851 request what=set-timers attach_s=201 auto_mode=1 heartbeat_h=20 return_s=164752 jitter_s=110 count=3
70181227 request what=download subscription=2
242828529 clone force=1
250132926 clone
254234381 request what=download subscription=2
255444976 request what=audit subscription=3

otaria-story 1
rule convergence
bug reading_without_a_place_forgotten
seed 3
faults_ms 7200000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
3600000 request what=set-timers attach_s=180 auto_mode=2 return_s=86400 jitter_s=60 count=7
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1
3600000 request what=read-timers approval=1

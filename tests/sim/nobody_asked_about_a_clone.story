otaria-story 1
rule fell_again
bug nobody_asked_about_a_clone
seed 3
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
clone_of 1
models 0
# The clone answers, then the card, then the clone again.
3600000 request what=set-timers attach_s=120 count=1
7200000 request what=set-timers attach_s=150 count=1
10800000 clone force=1
14400000 request what=audit
18000000 clone
18060000 power_off
18120000 power_on
21600000 request what=audit
25200000 clone force=1
28800000 request what=audit

otaria-story 1
rule convergence
bug cancelled_never_given_back
seed 3
faults_ms 172800000
cards 1
calm 0
alerted 1
validity_s 3600
in_file 0
group_items 1
group_enable 0
group_of_factory 0
group_deletes 0
group_trigger 0
group_soak_s 0
group_at_once 1
group_pool 1
models 0
# The bootstrap's download is given up after a day. The audit that ends the doubt asks about an
# operation that a person forced meanwhile, not about the download.
5500 power_off
87000000 request what=set-timers attach_s=180 auto_mode=2 return_s=86400 jitter_s=60 count=1 force=1
92000000 mo_lost
92000000 power_on
100000000 bootstrap what=cancel

otaria-story 1
rule no_silent_difference
bug rejected_after_it_ran
seed 3
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
# The card has the packet and deletes, its answer is lost, and the network says that it was not
# delivered. The next packet is rejected for good (11: invalid destination).
7200000 mt_denied
7200000 mo_lost
7200000 request what=delete subscription=1
7201000 move what=hole
7210000 smsc_mt what=status value=11

otaria-story 1
rule one_intention
bug new_id_on_retry
seed 3
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
# it ran, and neither network nor server know
20000 mt_denied
20000 mo_lost
20000 request what=download subscription=2
21000 power_off
7200000 power_on

otaria-story 1
rule pool_once
bug item_taken_for_foreign
seed 3
faults_ms 86400000
cards 1
calm 0
alerted 1
validity_s 3600
in_file 0
group_items 2
group_enable 0
group_of_factory 0
group_deletes 0
group_trigger 0
group_soak_s 21600
group_at_once 1
group_pool 2
models 0
# The backup knows of the job, but not that its second item came.
5500 power_off
900000 backup
1800000 power_on
7200000 restore after_ms=60000
43200000 bootstrap what=cancel

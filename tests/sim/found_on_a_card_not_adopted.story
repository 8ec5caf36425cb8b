otaria-story 1
rule pool_once
bug found_on_a_card_not_adopted
seed 12941
faults_ms 78941660
cards 3
calm 0
alerted 0
validity_s 3600
in_file 0
group_items 2
group_enable 0
group_of_factory 1
group_deletes 0
group_trigger 0
group_soak_s 3600
group_at_once 1
group_pool 2
models 0 0 0
19523 backup
78941659 restore after_ms=215470

otaria-story 1
rule pool_once
bug found_on_a_card_not_adopted
seed 13773
faults_ms 81151986
cards 3
calm 0
alerted 0
validity_s 3600
in_file 0
group_items 2
group_enable 1
group_of_factory 1
group_deletes 0
group_trigger 0
group_soak_s 3600
group_at_once 2
group_pool 6
models 0 0 0
2095134 backup
73507659 request card=2 what=enable flags=4
81151985 restore after_ms=289427

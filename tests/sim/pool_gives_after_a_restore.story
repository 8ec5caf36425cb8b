otaria-story 1
rule pool_once
bug pool_gives_after_a_restore
seed 11739
faults_ms 26181884
cards 2
calm 0
alerted 0
validity_s 3600
in_file 0
group_items 1
group_enable 0
group_of_factory 0
group_deletes 0
group_trigger 3
group_soak_s 0
group_at_once 1
group_pool 1
models 0 0
1658304 backup
26181883 restore after_ms=565086

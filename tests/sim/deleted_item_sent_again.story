otaria-story 1
rule pool_once
bug deleted_item_sent_again
seed 3
faults_ms 120000000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
group_items 2
group_enable 1
group_of_factory 0
group_deletes 0
group_trigger 0
group_soak_s 3600
group_at_once 1
group_pool 2
models 0
# the second download expires, a person deletes the first item and resumes
6500 power_off
86500000 request what=delete subscription=2 wait=1 within_ms=20000000
86500001 bootstrap what=resume
90000000 power_on

otaria-story 1
rule pool_once
bug deleted_late_kept
seed 4
faults_ms 345600000
cards 2
calm 0
alerted 0
validity_s 3600
in_file 0
group_items 2
group_enable 0
group_of_factory 0
group_deletes 1
group_trigger 0
group_soak_s 21600
group_at_once 2
group_pool 4
models 0 1
# A deletion of which the card told only when it was given up.
11097146 bootstrap card=1 what=cancel
39743570 request card=1 what=download subscription=4
66319212 cut card=1 octet=1389 value=49
69761289 request card=1 what=enable subscription=4 flags=4
69773893 mo_copy card=1 after_ms=13028144
69775672 smsc_mo card=1 what=lose
78188602 request card=1 what=delete subscription=2 contact=1
79706046 reject card=1 what=11
81971207 cut card=1 octet=1183 value=146

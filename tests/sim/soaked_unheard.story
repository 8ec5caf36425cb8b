otaria-story 1
rule soak
bug soaked_unheard
seed 45602
faults_ms 345600000
cards 8
calm 0
alerted 0
validity_s 28800
in_file 0
group_items 2
group_enable 0
group_of_factory 0
group_deletes 0
group_trigger 0
group_soak_s 21600
group_at_once 3
group_pool 16
models 0 0 0 0 0 0 0 0
4000 mo_lost
11500 mo_lost card=1
35469 smsc_mo card=4 what=lose
41500 mo_lost card=5
3947397 move card=5 what=hole
4163125 move card=6 what=first
5484219 power_off card=6
5857785 move card=6 what=third
6004500 power_on card=6
6266500 mo_lost card=6
6286549 link after_ms=6850745
6286549 link card=1 after_ms=6850745
7762078 move card=6 what=hole

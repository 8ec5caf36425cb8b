otaria-story 1
rule convergence
bug jumped_and_asked_a_day_later
seed 20321
faults_ms 172675984
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
group_soak_s 21600
group_at_once 2
group_pool 0
models 0
80223654 mt_lost
130535831 imei value=8
130538831 mo_late after_ms=2068560
130612504 mt_lost
130897407 mo_late after_ms=1200361
132399310 smsc_mo what=status value=11
137797407 mo_late after_ms=1524400
138113205 backup
153430561 hand what=DELETE subscription=3 ahead=3
163021114 hand what=ENABLE subscription=3 flags=4 ahead=3
170900674 hand what=ENABLE subscription=3 flags=4 ahead=3
172562301 restore after_ms=112682
172675983 mo_lost

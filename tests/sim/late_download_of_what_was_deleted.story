otaria-story 1
rule pool_once
bug late_download_of_what_was_deleted
seed 401143
faults_ms 259200000
cards 2
calm 2
alerted 1
validity_s 3600
in_file 0
group_items 3
group_enable 1
group_of_factory 3
group_deletes 0
group_trigger 3
group_soak_s 3600
group_at_once 2
group_pool 4
models 3 1
5121 smsc_mo what=status value=88
35655 smsc_mt card=1 what=status value=88
36442 smsc_mo card=1 what=status value=88
64738 smsc_mo what=status value=8
1835655 smsc_mt card=1 what=delay value=900000
1835655 smsc_mt card=1 what=status value=88
1835655 smsc_mt card=1 what=status value=20
1835655 smsc_mt card=1 place=1 what=delay value=20000
1835655 smsc_mt card=1 place=1 what=reorder value=60000
1835655 smsc_mt card=1 place=1 what=status value=69
1840655 smsc_mt card=1 what=status value=88
1840655 smsc_mt card=1 what=status value=20
1842409 smsc_mt card=1 what=status value=88
1844162 smsc_mo card=1 what=status value=20
1864123 smsc_mt what=status value=88
1864123 smsc_mt place=1 what=delay value=20000
1884530 smsc_mo what=status value=88
1884530 smsc_mo what=drop-receipt
2022409 smsc_mt card=1 what=delay value=20000
2022409 smsc_mt card=1 what=status value=8
2027409 smsc_mt card=1 what=delay value=20000
2027409 smsc_mt card=1 what=status value=8
2057409 smsc_mt card=1 what=status value=88
2058377 smsc_mo card=1 what=duplicate value=1
2058377 smsc_mo card=1 place=1 what=delay value=20000
2058377 smsc_mo card=1 place=1 what=delay value=14400000
2058377 smsc_mo card=1 place=1 what=status value=20
2064123 smsc_mt what=status value=69
2069123 smsc_mt what=delay value=900000
2069123 smsc_mt what=status value=20
2069158 smsc_mo what=status value=20
2069158 smsc_mo place=1 what=delay value=20000
2069158 smsc_mo place=1 what=reorder value=60000
2069158 smsc_mo place=1 what=status value=8
2262409 smsc_mt card=1 what=status value=20
2262409 smsc_mt card=1 place=1 what=reorder value=60000
2304123 smsc_mt what=status value=88
2304123 smsc_mt what=status value=20
3762409 smsc_mt card=1 what=status value=88
3762409 smsc_mt card=1 what=early-receipt
3762409 smsc_mt card=1 place=1 what=status value=20
3762429 smsc_mt card=1 what=status value=88
3804123 smsc_mt what=delay value=900000
4077429 mt_late card=1 after_ms=410714
6891059 approve value=1
7261819 bootstrap card=1 what=start
8301015 request card=1 what=set-timers subscription=4 wait=1 attach_s=309 auto_mode=1 heartbeat_h=18 return_s=79501 jitter_s=19 count=4
9162719 smsc_mo card=1 what=status value=8
9204841 smsc_mo place=1 what=delay value=20000
9204841 smsc_mo place=1 what=status value=88
13083073 link after_ms=1834104
13083073 link card=1 after_ms=1834104
13146094 request card=1 what=delete subscription=4 wait=1 within_ms=707695
22644905 reject what=22
23056567 reject
23562409 smsc_mt card=1 what=delay value=20000
23562409 smsc_mt card=1 what=early-receipt
28495486 request card=1 what=enable flags=4 wait=1
36951915 request what=set-timers wait=1 attach_s=142 auto_mode=2 heartbeat_h=8 return_s=123405 jitter_s=114 count=1
40680356 reject card=1 what=15
43148531 reject card=1
48639240 bar card=1 subscription=2
63836336 request what=enable flags=4 wait=1
70705084 request what=audit subscription=1 wait=1
70705084 smsc_mt what=status value=88
70705084 smsc_mt what=status value=20
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
83100618 request what=read-timers contact=1
88362409 smsc_mt card=1 what=reorder value=60000
88362409 smsc_mt card=1 what=cut-link
88404123 smsc_mt what=status value=20
88404123 smsc_mt place=1 what=status value=88
88405263 smsc_mo what=status value=88
88405263 smsc_mo what=status value=8
88405263 smsc_mo what=cut-link
88405263 smsc_mo place=1 what=status value=88
92774713 reject what=17
98356350 clock after_ms=349154 ahead_s=315360000
98706504 smsc_mt card=1 what=status value=8
98706504 smsc_mt what=duplicate value=1
98711504 smsc_mt card=1 what=delay value=20000
100945444 approve value=1
111204161 reject
113005604 request what=delete wait=1
116148645 bootstrap card=1 what=cancel
125929529 request what=delete contact=1 within_ms=341354
127601175 bootstrap card=1 what=cancel
128847961 request what=enable subscription=2 flags=4 force=1 within_ms=3810655
133783777 request what=read-timers subscription=3
133784693 smsc_mo what=status value=88
133903777 smsc_mt what=status value=88
133903777 smsc_mt place=1 what=status value=88
133903777 smsc_mt place=1 what=status value=8
133908777 smsc_mt what=status value=20
133908804 smsc_mt what=delay value=14400000
140733075 rot octet=2364 value=162
159098979 request what=enable subscription=3 flags=4 wait=1 within_ms=4359940
171843346 request what=set-timers subscription=2 value=11 attach_s=180 auto_mode=2 return_s=86400 jitter_s=60 count=7
171843346 smsc_mt what=status value=8
171849833 smsc_mo what=status value=20
171908590 smsc_mo what=status value=20
171968346 smsc_mt what=status value=88
171968346 smsc_mt place=1 what=delay value=900000
172270130 smsc_mo place=1 what=status value=8
172270467 smsc_mo place=1 what=reorder value=60000
172270467 smsc_mt what=delay value=20000
172270467 smsc_mt what=duplicate value=1
172291336 smsc_mo place=2 what=delay value=20000
172291336 smsc_mo place=2 what=status value=88
172291336 smsc_mo place=2 what=status value=8
172868774 smsc_mo what=status value=8
176304430 reject card=1 what=11
179767149 approve value=1
182269503 request card=1 what=set-timers wait=1 attach_s=587 heartbeat_h=11 return_s=75573 jitter_s=109 count=4
189354070 reject card=1
191794012 request card=1 what=enable subscription=3 flags=4 within_ms=7352801
191933178 hex what=1 after_ms=177650164
197153803 request what=disable subscription=2 flags=4
214172816 reject what=15
218152331 reject
221727116 request what=audit subscription=1 approval=1
236472749 reject card=2 what=2
238751094 reject card=2
247290331 full after_ms=1270385
249907623 smsc_mo card=1 place=1 what=status value=88
251235452 request what=delete subscription=2 wait=1 within_ms=4660008
251235452 smsc_mt what=delay value=20000
251256649 smsc_mo what=status value=88
251389804 reject card=2 what=15
251436689 smsc_mo place=1 what=status value=88
251436689 smsc_mo place=1 what=status value=8
251675452 smsc_mt what=reorder value=60000
251675452 smsc_mt what=status value=88
251675452 smsc_mt place=1 what=status value=88
253175452 smsc_mt what=drop-receipt
258575452 smsc_mt what=delay value=900000
258575452 smsc_mt what=status value=69
258580452 smsc_mt what=early-receipt
258581576 smsc_mo what=delay value=20000
258581576 smsc_mo what=status value=88
258581576 smsc_mo what=status value=20
258581576 smsc_mo place=1 what=status value=88

otaria-story 1
rule reserved_is_wanted
bug deleted_late_and_shown
seed 300046
faults_ms 172800000
cards 2
calm 0
alerted 1
validity_s 7200
in_file 0
group_items 1
group_enable 0
group_of_factory 0
group_deletes 1
group_trigger 3
group_soak_s 3600
group_at_once 2
group_pool 1
models 6 1
4992 mo_late after_ms=4631566
35821 smsc_mo card=1 what=reorder value=60000
270802 cut card=1 octet=128 value=67
356183 cut octet=800 value=235 torn=1
576888 flood count=7
803609 cut card=1 octet=1206 value=101
1804992 mo_late after_ms=4226471
1958349 cut card=1 octet=1334 value=182
1984992 mo_late place=1 after_ms=1145320
2299992 mt_forged after_ms=2560949 octet=740 value=147
2536622 reject what=8
2859992 mt_forged after_ms=3056755 octet=185 value=76
3130312 smsc_mo what=reorder value=60000
3153960 cut card=1 octet=281 value=164 torn=1
3203354 cut card=1 octet=585 value=154 torn=1
3724992 mo_late place=1 after_ms=4529146
3946778 cut card=1 octet=758 value=251 torn=1
4091636 crash after_ms=567644
4188419 crash after_ms=408390
4287414 reject card=2 what=15
4638530 cut card=1 octet=649 value=110
4664216 smsc_mt what=reorder value=60000
4729216 mt_forged after_ms=2820340 octet=315 value=26
4879216 mt_forged after_ms=2514954 octet=72 value=69
5324046 crash after_ms=229562
5692995 cut octet=1248 value=243 torn=1
6036920 smsc_mt what=duplicate-receipt value=2
6038584 smsc_mo what=reorder value=60000
6080715 reject
6409533 smsc_mo what=reorder value=60000
6468927 smsc_mo what=reorder value=60000
6471033 smsc_mt what=reorder value=60000
6531726 smsc_mo what=reorder value=60000
6616838 cut octet=1161 value=180 torn=1
7034447 cut octet=880 value=106
7873521 cut card=1 octet=1087 value=27
8621094 cut card=1 octet=915 value=165 torn=1
9554351 reject card=2
9812704 reject card=2 what=8
10069533 mo_late after_ms=7098460
10083533 mo_late after_ms=997140
10143533 mo_late after_ms=3318171
10249533 mo_late after_ms=3158459
10264635 smsc_mt what=reorder value=60000
10489533 mo_late after_ms=944125
10490047 smsc_mo what=reorder value=60000
11545996 reject what=17
12117437 crash_acting after_ms=361328
12573558 link card=2
13184304 cut card=1 octet=13 value=179
13191277 cut card=1 octet=186 value=141
13784113 mo_late after_ms=3669445
13785232 smsc_mo what=reorder value=60000
14460372 nvm_error card=1 octet=79
15209538 cut octet=1411 value=76 torn=1
15596748 backup
15689393 cut octet=948 value=106 torn=1
15695873 reject
15970189 crash after_ms=53324
16179249 cut octet=216 value=50
16926154 cut card=1 octet=1353 value=196 torn=1
17172441 smsc_mt what=duplicate-receipt value=2
17187441 mt_forged after_ms=2782429 octet=21 value=144
17247441 mt_forged after_ms=723548 octet=824 value=203
17389533 mo_late after_ms=898150
18098806 cut octet=262 value=82
18416412 cut card=1 octet=1281 value=248
18755735 request card=1 what=enable subscription=3 flags=4 wait=1 within_ms=832946
19806831 reject card=1 what=22
19893211 flood card=1 count=11
20488259 cut card=1 octet=357 value=100 torn=1
22647310 cut card=1 octet=1233 value=58 torn=1
22668592 cut card=1 octet=1033 value=201
23061870 reject card=2
23219241 flood count=22
23530064 restore after_ms=152077
23743141 mt_radio card=1
23749186 smsc_mo card=1 place=1 what=reorder value=60000
23896118 cut octet=697 value=249 torn=1
24916859 cut octet=1040 value=251 torn=1
25172368 cut octet=8 value=168 torn=1
25958164 cut card=1 octet=1156 value=51
28639216 cut octet=110 value=120
29615406 cut card=1 octet=8 value=160
29843560 cut octet=1138 value=13 torn=1
30265024 cut card=1 octet=1255 value=229 torn=1
30293671 request what=delete subscription=3
31127647 flood count=10
31276504 cut card=1 octet=903 value=62 torn=1
31677671 cut octet=468 value=192
31789533 smsc_mt what=duplicate-receipt value=2
31904426 crash after_ms=455798
32262203 cut card=1 octet=1266 value=77 torn=1
32638771 cut octet=74 value=45 torn=1
33391350 cut card=1 octet=741 value=71 torn=1
34723672 cut octet=166 value=166 torn=1
35628343 cut card=1 octet=359 value=54 torn=1
35672352 request what=download subscription=4 flags=5
35672352 smsc_mt what=reorder value=60000
35672352 smsc_mt what=drop-response
35675976 cut octet=1086 value=132 torn=1
35682352 smsc_mt what=duplicate-receipt value=1
35683925 crash after_ms=258765
35872352 mo_late after_ms=9001031
35943690 smsc_mt what=duplicate-receipt value=1
35951970 smsc_mo what=reorder value=60000
35951970 smsc_mo place=1 what=reorder value=60000
36194640 move what=second
36356701 cut octet=98 value=153 torn=1
37078369 reject card=1
37172530 smsc_mt what=duplicate-receipt value=2
37181016 smsc_mt what=duplicate-receipt value=2
37181016 mo_late after_ms=379514
37182364 smsc_mo what=reorder value=60000
37336016 mt_radio
37376016 mt_radio
37438939 cut card=1 octet=356 value=16 torn=1
37456016 mt_forged after_ms=3028340 octet=776 value=68
37472530 smsc_mt what=duplicate-receipt value=1
37472530 mt_forged after_ms=3115852 octet=640 value=201
37560530 smsc_mo what=reorder value=60000
37563759 cut card=1 octet=656 value=148
37787530 mt_forged after_ms=2991123 octet=510 value=181
38107530 mt_forged after_ms=2675485 octet=897 value=88
38161429 cut card=1 octet=860 value=77
38426977 flood card=1 count=4
38972530 mt_forged after_ms=2017584 octet=105 value=14
39202925 cut octet=651 value=122
39352510 cut octet=1106 value=221 torn=1
39525616 request what=delete subscription=2 wait=1
39525616 mt_forged after_ms=2130408 octet=541 value=75
39528616 mt_radio
39533616 mo_late after_ms=3105502
39713616 mo_late after_ms=438864
39714361 smsc_mo what=reorder value=60000
39757723 cut octet=1151 value=44
39953616 smsc_mt what=reorder value=60000
39953616 smsc_mt what=duplicate-receipt value=1
40013616 mt_forged after_ms=387301 octet=6 value=205
40579651 cut card=1 octet=893 value=203 torn=1
41453616 smsc_mt what=reorder value=60000
41453616 smsc_mt what=duplicate-receipt value=2
41528616 mt_forged after_ms=759420 octet=716 value=120
41548616 mt_radio
41641505 clock after_ms=453207 ahead_s=315360000
41830238 cut octet=364 value=247
42095712 mo_late after_ms=271514
42097027 smsc_mo what=reorder value=60000
42243276 cut card=1 octet=477 value=174 torn=1
42639118 smsc_mo what=reorder value=60000
44185050 cut octet=1337 value=193 torn=1
44873383 smsc_mo what=reorder value=60000
44878383 mt_radio
44894999 cut octet=901 value=3
44908383 mt_forged after_ms=3507103 octet=191 value=162
45073518 nvm_error octet=1066
45147122 cut card=1 octet=336 value=34 torn=1
45188383 mt_forged after_ms=859091 octet=343 value=203
46086774 cut card=1 octet=72 value=116 torn=1
46407750 reject card=1 what=2
46514519 cut card=1 octet=320 value=143
47058622 cut octet=606 value=106 torn=1
48889220 cut card=1 octet=67 value=125 torn=1
48898711 cut octet=773 value=124
48941140 reject card=1
49053550 cut card=1 octet=1129 value=94 torn=1
49343915 cut card=1 octet=818 value=206
49442386 reject what=8
49966855 cut card=1 octet=508 value=185 torn=1
50339132 cut octet=685 value=96
51373077 cut octet=732 value=80
51748271 flood card=1 count=24
52072374 cut card=1 octet=350 value=143
52924921 crash after_ms=480453
53033348 cut card=1 octet=1220 value=156 torn=1
53185479 cut card=1 octet=1421 value=153 torn=1
54034192 crash after_ms=72403
54410952 crash after_ms=388188
54896398 cut octet=1229 value=72 torn=1
55136156 reject
55369875 cut octet=665 value=167
55721185 cut card=1 octet=1041 value=49 torn=1
55913202 cut octet=1399 value=177
56151744 cut octet=1005 value=217 torn=1
56423229 hand card=1 what=SET_FALLBACK subscription=3 ahead=3
56428582 crash after_ms=82774
56444063 cut octet=306 value=74 torn=1
56512939 smsc_mo card=1 what=reorder value=60000
56552412 cut card=1 octet=815 value=66 torn=1
56993816 cut card=1 octet=37 value=116
57246991 request card=1 what=enable subscription=4 wait=1
58221856 reject what=17
59575056 cut octet=640 value=169 torn=1
59844576 flood count=21
59895081 cut octet=889 value=10 torn=1
60055485 cut card=1 octet=545 value=68 torn=1
60331870 cut card=1 octet=197 value=176
60816340 cut card=1 octet=913 value=101 torn=1
61195876 reject card=2 what=11
62160000 request what=set-timers subscription=3 wait=1 force=1 attach_s=134 auto_mode=2 heartbeat_h=13 return_s=45401 jitter_s=116 count=5
62510676 cut card=1 octet=595 value=179
63621540 cut card=1 octet=398 value=255
63713425 cut octet=1483 value=233
64100546 cut octet=1153 value=196
64694928 cut octet=507 value=2 torn=1
65400116 cut octet=83 value=202 torn=1
66290323 cut octet=1432 value=202 torn=1
67671067 move what=home
68156785 crash after_ms=117099
68159746 cut card=1 octet=857 value=255
68294854 cut octet=1025 value=245
68715348 reject card=2
69217141 cut card=1 octet=833 value=250 torn=1
70461300 reject
71538572 mt_forged after_ms=1564900 octet=438 value=230
72022431 flood card=1 count=32
72158572 mt_forged after_ms=103849 octet=72 value=31
72531782 cut octet=1452 value=102 torn=1
73489706 request what=enable subscription=1 flags=4 wait=1 within_ms=4207985
73660788 cut octet=1375 value=2 torn=1
73919560 flood count=25
74021634 reject card=2 what=22
74799892 cut octet=503 value=203 torn=1
75864422 cut octet=783 value=130
76417591 cut card=1 octet=213 value=229
76783039 cut card=1 octet=730 value=170 torn=1
77121309 crash after_ms=180948
77177739 reject card=2
78087639 stall card=1 after_ms=867677 octet=8
78315650 flood count=16
78733480 cut octet=57 value=41
79043358 reject what=3
79655896 stall card=2 after_ms=2522 octet=327
80318552 cut card=1 octet=797 value=66 torn=1
80503809 swallow card=1 after_ms=171568677
80575425 cut card=1 octet=1027 value=130 torn=1
84297601 reject
85463596 cut octet=786 value=17
85774210 crash after_ms=100178
86376777 cut octet=178 value=187 torn=1
86490130 cut card=1 octet=521 value=27 torn=1
87615698 cut card=1 octet=926 value=127
88198704 flood count=6
88413795 crash after_ms=560164
88809328 crash after_ms=420723
89319316 stall card=1 after_ms=27043 octet=385
89596105 cut card=1 octet=338 value=65 torn=1
90124217 cut octet=1283 value=191 torn=1
90265330 cut octet=117 value=129
92151462 move card=1 what=first
92758044 cut octet=591 value=239
92771488 cut card=1 octet=1245 value=96
92983527 cut octet=643 value=179
93087527 cut card=1 octet=265 value=128
93375088 cut octet=1009 value=120 torn=1
93743593 cut octet=98 value=167 torn=1
93954663 cut octet=233 value=190 torn=1
94278887 cut card=1 octet=564 value=217
94918342 cut octet=1021 value=98
95000706 cut octet=1489 value=42 torn=1
95020711 cut card=1 octet=942 value=177 torn=1
95811882 reject what=15
96631789 cut card=1 octet=1015 value=3
97322078 cut octet=1087 value=199
97883882 cut octet=179 value=230
99863099 nvm_error octet=1723 torn=1
100323572 smsc_mt what=reorder value=60000
100383572 mo_late after_ms=4405444
100524608 cut card=1 octet=1453 value=248
100527583 crash after_ms=545832
101805156 flood count=9
101959930 flood count=28
102254767 move card=1 what=third
102770662 cut card=1 octet=649 value=248
103008836 reject card=1 what=2
103536443 flood count=23
105025872 reject
106434557 cut card=1 octet=1261 value=22
107042853 cut card=1 octet=674 value=204
107761970 cut card=1 octet=1367 value=198
107945950 request what=delete subscription=2 wait=1
108237410 reject what=3
109021490 request what=set-timers subscription=2 contact=1 within_ms=6364424 attach_s=610 auto_mode=2 heartbeat_h=36 return_s=8144 jitter_s=7 count=1
111337862 crash after_ms=91050
113542308 cut octet=1361 value=126 torn=1
113790570 cut octet=684 value=158 torn=1
115559252 crash after_ms=440128
115780535 crash after_ms=426375
116581388 reject card=1
116647154 cut card=1 octet=885 value=81 torn=1
116890437 reject card=2 what=22
117441889 cut card=1 octet=926 value=255
117626732 reject card=2
117955149 cut card=1 octet=66 value=2 torn=1
118449320 cut octet=1203 value=156 torn=1
120237690 cut octet=273 value=206 torn=1
120833425 cut octet=283 value=199
122290115 reject card=1 what=17
123002087 cut card=1 octet=1444 value=148
123743800 cut octet=161 value=127
124277347 flood count=13
124627708 reject
124871802 cut octet=173 value=187 torn=1
124933451 cut octet=1106 value=125 torn=1
125159835 cut octet=592 value=222 torn=1
126128414 cut card=1 octet=1251 value=207
126139113 cut octet=999 value=43 torn=1
126574652 cut card=1 octet=582 value=42
126946490 flood count=13
126984637 reject card=2 what=11
127358654 cut card=1 octet=807 value=196 torn=1
127954158 nvm_error card=1 octet=562
128305545 cut card=1 octet=1021 value=10 torn=1
129123572 smsc_mt what=reorder value=60000
131328116 cut octet=87 value=212
131512626 reject what=22
131738572 mt_radio
131907987 cut card=1 octet=111 value=102
131986415 cut octet=233 value=53 torn=1
132659148 cut octet=1249 value=168 torn=1
132837273 cut octet=1295 value=128
133576800 cut octet=858 value=75
133667740 cut octet=848 value=250
134455340 cut card=1 octet=1074 value=48
134584685 cut card=1 octet=179 value=181 torn=1
135341953 reject card=2
135434099 hex after_ms=833744
135597342 cut octet=714 value=72
136690702 cut octet=605 value=161 torn=1
137140191 cut card=1 octet=798 value=159
137504058 cut octet=967 value=252
137755140 cut card=1 octet=322 value=142 torn=1
138269544 cut octet=82 value=215
138710862 crash_acting after_ms=126716
139231935 cut card=1 octet=300 value=47 torn=1
139369957 crash after_ms=519589
139740343 cut octet=1408 value=177 torn=1
140363622 cut octet=262
140775709 reject
141103206 cancel count=1
141127055 cut card=1 octet=502 value=156
141480385 smsc_mo what=reorder value=60000
141539616 mo_late after_ms=7888960
141540385 smsc_mt what=reorder value=60000
142139301 cut card=1 octet=911 torn=1
142767157 cut octet=681 value=146 torn=1
143333640 cut octet=245 value=244 torn=1
143664321 clock after_ms=94387 behind_s=1
143698884 crash after_ms=312746
144629499 cut card=1 octet=1440 value=20
144949633 cut octet=428 value=223
144974344 cut octet=179 value=43
145260962 flood count=21
145295720 cut card=1 octet=680 value=50 torn=1
145661899 cut card=1 octet=49 value=55
145778882 crash after_ms=519640
145856698 swallow card=1 after_ms=97150
146140952 reject card=1
146594615 cut card=1 octet=489 value=13 torn=1
146603575 crash after_ms=354806
147098004 cut card=1 octet=1045 value=129 torn=1
148450879 move what=second
148673164 smsc_mt what=reorder value=60000
148673164 smsc_mt what=cut-link
148673164 smsc_mt place=1 what=reorder value=60000
148733164 mo_late place=1 after_ms=7916477
148734699 smsc_mo what=reorder value=60000
148794699 mo_late after_ms=1991456
148914699 smsc_mt what=duplicate-receipt value=2
148914699 mo_late after_ms=488719
149095343 flood count=37
149428576 smsc_mo what=reorder value=60000
149707598 cut octet=1293 value=234 torn=1
150426581 cut card=1 octet=757 value=88 torn=1
150653840 cut card=1 octet=1352 value=13
150796309 smsc_mt what=duplicate-receipt value=2
150831309 mt_copy after_ms=1099089
151431309 mt_forged after_ms=299194 octet=428 value=202
152071309 mt_forged after_ms=554713 octet=418 value=218
152723957 flood card=1 count=18
153449585 cut octet=654 value=128
154910263 cut card=1 octet=972 value=11
156003986 cut card=1 octet=583 value=86 torn=1
156214468 cut card=1 octet=494 value=209
157229911 cut octet=812 value=104 torn=1
157834296 cut octet=660 value=42
158043696 cut card=1 octet=299 value=56
159650500 flood card=1 count=12
159743892 cut octet=578 value=223 torn=1
160387222 cut octet=138 value=150 torn=1
161740067 flood count=23
162209817 cut octet=885 value=184 torn=1
162600038 cut card=1 octet=151 value=231
162987539 cut octet=198 value=68
163001149 cut octet=908 value=175
166929389 cut octet=207 value=57 torn=1
167318223 cut octet=879 value=126 torn=1
168060148 cut octet=120 value=52
168648894 cut card=1 octet=1421 value=50 torn=1
169262835 cut octet=444 value=116 torn=1
169558209 cut card=1 octet=204 value=117 torn=1
169678603 cut card=1 octet=330 value=210 torn=1
169984874 reject what=15
170175104 crash after_ms=404339
170221643 cut card=1 octet=124 value=60
171253657 cut octet=407 value=29
171381582 crash after_ms=182802
171769191 cut octet=1466 value=184 torn=1
172163761 reject
172250734 cut card=1 octet=539 value=199 torn=1
172277062 cut card=1 octet=1041 value=14 torn=1

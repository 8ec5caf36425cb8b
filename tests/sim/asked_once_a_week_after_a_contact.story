otaria-story 1
rule convergence
bug asked_once_a_week_after_a_contact
seed 10100
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
9025475 imei value=9
9029944 smsc_mo what=status value=88
9100864 smsc_mt what=reorder value=60000
9388511 smsc_mo what=status value=88
16286885 mt_late after_ms=1081902
17370045 smsc_mo what=status value=88
18273180 request what=enable subscription=1 flags=4 wait=1
29028951 imei value=1
29031951 mo_copy after_ms=28415
29032434 smsc_mo what=status value=88
29060366 smsc_mo what=status value=88
29090540 smsc_mo what=reorder value=60000
29150540 smsc_mt what=reorder value=60000
29210540 mt_late after_ms=2815897
29330540 smsc_mt what=status value=88
29330540 smsc_mt place=1 what=status value=88
29330780 smsc_mt what=status value=88
29330780 smsc_mt place=1 what=status value=88
29331406 mt_late after_ms=307747
29511406 smsc_mt what=status value=88
29511406 smsc_mt place=1 what=status value=88
29511426 smsc_mt what=status value=8
29516426 smsc_mt what=status value=69
29546426 smsc_mt what=status value=8
29666426 mt_late place=1 after_ms=7123949
29786701 smsc_mo what=status value=8
29906426 smsc_mt what=drop-response
29906434 smsc_mo what=status value=8
29916426 smsc_mt what=status value=8
29921426 smsc_mt what=status value=20
29921446 mt_late after_ms=6875619
32526426 mt_late after_ms=599197
32648132 smsc_mo what=status value=88
51052961 smsc_mo what=status value=8
53157146 smsc_mo what=status value=88
66183775 request what=audit
79114641 clock after_ms=363995 ahead_s=315360000

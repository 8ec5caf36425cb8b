otaria-story 1
rule no_silent_difference
bug audit_overtaken_by_a_confirm
seed 481
faults_ms 432000000
cards 8
calm 0
alerted 0
validity_s 3600
in_file 0
models 0 0 0 0 0 0 0 0
17842152 request card=5 what=download subscription=4 flags=7
17850152 mo_late card=5 after_ms=1957365
17911369 mt_lost card=5
18030152 mo_late card=5 after_ms=200000
18091000 mo_late card=5 after_ms=200000
18091000 mo_late card=5 after_ms=200000

otaria-story 1
rule outcome_is_true
bug any_answer_taken
seed 22
faults_ms 432000000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
280923478 mo_late after_ms=560438
281103857 smsc_mo what=status value=20
286815611 move what=second
287231473 smsc_mt what=reorder value=60000
287291473 mo_late after_ms=1491603
288276076 move what=hole
288323085 request what=enable flags=4

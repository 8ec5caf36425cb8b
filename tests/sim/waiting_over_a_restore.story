otaria-story 1
rule outcome_is_true
bug waiting_over_a_restore
seed 30337
faults_ms 90408515
cards 3
calm 0
alerted 0
validity_s 3600
in_file 0
models 0 0 0
10705723 move what=third
22747103 request what=download subscription=4
27246627 backup
33522471 power_off card=2
53292134 restore after_ms=525672
70043475 move what=first
73815038 backup
78690432 power_on card=2
90408514 restore after_ms=411475

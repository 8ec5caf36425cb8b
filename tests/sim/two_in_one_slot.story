otaria-story 1
rule slots_are_told
bug two_in_one_slot
seed 2
faults_ms 58924183
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
clone_of 1
models 0
# a copy of the card was heard, which has what was deleted; then the card fills that slot
16636028 request what=delete subscription=1
17121549 clone force=1
48985030 imei value=4
49050196 smsc_mt what=reorder value=60000
49110196 mo_mixed flags=1
58912371 request what=download subscription=3 force=1

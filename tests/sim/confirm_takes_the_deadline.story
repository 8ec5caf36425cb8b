otaria-story 1
rule progress
bug confirm_takes_the_deadline
seed 21
faults_ms 345600000
cards 2
calm 0
alerted 0
validity_s 3600
in_file 0
clone_of 1
models 0 0
111328761 reject what=8
176529168 clone force=1
176700299 reject
193186001 reject card=1 what=3
288425007 imei value=2
334136268 request what=enable subscription=1 flags=4

otaria-story 1
rule as_the_model
bug notification_dropped_after_its_waits
seed 4
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
63439754 reject what=3
71361849 reject card=1 what=15
72400093 hand what=ENABLE subscription=1 flags=4 ahead=2

otaria-story 1
rule check
bug accepts_older_counter
seed 4
faults_ms 72400094
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
72320571 cut octet=47 value=183
72400093 hand what=ENABLE subscription=1 flags=4 ahead=2

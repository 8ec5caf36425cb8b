otaria-story 1
rule no_silent_difference
bug switch_told_late_at_level_1
seed 4068
faults_ms 345600000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 6
9490228 move what=second
20320383 move what=hole
20815378 move what=second

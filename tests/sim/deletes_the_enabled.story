otaria-story 1
rule check
bug deletes_the_enabled
seed 149
faults_ms 77208884
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
46722086 request what=download subscription=2 flags=5
77208883 hand what=DELETE subscription=2 ahead=3

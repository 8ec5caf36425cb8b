otaria-story 1
rule refused_does_nothing
bug tar_not_compared
seed 10
faults_ms 83556015
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
49962337 move what=second
59596851 move what=first
69729678 move what=second
70960641 move what=hole
72498970 crash_acting after_ms=404414
83121014 move what=home
83556014 reflected after_ms=1616206

otaria-story 1
rule convergence
bug audit_never_again
seed 3
faults_ms 74711366
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
54790946 request what=download subscription=4
73436833 cut octet=193 value=221
74644908 request what=delete subscription=4
74711365 mo_late after_ms=6460992

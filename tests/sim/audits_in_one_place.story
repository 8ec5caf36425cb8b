otaria-story 1
rule convergence
bug audits_in_one_place
seed 3
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
# The server's memory goes back to before a switch, of which the card has nothing to tell any more.
7200000 backup
10800000 request what=enable subscription=1 flags=4
43200000 restore after_ms=60000

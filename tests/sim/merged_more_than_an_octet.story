otaria-story 1
rule as_the_model
bug merged_more_than_an_octet
seed 10469
faults_ms 3888000000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 5
1567940250 move what=third

otaria-story 1
rule as_the_model
bug start_not_kept_is_forgotten
seed 1
faults_ms 86400000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
3600000 request what=download subscription=3 flags=7
3604000 mo_late after_ms=100000
3605500 nvm_error octet=1 torn=1
3607000 power_off
3608000 power_on
3630000 nvm_error octet=4000000

otaria-story 1
rule one_intention
bug new_id_after_a_memory_error
seed 13579
faults_ms 259200000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 2
21418884 nvm_error octet=1747
25170915 reject what=8
38939723 request what=set-timers attach_s=301 auto_mode=1 heartbeat_h=39 return_s=59759 jitter_s=16 count=1
38974723 mt_copy after_ms=681653

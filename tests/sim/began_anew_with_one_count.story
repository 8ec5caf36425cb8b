otaria-story 1
rule rot_is_told
bug began_anew_with_one_count
seed 13344
faults_ms 184719503
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
6619994 move what=first
8062634 request what=download subscription=4 flags=5
140995518 nvm_error octet=2637 torn=1
145237221 imei value=3
146082503 request what=download subscription=3 flags=7
164435326 rot octet=3 value=179
184719502 rot octet=3707 value=180

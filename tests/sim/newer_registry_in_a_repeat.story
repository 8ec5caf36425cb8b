otaria-story 1
rule no_silent_difference
bug newer_registry_in_a_repeat
seed 11175
faults_ms 432000000
cards 1
calm 0
alerted 1
validity_s 3600
in_file 0
models 0
39297559 rot octet=42 value=79
43245315 smsc_mo what=status value=88
45720560 move what=hole
61111534 request what=set-timers subscription=4 attach_s=72 auto_mode=1 heartbeat_h=14 return_s=30867 jitter_s=87 count=3
61219046 move what=first
64801185 request what=delete subscription=1
78785383 rot octet=237 value=245
88193942 power_off
146904822 rot octet=295 value=47
222846630 rot octet=3801 value=43
349942718 move what=third
350671968 power_on
350924749 move what=home
350925362 smsc_mo what=status value=20
351106573 smsc_mo what=status value=88
351346545 smsc_mo what=status value=88
353337327 move what=hole
355560700 request what=enable subscription=1 flags=4
359683483 move what=home
379170623 crash_acting after_ms=504375
382096150 move what=first

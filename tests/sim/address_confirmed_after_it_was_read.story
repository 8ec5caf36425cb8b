otaria-story 1
rule convergence
bug address_confirmed_after_it_was_read
seed 14220
faults_ms 345600000
cards 3
calm 0
alerted 0
validity_s 3600
in_file 0
models 0 0 2
288100465 rot card=2 octet=1624 value=184
291689886 request card=2 what=set-timers subscription=2 value=15 attach_s=180 auto_mode=2 return_s=86400 jitter_s=60 count=7
291704886 mo_late card=2 place=1 after_ms=9211787
291764886 mo_late card=2 after_ms=4369530
291884886 mo_late card=2 after_ms=6080201
292125711 smsc_mt card=2 what=lose

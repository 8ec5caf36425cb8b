otaria-story 1
rule convergence
bug window_place_never_freed
seed 3
faults_ms 200000000
cards 1
calm 0
alerted 0
validity_s 3600
in_file 0
models 0
# no answer to 28 requests, and then something that has to be confirmed
3600000 smsc_mt what=drop-response
3600000 request what=audit
3601000 smsc_mt what=drop-response
7200000 smsc_mt what=drop-response
7200000 request what=audit
7201000 smsc_mt what=drop-response
10800000 smsc_mt what=drop-response
10800000 request what=audit
10801000 smsc_mt what=drop-response
14400000 smsc_mt what=drop-response
14400000 request what=audit
14401000 smsc_mt what=drop-response
18000000 smsc_mt what=drop-response
18000000 request what=audit
18001000 smsc_mt what=drop-response
21600000 smsc_mt what=drop-response
21600000 request what=audit
21601000 smsc_mt what=drop-response
25200000 smsc_mt what=drop-response
25200000 request what=audit
25201000 smsc_mt what=drop-response
28800000 smsc_mt what=drop-response
28800000 request what=audit
28801000 smsc_mt what=drop-response
32400000 smsc_mt what=drop-response
32400000 request what=audit
32401000 smsc_mt what=drop-response
36000000 smsc_mt what=drop-response
36000000 request what=audit
36001000 smsc_mt what=drop-response
39600000 smsc_mt what=drop-response
39600000 request what=audit
39601000 smsc_mt what=drop-response
43200000 smsc_mt what=drop-response
43200000 request what=audit
43201000 smsc_mt what=drop-response
46800000 smsc_mt what=drop-response
46800000 request what=audit
46801000 smsc_mt what=drop-response
50400000 smsc_mt what=drop-response
50400000 request what=audit
50401000 smsc_mt what=drop-response
180000000 imei what=1

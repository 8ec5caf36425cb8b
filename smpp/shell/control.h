// The control interface of smsc-sim: a small HTTP server for tests and people. It has no
// authentication, so it listens on the loopback address only.
//
//   GET    /healthz          {"status":"ok"}
//   GET    /counters         what happened so far
//   GET    /links            who is bound
//   POST   /links/N/cut      ends link N as a broken connection would
//   GET    /queue            how much waits, by destination (at most 1,000 of them)
//   POST   /alert            {"number":"..."}: the number is reachable, try what waits for it
//   GET    /rules            fault rules with their counts
//   POST   /rules            {"fault":"lose","destination":"999","skip":0,"count":1,
//                             "probability":1.0,"value":0} -> 201 with its id
//   DELETE /rules            all of them
//   DELETE /rules/ID         one
#pragma once

#include "common/host/http.h"
#include "smpp/shell/links.h"

enum net_error control_open(struct loop *loop, const char *listen, struct links *links,
                            struct http **http) MUST_USE;

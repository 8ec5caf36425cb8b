// Event sinks over the laboratory of the API: what would go to the network is kept, and answered by
// the test.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "ota-server/service/sink_run.h"
#include "tests/unit/api/api_lab.h"

#define SINKS API_BASE "/event-sinks"
#define DELIVERIES API_BASE "/event-deliveries"
#define T(name) "\"ota.connectivity-management.v1." name "\""
#define HOOK "https://events.example.com/hook"
#define TOKEN "canary-token-7f3a"
#define CREDENTIAL                                                                                 \
    "\"sinkCredential\":{\"credentialType\":\"ACCESSTOKEN\",\"accessToken\":\"" TOKEN              \
    "\",\"accessTokenExpiresUtc\":\"2027-01-01T00:00:00Z\",\"accessTokenType\":\"bearer\"}"
#define TENANT_A 0x1111111111111111ull
#define TENANT_B 0x2222222222222222ull

extern struct lab lab;
extern struct answer a;
extern struct sinks *sinks;
extern uint64_t card, card2;
extern char path[512];

// What was asked of the network, as it was asked.
#define SENT_MAX 64
struct sent {
    uint64_t ticket;
    char url[SINK_URL_MAX + 1];
    char headers[8192];
    char body[SINK_BODY_MAX + 1];
};
extern struct sent sents[SENT_MAX];
extern size_t sent_count;
extern bool is_line_dead; // nothing can be sent now

int open_all(void **state);
int open_file(void **state); // with a database that stands a crash
int close_all(void **state);
void open_sinks(void);

void work_for(int64_t ms);
void work(void);
// The sink's answer to a request; 0: none came.
void answer_with(size_t index, unsigned status);
void answer_body(size_t index, unsigned status, const char *body);

void ask_as(const char *token, const char *method, const char *target, const char *body,
            unsigned status);
void ask(const char *method, const char *target, const char *body, unsigned status);
bool says(const char *text); // the last answer
const char *last_id(const char *prefix);
const char *add_sink(const char *token, const char *url, const char *types);
const char *sink_path(const char *id, const char *after);
void dirty(uint64_t which);
void clean(uint64_t which);
bool is_of_type(size_t index, const char *type);
bool has_alarm(void);

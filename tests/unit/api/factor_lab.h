// Second factors over the laboratory of the API: people, their apps, and how they get in.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "ota-server/service/auth_factor.h"
#include "tests/unit/api/api_lab.h"

#define PASSWORD "correct horse battery"
#define STEP_MS 30000

extern struct lab lab;
extern struct answer a;
extern char ann[API_ID_SIZE], path[128];
extern char secret[64]; // of the last enrolment, in base32
extern char codes[FACTOR_CODES][FACTOR_CODE_SIZE];

bool has(const char *text);
void pass_time(int64_t ms);
void take_text(const char *member, char *to, size_t size);
void add_user(const char *name, const char *role, uint64_t enterprise, char id[API_ID_SIZE]);
int open_all(void **state);
int close_all(void **state);
unsigned log_in(const char *name, const char *otp);
void enter(const char *name, const char *otp, struct door *door);
unsigned ask_as(const struct door *door, const char *method, const char *target, const char *body);
const char *factor_of(const char *user);
const char *otp_body(const char *otp);
// What the app shows `steps` from now [RFC 4648 §6, RFC 6238].
const char *shown(int64_t steps);
// A code that is none of those of now.
const char *wrong(void);
void begin(const struct door *door, const char *user);
// From nothing to recovery codes; the next step has come then.
void enrol(const char *name, const char *user);

// An installation with people: what one asks for, and a second one approves.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#define TENANT_SCOPES                                                                              \
    "cards:read,operations:read,operations:enable,operations:disable,operations:delete,"           \
    "operations:download,operations:set-fallback,operations:set-timers,operations:read-timers,"    \
    "operations:audit,approvals:read,approvals:decide"

extern struct lab lab;
extern struct answer a;
extern struct record record;
extern uint64_t enterprise, group;
extern char token[LAB_TOKEN_SIZE];
// People, with their password ("correct horse battery").
extern const char second[];      // olga, an operator
extern const char third[];       // otto, another one
extern const char colleague[];   // bob, of the enterprise
extern const char first_admin[]; // ada, a platform admin
extern const char fellow[];      // ann, of the enterprise
extern char path[256];
extern char approval[API_ID_SIZE], hash[65], operation[API_ID_SIZE]; // that the tests are about

// As a client with all scopes when `as` is NULL; the answer is in `a`.
void ask(const char *as, const char *method, const char *target, const char *body);
bool has(const char *text);
void expect(unsigned status, const char *text);
// The value of a member of the answer.
void take(const char *name, char *to, size_t size);
const char *approval_path(const char *after);
// These write to `path`: of the card, with what follows; and the group's rules, changed at once.
const char *card_path(const char *after);
void change_rules(const char *body);
const char *id_of_group(void);
// The body of an operation on the card's second subscription.
const char *request_of(const char *type, const char *more);
void decide_as(const char *as, const char *how);
void ask_for_user(const char *as, const char *name, const char *role, uint64_t of);
// The approval in the answer, of what waits for one.
void take_asked(void);
// Approved by olga when she is there already.
void add_user(const char *name, const char *role, uint64_t of);
int open_with(bool single_person);
int open_all(void **state);
int close_all(void **state);

// Two enterprises over the laboratory of the API, each with a group and a card of its own. Whatever
// can have a name is named with the canary at B.
#pragma once

#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#define ICCID_A "89999000000000000012"
#define ICCID_B "89999000000000000020"
#define CANARY "canaryofb"

extern struct lab lab;
extern struct answer a;
extern struct record record_a, record_b;
extern uint64_t enterprise_a, enterprise_b, group_a, group_b;
extern char token_a[LAB_TOKEN_SIZE], token_b[LAB_TOKEN_SIZE];
extern char path[512];

// For cmocka.
int open_all(void **state);
int close_all(void **state);

// NULL: the operator's client.
void ask(const char *token, const char *method, const char *target, const char *body);
bool has(const char *text);
void expect(unsigned status);
// These write to `path`.
const char *target(const char *before, const char *prefix, uint64_t id, const char *after);
const char *pair(uint64_t enterprise, uint64_t group); // of a permission
uint64_t new_group(const char *name, uint64_t enterprise);
void move(uint64_t card, uint64_t group);
void grant(uint64_t enterprise, uint64_t group, const char *operations);

#include "tests/unit/api/two_tenants.h"

#include <stdio.h>

// Every scope that the role of an enterprise's administrator has.
#define TENANT_SCOPES                                                                              \
    "cards:read,cards:write,cards:reveal,operations:read,operations:download,operations:enable,"   \
    "operations:disable,operations:delete,operations:set-fallback,operations:set-timers,"          \
    "operations:read-timers,operations:audit,groups:read,permissions:read,alarms:read,"            \
    "approvals:read,campaigns:read,campaigns:write,"                                               \
    "approvals:decide,inventory:read,"                                                             \
    "templates:read,imports:read,audit-trail:read,clients:read,clients:write,users:read,"          \
    "users:write,events:read,events:write,reports:read"

struct lab lab;
struct answer a;
struct record record_a, record_b;
uint64_t enterprise_a, enterprise_b, group_a, group_b;
char token_a[LAB_TOKEN_SIZE], token_b[LAB_TOKEN_SIZE];
char path[512];

void ask(const char *token, const char *method, const char *target, const char *body)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = token},
            &a);
}

bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

void expect(unsigned status)
{
    if (a.status != status)
        fail_msg("%s %s: %u instead of %u: %s", a.asked.method, a.asked.target, a.status, status,
                 a.body);
}

const char *target(const char *before, const char *prefix, uint64_t id, const char *after)
{
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    (void)snprintf(path, sizeof(path), API_BASE "%s%s%s", before, text, after);
    return path;
}

static uint64_t new_enterprise(const char *name)
{
    char body[256];
    (void)snprintf(
        body, sizeof(body),
        "{\"name\":\"%s\",\"kind\":\"ENTERPRISE\",\"region\":\"X\",\"timeZone\":\"UTC\"}", name);
    ask(NULL, "POST", API_BASE "/enterprises", body);
    expect(201);
    return lab_id(&a, "ent");
}

uint64_t new_group(const char *name, uint64_t enterprise)
{
    char body[256];
    char id[API_ID_SIZE];
    api_id_write(id, "ent", enterprise);
    (void)snprintf(body, sizeof(body), "{\"name\":\"%s\",\"enterpriseId\":\"%s\"}", name, id);
    ask(NULL, "POST", API_BASE "/card-groups", body);
    expect(201);
    return lab_id(&a, "grp");
}

void move(uint64_t card, uint64_t group)
{
    char body[128];
    char id[API_ID_SIZE];
    api_id_write(id, "grp", group);
    (void)snprintf(body, sizeof(body), "{\"groupId\":\"%s\"}", id);
    ask(NULL, "PATCH", target("/cards/", "crd", card, ""), body);
    expect(200);
}

const char *pair(uint64_t enterprise, uint64_t group)
{
    char id[API_ID_SIZE];
    char after[API_ID_SIZE + 1];
    api_id_write(id, "grp", group);
    (void)snprintf(after, sizeof(after), "/%s", id);
    return target("/permissions/", "ent", enterprise, after);
}

void grant(uint64_t enterprise, uint64_t group, const char *operations)
{
    char body[512];
    (void)snprintf(body, sizeof(body), "{\"operations\":[%s],\"reason\":\"contract 88\"}",
                   operations);
    ask(NULL, "PUT", pair(enterprise, group), body);
    expect(200);
}

int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    enterprise_a = new_enterprise("A");
    enterprise_b = new_enterprise(CANARY);
    group_a = new_group("meters", enterprise_a);
    group_b = new_group(CANARY "group", enterprise_b);
    (void)lab_card(&lab, ICCID_A, &record_a);
    (void)lab_card_of(&lab, ICCID_B, "002020000000001", "888800000000001", &record_b);
    move(record_a.card, group_a);
    move(record_b.card, group_b);
    lab_client(&lab, TENANT_SCOPES, enterprise_a, token_a);
    lab_client(&lab, TENANT_SCOPES, enterprise_b, token_b);
    return 0;
}

int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

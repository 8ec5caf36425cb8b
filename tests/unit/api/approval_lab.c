#include "tests/unit/api/approval_lab.h"

#include <stdio.h>

#define ICCID "89999000000000000012"

struct lab lab;
struct answer a;
struct record record;
uint64_t enterprise, group;
char token[LAB_TOKEN_SIZE];
// People, with their password ("correct horse battery").
const char second[] = "Basic b2xnYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";      // olga, an operator
const char third[] = "Basic b3R0bzpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";       // otto, another one
const char colleague[] = "Basic Ym9iOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==";   // bob, of the enterprise
const char first_admin[] = "Basic YWRhOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="; // ada, a platform admin
const char fellow[] = "Basic YW5uOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==";      // ann, of the enterprise
char path[256];
char approval[API_ID_SIZE], hash[65], operation[API_ID_SIZE];

void ask(const char *as, const char *method, const char *target, const char *body)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = as},
            &a);
}

bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

void expect(unsigned status, const char *text)
{
    if (a.status != status || !has(text))
        fail_msg("%s %s: %u instead of %u with %s: %s", a.asked.method, a.asked.target, a.status,
                 status, text, a.body);
}

void take(const char *name, char *to, size_t size)
{
    char start[32];
    (void)snprintf(start, sizeof(start), "\"%s\":\"", name);
    const char *at = strstr(a.body, start);
    assert_non_null(at);
    at += strlen(start);
    (void)snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

const char *approval_path(const char *after)
{
    (void)snprintf(path, sizeof(path), API_BASE "/approvals/%s%s", approval, after);
    return path;
}

const char *card_path(const char *after)
{
    char id[API_ID_SIZE];
    api_id_write(id, "crd", record.card);
    (void)snprintf(path, sizeof(path), API_BASE "/cards/%s%s", id, after);
    return path;
}

const char *id_of_group(void)
{
    static char id[API_ID_SIZE];
    api_id_write(id, "grp", group);
    return id;
}

void change_rules(const char *body)
{
    (void)snprintf(path, sizeof(path), API_BASE "/card-groups/%s/rules", id_of_group());
    ask(NULL, "PATCH", path, body);
    expect(200, "\"version\":");
}

const char *request_of(const char *type, const char *more)
{
    static char body[256];
    char id[API_ID_SIZE];
    api_id_write(id, "sub", record.slots[1].subscription);
    (void)snprintf(body, sizeof(body), "{\"type\":\"%s\",\"subscriptionId\":\"%s\"%s}", type, id,
                   more);
    return body;
}

void decide_as(const char *as, const char *how)
{
    char body[128];
    (void)snprintf(body, sizeof(body), "{\"requestHash\":\"%s\",\"comment\":\"looked at it\"}",
                   hash);
    ask(as, "POST", approval_path(how), body);
}

void ask_for_user(const char *as, const char *name, const char *role, uint64_t of)
{
    char body[256];
    char id[API_ID_SIZE];
    api_id_write(id, "ent", of);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"%s\",\"password\":\"correct horse battery\",\"role\":\"%s\","
                   "\"enterpriseId\":\"%s\"}",
                   name, role, id);
    ask(as, "POST", API_BASE "/users", body);
}

void take_asked(void)
{
    expect(202, "\"kind\":\"FOUR_EYES\"");
    take("id", approval, sizeof(approval));
    take("requestHash", hash, sizeof(hash));
}

void add_user(const char *name, const char *role, uint64_t of)
{
    char other[sizeof(approval)];
    char other_hash[sizeof(hash)];
    memcpy(other, approval, sizeof(other));
    memcpy(other_hash, hash, sizeof(other_hash));
    ask_for_user(NULL, name, role, of);
    if (a.status == 202) {
        take_asked();
        decide_as(second, "/approve");
        expect(200, "\"state\":\"APPROVED\"");
    } else {
        assert_int_equal(a.status, 201);
    }
    lab_own_password(&lab, name);
    memcpy(approval, other, sizeof(approval));
    memcpy(hash, other_hash, sizeof(hash));
}

int open_with(bool single_person)
{
    lab_open(&lab, "all", single_person);
    ask(NULL, "POST", API_BASE "/enterprises",
        "{\"name\":\"A\",\"kind\":\"ENTERPRISE\",\"region\":\"X\",\"timeZone\":\"UTC\"}");
    char id[API_ID_SIZE];
    take("id", id, sizeof(id));
    assert_true(api_id_read(bytes_of_text(id), "ent", &enterprise));
    group = lab_grant(&lab, enterprise, 0x7FF & ~1u);
    (void)lab_card(&lab, ICCID, &record);
    struct record next = record;
    next.tenant = enterprise;
    next.group = group;
    next.slots[1].fact.is_proven = true;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    lab.has_basic = true;
    lab_reopen_api(&lab);
    add_user("olga", "OPERATOR", LAB_TENANT);
    add_user("otto", "OPERATOR", LAB_TENANT);
    add_user("bob", "ENTERPRISE_ADMIN", enterprise);
    lab_client(&lab, TENANT_SCOPES, enterprise, token);
    return 0;
}

int open_all(void **state)
{
    (void)state;
    return open_with(false);
}

int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

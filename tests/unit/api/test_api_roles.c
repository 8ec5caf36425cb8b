// Which scopes each role of people has, from the contract's words about roles: nobody has more, and
// nobody less.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

static struct lab lab;
static struct answer a;

// Written by hand, not taken from the server's own table. A letter for each role:
//
//     P PLATFORM_ADMIN    everything
//     O OPERATOR          cards, operations, campaigns, groups, dirty queue, alarms, imports, force
//     S SUPPORT           reads, audits, re-sends
//     A ENTERPRISE_ADMIN  own people and clients, own cards as permitted
//     U ENTERPRISE_USER   own cards as permitted
//     I INSPECTOR         reads and exports reports, incidents, permissions, trail; changes nothing
//     V VENDOR_SUPPORT    reads
static const char letters[USER_ROLES + 1] = "POSAUIV";
static const struct {
    const char *scope, *roles;
} table[] = {
    {"cards:read", "POSAUV"},
    {"cards:write", "POAU"},
    {"cards:dirty", "PO"},
    {"cards:reveal", "POSAU"},
    {"operations:read", "POSAUV"},
    {"operations:download", "POAU"},
    {"operations:enable", "POAU"},
    {"operations:disable", "POAU"},
    {"operations:delete", "POAU"},
    {"operations:set-fallback", "POAU"},
    {"operations:set-timers", "POAU"},
    {"operations:read-timers", "POSAU"},
    {"operations:audit", "POSAU"},
    {"operations:resend", "POS"},
    {"operations:force", "PO"},
    {"campaigns:read", "POSAUV"},
    {"campaigns:write", "POAU"},
    {"groups:read", "POSAUV"},
    {"groups:write", "PO"},
    {"permissions:read", "POAUI"},
    {"permissions:write", "P"},
    {"alarms:read", "POSAUI"}, // of incidents
    {"alarms:write", "PO"},
    {"approvals:read", "POAUI"},
    {"approvals:decide", "POA"},
    {"inventory:read", "POSAUV"},
    {"inventory:write", "PO"},
    {"templates:read", "POSAUV"},
    {"templates:write", "PO"},
    {"imports:read", "POSAUV"},
    {"imports:write", "PO"},
    {"keys:write", "P"},
    {"audit-trail:read", "POSAUI"},
    {"audit-trail:verify", "POI"},
    {"events:read", "POSAUIV"},
    {"events:write", "POA"},
    {"reports:read", "POSAUI"},
    {"reports:write", "POA"},
    {"metering:read", "POAI"}, // of reports
    {"metering:write", "P"},
    {"system:read", "POSIV"},
    {"metrics:read", "PO"},
    {"clients:read", "PA"},
    {"clients:write", "PA"},
    {"users:read", "PA"},
    {"users:write", "PA"},
    {"enterprises:read", "PO"},
    {"enterprises:write", "P"},
    {"identifiers:clear", ""}, // of clients: people reveal, one by one, with a reason
};
#define ROWS (sizeof(table) / sizeof(table[0]))

static const char *roles_of(const char *scope)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(table[i].scope, scope) == 0)
            return table[i].roles;
    }
    return NULL;
}

static void enter(enum user_role role, struct door *door)
{
    static const bool are_operators[USER_ROLES] = {
        [ROLE_PLATFORM_ADMIN] = true, [ROLE_OPERATOR] = true, [ROLE_SUPPORT] = true};
    char name[8];
    (void)snprintf(name, sizeof(name), "user%d", (int)role);
    lab_user(&lab, name, role, are_operators[role] ? LAB_TENANT : LAB_TENANT + 1, door);
}

static void ask_as(const struct door *door, const char *method, const char *target)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask_as(&lab, door, method, target, NULL, &a);
}

static void each_role_has_the_scopes_of_the_contract_and_no_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < USER_ROLES; i++) {
        struct door door;
        char shown[64];
        enter((enum user_role)i, &door);
        ask_as(&door, "GET", API_BASE "/session");
        assert_int_equal(a.status, 200);
        const char *list = strstr(a.body, "\"scopes\":[");
        assert_non_null(list);
        size_t count = 0;
        for (const char *p = list; *p != ']'; p++)
            count += *p == ':';
        size_t expected = 1; // the colon behind the list's name
        for (size_t k = 0; k < ROWS; k++) {
            const bool is_due = strchr(table[k].roles, letters[i]) != NULL;
            (void)snprintf(shown, sizeof(shown), "\"%s\"", table[k].scope);
            const bool is_there = strstr(list, shown) != NULL;
            if (is_there != is_due)
                fail_msg("%s %s %s", user_role_names[i], is_due ? "lacks" : "has", table[k].scope);
            expected += is_due;
        }
        assert_int_equal(count, expected); // none that the table does not know
    }
}

static void every_scope_stands_in_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < api_route_count; i++) {
        const char *scope = api_routes[i].scope;
        const bool is_esim = scope != NULL && strncmp(scope, "iot-device", 10) == 0;
        if (scope != NULL && !is_esim && roles_of(scope) == NULL)
            fail_msg("%s is for nobody knows whom", scope);
    }
    // And so does each that the server publishes.
    static const char prefix[] = "\"connectivity-management:";
    lab_ask(&lab,
            &(struct ask){.method = "GET",
                          .target = "/.well-known/oauth-authorization-server",
                          .authorization = ""},
            &a);
    assert_int_equal(a.status, 200);
    size_t count = 0;
    for (const char *p = strstr(a.body, prefix); p != NULL; p = strstr(p + 1, prefix)) {
        char scope[64];
        const char *name = p + strlen(prefix);
        (void)snprintf(scope, sizeof(scope), "%.*s", (int)strcspn(name, "\""), name);
        if (roles_of(scope) == NULL)
            fail_msg("%s is published, and for nobody knows whom", scope);
        count++;
    }
    assert_int_equal(count, ROWS);
}

static const char *method_of(const struct api_route_row *row)
{
    return row->method == API_GET     ? "GET"
           : row->method == API_POST  ? "POST"
           : row->method == API_PUT   ? "PUT"
           : row->method == API_PATCH ? "PATCH"
                                      : "DELETE";
}

// What only reads has no route that changes; a verification that was ordered stays, and yet changes
// nothing but the trail.
static bool is_denied(unsigned role, const struct api_route_row *row)
{
    const bool reads_only = role == ROLE_INSPECTOR || role == ROLE_VENDOR_SUPPORT;
    const bool is_check = strcmp(row->scope, "audit-trail:verify") == 0;
    const char *roles = roles_of(row->scope);
    return roles == NULL || strchr(roles, letters[role]) == NULL ||
           (reads_only && (row->flags & ROUTE_CHANGES) != 0 && !is_check);
}

static void each_role_stays_within_its_scopes_on_each_route(void **state)
{
    (void)state;
    lab.has_refusals_only = true; // nearly, and all that succeeds is tried elsewhere
    for (unsigned i = 0; i < USER_ROLES; i++) {
        struct door door;
        unsigned allowed = 0;
        enter((enum user_role)i, &door);
        for (size_t k = 0; k < api_route_count; k++) {
            const struct api_route_row *row = &api_routes[k];
            // Without an id the path of an object is unknown; its scope is asked before that.
            char target[256];
            struct writer w = writer_of(target, sizeof(target));
            for (const char *c = row->path; *c != '\0'; c++) {
                if (*c == '*')
                    text_put(&w, "nobody");
                else
                    writer_u8(&w, (uint8_t)*c);
            }
            if (row->scope == NULL)
                continue;
            ask_as(&door, method_of(row), text_end(&w));
            if (is_denied(i, row) && a.status != 403)
                fail_msg("%s may %s %s: %u", user_role_names[i], method_of(row), row->path,
                         a.status);
            assert_true(a.status != 401 && a.status < 500);
            allowed += a.status != 403;
        }
        assert_true(allowed > 0);
        assert_true(i > 0 || allowed > 50); // the first may everything
    }
}

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", false);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_role_has_the_scopes_of_the_contract_and_no_other),
        CASE(every_scope_stands_in_the_table),
        CASE(each_role_stays_within_its_scopes_on_each_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

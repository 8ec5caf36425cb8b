// Requests amid which the database fails: each statement in turn. What it did not find may be
// there, so that the answer is 503 or the one that was wanted, and never another.
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/import_registry.h"
#include "tests/unit/api/api_lab.h"
#include "tests/unit/server/faulty_statement.h"

#include <stdio.h>

#define STATEMENTS_MAX 200 // of one request
#define TURNS 8

static struct lab lab;
static struct answer a;
static char pool[256], card[256], operations[256];

static int open_all(void **state)
{
    struct record record;
    char id[API_ID_SIZE];
    (void)state;
    lab_open_imports(&lab, "all", true); // with a reader of its own
    api_id_write(id, "crd", lab_card(&lab, "89999000000000000012", &record));
    (void)snprintf(card, sizeof(card), API_BASE "/cards/%s", id);
    (void)snprintf(operations, sizeof(operations), API_BASE "/cards/%s/operations", id);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// While the n-th statement fails; 0: none does. False: it has fewer.
static bool ask_failing(const struct ask *ask, uint32_t at)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000; // the client's rate is not what is tried
    faulty_statement_set(at);
    struct api_exchange *x = lab_start(&lab, ask, &a);
    for (unsigned i = 0; i < TURNS && a.count == 0; i++) {
        lab.now.utc.ms += 20;
        const enum turn_status status = turn_run(lab.turn, lab.now.utc);
        assert_true(status == TURN_OK || at != 0);
    }
    const bool was_hit = faulty_statement_was_hit();
    faulty_statement_set(0);
    assert_int_equal(a.count, 1);
    lab_forget(x);
    return was_hit;
}

static void expect(unsigned status, const struct ask *ask, uint32_t at)
{
    if (a.status != status)
        fail_msg("%s %s: %u instead of %u, statement %u: %s\n%s", ask->method, ask->target,
                 a.status, status, at, faulty_statement_text(), a.body);
}

static void make_pool(uint32_t number)
{
    char body[128];
    char id[API_ID_SIZE];
    (void)snprintf(body, sizeof(body), "{\"name\":\"p%u\",\"operator\":\"o\",\"templateId\":1}",
                   number);
    const struct ask ask = {
        .method = "POST", .target = API_BASE "/subscription-pools", .body = body};
    (void)ask_failing(&ask, 0);
    expect(201, &ask, 0);
    api_id_write(id, "pol", lab_id(&a, "pol"));
    (void)snprintf(pool, sizeof(pool), API_BASE "/subscription-pools/%s", id);
}

// --- what only reads ---

static void read_failing(const char *target)
{
    static char wanted[sizeof(a.body)];
    const struct ask ask = {.method = "GET", .target = target};
    (void)ask_failing(&ask, 0);
    expect(200, &ask, 0);
    memcpy(wanted, a.body, sizeof(wanted));
    uint32_t at = 1;
    unsigned unsure = 0;
    for (; ask_failing(&ask, at); at++) {
        assert_true(at < STATEMENTS_MAX);
        if (a.status == 503) {
            unsure++;
            continue;
        }
        expect(200, &ask, at);
        assert_string_equal(a.body, wanted);
    }
    assert_true(unsure > 0);
    expect(200, &ask, at);
}

static void a_read_of_a_failing_database_is_503_and_never_another(void **state)
{
    (void)state;
    make_pool(0);
    read_failing(card);
    read_failing(operations);
    read_failing(pool);
}

// --- what changes ---

static bool count_row(void *context, const struct trail_row *row)
{
    (void)row;
    ++*(unsigned *)context;
    return true;
}

static unsigned rows_of(const char *correlator)
{
    const struct store_page page = {.limit = 100};
    struct trail_filter filter;
    unsigned count = 0;
    trail_filter_init(&filter);
    filter.correlator = api_correlator_hash(bytes_of_text(correlator));
    assert_int_equal(store_trail(lab.store, &filter, &page, count_row, &count, NULL), STORE_OK);
    return count;
}

static bool is_replayed(void)
{
    return strstr(a.headers, "Idempotency-Replayed: true") != NULL;
}

// A change for each statement, which is asked for until it is done, and once more. False: it has
// fewer statements.
static bool change_failing(struct ask ask, unsigned wanted, uint32_t at)
{
    char key[32];
    (void)snprintf(key, sizeof(key), "%s-%.4s-%u", ask.method, strrchr(ask.target, '/') + 1, at);
    ask.key = key;
    ask.correlator = key;
    const bool was_hit = ask_failing(&ask, at);
    if (a.status == 503) {
        assert_int_equal(rows_of(key), 0);
        (void)ask_failing(&ask, 0);
        assert_false(is_replayed());
    }
    expect(wanted, &ask, at);
    assert_int_equal(rows_of(key), 1);
    (void)ask_failing(&ask, 0);
    expect(wanted, &ask, at);
    assert_true(is_replayed());
    assert_int_equal(rows_of(key), 1);
    return was_hit;
}

static void a_change_amid_a_failing_database_is_503_or_done_once(void **state)
{
    static const struct {
        const char *method, *target, *start, *end; // of its body, around a number
        unsigned status;
    } changes[] = {
        {"PATCH", card, "{\"note\":\"", "\"}", 200},
        {"PATCH", pool, "{\"name\":\"", "\"}", 200},
        {"POST", API_BASE "/card-groups", "{\"applicationField\":\"ENERGY\",\"name\":\"", "\"}",
         201},
        {"DELETE", pool, NULL, NULL, 204},
    };
    char body[128];
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        bool is_more = true;
        uint32_t at = 1;
        for (; is_more; at++) {
            assert_true(at < STATEMENTS_MAX);
            make_pool((uint32_t)(1000 * (i + 1) + at));
            const bool has_body = changes[i].start != NULL;
            if (has_body)
                (void)snprintf(body, sizeof(body), "%s%u%s", changes[i].start, at, changes[i].end);
            const struct ask ask = {.method = changes[i].method,
                                    .target = changes[i].target,
                                    .body = has_body ? body : NULL};
            is_more = change_failing(ask, changes[i].status, at);
        }
        assert_true(at > 10); // it was more than a look at the token
    }
}

// The kept answer cannot be read when its change is asked for again: it is not made again.
static void a_repetition_that_cannot_be_told_from_a_first_is_503(void **state)
{
    const struct ask ask = {.method = "POST",
                            .target = API_BASE "/card-groups",
                            .body = "{\"name\":\"twice\",\"applicationField\":\"ENERGY\"}",
                            .key = "repeated-1",
                            .correlator = "repeated-1"};
    (void)state;
    (void)ask_failing(&ask, 0);
    expect(201, &ask, 0);
    uint32_t at = 1;
    for (; ask_failing(&ask, at); at++) {
        assert_true(at < STATEMENTS_MAX);
        if (a.status != 503) {
            expect(201, &ask, at);
            assert_true(is_replayed());
        }
        assert_int_equal(rows_of("repeated-1"), 1);
    }
    assert_true(at > 2);
}

// Without a credential that could be looked up nobody knows who asks: that is not 401.
static void a_token_that_cannot_be_looked_up_is_not_refused(void **state)
{
    char form[LAB_TOKEN_SIZE + 200];
    (void)state;
    (void)snprintf(form, sizeof(form), "client_id=%s&client_secret=%s&token=%s",
                   lab.credentials.app_key, lab.credentials.app_secret, lab.token + 7);
    const struct ask ask = {.method = "POST",
                            .target = "/oauth2/introspect",
                            .authorization = "",
                            .type = "application/x-www-form-urlencoded",
                            .body = form};
    uint32_t at = 1;
    for (; ask_failing(&ask, at); at++) {
        assert_true(at < STATEMENTS_MAX);
        if (a.status != 503) {
            expect(200, &ask, at);
            assert_non_null(strstr(a.body, "\"active\":true"));
        }
    }
    assert_non_null(strstr(a.body, "\"active\":true"));
    assert_true(at > 2);
}

// Else an import folder puts a file away as refused that only came at a bad moment.
static void a_vendor_profile_that_cannot_be_looked_up_may_be_there(void **state)
{
    struct vendor_profile *profile = NULL;
    (void)state;
    faulty_statement_set(1);
    const enum store_status failed = import_profile_open(lab.store, 1, "nobody", &profile);
    assert_true(faulty_statement_was_hit());
    faulty_statement_set(0);
    assert_int_equal(failed, STORE_FAILED);
    assert_int_equal(import_profile_open(lab.store, 1, "nobody", &profile), STORE_NONE);
    assert_null(profile);
}

// Its packet has no limit then that is its network's: somebody is to see that.
static void a_card_that_cannot_be_read_for_its_packet_is_counted(void **state)
{
    struct record record;
    (void)state;
    const uint64_t id =
        lab_card_of(&lab, "89999000000000000020", "001010000000002", "999700000000002", &record);
    const uint64_t before = turn_counts(lab.turn).failures;
    faulty_statement_set(1);
    assert_null(turn_card(lab.turn, id));
    faulty_statement_set(0);
    assert_int_equal(turn_counts(lab.turn).failures, before + 1);
    assert_null(turn_card(lab.turn, id + 1000)); // there is none
    assert_non_null(turn_card(lab.turn, id));
    assert_int_equal(turn_counts(lab.turn).failures, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_read_of_a_failing_database_is_503_and_never_another,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(a_change_amid_a_failing_database_is_503_or_done_once,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(a_repetition_that_cannot_be_told_from_a_first_is_503,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(a_token_that_cannot_be_looked_up_is_not_refused, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_vendor_profile_that_cannot_be_looked_up_may_be_there,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(a_card_that_cannot_be_read_for_its_packet_is_counted,
                                        open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// Updates by import: cards that are known change, and never by one person or unseen.
#include "common/base/text.h"
#include "common/host/crypto.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_text.h"
#include "tests/unit/api/import_lab.h"

#include <stdio.h>
#include <unistd.h>

#define SAMPLE "tests/samples/alder-0000717.out"
#define FIRST_ICCID "89999000000717000019"
#define DAY_MS (24ll * 3600 * 1000)

// olga, an operator ("correct horse battery").
static const char second[] = "Basic b2xnYTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";
static uint64_t keys_used;
static char path[256];

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// The sample with `from` in place of `to`, and the digest that fits.
static const char *other_sample(const char *from, const char *to)
{
    static char text[8192];
    uint8_t digest[32];
    (void)snprintf(text, sizeof(text), "%s", read_sample(SAMPLE));
    char *at = strstr(text, from);
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    const char *data = strstr(text, "*DATA\n") + 6;
    struct sha256 *s = sha256_open();
    assert_non_null(s);
    assert_true(sha256_add(s, bytes_of(data, (size_t)(strstr(data, "*END") - data))));
    assert_true(sha256_finish(s, digest));
    sha256_close(s);
    char hex[65];
    struct writer w = writer_of(hex, sizeof(hex));
    text_hex(&w, bytes_of(digest, sizeof(digest)));
    memcpy(strstr(text, "SHA256-DATA: ") + 13, text_end(&w), 64);
    return text;
}

static const char *fresh_key(void)
{
    static char key[32];
    (void)snprintf(key, sizeof(key), "imp-update-%u", (unsigned)++keys_used);
    return key;
}

static void send_update(const char *text)
{
    import_text("&update=true", fresh_key(), text);
    run_import();
}

static uint64_t card_with(const char *iccid)
{
    uint8_t ef[ICCID_EF_LEN];
    uint64_t card = 0;
    assert_true(iccid_write(iccid, ef));
    assert_int_equal(store_card_by_iccid(lab.store, ef, &card), STORE_OK);
    return card;
}

static void load(const char *iccid, struct record *r)
{
    assert_int_equal(store_card_load(lab.store, card_with(iccid), r), STORE_OK);
}

static void set_state(const char *iccid, uint8_t to)
{
    static struct record before, after;
    load(iccid, &before);
    after = before;
    after.state = to;
    after.version++;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &before, &after), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
}

static void load_sample(bool single_person)
{
    open_prepared(single_person);
    import_text("", fresh_key(), read_sample(SAMPLE));
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\"") && has("\"loaded\":3"));
}

static void expect(unsigned status, const char *text)
{
    if (a.status != status || !has(text))
        fail_msg("%s: %u instead of %u with %s: %s", a.asked.target, a.status, status, text,
                 a.body);
}

static void apply(void)
{
    (void)snprintf(path, sizeof(path), BASE "/batch-imports/%s/apply", import_id);
    ask("POST", path, "{\"reason\":\"the vendor corrected it\"}");
}

static bool has_number(const char *number)
{
    uint64_t card = 0;
    return store_card_by_number(lab.store, number, &card) == STORE_OK &&
           card == card_with(FIRST_ICCID);
}

// --- judging ---

static void an_update_is_judged_and_changes_nothing_by_itself(void **state)
{
    (void)state;
    char card[API_ID_SIZE];
    load_sample(true);
    api_id_write(card, "crd", card_with(FIRST_ICCID));
    import_text("", fresh_key(), other_sample("9990000000001", "9990000000009"));
    run_import();
    assert_true(has("\"outcome\":\"REFUSED\"") && has("\"IMP-121\":1"));
    send_update(other_sample("9990000000001", "9990000000009"));
    assert_true(has("\"outcome\":\"DRY_RUN_OK\"") && has("\"update\":true"));
    assert_true(has("\"changed\":1") && has("\"unchanged\":2") && has(card));
    assert_true(has("\"fileKeptUntil\""));
    assert_true(has_number("9990000000001") && !has_number("9990000000009"));
}

static void what_a_file_cannot_change_is_refused(void **state)
{
    (void)state;
    load_sample(true);
    // Of a subscription that nobody ever had.
    send_update(other_sample(" 999700000000001 ", " 999700000000771 "));
    assert_true(has("\"outcome\":\"DRY_RUN_FINDINGS\"") && has("\"IMP-211\":1"));
    apply();
    expect(409, "Its report has findings");
    set_state(FIRST_ICCID, CARD_RETIRED);
    send_update(other_sample("9990000000001", "9990000000009"));
    assert_true(has("\"outcome\":\"DRY_RUN_FINDINGS\"") && has("\"IMP-211\":1"));
    import_text("&update=true&partial=true", fresh_key(), read_sample(SAMPLE));
    expect(400, "partial");
    import_text("&update=true&kind=SUBSCRIPTIONS", fresh_key(), read_sample(SAMPLE));
    expect(400, "update");
}

static void what_cannot_be_applied_says_why(void **state)
{
    (void)state;
    load_sample(true);
    apply();
    expect(409, "It is no update");
    send_update(read_sample(SAMPLE));
    assert_true(has("\"changed\":0") && has("\"unchanged\":3"));
    apply();
    expect(409, "It changes no card");
    ask("POST", BASE "/batch-imports/imp_01JZ8Q4M7Y2K9T3W5X6A7B8C9D/apply", "{\"reason\":\"x\"}");
    expect(404, "NOT_FOUND");
    import_text("&update=true", fresh_key(), other_sample("9990000000001", "9990000000009"));
    memcpy(import_id, strstr(a.body, "imp_"), sizeof(import_id) - 1);
    apply();
    expect(409, "It is still being judged");
    lab_run_imports(&lab);
    (void)snprintf(path, sizeof(path), BASE "/batch-imports/%s/apply", import_id);
    ask("POST", path, "{}");
    expect(400, "reason");
    lab.now.utc.ms += 31 * DAY_MS;
    lab_client(&lab, "all", LAB_TENANT, lab.token);
    for (unsigned i = 0; i < 2; i++) {
        import_jobs_tick(lab.imports);
        lab_turn(&lab);
    }
    apply();
    expect(409, "Its file is kept no more");
}

// --- applying ---

static void a_card_that_was_seen_is_in_doubt_afterwards(void **state)
{
    (void)state;
    static struct record r;
    load_sample(true);
    set_state(FIRST_ICCID, CARD_OPERATIONAL);
    send_update(other_sample("9990000000001", "9990000000009"));
    apply();
    expect(202, "\"appliedFrom\":\"imp_");
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\"") && has("\"changed\":1") && has("\"loaded\":1") &&
                has("\"dryRun\":false"));
    assert_true(has_number("9990000000009") && !has_number("9990000000001"));
    load(FIRST_ICCID, &r);
    assert_int_equal(r.state, CARD_OPERATIONAL);
    assert_true(record_has_mark(&r, MARK_DIRTY));
    assert_true(r.reasons[DIRTY_IMPORT_CHANGED_LIVE_CARD].since.ms != 0 && r.next_audit_at.ms != 0);
    ask("GET", BASE "/dirty-cards", NULL);
    expect(200, "\"reason\":\"import_changed_live_card\"");
    assert_true(has("\"totalCount\":1"));
    ask("GET", BASE "/audit-trail?action=card.dirty", NULL);
    expect(200, "\"after\":\"import_changed_live_card\"");
    apply(); // what applied it is applied once
    expect(409, "It is no update");
}

static void a_card_that_nobody_has_seen_is_in_no_doubt(void **state)
{
    (void)state;
    load_sample(true);
    send_update(other_sample("9990000000001", "9990000000009"));
    apply();
    expect(202, "imp_");
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\"") && has_number("9990000000009"));
    ask("GET", BASE "/dirty-cards", NULL);
    expect(200, "\"totalCount\":0");
    // The first file again brings back what it said, as an update too.
    send_update(read_sample(SAMPLE));
    assert_true(has("\"outcome\":\"DRY_RUN_OK\"") && has("\"changed\":1"));
    apply();
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\"") && has_number("9990000000001"));
}

// What the card no longer has is not brought back, and what it got since stays.
static void slots_are_the_cards_own(void **state)
{
    (void)state;
    static struct record before, after, now;
    load_sample(true);
    load(FIRST_ICCID, &before);
    after = before;
    after.state = CARD_OPERATIONAL;
    after.slot_count = 1;
    after.version++;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &before, &after), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    send_update(other_sample("9990000000001", "9990000000009"));
    assert_true(has("\"changed\":1"));
    apply();
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\""));
    load(FIRST_ICCID, &now);
    assert_int_equal(now.slot_count, 1);
    assert_string_equal(now.slots[0].number, "9990000000009");
    assert_memory_equal(&now.slots[0].fact, &after.slots[0].fact, sizeof(now.slots[0].fact));
}

static void load_keys(uint64_t card, struct card_keys *keys, struct network_keys *network)
{
    static struct record r;
    assert_int_equal(store_card_load(lab.store, card, &r), STORE_OK);
    assert_int_equal(store_card_keys(lab.store, card, keys), STORE_OK);
    assert_int_equal(store_network_keys(lab.store, r.slots[0].fact.imsi, network), STORE_OK);
}

static void load_batch(uint64_t count, uint64_t seed, const char *query)
{
    const char *file = make_batch("BATCH09", count, seed);
    order(file, query, fresh_key());
    run_import();
    assert_int_equal(unlink(file), 0);
}

static uint64_t any_card(void)
{
    ask("GET", BASE "/cards?perPage=1&sort=createdAt", NULL);
    assert_int_equal(a.status, 200);
    return lab_id(&a, "crd");
}

// The keys are those that a first import of the same file loads.
static void keys_are_those_of_the_file(void **state)
{
    (void)state;
    struct card_keys old, changed, fresh;
    struct network_keys old_network, changed_network, fresh_network;
    open_prepared(true);
    load_batch(2, 2, "");
    load_keys(any_card(), &fresh, &fresh_network);
    lab_close(&lab);
    open_prepared(true);
    load_batch(2, 1, "");
    const uint64_t card = any_card();
    load_keys(card, &old, &old_network);
    load_batch(2, 2, "&update=true");
    assert_true(has("\"outcome\":\"DRY_RUN_OK\"") && has("\"changed\":2"));
    apply();
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\"") && has("\"changed\":2"));
    load_keys(card, &changed, &changed_network);
    assert_memory_not_equal(&old.kic, &changed.kic, sizeof(old.kic));
    assert_memory_equal(&fresh.kic, &changed.kic, sizeof(old.kic));
    assert_memory_equal(&fresh.kid, &changed.kid, sizeof(old.kid));
    assert_memory_equal(&fresh.kik, &changed.kik, sizeof(old.kik));
    assert_memory_not_equal(&old_network.k, &changed_network.k, sizeof(old_network.k));
    assert_memory_equal(&fresh_network.k, &changed_network.k, sizeof(old_network.k));
    assert_memory_equal(&fresh_network.op, &changed_network.op, sizeof(old_network.op));
}

// --- two people ---

static void take(const char *name, char *to, size_t size)
{
    char start[32];
    (void)snprintf(start, sizeof(start), "\"%s\":\"", name);
    const char *at = strstr(a.body, start);
    assert_non_null(at);
    at += strlen(start);
    (void)snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

static void decide_as(const char *as, const char *approval, const char *hash, const char *how)
{
    char body[128];
    (void)snprintf(body, sizeof(body), "{\"requestHash\":\"%s\"}", hash);
    (void)snprintf(path, sizeof(path), BASE "/approvals/%s/%s", approval, how);
    lab_ask(&lab,
            &(struct ask){.method = "POST", .target = path, .body = body, .authorization = as}, &a);
}

static void add_olga(void)
{
    char body[192];
    char own[API_ID_SIZE];
    api_id_write(own, "ent", LAB_TENANT);
    (void)snprintf(body, sizeof(body),
                   "{\"username\":\"olga\",\"password\":\"correct horse battery\","
                   "\"role\":\"OPERATOR\",\"enterpriseId\":\"%s\"}",
                   own);
    lab.has_basic = true;
    lab.is_single_person = false;
    lab_reopen_api(&lab);
    ask("POST", BASE "/users", body);
    assert_int_equal(a.status, 201);
    lab_own_password(&lab, "olga");
}

static void an_update_waits_for_a_second_person(void **state)
{
    (void)state;
    char approval[API_ID_SIZE];
    char hash[65];
    char card[API_ID_SIZE];
    load_sample(true);
    add_olga();
    set_state(FIRST_ICCID, CARD_SEEN);
    api_id_write(card, "crd", card_with(FIRST_ICCID));
    send_update(other_sample("9990000000001", "9990000000009"));
    apply();
    expect(202, "\"summary\":\"update of cards by an import\"");
    assert_true(has("\"targetCount\":1") && has(card) && has(import_id) &&
                has("\"reason\":\"the vendor corrected it\""));
    take("id", approval, sizeof(approval));
    take("requestHash", hash, sizeof(hash));
    decide_as(NULL, approval, hash, "approve"); // a client is no person
    expect(403, "PERMISSION_DENIED");
    ask("GET", BASE "/batch-imports", NULL);
    expect(200, "\"totalCount\":2");
    decide_as(second, approval, hash, "approve");
    expect(200, "\"state\":\"APPROVED\"");
    lab_run_imports(&lab);
    assert_true(has_number("9990000000009"));
    ask("GET", BASE "/dirty-cards", NULL);
    expect(200, "\"reason\":\"import_changed_live_card\"");
    ask("GET", BASE "/audit-trail?action=import.ordered", NULL);
    expect(200, approval);
    decide_as(second, approval, hash, "approve");
    expect(409, "INCOMPATIBLE_STATE");
}

static void an_update_that_is_rejected_changes_nothing(void **state)
{
    (void)state;
    char approval[API_ID_SIZE];
    char hash[65];
    load_sample(true);
    add_olga();
    send_update(other_sample("9990000000001", "9990000000009"));
    apply();
    take("id", approval, sizeof(approval));
    take("requestHash", hash, sizeof(hash));
    decide_as(second, approval, hash, "reject");
    expect(200, "\"state\":\"REJECTED\"");
    lab_run_imports(&lab);
    assert_true(has_number("9990000000001"));
}

// --- crashes ---

static uint64_t doubted(void)
{
    uint64_t count = 0;
    ask("GET", BASE "/dirty-cards", NULL);
    assert_int_equal(a.status, 200);
    const char *at = strstr(a.body, "\"totalCount\":");
    assert_non_null(at);
    for (at += 13; *at >= '0' && *at <= '9'; at++)
        count = 10 * count + (uint64_t)(*at - '0');
    return count;
}

// From its first card on, all or nothing has become all.
static void a_crash_amid_an_update_is_carried_through(void **state)
{
    (void)state;
    enum { CARDS = 150 }; // more than two transactions of them
    open_prepared(true);
    load_batch(CARDS, 1, "");
    ask("GET", BASE "/cards?perPage=100", NULL);
    static struct record before, after;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (const char *at = strstr(a.body, "\"crd_"); at != NULL; at = strstr(at + 1, "\"crd_")) {
        uint64_t card = 0;
        assert_true(api_id_read(bytes_of(at + 1, 30), "crd", &card));
        assert_int_equal(store_card_load(lab.store, card, &before), STORE_OK);
        after = before;
        after.state = CARD_SEEN;
        after.version++;
        assert_int_equal(store_card_save(lab.store, &before, &after), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
    load_batch(CARDS, 2, "&update=true");
    assert_true(has("\"changed\":150"));
    apply();
    assert_int_equal(a.status, 202);
    memcpy(import_id, strstr(a.body, "imp_"), sizeof(import_id) - 1);
    while (doubted() == 0)
        step_once();
    assert_in_range(doubted(), 1, 99);
    lab_crash(&lab);
    assert_int_equal(doubted(), 100);
    read_import("", NULL);
    assert_true(has("\"outcome\":\"IMPORTED\"") && has("\"changed\":150"));
    ask("GET", BASE "/audit-trail?action=card.dirty&perPage=1", NULL);
    expect(200, "\"totalCount\":100");
}

#define TEST(name) cmocka_unit_test_teardown(name, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_update_is_judged_and_changes_nothing_by_itself),
        TEST(what_a_file_cannot_change_is_refused),
        TEST(what_cannot_be_applied_says_why),
        TEST(a_card_that_was_seen_is_in_doubt_afterwards),
        TEST(a_card_that_nobody_has_seen_is_in_no_doubt),
        TEST(slots_are_the_cards_own),
        TEST(keys_are_those_of_the_file),
        TEST(an_update_waits_for_a_second_person),
        TEST(an_update_that_is_rejected_changes_nothing),
        TEST(a_crash_amid_an_update_is_carried_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

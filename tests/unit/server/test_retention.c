// What leaves the database when its time is over, and what stays.
#include "tests/lib/cmocka_all.h"
#include "tests/unit/server/world.h"

#include "ota-server/service/turn.h"
#include "ota-server/shell/server_crypto.h"
#include "ota-server/store/campaigns.h"
#include "ota-server/store/retention.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_MS (24LL * 60 * 60 * 1000)
#define SEALED 32 // octets of a sealed set that are looked for

static struct world world;
static struct server_crypto crypto;
static struct store *store;
static struct turn *turn;
static char folder[] = "/tmp/otaria-retention-XXXXXX";
static char path[64];

static struct secret_key key_of(uint8_t fill)
{
    uint8_t octets[16];
    memset(octets, fill, sizeof(octets));
    return secret_key_of(bytes_of(octets, 16));
}

static void ignore_sent(void *context, const struct message *m)
{
    (void)context;
    (void)m;
}

static void open_all(void)
{
    struct store_options options = {.path = path, .crypto = &crypto.store};
    options.ota_master.len = options.network_master.len = SECRET_KEY_MAX;
    assert_int_equal(store_open(&options, &store), STORE_OK);
    const struct turn_options t = {.store = store,
                                   .policy = &world.policy,
                                   .retired_key_days = 30,
                                   .operation_months = 6,
                                   .campaign_months = 12,
                                   .message_days = 90,
                                   .alarm_months = 24,
                                   .location_months = 6,
                                   .cipher = crypto.store.cipher,
                                   .send = ignore_sent};
    turn = turn_open(&t);
    assert_non_null(turn);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
}

static void close_all(void)
{
    assert_int_equal(turn_stop(turn, world.now), TURN_OK);
    turn_close(turn);
    store_close(store);
}

static void add_card(uint64_t id, uint8_t serial)
{
    struct record r = world.record;
    r.card = id;
    r.iccid[8] = serial;
    const struct card_new c = {.record = &r,
                               .has_keys = true,
                               .keys = {.version = 1,
                                        .tar = 0x534D01,
                                        .spi1 = 0x16,
                                        .spi2 = 0x39,
                                        .kic = key_of(0x11),
                                        .kid = key_of(0x22)},
                               .at = world.now};
    assert_int_equal(store_card_add(store, &c), STORE_OK);
}

static void imsi_of(uint8_t serial, uint8_t imsi[COMMAND_IMSI_SIZE])
{
    static const uint8_t first[COMMAND_IMSI_SIZE] = {8, 0x99, 0x99, 0x07, 0, 0, 0, 0, 0};
    memcpy(imsi, first, sizeof(first));
    imsi[8] = serial;
}

static void add_subscription(uint64_t id, uint64_t card, uint8_t state, uint8_t serial)
{
    struct subscription s = {.id = id, .tenant = 1, .card = card, .state = state, .has_keys = true};
    const struct network_keys keys = {.k = key_of(0x33), .op = key_of(0x44)};
    imsi_of(serial, s.plan.imsi);
    assert_int_equal(store_subscription_put(store, &s), STORE_OK);
    assert_int_equal(store_network_keys_put(store, s.plan.imsi, &keys), STORE_OK);
}

static int set_up(void **state)
{
    (void)state;
    world_init(&world);
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    if (!server_crypto_open(&crypto) || mkdtemp(folder) == NULL)
        return 1;
    (void)snprintf(path, sizeof(path), "%s/registry.db", folder);
    open_all();
    assert_int_equal(store_begin(store), STORE_OK);
    add_card(7, 0x01);
    add_card(8, 0x11);
    add_subscription(101, 7, SUBSCRIPTION_ON_CARD, 0x10);
    add_subscription(102, 7, SUBSCRIPTION_RESERVED, 0x20);
    add_subscription(103, 8, SUBSCRIPTION_ON_CARD, 0x30);
    assert_int_equal(store_commit(store), STORE_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const endings[] = {"", "-wal", "-shm", ".writer"};
    close_all();
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char file[80];
        (void)snprintf(file, sizeof(file), "%s%s", path, endings[i]);
        (void)unlink(file);
    }
    (void)rmdir(folder);
    server_crypto_close(&crypto);
    world_close(&world);
    return 0;
}

static void run(void)
{
    assert_int_equal(turn_run(turn, world.now), TURN_OK);
}

static void retire(uint64_t card)
{
    const struct event e = {.type = EVENT_RETIRE, .actor = {.kind = ACTOR_CLIENT, .id = 3}};
    assert_true(turn_event(turn, card, &e, NULL, NULL));
    run();
}

static bool has_card_keys(uint64_t card)
{
    struct card_keys keys;
    return store_card_keys(store, card, &keys) == STORE_OK;
}

static bool has_network_keys(uint8_t serial)
{
    uint8_t imsi[COMMAND_IMSI_SIZE];
    struct network_keys keys;
    imsi_of(serial, imsi);
    return store_network_keys(store, imsi, &keys) == STORE_OK;
}

static bool count_row(void *context, const struct trail_row *row)
{
    if (strcmp(row->action, "card.keys.erased") == 0)
        ++*(unsigned *)context;
    return true;
}

static unsigned erasures(uint64_t card)
{
    unsigned count = 0;
    struct trail_filter filter;
    trail_filter_init(&filter);
    filter.object_kind = "card";
    filter.object = card;
    const struct store_page page = {.limit = 1000};
    assert_int_equal(store_trail(store, &filter, &page, count_row, &count, NULL), STORE_OK);
    return count;
}

static void keys_of_a_retired_card_go_after_their_time_and_no_others(void **state)
{
    (void)state;
    retire(7);
    const struct utc retired = world.now;
    world.now = utc_after(retired, 30 * DAY_MS - 1);
    run();
    assert_true(has_card_keys(7) && has_network_keys(0x10) && has_network_keys(0x20));
    assert_int_equal(erasures(7), 0);
    world.now = utc_after(retired, 30 * DAY_MS);
    run();
    assert_false(has_card_keys(7) || has_network_keys(0x10));
    assert_true(has_network_keys(0x20)); // reserved: nobody decided yet whose it is
    assert_int_equal(erasures(7), 1);
    assert_true(has_card_keys(8) && has_network_keys(0x30));
    assert_int_equal(erasures(8), 0);
    struct subscription s;
    assert_int_equal(store_subscription_get(store, 101, &s), STORE_OK);
    assert_false(s.has_keys);
    world.now = utc_after(retired, 60 * DAY_MS);
    run();
    assert_int_equal(erasures(7), 1); // once
}

// Nothing else happens on that server.
static void a_turn_is_due_when_the_time_of_keys_is_over(void **state)
{
    (void)state;
    run();
    retire(7);
    const struct utc retired = world.now;
    for (unsigned turns = 0; turns < 100 && has_card_keys(7); turns++) {
        assert_true(turn_due(turn).ms > world.now.ms);
        world.now = turn_due(turn);
        run();
    }
    assert_int_equal(world.now.ms, retired.ms + 30 * DAY_MS);
    assert_false(has_card_keys(7));
}

static void a_server_that_was_off_erases_at_its_start(void **state)
{
    (void)state;
    retire(7);
    close_all();
    world.now = utc_after(world.now, 31 * DAY_MS);
    open_all();
    assert_true(has_card_keys(7));
    run();
    assert_false(has_card_keys(7));
    assert_true(has_card_keys(8));
}

// Some at a time, each of them with its row.
static void many_cards_are_erased_in_pieces(void **state)
{
    (void)state;
    for (uint64_t card = 1000; card < 1040; card++) {
        assert_int_equal(store_begin(store), STORE_OK);
        assert_int_equal(store_retired_put(store, card, world.now), STORE_OK);
        assert_int_equal(store_commit(store), STORE_OK);
    }
    struct utc first = world.now;
    world.now = utc_after(world.now, 30 * DAY_MS);
    run();
    assert_int_equal(erasures(1031), 1);
    assert_int_equal(erasures(1032), 0);
    assert_int_equal(turn_due(turn).ms, world.now.ms + 100);
    world.now = turn_due(turn);
    run();
    assert_int_equal(erasures(1039), 1);
    assert_int_equal(store_retired_first(store, &first), STORE_NONE);
}

// --- operations, messages, alarms ------------------------------------------------------------

static void add_operation(uint64_t id, uint8_t status)
{
    const struct operation o = {.id = id, .kind = OPERATION_AUDIT, .status = status};
    const struct step step = {.operation = id, .name = STEP_SUBMITTED};
    assert_int_equal(store_operation_put(store, 7, 1, &o), STORE_OK);
    assert_int_equal(store_step_add(store, &step, world.now, ""), STORE_OK);
}

static void add_message(uint64_t id, uint64_t operation, bool is_waiting)
{
    static struct message m;
    m = (struct message){.id = id, .card = 7, .operation = operation, .at = world.now};
    m.packet_len = 1;
    assert_int_equal(store_message_put(store, &m), STORE_OK);
    if (!is_waiting)
        assert_int_equal(store_message_state(store, id, 1, 1, world.now), STORE_OK);
}

static void add_alarm(uint64_t id, int state)
{
    const struct document d = {.kind = "alarm",
                               .id = id,
                               .owner = 1,
                               .state = state,
                               .created_at = world.now,
                               .changed_at = world.now,
                               .body = bytes_of_text("{}")};
    assert_int_equal(store_document_put(store, &d), STORE_OK);
}

// Of each kind two that have ended, and one that has not.
static uint64_t add_old_ones(void)
{
    const uint64_t first = turn_ids(turn, world.now, 16);
    assert_int_equal(store_begin(store), STORE_OK);
    add_operation(first, STATUS_ENDED);
    add_operation(first + 1, STATUS_ENDED);
    add_operation(first + 2, STATUS_SENT);
    add_message(first + 3, first, false);
    add_message(first + 4, first + 2, false); // of what is open
    add_message(first + 5, first, true);      // on its way to a link
    add_alarm(first + 6, 0);
    add_alarm(first + 7, 1);
    assert_int_equal(store_commit(store), STORE_OK);
    return first;
}

static bool has_operation(uint64_t id)
{
    struct operation o;
    uint64_t card = 0;
    return store_operation_get(store, id, &o, &card) == STORE_OK;
}

static bool note_it(void *context, const struct document *d)
{
    (void)d;
    *(bool *)context = true;
    return false;
}

static bool has_alarm(uint64_t id)
{
    bool is_there = false;
    return store_document_get(store, "alarm", id, note_it, &is_there) == STORE_OK && is_there;
}

static int64_t rows(const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    const int64_t count = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return count;
}

static void sweep_after(struct utc from, int64_t days)
{
    world.now = utc_after(from, days * DAY_MS);
    turn_close(turn); // what an hour of it would be for
    store_close(store);
    open_all();
    run();
}

static void what_has_ended_leaves_after_its_time(void **state)
{
    (void)state;
    const struct utc begin = world.now;
    const uint64_t first = add_old_ones();
    sweep_after(begin, 90);
    assert_int_equal(rows("SELECT count(*) FROM message"), 3);
    sweep_after(begin, 91);
    assert_int_equal(rows("SELECT count(*) FROM message"), 2);
    assert_true(has_operation(first));
    sweep_after(begin, 6 * 31);
    assert_true(has_operation(first) && has_operation(first + 1));
    sweep_after(begin, 6 * 31 + 1);
    assert_false(has_operation(first) || has_operation(first + 1));
    assert_true(has_operation(first + 2));
    assert_int_equal(rows("SELECT count(*) FROM step"), 1);
    assert_true(has_alarm(first + 6));
    sweep_after(begin, 24 * 31 + 1);
    assert_false(has_alarm(first + 6));
    assert_true(has_alarm(first + 7));
    assert_int_equal(rows("SELECT count(*) FROM trail WHERE action = 'retention.removed'"), 3);
    assert_int_equal(rows("SELECT count(*) FROM trail WHERE action = 'retention.removed' AND"
                          " object_kind = 'operation' AND after = '2'"),
                     1);
}

// 200 at a time, and one row for them all.
static void many_leave_in_pieces_and_are_told_of_once(void **state)
{
    (void)state;
    const uint64_t first = turn_ids(turn, world.now, 450);
    assert_int_equal(store_begin(store), STORE_OK);
    for (uint64_t i = 0; i < 450; i++)
        add_operation(first + i, STATUS_ENDED);
    assert_int_equal(store_commit(store), STORE_OK);
    sweep_after(world.now, 6 * 31 + 1);
    assert_int_equal(rows("SELECT count(*) FROM operation"), 250);
    assert_int_equal(turn_due(turn).ms, world.now.ms + 100);
    world.now = turn_due(turn);
    run();
    assert_int_equal(rows("SELECT count(*) FROM operation"), 50);
    assert_int_equal(rows("SELECT count(*) FROM trail WHERE action = 'retention.removed'"), 0);
    world.now = turn_due(turn);
    run();
    assert_int_equal(rows("SELECT count(*) FROM operation"), 0);
    assert_int_equal(rows("SELECT after FROM trail WHERE action = 'retention.removed'"), 450);
    assert_int_equal(turn_counts(turn).removed[RETAINED_OPERATION], 450);
}

// --- documents, campaigns ---

static void add_document(const char *kind, uint64_t id, int state)
{
    const struct document d = {.kind = kind,
                               .id = id,
                               .owner = 1,
                               .state = state,
                               .created_at = world.now,
                               .changed_at = world.now,
                               .body = bytes_of_text("{}")};
    assert_int_equal(store_document_put(store, &d), STORE_OK);
}

static int64_t documents(const char *kind)
{
    char text[96];
    (void)snprintf(text, sizeof(text), "SELECT count(*) FROM document WHERE kind = '%s'", kind);
    return rows(text);
}

static void add_campaign(uint64_t id, uint8_t state, uint64_t cards)
{
    struct campaign c;
    campaign_init(&c, id);
    c.tenant = 1;
    c.state = state;
    assert_int_equal(store_campaign_put(store, &c, (struct utc){0}), STORE_OK);
    add_document("campaign", id, state);
    for (uint64_t i = 0; i < cards; i++)
        assert_int_equal(store_campaign_add(store, id, 1000 + i), STORE_OK);
}

static uint32_t expire_correlators(struct utc before)
{
    uint32_t count = 0;
    assert_int_equal(store_begin(store), STORE_OK);
    assert_int_equal(store_expire(store, RETAINED_CORRELATOR, before, 200, &count), STORE_OK);
    assert_int_equal(store_commit(store), STORE_OK);
    return count;
}

static void what_was_asked_for_leaves_with_its_operation(void **state)
{
    (void)state;
    const struct utc begin = world.now;
    const uint64_t first = turn_ids(turn, world.now, 4);
    assert_int_equal(store_begin(store), STORE_OK);
    add_operation(first, STATUS_ENDED);
    add_operation(first + 1, STATUS_SENT);
    add_document("esim-order", first, 0);
    add_document("esim-order", first + 1, 0);
    add_document("approval", first + 2, 1);
    add_document("approval", first + 3, 0); // somebody may still decide
    add_document("correlator", UINT64_MAX / 2, 0);
    assert_int_equal(store_commit(store), STORE_OK);
    sweep_after(begin, 6 * 31);
    assert_int_equal(documents("esim-order") + documents("approval"), 4);
    sweep_after(begin, 6 * 31 + 1);
    assert_int_equal(documents("esim-order"), 1);
    assert_int_equal(documents("approval"), 1);
    assert_int_equal(documents("correlator"), 1); // the trail, which stays, has it
    assert_int_equal(expire_correlators(begin), 0);
    assert_int_equal(expire_correlators(utc_after(begin, 1)), 1);
    assert_int_equal(documents("correlator"), 0);
}

static void campaigns_leave_with_their_cards_in_pieces(void **state)
{
    (void)state;
    const struct utc begin = world.now;
    const uint64_t first = turn_ids(turn, world.now, 8);
    assert_int_equal(store_begin(store), STORE_OK);
    add_campaign(first, CAMPAIGN_COMPLETED, 250);
    add_campaign(first + 1, CAMPAIGN_PAUSED, 3);
    add_campaign(first + 2, CAMPAIGN_DRAFT, 1);
    add_document("card-move", first + 3, 1);
    add_document("card-move", first + 4, 0); // is under way
    add_document("report", first + 5, 3);
    add_document("report-content", first + 5, 0);
    add_document("report", first + 6, 0);
    assert_int_equal(store_commit(store), STORE_OK);
    sweep_after(begin, 12 * 31);
    assert_int_equal(rows("SELECT count(*) FROM campaign_card"), 254);
    sweep_after(begin, 12 * 31 + 1);
    assert_int_equal(rows("SELECT count(*) FROM campaign_card"), 54);
    assert_int_equal(documents("campaign"), 3);
    assert_int_equal(documents("card-move"), 1);
    assert_int_equal(documents("report"), 1);
    assert_int_equal(documents("report-content"), 0);
    world.now = turn_due(turn);
    run();
    assert_int_equal(rows("SELECT count(*) FROM campaign_card"), 3);
    assert_int_equal(rows("SELECT sum(cards) FROM campaign_count"), 3);
    assert_int_equal(rows("SELECT count(*) FROM campaign"), 1);
    assert_int_equal(documents("campaign"), 1);
    assert_int_equal(turn_counts(turn).removed[RETAINED_CAMPAIGN], 2 + 251);
}

// --- where a card was, and in which device -----------------------------------------------------

// IMEI 490154203237518 and PLMN 46000, as the terminal gives them.
static struct card_view view_at(struct utc at, uint64_t operation, bool has_imei, bool has_plmn)
{
    static const uint8_t imei[COMMAND_IMEI_SIZE] = {0x94, 0x10, 0x45, 0x02, 0x23, 0x73, 0x15, 0xF8};
    static const uint8_t plmn[COMMAND_PLMN_SIZE] = {0x64, 0xF0, 0x00};
    struct card_view v = {.at = at, .operation = operation, .outcome = AUDIT_CLEAN};
    v.answer.free_memory = 4321;
    v.answer.has_imei = has_imei;
    v.answer.has_plmn = has_plmn;
    if (has_imei)
        memcpy(v.answer.imei, imei, sizeof(imei));
    if (has_plmn)
        memcpy(v.answer.plmn, plmn, sizeof(plmn));
    return v;
}

static void add_audit(uint64_t operation, struct utc at, bool has_imei, bool has_plmn)
{
    const struct kept_audit audit = {.view = view_at(at, operation, has_imei, has_plmn)};
    assert_int_equal(store_audit_put(store, 7, &audit), STORE_OK);
}

static void add_view(uint64_t card, struct utc at)
{
    const struct card_view v = view_at(at, 0, true, true);
    assert_int_equal(store_card_view_put(store, card, &v), STORE_OK);
}

static struct audit_answer audit_of(uint64_t operation)
{
    struct kept_audit audit;
    assert_int_equal(store_audit(store, operation, &audit), STORE_OK);
    assert_int_equal(audit.view.answer.free_memory, 4321); // the rest stays
    return audit.view.answer;
}

static struct audit_answer view_of(uint64_t card)
{
    struct card_view v;
    assert_int_equal(store_card_view(store, card, &v), STORE_OK);
    assert_int_equal(v.answer.free_memory, 4321);
    return v.answer;
}

static void imei_and_network_leave_the_answers_of_old_audits(void **state)
{
    (void)state;
    const struct utc begin = world.now;
    const struct utc later = utc_after(begin, 1);
    const uint64_t first = turn_ids(turn, begin, 4);
    assert_int_equal(store_begin(store), STORE_OK);
    add_audit(first, begin, true, false);
    add_audit(first + 1, begin, false, true);
    add_audit(first + 2, begin, false, false);
    add_audit(first + 3, later, true, true);
    add_view(7, begin);
    add_view(8, later);
    assert_int_equal(store_commit(store), STORE_OK);
    sweep_after(begin, 6 * 31);
    assert_true(audit_of(first).has_imei && audit_of(first + 1).has_plmn && view_of(7).has_imei);
    sweep_after(later, 6 * 31); // the first ones are a millisecond older than that
    assert_false(audit_of(first).has_imei || audit_of(first + 1).has_plmn);
    assert_false(audit_of(first + 2).has_imei || audit_of(first + 2).has_plmn);
    assert_true(audit_of(first + 3).has_imei && audit_of(first + 3).has_plmn);
    assert_false(view_of(7).has_imei || view_of(7).has_plmn);
    assert_true(view_of(8).has_imei && view_of(8).has_plmn);
    assert_int_equal(rows("SELECT after FROM trail WHERE action = 'retention.removed' AND"
                          " object_kind = 'location'"),
                     3);
    assert_int_equal(turn_counts(turn).removed[RETAINED_LOCATION], 3);
    assert_int_equal(rows("SELECT count(*) FROM audit WHERE instr(hex(answer), '94104502')"), 1);
    assert_int_equal(rows("SELECT count(*) FROM card_view WHERE instr(hex(answer), '94104502')"),
                     1);
    assert_int_equal(store_begin(store), STORE_OK);
    add_view(7, world.now); // and the next answer says where the card is now
    assert_int_equal(store_commit(store), STORE_OK);
    sweep_after(world.now, 6 * 31);
    assert_true(view_of(7).has_imei);
    assert_false(view_of(8).has_imei);
}

// 200 at a time, audits and views together; one that cannot be read does not stop the others.
static void many_answers_are_blanked_in_pieces(void **state)
{
    (void)state;
    const struct utc begin = world.now;
    const uint64_t first = turn_ids(turn, begin, 300);
    sqlite3 *db = NULL;
    assert_int_equal(store_begin(store), STORE_OK);
    for (uint64_t i = 0; i < 199; i++)
        add_audit(first + i, begin, true, true);
    add_view(7, begin);
    add_view(8, begin);
    assert_int_equal(store_commit(store), STORE_OK);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE card_view SET answer = x'94104502' WHERE card = 7",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    sweep_after(begin, 6 * 31 + 1);
    assert_int_equal(rows("SELECT count(*) FROM audit WHERE is_located = 1"), 0);
    assert_int_equal(rows("SELECT count(*) FROM card_view WHERE is_located = 1"), 1);
    assert_int_equal(turn_due(turn).ms, world.now.ms + 100);
    world.now = turn_due(turn);
    run();
    assert_int_equal(rows("SELECT count(*) FROM card_view WHERE is_located = 1"), 0);
    assert_int_equal(rows("SELECT count(*) FROM card_view WHERE instr(hex(answer), '94104502')"),
                     0);
    assert_int_equal(rows("SELECT after FROM trail WHERE action = 'retention.removed'"), 201);
}

// --- on the disk -----------------------------------------------------------------------------

static void read_sealed(uint64_t card, uint8_t sealed[SEALED])
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT sealed FROM ota_key WHERE card = ?1", -1, &q, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_bind_int64(q, 1, (int64_t)card), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_true(sqlite3_column_bytes(q, 0) >= SEALED);
    memcpy(sealed, sqlite3_column_blob(q, 0), SEALED);
    sqlite3_finalize(q);
    sqlite3_close(db);
}

static bool is_in_file(const char *ending, const uint8_t sealed[SEALED])
{
    static uint8_t octets[8 << 20];
    char file[80];
    (void)snprintf(file, sizeof(file), "%s%s", path, ending);
    FILE *f = fopen(file, "rb");
    if (f == NULL)
        return false;
    const size_t len = fread(octets, 1, sizeof(octets), f);
    (void)fclose(f);
    assert_true(len < sizeof(octets)); // all of it
    for (size_t at = 0; at + SEALED <= len; at++) {
        if (memcmp(octets + at, sealed, SEALED) == 0)
            return true;
    }
    return false;
}

static void no_octet_of_erased_keys_is_left_in_the_files(void **state)
{
    uint8_t seven[SEALED];
    uint8_t eight[SEALED];
    (void)state;
    read_sealed(7, seven);
    read_sealed(8, eight);
    assert_true(is_in_file("", seven) || is_in_file("-wal", seven));
    retire(7);
    retire(8); // the page of the keys is empty then
    world.now = utc_after(world.now, 30 * DAY_MS);
    run();
    assert_false(is_in_file("", seven) || is_in_file("-wal", seven));
    assert_false(is_in_file("", eight) || is_in_file("-wal", eight));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_of_a_retired_card_go_after_their_time_and_no_others),
        TEST(a_turn_is_due_when_the_time_of_keys_is_over),
        TEST(a_server_that_was_off_erases_at_its_start),
        TEST(many_cards_are_erased_in_pieces),
        TEST(what_has_ended_leaves_after_its_time),
        TEST(many_leave_in_pieces_and_are_told_of_once),
        TEST(what_was_asked_for_leaves_with_its_operation),
        TEST(campaigns_leave_with_their_cards_in_pieces),
        TEST(imei_and_network_leave_the_answers_of_old_audits),
        TEST(many_answers_are_blanked_in_pieces),
        TEST(no_octet_of_erased_keys_is_left_in_the_files),
    };
    return cmocka_run_group_tests_name("server_retention", tests, NULL, NULL);
}

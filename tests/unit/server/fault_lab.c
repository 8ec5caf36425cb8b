#include "tests/unit/server/fault_lab.h"

#include "tests/lib/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct world world;
static struct server_crypto crypto;
struct store *store;
struct turn *turn;
static char folder[64];
char path[96];
static char checkpoints[96];
char copy[96];
struct turn_answer answered;
enum store_status done_status;
unsigned done_count;
unsigned sent_count;

void note_sent(void *context, const struct message *m)
{
    (void)context;
    (void)m;
    sent_count++;
}

void note_answer(void *context, const struct turn_answer *a)
{
    (void)context;
    answered = *a;
}

void note_done(void *context, enum store_status status)
{
    (void)context;
    done_status = status;
    done_count++;
}

static struct card_keys keys_of_card(void)
{
    struct card_keys k = {.version = 1, .tar = 0x534D01, .spi1 = 0x16, .spi2 = 0x39};
    static const uint8_t octets[16] = {2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5};
    k.kic = secret_key_of(bytes_of(octets, sizeof(octets)));
    k.kid = k.kic;
    k.kik = k.kic;
    k.kid.octets[0] = 0x66;
    return k;
}

// Nobody waits for a bootstrap here.
static enum store_status plan_nothing(void *context, struct store *s, const struct policy *policy,
                                      const struct record *record, struct event *event)
{
    (void)context;
    (void)s;
    (void)policy;
    (void)record;
    (void)event;
    return STORE_FAILED;
}

static bool try_open(turn_send_fn *send, void *context)
{
    struct store_options options = {
        .path = path, .checkpoints = checkpoints, .crypto = &crypto.store, .wait_ms = 1};
    options.ota_master.len = options.network_master.len = SECRET_KEY_MAX;
    if (store_open(&options, &store) != STORE_OK)
        return false;
    const struct turn_options t = {.store = store,
                                   .policy = &world.policy,
                                   .cipher = crypto.store.cipher,
                                   .send = send,
                                   .send_context = context,
                                   .plan = plan_nothing};
    turn = turn_open(&t);
    return turn != NULL;
}

void open_server(turn_send_fn *send, void *context)
{
    assert_true(try_open(send, context));
}

struct store *fault_lab_try(void)
{
    return try_open(note_sent, NULL) ? store : NULL;
}

void close_server(void)
{
    turn_close(turn);
    store_close(store);
    turn = NULL;
    store = NULL;
}

static void add_cards(void)
{
    assert_int_equal(store_begin(store), STORE_OK);
    for (uint8_t i = 1; i <= CARDS; i++) {
        struct record r = world.record;
        r.card = i;
        r.iccid[8] = i;
        for (uint8_t k = 0; k < r.slot_count; k++) {
            r.slots[k].subscription = 0;
            r.slots[k].fact.imsi[6] = i;
        }
        const struct card_new c = {.record = &r,
                                   .reference = {1, 2, 3, 4, 5, 6, 7, i},
                                   .has_reference = true,
                                   .has_keys = true,
                                   .keys = keys_of_card(),
                                   .at = world.now};
        assert_int_equal(store_card_add(store, &c), STORE_OK);
    }
    assert_int_equal(store_commit(store), STORE_OK);
}

int fault_lab_open(void **state)
{
    (void)state;
    // What a kill leaves does not depend on the disk, and power cuts are our own: memory is
    // quicker.
    const bool has_memory = access("/dev/shm", W_OK) == 0;
    snprintf(folder, sizeof(folder), "%s/otaria-faults-XXXXXX", has_memory ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/server.db", folder);
    snprintf(checkpoints, sizeof(checkpoints), "%s/checkpoints", folder);
    snprintf(copy, sizeof(copy), "%s/copy.db", folder);
    world_init(&world);
    if (!server_crypto_open(&crypto))
        return 1;
    faulty_disk_set(DISK_GOOD, 0, false);
    open_server(note_sent, NULL);
    add_cards();
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
    assert_int_equal(turn_run(turn, world.now), TURN_OK);
    sent_count = 0;
    done_count = 0;
    return 0;
}

int fault_lab_close(void **state)
{
    static const char *const names[] = {"server.db",        "server.db-wal", "server.db-shm",
                                        "server.db.writer", "checkpoints",   "copy.db"};
    (void)state;
    faulty_disk_set(DISK_GOOD, 0, false);
    close_server();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char file[128];
        snprintf(file, sizeof(file), "%s/%s", folder, names[i]);
        (void)unlink(file);
    }
    (void)rmdir(folder);
    world_close(&world);
    server_crypto_close(&crypto);
    return 0;
}

uint64_t ask(uint64_t card)
{
    return ask_for(card, (struct utc){0});
}

uint64_t ask_for(uint64_t card, struct utc not_before)
{
    struct event e = {.type = EVENT_REQUEST, .actor = {.kind = ACTOR_CLIENT, .id = 3}};
    e.as.request.operation.id = turn_id(turn, world.now);
    e.as.request.operation.kind = OPERATION_READ_TIMERS;
    e.as.request.operation.list_len = 1;
    e.as.request.operation.list[0] = 0xFF;
    e.as.request.operation.not_before = not_before;
    e.as.request.operation.not_after = utc_after(world.now, 5 * 60 * 1000); // the queue stays short
    assert_true(turn_event(turn, card, &e, note_answer, NULL));
    return e.as.request.operation.id;
}

// Octets that no card sent: kept as a stray, and acknowledged only when they are.
void hear_a_stray(turn_done_fn *done, void *context)
{
    const struct turn_message m = {
        .number = "9990000000009", .packet = {1, 2, 3}, .packet_len = MESSAGE_PACKET_MAX};
    assert_true(turn_receive(turn, &m, done, context));
}

enum turn_status run(void)
{
    world.now.ms += 20;
    return turn_run(turn, world.now);
}

bool is_stored(uint64_t id)
{
    struct operation o;
    uint64_t card;
    return store_operation_get(store, id, &o, &card) == STORE_OK;
}

void assert_whole(void)
{
    struct trail_verdict v;
    assert_int_equal(store_trail_verify(store, 0, 0, &v), STORE_OK);
    assert_string_equal(v.problem, "");
    assert_true(v.ok);
}

void reopen(void)
{
    close_server();
    open_server(note_sent, NULL);
    assert_int_equal(turn_start(turn, world.now), TURN_OK);
}

#include "tests/unit/api/group_lab.h"

#include <stdio.h>

struct lab lab;
struct answer a;
struct record record;
uint64_t group, pool;
char path[256];

void ask(const char *method, const char *target, const char *body)
{
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
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

const char *target(const char *before, const char *prefix, uint64_t id, const char *after)
{
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    (void)snprintf(path, sizeof(path), API_BASE "%s%s%s", before, text, after);
    return path;
}

void rule(const char *more)
{
    char body[512];
    char id[API_ID_SIZE];
    api_id_write(id, "pol", pool);
    (void)snprintf(body, sizeof(body),
                   "{\"bootstrap\":{\"enabled\":true,\"items\":[{\"poolId\":\"%s\",\"rank\":2},"
                   "{\"poolId\":\"%s\",\"enable\":true}]%s},\"reason\":\"roll-out\"}",
                   id, id, more);
    ask("PATCH", target("/card-groups/", "grp", group, "/rules"), body);
}

// A card with the factory's subscription alone, in the group.
uint64_t new_card(const char *iccid, const char *first, const char *second)
{
    const uint64_t card = lab_card_of(&lab, iccid, first, second, &record);
    struct record next = record;
    next.state = CARD_IMPORTED;
    next.group = group;
    next.slot_count = 1;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    assert_int_equal(store_card_save(lab.store, &record, &next), STORE_OK);
    assert_int_equal(store_commit(lab.store), STORE_OK);
    return card;
}

void tell(uint64_t card, struct event *e)
{
    assert_true(turn_event(lab.turn, card, e, NULL, NULL));
    lab_turn(&lab);
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
}

void contact(uint64_t card)
{
    struct event e = {.type = EVENT_CONTACT};
    tell(card, &e);
}

static void make_group(void)
{
    ask("POST", API_BASE "/card-groups", "{\"name\":\"meters\"}");
    group = lab_id(&a, "grp");
    ask("POST", API_BASE "/subscription-pools",
        "{\"name\":\"p\",\"operator\":\"o\",\"templateId\":7}");
    pool = lab_id(&a, "pol");
}

int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    make_group();
    return 0;
}

// Its database outlives the program.
void open_on_disk(void)
{
    lab_close(&lab);
    lab_open_imports(&lab, "all", true);
    make_group();
}

// The program is killed, and starts.
void crash(void)
{
    lab_crash(&lab);
    assert_int_equal(turn_start(lab.turn, lab.now.utc), TURN_OK);
    lab_turn(&lab);
}

int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// The next free subscription comes into the pool in a turn, as from an import.
static uint64_t filled;

static enum store_status fill_in_turn(void *context, struct store *store, struct utc now)
{
    struct subscription s;
    (void)context;
    (void)now;
    if (store_subscription_get(store, filled, &s) != STORE_OK)
        return STORE_FAILED;
    return store_subscription_put(store, &s);
}

void fill(const char *imsi)
{
    filled = lab_subscription(&lab, pool, imsi);
    assert_true(turn_write(lab.turn, fill_in_turn, NULL, NULL));
    lab_turn(&lab);
}

uint8_t state_of(uint64_t card)
{
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    return record.bootstrap.state;
}

// No link takes the download: the job stops, and its place is another's.
void refuse(uint64_t card)
{
    assert_int_equal(store_card_load(lab.store, card, &record), STORE_OK);
    struct event e = {.type = EVENT_SUBMIT};
    e.as.submit = (struct event_submit){
        .counter = record.flight.counter, .outcome = SUBMIT_REJECTED, .parts = 1};
    tell(card, &e);
    assert_int_equal(record.bootstrap.state, BOOTSTRAP_FAILED);
}

void free_are(unsigned count)
{
    uint64_t counts[4];
    assert_int_equal(store_pool_counts(lab.store, pool, counts), STORE_OK);
    assert_int_equal(counts[SUBSCRIPTION_FREE], count);
}

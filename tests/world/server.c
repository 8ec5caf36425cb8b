// The life of the server: start, clean stop, and crashes in which all memory is lost. Its links are
// the connections of the message centre.
#include "common/base/check.h"
#include "ota-server/service/bootstrap_job.h"
#include "ota-server/store/backup.h"
#include "smpp/core/receipt.h"
#include "tests/world/campaign.h"
#include "tests/world/store/kind.h"
#include "tests/world/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WEAK_SPI 0x12   // not ciphered: below the least that cards take
#define ANSWER_SPI 0x39 // an answer, secured, in a message of its own
#define LINKS 2
#define AGAIN_MS 60000 // after a start that failed

// Nonces of the store: repeated from the seed, because a run must be. Never in a product.
static struct prng nonces;

static void draw_nonce(void *to, size_t len)
{
    uint8_t *at = to;
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)prng_next(&nonces);
}

static struct secret_key master_key(uint8_t purpose)
{
    uint8_t octets[SECRET_KEY_MAX];
    memset(octets, purpose, sizeof octets);
    return secret_key_of(bytes_of(octets, sizeof octets));
}

// --- the database ----------------------------------------------------------------------------

static void note_saved(void *context, enum world_saved what, uint64_t id)
{
    struct world *w = context;
    if (what == SAVED_CARD)
        w->cards_saved |= UINT64_C(1) << card_of(w, id);
    else
        group_written(w, id);
}

static struct store_options options_of(const struct server *s)
{
    return (struct store_options){.path = s->folder[0] == 0 ? ":memory:" : s->path,
                                  .ota_master = master_key(1),
                                  .network_master = master_key(2),
                                  .pseudonym_key = master_key(3),
                                  .crypto = &s->crypto.store,
                                  .wait_ms = 1};
}

static void open_store(struct world *w)
{
    const struct store_options options = options_of(&w->server);
    check(store_open(&options, &w->server.store) == STORE_OK);
    world_store_watch(w->server.store, note_saved, w);
}

static void put_subscription(struct world *w, uint32_t card, unsigned i)
{
    struct person *person = &w->people[card];
    const struct slot *slot = &person->slots[i];
    const bool is_on_card = i < group_factory_count(w);
    struct subscription v = {.id = ids_next(&w->ids, server_utc(w)),
                             .tenant = 1,
                             .card = person->id,
                             .state = is_on_card ? SUBSCRIPTION_ON_CARD : SUBSCRIPTION_RESERVED,
                             .slot = (uint8_t)(is_on_card ? i + 1 : 0),
                             .has_keys = true,
                             .created_at = server_utc(w)};
    if (group_is_pooled(w, card, i)) {
        v.card = 0;
        v.state = SUBSCRIPTION_FREE;
        v.pool = w->pool;
        v.plan = (struct download_plan){.has_mnc_length = true,
                                        .mnc_length = 2,
                                        .has_rank = true,
                                        .rank = (uint8_t)(i + 1),
                                        .has_marks = true};
    }
    memcpy(v.plan.imsi, slot->imsi, sizeof v.plan.imsi);
    memcpy(v.plan.number, person->numbers[i], sizeof v.plan.number);
    person->subscriptions[i] = v.id;
    check(store_subscription_put(w->server.store, &v) == STORE_OK);
    check(store_network_keys_put(w->server.store, slot->imsi, &slot->keys) == STORE_OK);
}

static void put_stock(struct world *w, uint32_t card)
{
    struct person *person = &w->people[card];
    const uint32_t first = group_factory_count(w);
    for (uint32_t i = first; i < person->factory.subscription_count; i++) {
        struct subscription v = {.id = ids_next(&w->ids, server_utc(w)),
                                 .tenant = 1,
                                 .card = person->id,
                                 .state = SUBSCRIPTION_ON_CARD,
                                 .slot = (uint8_t)(i + 1),
                                 .created_at = server_utc(w)};
        memcpy(v.plan.imsi, person->shape.slots[i].imsi, sizeof v.plan.imsi);
        person->shape.stock[i - first] = v.id;
        check(store_subscription_put(w->server.store, &v) == STORE_OK);
    }
}

static void put_card(struct world *w, uint32_t card)
{
    struct person *person = &w->people[card];
    const struct applet_factory *f = &person->factory;
    struct record r;
    person->id = ids_next(&w->ids, server_utc(w));
    record_init(&r, person->id);
    r.tenant = 1;
    r.group = w->group;
    r.level = f->level;
    r.slot_limit = f->slot_count;
    r.created_at = server_utc(w);
    r.version = 1;
    r.mt_counter = shape_counter(w, card);
    memcpy(r.iccid, f->card_iccid, sizeof r.iccid);
    for (unsigned i = 0; i < WORLD_SUBSCRIPTIONS; i++)
        put_subscription(w, card, i);
    put_stock(w, card);
    r.slot_count = f->subscription_count;
    r.preferred = person->subscriptions[0];
    for (uint8_t i = 0; i < r.slot_count; i++) {
        const struct slot *slot = &f->subscriptions[i];
        const uint32_t of_stock = i - group_factory_count(w);
        struct mirror_slot *m = &r.slots[i];
        m->fact = (struct audit_slot){.slot = (uint8_t)(i + 1),
                                      .state = slot->state,
                                      .role = slot->role,
                                      .rank = slot->rank,
                                      .is_fallback = slot->is_fallback,
                                      .has_iccid = slot->has_iccid};
        memcpy(m->fact.imsi, slot->imsi, sizeof m->fact.imsi);
        memcpy(m->fact.iccid, slot->iccid, sizeof m->fact.iccid);
        if (i >= group_factory_count(w)) {
            m->subscription = person->shape.stock[of_stock];
            continue;
        }
        m->subscription = person->subscriptions[i];
        memcpy(m->number, person->numbers[i], sizeof m->number);
    }
    struct card_new new = {.record = &r,
                           .has_reference = true,
                           .has_keys = true,
                           .keys = {.version = f->key_version,
                                    .kic = f->kic,
                                    .kid = f->kid,
                                    .kik = f->kik,
                                    .tar = f->tar,
                                    .spi1 = 0x16,
                                    .spi2 = 0x39,
                                    .cmac_len = 8},
                           .at = server_utc(w)};
    check(card_reference(&w->cipher, &f->kik, new.reference));
    check(store_card_add(w->server.store, &new) == STORE_OK);
    fold_slots_begin(w, card, &r);
}

static void make_folder(char folder[64])
{
    const char *const places[] = {"/dev/shm", "/tmp"};
    for (size_t i = 0; i < 2 && folder[0] == 0; i++) {
        (void)snprintf(folder, 64, "%s/ota-world-XXXXXX", places[i]);
        if (mkdtemp(folder) == NULL)
            folder[0] = 0;
    }
    check(folder[0] != 0);
}

static void make_home(struct server *s)
{
    if (s->folder[0] == 0)
        make_folder(s->folder);
    (void)snprintf(s->path, sizeof s->path, "%s/server.db", s->folder);
    world_store_use_files();
}

void server_make(struct world *w)
{
    struct server *s = &w->server;
    check(server_crypto_open(&s->crypto));
    prng_init(&nonces, w->options.seed, "nonces", 0);
    s->crypto.store.random = draw_nonce;
    policy_default(&s->policy);
    s->policy.seed = w->options.seed;
    // A crash loses the memory of the program, not of the machine: the database stays open, and
    // what was not committed is undone; or a file is opened anew for each life.
    if (w->story.in_file && world_store.has_files)
        make_home(s);
    open_store(w);
    check(store_begin(s->store) == STORE_OK);
    group_make(w);
    for (uint32_t i = 0; i < w->cards; i++)
        put_card(w, i);
    check(store_commit(s->store) == STORE_OK);
}

// --- links -----------------------------------------------------------------------------------

// What a dying process does never happened.
static bool is_gone(struct server *s)
{
    if (s->dies_acting)
        s->is_dying = true;
    return s->is_dying;
}

static bool is_bound(void *context, unsigned link)
{
    const struct world *w = context;
    return w->connections[link].is_open && w->connections[link].is_bound;
}

static size_t room(void *context, unsigned link)
{
    struct world *w = context;
    return is_bound(w, link) ? smpp_session_free(&w->connections[link].session) : 0;
}

// Until when the message centre may keep it [SMPP 3.4 §7.1.1]: a relative time, of days at most.
static struct utc kept_until(const struct world *w, struct bytes validity)
{
    unsigned value[6] = {0};
    for (size_t i = 0; i < 12 && i < validity.len; i++)
        value[i / 2] = value[i / 2] * 10 + (unsigned)(validity.at[i] - '0');
    const int64_t hours = value[2] * 24 + (int64_t)value[3];
    return utc_after(server_utc(w), ((hours * 60 + value[4]) * 60 + value[5]) * 1000);
}

// A question may go to a number that is the card's with a download that never left: the server was
// killed before, and does not know.
static void tap(struct world *w, unsigned link, const struct smpp_message *m)
{
    const struct bytes number = m->destination.digits;
    const uint32_t holder = card_of_number(w, number);
    const uint32_t card = holder < w->cards ? holder : group_promised(w, number);
    if (card < w->cards) {
        char digits[RADIO_DIGITS_SIZE] = "";
        const struct bytes to = bytes_slice(number, 0, sizeof digits - 1);
        memcpy(digits, to.at, to.len);
        w->tapped_until = kept_until(w, m->validity_period);
        check_packet(w, card, radio_identity(digits), m->short_message);
        fate_submit(w, DEED_SMSC_MT, card, m);
        if (!instant_is_due(w->connections[link].swallows_until, w->now))
            fate_swallow(w, m);
        return;
    }
    world_violate(w, "address", 0, "a message for %.*s, which is no card's", (int)number.len,
                  (const char *)number.at);
}

static enum smpp_send send_part(void *context, unsigned link, const struct smpp_pdu *pdu,
                                uint64_t tag)
{
    struct world *w = context;
    struct connection *c = &w->connections[link];
    if (is_gone(&w->server) || !c->is_open || !c->is_bound)
        return SMPP_SEND_NOT_BOUND;
    const enum smpp_send sent = smpp_session_request(&c->session, pdu, tag);
    if (sent != SMPP_SEND_OK)
        return sent;
    w->result.sent++;
    tap(w, link, &pdu->message);
    return sent;
}

static void answer_part(void *context, unsigned link, uint64_t handle, uint32_t status)
{
    struct world *w = context;
    struct connection *c = &w->connections[link];
    if (is_gone(&w->server) || !c->is_open)
        return;
    world_note(w, "taken", "link=%u status=%02x", link, status);
    if (status == ESME_ROK)
        kept_answered(w, link, handle);
    // A handle of an earlier connection is stale: the message comes again.
    const enum smpp_send sent = smpp_session_accept(&c->session, handle, status, bytes_of(NULL, 0));
    check(sent == SMPP_SEND_OK || sent == SMPP_SEND_STALE || sent == SMPP_SEND_NOT_BOUND);
}

static struct utc utc_at(void *context, struct instant at)
{
    const struct world *w = context;
    return (struct utc){WORLD_START_MS + w->server.clock_ms + (int64_t)at.ms};
}

static struct instant instant_in(const struct world *w, struct utc at)
{
    const int64_t ms = at.ms - WORLD_START_MS - w->server.clock_ms;
    return (struct instant){ms < 0 ? 0 : (uint64_t)ms};
}

static struct instant instant_of(void *context, struct utc at)
{
    return instant_in(context, at);
}

struct utc server_utc(const struct world *w)
{
    return (struct utc){world_utc(w).ms + w->server.clock_ms};
}

// --- its disk --------------------------------------------------------------------------------

static enum world_disk disk_of(const struct world *w)
{
    const struct server *s = &w->server;
    if (w->now.ms < s->busy_until.ms)
        return WORLD_DISK_BUSY;
    if (w->now.ms < s->full_until.ms)
        return WORLD_DISK_FULL;
    if (w->now.ms < s->failing_until.ms)
        return WORLD_DISK_WRITE_FAILS;
    return s->next_error;
}

// What the server may do on such a disk. After a sync that failed it must not go on.
static const char *wrong_on(enum world_disk disk, bool was_struck, enum turn_status status)
{
    const bool is_lost = disk == WORLD_DISK_SYNC_UNDONE || disk == WORLD_DISK_SYNC_KEPT;
    if (was_struck && is_lost)
        return status == TURN_STOP ? NULL : "a sync failed, and the server goes on";
    if (was_struck)
        return status == TURN_RETRY ? NULL : "it cannot be written, and the server takes no notice";
    return status == TURN_OK ? NULL : "the server cannot write";
}

// Writes on the disk as it is, which is good again afterwards. False: it could not be, and when the
// process is dying, it has to end before the disk is looked at again.
static bool write_on_disk(struct world *w, enum turn_status (*write)(struct turn *t, struct utc at))
{
    struct server *s = &w->server;
    const enum world_disk disk = disk_of(w);
    world_store_disk(s->store, disk);
    const enum turn_status status = write(s->turn, server_utc(w));
    const bool was_struck = world_store_was_struck(s->store);
    const char *wrong = wrong_on(disk, was_struck, status);
    if (wrong != NULL)
        world_violate(w, "turn", 0, "%s: %s", wrong, store_problem(s->store));
    if (was_struck) {
        s->next_error = WORLD_DISK_GOOD;
        probes_struck(&w->result.probes, (uint8_t)disk);
    }
    if (status != TURN_STOP)
        world_store_disk(s->store, WORLD_DISK_GOOD);
    s->is_dying |= status == TURN_STOP;
    return status == TURN_OK;
}

static void send_packet(void *context, const struct message *message)
{
    struct world *w = context;
    if (is_gone(&w->server))
        return;
    check_send(w, message);
    outbox_send(w->server.outbox, message);
}

static void hurry(void *context, uint64_t card, uint64_t message)
{
    struct world *w = context;
    if (!is_gone(&w->server))
        outbox_hurry(w->server.outbox, card, message);
}

void server_event(struct world *w, uint32_t link, const struct smpp_event *event)
{
    struct server *s = &w->server;
    if (!s->is_running)
        return;
    switch (event->type) {
    case SMPP_EVENT_REQUEST:
        if (smpp_is_receipt(&event->pdu) && !instant_is_due(w->hex_until, w->now))
            probes_met(&w->result.probes, PROBE_HEX);
        kept_received(w, link, event->handle, &event->pdu.message);
        outbox_request(s->outbox, link, event->handle, &event->pdu);
        break;
    case SMPP_EVENT_RESPONSE:
        outbox_response(s->outbox, link, event->tag, &event->pdu);
        break;
    case SMPP_EVENT_UNKNOWN:
        outbox_unknown(s->outbox, link, event->tag);
        break;
    case SMPP_EVENT_BIND:
    case SMPP_EVENT_BOUND:
    case SMPP_EVENT_NOTICE:
    case SMPP_EVENT_CLOSED:
        break;
    }
}

// --- life ------------------------------------------------------------------------------------

void server_start(struct world *w)
{
    struct server *s = &w->server;
    if (s->is_running)
        return;
    if (s->store == NULL)
        open_store(w);
    struct turn_options turn = {.store = s->store,
                                .policy = &s->policy,
                                .cipher = s->crypto.store.cipher,
                                .send = send_packet,
                                .hurry = hurry,
                                .send_context = w,
                                .follow = bootstrap_follow,
                                .plan = bootstrap_plan};
    if (w->options.has_campaign)
        world_store.campaigns->join(w, &turn);
    s->turn = turn_open(&turn);
    check(s->turn != NULL);
    struct outbox_options outbox = {
        .turn = s->turn,
        .port = {.context = w,
                 .is_bound = is_bound,
                 .room = room,
                 .send = send_part,
                 .answer = answer_part},
        .clock = {.context = w, .utc = utc_at, .instant_of = instant_of},
        .link_count = LINKS,
        .address = WORLD_SERVER_NUMBER,
        .audit_percent = 100, // so few cards are asked as soon as their schedule says
        .packets_max = 256,
        .joins_max = 64,
        .waits_max = 256};
    for (unsigned i = 0; i < LINKS; i++)
        outbox.links[i] =
            (struct outbox_link){.smsc = "centre", .sends = true, .rate = 100, .weight = 1};
    s->outbox = outbox_open(&outbox, w->now);
    check(s->outbox != NULL);
    s->is_running = true;
    s->started = w->now;
    s->dies_acting = false;
    s->is_dying = false;
    s->lives++;
    world_note(w, "server_start", "life=%u", s->lives);
    if (!write_on_disk(w, turn_start)) {
        s->away_ms = AGAIN_MS; // whoever supervises it starts it again
        server_crash(w);
        return;
    }
    check_started(w);
    s->is_put_back = false;
    for (uint32_t i = 0; i < LINKS; i++)
        centre_connect(w, i);
}

// What is left after its memory is gone: nothing but the database.
static void end(struct world *w)
{
    struct server *s = &w->server;
    s->is_running = false;
    s->is_asleep = false;
    for (uint32_t i = 0; i < LINKS; i++)
        centre_cut(w, i);
    outbox_close(s->outbox);
    turn_close(s->turn);
    if (w->options.has_campaign)
        world_store.campaigns->leave(w);
    s->outbox = NULL;
    s->turn = NULL;
    if (s->folder[0] != 0) {
        store_close(s->store);
        s->store = NULL;
    } else {
        store_rollback(s->store);
    }
    world_store_disk(s->store, WORLD_DISK_GOOD);
    s->dies_acting = false;
    s->is_dying = false;
    agenda_add(&w->agenda, instant_after(w->now, 1000 + s->away_ms), HAPPENS_START, 0, 0);
}

void server_crash(struct world *w)
{
    if (!w->server.is_running)
        return;
    w->result.crashes++;
    world_note(w, "server_crash", "acting=%d", w->server.is_dying);
    if (w->server.is_dying)
        w->server.killed_ms = server_utc(w).ms;
    end(w);
}

static void name_backup(const struct server *s, char path[96])
{
    (void)snprintf(path, 96, "%s/backup.db", s->keeper);
}

void server_backup(struct world *w)
{
    struct server *s = &w->server;
    char path[96];
    if (!s->is_running)
        return;
    if (world_store.has_files && s->keeper[0] == 0)
        make_folder(s->keeper);
    name_backup(s, path);
    world_store_backup(s->store, path);
    s->has_backup = true;
    check_backup(w);
    world_note(w, "backup", "life=%u", s->lives);
}

void server_restore(struct world *w)
{
    struct server *s = &w->server;
    char path[96];
    if (!s->has_backup)
        return;
    server_crash(w);
    store_close(s->store);
    if (world_store.has_files)
        make_home(s);
    name_backup(s, path);
    const struct store_options options = options_of(s);
    s->store = world_store_put_back(&options, path);
    world_store_watch(s->store, note_saved, w);
    check(store_put_back(s->store, server_utc(w)) == STORE_OK);
    s->has_backup = false;
    s->is_put_back = s->was_put_back = true;
    check_restored(w);
    world_note(w, "restore", "life=%u", s->lives);
}

void server_stop(struct world *w)
{
    if (!server_is_awake(w))
        return;
    world_note(w, "server_stop", "life=%u", w->server.lives);
    if (outbox_is_settled(w->server.outbox))
        (void)write_on_disk(w, turn_stop);
    end(w);
}

bool server_is_awake(const struct world *w)
{
    return w->server.is_running && !w->server.is_asleep;
}

void server_sleep(struct world *w, uint32_t for_ms, bool is_due_first)
{
    if (!server_is_awake(w))
        return;
    w->server.is_asleep = true;
    w->server.asleep_until = instant_after(w->now, for_ms);
    agenda_add(&w->agenda, w->server.asleep_until, HAPPENS_SLEEP, is_due_first, 1);
    world_note(w, "server_sleep", "life=%u for=%u", w->server.lives, for_ms);
}

void server_wake(struct world *w, bool is_due_first)
{
    struct server *s = &w->server;
    if (!s->is_asleep)
        return;
    s->is_asleep = false;
    s->woken = w->now;
    world_note(w, "server_wake", "life=%u due_first=%d", s->lives, is_due_first);
    probes_slept(w, &w->result.probes);
    if (is_due_first)
        server_step(w);
    centre_wake(w);
    w->is_stirred = true;
}

static void remove_files(const char *folder, const char *database)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".writer"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", database, endings[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

void server_close(struct world *w)
{
    struct server *s = &w->server;
    outbox_close(s->outbox);
    turn_close(s->turn);
    if (w->options.has_campaign && s->is_running)
        world_store.campaigns->leave(w);
    store_close(s->store);
    server_crypto_close(&s->crypto);
    char backup[96];
    name_backup(s, backup);
    if (!world_store.has_files && s->has_backup)
        store_close(world_store_put_back(NULL, NULL));
    if (s->keeper[0] != 0)
        remove_files(s->keeper, backup);
    if (s->folder[0] != 0)
        remove_files(s->folder, s->path);
}

static bool is_turn_due(const struct world *w)
{
    const struct utc due = turn_due(w->server.turn);
    return turn_has_work(w->server.turn) || (due.ms != 0 && due.ms <= server_utc(w).ms);
}

void server_step(struct world *w)
{
    struct server *s = &w->server;
    if (!server_is_awake(w))
        return;
    s->policy.ota.spi1 = w->now.ms < s->weak_until.ms ? WEAK_SPI : 0;
    s->policy.ota.spi2 = ANSWER_SPI;
    outbox_tick(s->outbox, w->now);
    for (unsigned i = 0; i < 64 && s->is_running && is_turn_due(w); i++) {
        (void)write_on_disk(w, turn_run);
        if (s->is_dying)
            server_crash(w);
        else
            outbox_step(s->outbox);
    }
    if (s->is_running)
        outbox_step(s->outbox);
    if (s->is_running && s->is_dying)
        server_crash(w);
}

struct instant server_deadline(const struct world *w)
{
    const struct server *s = &w->server;
    if (!server_is_awake(w))
        return INSTANT_NEVER;
    if (turn_has_work(s->turn))
        return w->now;
    struct instant due = outbox_deadline(s->outbox);
    const struct utc turn = turn_due(s->turn);
    if (turn.ms != 0)
        due = instant_earlier(due, instant_in(w, turn));
    return due;
}

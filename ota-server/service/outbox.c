// Packets towards cards: memory for them, their order, and what becomes of each.
#include "ota-server/service/outbox.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/outbox_part.h"

#include <stdlib.h>

#define PACKETS_MAX 4096

uint64_t outbox_hash(uint64_t hash, struct bytes octets)
{
    for (size_t i = 0; i < octets.len; i++)
        hash = (hash ^ octets.at[i]) * 0x100000001B3u;
    return hash;
}

static uint16_t *bucket_of(struct outbox *o, uint64_t card)
{
    const uint64_t hash = outbox_hash(OUTBOX_HASH, bytes_of(&card, sizeof card));
    return &o->buckets[(hash ^ hash >> 32) & o->bucket_mask];
}

// --- the queue -------------------------------------------------------------------------------

static uint16_t index_of(const struct packet *p)
{
    return (uint16_t)(p - p->outbox->packets);
}

void outbox_list_add(struct outbox *o, struct packet_list *list, struct packet *p)
{
    p->next = OUTBOX_NONE;
    if (list->head == OUTBOX_NONE)
        list->head = index_of(p);
    else
        o->packets[list->tail].next = index_of(p);
    list->tail = index_of(p);
}

void outbox_list_insert(struct outbox *o, struct packet_list *list, struct packet *p)
{
    uint16_t *at = &list->head;
    while (*at != OUTBOX_NONE && o->packets[*at].message.id < p->message.id)
        at = &o->packets[*at].next;
    if (*at == OUTBOX_NONE) {
        outbox_list_add(o, list, p);
        return;
    }
    p->next = *at;
    *at = index_of(p);
}

struct packet *outbox_list_take(struct outbox *o, struct packet_list *list)
{
    if (list->head == OUTBOX_NONE)
        return NULL;
    struct packet *p = &o->packets[list->head];
    list->head = p->next;
    return p;
}

static void make_ready(struct packet *p)
{
    p->phase = PACKET_READY;
    outbox_list_add(p->outbox, &p->outbox->ready, p);
}

void outbox_scan_by(struct outbox *o, struct instant at)
{
    o->scan_at = instant_earlier(o->scan_at, at);
}

// --- memory ----------------------------------------------------------------------------------

static bool open_packets(struct outbox *o)
{
    const uint32_t count = o->options.packets_max;
    uint32_t buckets = 1;
    while (buckets < count)
        buckets *= 2;
    o->bucket_mask = buckets - 1;
    o->packets = calloc(count, sizeof o->packets[0]);
    o->buckets = calloc(buckets, sizeof o->buckets[0]);
    if (o->packets == NULL || o->buckets == NULL)
        return false;
    memset(o->buckets, 0xFF, buckets * sizeof o->buckets[0]);
    o->free = o->ready = o->staged = o->ended = (struct packet_list){OUTBOX_NONE, OUTBOX_NONE};
    for (uint32_t i = 0; i < count; i++) {
        o->packets[i].outbox = o;
        outbox_list_add(o, &o->free, &o->packets[i]);
    }
    return true;
}

struct outbox *outbox_open(const struct outbox_options *options, struct instant now)
{
    check(options->link_count <= OUTBOX_LINKS_MAX && options->route_count <= OUTBOX_ROUTES_MAX);
    struct outbox *o = calloc(1, sizeof *o);
    if (o == NULL)
        return NULL;
    o->options = *options;
    if (o->options.route_count == 0)
        o->options.route_count = 1;
    if (o->options.packets_max == 0)
        o->options.packets_max = PACKETS_MAX;
    check(o->options.packets_max < OUTBOX_NONE);
    if (o->options.audit_percent == 0)
        o->options.audit_percent = OUTBOX_AUDIT_PERCENT;
    check(o->options.audit_percent <= 100);
    if (o->options.clock.speed == 0)
        o->options.clock.speed = 1;
    o->now = now;
    for (unsigned i = 0; i < options->link_count; i++)
        smpp_rate_init(&o->rates[i], options->links[i].rate, outbox_pace(o));
    check(options->plmns.count <= OUTBOX_PLMNS_MAX);
    for (unsigned i = 0; i < options->plmns.count; i++)
        smpp_rate_init(&o->plmns[i].rate, options->plmns.at[i].rate, outbox_pace(o));
    o->scan_at = INSTANT_NEVER;
    o->deadline = INSTANT_NEVER;
    if (!open_packets(o) || !outbox_receive_open(o)) {
        outbox_close(o);
        return NULL;
    }
    turn_tell_answers(o->options.turn, outbox_health_heard, o);
    return o;
}

void outbox_close(struct outbox *o)
{
    if (o == NULL)
        return;
    outbox_receive_close(o);
    free(o->packets);
    free(o->buckets);
    free(o);
}

struct instant outbox_pace(const struct outbox *o)
{
    return (struct instant){o->now.ms * o->options.clock.speed};
}

struct instant outbox_paced(const struct outbox *o, struct instant at)
{
    const uint32_t speed = o->options.clock.speed;
    return (struct instant){at.ms / speed + (at.ms % speed != 0)};
}

void outbox_tick(struct outbox *o, struct instant now)
{
    o->now = now;
}

// --- taking a packet -------------------------------------------------------------------------

// NULL: an automatic audit that the store keeps.
static struct packet *new_packet(struct outbox *o, const struct message *m)
{
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET, .reference = m->reference};
    struct packet *p = outbox_list_take(o, &o->free);
    const uint32_t generation = p->generation + 1;
    const size_t parts = sms_cut_count(&cut, m->packet_len);
    check(parts >= 1 && parts <= SMS_PARTS_MAX);
    memset(p, 0, offsetof(struct packet, message));
    p->outbox = o;
    p->generation = generation;
    p->message = *m;
    p->part_count = (uint8_t)parts;
    p->avoid = OUTBOX_LINKS_MAX;
    outbox_route(o, p);
    if (!outbox_audit_take(o, p)) {
        outbox_limit_remove(o, p);
        outbox_list_add(o, &o->free, p);
        return NULL;
    }
    o->counts.packets_held++;
    return p;
}

static void free_packet(struct packet *p)
{
    struct outbox *o = p->outbox;
    outbox_limit_remove(o, p);
    outbox_audit_release(o, p);
    p->phase = PACKET_FREE;
    outbox_list_add(o, &o->free, p);
    o->counts.packets_held--;
}

static struct packet *first_of_card(struct outbox *o, uint64_t card)
{
    for (uint16_t i = *bucket_of(o, card); i != OUTBOX_NONE; i = o->packets[i].next_of_bucket) {
        if (o->packets[i].message.card == card)
            return &o->packets[i];
    }
    return NULL;
}

// Puts the packet behind those of its card, or into the queue.
static void line_up(struct packet *p)
{
    struct outbox *o = p->outbox;
    const bool is_first = first_of_card(o, p->message.card) == NULL;
    uint16_t *end = bucket_of(o, p->message.card);
    while (*end != OUTBOX_NONE)
        end = &o->packets[*end].next_of_bucket;
    *end = index_of(p);
    p->next_of_bucket = OUTBOX_NONE;
    // Its time runs since it was built, however long it waited in the store.
    const struct outbox_clock *clock = &o->options.clock;
    p->until = clock->instant_of(clock->context,
                                 utc_after(p->message.at, (int64_t)p->message.validity_ms));
    outbox_scan_by(o, p->until);
    o->counts.packets++;
    p->phase = PACKET_BEHIND;
    if (is_first)
        make_ready(p);
}

static void release(struct packet *p)
{
    struct outbox *o = p->outbox;
    const uint64_t card = p->message.card;
    uint16_t *at = bucket_of(o, card);
    while (*at != index_of(p))
        at = &o->packets[*at].next_of_bucket;
    *at = p->next_of_bucket;
    free_packet(p);
    struct packet *next = first_of_card(o, card);
    if (next != NULL && next->phase == PACKET_BEHIND)
        make_ready(next);
}

bool outbox_leave(struct outbox *o, struct packet *p)
{
    if (first_of_card(o, p->message.card) != p)
        return false;
    for (uint16_t i = p->next_of_bucket; i != OUTBOX_NONE; i = o->packets[i].next_of_bucket) {
        if (o->packets[i].message.card == p->message.card)
            return false;
    }
    if (o->left_from == 0 || p->message.id < o->left_from)
        o->left_from = p->message.id;
    o->counts.packets--;
    release(p);
    return true;
}

void outbox_send(void *context, const struct message *m)
{
    struct outbox *o = context;
    if (m->id <= o->last_taken || o->is_behind)
        return; // it is here already, or will be read from the store in its order
    if (o->free.head == OUTBOX_NONE) {
        o->is_behind = true;
        o->counts.overflows++;
        return;
    }
    o->last_taken = m->id;
    struct packet *p = outbox_audit_left(o, m) ? NULL : new_packet(o, m);
    if (p != NULL)
        line_up(p);
}

// --- those that wait in the store ------------------------------------------------------------

bool outbox_is_here(struct outbox *o, const struct message *m)
{
    for (uint16_t i = *bucket_of(o, m->card); i != OUTBOX_NONE; i = o->packets[i].next_of_bucket) {
        if (o->packets[i].message.id == m->id)
            return true;
    }
    return false;
}

void outbox_stage(struct outbox *o, const struct message *m)
{
    struct packet *p = new_packet(o, m);
    if (p == NULL)
        return;
    p->phase = PACKET_STAGED;
    outbox_list_add(o, &o->staged, p);
}

static bool take_row(void *context, const struct message *m)
{
    struct outbox *o = context;
    o->rows_read++;
    o->last_taken = m->id;
    // One that is here is read again because of others that were left.
    if (!outbox_is_here(o, m) && !outbox_audit_left(o, m))
        outbox_stage(o, m);
    return o->free.head != OUTBOX_NONE;
}

static enum store_status read_waiting(void *context, struct store *store, struct utc now)
{
    struct outbox *o = context;
    (void)now;
    const uint32_t room = o->options.packets_max - o->counts.packets_held;
    if (room == 0)
        return STORE_OK;
    o->rows_read = 0;
    const enum store_status status = store_outbox(store, o->last_taken, room, take_row, o);
    o->is_behind = o->rows_read == room || o->free.head == OUTBOX_NONE;
    return status;
}

void outbox_end_staged(struct outbox *o, enum store_status status)
{
    struct packet *p;
    while ((p = outbox_list_take(o, &o->staged)) != NULL) {
        if (status == STORE_OK)
            line_up(p);
        else
            free_packet(p);
    }
}

static void waiting_read(void *context, enum store_status status)
{
    struct outbox *o = context;
    o->is_reading = false;
    if (status != STORE_OK) {
        o->is_behind = true;
        o->read_at = instant_after(o->now, OUTBOX_AGAIN_MS);
        if (o->staged.head != OUTBOX_NONE)
            o->last_taken = o->packets[o->staged.head].message.id - 1;
    }
    outbox_end_staged(o, status);
}

// --- audits that somebody waits for ----------------------------------------------------------

// False: it is not in memory.
static bool wait_no_longer(struct outbox *o, uint64_t card, uint64_t message)
{
    for (uint16_t i = *bucket_of(o, card); i != OUTBOX_NONE; i = o->packets[i].next_of_bucket) {
        struct message *m = &o->packets[i].message;
        if (m->id != message)
            continue;
        outbox_audit_release(o, &o->packets[i]);
        m->is_automatic = false;
        return true;
    }
    return false;
}

void outbox_hurry(void *context, uint64_t card, uint64_t message)
{
    struct outbox *o = context;
    if (wait_no_longer(o, card, message))
        return;
    for (uint32_t i = 0; i < o->hurried_count; i++) {
        if (o->hurried[i] == message)
            return;
    }
    if (o->hurried_count < OUTBOX_HURRIED_MAX)
        o->hurried[o->hurried_count++] = message;
}

static bool take_hurried(void *context, const struct message *m)
{
    struct outbox *o = context;
    struct message own = *m;
    own.is_automatic = false;
    // One that is here was being read when it was hurried.
    if (m->id == o->hurried[o->hurried_read] && !wait_no_longer(o, m->card, m->id))
        outbox_stage(o, &own);
    return false;
}

static enum store_status read_hurried(void *context, struct store *store, struct utc now)
{
    struct outbox *o = context;
    enum store_status status = STORE_OK;
    (void)now;
    for (o->hurried_read = 0;
         o->hurried_read < o->hurried_count && status == STORE_OK && o->free.head != OUTBOX_NONE;
         o->hurried_read++)
        status = store_outbox(store, o->hurried[o->hurried_read] - 1, 1, take_hurried, o);
    return status;
}

static void hurried_read(void *context, enum store_status status)
{
    struct outbox *o = context;
    o->is_reading = false;
    if (status == STORE_OK) {
        o->hurried_count -= o->hurried_read;
        memmove(o->hurried, o->hurried + o->hurried_read, o->hurried_count * sizeof(o->hurried[0]));
    } else {
        o->read_at = instant_after(o->now, OUTBOX_AGAIN_MS);
    }
    outbox_end_staged(o, status);
}

static bool ask_turn(struct outbox *o, bool wants_hurried, bool wants_audits)
{
    if (wants_hurried)
        return turn_write(o->options.turn, read_hurried, hurried_read, o);
    o->were_audits_read = wants_audits;
    return wants_audits ? outbox_audits_ask(o)
                        : turn_write(o->options.turn, read_waiting, waiting_read, o);
}

static void read_from_store(struct outbox *o)
{
    const bool has_room = o->counts.packets_held <= o->options.packets_max / 2;
    if (!o->is_behind && o->left_from != 0 && has_room && !o->is_reading) {
        // Everything behind was read: back to those that were left.
        o->last_taken = o->left_from - 1;
        o->left_from = 0;
        o->is_behind = true;
    }
    const bool wants_others = o->is_behind && has_room;
    // In turns where many are read that stay in the store.
    const bool is_turn_over = o->were_audits_read && outbox_audits_are_slow(o);
    const bool wants_audits = outbox_audits_wanted(o) && !(wants_others && is_turn_over);
    const bool wants_hurried = o->hurried_count > 0 && o->free.head != OUTBOX_NONE;
    if (!(wants_audits || wants_others || wants_hurried) || o->is_reading || o->is_holding)
        return;
    if (!instant_is_due(o->read_at, o->now)) {
        o->deadline = instant_earlier(o->deadline, o->read_at);
        return;
    }
    o->is_reading = ask_turn(o, wants_hurried, wants_audits);
    if (!o->is_reading)
        o->deadline = instant_earlier(o->deadline, instant_after(o->now, OUTBOX_AGAIN_MS));
}

// --- reporting -------------------------------------------------------------------------------

static unsigned count(const struct packet *p, enum part_state state)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < p->part_count; i++)
        sum += p->parts[i].state == state;
    return sum;
}

static enum submit_outcome outcome_of(const struct packet *p)
{
    const unsigned accepted = count(p, PART_ACCEPTED);
    const unsigned unknown = count(p, PART_UNKNOWN);
    const unsigned rejected = count(p, PART_REJECTED);
    if (accepted == p->part_count)
        return SUBMIT_ACCEPTED;
    if (accepted + unknown == p->part_count)
        return SUBMIT_UNKNOWN;
    if (accepted + unknown > 0)
        return SUBMIT_PARTIAL;
    if (rejected > 0)
        return SUBMIT_REJECTED;
    return p->was_flying ? SUBMIT_TEMPORARY : SUBMIT_UNSENT;
}

static uint8_t post_state_of(enum submit_outcome outcome)
{
    switch (outcome) {
    case SUBMIT_ACCEPTED:
        return POST_SUBMITTED;
    case SUBMIT_TEMPORARY:
    case SUBMIT_REJECTED:
        return POST_REFUSED;
    case SUBMIT_UNSENT:
        return POST_LOST;
    case SUBMIT_UNKNOWN:
    case SUBMIT_PARTIAL:
        break;
    }
    return POST_UNKNOWN;
}

struct packet_of outbox_packet_of(const struct message *m)
{
    const bool is_none = m->command == COMMAND_CONFIRM;
    return (struct packet_of){.operation = is_none ? 0 : m->operation, .built_at = m->at};
}

static enum store_status note(void *context, struct store *store, struct utc now)
{
    const struct packet *p = context;
    const struct outbox *o = p->outbox;
    const struct message *m = &p->message;
    enum store_status status =
        store_message_state(store, m->id, post_state_of(outcome_of(p)),
                            (uint8_t)(m->tries + 1 + p->temporary), (struct utc){0});
    for (uint8_t i = 0; i < p->part_count && status == STORE_OK; i++) {
        const struct part *part = &p->parts[i];
        if (part->state == PART_ACCEPTED && part->id[0] != '\0')
            status = store_receipt_id_put(store, o->options.links[part->link].smsc, part->id, m->id,
                                          (uint8_t)(i + 1), now);
    }
    return status;
}

static void noted(void *context, enum store_status status)
{
    struct packet *p = context;
    struct outbox *o = p->outbox;
    o->reporting--;
    if (status == STORE_OK) {
        o->counts.outcomes[outcome_of(p)]++;
        o->reports++;
        release(p);
        return;
    }
    p->phase = PACKET_ENDED; // the same transaction held the event: both again
    p->is_told = false;
    outbox_list_add(o, &o->ended, p);
    o->report_at = instant_after(o->now, OUTBOX_AGAIN_MS);
}

void outbox_name_put(struct writer *w, const char *id)
{
    bool is_plain = id[0] != '\0';
    for (const char *c = id; *c != '\0'; c++)
        is_plain = is_plain && *c > ' ' && *c <= '~';
    text_put(w, is_plain ? id : "-");
    text_put(w, " ");
}

static const char *names_of_parts(const void *of, char text[STEP_MESSAGES_SIZE])
{
    const struct packet *p = of;
    struct writer w = writer_of(text, STEP_MESSAGES_SIZE);
    for (uint8_t i = 0; i < p->part_count; i++) {
        const struct part *part = &p->parts[i];
        outbox_name_put(&w, part->state == PART_ACCEPTED ? part->id : "");
    }
    return text_end(&w);
}

// False: the turn is full.
static bool report(struct packet *p)
{
    struct outbox *o = p->outbox;
    const enum submit_outcome outcome = outcome_of(p);
    if (!p->is_told) {
        struct event e = {.type = EVENT_SUBMIT, .actor = {.kind = ACTOR_SYSTEM}};
        e.as.submit = (struct event_submit){.counter = p->message.counter,
                                            .outcome = (uint8_t)outcome,
                                            .parts = p->part_count,
                                            .octets = p->message.packet_len,
                                            .status = p->status,
                                            .of = outbox_packet_of(&p->message)};
        const struct turn_prepared with = {
            .origin = {.messages = names_of_parts, .messages_of = p}};
        if (!turn_event_prepared(o->options.turn, p->message.card, &e, &with))
            return false;
        p->is_told = true;
    }
    if (!turn_write_repeatable(o->options.turn, note, noted, p))
        return false;
    p->phase = PACKET_REPORTED;
    o->reporting++;
    return true;
}

static void report_all(struct outbox *o)
{
    if (o->ended.head == OUTBOX_NONE)
        return;
    if (!instant_is_due(o->report_at, o->now)) {
        o->deadline = instant_earlier(o->deadline, o->report_at);
        return;
    }
    while (o->ended.head != OUTBOX_NONE) {
        struct packet *p = &o->packets[o->ended.head];
        if (!report(p)) {
            o->deadline = instant_earlier(o->deadline, instant_after(o->now, 1));
            return;
        }
        (void)outbox_list_take(o, &o->ended);
    }
}

// --- the step --------------------------------------------------------------------------------

void outbox_step(struct outbox *o)
{
    o->deadline = INSTANT_NEVER;
    outbox_health_step(o);
    outbox_scan(o);
    outbox_pump(o);
    outbox_make_room(o);
    report_all(o);
    read_from_store(o);
    outbox_receive_step(o);
    o->deadline = instant_earlier(o->deadline, o->scan_at);
}

struct instant outbox_deadline(const struct outbox *o)
{
    return o->deadline;
}

void outbox_hold(struct outbox *o)
{
    o->is_holding = true;
}

bool outbox_is_idle(const struct outbox *o)
{
    return o->flying == 0 && o->ended.head == OUTBOX_NONE && o->reporting == 0 &&
           o->waits_used == 0;
}

bool outbox_is_settled(const struct outbox *o)
{
    for (uint32_t i = 0; i < o->options.packets_max; i++) {
        if (o->packets[i].phase != PACKET_FREE && o->packets[i].was_flying)
            return false;
    }
    return true;
}

struct outbox_counts outbox_counts(const struct outbox *o)
{
    return o->counts;
}

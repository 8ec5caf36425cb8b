#include "applet/image.h"

#include "applet/port.h"
#include "common/base/secret.h"

#define IMAGE_FORMAT 2

// Flags of a slot record.
enum {
    SLOT_FLAG_FALLBACK = 0x01,
    SLOT_FLAG_PROVEN = 0x02,
    SLOT_FLAG_ICCID = 0x04,
    SLOT_FLAG_PLMNS = 0x08,
    SLOT_FLAG_FACTORY = 0x10, // the rest is the index of the factory's record
};

// Flags of the journal, the search and the head.
enum {
    JOURNAL_FLAG_ROLLBACK = 0x01,
    JOURNAL_FLAG_SET_FALLBACK = 0x02,
    SEARCH_FLAG_OPEN = 0x01,
    SEARCH_FLAG_EXHAUSTED = 0x02,
    SEARCH_FLAG_PAUSED = 0x04,
    HEAD_FLAG_CONTACTED = 0x01,
    HEAD_FLAG_AUTOMATIC = 0x02,
    HEAD_FLAG_IMEI = 0x04,
    HEAD_FLAG_CAPPED = 0x08,
    HEAD_FLAG_SCRUB = 0x10,
    HEAD_FLAG_CAP_USED = 0x20,
    OUTCOME_FLAG_PAIR = 0x01,
    OUTCOME_FLAG_REPLAYED = 0x02,
    PENDING_FLAG_REJECT = 0x01,
    PENDING_FLAG_SET_FALLBACK = 0x02,
};

/*@ requires bit <= 0xFF;
  @ assigns \result \from on, bit;
  @ ensures \result == (on ? bit : 0);
  @*/
static uint8_t flag(bool on, unsigned bit)
{
    return on ? (uint8_t)bit : 0;
}

// --- writing ---

/*@ requires writer_is_valid(w) && \valid_read(d) && \separated(w, d);
  @ requires \separated(d, w->at + (0 .. w->cap - 1)) && d->len <= COMMAND_NUMBER_MAX;
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures w->len >= \old(w->len) && (\old(w->failed) ==> w->failed);
  @*/
static void write_dialling(struct writer *w, const struct dialling *d)
{
    writer_u8(w, d->len);
    writer_copy(w, bytes_of(d->octets, d->len));
}

/*@ requires writer_is_valid(w) && \valid_read(key) && \separated(w, key);
  @ requires \separated(key, w->at + (0 .. w->cap - 1)) && key->len <= SECRET_KEY_MAX;
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures w->len >= \old(w->len) && (\old(w->failed) ==> w->failed);
  @*/
static void write_key(struct writer *w, const struct secret_key *key)
{
    writer_u8(w, key->len);
    writer_copy(w, bytes_of(key->octets, key->len));
}

static void write_slot(struct writer *w, uint8_t index, const struct slot *s,
                       const struct applet_factory *factory)
{
    uint8_t made = image_factory_index(factory, s);
    writer_u8(w, index);
    writer_u8(w, s->state);
    writer_u8(w,
              (uint8_t)(flag(s->is_fallback, SLOT_FLAG_FALLBACK) |
                        flag(s->is_proven, SLOT_FLAG_PROVEN) | flag(s->has_iccid, SLOT_FLAG_ICCID) |
                        flag(s->plmns_len > 0, SLOT_FLAG_PLMNS) |
                        flag(made != IMAGE_NO_RECORD, SLOT_FLAG_FACTORY)));
    if (made != IMAGE_NO_RECORD) {
        writer_u8(w, made);
        return;
    }
    writer_u8(w, s->role);
    writer_u8(w, s->marks);
    writer_u8(w, s->rank);
    writer_u8(w, s->template_number);
    writer_u8(w, s->mnc_length);
    writer_copy(w, bytes_of(s->imsi, sizeof s->imsi));
    if (s->has_iccid)
        writer_copy(w, bytes_of(s->iccid, sizeof s->iccid));
    write_dialling(w, &s->msisdn);
    write_dialling(w, &s->smsc);
    if (s->plmns_len > 0) {
        writer_u8(w, s->plmns_len);
        writer_copy(w, bytes_of(s->plmns, s->plmns_len));
    }
    write_key(w, &s->keys.k);
    write_key(w, &s->keys.op);
}

/*@ requires writer_is_valid(w) && \valid_read(n) && \separated(w, n);
  @ requires \separated(n, w->at + (0 .. w->cap - 1));
  @ assigns w->len, w->failed, w->at[w->len .. w->cap - 1];
  @ ensures writer_is_valid(w) && w->at == \old(w->at) && w->cap == \old(w->cap);
  @ ensures w->len >= \old(w->len) && (\old(w->failed) ==> w->failed);
  @*/
static void write_name(struct writer *w, const struct subscription_name *n)
{
    if (!n->is_given)
        writer_u8(w, 0);
    else if (n->is_iccid)
        writer_u8(w, 1);
    else
        writer_u8(w, 2);
    if (n->is_given && n->is_iccid)
        writer_copy(w, bytes_of(n->iccid, sizeof n->iccid));
    if (n->is_given && !n->is_iccid)
        writer_copy(w, bytes_of(n->imsi, sizeof n->imsi));
}

static void write_outcome(struct writer *w, const struct outcome *o)
{
    writer_u32(w, o->operation_id);
    writer_copy(w, bytes_of(o->digest, sizeof o->digest));
    writer_u8(w, o->command);
    writer_u8(w, o->code);
    writer_u8(w, (uint8_t)(flag(o->has_pair, OUTCOME_FLAG_PAIR) |
                           flag(o->is_replayed, OUTCOME_FLAG_REPLAYED)));
    writer_u8(w, o->first);
    writer_u8(w, o->second);
    writer_u32(w, o->registry_version);
    writer_copy(w, bytes_of(o->state_hash, sizeof o->state_hash));
}

static void write_pending(struct writer *w, const struct pending *p)
{
    writer_u8(w, p->cause);
    writer_u8(w, p->coalesced);
    writer_u8(w, (uint8_t)(flag(p->has_reject, PENDING_FLAG_REJECT) |
                           flag(p->set_fallback, PENDING_FLAG_SET_FALLBACK)));
    writer_u8(w, p->reject);
    writer_u32(w, p->sequence);
    writer_u32(w, p->operation_id);
    write_name(w, &p->from);
    write_name(w, &p->to);
}

static void write_journal(struct writer *w, const struct journal *j)
{
    writer_u8(w, j->phase);
    if (j->phase == JOURNAL_NONE)
        return;
    writer_u8(w, j->reason);
    writer_u8(w, j->from);
    writer_u8(w, j->to);
    writer_u8(w, j->attempt);
    writer_u8(w, j->starts);
    writer_u8(w, (uint8_t)(flag(j->may_roll_back, JOURNAL_FLAG_ROLLBACK) |
                           flag(j->set_fallback, JOURNAL_FLAG_SET_FALLBACK)));
    writer_u32(w, j->operation_id);
    writer_u32(w, j->sequence);
}

static void write_search(struct writer *w, const struct search *s)
{
    writer_u8(w, (uint8_t)(flag(s->is_open, SEARCH_FLAG_OPEN) |
                           flag(s->is_exhausted, SEARCH_FLAG_EXHAUSTED) |
                           flag(s->is_paused, SEARCH_FLAG_PAUSED)));
    writer_u8(w, s->origin);
    writer_u8(w, s->round);
    writer_u8(w, s->pauses);
    writer_u16(w, s->tried);
    writer_u16(w, s->failed);
    if (s->is_paused)
        writer_u32(w, s->pause_due);
}

static void write_dues(struct writer *w, const struct dues *d)
{
    uint16_t cooling = 0;
    for (unsigned i = 0; i < IMAGE_SLOTS_MAX; i++)
        cooling = (uint16_t)(cooling | (d->cool[i] != 0 ? 1u << i : 0));
    writer_u32(w, d->now);
    writer_u32(w, d->back);
    writer_u32(w, d->reuse);
    writer_u32(w, d->heartbeat);
    writer_u32(w, d->day);
    writer_u16(w, cooling);
    for (unsigned i = 0; i < IMAGE_SLOTS_MAX; i++) {
        if (d->cool[i] != 0)
            writer_u32(w, d->cool[i]);
    }
}

// Only what differs from the default; reading starts from the defaults.
static void write_parameters(struct writer *w, const struct parameters *p)
{
    struct parameters plain;
    parameters_default(&plain);
    for (uint8_t number = 1; number <= PARAMETER_LAST; number++) {
        if (!parameter_is_same(p, &plain, number) && !parameter_write(w, p, number))
            w->failed = true;
    }
}

static void write_head(struct writer *w, const struct image *m)
{
    writer_u8(w, IMAGE_FORMAT);
    writer_u8(w, m->slot_count);
    writer_u32(w, m->registry_version);
    writer_u32(w, m->operation_id_highest);
    writer_u32(w, m->notify_sequence);
    writer_u32(w, m->generation);
    writer_u16(w, m->configuration_version);
    writer_u16(w, m->security_failures);
    writer_u8(w, m->preferred);
    writer_u8(w,
              (uint8_t)(flag(m->is_contacted, HEAD_FLAG_CONTACTED) |
                        flag(m->is_automatic, HEAD_FLAG_AUTOMATIC) |
                        flag(m->has_imei, HEAD_FLAG_IMEI) | flag(m->is_capped, HEAD_FLAG_CAPPED) |
                        flag(m->is_scrub_due, HEAD_FLAG_SCRUB) |
                        flag(m->is_cap_used, HEAD_FLAG_CAP_USED)));
    if (m->has_imei)
        writer_copy(w, bytes_of(m->imei, sizeof m->imei));
    writer_copy(w, bytes_of(m->country, sizeof m->country));
    writer_u8(w, m->switches);
    writer_u8(w, m->return_doublings);
}

// Head to parameters: everything but results and notifications.
static void write_body(struct writer *w, const struct image *m,
                       const struct applet_factory *factory)
{
    write_head(w, m);
    write_journal(w, &m->journal);
    write_search(w, &m->search);
    write_dues(w, &m->dues);
    write_dialling(w, &m->address_new);
    writer_u8(w, (uint8_t)(m->slot_count - image_free_slots(m)));
    for (uint8_t i = 0; i < m->slot_count; i++) {
        if (m->slots[i].state != SLOT_EMPTY)
            write_slot(w, i, &m->slots[i], factory);
    }
}

void image_write(struct writer *w, const struct image *m, const struct applet_factory *factory)
{
    write_body(w, m, factory);
    writer_u8(w, m->outcome_count);
    for (uint8_t i = 0; i < m->outcome_count; i++)
        write_outcome(w, &m->outcomes[i]);
    writer_u40(w, m->last_counter);
    if (m->last_counter != 0)
        write_outcome(w, &m->last);
    writer_u8(w, m->pending_count);
    for (uint8_t i = 0; i < m->pending_count; i++)
        write_pending(w, &m->pending[i]);
    write_parameters(w, &m->parameters);
}

// The longest forms of what comes and goes by itself.
#define OUTCOME_LEN 21
#define PENDING_LEN_MAX (12 + 2 * 11)
#define JOURNAL_LEN_MAX 15
#define PAUSE_LEN 4
#define COOL_LEN 4
#define IMEI_AND_ADDRESS_LEN (COMMAND_IMEI_SIZE + COMMAND_NUMBER_MAX)

size_t image_reserve(uint8_t slot_count)
{
    return 1 + IMAGE_OUTCOMES_MAX * OUTCOME_LEN + 5 + OUTCOME_LEN + 1 +
           IMAGE_PENDING_MAX * PENDING_LEN_MAX + JOURNAL_LEN_MAX + PAUSE_LEN +
           COOL_LEN * (size_t)slot_count + IMEI_AND_ADDRESS_LEN;
}

size_t image_need(const struct image *m, uint8_t *scratch, size_t cap)
{
    struct writer w = writer_of(scratch, cap);
    write_body(&w, m, NULL);
    write_parameters(&w, &m->parameters);
    return w.failed ? SIZE_MAX : w.len + image_reserve(m->slot_count);
}

// --- reading ---

/*@ requires reader_is_valid(r) && \valid(d) && \separated(r, d);
  @ requires \separated(d, r->at + (0 .. r->left - 1));
  @ assigns *r, *d;
  @ ensures reader_is_valid(r) && (\old(r->failed) ==> r->failed);
  @ ensures r->left <= \old(r->left) && r->at == \old(r->at) + (\old(r->left) - r->left);
  @ ensures d->len <= COMMAND_NUMBER_MAX;
  @*/
static void read_dialling(struct reader *r, struct dialling *d)
{
    d->len = reader_u8(r);
    if (d->len > sizeof d->octets) {
        r->failed = true;
        d->len = 0;
    }
    reader_copy(r, d->octets, d->len);
}

/*@ requires reader_is_valid(r) && \valid(key) && \separated(r, key);
  @ requires \separated(key, r->at + (0 .. r->left - 1));
  @ assigns *r, *key;
  @ ensures reader_is_valid(r) && (\old(r->failed) ==> r->failed);
  @ ensures r->left <= \old(r->left) && r->at == \old(r->at) + (\old(r->left) - r->left);
  @ ensures key->len <= SECRET_KEY_MAX;
  @*/
static void read_key(struct reader *r, struct secret_key *key)
{
    key->len = reader_u8(r);
    if (key->len > sizeof key->octets) {
        r->failed = true;
        key->len = 0;
    }
    reader_copy(r, key->octets, key->len);
}

/*@ requires reader_is_valid(r) && \valid(s) && \separated(r, s);
  @ requires \separated(s, r->at + (0 .. r->left - 1));
  @ assigns *r, *s;
  @ ensures reader_is_valid(r) && (\old(r->failed) ==> r->failed);
  @ ensures r->left <= \old(r->left) && r->at == \old(r->at) + (\old(r->left) - r->left);
  @ ensures s->plmns_len <= COMMAND_PLMNS_MAX;
  @*/
static void read_plmns(struct reader *r, struct slot *s)
{
    s->plmns_len = reader_u8(r);
    if (s->plmns_len > sizeof s->plmns) {
        r->failed = true;
        s->plmns_len = 0;
    }
    reader_copy(r, s->plmns, s->plmns_len);
}

static void read_factory_slot(struct reader *r, const struct applet_factory *factory,
                              struct slot *s)
{
    uint8_t index = reader_u8(r);
    r->failed = r->failed || index >= factory->subscription_count;
    if (r->failed)
        return;
    struct slot present = *s;
    image_factory_slot(factory, index, s);
    s->state = present.state;
    s->is_fallback = present.is_fallback;
    s->is_proven = present.is_proven;
}

static void read_slot(struct reader *r, const struct applet_factory *factory, struct image *m)
{
    uint8_t index = reader_u8(r);
    if (r->failed || index >= m->slot_count || m->slots[index].state != SLOT_EMPTY) {
        r->failed = true;
        return;
    }
    struct slot *s = &m->slots[index];
    s->state = reader_u8(r);
    uint8_t flags = reader_u8(r);
    s->is_fallback = (flags & SLOT_FLAG_FALLBACK) != 0;
    s->is_proven = (flags & SLOT_FLAG_PROVEN) != 0;
    s->has_iccid = (flags & SLOT_FLAG_ICCID) != 0;
    if ((flags & SLOT_FLAG_FACTORY) != 0) {
        read_factory_slot(r, factory, s);
        return;
    }
    s->role = reader_u8(r);
    s->marks = reader_u8(r);
    s->rank = reader_u8(r);
    s->template_number = reader_u8(r);
    s->mnc_length = reader_u8(r);
    reader_copy(r, s->imsi, sizeof s->imsi);
    if (s->has_iccid)
        reader_copy(r, s->iccid, sizeof s->iccid);
    read_dialling(r, &s->msisdn);
    read_dialling(r, &s->smsc);
    if ((flags & SLOT_FLAG_PLMNS) != 0)
        read_plmns(r, s);
    read_key(r, &s->keys.k);
    read_key(r, &s->keys.op);
}

/*@ requires reader_is_valid(r) && \valid(n) && \separated(r, n);
  @ requires \separated(n, r->at + (0 .. r->left - 1));
  @ assigns *r, *n;
  @ ensures reader_is_valid(r) && (\old(r->failed) ==> r->failed);
  @ ensures r->left <= \old(r->left) && r->at == \old(r->at) + (\old(r->left) - r->left);
  @*/
static void read_name(struct reader *r, struct subscription_name *n)
{
    uint8_t kind = reader_u8(r);
    n->is_given = kind != 0;
    n->is_iccid = kind == 1;
    if (kind == 1)
        reader_copy(r, n->iccid, sizeof n->iccid);
    else if (kind == 2)
        reader_copy(r, n->imsi, sizeof n->imsi);
    else if (kind != 0)
        r->failed = true;
}

static void read_outcome(struct reader *r, struct outcome *o)
{
    o->operation_id = reader_u32(r);
    reader_copy(r, o->digest, sizeof o->digest);
    o->command = reader_u8(r);
    o->code = reader_u8(r);
    uint8_t flags = reader_u8(r);
    o->has_pair = (flags & OUTCOME_FLAG_PAIR) != 0;
    o->is_replayed = (flags & OUTCOME_FLAG_REPLAYED) != 0;
    o->first = reader_u8(r);
    o->second = reader_u8(r);
    o->registry_version = reader_u32(r);
    reader_copy(r, o->state_hash, sizeof o->state_hash);
}

static void read_pending(struct reader *r, struct pending *p)
{
    p->cause = reader_u8(r);
    p->coalesced = reader_u8(r);
    uint8_t flags = reader_u8(r);
    p->has_reject = (flags & PENDING_FLAG_REJECT) != 0;
    p->set_fallback = (flags & PENDING_FLAG_SET_FALLBACK) != 0;
    p->reject = reader_u8(r);
    p->sequence = reader_u32(r);
    p->operation_id = reader_u32(r);
    read_name(r, &p->from);
    read_name(r, &p->to);
}

static void read_journal(struct reader *r, struct journal *j)
{
    j->phase = reader_u8(r);
    if (j->phase == JOURNAL_NONE)
        return;
    j->reason = reader_u8(r);
    j->from = reader_u8(r);
    j->to = reader_u8(r);
    j->attempt = reader_u8(r);
    j->starts = reader_u8(r);
    uint8_t flags = reader_u8(r);
    j->may_roll_back = (flags & JOURNAL_FLAG_ROLLBACK) != 0;
    j->set_fallback = (flags & JOURNAL_FLAG_SET_FALLBACK) != 0;
    j->operation_id = reader_u32(r);
    j->sequence = reader_u32(r);
}

static void read_search(struct reader *r, struct search *s)
{
    uint8_t flags = reader_u8(r);
    s->is_open = (flags & SEARCH_FLAG_OPEN) != 0;
    s->is_exhausted = (flags & SEARCH_FLAG_EXHAUSTED) != 0;
    s->is_paused = (flags & SEARCH_FLAG_PAUSED) != 0;
    s->origin = reader_u8(r);
    s->round = reader_u8(r);
    s->pauses = reader_u8(r);
    s->tried = reader_u16(r);
    s->failed = reader_u16(r);
    if (s->is_paused)
        s->pause_due = reader_u32(r);
}

static void read_dues(struct reader *r, struct dues *d)
{
    d->now = reader_u32(r);
    d->back = reader_u32(r);
    d->reuse = reader_u32(r);
    d->heartbeat = reader_u32(r);
    d->day = reader_u32(r);
    uint16_t cooling = reader_u16(r);
    for (unsigned i = 0; i < IMAGE_SLOTS_MAX; i++) {
        if ((cooling >> i & 1u) != 0)
            d->cool[i] = reader_u32(r);
    }
}

static void read_head(struct reader *r, struct image *m)
{
    if (reader_u8(r) != IMAGE_FORMAT)
        r->failed = true;
    m->slot_count = reader_u8(r);
    m->registry_version = reader_u32(r);
    m->operation_id_highest = reader_u32(r);
    m->notify_sequence = reader_u32(r);
    m->generation = reader_u32(r);
    m->configuration_version = reader_u16(r);
    m->security_failures = reader_u16(r);
    m->preferred = reader_u8(r);
    uint8_t flags = reader_u8(r);
    m->is_contacted = (flags & HEAD_FLAG_CONTACTED) != 0;
    m->is_automatic = (flags & HEAD_FLAG_AUTOMATIC) != 0;
    m->has_imei = (flags & HEAD_FLAG_IMEI) != 0;
    m->is_capped = (flags & HEAD_FLAG_CAPPED) != 0;
    m->is_scrub_due = (flags & HEAD_FLAG_SCRUB) != 0;
    m->is_cap_used = (flags & HEAD_FLAG_CAP_USED) != 0;
    if (m->has_imei)
        reader_copy(r, m->imei, sizeof m->imei);
    reader_copy(r, m->country, sizeof m->country);
    m->switches = reader_u8(r);
    m->return_doublings = reader_u8(r);
}

// A count that fits its array, or 0 and failure.
/*@ requires reader_is_valid(r);
  @ assigns *r, \result \from *r, r->at[0 .. 0], max;
  @ ensures reader_is_valid(r) && (\old(r->failed) ==> r->failed);
  @ ensures r->left <= \old(r->left) && \result <= max;
  @*/
static uint8_t read_count(struct reader *r, uint8_t max)
{
    uint8_t count = reader_u8(r);
    if (count <= max)
        return count;
    r->failed = true;
    return 0;
}

/*@ requires image_is_valid((struct image *)m);
  @ assigns \result \from *m;
  @ ensures \result && m->journal.phase != JOURNAL_NONE ==>
  @   is_used((struct image *)m, m->journal.from) && is_used((struct image *)m, m->journal.to);
  @*/
static bool is_sound_journal(const struct image *m)
{
    const struct journal *j = &m->journal;
    if (j->phase == JOURNAL_NONE)
        return true;
    return j->phase <= JOURNAL_CONFIRMING && j->reason > REASON_NONE &&
           j->reason <= REASON_ROLLBACK && image_is_used(m, j->from) && image_is_used(m, j->to);
}

bool image_read(struct bytes octets, const struct applet_factory *factory, struct image *m)
{
    struct reader r = reader_of(octets);
    memset(m, 0, sizeof *m);
    read_head(&r, m);
    if (r.failed || m->slot_count < 2 || m->slot_count > IMAGE_SLOTS_MAX)
        return false;
    read_journal(&r, &m->journal);
    read_search(&r, &m->search);
    read_dues(&r, &m->dues);
    read_dialling(&r, &m->address_new);
    uint8_t used = read_count(&r, m->slot_count);
    for (uint8_t i = 0; i < used && !r.failed; i++)
        read_slot(&r, factory, m);
    m->outcome_count = read_count(&r, IMAGE_OUTCOMES_MAX);
    for (uint8_t i = 0; i < m->outcome_count; i++)
        read_outcome(&r, &m->outcomes[i]);
    m->last_counter = reader_u40(&r);
    if (m->last_counter != 0)
        read_outcome(&r, &m->last);
    m->pending_count = read_count(&r, IMAGE_PENDING_MAX);
    for (uint8_t i = 0; i < m->pending_count; i++)
        read_pending(&r, &m->pending[i]);
    parameters_default(&m->parameters);
    struct bytes list = reader_rest(&r);
    if (r.failed)
        return false;
    if (list.len > 0 && parameters_apply(&m->parameters, list, NULL) != PARAMETER_OK)
        return false;
    return image_is_sound(m) && is_sound_journal(m);
}

#include "applet/commands.h"

#include "applet/clocks.h"
#include "applet/notify.h"
#include "applet/select.h"
#include "applet/toolkit.h"
#include "common/base/secret.h"
#include "common/wire/ident.h"

// A turn and what is brought to it: nothing of them overlaps.
/*@ predicate turn_is_ours{L}(struct turn *t, struct command *c, struct outcome *o) =
  @   \valid(t) && image_is_valid(t->image) && \valid_read(c) && \valid(o) &&
  @   \separated(t, t->image, o, c);
  @*/

static const struct applet_template *template_of(const struct applet_port *port, uint8_t number)
{
    for (uint8_t i = 0; i < port->factory->template_count; i++) {
        if (port->factory->templates[i].number == number)
            return &port->factory->templates[i];
    }
    return NULL;
}

/*@ requires \valid(o);
  @ assigns o->has_pair, o->first, o->second;
  @*/
static void pair(struct outcome *o, unsigned first, unsigned second)
{
    o->has_pair = true;
    o->first = (uint8_t)first;
    o->second = (uint8_t)second;
}

static bool fits(const struct turn *t)
{
    size_t capacity = memory_capacity(t->port);
    return image_need(t->image, t->port->work->bank, capacity) <= capacity;
}

static bool can_refresh(const struct turn *t)
{
    return (t->a->terminal & TERMINAL_REFRESH) != 0;
}

static bool is_switching(const struct turn *t)
{
    return t->image->journal.phase != JOURNAL_NONE;
}

static void plan_switch(struct turn *t, const struct command *c, uint8_t to)
{
    t->order = (struct order){
        .to = to,
        .may_roll_back = (c->flags & COMMAND_FLAG_ROLLBACK) != 0,
        .set_fallback = c->number == COMMAND_DOWNLOAD && // of another command it is passed over
                        (c->flags & COMMAND_FLAG_SET_FALLBACK) != 0,
        .operation_id = c->operation_id,
    };
    turn_feed(t, EVENT_COMMAND);
}

static void prefer(struct image *m, uint8_t slot_index)
{
    m->preferred = slot_index;
    m->is_automatic = false;
    m->return_doublings = 0;
    m->dues.back = 0;
    m->dues.reuse = 0;
}

// --- DOWNLOAD ---

static bool is_number(struct bytes b)
{
    return b.len == 0 || phone_is_octets(b);
}

// What no form can say; lengths were judged with it (command_read()).
static bool is_in_range(const struct command *c)
{
    const struct command_download *d = &c->download;
    char text[ICCID_SIZE];
    if (!imsi_read(d->imsi, text))
        return false;
    if (d->iccid.is_given && !iccid_read(d->iccid.iccid, text))
        return false;
    if (d->has_role && d->role > ROLE_TEST)
        return false;
    if (d->has_rank && d->rank == 0)
        return false;
    if (d->has_mnc_length && d->mnc_length != 2 && d->mnc_length != 3)
        return false;
    if (d->has_marks &&
        (d->marks & ~(SLOT_MARK_NO_DISABLE | SLOT_MARK_NO_DELETE | SLOT_MARK_NOT_AUTO)) != 0)
        return false;
    bool is_alone =
        (c->flags & (COMMAND_FLAG_ENABLE | COMMAND_FLAG_SET_FALLBACK)) == COMMAND_FLAG_SET_FALLBACK;
    return is_number(d->smsc) && is_number(d->msisdn) && !is_alone;
}

static bool is_installed(const struct image *m, const struct command_download *d)
{
    struct subscription_name imsi = {.is_given = true, .is_iccid = false};
    memcpy(imsi.imsi, d->imsi, sizeof imsi.imsi);
    return image_find(m, &imsi) != IMAGE_NO_SLOT || image_find(m, &d->iccid) != IMAGE_NO_SLOT;
}

/*@ requires image_is_valid((struct image *)m);
  @ assigns \result \from *m;
  @ ensures \result == IMAGE_NO_SLOT || \result < m->slot_count;
  @ ensures \result != IMAGE_NO_SLOT ==> m->slots[\result].state == SLOT_EMPTY;
  @*/
static uint8_t free_slot(const struct image *m)
{
    /*@ loop invariant 0 <= i <= m->slot_count;
      @ loop assigns i;
      @ loop variant m->slot_count - i;
      @*/
    for (uint8_t i = 0; i < m->slot_count; i++) {
        if (m->slots[i].state == SLOT_EMPTY)
            return i;
    }
    return IMAGE_NO_SLOT;
}

static void copy_number(struct dialling *to, struct bytes from)
{
    to->len = (uint8_t)from.len;
    if (from.len > 0)
        memcpy(to->octets, from.at, from.len);
}

// Everything but the keys, which are not yet open; their lengths count for the memory.
static void fill_slot(struct slot *s, const struct command_download *d,
                      const struct applet_template *from)
{
    memset(s, 0, sizeof *s);
    s->state = SLOT_DISABLED;
    s->template_number = from->number;
    s->role = d->has_role ? d->role : from->role;
    s->rank = d->has_rank ? d->rank : from->rank;
    s->rank = s->rank == 0 ? 1 : s->rank;
    s->marks = d->has_marks ? d->marks : from->marks;
    s->mnc_length = d->has_mnc_length ? d->mnc_length : from->mnc_length;
    s->mnc_length = s->mnc_length == 3 ? 3 : 2;
    memcpy(s->imsi, d->imsi, sizeof s->imsi);
    s->has_iccid = d->iccid.is_given;
    if (s->has_iccid)
        memcpy(s->iccid, d->iccid.iccid, sizeof s->iccid);
    s->smsc = from->smsc;
    if (d->smsc.len > 0)
        copy_number(&s->smsc, d->smsc);
    copy_number(&s->msisdn, d->msisdn);
    s->plmns_len = (uint8_t)d->plmns.len;
    if (d->plmns.len > 0)
        memcpy(s->plmns, d->plmns.at, d->plmns.len);
    s->keys.k.len = d->wrapped_keys.len == 64 ? 32 : 16;
    s->keys.op.len = (uint8_t)(d->wrapped_keys.len - s->keys.k.len);
}

static uint8_t enable_guards(const struct turn *t)
{
    const struct slot *current = &t->image->slots[image_enabled(t->image)];
    if ((current->marks & SLOT_MARK_NO_DISABLE) != 0)
        return RESULT_POLICY_FORBIDS;
    if (!can_refresh(t))
        return RESULT_TERMINAL_INCAPABLE;
    return RESULT_OK;
}

// The slot is filled; whatever fails from here on empties it again.
static uint8_t open_keys(struct turn *t, const struct command *c, struct slot *s)
{
    if (!fits(t))
        return RESULT_NO_MEMORY;
    struct network_keys keys;
    enum keywrap_status status =
        keywrap_open(t->port->cipher, &t->port->factory->kik, c->operation_id, &c->download, &keys);
    if (status == KEYWRAP_OK)
        s->keys = keys;
    secret_wipe(&keys, sizeof keys);
    if (status != KEYWRAP_OK)
        return RESULT_KEY_CHECK_FAILED;
    return (c->flags & COMMAND_FLAG_ENABLE) != 0 ? enable_guards(t) : RESULT_OK;
}

static void run_download(struct turn *t, const struct command *c, struct outcome *o)
{
    struct image *m = t->image;
    const struct applet_template *from = template_of(t->port, c->download.template_number);
    uint8_t slot_index = free_slot(m);
    if (from == NULL)
        o->code = RESULT_TEMPLATE_UNKNOWN;
    else if (!is_in_range(c))
        o->code = RESULT_BAD_DATA;
    else if (is_installed(m, &c->download))
        o->code = RESULT_ALREADY_INSTALLED;
    else if (slot_index == IMAGE_NO_SLOT)
        o->code = RESULT_NO_FREE_SLOT;
    if (o->code != RESULT_OK)
        return;
    struct slot *s = &m->slots[slot_index];
    fill_slot(s, &c->download, from);
    o->code = open_keys(t, c, s);
    if (o->code != RESULT_OK) {
        secret_wipe(s, sizeof *s);
        return;
    }
    m->registry_version++;
    image_forget(m, slot_index);
    pair(o, slot_index + 1u, image_free_slots(m));
    if ((c->flags & COMMAND_FLAG_ENABLE) != 0) {
        o->code = RESULT_OK_PENDING;
        plan_switch(t, c, slot_index);
    }
}

// --- ENABLE, DELETE, SET-FALLBACK ---

static void run_enable(struct turn *t, const struct command *c, struct outcome *o)
{
    struct image *m = t->image;
    uint8_t to = image_find(m, &c->target);
    uint8_t current = image_enabled(m);
    if (to == IMAGE_NO_SLOT) {
        o->code = RESULT_NOT_FOUND;
        return;
    }
    if (to == current) {
        prefer(m, to);
        o->code = RESULT_OK_UNCHANGED;
        pair(o, current + 1u, to + 1u);
        return;
    }
    o->code = enable_guards(t);
    if (o->code != RESULT_OK)
        return;
    o->code = RESULT_OK_PENDING;
    pair(o, current + 1u, to + 1u);
    plan_switch(t, c, to);
}

// Neither the enabled nor the fallback subscription is ever deleted.
/*@ requires image_is_valid((struct image *)m);
  @ requires slot_index == IMAGE_NO_SLOT || is_used((struct image *)m, slot_index);
  @ assigns \result \from *m, slot_index;
  @ ensures \result == RESULT_OK ==> is_used((struct image *)m, slot_index) &&
  @   !is_enabled((struct image *)m, slot_index) && !is_fallback((struct image *)m, slot_index);
  @*/
static uint8_t delete_guards(const struct image *m, uint8_t slot_index)
{
    if (slot_index == IMAGE_NO_SLOT)
        return RESULT_NOT_FOUND;
    const struct slot *s = &m->slots[slot_index];
    if (s->state == SLOT_ENABLED)
        return RESULT_IS_ENABLED;
    if (s->is_fallback)
        return RESULT_IS_FALLBACK;
    return (s->marks & SLOT_MARK_NO_DELETE) != 0 ? RESULT_POLICY_FORBIDS : RESULT_OK;
}

/*@ requires turn_is_ours(t, c, o);
  @ requires one_is_enabled(t->image) && one_is_fallback(t->image);
  @ assigns *o, t->is_scrub, t->image->slots[0 .. IMAGE_SLOTS_MAX - 1], t->image->registry_version,
  @   t->image->preferred, t->image->dues, t->image->search;
  @ ensures one_is_enabled(t->image) && one_is_fallback(t->image);
  @ ensures o->code != RESULT_OK ==> is_untouched{Pre, Post}(t->image);
  @ ensures o->code == RESULT_OK ==>
  @   t->image->registry_version == (uint32_t)(\old(t->image->registry_version) + 1);
  @*/
static void run_delete(struct turn *t, const struct command *c, struct outcome *o)
{
    struct image *m = t->image;
    uint8_t slot_index = image_find(m, &c->target);
    o->code = delete_guards(m, slot_index);
    //@ assert is_untouched{Pre, Here}(m);
    //@ assert is_same_use{Pre, Here}(m);
    if (o->code != RESULT_OK)
        return;
    t->is_scrub = true;
    //@ assert is_untouched{Pre, Here}(m);
    pair(o, slot_index + 1u, image_free_slots(m) + 1u); // with the one that becomes free
    //@ assert is_untouched{Pre, Here}(m);
    //@ assert is_same_use{Pre, Here}(m);
    image_delete(m, slot_index);
    //@ assert o->code == RESULT_OK;
}

/*@ requires image_is_valid((struct image *)m);
  @ requires slot_index == IMAGE_NO_SLOT || is_used((struct image *)m, slot_index);
  @ assigns \result \from *m, slot_index, is_forced;
  @ ensures \result < RESULT_NOT_FOUND ==> is_used((struct image *)m, slot_index);
  @*/
static uint8_t fallback_guards(const struct image *m, uint8_t slot_index, bool is_forced)
{
    if (slot_index == IMAGE_NO_SLOT)
        return RESULT_NOT_FOUND;
    const struct slot *s = &m->slots[slot_index];
    if (s->is_fallback)
        return RESULT_OK_UNCHANGED;
    return s->is_proven || is_forced ? RESULT_OK : RESULT_NOT_PROVEN;
}

/*@ requires turn_is_ours(t, c, o);
  @ requires one_is_enabled(t->image) && one_is_fallback(t->image);
  @ assigns *o, t->image->slots[0 .. IMAGE_SLOTS_MAX - 1].is_fallback,
  @   t->image->registry_version;
  @ ensures one_is_fallback(t->image);
  @ ensures o->code >= RESULT_NOT_FOUND ==> is_untouched{Pre, Post}(t->image);
  @*/
static void run_set_fallback(struct turn *t, const struct command *c, struct outcome *o)
{
    struct image *m = t->image;
    uint8_t slot_index = image_find(m, &c->target);
    uint8_t former = image_fallback(m);
    o->code = fallback_guards(m, slot_index, (c->flags & COMMAND_FLAG_FORCE) != 0);
    //@ assert is_untouched{Pre, Here}(m);
    //@ assert is_same_use{Pre, Here}(m);
    if (o->code >= RESULT_NOT_FOUND)
        return;
    pair(o, former + 1u, slot_index + 1u);
    //@ assert is_untouched{Pre, Here}(m);
    //@ assert is_same_use{Pre, Here}(m);
    image_set_fallback(m, slot_index);
    //@ assert o->code < RESULT_NOT_FOUND;
}

// --- CONFIGURE ---

// Bit n for parameter n; bit 0 for a number that is none.
static uint32_t bit_of(uint8_t number)
{
    return number >= 1 && number <= PARAMETER_LAST ? UINT32_C(1) << number : 1;
}

#define ALL_PARAMETERS ((UINT32_C(1) << (PARAMETER_LAST + 1)) - 2)

static uint32_t written_by(const struct command_configure *c)
{
    uint32_t mask = 0;
    struct reader writes = reader_of(c->writes);
    while (writes.left > 0 && !writes.failed) {
        mask |= bit_of(reader_u8(&writes));
        reader_skip(&writes, reader_u8(&writes));
    }
    return mask;
}

static uint32_t asked_for(const struct command_configure *c)
{
    uint32_t mask = written_by(c);
    struct reader reads = reader_of(c->reads);
    if (c->reads.len == 1 && c->reads.at[0] == 0xFF)
        mask |= ALL_PARAMETERS;
    else
        while (reads.left > 0)
            mask |= bit_of(reader_u8(&reads));
    return mask;
}

// The address that is being tried is given up.
static void forget_address(struct turn *t)
{
    struct image *m = t->image;
    m->address_new.len = 0;
    for (uint8_t i = m->pending_count; i > 0; i--) {
        if (m->pending[i - 1].cause == NOTIFY_ADDRESS_CHECK)
            notify_remove(t, (uint8_t)(i - 1));
    }
}

// A new address is tried by one notification before it counts.
static void try_address(struct turn *t, struct parameters *next)
{
    struct image *m = t->image;
    const struct parameters *now = &m->parameters;
    struct bytes former = bytes_of(now->server_address, now->server_address_len);
    struct bytes wanted = bytes_of(next->server_address, next->server_address_len);
    forget_address(t);
    if (bytes_equal(former, wanted))
        return;
    copy_number(&m->address_new, wanted);
    next->server_address_len = now->server_address_len;
    memcpy(next->server_address, now->server_address, sizeof next->server_address);
    const struct subscription_name none = {.is_given = false};
    notify_queue(t, NOTIFY_ADDRESS_CHECK, none, none, 0);
}

// What new values change at once.
static void apply_to_times(struct turn *t, const struct parameters *former)
{
    struct applet *a = t->a;
    struct image *m = t->image;
    const struct parameters *p = &m->parameters;
    if (p->heartbeat_h != former->heartbeat_h)
        m->dues.heartbeat = p->heartbeat_h != 0 ? a->now_s + p->heartbeat_h * 3600u : 0;
    if (p->poll_period_s != former->poll_period_s) {
        a->poll_period_s = p->poll_period_s;
        a->todo |= (a->terminal & TERMINAL_POLLING) != 0 ? TODO_POLL : 0;
    }
    if (p->return_s != former->return_s && m->is_automatic)
        m->dues.back =
            p->return_s != 0 ? a->now_s + select_return_s(m, t->port->random(t->port->context)) : 0;
    if (p->reuse_limit_d != former->reuse_limit_d && m->is_automatic)
        m->dues.reuse = p->reuse_limit_d != 0 ? a->now_s + p->reuse_limit_d * 86400u : 0;
    a->is_country_stable = false;
    if (a->has_plmn)
        clock_set(a, CLOCK_COUNTRY, p->country_s);
}

static void run_configure(struct turn *t, const struct command *c, struct outcome *o)
{
    struct image *m = t->image;
    struct parameters former = m->parameters;
    struct parameters next = m->parameters;
    enum parameter_status status = PARAMETER_OK;
    if (c->configure.writes.len > 0)
        status = parameters_apply(&next, c->configure.writes, NULL);
    if (status == PARAMETER_MALFORMED)
        o->code = RESULT_BAD_FORMAT;
    else if (status == PARAMETER_UNKNOWN || (asked_for(&c->configure) & 1) != 0)
        o->code = RESULT_UNKNOWN_PARAMETER;
    else if (status == PARAMETER_OUT_OF_RANGE)
        o->code = RESULT_OUT_OF_RANGE;
    if (o->code != RESULT_OK || c->configure.writes.len == 0)
        return;
    m->parameters = next;
    struct bytes address = bytes_of(next.server_address, next.server_address_len);
    bool is_moved =
        !bytes_equal(address, bytes_of(former.server_address, former.server_address_len));
    if (!fits(t) || (is_moved && !notify_has_room(m))) {
        m->parameters = former;
        o->code = RESULT_NO_MEMORY;
        return;
    }
    m->parameters = former;
    if ((written_by(&c->configure) & bit_of(PARAMETER_SERVER_ADDR)) != 0)
        try_address(t, &next);
    m->parameters = next;
    m->configuration_version++;
    apply_to_times(t, &former);
}

// --- CONFIRM ---

static bool is_being_rolled_back(const struct image *m, const struct pending *p)
{
    return p->cause == NOTIFY_ENABLED && m->journal.phase != JOURNAL_NONE &&
           m->journal.operation_id == p->operation_id && m->journal.phase != JOURNAL_CONFIRMING;
}

static void run_confirm(struct turn *t, const struct command *c, struct outcome *o)
{
    struct image *m = t->image;
    uint8_t index = notify_find(m, c->confirm.sequence);
    if (index == IMAGE_PENDING_MAX || m->pending[index].operation_id != c->operation_id) {
        o->code = RESULT_CONFIRM_UNKNOWN;
        return;
    }
    struct pending p = m->pending[index];
    if (is_being_rolled_back(m, &p)) {
        o->code = RESULT_CONFIRM_TOO_LATE;
        return;
    }
    notify_remove(t, index);
    if (p.cause == NOTIFY_ADDRESS_CHECK && m->address_new.len > 0) {
        m->parameters.server_address_len = m->address_new.len;
        memcpy(m->parameters.server_address, m->address_new.octets, m->address_new.len);
        m->address_new.len = 0;
        m->configuration_version++;
    }
    if (p.cause != NOTIFY_ENABLED)
        return;
    uint8_t slot_index = image_find(m, &p.to);
    if (slot_index == image_enabled(m))
        prefer(m, slot_index);
    if (p.set_fallback)
        image_set_fallback(m, slot_index);
    if (m->journal.phase == JOURNAL_CONFIRMING && m->journal.sequence == p.sequence)
        turn_feed(t, EVENT_CONFIRM);
}

// --- all of them ---

static void run_changing(struct turn *t, const struct command *c, struct outcome *o)
{
    switch ((enum command_number)c->number) {
    case COMMAND_DOWNLOAD:
        run_download(t, c, o);
        break;
    case COMMAND_ENABLE:
        run_enable(t, c, o);
        break;
    case COMMAND_DELETE:
        run_delete(t, c, o);
        break;
    case COMMAND_SET_FALLBACK:
        run_set_fallback(t, c, o);
        break;
    case COMMAND_CONFIGURE:
        run_configure(t, c, o);
        break;
    case COMMAND_AUDIT:
    case COMMAND_CONFIRM:
        break;
    }
}

// Format and number; false when one of them decided.
static bool read_command(const struct turn *t, struct bytes data, struct command *c,
                         struct outcome *o)
{
    enum command_read_status status = command_read(data, c);
    o->command = c->number;
    o->operation_id = c->operation_id;
    // What is no command has no form either.
    bool is_known = status != COMMAND_READ_UNKNOWN &&
                    (c->number != COMMAND_CONFIGURE || t->port->factory->level >= 2);
    if (!is_known)
        o->code = RESULT_UNKNOWN_COMMAND;
    else if (status == COMMAND_READ_BAD_FORMAT)
        o->code = RESULT_BAD_FORMAT;
    return o->code == RESULT_OK;
}

static bool digest_of(const struct turn *t, struct bytes data, uint8_t digest[4])
{
    uint8_t whole[CIPHER_SHA256_SIZE];
    if (!t->port->cipher->sha256(t->port->cipher->context, &data, 1, whole))
        return false;
    memcpy(digest, whole, 4);
    return true;
}

// Whether the operation has still to run; otherwise `o` says why not.
static bool is_new_operation(const struct turn *t, struct outcome *o)
{
    const struct outcome *stored = image_outcome(t->image, o->operation_id);
    if (stored == NULL) {
        if (o->operation_id > t->image->operation_id_highest)
            return true;
        o->code = RESULT_OPID_EXPIRED;
        return false;
    }
    if (!secret_equal(stored->digest, o->digest, sizeof o->digest)) {
        o->code = RESULT_OPID_REUSED;
        return false;
    }
    *o = *stored;
    o->is_replayed = true;
    return false;
}

static bool is_write(const struct command *c)
{
    return c->number != COMMAND_CONFIGURE || c->configure.writes.len > 0;
}

// A switch is open, or the outcome of one more could not be kept.
static bool is_busy(const struct turn *t, const struct command *c)
{
    bool can_switch = c->number == COMMAND_ENABLE ||
                      (c->number == COMMAND_DOWNLOAD && (c->flags & COMMAND_FLAG_ENABLE) != 0);
    return (is_switching(t) && is_write(c)) || (can_switch && !notify_has_room(t->image));
}

static void complete(const struct turn *t, struct outcome *o)
{
    o->registry_version = t->image->registry_version;
    struct audit_slot slots[COMMAND_SLOTS_MAX];
    uint8_t count = image_audit_slots(t->image, slots);
    if (t->port->factory->level < 2 || !state_hash(t->port->cipher, slots, count, o->state_hash))
        memset(o->state_hash, 0, sizeof o->state_hash);
}

// True when the result is to be stored under its operation id.
static bool run_operation(struct turn *t, struct bytes data, const struct command *c,
                          struct outcome *o)
{
    if (!digest_of(t, data, o->digest)) {
        o->code = RESULT_NVM_ERROR;
        return false;
    }
    if (!is_new_operation(t, o))
        return false;
    if (is_busy(t, c)) {
        o->code = RESULT_BUSY_SWITCHING;
        return false;
    }
    run_changing(t, c, o);
    return true;
}

static void fill_answer(const struct command *c, struct applet_answer *answer)
{
    answer->has_result = true;
    answer->audit = c->audit;
    answer->reads = c->number == COMMAND_CONFIGURE ? asked_for(&c->configure) : 0;
}

void commands_run(struct turn *t, struct bytes data, struct applet_answer *answer)
{
    struct command c = {.number = 0};
    struct outcome *o = &answer->outcome;
    memset(o, 0, sizeof *o);
    bool is_good = read_command(t, data, &c, o);
    if (is_good)
        fill_answer(&c, answer);
    answer->has_result = true;
    if (is_good && c.number == COMMAND_AUDIT) {
        complete(t, o);
        return;
    }
    bool is_stored = false;
    if (is_good && c.number == COMMAND_CONFIRM)
        run_confirm(t, &c, o);
    else if (is_good)
        is_stored = run_operation(t, data, &c, o);
    complete(t, o);
    if (is_stored)
        image_remember(t->image, o);
    t->image->last = *o;
    t->image->last_counter = answer->counter;
    t->is_changed = true;
}

bool commands_repeat(struct turn *t, struct bytes data, struct applet_answer *answer)
{
    struct command c = {.number = 0};
    struct outcome *o = &answer->outcome;
    memset(o, 0, sizeof *o);
    bool is_good = read_command(t, data, &c, o);
    if (is_good)
        fill_answer(&c, answer);
    answer->has_result = true;
    if (is_good && c.number == COMMAND_AUDIT) {
        complete(t, o);
        return true;
    }
    *o = t->image->last;
    return t->image->last_counter == answer->counter;
}

void commands_failed(const struct turn *t, struct applet_answer *answer)
{
    struct outcome *o = &answer->outcome;
    o->code = t->failed == MEMORY_FULL ? RESULT_NO_MEMORY : RESULT_NVM_ERROR;
    o->has_pair = false;
    o->is_replayed = false;
    if (memory_load(t->a, t->port))
        complete(t, o);
}

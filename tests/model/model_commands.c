// Commands: packets, operation ids, guards in their order, effects.
#include "tests/model/model.h"

static bool can_refresh(const struct model_card *m)
{
    return (m->terminal & TERMINAL_REFRESH) != 0;
}

static void pair(struct model_answer *a, unsigned first, unsigned second)
{
    a->has_pair = true;
    a->first = (uint8_t)first;
    a->second = (uint8_t)second;
}

static unsigned free_slots(const struct model_card *m)
{
    unsigned count = 0;
    for (uint8_t i = 0; i < m->factory->slot_count; i++)
        count += !m->slots[i].is_used;
    return count;
}

// A command is the last word: where the card is now is where it is wanted.
static void prefer(struct model_card *m, uint8_t slot)
{
    m->preferred = slot;
    m->is_automatic = false;
    m->return_doublings = 0;
    m->back.is_on = m->reuse.is_on = false;
}

static void move_fallback(struct model_card *m, uint8_t slot)
{
    if (slot == MODEL_NONE || m->slots[slot].is_fallback)
        return;
    m->slots[model_fallback(m)].is_fallback = false;
    m->slots[slot].is_fallback = true;
    m->registry_version++;
}

static void forget_tries(struct model_card *m, uint8_t slot)
{
    m->cool[slot] = (struct model_time){.is_on = false};
    m->search.tried[slot] = m->search.failed[slot] = false;
}

// A notification that a command causes is never dropped: at most as many as there are places.
static bool has_room_for_outcome(const struct model_card *m)
{
    for (unsigned i = 0; i < m->note_count; i++) {
        if (m->notes[i].operation_id == 0 && m->notes[i].cause != NOTIFY_ADDRESS_CHECK)
            return true;
    }
    return m->note_count < MODEL_NOTES;
}

// --- DOWNLOAD --------------------------------------------------------------------------------

static const struct applet_template *template_of(const struct model_card *m, uint8_t number)
{
    for (uint8_t i = 0; i < m->factory->template_count; i++) {
        if (m->factory->templates[i].number == number)
            return &m->factory->templates[i];
    }
    return NULL;
}

static bool are_values_good(const struct command *c)
{
    const struct command_download *d = &c->download;
    const bool takes = (c->flags & COMMAND_FLAG_SET_FALLBACK) != 0;
    return model_is_imsi(d->imsi) && (!d->iccid.is_given || model_is_iccid(d->iccid.iccid)) &&
           !(d->has_role && d->role > ROLE_TEST) && !(d->has_rank && d->rank == 0) &&
           !(d->has_mnc_length && d->mnc_length != 2 && d->mnc_length != 3) &&
           !(d->has_marks && d->marks > 7) && (d->smsc.len == 0 || model_is_number(d->smsc)) &&
           (d->msisdn.len == 0 || model_is_number(d->msisdn)) &&
           (!takes || (c->flags & COMMAND_FLAG_ENABLE) != 0);
}

static void number_of(struct dialling *to, struct bytes from)
{
    to->len = (uint8_t)from.len;
    if (from.len > 0)
        memcpy(to->octets, from.at, from.len);
}

static void install(struct model_slot *s, const struct command_download *d,
                    const struct applet_template *t)
{
    *s = (struct model_slot){
        .is_used = true,
        .has_iccid = d->iccid.is_given,
        .template_number = t->number,
        .role = d->has_role ? d->role : t->role,
        .rank = d->has_rank ? d->rank : t->rank,
        .marks = d->has_marks ? d->marks : t->marks,
        .mnc_length = d->has_mnc_length ? d->mnc_length : t->mnc_length,
        .smsc = t->smsc,
        .plmns_len = (uint8_t)d->plmns.len,
    };
    memcpy(s->imsi, d->imsi, sizeof s->imsi);
    if (s->has_iccid)
        memcpy(s->iccid, d->iccid.iccid, sizeof s->iccid);
    if (d->smsc.len > 0)
        number_of(&s->smsc, d->smsc);
    number_of(&s->msisdn, d->msisdn);
    if (d->plmns.len > 0)
        memcpy(s->plmns, d->plmns.at, d->plmns.len);
}

static uint8_t guards_of_enable(const struct model_card *m)
{
    if ((m->slots[model_enabled(m)].marks & SLOT_MARK_NO_DISABLE) != 0)
        return RESULT_POLICY_FORBIDS;
    return can_refresh(m) ? RESULT_OK : RESULT_TERMINAL_INCAPABLE;
}

static uint8_t guards_of_download(const struct model_card *m, const struct model_packet *p)
{
    const struct command *c = &p->command;
    struct subscription_name imsi = {.is_given = true};
    memcpy(imsi.imsi, c->download.imsi, sizeof imsi.imsi);
    if (template_of(m, c->download.template_number) == NULL)
        return RESULT_TEMPLATE_UNKNOWN;
    if (!are_values_good(c))
        return RESULT_BAD_DATA;
    if (model_find(m, &c->download.iccid) != MODEL_NONE || model_find(m, &imsi) != MODEL_NONE)
        return RESULT_ALREADY_INSTALLED;
    if (free_slots(m) == 0)
        return RESULT_NO_FREE_SLOT;
    if (m->is_full)
        return RESULT_NO_MEMORY;
    if (!p->are_keys_good)
        return RESULT_KEY_CHECK_FAILED;
    return (c->flags & COMMAND_FLAG_ENABLE) != 0 ? guards_of_enable(m) : RESULT_OK;
}

static void download(struct model_card *m, const struct model_packet *p, struct model_answer *a)
{
    a->code = guards_of_download(m, p);
    if (a->code != RESULT_OK)
        return;
    uint8_t slot = 0;
    while (m->slots[slot].is_used)
        slot++;
    const struct command_download *d = &p->command.download;
    install(&m->slots[slot], d, template_of(m, d->template_number));
    forget_tries(m, slot);
    m->registry_version++;
    pair(a, slot + 1u, free_slots(m));
    if ((p->command.flags & COMMAND_FLAG_ENABLE) == 0)
        return;
    a->code = RESULT_OK_PENDING;
    model_order(m, &p->command, slot, p->by_message);
}

// --- the others ------------------------------------------------------------------------------

static void enable(struct model_card *m, const struct model_packet *p, struct model_answer *a)
{
    const uint8_t to = model_find(m, &p->command.target);
    const uint8_t on = model_enabled(m);
    a->code = to == MODEL_NONE ? RESULT_NOT_FOUND
              : to == on       ? RESULT_OK_UNCHANGED
                               : guards_of_enable(m);
    if (a->code == RESULT_OK)
        a->code = RESULT_OK_PENDING;
    if (a->code == RESULT_OK_UNCHANGED)
        prefer(m, to);
    if (a->code == RESULT_OK_UNCHANGED || a->code == RESULT_OK_PENDING)
        pair(a, on + 1u, to + 1u);
    if (a->code == RESULT_OK_PENDING)
        model_order(m, &p->command, to, p->by_message);
}

static void remove_slot(struct model_card *m, const struct model_packet *p, struct model_answer *a)
{
    const uint8_t slot = model_find(m, &p->command.target);
    if (slot == MODEL_NONE)
        a->code = RESULT_NOT_FOUND;
    else if (m->slots[slot].is_enabled)
        a->code = RESULT_IS_ENABLED;
    else if (m->slots[slot].is_fallback)
        a->code = RESULT_IS_FALLBACK;
    else if ((m->slots[slot].marks & SLOT_MARK_NO_DELETE) != 0)
        a->code = RESULT_POLICY_FORBIDS;
    if (a->code != RESULT_OK)
        return;
    m->slots[slot] = (struct model_slot){.is_used = false};
    m->registry_version++;
    forget_tries(m, slot);
    if (m->preferred == slot) {
        m->preferred = MODEL_NONE;
        m->back.is_on = m->reuse.is_on = false;
    }
    pair(a, slot + 1u, free_slots(m));
}

static void set_fallback(struct model_card *m, const struct model_packet *p, struct model_answer *a)
{
    const uint8_t slot = model_find(m, &p->command.target);
    const uint8_t was = model_fallback(m);
    const bool is_forced = (p->command.flags & COMMAND_FLAG_FORCE) != 0;
    if (slot == MODEL_NONE)
        a->code = RESULT_NOT_FOUND;
    else if (slot == was)
        a->code = RESULT_OK_UNCHANGED;
    else if (!m->slots[slot].is_proven && !is_forced)
        a->code = RESULT_NOT_PROVEN;
    if (a->code != RESULT_OK && a->code != RESULT_OK_UNCHANGED)
        return;
    pair(a, was + 1u, slot + 1u);
    move_fallback(m, slot);
}

// Whether a list of parameters to write names this one.
static bool writes(struct bytes list, uint8_t number)
{
    bool is_there = false;
    for (size_t at = 0; at + 1 < list.len; at += 2u + list.at[at + 1])
        is_there |= list.at[at] == number;
    return is_there;
}

static bool is_same_address(const struct parameters *a, const struct parameters *b)
{
    return a->server_address_len == b->server_address_len &&
           memcmp(a->server_address, b->server_address, a->server_address_len) == 0;
}

// A new address is tried first.
static void change_address(struct model_card *m, struct parameters *next)
{
    const struct parameters *now = &m->parameters;
    m->address_new.len = 0;
    for (unsigned i = m->note_count; i > 0; i--) {
        if (m->notes[i - 1].cause == NOTIFY_ADDRESS_CHECK)
            model_drop(m, i - 1);
    }
    if (is_same_address(next, now))
        return;
    number_of(&m->address_new, bytes_of(next->server_address, next->server_address_len));
    next->server_address_len = now->server_address_len;
    memcpy(next->server_address, now->server_address, sizeof next->server_address);
    const struct subscription_name none = {.is_given = false};
    model_queue(m, NOTIFY_ADDRESS_CHECK, none, none, 0);
}

static void configure(struct model_card *m, const struct model_packet *p, struct model_answer *a)
{
    const struct command_configure *c = &p->command.configure;
    struct parameters next = m->parameters;
    a->code = model_parameters(&next, c);
    if (a->code != RESULT_OK || c->writes.len == 0)
        return;
    const struct parameters was = m->parameters;
    const bool has_room = is_same_address(&next, &was) || has_room_for_outcome(m);
    if (m->is_full || !has_room) {
        a->code = RESULT_NO_MEMORY; // or there is none for the notification that tries it
        return;
    }
    if (writes(c->writes, PARAMETER_SERVER_ADDR))
        change_address(m, &next);
    m->parameters = next;
    m->configuration_version++;
    if (next.heartbeat_h != was.heartbeat_h)
        m->heartbeat_due = next.heartbeat_h != 0 ? m->now + next.heartbeat_h * 3600u : 0;
    if (next.return_s != was.return_s && m->is_automatic)
        m->back = model_return_time(m);
    if (next.reuse_limit_d != was.reuse_limit_d && m->is_automatic)
        m->reuse =
            (struct model_time){next.reuse_limit_d != 0, m->now + next.reuse_limit_d * 86400u,
                                m->now + next.reuse_limit_d * 86400u};
    // The table may be another one: the country counts anew.
    m->is_country_stable = false;
    if (m->has_plmn)
        m->country_clock = (struct model_time){true, next.country_s, next.country_s};
}

static void confirm(struct model_card *m, const struct model_packet *p, struct model_answer *a)
{
    const struct command *c = &p->command;
    unsigned i = 0;
    while (i < m->note_count && (m->notes[i].sequence != c->confirm.sequence ||
                                 m->notes[i].operation_id != c->operation_id))
        i++;
    if (i == m->note_count) {
        a->code = RESULT_CONFIRM_UNKNOWN;
        return;
    }
    const struct model_note n = m->notes[i];
    const bool is_of_open = m->open.phase != JOURNAL_NONE && n.cause == NOTIFY_ENABLED &&
                            m->open.operation_id == n.operation_id;
    if (is_of_open && m->open.phase != JOURNAL_CONFIRMING) {
        a->code = RESULT_CONFIRM_TOO_LATE;
        return;
    }
    model_drop(m, i);
    if (n.cause == NOTIFY_ADDRESS_CHECK && m->address_new.len > 0) {
        m->parameters.server_address_len = m->address_new.len;
        memcpy(m->parameters.server_address, m->address_new.octets, m->address_new.len);
        m->address_new.len = 0;
        m->configuration_version++;
    }
    if (n.cause != NOTIFY_ENABLED)
        return;
    const uint8_t slot = model_find(m, &n.to);
    if (slot == model_enabled(m))
        prefer(m, slot);
    if (n.takes_fallback)
        move_fallback(m, slot);
    if (is_of_open)
        model_confirmed(m);
}

// --- all of them -----------------------------------------------------------------------------

static const struct model_kept *kept_of(const struct model_card *m, uint32_t operation_id)
{
    for (unsigned i = 0; i < m->kept_count; i++) {
        if (m->kept[i].answer.operation_id == operation_id)
            return &m->kept[i];
    }
    return NULL;
}

static void keep(struct model_card *m, const struct model_packet *p, const struct model_answer *a)
{
    if (m->kept_count == MODEL_KEPT) {
        for (unsigned i = 1; i < MODEL_KEPT; i++)
            m->kept[i - 1] = m->kept[i];
        m->kept_count--;
    }
    m->kept[m->kept_count++] = (struct model_kept){.body = p->body, .answer = *a};
    m->operation_id_highest = a->operation_id;
}

static void run_operation(struct model_card *m, const struct model_packet *p,
                          struct model_answer *a)
{
    const struct command *c = &p->command;
    const struct model_kept *kept = kept_of(m, c->operation_id);
    if (kept != NULL && kept->body == p->body) {
        *a = kept->answer;
        a->is_replayed = true;
        return;
    }
    if (kept != NULL || c->operation_id <= m->operation_id_highest) {
        a->code = kept != NULL ? RESULT_OPID_REUSED : RESULT_OPID_EXPIRED;
        return;
    }
    const bool is_read = c->number == COMMAND_CONFIGURE && c->configure.writes.len == 0;
    const bool switches = c->number == COMMAND_ENABLE ||
                          (c->number == COMMAND_DOWNLOAD && (c->flags & COMMAND_FLAG_ENABLE) != 0);
    if ((m->open.phase != JOURNAL_NONE && !is_read) || (switches && !has_room_for_outcome(m))) {
        a->code = RESULT_BUSY_SWITCHING;
        return;
    }
    if (c->number == COMMAND_DOWNLOAD)
        download(m, p, a);
    else if (c->number == COMMAND_ENABLE)
        enable(m, p, a);
    else if (c->number == COMMAND_DELETE)
        remove_slot(m, p, a);
    else if (c->number == COMMAND_SET_FALLBACK)
        set_fallback(m, p, a);
    else
        configure(m, p, a);
    a->registry_version = m->registry_version;
    keep(m, p, a);
}

static void audit(const struct model_card *m, const struct command_audit *q, struct model_answer *a)
{
    a->has_audit = true;
    a->audit = *q;
    a->lookup = LOOKUP_NOT_ASKED;
    if (!q->has_lookup)
        return;
    const struct model_kept *kept = kept_of(m, q->lookup_operation_id);
    a->lookup = kept != NULL                                       ? LOOKUP_STORED
                : q->lookup_operation_id > m->operation_id_highest ? LOOKUP_NEVER_SEEN
                                                                   : LOOKUP_NOT_STORED;
    a->lookup_code = kept != NULL ? kept->answer.code : 0;
}

// What an answer tells: all that is written or asked for, `FF` being all that there is. What asks
// for one that there is not is refused.
static uint32_t told_of(const struct model_packet *p)
{
    const struct bytes reads = p->command.configure.reads;
    uint32_t mask = 0;
    if (p->form != COMMAND_READ_OK || p->command.number != COMMAND_CONFIGURE)
        return 0;
    for (size_t i = 0; i < reads.len; i++)
        mask |= reads.at[i] == 0xFF ? UINT32_MAX : UINT32_C(1) << (reads.at[i] & 0x1F);
    for (uint8_t n = 1; n <= PARAMETER_LAST; n++)
        mask |= (uint32_t)writes(p->command.configure.writes, n) << n;
    return mask;
}

static void run(struct model_card *m, const struct model_packet *p, struct model_answer *a)
{
    const struct command *c = &p->command;
    a->command = c->number;
    a->operation_id = c->operation_id;
    const bool is_level_2_only = c->number == COMMAND_CONFIGURE && m->factory->level < 2;
    if (p->form == COMMAND_READ_UNKNOWN || is_level_2_only)
        a->code = RESULT_UNKNOWN_COMMAND;
    else if (p->form == COMMAND_READ_BAD_FORMAT)
        a->code = RESULT_BAD_FORMAT;
    else if (c->number == COMMAND_AUDIT)
        audit(m, &c->audit, a);
    else if (c->number == COMMAND_CONFIRM)
        confirm(m, p, a);
    else
        run_operation(m, p, a);
    // Also with a stored result: an older version would say that the card went back in time.
    a->registry_version = m->registry_version;
    if (a->has_audit)
        return;
    m->last = *a;
    m->last_counter = p->counter;
    m->is_changed = true;
}

// What is said to a counter that is not higher: at the last one there are no higher ones.
static uint8_t passed_status(const struct model_card *m)
{
    return m->mt_counter == UINT64_C(0xFFFFFFFFFF) ? 0x04 : 0x02;
}

void model_packet(struct model_card *m, const struct model_packet *packet, struct model_answer *out)
{
    struct model_packet read = *packet;
    const struct model_packet *p = &read;
    read.form = model_read(packet->data, &read.command);
    *out = (struct model_answer){.status = 0};
    if (p->counter == m->mt_counter && p->packet == m->last_packet) {
        // The same answer again; only an audit is made anew.
        if (p->form == COMMAND_READ_OK && p->command.number == COMMAND_AUDIT)
            run(m, p, out);
        else if (m->last_counter == p->counter)
            *out = m->last;
        else
            out->status = passed_status(m);
        out->told = told_of(p);
        return;
    }
    if (p->counter <= m->mt_counter) {
        out->status = passed_status(m);
        return;
    }
    m->mt_counter = p->counter;
    m->last_packet = p->packet;
    if (m->committed != NULL)
        m->committed(m->context, m);
    run(m, p, out);
    out->told = told_of(p);
    model_settle(m);
}

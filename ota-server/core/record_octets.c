// The record as octets: one walk over the fields serves both directions, so that they cannot
// disagree.
#include "ota-server/core/record.h"

struct walk {
    struct writer *to; // writing, or NULL
    struct reader from;
    uint8_t form;
};

// Has this form what came with `form`? Else the field keeps its zero.
static bool has(const struct walk *k, uint8_t form)
{
    return k->form >= form;
}

static void octet(struct walk *k, uint8_t *v)
{
    if (k->to != NULL)
        writer_u8(k->to, *v);
    else
        *v = reader_u8(&k->from);
}

static void flag(struct walk *k, bool *v)
{
    uint8_t o = *v;
    octet(k, &o);
    if (o > 1)
        k->from.failed = true;
    *v = o != 0;
}

static void half(struct walk *k, uint16_t *v)
{
    if (k->to != NULL)
        writer_u16(k->to, *v);
    else
        *v = reader_u16(&k->from);
}

static void word(struct walk *k, uint32_t *v)
{
    if (k->to != NULL)
        writer_u32(k->to, *v);
    else
        *v = reader_u32(&k->from);
}

static void number(struct walk *k, uint64_t *v)
{
    if (k->to != NULL)
        writer_u64(k->to, *v);
    else
        *v = reader_u64(&k->from);
}

static void when(struct walk *k, struct utc *v)
{
    uint64_t ms = (uint64_t)v->ms;
    number(k, &ms);
    v->ms = (int64_t)ms;
}

static void octets(struct walk *k, void *v, size_t len)
{
    if (k->to != NULL)
        writer_copy(k->to, bytes_of(v, len));
    else
        reader_copy(&k->from, v, len);
}

// Digits and a zero: a length, then the digits.
static void digits(struct walk *k, char v[NUMBER_TEXT_SIZE])
{
    uint8_t len = (uint8_t)strlen(v);
    octet(k, &len);
    if (len >= NUMBER_TEXT_SIZE) {
        k->from.failed = true;
        len = 0;
    }
    octets(k, v, len);
    v[len] = 0;
}

// A count that must not pass its array.
static void count(struct walk *k, uint8_t *v, uint8_t max)
{
    octet(k, v);
    if (*v > max) {
        k->from.failed = true;
        *v = 0;
    }
}

static void name(struct walk *k, struct subscription_name *n)
{
    flag(k, &n->is_given);
    if (!n->is_given)
        return;
    flag(k, &n->is_iccid);
    octets(k, n->iccid, sizeof(n->iccid));
    octets(k, n->imsi, sizeof(n->imsi));
}

static void plan(struct walk *k, struct download_plan *p)
{
    octet(k, &p->template_number);
    flag(k, &p->has_iccid);
    flag(k, &p->has_mnc_length);
    flag(k, &p->has_role);
    flag(k, &p->has_rank);
    flag(k, &p->has_marks);
    octets(k, p->iccid, sizeof(p->iccid));
    octets(k, p->imsi, sizeof(p->imsi));
    octet(k, &p->mnc_length);
    octet(k, &p->role);
    octet(k, &p->rank);
    octet(k, &p->marks);
    digits(k, p->number);
    digits(k, p->smsc);
    if (has(k, RECORD_FORM_FOURTH))
        flag(k, &p->is_barred);
    if (has(k, RECORD_FORM_NINTH))
        count(k, &p->keys_len, COMMAND_KEYS_MAX);
}

static void operation_marks(struct walk *k, struct operation *o)
{
    flag(k, &o->wait_until_clean);
    flag(k, &o->force);
    flag(k, &o->at_next_contact);
    flag(k, &o->needs_approval);
    flag(k, &o->sent_any);
    if (has(k, RECORD_FORM_THIRD))
        flag(k, &o->may_have_run);
    else
        o->may_have_run = o->sent_any; // nothing says that it did not
    flag(k, &o->may_still_arrive);
    flag(k, &o->is_uncertain);
    flag(k, &o->confirm_is_late);
    flag(k, &o->is_enabled_seen);
    flag(k, &o->is_automatic);
    octet(k, &o->attempts);
    octet(k, &o->retries);
    octet(k, &o->busy_tries);
    octet(k, &o->nvm_tries);
    octet(k, &o->reissues);
}

static void operation_times(struct walk *k, struct operation *o)
{
    when(k, &o->created_at);
    when(k, &o->not_before);
    when(k, &o->not_after);
    when(k, &o->deadline);
    when(k, &o->por_at);
    when(k, &o->confirm_until);
    when(k, &o->rollback_until);
    when(k, &o->ended_at);
}

static void operation_walk(struct walk *k, struct operation *o)
{
    number(k, &o->id);
    octet(k, &o->kind);
    octet(k, &o->status);
    octet(k, &o->outcome);
    octet(k, &o->failure);
    octet(k, &o->hold);
    flag(k, &o->has_result);
    octet(k, &o->result);
    word(k, &o->card_operation_id);
    number(k, &o->subscription);
    name(k, &o->target);
    octet(k, &o->flags);
    if (o->kind == OPERATION_DOWNLOAD)
        plan(k, &o->download);
    half(k, &o->list_len);
    if (o->list_len > OPERATION_WRITES_MAX) {
        k->from.failed = true;
        o->list_len = 0;
    }
    octets(k, o->list, o->list_len);
    word(k, &o->lookup);
    operation_marks(k, o);
    octet(k, &o->actor.kind);
    number(k, &o->actor.id);
    number(k, &o->retry_of);
    number(k, &o->campaign);
    number(k, &o->approval);
    number(k, &o->correlator);
    operation_times(k, o);
    number(k, &o->last_counter);
    half(k, &o->sms_mt);
    half(k, &o->sms_mo);
    word(k, &o->bytes_mt);
    word(k, &o->bytes_mo);
}

static void fact(struct walk *k, struct audit_slot *s)
{
    octet(k, &s->slot);
    octet(k, &s->state);
    octet(k, &s->role);
    flag(k, &s->is_fallback);
    flag(k, &s->is_proven);
    octet(k, &s->marks);
    octet(k, &s->rank);
    octet(k, &s->template_number);
    octets(k, s->imsi, sizeof(s->imsi));
    flag(k, &s->has_iccid);
    if (s->has_iccid)
        octets(k, s->iccid, sizeof(s->iccid));
}

static void parameters_walk(struct walk *k, struct parameters *p)
{
    octet(k, &p->poll_period_s);
    octet(k, &p->poll_by_status);
    half(k, &p->no_service_s);
    half(k, &p->limited_s);
    half(k, &p->attach_s);
    octet(k, &p->auto_mode);
    octet(k, &p->rounds_max);
    octet(k, &p->backoff_base_min);
    octet(k, &p->backoff_max_h);
    word(k, &p->return_s);
    octet(k, &p->return_on_country);
    word(k, &p->cool_s);
    octet(k, &p->switches_per_day);
    count(k, &p->wait_count, PARAMETER_WAITS_MAX);
    for (uint8_t i = 0; i < p->wait_count; i++)
        half(k, &p->waits_s[i]);
    half(k, &p->jitter_max_s);
    half(k, &p->reuse_limit_d);
    count(k, &p->country_count, PARAMETER_COUNTRIES_MAX);
    for (uint8_t i = 0; i < p->country_count; i++) {
        octets(k, p->countries[i].plmn, sizeof(p->countries[i].plmn));
        octets(k, p->countries[i].imsi, sizeof(p->countries[i].imsi));
        octet(k, &p->countries[i].action);
    }
    half(k, &p->country_s);
    half(k, &p->heartbeat_h);
    octet(k, &p->refresh_mode);
    octet(k, &p->refresh_s);
    count(k, &p->server_address_len, sizeof(p->server_address));
    octets(k, p->server_address, p->server_address_len);
}

static void identity(struct walk *k, struct record *r)
{
    number(k, &r->card);
    number(k, &r->version);
    number(k, &r->tenant);
    number(k, &r->group);
    number(k, &r->batch);
    octets(k, r->iccid, sizeof(r->iccid));
    octet(k, &r->state);
    octet(k, &r->marks);
    for (size_t i = 0; i < CARD_MARKS; i++)
        when(k, &r->mark_since[i]);
    when(k, &r->created_at);
    when(k, &r->last_contact_at);
    octet(k, &r->level);
    octets(k, r->applet_version, sizeof(r->applet_version));
    octet(k, &r->slot_limit);
    half(k, &r->terminal);
    half(k, &r->free_memory);
    count(k, &r->template_count, COMMAND_TEMPLATES_MAX);
    octets(k, r->templates, r->template_count);
}

static void mirror(struct walk *k, struct record *r)
{
    flag(k, &r->has_registry_version);
    word(k, &r->registry_version);
    count(k, &r->slot_count, COMMAND_SLOTS_MAX);
    for (uint8_t i = 0; i < r->slot_count; i++) {
        fact(k, &r->slots[i].fact);
        number(k, &r->slots[i].subscription);
        if (has(k, RECORD_FORM_FOURTH))
            flag(k, &r->slots[i].is_barred);
        digits(k, r->slots[i].number);
    }
    number(k, &r->preferred);
    half(k, &r->configuration_version);
    parameters_walk(k, &r->parameters);
    flag(k, &r->has_imei);
    flag(k, &r->has_plmn);
    octets(k, r->imei, sizeof(r->imei));
    octets(k, r->plmn, sizeof(r->plmn));
}

static void late(struct walk *k, struct record *r)
{
    uint64_t counter = 0; // of the newest packet given up: it does not say whose it was
    if (!has(k, RECORD_FORM_THIRD)) {
        number(k, &counter);
        return;
    }
    word(k, &r->operation_id_ran);
    count(k, &r->late_count, RECORD_LATE_MAX);
    for (uint8_t i = 0; i < r->late_count; i++) {
        number(k, &r->late[i].operation);
        word(k, &r->late[i].card_operation_id);
        number(k, &r->late[i].subscription);
        number(k, &r->late[i].counter);
        octet(k, &r->late[i].kind); // older forms said 1 for a download, else 0
        octets(k, r->late[i].imsi, sizeof(r->late[i].imsi));
        if (has(k, RECORD_FORM_FOURTH))
            flag(k, &r->late[i].is_barred);
        digits(k, r->late[i].number);
    }
}

static void numbers(struct walk *k, struct record *r)
{
    number(k, &r->mt_counter);
    number(k, &r->mo_counter);
    word(k, &r->operation_id_last);
    word(k, &r->notify_sequence);
    word(k, &r->gap_sequences);
    when(k, &r->gap_deadline);
    word(k, &r->notify_seen);
    number(k, &r->changed_counter);
    word(k, &r->operation_id_seen);
    late(k, r);
    for (size_t i = 0; i < RECORD_ANSWERED_MAX; i++)
        number(k, &r->answered[i]);
    octet(k, &r->answered_next);
    if (r->answered_next >= RECORD_ANSWERED_MAX)
        k->from.failed = true;
    word(k, &r->switch_id);
    when(k, &r->switch_until);
}

static void doubt(struct walk *k, struct record *r)
{
    uint8_t set = 0;
    for (unsigned i = 1; i < DIRTY_REASONS; i++)
        set += r->reasons[i].since.ms != 0;
    count(k, &set, DIRTY_REASONS);
    uint8_t next = 1;
    for (uint8_t n = 0; n < set; n++) {
        while (k->to != NULL && r->reasons[next].since.ms == 0)
            next++;
        count(k, &next, DIRTY_REASONS - 1);
        when(k, &r->reasons[next].since);
        number(k, &r->reasons[next].operation);
        next++;
    }
    when(k, &r->dirty_since);
    when(k, &r->next_audit_at);
    when(k, &r->last_attempt_at);
    when(k, &r->last_audit_at);
    octet(k, &r->dirty_attempts);
    if (has(k, RECORD_FORM_THIRD)) {
        digits(k, r->heard_from);
        octet(k, &r->audit_turn);
    }
    octet(k, &r->reissues);
    octet(k, &r->last_audit_outcome);
    flag(k, &r->needs_operator);
    octet(k, &r->resets_suspected);
    word(k, &r->jump_day);
    octet(k, &r->jumps_today);
    octet(k, &r->insecure_answers);
    when(k, &r->insecure_until);
}

static void flight(struct walk *k, struct flight *f)
{
    octet(k, &f->kind);
    if (f->kind == FLIGHT_NONE)
        return;
    octet(k, &f->state);
    octet(k, &f->command);
    number(k, &f->counter);
    word(k, &f->operation_id);
    word(k, &f->sequence);
    octet(k, &f->parts);
    octet(k, &f->delivered_set);
    octet(k, &f->lost_set);
    word(k, &f->validity_ms);
    flag(k, &f->is_repeated);
    flag(k, &f->is_submit_unknown);
    flag(k, &f->is_extended);
    when(k, &f->sent_at);
    when(k, &f->deadline);
}

static void audit(struct walk *k, struct audit_job *a)
{
    flag(k, &a->is_open);
    if (!a->is_open)
        return;
    operation_walk(k, &a->operation);
    octets(k, a->nonce, sizeof(a->nonce));
    if (has(k, RECORD_FORM_THIRD))
        number(k, &a->mo_counter);
    octet(k, &a->next_slot);
    flag(k, &a->is_page_due);
    octet(k, &a->restarts);
    count(k, &a->slot_count, COMMAND_SLOTS_MAX);
    word(k, &a->registry_version);
    for (uint8_t i = 0; i < a->slot_count; i++)
        fact(k, &a->slots[i]);
}

static void bootstrap(struct walk *k, struct bootstrap *b)
{
    if (!has(k, RECORD_FORM_FIFTH))
        return;
    octet(k, &b->state);
    if (b->state == BOOTSTRAP_NONE)
        return;
    count(k, &b->item_count, BOOTSTRAP_ITEMS_MAX);
    octet(k, &b->enable);
    flag(k, &b->deletes);
    flag(k, &b->is_stalled);
    flag(k, &b->is_audited);
    octet(k, &b->tries);
    octet(k, &b->failure);
    word(k, &b->soak_s);
    word(k, &b->deadline_s);
    number(k, &b->origin);
    number(k, &b->operation);
    when(k, &b->started_at);
    when(k, &b->due);
    when(k, &b->deadline);
    for (uint8_t i = 0; i < b->item_count; i++) {
        number(k, &b->items[i].subscription);
        plan(k, &b->items[i].plan);
        if (has(k, RECORD_FORM))
            flag(k, &b->items[i].may_be_there);
        else
            b->items[i].may_be_there = true; // nobody wrote it down
    }
    if (b->state >= BOOTSTRAP_STATES || b->enable >= BOOTSTRAP_ITEMS_MAX)
        k->from.failed = true;
}

static void work(struct walk *k, struct record *r)
{
    flight(k, &r->flight);
    flag(k, &r->has_open);
    if (r->has_open)
        operation_walk(k, &r->open);
    count(k, &r->queue_len, RECORD_QUEUE_MAX);
    for (uint8_t i = 0; i < r->queue_len; i++)
        operation_walk(k, &r->queue[i]);
    audit(k, &r->audit);
    count(k, &r->confirm_count, RECORD_CONFIRMS_MAX);
    for (uint8_t i = 0; i < r->confirm_count; i++) {
        word(k, &r->confirms[i].sequence);
        word(k, &r->confirms[i].operation_id);
        number(k, &r->confirms[i].subscription);
        digits(k, r->confirms[i].number);
    }
    bootstrap(k, &r->bootstrap);
    word(k, &r->draws);
    when(k, &r->wake_at);
}

// What is known since when. What older forms did not say was taken to be so.
static void known(struct walk *k, struct record *r)
{
    if (has(k, RECORD_FORM_SIXTH))
        half(k, &r->parameters_version);
    else
        r->parameters_version = r->configuration_version;
    if (has(k, RECORD_FORM_SEVENTH)) {
        when(k, &r->seen_at);
        when(k, &r->attached_at);
    } else if (r->state >= CARD_SEEN) {
        r->seen_at = r->last_contact_at;
        r->attached_at = r->last_contact_at;
    }
    if (has(k, RECORD_FORM_EIGHTH))
        word(k, &r->restored_sequence);
    if (has(k, RECORD_FORM_TENTH))
        when(k, &r->timers_due);
    else if (r->level >= 2 && r->parameters_version != r->configuration_version)
        r->timers_due.ms = 1; // whoever was to read them may have been given up
}

static void record_walk(struct walk *k, struct record *r)
{
    identity(k, r);
    mirror(k, r);
    numbers(k, r);
    doubt(k, r);
    work(k, r);
    known(k, r);
}

static struct walk walk_to(struct writer *w)
{
    writer_u8(w, RECORD_FORM);
    return (struct walk){.to = w, .form = RECORD_FORM};
}

static struct walk walk_from(struct bytes in)
{
    struct walk k = {.from = reader_of(in)};
    k.form = reader_u8(&k.from);
    if (k.form != RECORD_FORM_FIRST && k.form != RECORD_FORM_THIRD &&
        k.form != RECORD_FORM_FOURTH && k.form != RECORD_FORM_FIFTH &&
        k.form != RECORD_FORM_SIXTH && k.form != RECORD_FORM_SEVENTH &&
        k.form != RECORD_FORM_EIGHTH && k.form != RECORD_FORM_NINTH &&
        k.form != RECORD_FORM_TENTH && k.form != RECORD_FORM)
        k.from.failed = true;
    return k;
}

void record_write(struct writer *w, const struct record *r)
{
    struct record copy = *r;
    struct walk k = walk_to(w);
    record_walk(&k, &copy);
}

bool record_read(struct bytes in, struct record *r)
{
    struct walk k = walk_from(in);
    memset(r, 0, sizeof(*r));
    record_walk(&k, r);
    return reader_done(&k.from);
}

void operation_write(struct writer *w, const struct operation *o)
{
    struct operation copy = *o;
    struct walk k = walk_to(w);
    operation_walk(&k, &copy);
}

bool operation_read(struct bytes in, struct operation *o)
{
    struct walk k = walk_from(in);
    memset(o, 0, sizeof(*o));
    operation_walk(&k, o);
    return reader_done(&k.from);
}

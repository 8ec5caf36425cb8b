// Records and operations in the first form, as the released server wrote them
// (tests/vectors/record.txt): read field by field, and written in today's form.
#include "tests/lib/cmocka_all.h"
#include "tests/lib/vectors.h"

#include "ota-server/core/record.h"

#define FILE_PATH "tests/vectors/record.txt"
#define T0 1790000000000 // ms

// --- what was in them --------------------------------------------------------------------------

static void fill(uint8_t *to, size_t len, uint8_t first)
{
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)(first + i);
}

static struct utc at(int64_t ms)
{
    return (struct utc){T0 + ms};
}

// A switch whose packet left: one mark of each, every time and every number.
static void enable(struct operation *o)
{
    o->id = 0x1122334455667788;
    o->kind = OPERATION_ENABLE;
    o->status = STATUS_SENT;
    o->outcome = OUTCOME_NONE;
    o->failure = FAILURE_NONE;
    o->hold = HOLD_RETRY;
    o->has_result = true;
    o->result = 0x15;
    o->card_operation_id = 41;
    o->subscription = 0x2001;
    o->target.is_given = true;
    o->target.is_iccid = true;
    fill(o->target.iccid, sizeof(o->target.iccid), 0x10);
    fill(o->target.imsi, sizeof(o->target.imsi), 0x20);
    o->flags = COMMAND_FLAG_ROLLBACK;
    o->force = true;
    o->sent_any = true;
    o->is_uncertain = true;
    o->is_enabled_seen = true;
    o->attempts = 1;
    o->retries = 2;
    o->busy_tries = 3;
    o->nvm_tries = 4;
    o->reissues = 5;
    o->actor.kind = ACTOR_CLIENT;
    o->actor.id = 6;
    o->retry_of = 7;
    o->campaign = 8;
    o->approval = 9;
    o->correlator = 10;
    o->created_at = at(11);
    o->not_before = at(12);
    o->not_after = at(13);
    o->deadline = at(14);
    o->por_at = at(15);
    o->confirm_until = at(16);
    o->rollback_until = at(17);
    o->ended_at = at(18);
    o->last_counter = 0x0102030405;
    o->sms_mt = 0x0601;
    o->sms_mo = 0x0702;
    o->bytes_mt = 0x08030201;
    o->bytes_mo = 0x09040302;
}

// One that never left, with a list.
static void set_timers(struct operation *o)
{
    static const uint8_t list[] = {0x03, 0x02, 0x00, 0x78, 0x06, 0x01, 0x02};
    o->id = 0x51;
    o->kind = OPERATION_SET_TIMERS;
    o->status = STATUS_QUEUED;
    o->hold = HOLD_CARD_BUSY;
    o->list_len = sizeof(list);
    memcpy(o->list, list, sizeof(list));
    o->wait_until_clean = true;
    o->at_next_contact = true;
    o->needs_approval = true;
    o->actor.kind = ACTOR_USER;
    o->actor.id = 0x52;
    o->created_at = at(0x53);
}

// One that was given up, with all that a download brings.
static void download(struct operation *o)
{
    o->id = 0x61;
    o->kind = OPERATION_DOWNLOAD;
    o->status = STATUS_ENDED;
    o->outcome = OUTCOME_EXPIRED;
    o->failure = FAILURE_DELIVERY_EXPIRED;
    o->card_operation_id = 0x62;
    o->subscription = 0x63;
    o->target.is_given = true;
    fill(o->target.imsi, sizeof(o->target.imsi), 0x64);
    o->flags = COMMAND_FLAG_ENABLE;
    o->download.template_number = 3;
    o->download.has_iccid = true;
    o->download.has_mnc_length = true;
    o->download.has_role = true;
    o->download.has_rank = true;
    o->download.has_marks = true;
    fill(o->download.iccid, sizeof(o->download.iccid), 0x70);
    fill(o->download.imsi, sizeof(o->download.imsi), 0x64);
    o->download.mnc_length = 2;
    o->download.role = 1;
    o->download.rank = 4;
    o->download.marks = 5;
    memcpy(o->download.number, "491701234567", 12);
    memcpy(o->download.smsc, "491710760000", 12);
    o->lookup = 0x65;
    o->sent_any = true;
    o->may_still_arrive = true;
    o->confirm_is_late = true;
    o->is_automatic = true;
    o->ended_at = at(0x66);
    o->last_counter = 0x67;
}

static void card(struct record *r)
{
    r->card = 0x0A0B0C0D0E0F1011;
    r->version = 2;
    r->tenant = 3;
    r->group = 4;
    r->batch = 5;
    fill(r->iccid, sizeof(r->iccid), 0x80);
    r->state = CARD_OPERATIONAL;
    r->marks = 1 << MARK_DIRTY | 1 << MARK_ON_FALLBACK;
    r->mark_since[MARK_DIRTY] = at(101);
    r->mark_since[MARK_ON_FALLBACK] = at(102);
    r->created_at = at(103);
    r->last_contact_at = at(104);
    r->level = 2;
    fill(r->applet_version, sizeof(r->applet_version), 1);
    r->slot_limit = 8;
    r->terminal = 0x0910;
    r->free_memory = 0x1112;
    r->template_count = 2;
    r->templates[0] = 1;
    r->templates[1] = 7;
}

static void slot(struct audit_slot *s, uint8_t number, uint8_t state)
{
    s->slot = number;
    s->state = state;
    s->role = 1;
    s->is_fallback = state == SLOT_ENABLED;
    s->is_proven = true;
    s->marks = 2;
    s->rank = number;
    s->template_number = 3;
    fill(s->imsi, sizeof(s->imsi), (uint8_t)(0x90 + number));
    s->has_iccid = state != SLOT_ENABLED;
    if (s->has_iccid)
        fill(s->iccid, sizeof(s->iccid), (uint8_t)(0xA0 + number));
}

static void parameters(struct parameters *p)
{
    p->poll_period_s = 30;
    p->poll_by_status = 1;
    p->no_service_s = 121;
    p->limited_s = 122;
    p->attach_s = 123;
    p->auto_mode = 2;
    p->rounds_max = 3;
    p->backoff_base_min = 4;
    p->backoff_max_h = 5;
    p->return_s = 86401;
    p->return_on_country = 1;
    p->cool_s = 3601;
    p->switches_per_day = 20;
    p->wait_count = 2;
    p->waits_s[0] = 61;
    p->waits_s[1] = 302;
    p->jitter_max_s = 33;
    p->reuse_limit_d = 34;
    p->country_count = 1;
    fill(p->countries[0].plmn, sizeof(p->countries[0].plmn), 0x62);
    fill(p->countries[0].imsi, sizeof(p->countries[0].imsi), 0xB0);
    p->countries[0].action = COUNTRY_FORBID;
    p->country_s = 35;
    p->heartbeat_h = 36;
    p->refresh_mode = 4;
    p->refresh_s = 6;
    p->server_address_len = 3;
    fill(p->server_address, 3, 0x91);
}

// A card in doubt with a mirror and a CONFIRM under way; every number of the record.
static void in_doubt(struct record *r)
{
    card(r);
    r->has_registry_version = true;
    r->registry_version = 0x21222324;
    r->slot_count = 2;
    slot(&r->slots[0].fact, 1, SLOT_ENABLED);
    slot(&r->slots[1].fact, 3, SLOT_DISABLED);
    r->slots[0].subscription = 0x2001;
    r->slots[1].subscription = 0x2002;
    memcpy(r->slots[1].number, "491701234568", 12);
    r->preferred = 0x2002;
    r->configuration_version = 0x2526;
    parameters(&r->parameters);
    r->has_imei = true;
    r->has_plmn = true;
    fill(r->imei, sizeof(r->imei), 0xC0);
    fill(r->plmn, sizeof(r->plmn), 0xD0);
    r->mt_counter = 201;
    r->mo_counter = 202;
    r->operation_id_last = 203;
    r->notify_sequence = 204;
    r->gap_sequences = 205;
    r->gap_deadline = at(206);
    r->notify_seen = 0x00000207;
    r->changed_counter = 208;
    r->operation_id_seen = 209;
    for (uint8_t i = 0; i < RECORD_ANSWERED_MAX; i++)
        r->answered[i] = 210u + i;
    r->answered_next = 7;
    r->switch_id = 219;
    r->switch_until = at(220);
    r->reasons[DIRTY_POR_TIMEOUT].since = at(221);
    r->reasons[DIRTY_POR_TIMEOUT].operation = 222;
    r->reasons[DIRTY_OPERATOR_REQUEST].since = at(223);
    r->dirty_since = at(221);
    r->next_audit_at = at(225);
    r->last_attempt_at = at(226);
    r->last_audit_at = at(227);
    r->dirty_attempts = 228;
    r->reissues = 229;
    r->last_audit_outcome = AUDIT_INCOMPLETE;
    r->needs_operator = true;
    r->resets_suspected = 230;
    r->jump_day = 231;
    r->jumps_today = 232;
    r->insecure_answers = 233;
    r->insecure_until = at(234);
    r->confirm_count = 1;
    r->confirms[0].sequence = 235;
    r->confirms[0].operation_id = 236;
    r->confirms[0].subscription = 0x2001;
    memcpy(r->confirms[0].number, "491701234569", 12);
    r->draws = 237;
    r->wake_at = at(238);
}

// A card with a switch under way and one more operation behind it.
static void switching(struct record *r)
{
    card(r);
    struct flight *f = &r->flight;
    f->kind = FLIGHT_OPERATION;
    f->state = FLIGHT_DELIVERED;
    f->command = COMMAND_ENABLE;
    f->counter = 301;
    f->operation_id = 302;
    f->sequence = 303;
    f->parts = 3;
    f->delivered_set = 5;
    f->lost_set = 2;
    f->validity_ms = 304;
    f->is_repeated = true;
    f->is_submit_unknown = true;
    f->is_extended = true;
    f->sent_at = at(305);
    f->deadline = at(306);
    r->has_open = true;
    enable(&r->open);
    r->queue_len = 1;
    set_timers(&r->queue[0]);
}

// A card whose audit has its first page.
static void audited(struct record *r)
{
    card(r);
    struct audit_job *a = &r->audit;
    a->is_open = true;
    a->operation.id = 0x71;
    a->operation.kind = OPERATION_AUDIT;
    a->operation.status = STATUS_SENT;
    a->operation.lookup = 41;
    a->operation.sent_any = true;
    a->operation.is_automatic = true;
    fill(a->nonce, sizeof(a->nonce), 0xE0);
    a->next_slot = 3;
    a->is_page_due = true;
    a->restarts = 1;
    a->slot_count = 1;
    a->registry_version = 401;
    slot(&a->slots[0], 1, SLOT_DISABLED);
}

// --- the tests -------------------------------------------------------------------------------
// The sizes of today's form are counted by hand: what it has more, and less, than the first one.

// may_have_run
#define OPERATION_MORE 1
// is_barred, of a slot and of a download
#define BARRED_MORE 1
// keys_len, of a download
#define KEYS_MORE 1
// heard_from (its length), audit_turn, operation_id_ran, count of `late`; less the late counter
#define RECORD_MORE (1 + 1 + 4 + 1 - 8)
// mo_counter
#define AUDIT_MORE 8
// parameters_version, then seen_at and attached_at, then restored_sequence, then timers_due
#define SIXTH_MORE 2
#define SEVENTH_MORE 16
#define EIGHTH_MORE 4
#define TENTH_MORE 8
#define KNOWN_MORE (SIXTH_MORE + SEVENTH_MORE + EIGHTH_MORE + TENTH_MORE)

static const struct state {
    const char *name;
    void (*record)(struct record *r);
    void (*operation)(struct operation *o);
    size_t more;
} states[] = {
    {"CARD", card, NULL, RECORD_MORE},
    {"IN-DOUBT", in_doubt, NULL, RECORD_MORE + 2 * BARRED_MORE},
    {"SWITCHING", switching, NULL, RECORD_MORE + 2 * OPERATION_MORE},
    {"AUDITED", audited, NULL, RECORD_MORE + OPERATION_MORE + AUDIT_MORE},
    {"ENABLE", NULL, enable, OPERATION_MORE},
    {"SET-TIMERS", NULL, set_timers, OPERATION_MORE},
    {"DOWNLOAD", NULL, download, OPERATION_MORE + BARRED_MORE + KEYS_MORE},
};
#define STATES (sizeof(states) / sizeof(states[0]))

static const struct state *state_of(const struct vector *v)
{
    for (size_t i = 0; i < STATES; i++) {
        if (strcmp(states[i].name, v->name) == 0)
            return &states[i];
    }
    fail_msg("%s is not known", v->name);
    return NULL;
}

// What forms before the sixth and seventh said nothing of.
static void take_for_known(struct record *r)
{
    r->parameters_version = r->configuration_version;
    r->seen_at = r->last_contact_at;
    r->attached_at = r->last_contact_at;
}

// What the first form did not have is zero, but: a packet that left may have run.
static void expect_record(const struct state *s, struct record *r)
{
    memset(r, 0, sizeof(*r));
    s->record(r);
    r->open.may_have_run = s->record == switching;
    r->audit.operation.may_have_run = s->record == audited;
    take_for_known(r);
}

static void expect_operation(const struct state *s, struct operation *o)
{
    memset(o, 0, sizeof(*o));
    s->operation(o);
    o->may_have_run = s->operation != set_timers;
}

// Both sides were cleared before their fields were set: equal octets are equal fields, all of them.
static void read_record(const struct vector *v)
{
    static struct record expected;
    static struct record found;
    static uint8_t octets[RECORD_OCTETS_MAX];
    const struct state *s = state_of(v);
    const struct bytes old = vector_get(v, "octets");
    expect_record(s, &expected);
    assert_int_equal(old.at[0], 1);
    assert_true(record_read(old, &found));
    assert_memory_equal(&found, &expected, sizeof(found));
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, &found);
    assert_false(w.failed);
    assert_int_equal(octets[0], 11);
    assert_int_equal(w.len, old.len + s->more + 1 + KNOWN_MORE); // and no bootstrap
    assert_true(record_read(writer_bytes(&w), &found));
    assert_memory_equal(&found, &expected, sizeof(found));
    for (size_t len = 0; len < old.len; len++)
        assert_false(record_read(bytes_of(old.at, len), &found));
}

static void read_operation(const struct vector *v)
{
    static struct operation expected;
    static struct operation found;
    uint8_t octets[1024];
    const struct state *s = state_of(v);
    const struct bytes old = vector_get(v, "octets");
    expect_operation(s, &expected);
    assert_int_equal(old.at[0], 1);
    assert_true(operation_read(old, &found));
    assert_memory_equal(&found, &expected, sizeof(found));
    struct writer w = writer_of(octets, sizeof(octets));
    operation_write(&w, &found);
    assert_false(w.failed);
    assert_int_equal(octets[0], 11);
    assert_int_equal(w.len, old.len + s->more);
    assert_true(operation_read(writer_bytes(&w), &found));
    assert_memory_equal(&found, &expected, sizeof(found));
    for (size_t len = 0; len < old.len; len++)
        assert_false(operation_read(bytes_of(old.at, len), &found));
}

static void read_one(const struct vector *v, void *context)
{
    (void)context;
    if (strcmp(v->kind, "record") == 0)
        read_record(v);
    else
        read_operation(v);
}

static void the_first_form_is_read_and_written_anew(void **state)
{
    (void)state;
    assert_int_equal(vectors_each(FILE_PATH, read_one, NULL), STATES);
}

#define AFTER_BOOTSTRAP 12 // octets: chance and wake

// What a record had before form 5: no octet that says that there is no bootstrap, and not the end
// that came with form 6.
static size_t without_bootstrap(uint8_t *octets, size_t len)
{
    len -= KNOWN_MORE;
    const size_t at = len - AFTER_BOOTSTRAP - 1;
    assert_int_equal(octets[at], BOOTSTRAP_NONE);
    memmove(octets + at, octets + at + 1, AFTER_BOOTSTRAP);
    return len - 1;
}

static void the_fourth_form_is_read_as_without_a_bootstrap(void **state)
{
    static struct record expected;
    static struct record found;
    static uint8_t octets[RECORD_OCTETS_MAX];
    (void)state;
    memset(&expected, 0, sizeof(expected));
    card(&expected);
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, &expected);
    octets[0] = 4;
    take_for_known(&expected);
    assert_false(record_read(writer_bytes(&w), &found));
    assert_true(record_read(bytes_of(octets, without_bootstrap(octets, w.len)), &found));
    assert_memory_equal(&found, &expected, sizeof(found));
}

static void the_fifth_form_is_read_as_with_parameters_that_are_known(void **state)
{
    static struct record expected;
    static struct record found;
    static uint8_t octets[RECORD_OCTETS_MAX];
    (void)state;
    memset(&expected, 0, sizeof(expected));
    card(&expected);
    expected.configuration_version = 7;
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, &expected);
    assert_true(record_read(writer_bytes(&w), &found));
    assert_int_equal(found.parameters_version, 0);
    octets[0] = 5;
    assert_false(record_read(writer_bytes(&w), &found));
    assert_true(record_read(bytes_of(octets, w.len - KNOWN_MORE), &found));
    take_for_known(&expected);
    assert_memory_equal(&found, &expected, sizeof(found));
    expected.parameters_version = 3; // the sixth says so, and the tenth that they are to be read
    w = writer_of(octets, sizeof(octets));
    record_write(&w, &expected);
    expected.timers_due.ms = 1;
    octets[0] = 6;
    assert_true(
        record_read(bytes_of(octets, w.len - TENTH_MORE - EIGHTH_MORE - SEVENTH_MORE), &found));
    assert_memory_equal(&found, &expected, sizeof(found));
    octets[0] = 9;
    assert_true(record_read(bytes_of(octets, w.len - TENTH_MORE), &found));
    assert_memory_equal(&found, &expected, sizeof(found));
    octets[0] = 7;
    assert_true(record_read(bytes_of(octets, w.len - TENTH_MORE - EIGHTH_MORE), &found));
    assert_memory_equal(&found, &expected, sizeof(found));
}

// Nobody had written down which items of a bootstrap had left.
static void the_tenth_form_is_read_as_with_items_that_may_be_there(void **state)
{
    static struct record expected;
    static struct record found;
    static uint8_t octets[RECORD_OCTETS_MAX];
    (void)state;
    memset(&expected, 0, sizeof(expected));
    card(&expected);
    expected.bootstrap.state = BOOTSTRAP_FAILED;
    expected.bootstrap.item_count = 1;
    expected.bootstrap.items[0].subscription = 5;
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, &expected);
    assert_true(record_read(writer_bytes(&w), &found));
    assert_memory_equal(&found, &expected, sizeof(found));
    const size_t behind = 4 + 8 + KNOWN_MORE; // draws, wake_at
    memmove(octets + w.len - behind - 1, octets + w.len - behind, behind);
    octets[0] = 10;
    assert_true(record_read(bytes_of(octets, w.len - 1), &found));
    expected.bootstrap.items[0].may_be_there = true;
    assert_memory_equal(&found, &expected, sizeof(found));
}

// Form 3 is that of form 4 without the octets that say who is barred as fallback.
static void the_third_form_is_read_as_nobody_barred(void **state)
{
    static const char smsc[] = "491710760000";
    static struct record expected;
    static struct record found;
    static uint8_t octets[RECORD_OCTETS_MAX];
    (void)state;
    memset(&expected, 0, sizeof(expected));
    card(&expected);
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, &expected);
    octets[0] = 3;
    take_for_known(&expected);
    const size_t len = without_bootstrap(octets, w.len);
    assert_true(record_read(bytes_of(octets, len), &found)); // it has no slot
    assert_memory_equal(&found, &expected, sizeof(found));

    struct operation o;
    struct operation read;
    memset(&o, 0, sizeof(o));
    download(&o);
    o.download.is_barred = true;
    o.download.keys_len = 48;
    w = writer_of(octets, sizeof(octets));
    operation_write(&w, &o);
    octets[0] = 3;
    size_t at = 0;
    while (memcmp(octets + at, smsc, strlen(smsc)) != 0)
        at++;
    at += strlen(smsc);
    assert_int_equal(octets[at], 1);
    assert_int_equal(octets[at + 1], 48);
    octets[0] = 8; // which does not say how long its keys are
    memmove(octets + at + 1, octets + at + 2, w.len - at - 2);
    assert_true(operation_read(bytes_of(octets, w.len - 1), &read));
    o.download.keys_len = 0;
    assert_memory_equal(&read, &o, sizeof(o));
    octets[0] = 3;
    memmove(octets + at, octets + at + 1, w.len - at - 2);
    assert_true(operation_read(bytes_of(octets, w.len - 2), &read));
    o.download.is_barred = false;
    assert_memory_equal(&read, &o, sizeof(o));
    assert_false(operation_read(bytes_of(octets, w.len), &read));
}

// Form 2 was two layouts: neither the octets of form 1 nor those of form 3 are read under it.
static void refuse_one(const struct vector *v, void *context)
{
    static struct record r;
    struct operation o;
    uint8_t octets[VECTOR_VALUE_MAX];
    const struct bytes old = vector_get(v, "octets");
    const uint8_t form = *(const uint8_t *)context;
    memcpy(octets, old.at, old.len);
    octets[0] = form;
    assert_false(record_read(bytes_of(octets, old.len), &r));
    assert_false(operation_read(bytes_of(octets, old.len), &o));
}

static void other_forms_are_refused(void **state)
{
    static struct record r;
    static uint8_t octets[RECORD_OCTETS_MAX];
    (void)state;
    struct writer w = writer_of(octets, sizeof(octets));
    record_write(&w, &r);
    for (unsigned form = 0; form < 256; form++) {
        uint8_t number = (uint8_t)form;
        if (form == 1 || (form >= 3 && form <= 11))
            continue;
        octets[0] = number;
        assert_false(record_read(writer_bytes(&w), &r));
        (void)vectors_each(FILE_PATH, refuse_one, &number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_form_is_read_and_written_anew),
        cmocka_unit_test(the_third_form_is_read_as_nobody_barred),
        cmocka_unit_test(the_fourth_form_is_read_as_without_a_bootstrap),
        cmocka_unit_test(the_fifth_form_is_read_as_with_parameters_that_are_known),
        cmocka_unit_test(the_tenth_form_is_read_as_with_items_that_may_be_there),
        cmocka_unit_test(other_forms_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

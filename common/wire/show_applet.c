#include "common/base/text.h"
#include "common/wire/ident.h"
#include "common/wire/parameter.h"
#include "common/wire/show.h"

static void put_number(struct writer *w, const char *before, uint64_t value)
{
    text_put(w, before);
    text_decimal(w, value);
}

static void put_hex(struct writer *w, const char *before, const void *octets, size_t len)
{
    text_put(w, before);
    text_hex(w, bytes_of(octets, len));
}

static void put_iccid(struct writer *w, const uint8_t *octets)
{
    char text[ICCID_SIZE];
    text_put(w, "ICCID ");
    if (iccid_read(octets, text))
        text_put(w, text);
    else
        text_hex(w, bytes_of(octets, COMMAND_ICCID_SIZE));
}

static void put_imsi(struct writer *w, const uint8_t *octets)
{
    char text[IMSI_SIZE];
    text_put(w, "IMSI ");
    if (imsi_read(octets, text))
        text_put(w, text);
    else
        text_hex(w, bytes_of(octets, COMMAND_IMSI_SIZE));
}

static void put_name(struct writer *w, const char *before, const struct subscription_name *name)
{
    if (!name->is_given)
        return;
    text_put(w, before);
    if (name->is_iccid)
        put_iccid(w, name->iccid);
    else
        put_imsi(w, name->imsi);
}

static void put_flags(struct writer *w, uint8_t flags)
{
    static const char *const names[] = {"enable", "set fallback", "rollback allowed", "force"};
    const char *between = ", flags ";
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((flags & 1U << i) == 0)
            continue;
        text_put(w, between);
        text_put(w, names[i]);
        between = " + ";
    }
}

static void put_phone(struct writer *w, const char *before, struct bytes number)
{
    struct phone phone;
    if (number.len < 2 ||
        !phone_read(number.at[0], bytes_slice(number, 1, COMMAND_NUMBER_MAX), &phone))
        return;
    text_put(w, before);
    text_put(w, phone.type == PHONE_INTERNATIONAL ? "+" : "");
    text_put(w, phone.digits);
}

static void put_download(struct writer *w, const struct command_download *d)
{
    put_number(w, ": template ", d->template_number);
    put_name(w, ", ", &d->iccid);
    text_put(w, ", ");
    put_imsi(w, d->imsi);
    put_number(w, ", keys of ", d->wrapped_keys.len);
    text_put(w, " octets and check value (not shown)");
    put_phone(w, ", SMSC ", d->smsc);
    put_phone(w, ", MSISDN ", d->msisdn);
    if (d->has_mnc_length)
        put_number(w, ", MNC length ", d->mnc_length);
    if (d->has_role)
        put_number(w, ", role ", d->role);
    if (d->has_rank)
        put_number(w, ", rank ", d->rank);
    if (d->has_marks)
        put_number(w, ", marks ", d->marks);
    if (d->plmns.len > 0)
        put_hex(w, ", PLMNs ", d->plmns.at, d->plmns.len);
}

// number(1) length(1) value, repeated.
static void put_parameters(struct writer *w, const char *before, struct bytes list)
{
    struct reader r = reader_of(list);
    while (r.left > 0 && !r.failed) {
        uint8_t number = reader_u8(&r);
        struct bytes value = reader_bytes(&r, reader_u8(&r));
        const char *name = parameter_name(number);
        text_put(w, before);
        text_put(w, name != NULL ? name : "?");
        put_hex(w, " = ", value.at, value.len);
        before = ", ";
    }
}

static void put_reads(struct writer *w, struct bytes numbers)
{
    const char *before = " read ";
    for (size_t i = 0; i < numbers.len; i++) {
        const char *name = parameter_name(numbers.at[i]);
        text_put(w, before);
        text_put(w, numbers.at[i] == 0xFF ? "all" : name != NULL ? name : "?");
        before = ", ";
    }
}

static void put_audit(struct writer *w, const struct command_audit *a)
{
    put_hex(w, ": nonce ", a->nonce, sizeof a->nonce);
    put_number(w, ", from slot ", a->first_slot);
    if (a->has_lookup)
        put_number(w, ", asks for operation ", a->lookup_operation_id);
}

void show_command(struct writer *w, const struct command *c)
{
    text_put(w, command_number_name(c->number));
    if (c->number != COMMAND_AUDIT)
        put_number(w, " operation ", c->operation_id);
    switch (c->number) {
    case COMMAND_DOWNLOAD:
        put_download(w, &c->download);
        put_flags(w, c->flags);
        break;
    case COMMAND_ENABLE:
    case COMMAND_DELETE:
    case COMMAND_SET_FALLBACK:
        put_name(w, ": ", &c->target);
        put_flags(w, c->flags);
        break;
    case COMMAND_AUDIT:
        put_audit(w, &c->audit);
        break;
    case COMMAND_CONFIGURE:
        put_parameters(w, ": ", c->configure.writes);
        put_reads(w, c->configure.reads);
        break;
    case COMMAND_CONFIRM:
        put_number(w, ": sequence ", c->confirm.sequence);
        break;
    default: // octets
        break;
    }
}

// --- results ---------------------------------------------------------------------------------

const char *show_slot_state(uint8_t state)
{
    static const char *const names[] = {"EMPTY", "DISABLED", "ENABLED"};
    return state <= SLOT_ENABLED ? names[state] : "?";
}

const char *show_switch_state(uint8_t state)
{
    static const char *const names[] = {"STARTING",  "STABLE",     "SUSPECT", "SWITCHING",
                                        "PROBATION", "CONFIRMING", "BACKOFF"};
    return state <= SWITCH_BACKOFF ? names[state] : "?";
}

static void put_audit_slot(struct writer *w, const struct audit_slot *s)
{
    static const char *const roles[] = {"operational", "bootstrap", "test"};
    put_number(w, "; slot ", s->slot);
    text_put(w, " ");
    text_put(w, show_slot_state(s->state));
    text_put(w, " ");
    text_put(w, s->role <= ROLE_TEST ? roles[s->role] : "?");
    text_put(w, s->is_fallback ? " fallback" : "");
    text_put(w, s->is_proven ? " proven" : "");
    put_number(w, " rank ", s->rank);
    put_number(w, " marks ", s->marks);
    put_number(w, " template ", s->template_number);
    text_put(w, " ");
    put_imsi(w, s->imsi);
    if (s->has_iccid) {
        text_put(w, " ");
        put_iccid(w, s->iccid);
    }
}

static void put_lookup(struct writer *w, const struct audit_answer *a)
{
    if (a->lookup == LOOKUP_NOT_ASKED)
        return;
    put_number(w, ", operation ", a->lookup_operation_id);
    if (a->lookup == LOOKUP_STORED) {
        text_put(w, " stored ");
        text_put(w, result_code_name(a->lookup_code));
    } else {
        text_put(w, a->lookup == LOOKUP_NEVER_SEEN ? " never seen" : " not stored");
    }
}

static void put_audit_answer(struct writer *w, struct bytes data)
{
    struct audit_answer a;
    if (!audit_answer_read(data, &a)) {
        text_put(w, ", malformed audit answer");
        return;
    }
    put_hex(w, ", nonce ", a.nonce, sizeof a.nonce);
    text_put(w, ", ");
    put_iccid(w, a.card_iccid);
    put_hex(w, ", applet ", a.applet_version, sizeof a.applet_version);
    put_number(w, " level ", a.level);
    put_number(w, ", MT ", a.mt_counter);
    put_number(w, ", MO ", a.mo_counter);
    put_number(w, ", highest operation ", a.operation_id_highest);
    put_number(w, ", configuration ", a.configuration_version);
    text_put(w, ", ");
    text_put(w, show_switch_state(a.switch_state));
    put_number(w, ", journal ", a.journal_phase);
    put_number(w, ", preferred slot ", a.preferred_slot);
    put_number(w, ", free ", a.free_memory);
    put_lookup(w, &a);
    for (uint8_t i = 0; i < a.slot_count_here; i++)
        put_audit_slot(w, &a.slots[i]);
}

static void put_result_data(struct writer *w, const struct result *r)
{
    struct result_pair pair;
    bool is_pair = result_pair_read(r->data, &pair);
    switch (r->command) {
    case COMMAND_DOWNLOAD:
    case COMMAND_DELETE:
        if (is_pair) {
            put_number(w, ", slot ", pair.first);
            put_number(w, ", free slots ", pair.second);
        }
        break;
    case COMMAND_ENABLE:
    case COMMAND_SET_FALLBACK:
        if (is_pair) {
            put_number(w, ", slot ", pair.first);
            put_number(w, " to ", pair.second);
        }
        break;
    case COMMAND_CONFIGURE:
        if (r->data.len >= 2) {
            put_number(w, ", configuration ", (unsigned)r->data.at[0] << 8 | r->data.at[1]);
            put_parameters(w, ": ", bytes_slice(r->data, 2, COMMAND_RESULT_MAX));
        }
        break;
    case COMMAND_AUDIT:
        put_audit_answer(w, r->data);
        break;
    default: // octets
        break;
    }
}

void show_result(struct writer *w, const struct result *r)
{
    text_put(w, command_number_name(r->command));
    put_number(w, " operation ", r->operation_id);
    text_put(w, ": ");
    text_put(w, result_code_name(r->code));
    text_put(w, r->replayed ? " (replayed)" : "");
    text_put(w, r->more ? ", more slots" : "");
    put_number(w, ", REGV ", r->registry_version);
    if (r->has_hash)
        put_hex(w, ", hash ", r->state_hash, sizeof r->state_hash);
    if (r->data.len > 0)
        put_result_data(w, r);
}

void show_notification(struct writer *w, const struct notification *n)
{
    char text[IMEI_SIZE];
    text_put(w, notify_cause_name(n->cause));
    put_number(w, " sequence ", n->sequence);
    if (n->operation_id != 0)
        put_number(w, " operation ", n->operation_id);
    put_number(w, ", REGV ", n->registry_version);
    if (n->has_hash)
        put_hex(w, ", hash ", n->state_hash, sizeof n->state_hash);
    if (n->coalesced != 0)
        put_number(w, ", merged ", n->coalesced);
    put_name(w, ", from ", &n->from);
    put_name(w, ", to ", &n->to);
    if (n->has_plmn && plmn_read(n->plmn, text)) {
        text_put(w, ", PLMN ");
        text_put(w, text);
    }
    if (n->has_access)
        put_number(w, ", access technology ", n->access);
    if (n->has_imei && imei_read(n->imei, text)) {
        text_put(w, ", IMEI ");
        text_put(w, text);
    }
    if (n->has_reject)
        put_number(w, ", rejected with cause ", n->reject);
    if (n->has_card) {
        put_hex(w, ", applet ", n->applet_version, sizeof n->applet_version);
        put_number(w, " level ", n->level);
    }
}

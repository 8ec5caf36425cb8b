#include "common/wire/command.h"

#include "common/wire/tlv.h"

#define COMMAND_CLA 0x80
#define COMMAND_INS 0xE2 // STORE DATA [GP 11.11]
#define COMMAND_P1 0x91  // last block, BER-TLV, answer expected

// The fields that a command can carry, each with its tag and the lengths that it may have.
enum field {
    FIELD_FLAGS,
    FIELD_ICCID,
    FIELD_IMSI,
    FIELD_KEYS,
    FIELD_SMSC,
    FIELD_MSISDN,
    FIELD_MNC_LENGTH,
    FIELD_CHECK,
    FIELD_ROLE,
    FIELD_RANK,
    FIELD_MARKS,
    FIELD_NONCE,
    FIELD_PLMNS,
    FIELD_FIRST_SLOT,
    FIELD_LOOKUP,
    FIELD_WRITES,
    FIELD_OPERATION_ID,
    FIELD_READS,
    FIELD_SEQUENCE,
    FIELD_COUNT,
};

#define BIT(field) (1u << (field))

static const struct {
    uint8_t tag;
    uint8_t len_min;
    uint8_t len_max;
} FIELDS[FIELD_COUNT] = {
    [FIELD_FLAGS] = {0x80, 1, 2},
    [FIELD_ICCID] = {0x5A, COMMAND_ICCID_SIZE, COMMAND_ICCID_SIZE},
    [FIELD_IMSI] = {0x81, COMMAND_IMSI_SIZE, COMMAND_IMSI_SIZE},
    [FIELD_KEYS] = {0x82, 32, COMMAND_KEYS_MAX},
    [FIELD_SMSC] = {0x83, 2, COMMAND_NUMBER_MAX},
    [FIELD_MSISDN] = {0x84, 2, COMMAND_NUMBER_MAX},
    [FIELD_MNC_LENGTH] = {0x85, 1, 1},
    [FIELD_CHECK] = {0x86, COMMAND_CHECK_SIZE, COMMAND_CHECK_SIZE},
    [FIELD_ROLE] = {0x87, 1, 1},
    [FIELD_RANK] = {0x88, 1, 1},
    [FIELD_MARKS] = {0x89, 1, 1},
    [FIELD_NONCE] = {0x8A, COMMAND_NONCE_SIZE, COMMAND_NONCE_SIZE},
    [FIELD_PLMNS] = {0x8B, 5, COMMAND_PLMNS_MAX},
    [FIELD_FIRST_SLOT] = {0x8C, 1, 1},
    [FIELD_LOOKUP] = {0x8D, 4, 4},
    [FIELD_WRITES] = {0x8E, 2, 250},
    [FIELD_OPERATION_ID] = {0x8F, 4, 4},
    [FIELD_READS] = {0x90, 1, 64},
    [FIELD_SEQUENCE] = {0x91, 4, 4},
};

#define TARGET (BIT(FIELD_ICCID) | BIT(FIELD_IMSI))

static const struct command_form {
    uint8_t number;
    const char *name;
    bool is_state_changing;
    uint32_t must;
    uint32_t may;
} FORMS[] = {
    {COMMAND_DOWNLOAD, "DOWNLOAD", true,
     BIT(FIELD_OPERATION_ID) | BIT(FIELD_FLAGS) | BIT(FIELD_IMSI) | BIT(FIELD_KEYS) |
         BIT(FIELD_CHECK),
     BIT(FIELD_ICCID) | BIT(FIELD_SMSC) | BIT(FIELD_MSISDN) | BIT(FIELD_MNC_LENGTH) |
         BIT(FIELD_ROLE) | BIT(FIELD_RANK) | BIT(FIELD_MARKS) | BIT(FIELD_PLMNS)},
    {COMMAND_ENABLE, "ENABLE", true, BIT(FIELD_OPERATION_ID), TARGET | BIT(FIELD_FLAGS)},
    {COMMAND_DELETE, "DELETE", true, BIT(FIELD_OPERATION_ID), TARGET},
    {COMMAND_SET_FALLBACK, "SET_FALLBACK", true, BIT(FIELD_OPERATION_ID),
     TARGET | BIT(FIELD_FLAGS)},
    {COMMAND_AUDIT, "AUDIT", false, BIT(FIELD_NONCE) | BIT(FIELD_FIRST_SLOT), BIT(FIELD_LOOKUP)},
    {COMMAND_CONFIGURE, "CONFIGURE", true, BIT(FIELD_OPERATION_ID),
     BIT(FIELD_WRITES) | BIT(FIELD_READS)},
    {COMMAND_CONFIRM, "CONFIRM", false, BIT(FIELD_OPERATION_ID) | BIT(FIELD_SEQUENCE), 0},
};

static const struct command_form *form_of(uint8_t number)
{
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++)
        if (FORMS[i].number == number)
            return &FORMS[i];
    return NULL;
}

const char *command_number_name(uint8_t number)
{
    const struct command_form *form = form_of(number);
    return form != NULL ? form->name : "UNKNOWN_COMMAND";
}

bool command_is_state_changing(uint8_t number)
{
    const struct command_form *form = form_of(number);
    return form != NULL && form->is_state_changing;
}

const char *result_code_name(uint8_t code)
{
    static const char *const NAMES[] = {
        [RESULT_OK] = "OK",
        [RESULT_OK_PENDING] = "OK_PENDING",
        [RESULT_OK_UNCHANGED] = "OK_UNCHANGED",
        [RESULT_NOT_FOUND] = "NOT_FOUND",
        [RESULT_IS_ENABLED] = "IS_ENABLED",
        [RESULT_IS_FALLBACK] = "IS_FALLBACK",
        [RESULT_POLICY_FORBIDS] = "POLICY_FORBIDS",
        [RESULT_ALREADY_INSTALLED] = "ALREADY_INSTALLED",
        [RESULT_NO_FREE_SLOT] = "NO_FREE_SLOT",
        [RESULT_NO_MEMORY] = "NO_MEMORY",
        [RESULT_TEMPLATE_UNKNOWN] = "TEMPLATE_UNKNOWN",
        [RESULT_KEY_CHECK_FAILED] = "KEY_CHECK_FAILED",
        [RESULT_BAD_DATA] = "BAD_DATA",
        [RESULT_BAD_FORMAT] = "BAD_FORMAT",
        [RESULT_UNKNOWN_COMMAND] = "UNKNOWN_COMMAND",
        [RESULT_UNKNOWN_PARAMETER] = "UNKNOWN_PARAMETER",
        [RESULT_OUT_OF_RANGE] = "OUT_OF_RANGE",
        [RESULT_BUSY_SWITCHING] = "BUSY_SWITCHING",
        [RESULT_OPID_REUSED] = "OPID_REUSED",
        [RESULT_OPID_EXPIRED] = "OPID_EXPIRED",
        [RESULT_TERMINAL_INCAPABLE] = "TERMINAL_INCAPABLE",
        [RESULT_NVM_ERROR] = "NVM_ERROR",
        [RESULT_CONFIRM_UNKNOWN] = "CONFIRM_UNKNOWN",
        [RESULT_NOT_PROVEN] = "NOT_PROVEN",
        [RESULT_CONFIRM_TOO_LATE] = "CONFIRM_TOO_LATE",
    };
    if (code >= sizeof NAMES / sizeof NAMES[0] || NAMES[code] == NULL)
        return "UNKNOWN_RESULT";
    return NAMES[code];
}

const char *notify_cause_name(uint8_t cause)
{
    static const char *const NAMES[] = {
        [NOTIFY_FIRST_CONTACT] = "FIRST_CONTACT",
        [NOTIFY_ENABLED] = "ENABLED",
        [NOTIFY_ROLLED_BACK] = "ROLLED_BACK",
        [NOTIFY_ROTATED] = "ROTATED",
        [NOTIFY_FALLBACK] = "FALLBACK",
        [NOTIFY_RETURNED] = "RETURNED",
        [NOTIFY_COUNTRY] = "COUNTRY",
        [NOTIFY_IMEI_CHANGED] = "IMEI_CHANGED",
        [NOTIFY_HEARTBEAT] = "HEARTBEAT",
        [NOTIFY_ADDRESS_CHECK] = "ADDRESS_CHECK",
        [NOTIFY_SWITCH_CAP] = "SWITCH_CAP",
        [NOTIFY_EXHAUSTED] = "EXHAUSTED",
        [NOTIFY_SWITCH_FAILED] = "SWITCH_FAILED",
        [NOTIFY_RECOVERED] = "RECOVERED",
        [NOTIFY_RESTORED] = "RESTORED",
    };
    if (cause >= sizeof NAMES / sizeof NAMES[0] || NAMES[cause] == NULL)
        return "UNKNOWN_CAUSE";
    return NAMES[cause];
}

struct fields {
    uint32_t present;
    struct bytes value[FIELD_COUNT];
};

/*@ predicate fields_are_valid{L}(struct fields *f) =
  @   \forall integer i; 0 <= i < FIELD_COUNT ==> bytes_are_valid(f->value[i]) &&
  @   (f->value[i].len == 0 ||
  @   FIELDS[i].len_min <= f->value[i].len <= FIELDS[i].len_max);
  @*/

/*@ requires \valid(f) && \valid_read(object) && \separated(f, object);
  @ requires fields_are_valid(f) && bytes_are_valid(object->value);
  @ assigns *f, \result \from *f, *object;
  @ ensures fields_are_valid(f);
  @*/
static bool field_take(struct fields *f, const struct tlv *object)
{
    /*@ loop invariant 0 <= i <= FIELD_COUNT;
      @ loop assigns i;
      @ loop variant FIELD_COUNT - i;
      @*/
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (FIELDS[i].tag != object->tag)
            continue;
        if (f->value[i].len > 0 || object->value.len < FIELDS[i].len_min ||
            object->value.len > FIELDS[i].len_max)
            return false;
        f->present |= BIT(i);
        f->value[i] = object->value;
        return true;
    }
    return false;
}

/*@ requires bytes_are_valid(objects) && \valid(f);
  @ assigns *f, \result \from objects, objects.at[0 .. objects.len - 1];
  @ ensures fields_are_valid(f);
  @*/
static bool fields_read(struct bytes objects, struct fields *f)
{
    struct reader r = reader_of(objects);
    struct tlv object;
    f->present = 0;
    /*@ loop invariant 0 <= i <= FIELD_COUNT;
      @ loop invariant \forall integer k; 0 <= k < i ==> f->value[k].len == 0;
      @ loop assigns i, f->value[0 .. FIELD_COUNT - 1];
      @ loop variant FIELD_COUNT - i;
      @*/
    for (unsigned i = 0; i < FIELD_COUNT; i++)
        f->value[i] = bytes_of(NULL, 0);
    bool is_taken = true;
    /*@ loop invariant fields_are_valid(f) && reader_is_valid(&r);
      @ loop assigns r, object, is_taken, *f;
      @ loop variant r.left;
      @*/
    while (is_taken && tlv_next(&r, &object))
        is_taken = field_take(f, &object);
    return is_taken && reader_done(&r);
}

// No field may be empty.
/*@ requires \valid_read(f) && field < FIELD_COUNT;
  @ assigns \result \from f->value[field];
  @ ensures \result <==> f->value[field].len > 0;
  @*/
static bool has(const struct fields *f, enum field field)
{
    return f->value[field].len > 0;
}

/*@ requires \valid_read(f) && fields_are_valid((struct fields *)f) && field < FIELD_COUNT;
  @ assigns \result \from *f, field;
  @ ensures f->value[field].len == 0 ==> \result == 0;
  @*/
static uint8_t field_u8(const struct fields *f, enum field field)
{
    return has(f, field) ? f->value[field].at[f->value[field].len - 1] : 0;
}

/*@ requires \valid_read(f) && fields_are_valid((struct fields *)f) && field < FIELD_COUNT;
  @ assigns \result \from *f, field;
  @ ensures bytes_are_valid(\result) && \result.len == f->value[field].len;
  @*/
static struct bytes field_bytes(const struct fields *f, enum field field)
{
    return has(f, field) ? f->value[field] : bytes_of(NULL, 0);
}

/*@ requires \valid_read(f) && fields_are_valid((struct fields *)f) && field < FIELD_COUNT;
  @ assigns \result \from *f, field;
  @ ensures f->value[field].len == 0 ==> \result == 0;
  @*/
static uint32_t field_u32(const struct fields *f, enum field field)
{
    struct reader r = reader_of(field_bytes(f, field));
    return reader_u32(&r); // 0 when there is none
}

/*@ requires \valid_read(f) && fields_are_valid((struct fields *)f) && \valid(name);
  @ requires \separated(f, name);
  @ requires \forall integer i; 0 <= i < FIELD_COUNT ==>
  @   \separated(name, f->value[i].at + (0 .. f->value[i].len - 1));
  @ assigns *name, \result \from *f;
  @ ensures \result ==> name->is_given;
  @*/
static bool read_target(const struct fields *f, struct subscription_name *name)
{
    // Named once: by ICCID or by IMSI, not by both.
    if (has(f, FIELD_ICCID) == has(f, FIELD_IMSI))
        return false;
    name->is_given = true;
    name->is_iccid = has(f, FIELD_ICCID);
    if (name->is_iccid)
        memcpy(name->iccid, f->value[FIELD_ICCID].at, COMMAND_ICCID_SIZE);
    else
        memcpy(name->imsi, f->value[FIELD_IMSI].at, COMMAND_IMSI_SIZE);
    return true;
}

static bool read_download(const struct fields *f, struct command_download *d)
{
    size_t keys_len = f->value[FIELD_KEYS].len;
    if (f->value[FIELD_FLAGS].len != 2 || keys_len % 16 != 0)
        return false;
    if (has(f, FIELD_PLMNS) && f->value[FIELD_PLMNS].len % 5 != 0)
        return false;
    d->template_number = f->value[FIELD_FLAGS].at[0];
    d->iccid.is_given = d->iccid.is_iccid = has(f, FIELD_ICCID);
    if (d->iccid.is_given)
        memcpy(d->iccid.iccid, f->value[FIELD_ICCID].at, COMMAND_ICCID_SIZE);
    bytes_copy(d->imsi, field_bytes(f, FIELD_IMSI));
    bytes_copy(d->check, field_bytes(f, FIELD_CHECK));
    d->wrapped_keys = f->value[FIELD_KEYS];
    d->smsc = field_bytes(f, FIELD_SMSC);
    d->msisdn = field_bytes(f, FIELD_MSISDN);
    d->plmns = field_bytes(f, FIELD_PLMNS);
    d->has_mnc_length = has(f, FIELD_MNC_LENGTH);
    d->mnc_length = field_u8(f, FIELD_MNC_LENGTH);
    d->has_role = has(f, FIELD_ROLE);
    d->role = field_u8(f, FIELD_ROLE);
    d->has_rank = has(f, FIELD_RANK);
    d->rank = field_u8(f, FIELD_RANK);
    d->has_marks = has(f, FIELD_MARKS);
    d->marks = field_u8(f, FIELD_MARKS);
    return true;
}

static bool read_arguments(const struct fields *f, struct command *c)
{
    if (c->number == COMMAND_DOWNLOAD)
        return read_download(f, &c->download);
    if (has(f, FIELD_FLAGS) && f->value[FIELD_FLAGS].len != 1)
        return false;
    if (c->number == COMMAND_AUDIT) {
        bytes_copy(c->audit.nonce, field_bytes(f, FIELD_NONCE));
        c->audit.first_slot = field_u8(f, FIELD_FIRST_SLOT);
        c->audit.has_lookup = has(f, FIELD_LOOKUP);
        c->audit.lookup_operation_id = field_u32(f, FIELD_LOOKUP);
        return c->audit.first_slot >= 1 && c->audit.first_slot <= COMMAND_SLOTS_MAX;
    }
    if (c->number == COMMAND_CONFIGURE) {
        c->configure.writes = field_bytes(f, FIELD_WRITES);
        c->configure.reads = field_bytes(f, FIELD_READS);
        return has(f, FIELD_WRITES) || has(f, FIELD_READS);
    }
    if (c->number == COMMAND_CONFIRM) {
        c->confirm.sequence = field_u32(f, FIELD_SEQUENCE);
        return true;
    }
    return read_target(f, &c->target);
}

enum command_read_status command_read(struct bytes data, struct command *out)
{
    *out = (struct command){0};
    struct reader r = reader_of(data);
    uint8_t cla = reader_u8(&r);
    uint8_t ins = reader_u8(&r);
    uint8_t p1 = reader_u8(&r);
    uint8_t number = reader_u8(&r);
    size_t lc = reader_u8(&r);
    struct bytes objects = reader_bytes(&r, lc);
    if (!reader_done(&r) || cla != COMMAND_CLA || ins != COMMAND_INS || p1 != COMMAND_P1)
        return COMMAND_READ_BAD_FORMAT;
    out->number = number;

    struct fields f;
    bool read = fields_read(objects, &f);
    out->operation_id = field_u32(&f, FIELD_OPERATION_ID);
    const struct command_form *form = form_of(number);
    if (form == NULL)
        return COMMAND_READ_UNKNOWN;
    if (!read || (f.present & form->must) != form->must ||
        (f.present & ~(form->must | form->may)) != 0)
        return COMMAND_READ_BAD_FORMAT;
    if (form->is_state_changing && out->operation_id == 0)
        return COMMAND_READ_BAD_FORMAT;
    out->flags = number == COMMAND_ENABLE && !has(&f, FIELD_FLAGS) ? COMMAND_FLAG_ROLLBACK
                                                                   : field_u8(&f, FIELD_FLAGS);
    return read_arguments(&f, out) ? COMMAND_READ_OK : COMMAND_READ_BAD_FORMAT;
}

static void put(struct writer *w, enum field field, const void *at, size_t len)
{
    tlv_write(w, FIELDS[field].tag, bytes_of(at, len));
}

static void put_u8(struct writer *w, enum field field, uint8_t value)
{
    put(w, field, &value, 1);
}

static void put_u32(struct writer *w, enum field field, uint32_t value)
{
    tlv_write_head(w, FIELDS[field].tag, 4);
    writer_u32(w, value);
}

static void put_given(struct writer *w, enum field field, struct bytes value)
{
    if (value.len > 0)
        put(w, field, value.at, value.len);
}

static void write_target(struct writer *w, const struct subscription_name *name)
{
    if (name->is_iccid)
        put(w, FIELD_ICCID, name->iccid, COMMAND_ICCID_SIZE);
    else
        put(w, FIELD_IMSI, name->imsi, COMMAND_IMSI_SIZE);
}

static void write_download(struct writer *w, uint8_t flags, const struct command_download *d)
{
    const uint8_t head[2] = {d->template_number, flags};
    put(w, FIELD_FLAGS, head, sizeof head);
    if (d->iccid.is_given)
        put(w, FIELD_ICCID, d->iccid.iccid, COMMAND_ICCID_SIZE);
    put(w, FIELD_IMSI, d->imsi, COMMAND_IMSI_SIZE);
    put(w, FIELD_KEYS, d->wrapped_keys.at, d->wrapped_keys.len);
    put_given(w, FIELD_SMSC, d->smsc);
    put_given(w, FIELD_MSISDN, d->msisdn);
    if (d->has_mnc_length)
        put_u8(w, FIELD_MNC_LENGTH, d->mnc_length);
    put(w, FIELD_CHECK, d->check, COMMAND_CHECK_SIZE);
    if (d->has_role)
        put_u8(w, FIELD_ROLE, d->role);
    if (d->has_rank)
        put_u8(w, FIELD_RANK, d->rank);
    if (d->has_marks)
        put_u8(w, FIELD_MARKS, d->marks);
    put_given(w, FIELD_PLMNS, d->plmns);
}

static void write_arguments(struct writer *w, const struct command *c)
{
    switch ((enum command_number)c->number) {
    case COMMAND_DOWNLOAD:
        write_download(w, c->flags, &c->download);
        break;
    case COMMAND_ENABLE:
        write_target(w, &c->target);
        if (c->flags != COMMAND_FLAG_ROLLBACK)
            put_u8(w, FIELD_FLAGS, c->flags);
        break;
    case COMMAND_DELETE:
        write_target(w, &c->target);
        break;
    case COMMAND_SET_FALLBACK:
        write_target(w, &c->target);
        if (c->flags != 0)
            put_u8(w, FIELD_FLAGS, c->flags);
        break;
    case COMMAND_AUDIT:
        put(w, FIELD_NONCE, c->audit.nonce, COMMAND_NONCE_SIZE);
        put_u8(w, FIELD_FIRST_SLOT, c->audit.first_slot);
        if (c->audit.has_lookup)
            put_u32(w, FIELD_LOOKUP, c->audit.lookup_operation_id);
        break;
    case COMMAND_CONFIGURE:
        put_given(w, FIELD_WRITES, c->configure.writes);
        put_given(w, FIELD_READS, c->configure.reads);
        break;
    case COMMAND_CONFIRM:
        put_u32(w, FIELD_SEQUENCE, c->confirm.sequence);
        break;
    }
}

void command_write(struct writer *w, const struct command *c)
{
    if (form_of(c->number) == NULL || writer_room(w) < 5) {
        w->failed = true;
        return;
    }
    const uint8_t head[5] = {COMMAND_CLA, COMMAND_INS, COMMAND_P1, c->number, 0};
    writer_copy(w, bytes_of(head, sizeof head));
    size_t body_at = w->len;
    if (c->number != COMMAND_AUDIT)
        put_u32(w, FIELD_OPERATION_ID, c->operation_id);
    write_arguments(w, c);
    size_t lc = w->len - body_at;
    if (lc > 255)
        w->failed = true;
    if (!w->failed)
        w->at[body_at - 1] = (uint8_t)lc;
}

// The model's own reading of commands and parameters, from docs/applet-protocol.md 3 and 6: what
// the product reads wrongly is not wrong here in the same way. Nothing of common/wire is called.
#include "tests/model/model.h"

#include <stddef.h>

// --- objects -----------------------------------------------------------------------------------

struct object {
    uint8_t tag;
    struct bytes value;
};

static uint32_t number_of(struct bytes b)
{
    uint32_t number = 0;
    for (size_t i = 0; i < b.len; i++)
        number = number << 8 | b.at[i];
    return number;
}

// The octets that a length has, with what it says; 0: it is none of 00-7F, 81 LL, 82 LL LL [101.220
// §7.1.2].
static size_t length_of(struct bytes rest, size_t *len)
{
    const size_t first = rest.len > 0 ? rest.at[0] : 0xFF;
    const size_t count = first < 0x80 ? 1 : first == 0x81 ? 2 : first == 0x82 ? 3 : 0;
    if (count == 0 || count > rest.len)
        return 0;
    *len = count == 1 ? first : number_of(bytes_of(rest.at + 1, count - 1));
    return count;
}

// Takes the first object of `rest`. A tag has one octet, or two, which is none of ours then.
static bool take(struct bytes *rest, struct object *o)
{
    size_t head = rest->len > 0 && (rest->at[0] & 0x1F) == 0x1F ? 2 : 1;
    size_t len = 0;
    if (rest->len < head || (head == 2 && rest->at[1] >= 0x80))
        return false;
    const size_t count = length_of(bytes_of(rest->at + head, rest->len - head), &len);
    o->tag = head == 2 ? 0 : rest->at[0];
    head += count;
    if (count == 0 || len > rest->len - head)
        return false;
    o->value = bytes_of(rest->at + head, len);
    *rest = bytes_of(rest->at + head + len, rest->len - head - len);
    return true;
}

// --- commands ----------------------------------------------------------------------------------

// Which objects a command has: tags, those that must be there first.
static const struct form {
    uint8_t number;
    const char *must, *may;
} forms[] = {
    {COMMAND_DOWNLOAD, "\x8F\x80\x81\x82\x86", "\x5A\x83\x84\x85\x87\x88\x89\x8B"},
    {COMMAND_ENABLE, "\x8F", "\x5A\x81\x80"},
    {COMMAND_DELETE, "\x8F", "\x5A\x81"},
    {COMMAND_SET_FALLBACK, "\x8F", "\x5A\x81\x80"},
    {COMMAND_AUDIT, "\x8A\x8C", "\x8D"},
    {COMMAND_CONFIGURE, "\x8F", "\x8E\x90"},
    {COMMAND_CONFIRM, "\x8F\x91", ""},
};

static bool has_tag(const char *tags, uint8_t tag)
{
    for (; *tags != 0; tags++) {
        if ((uint8_t)*tags == tag)
            return true;
    }
    return false;
}

static bool is_length(uint8_t number, uint8_t tag, size_t len)
{
    switch (tag) {
    case 0x80:
        return len == (number == COMMAND_DOWNLOAD ? 2 : 1);
    case 0x5A:
        return len == 10;
    case 0x81:
        return len == 9;
    case 0x82:
        return len == 32 || len == 48 || len == 64;
    case 0x83:
    case 0x84:
        return len >= 2 && len <= 12;
    case 0x86:
        return len == 3;
    case 0x8A:
        return len == 8;
    case 0x8B:
        return len >= 5 && len <= 40 && len % 5 == 0;
    case 0x8D:
    case 0x8F:
    case 0x91:
        return len == 4;
    case 0x8E:
        return len >= 2 && len <= 250;
    case 0x90:
        return len >= 1 && len <= 64;
    default: // octets: 85, 87, 88, 89, 8C
        return len == 1;
    }
}

static void name(struct subscription_name *n, const struct object *o)
{
    n->is_given = true;
    n->is_iccid = o->tag == 0x5A;
    if (n->is_iccid)
        bytes_copy(n->iccid, o->value);
    else
        bytes_copy(n->imsi, o->value);
}

static void keep_download(struct command *c, const struct object *o)
{
    struct command_download *d = &c->download;
    const uint8_t first = o->value.at[0];
    switch (o->tag) {
    case 0x80:
        d->template_number = first;
        c->flags = o->value.at[1] & 0x07;
        break;
    case 0x5A:
        name(&d->iccid, o);
        break;
    case 0x81:
        bytes_copy(d->imsi, o->value);
        break;
    case 0x82:
        d->wrapped_keys = o->value;
        break;
    case 0x83:
        d->smsc = o->value;
        break;
    case 0x84:
        d->msisdn = o->value;
        break;
    case 0x85:
        d->has_mnc_length = true;
        d->mnc_length = first;
        break;
    case 0x86:
        bytes_copy(d->check, o->value);
        break;
    case 0x87:
        d->has_role = true;
        d->role = first;
        break;
    case 0x88:
        d->has_rank = true;
        d->rank = first;
        break;
    case 0x89:
        d->has_marks = true;
        d->marks = first;
        break;
    case 0x8B:
        d->plmns = o->value;
        break;
    default: // octets: 8F, which is read apart
        break;
    }
}

static void keep_other(struct command *c, const struct object *o)
{
    const uint8_t first = o->value.at[0];
    switch (o->tag) {
    case 0x80:
        c->flags = first & (c->number == COMMAND_ENABLE ? 0x04 : 0x08);
        break;
    case 0x8A:
        bytes_copy(c->audit.nonce, o->value);
        break;
    case 0x8C:
        c->audit.first_slot = first;
        break;
    case 0x8D:
        c->audit.has_lookup = true;
        c->audit.lookup_operation_id = number_of(o->value);
        break;
    case 0x8E:
        c->configure.writes = o->value;
        break;
    case 0x90:
        c->configure.reads = o->value;
        break;
    case 0x91:
        c->confirm.sequence = number_of(o->value);
        break;
    case 0x5A:
    case 0x81:
        name(&c->target, o);
        break;
    default: // octets: 8F, which is read apart
        break;
    }
}

// An object of some command, no shorter and no longer than it may be there?
static bool is_object(const struct object *o)
{
    const size_t len = o->value.len;
    bool is_right = is_length(0, o->tag, len) || is_length(COMMAND_DOWNLOAD, o->tag, len);
    is_right |= o->tag == 0x82 && len >= 32 && len <= 64;
    is_right |= o->tag == 0x8B && len >= 5 && len <= 40;
    bool is_known = false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        is_known |= has_tag(forms[i].must, o->tag) || has_tag(forms[i].may, o->tag);
    return is_known && is_right;
}

// What the answer names also when the command is none, unless something that is no object, or
// there already, stands before it.
static uint32_t operation_of(struct bytes rest)
{
    bool is_there[256] = {false};
    struct object o;
    while (take(&rest, &o) && is_object(&o) && !is_there[o.tag]) {
        if (o.tag == 0x8F)
            return number_of(o.value);
        is_there[o.tag] = true;
    }
    return 0;
}

// Tags once each, those that the command has, with right lengths, and what must be there.
static bool read_objects(struct bytes rest, const struct form *f, struct command *c)
{
    bool is_there[256] = {false};
    struct object o;
    bool is_good = true;
    while (is_good && take(&rest, &o)) {
        is_good = (has_tag(f->must, o.tag) || has_tag(f->may, o.tag)) && !is_there[o.tag] &&
                  is_length(c->number, o.tag, o.value.len);
        is_there[o.tag] = true;
        if (is_good && c->number == COMMAND_DOWNLOAD)
            keep_download(c, &o);
        else if (is_good)
            keep_other(c, &o);
    }
    for (const char *tag = f->must; *tag != 0; tag++)
        is_good &= is_there[(uint8_t)*tag];
    const bool is_targeted = c->number >= COMMAND_ENABLE && c->number <= COMMAND_SET_FALLBACK;
    if (is_targeted && is_there[0x5A] == is_there[0x81])
        return false;
    if (c->number == COMMAND_CONFIGURE && !is_there[0x8E] && !is_there[0x90])
        return false;
    return is_good && rest.len == 0;
}

enum command_read_status model_read(struct bytes data, struct command *c)
{
    static const uint8_t head[] = {0x80, 0xE2, 0x91};
    *c = (struct command){.number = 0};
    if (data.len < 5 || memcmp(data.at, head, sizeof head) != 0 || data.at[4] != data.len - 5)
        return COMMAND_READ_BAD_FORMAT;
    c->number = data.at[3];
    c->operation_id = operation_of(bytes_of(data.at + 5, data.len - 5));
    const struct form *f = NULL;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        f = forms[i].number == c->number ? &forms[i] : f;
    if (f == NULL)
        return COMMAND_READ_UNKNOWN;
    c->flags = c->number == COMMAND_ENABLE ? COMMAND_FLAG_ROLLBACK : 0;
    const bool is_good = read_objects(bytes_of(data.at + 5, data.len - 5), f, c);
    const bool is_named =
        c->operation_id != 0 || c->number == COMMAND_CONFIRM || c->number == COMMAND_AUDIT;
    const bool is_slot =
        c->number != COMMAND_AUDIT || (c->audit.first_slot >= 1 && c->audit.first_slot <= 16);
    return is_good && is_named && is_slot ? COMMAND_READ_OK : COMMAND_READ_BAD_FORMAT;
}

// --- parameters --------------------------------------------------------------------------------

#define COUNTRY_LEN 13

#define AT(name) offsetof(struct parameters, name)

// Of those that are one number: its octets, here and in `struct parameters`, where it stands there,
// and from where to where it goes. `or_zero`: or 0.
static const struct range {
    uint8_t octets;
    bool or_zero;
    uint32_t min, max;
    size_t at;
} ranges[PARAMETER_LAST + 1] = {
    [PARAMETER_POLL_PERIOD] = {1, false, 5, 255, AT(poll_period_s)},
    [PARAMETER_POLL_BY_STATUS] = {1, false, 0, 1, AT(poll_by_status)},
    [PARAMETER_T_NOSERVICE] = {2, false, 30, 3600, AT(no_service_s)},
    [PARAMETER_T_LIMITED] = {2, false, 30, 3600, AT(limited_s)},
    [PARAMETER_T_ATTACH] = {2, false, 60, 900, AT(attach_s)},
    [PARAMETER_AUTO_MODE] = {1, false, 0, 2, AT(auto_mode)},
    [PARAMETER_ROUNDS_MAX] = {1, false, 1, 10, AT(rounds_max)},
    [PARAMETER_BACKOFF_BASE] = {1, false, 1, 60, AT(backoff_base_min)},
    [PARAMETER_BACKOFF_MAX] = {1, false, 1, 48, AT(backoff_max_h)},
    [PARAMETER_T_RETURN] = {4, true, 600, 2592000, AT(return_s)},
    [PARAMETER_RETURN_ON_COUNTRY] = {1, false, 0, 1, AT(return_on_country)},
    [PARAMETER_T_COOL] = {4, false, 0, 86400, AT(cool_s)},
    [PARAMETER_SWITCHES_PER_DAY] = {1, false, 1, 255, AT(switches_per_day)},
    [PARAMETER_JITTER_MAX] = {2, false, 0, 600, AT(jitter_max_s)},
    [PARAMETER_REUSE_LIMIT] = {2, true, 1, 365, AT(reuse_limit_d)},
    [PARAMETER_T_COUNTRY] = {2, false, 0, 3600, AT(country_s)},
    [PARAMETER_HEARTBEAT] = {2, true, 1, 720, AT(heartbeat_h)},
    [PARAMETER_REFRESH_MODE] = {1, false, 3, 4, AT(refresh_mode)},
    [PARAMETER_T_REFRESH] = {1, false, 0, 60, AT(refresh_s)},
};

static bool is_between(uint32_t number, uint32_t min, uint32_t max)
{
    return number >= min && number <= max;
}

static bool is_known(uint8_t number)
{
    return number >= 1 && number <= PARAMETER_LAST;
}

static bool is_in_range(uint8_t number, struct bytes v)
{
    bool is_good = true;
    if (number == PARAMETER_NOTIFY_WAITS) {
        for (size_t i = 0; i + 1 < v.len; i += 2)
            is_good &= is_between(number_of(bytes_of(v.at + i, 2)), 10, 3600);
        return is_good && v.len % 2 == 0 && is_between((uint32_t)v.len, 2, 16);
    }
    if (number == PARAMETER_COUNTRY_TABLE) {
        for (size_t i = COUNTRY_LEN; i <= v.len; i += COUNTRY_LEN)
            is_good &= is_between(v.at[i - 1], COUNTRY_PREFER, COUNTRY_FORBID);
        return is_good && v.len % COUNTRY_LEN == 0 && v.len <= 16 * COUNTRY_LEN;
    }
    if (number == PARAMETER_SERVER_ADDR)
        return model_is_number(v);
    const struct range *r = &ranges[number];
    const uint32_t n = number_of(v);
    return v.len == r->octets && ((r->or_zero && n == 0) || is_between(n, r->min, r->max));
}

static void set_list(struct parameters *p, uint8_t number, struct bytes v)
{
    if (number == PARAMETER_NOTIFY_WAITS) {
        p->wait_count = (uint8_t)(v.len / 2);
        for (uint8_t i = 0; i < p->wait_count; i++)
            p->waits_s[i] = (uint16_t)number_of(bytes_of(v.at + 2 * i, 2));
    } else if (number == PARAMETER_COUNTRY_TABLE) {
        p->country_count = (uint8_t)(v.len / COUNTRY_LEN);
        for (uint8_t i = 0; i < p->country_count; i++) {
            const uint8_t *row = v.at + (size_t)i * COUNTRY_LEN;
            memcpy(p->countries[i].plmn, row, 3);
            memcpy(p->countries[i].imsi, row + 3, 9);
            p->countries[i].action = row[12];
        }
    } else {
        p->server_address_len = (uint8_t)v.len;
        bytes_copy(p->server_address, v);
    }
}

static void set(struct parameters *p, uint8_t number, struct bytes v)
{
    const struct range *r = &ranges[number];
    const uint32_t n = number_of(v);
    const uint16_t half = (uint16_t)n;
    const uint8_t octet = (uint8_t)n;
    uint8_t *to = (uint8_t *)p + r->at;
    if (r->octets == 0)
        set_list(p, number, v);
    else if (r->octets == 1)
        memcpy(to, &octet, 1);
    else if (r->octets == 2)
        memcpy(to, &half, 2);
    else
        memcpy(to, &n, 4);
}

// A parameter's number, a length of one octet and its value.
static bool take_parameter(struct bytes *rest, struct object *o)
{
    if (rest->len < 2 || rest->at[1] > rest->len - 2)
        return false;
    const size_t len = rest->at[1];
    *o = (struct object){rest->at[0], bytes_of(rest->at + 2, len)};
    *rest = bytes_of(rest->at + 2 + len, rest->len - 2 - len);
    return true;
}

uint8_t model_parameters(struct parameters *p, const struct command_configure *c)
{
    struct parameters next = *p;
    struct bytes rest = c->writes;
    struct object o;
    bool are_known = true;
    bool are_in_range = true;
    while (take_parameter(&rest, &o)) {
        const bool is_one = is_known(o.tag);
        are_known &= is_one;
        are_in_range &= is_one && is_in_range(o.tag, o.value);
        if (is_one && are_in_range)
            set(&next, o.tag, o.value);
    }
    if (rest.len > 0)
        return RESULT_BAD_FORMAT;
    const bool are_all = c->reads.len == 1 && c->reads.at[0] == 0xFF;
    for (size_t i = 0; i < c->reads.len && !are_all; i++)
        are_known &= is_known(c->reads.at[i]);
    if (!are_known)
        return RESULT_UNKNOWN_PARAMETER;
    if (!are_in_range)
        return RESULT_OUT_OF_RANGE;
    *p = next;
    return RESULT_OK;
}

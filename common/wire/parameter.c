#include "common/wire/parameter.h"

#include "common/wire/ident.h"

#define WAIT_MIN_S 10
#define WAIT_MAX_S 3600
#define COUNTRY_ROW_SIZE 13
#define NEVER_ALSO true // 0 is allowed below `min` and means off or never

// The parameters that are one number: how many octets it takes, and its range.
static const struct number_form {
    uint8_t number;
    uint8_t size;
    uint16_t offset; // in struct parameters
    uint32_t min;
    uint32_t max;
    uint32_t initial;
    bool zero_too;
} NUMBERS[] = {
#define AT(field) sizeof(((struct parameters *)0)->field), offsetof(struct parameters, field)
    // clang-format off
    {PARAMETER_POLL_PERIOD,       AT(poll_period_s),     5, 255, 30, false},
    {PARAMETER_POLL_BY_STATUS,    AT(poll_by_status),    0, 1, 0, false},
    {PARAMETER_T_NOSERVICE,       AT(no_service_s),      30, 3600, 180, false},
    {PARAMETER_T_LIMITED,         AT(limited_s),         30, 3600, 180, false},
    {PARAMETER_T_ATTACH,          AT(attach_s),          60, 900, 180, false},
    {PARAMETER_AUTO_MODE,         AT(auto_mode),         0, 2, 2, false},
    {PARAMETER_ROUNDS_MAX,        AT(rounds_max),        1, 10, 2, false},
    {PARAMETER_BACKOFF_BASE,      AT(backoff_base_min),  1, 60, 15, false},
    {PARAMETER_BACKOFF_MAX,       AT(backoff_max_h),     1, 48, 6, false},
    {PARAMETER_T_RETURN,          AT(return_s),          600, 2592000, 86400, NEVER_ALSO},
    {PARAMETER_RETURN_ON_COUNTRY, AT(return_on_country), 0, 1, 1, false},
    {PARAMETER_T_COOL,            AT(cool_s),            0, 86400, 1800, false},
    {PARAMETER_SWITCHES_PER_DAY,  AT(switches_per_day),  1, 255, 48, false},
    {PARAMETER_JITTER_MAX,        AT(jitter_max_s),      0, 600, 60, false},
    {PARAMETER_REUSE_LIMIT,       AT(reuse_limit_d),     1, 365, 0, NEVER_ALSO},
    {PARAMETER_T_COUNTRY,         AT(country_s),         0, 3600, 120, false},
    {PARAMETER_HEARTBEAT,         AT(heartbeat_h),       1, 720, 0, NEVER_ALSO},
    {PARAMETER_REFRESH_MODE,      AT(refresh_mode),      3, 4, 4, false},
    {PARAMETER_T_REFRESH,         AT(refresh_s),         0, 60, 5, false},
// clang-format on
#undef AT
};

#define NUMBER_COUNT (sizeof NUMBERS / sizeof NUMBERS[0])

static const char *const NAMES[PARAMETER_LAST + 1] = {
    [PARAMETER_POLL_PERIOD] = "POLL_PERIOD",
    [PARAMETER_POLL_BY_STATUS] = "POLL_BY_STATUS",
    [PARAMETER_T_NOSERVICE] = "T_NOSERVICE",
    [PARAMETER_T_LIMITED] = "T_LIMITED",
    [PARAMETER_T_ATTACH] = "T_ATTACH",
    [PARAMETER_AUTO_MODE] = "AUTO_MODE",
    [PARAMETER_ROUNDS_MAX] = "ROUNDS_MAX",
    [PARAMETER_BACKOFF_BASE] = "BACKOFF_BASE",
    [PARAMETER_BACKOFF_MAX] = "BACKOFF_MAX",
    [PARAMETER_T_RETURN] = "T_RETURN",
    [PARAMETER_RETURN_ON_COUNTRY] = "RETURN_ON_COUNTRY",
    [PARAMETER_T_COOL] = "T_COOL",
    [PARAMETER_SWITCHES_PER_DAY] = "SWITCHES_PER_DAY",
    [PARAMETER_NOTIFY_WAITS] = "NOTIFY_WAITS",
    [PARAMETER_JITTER_MAX] = "JITTER_MAX",
    [PARAMETER_REUSE_LIMIT] = "REUSE_LIMIT",
    [PARAMETER_COUNTRY_TABLE] = "COUNTRY_TABLE",
    [PARAMETER_T_COUNTRY] = "T_COUNTRY",
    [PARAMETER_HEARTBEAT] = "HEARTBEAT",
    [PARAMETER_REFRESH_MODE] = "REFRESH_MODE",
    [PARAMETER_T_REFRESH] = "T_REFRESH",
    [PARAMETER_SERVER_ADDR] = "SERVER_ADDR",
};

const char *parameter_name(uint8_t number)
{
    return number <= PARAMETER_LAST ? NAMES[number] : NULL;
}

uint8_t parameter_by_name(struct bytes name)
{
    for (uint8_t i = 1; i <= PARAMETER_LAST; i++)
        if (bytes_equal(name, bytes_of_text(NAMES[i])))
            return i;
    return 0;
}

static const struct number_form *form_of(uint8_t number)
{
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        if (NUMBERS[i].number == number)
            return &NUMBERS[i];
    return NULL;
}

bool parameter_range(uint8_t number, uint32_t *min, uint32_t *max, bool *zero_too)
{
    const struct number_form *form = form_of(number);
    const bool is_waits = number == PARAMETER_NOTIFY_WAITS;
    if (form == NULL && !is_waits)
        return false;
    *min = is_waits ? WAIT_MIN_S : form->min;
    *max = is_waits ? WAIT_MAX_S : form->max;
    *zero_too = !is_waits && form->zero_too;
    return true;
}

static void number_set(struct parameters *p, const struct number_form *form, uint32_t value)
{
    uint8_t *at = (uint8_t *)p + form->offset;
    const uint8_t one = (uint8_t)value;
    const uint16_t two = (uint16_t)value;
    if (form->size == 1)
        memcpy(at, &one, 1);
    else if (form->size == 2)
        memcpy(at, &two, 2);
    else
        memcpy(at, &value, 4);
}

static uint32_t number_get(const struct parameters *p, const struct number_form *form)
{
    const uint8_t *at = (const uint8_t *)p + form->offset;
    uint16_t two;
    uint32_t four;
    if (form->size == 1)
        return *at;
    if (form->size == 2) {
        memcpy(&two, at, 2);
        return two;
    }
    memcpy(&four, at, 4);
    return four;
}

void parameters_default(struct parameters *p)
{
    *p = (struct parameters){.wait_count = 4, .waits_s = {60, 120, 240, 480}};
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        number_set(p, &NUMBERS[i], NUMBERS[i].initial);
}

static bool apply_number(struct parameters *p, const struct number_form *form, struct bytes value)
{
    if (value.len != form->size)
        return false;
    uint32_t number = 0;
    for (size_t i = 0; i < value.len; i++)
        number = number << 8 | value.at[i];
    bool in_range = number >= form->min && number <= form->max;
    if (!in_range && !(form->zero_too && number == 0))
        return false;
    number_set(p, form, number);
    return true;
}

static bool apply_waits(struct parameters *p, struct bytes value)
{
    if (value.len < 2 || value.len > 2 * PARAMETER_WAITS_MAX || value.len % 2 != 0)
        return false;
    struct reader r = reader_of(value);
    p->wait_count = (uint8_t)(value.len / 2);
    for (size_t i = 0; i < p->wait_count; i++) {
        p->waits_s[i] = reader_u16(&r);
        if (p->waits_s[i] < WAIT_MIN_S || p->waits_s[i] > WAIT_MAX_S)
            return false;
    }
    return true;
}

static bool apply_countries(struct parameters *p, struct bytes value)
{
    if (value.len % COUNTRY_ROW_SIZE != 0 || value.len > COUNTRY_ROW_SIZE * PARAMETER_COUNTRIES_MAX)
        return false;
    struct reader r = reader_of(value);
    p->country_count = (uint8_t)(value.len / COUNTRY_ROW_SIZE);
    for (size_t i = 0; i < p->country_count; i++) {
        struct country_row *row = &p->countries[i];
        reader_copy(&r, row->plmn, COMMAND_PLMN_SIZE);
        reader_copy(&r, row->imsi, COMMAND_IMSI_SIZE);
        row->action = reader_u8(&r);
        if (row->action != COUNTRY_PREFER && row->action != COUNTRY_FORBID)
            return false;
    }
    return true;
}

static bool apply_address(struct parameters *p, struct bytes value)
{
    if (value.len > COMMAND_NUMBER_MAX || !phone_is_octets(value))
        return false;
    p->server_address_len = (uint8_t)value.len;
    memcpy(p->server_address, value.at, value.len);
    return true;
}

static bool apply_one(struct parameters *p, uint8_t number, struct bytes value)
{
    if (number == PARAMETER_NOTIFY_WAITS)
        return apply_waits(p, value);
    if (number == PARAMETER_COUNTRY_TABLE)
        return apply_countries(p, value);
    if (number == PARAMETER_SERVER_ADDR)
        return apply_address(p, value);
    return apply_number(p, form_of(number), value);
}

static bool next_item(struct reader *r, uint8_t *number, struct bytes *value)
{
    if (r->left == 0 || r->failed)
        return false;
    *number = reader_u8(r);
    size_t len = reader_u8(r);
    *value = reader_bytes(r, len);
    return !r->failed;
}

enum parameter_status parameters_apply(struct parameters *p, struct bytes list, uint8_t *bad)
{
    uint8_t number = 0;
    uint8_t unknown = 0;
    bool is_any_unknown = false;
    struct bytes value;
    struct reader names = reader_of(list);
    while (next_item(&names, &number, &value)) {
        if (!is_any_unknown && parameter_name(number) == NULL) {
            unknown = number;
            is_any_unknown = true;
        }
    }
    if (names.failed)
        return PARAMETER_MALFORMED;
    if (is_any_unknown) {
        if (bad != NULL)
            *bad = unknown;
        return PARAMETER_UNKNOWN;
    }

    struct parameters next = *p;
    struct reader values = reader_of(list);
    while (next_item(&values, &number, &value)) {
        if (!apply_one(&next, number, value)) {
            if (bad != NULL)
                *bad = number;
            return PARAMETER_OUT_OF_RANGE;
        }
    }
    *p = next;
    return PARAMETER_OK;
}

static void write_countries(struct writer *w, const struct parameters *p)
{
    writer_u8(w, (uint8_t)(p->country_count * COUNTRY_ROW_SIZE));
    for (size_t i = 0; i < p->country_count; i++) {
        writer_copy(w, bytes_of(p->countries[i].plmn, COMMAND_PLMN_SIZE));
        writer_copy(w, bytes_of(p->countries[i].imsi, COMMAND_IMSI_SIZE));
        writer_u8(w, p->countries[i].action);
    }
}

static void write_number(struct writer *w, uint32_t value, uint8_t size)
{
    writer_u8(w, size);
    if (size == 1)
        writer_u8(w, (uint8_t)value);
    else if (size == 2)
        writer_u16(w, (uint16_t)value);
    else
        writer_u32(w, value);
}

bool parameter_write(struct writer *w, const struct parameters *p, uint8_t number)
{
    if (number == 0 || parameter_name(number) == NULL)
        return false;
    writer_u8(w, number);
    if (number == PARAMETER_NOTIFY_WAITS) {
        writer_u8(w, (uint8_t)(2 * p->wait_count));
        for (size_t i = 0; i < p->wait_count; i++)
            writer_u16(w, p->waits_s[i]);
    } else if (number == PARAMETER_COUNTRY_TABLE) {
        write_countries(w, p);
    } else if (number == PARAMETER_SERVER_ADDR) {
        writer_u8(w, p->server_address_len);
        writer_copy(w, bytes_of(p->server_address, p->server_address_len));
    } else {
        const struct number_form *form = form_of(number);
        write_number(w, number_get(p, form), form->size);
    }
    return true;
}

bool parameter_is_same(const struct parameters *a, const struct parameters *b, uint8_t number)
{
    if (number == PARAMETER_NOTIFY_WAITS)
        return a->wait_count == b->wait_count &&
               memcmp(a->waits_s, b->waits_s, a->wait_count * sizeof *a->waits_s) == 0;
    if (number == PARAMETER_COUNTRY_TABLE)
        return a->country_count == b->country_count &&
               memcmp(a->countries, b->countries, a->country_count * sizeof *a->countries) == 0;
    if (number == PARAMETER_SERVER_ADDR)
        return a->server_address_len == b->server_address_len &&
               memcmp(a->server_address, b->server_address, a->server_address_len) == 0;
    const struct number_form *form = form_of(number);
    return number_get(a, form) == number_get(b, form);
}

uint32_t parameters_waits_sum_s(const struct parameters *p)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < p->wait_count; i++)
        sum += p->waits_s[i];
    return sum;
}

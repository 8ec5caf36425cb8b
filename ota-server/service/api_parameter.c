#include "ota-server/service/api_parameter.h"

#include "common/base/text.h"
#include "common/wire/ident.h"

#define LIST_VALUE_MAX 255

enum form {
    FORM_NUMBER,
    FORM_WAITS,
    FORM_COUNTRIES,
    FORM_PHONE,
};

static const struct {
    uint8_t form;
    uint8_t octets;
    uint16_t unit; // API units in one of the card's
} coding[PARAMETER_LAST + 1] = {
    [PARAMETER_POLL_PERIOD] = {FORM_NUMBER, 1, 1},
    [PARAMETER_POLL_BY_STATUS] = {FORM_NUMBER, 1, 1},
    [PARAMETER_T_NOSERVICE] = {FORM_NUMBER, 2, 1},
    [PARAMETER_T_LIMITED] = {FORM_NUMBER, 2, 1},
    [PARAMETER_T_ATTACH] = {FORM_NUMBER, 2, 1},
    [PARAMETER_AUTO_MODE] = {FORM_NUMBER, 1, 1},
    [PARAMETER_ROUNDS_MAX] = {FORM_NUMBER, 1, 1},
    [PARAMETER_BACKOFF_BASE] = {FORM_NUMBER, 1, 60},  // s in min
    [PARAMETER_BACKOFF_MAX] = {FORM_NUMBER, 1, 3600}, // s in h
    [PARAMETER_T_RETURN] = {FORM_NUMBER, 4, 1},
    [PARAMETER_RETURN_ON_COUNTRY] = {FORM_NUMBER, 1, 1},
    [PARAMETER_T_COOL] = {FORM_NUMBER, 4, 1},
    [PARAMETER_SWITCHES_PER_DAY] = {FORM_NUMBER, 1, 1},
    [PARAMETER_NOTIFY_WAITS] = {FORM_WAITS, 0, 0},
    [PARAMETER_JITTER_MAX] = {FORM_NUMBER, 2, 1},
    [PARAMETER_REUSE_LIMIT] = {FORM_NUMBER, 2, 1},
    [PARAMETER_COUNTRY_TABLE] = {FORM_COUNTRIES, 0, 0},
    [PARAMETER_T_COUNTRY] = {FORM_NUMBER, 2, 1},
    [PARAMETER_HEARTBEAT] = {FORM_NUMBER, 2, 1},
    [PARAMETER_REFRESH_MODE] = {FORM_NUMBER, 1, 1},
    [PARAMETER_T_REFRESH] = {FORM_NUMBER, 1, 1},
    [PARAMETER_SERVER_ADDR] = {FORM_PHONE, 0, 0},
};

static void write_number(struct writer *w, uint64_t value, uint8_t octets)
{
    for (unsigned i = octets; i > 0; i--)
        writer_u8(w, (uint8_t)(value >> (8 * (i - 1))));
}

static enum api_code read_number(const json_t *value, uint8_t number, struct writer *w)
{
    if (!json_is_integer(value))
        return API_INVALID_ARGUMENT;
    const json_int_t given = json_integer_value(value);
    const uint16_t unit = coding[number].unit;
    const uint64_t limit = (uint64_t)1 << (8 * coding[number].octets);
    if (given < 0 || given % unit != 0 || (uint64_t)(given / unit) >= limit)
        return API_OUT_OF_RANGE;
    write_number(w, (uint64_t)(given / unit), coding[number].octets);
    return API_OK;
}

static enum api_code read_waits(const json_t *value, struct writer *w)
{
    size_t i;
    const json_t *item;
    if (!json_is_array(value))
        return API_INVALID_ARGUMENT;
    if (json_array_size(value) > PARAMETER_WAITS_MAX)
        return API_OUT_OF_RANGE;
    json_array_foreach(value, i, item)
    {
        if (!json_is_integer(item))
            return API_INVALID_ARGUMENT;
        if (json_integer_value(item) < 0 || json_integer_value(item) > UINT16_MAX)
            return API_OUT_OF_RANGE;
        writer_u16(w, (uint16_t)json_integer_value(item));
    }
    return API_OK;
}

// The octets of a country alone have F in all digits of the network code.
static bool write_plmn(struct bytes mcc, struct bytes mnc, struct writer *w)
{
    char text[PLMN_SIZE];
    uint8_t octets[PLMN_LEN];
    if (mcc.len != 3 || (mnc.len != 0 && mnc.len != 2 && mnc.len != 3))
        return false;
    memcpy(text, mcc.at, 3);
    memcpy(text + 3, mnc.len == 0 ? (const uint8_t *)"00" : mnc.at, mnc.len == 0 ? 2 : mnc.len);
    text[3 + (mnc.len == 0 ? 2 : mnc.len)] = '\0';
    if (!plmn_write(text, octets))
        return false;
    if (mnc.len == 0) {
        octets[1] |= 0xF0;
        octets[2] = 0xFF;
    }
    writer_copy(w, bytes_of(octets, sizeof(octets)));
    return true;
}

static bool write_imsi(struct bytes digits, struct writer *w)
{
    char text[IMSI_SIZE];
    uint8_t octets[IMSI_EF_LEN];
    if (digits.len >= sizeof(text))
        return false;
    bytes_copy(text, digits);
    text[digits.len] = '\0';
    if (!imsi_is_valid(text) || !imsi_write(text, octets))
        return false;
    writer_copy(w, bytes_of(octets, sizeof(octets)));
    return true;
}

static enum api_code read_countries(const json_t *value, struct writer *w)
{
    static const char *const actions[] = {"PREFER", "FORBID", NULL};
    size_t i;
    const json_t *item;
    if (!json_is_array(value))
        return API_INVALID_ARGUMENT;
    if (json_array_size(value) > PARAMETER_COUNTRIES_MAX)
        return API_OUT_OF_RANGE;
    json_array_foreach(value, i, item)
    {
        struct api_body row;
        if (!json_is_object(item))
            return API_INVALID_ARGUMENT;
        api_body_init(&row, item);
        const struct bytes mcc = api_body_text(&row, "mcc", API_REQUIRED, 3, 3);
        const struct bytes mnc = api_body_text(&row, "mnc", API_OPTIONAL, 2, 3);
        const struct bytes imsi = api_body_text(&row, "imsi", API_REQUIRED, 6, 15);
        const int action = api_body_enum(&row, "action", API_REQUIRED, actions);
        if (!api_body_end(&row) || !write_plmn(mcc, mnc, w) || !write_imsi(imsi, w))
            return API_INVALID_ARGUMENT;
        writer_u8(w, (uint8_t)(action + 1));
    }
    return API_OK;
}

static enum api_code read_phone(const json_t *value, struct writer *w)
{
    struct phone phone;
    if (!json_is_string(value) || !phone_of_text(json_string_value(value), &phone))
        return API_INVALID_ARGUMENT;
    writer_u8(w, phone.type);
    phone_write_bcd(w, &phone);
    return API_OK;
}

static enum api_code read_value(const json_t *value, uint8_t number, struct writer *w)
{
    switch ((enum form)coding[number].form) {
    case FORM_NUMBER:
        return read_number(value, number, w);
    case FORM_WAITS:
        return read_waits(value, w);
    case FORM_COUNTRIES:
        return read_countries(value, w);
    case FORM_PHONE:
        return read_phone(value, w);
    }
    return API_INTERNAL;
}

static struct api_problem unknown(const char *field)
{
    return api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(field),
                             "Not the names of parameters, GET /cards/{id}/parameters shows them");
}

static const char *form_text(uint8_t number)
{
    switch ((enum form)coding[number].form) {
    case FORM_NUMBER:
        return "It must be a whole number";
    case FORM_WAITS:
        return "It must be a list of whole numbers";
    case FORM_COUNTRIES:
        return "It must be a list of objects with mcc, imsi, action PREFER or FORBID, perhaps mnc";
    case FORM_PHONE:
        return "It must be a telephone number such as +8613800000000";
    }
    return "";
}

// In the API's units. Numbers have a least and a most one, lists also so many items.
static struct api_problem outside(uint8_t number)
{
    char text[API_MESSAGE_MAX - API_FIELD_MAX - 2];
    struct writer w = writer_of(text, sizeof(text));
    uint32_t min = 0;
    uint32_t max = 0;
    bool zero_too = false;
    const uint16_t unit = coding[number].unit > 1 ? coding[number].unit : 1;
    text_put(&w, "It must be ");
    if (parameter_range(number, &min, &max, &zero_too)) {
        if (coding[number].form == FORM_WAITS) {
            text_put(&w, "1 to ");
            text_decimal(&w, PARAMETER_WAITS_MAX);
            text_put(&w, " numbers ");
        }
        text_put(&w, zero_too ? "0, or from " : "from ");
        text_decimal(&w, (uint64_t)min * unit);
        text_put(&w, " to ");
        text_decimal(&w, (uint64_t)max * unit);
        if (unit > 1) {
            text_put(&w, " in steps of ");
            text_decimal(&w, unit);
        }
    } else if (coding[number].form == FORM_COUNTRIES) {
        text_put(&w, "a list of 0 to ");
        text_decimal(&w, PARAMETER_COUNTRIES_MAX);
    } else {
        text_put(&w, "a telephone number");
    }
    return api_problem_field(API_OUT_OF_RANGE, bytes_of_text(parameter_name(number)), text_end(&w));
}

struct api_problem api_parameters_read(const json_t *map, const struct parameters *present,
                                       struct writer *list, bool *changes_address)
{
    const char *name;
    const json_t *value;
    *changes_address = false;
    // The iteration takes a pointer to non-const and changes nothing.
    json_object_foreach((json_t *)map, name, value)
    {
        uint8_t octets[LIST_VALUE_MAX];
        struct writer w = writer_of(octets, sizeof(octets));
        const uint8_t number = parameter_by_name(bytes_of_text(name));
        if (number == 0)
            return unknown(name);
        const enum api_code code = read_value(value, number, &w);
        if (code == API_OUT_OF_RANGE || w.failed)
            return outside(number);
        if (code != API_OK)
            return api_problem_field(code, bytes_of_text(name), form_text(number));
        writer_u8(list, number);
        writer_u8(list, (uint8_t)w.len);
        writer_copy(list, writer_bytes(&w));
        *changes_address = *changes_address || number == PARAMETER_SERVER_ADDR;
    }
    if (list->len == 0 || list->failed)
        return unknown("parameters");
    struct parameters next = *present;
    uint8_t number = 0;
    if (parameters_apply(&next, writer_bytes(list), &number) != PARAMETER_OK)
        return outside(number);
    return api_problem_of(API_OK);
}

struct api_problem api_parameter_names_read(const json_t *names, struct writer *list)
{
    size_t i;
    const json_t *item;
    if (names == NULL) {
        writer_u8(list, READ_ALL);
        return api_problem_of(API_OK);
    }
    json_array_foreach(names, i, item)
    {
        const uint8_t number =
            json_is_string(item)
                ? parameter_by_name(bytes_of(json_string_value(item), json_string_length(item)))
                : 0;
        if (number == 0 || list->len > PARAMETER_LAST)
            return unknown("names");
        writer_u8(list, number);
    }
    return list->len == 0 ? unknown("names") : api_problem_of(API_OK);
}

// --- out ---

// "460" or "46000"
static void network_of(const struct country_row *row, char text[PLMN_SIZE])
{
    const char mcc[] = {(char)('0' + (row->plmn[0] & 0x0F)), (char)('0' + (row->plmn[0] >> 4)),
                        (char)('0' + (row->plmn[1] & 0x0F)), '\0'};
    if (row->plmn[2] == 0xFF || !plmn_read(row->plmn, text))
        memcpy(text, mcc, sizeof(mcc));
}

static const char *action_name(const struct country_row *row)
{
    return row->action == COUNTRY_PREFER ? "PREFER" : "FORBID";
}

static void put_countries(struct json_writer *j, const struct parameters *p, enum clear clear)
{
    api_open_array(j, parameter_name(PARAMETER_COUNTRY_TABLE));
    for (unsigned i = 0; i < p->country_count; i++) {
        const struct country_row *row = &p->countries[i];
        char plmn[PLMN_SIZE];
        char imsi[IMSI_SIZE];
        network_of(row, plmn);
        json_begin_object(j);
        api_put_octets(j, "mcc", bytes_of(plmn, 3));
        if (plmn[3] != '\0')
            api_put_text(j, "mnc", plmn + 3);
        if (imsi_read(row->imsi, imsi))
            api_put_identifier(j, "imsi", MASK_IMSI, clear, imsi);
        api_put_text(j, "action", action_name(row));
        json_end_object(j);
    }
    json_end_array(j);
}

static bool phone_of(const struct parameters *p, struct phone *phone)
{
    return p->server_address_len >= 2 &&
           phone_read(p->server_address[0],
                      bytes_of(p->server_address + 1, p->server_address_len - 1u), phone);
}

static void put_phone(struct json_writer *j, const struct parameters *p, enum clear clear)
{
    struct phone phone;
    if (phone_of(p, &phone))
        api_put_identifier(j, parameter_name(PARAMETER_SERVER_ADDR), MASK_MSISDN, clear,
                           phone.digits);
}

// In the API's units.
static uint64_t number_of(const struct parameters *p, uint8_t number)
{
    uint8_t octets[2 + 4];
    uint64_t value = 0;
    struct writer w = writer_of(octets, sizeof(octets));
    const bool is_written = parameter_write(&w, p, number);
    for (size_t i = 2; is_written && i < w.len; i++)
        value = value << 8 | octets[i];
    return value * coding[number].unit;
}

void api_put_parameters(struct json_writer *j, const char *name, const struct parameters *p,
                        uint32_t set, enum clear clear)
{
    api_open_object(j, name);
    for (uint8_t number = 1; number <= PARAMETER_LAST; number++) {
        if ((set >> number & 1) == 0)
            continue;
        switch ((enum form)coding[number].form) {
        case FORM_NUMBER:
            api_put_number(j, parameter_name(number), number_of(p, number));
            break;
        case FORM_WAITS:
            api_open_array(j, parameter_name(number));
            for (unsigned i = 0; i < p->wait_count; i++)
                api_put_number(j, NULL, p->waits_s[i]);
            json_end_array(j);
            break;
        case FORM_COUNTRIES:
            put_countries(j, p, clear);
            break;
        case FORM_PHONE:
            put_phone(j, p, clear);
            break;
        }
    }
    json_end_object(j);
}

static void tell_waits(struct writer *w, const struct parameters *p)
{
    for (unsigned i = 0; i < p->wait_count; i++) {
        text_put(w, i == 0 ? "" : " ");
        text_decimal(w, p->waits_s[i]);
    }
}

static void tell_countries(struct writer *w, const struct parameters *p)
{
    for (unsigned i = 0; i < p->country_count; i++) {
        char plmn[PLMN_SIZE];
        network_of(&p->countries[i], plmn);
        text_put(w, i == 0 ? "" : " ");
        text_put(w, plmn);
        text_put(w, "=");
        text_put(w, action_name(&p->countries[i]));
    }
}

void api_parameter_tell(struct writer *w, const struct parameters *p, uint8_t number)
{
    const uint8_t form = coding[number].form;
    const bool is_list = form == FORM_WAITS || form == FORM_COUNTRIES;
    struct phone phone;
    text_put(w, is_list ? "[" : "");
    switch ((enum form)form) {
    case FORM_NUMBER:
        text_decimal(w, number_of(p, number));
        break;
    case FORM_WAITS:
        tell_waits(w, p);
        break;
    case FORM_COUNTRIES:
        tell_countries(w, p);
        break;
    case FORM_PHONE:
        if (phone_of(p, &phone))
            mask_write(w, MASK_MSISDN, bytes_of_text(phone.digits));
        break;
    }
    text_put(w, is_list ? "]" : "");
}

void api_put_timers(struct json_writer *j, const char *name, const struct policy_timers *wanted,
                    enum clear clear)
{
    struct parameters values;
    parameters_default(&values);
    const bool is_read =
        parameters_apply(&values, bytes_of(wanted->list, wanted->len), NULL) == PARAMETER_OK;
    api_put_parameters(j, name, &values, is_read ? timers_named(wanted) : 0, clear);
}

void api_put_parameter_names(struct json_writer *j, const char *name, uint32_t set)
{
    api_open_array(j, name);
    for (uint8_t number = 1; number <= PARAMETER_LAST; number++) {
        if ((set >> number & 1) != 0)
            api_put_text(j, NULL, parameter_name(number));
    }
    json_end_array(j);
}

void api_put_estimate(struct json_writer *j, struct message_cost cost, uint64_t count,
                      uint64_t seconds)
{
    api_open_object(j, "estimate");
    api_put_number(j, "packets", cost.packets * count);
    api_put_number(j, "sms", cost.sms * count);
    api_put_number(j, "bytes", cost.octets * count);
    if (seconds != 0)
        api_put_number(j, "seconds", seconds);
    json_end_object(j);
}

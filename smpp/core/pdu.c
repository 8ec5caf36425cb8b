#include "smpp/core/pdu.h"

// One row per mandatory field, in the order of the wire. A string's `max` includes its zero;
// `status` is what a longer one is refused with.
enum kind { OCTET, STRING, MESSAGE, DESTINATIONS, FAILED };

struct field {
    uint16_t offset;
    uint8_t kind;
    uint8_t max;
    uint8_t status;
};

// clang-format off
#define AT(member) (uint16_t)offsetof(struct smpp_pdu, member)
#define SOURCE(max) \
    {AT(message.source.ton), OCTET, 0, 0}, {AT(message.source.npi), OCTET, 0, 0}, \
    {AT(message.source.digits), STRING, max, ESME_RINVSRCADR}
#define DESTINATION(max) \
    {AT(message.destination.ton), OCTET, 0, 0}, {AT(message.destination.npi), OCTET, 0, 0}, \
    {AT(message.destination.digits), STRING, max, ESME_RINVDSTADR}
#define SERVICE_TYPE {AT(message.service_type), STRING, 8, ESME_RINVSERTYP}
#define MESSAGE_ID {AT(id.message_id), STRING, 65, ESME_RINVMSGID}
#define SCHEDULE {AT(message.schedule_delivery_time), STRING, 17, ESME_RINVSCHED}
#define VALIDITY {AT(message.validity_period), STRING, 17, ESME_RINVEXPIRY}
#define TIMES_TO_TEXT \
    {AT(message.esm_class), OCTET, 0, 0}, {AT(message.protocol_id), OCTET, 0, 0}, \
    {AT(message.priority_flag), OCTET, 0, 0}, SCHEDULE, VALIDITY, \
    {AT(message.registered_delivery), OCTET, 0, 0}, {AT(message.replace_if_present), OCTET, 0, 0}, \
    {AT(message.data_coding), OCTET, 0, 0}, {AT(message.sm_default_msg_id), OCTET, 0, 0}, \
    {AT(message.short_message), MESSAGE, 255, ESME_RINVMSGLEN}

static const struct field bind[] = { // [SMPP 3.4 §4.1.1]
    {AT(bind.system_id), STRING, 16, ESME_RINVSYSID},
    {AT(bind.password), STRING, 9, ESME_RINVPASWD},
    {AT(bind.system_type), STRING, 13, ESME_RINVSYSTYP},
    {AT(bind.interface_version), OCTET, 0, 0},
    {AT(bind.addr_ton), OCTET, 0, 0}, {AT(bind.addr_npi), OCTET, 0, 0},
    {AT(bind.address_range), STRING, 41, ESME_RBINDFAIL},
};
static const struct field bind_resp[] = {{AT(bind.system_id), STRING, 16, ESME_RINVSYSID}};
static const struct field outbind[] = { // [SMPP 3.4 §4.1.7]
    {AT(bind.system_id), STRING, 16, ESME_RINVSYSID},
    {AT(bind.password), STRING, 9, ESME_RINVPASWD},
};
static const struct field submit_sm[] = { // and deliver_sm [SMPP 3.4 §4.4.1, §4.6.1]
    SERVICE_TYPE, SOURCE(21), DESTINATION(21), TIMES_TO_TEXT,
};
static const struct field submit_multi[] = { // [SMPP 3.4 §4.5.1]
    SERVICE_TYPE, SOURCE(21), {AT(message.destinations), DESTINATIONS, 0, ESME_RINVDSTADR}, TIMES_TO_TEXT,
};
static const struct field submit_multi_resp[] = { // [SMPP 3.4 §4.5.3]
    MESSAGE_ID, {AT(id.failed), FAILED, 0, ESME_RINVDSTADR},
};
static const struct field data_sm[] = { // [SMPP 3.4 §4.7.1]
    SERVICE_TYPE, SOURCE(65), DESTINATION(65),
    {AT(message.esm_class), OCTET, 0, 0}, {AT(message.registered_delivery), OCTET, 0, 0},
    {AT(message.data_coding), OCTET, 0, 0},
};
static const struct field message_id[] = {MESSAGE_ID}; // submit_sm_resp, deliver_sm_resp, data_sm_resp
static const struct field query_sm[] = {MESSAGE_ID, SOURCE(21)}; // [SMPP 3.4 §4.8.1]
static const struct field query_sm_resp[] = { // [SMPP 3.4 §4.8.2]
    MESSAGE_ID, {AT(id.final_date), STRING, 17, ESME_RQUERYFAIL},
    {AT(id.message_state), OCTET, 0, 0}, {AT(id.error_code), OCTET, 0, 0},
};
static const struct field cancel_sm[] = { // [SMPP 3.4 §4.9.1]
    SERVICE_TYPE, MESSAGE_ID, SOURCE(21), DESTINATION(21),
};
static const struct field replace_sm[] = { // [SMPP 3.4 §4.10.1]
    MESSAGE_ID, SOURCE(21), SCHEDULE, VALIDITY, {AT(message.registered_delivery), OCTET, 0, 0},
    {AT(message.sm_default_msg_id), OCTET, 0, 0}, {AT(message.short_message), MESSAGE, 255, ESME_RINVMSGLEN},
};
static const struct field alert_notification[] = {SOURCE(65), DESTINATION(65)}; // [SMPP 3.4 §4.12.1]

struct command {
    uint32_t id;
    uint32_t field_count; // 0: a header alone
    const struct field *fields;
    const char *name;
};

#define FIELDS(table) (uint32_t)(sizeof(table) / sizeof((table)[0])), table

// The frequent ones first: the table is searched from the front.
static const struct command commands[] = {
    {SMPP_SUBMIT_SM, FIELDS(submit_sm), "submit_sm"},
    {SMPP_SUBMIT_SM_RESP, FIELDS(message_id), "submit_sm_resp"},
    {SMPP_DELIVER_SM, FIELDS(submit_sm), "deliver_sm"},
    {SMPP_DELIVER_SM_RESP, FIELDS(message_id), "deliver_sm_resp"},
    {SMPP_ENQUIRE_LINK, 0, NULL, "enquire_link"},
    {SMPP_ENQUIRE_LINK_RESP, 0, NULL, "enquire_link_resp"},
    {SMPP_DATA_SM, FIELDS(data_sm), "data_sm"},
    {SMPP_DATA_SM_RESP, FIELDS(message_id), "data_sm_resp"},
    {SMPP_BIND_RECEIVER, FIELDS(bind), "bind_receiver"},
    {SMPP_BIND_RECEIVER | SMPP_RESPONSE, FIELDS(bind_resp), "bind_receiver_resp"},
    {SMPP_BIND_TRANSMITTER, FIELDS(bind), "bind_transmitter"},
    {SMPP_BIND_TRANSMITTER | SMPP_RESPONSE, FIELDS(bind_resp), "bind_transmitter_resp"},
    {SMPP_BIND_TRANSCEIVER, FIELDS(bind), "bind_transceiver"},
    {SMPP_BIND_TRANSCEIVER | SMPP_RESPONSE, FIELDS(bind_resp), "bind_transceiver_resp"},
    {SMPP_UNBIND, 0, NULL, "unbind"},
    {SMPP_UNBIND_RESP, 0, NULL, "unbind_resp"},
    {SMPP_GENERIC_NACK, 0, NULL, "generic_nack"},
    {SMPP_QUERY_SM, FIELDS(query_sm), "query_sm"},
    {SMPP_QUERY_SM | SMPP_RESPONSE, FIELDS(query_sm_resp), "query_sm_resp"},
    {SMPP_CANCEL_SM, FIELDS(cancel_sm), "cancel_sm"},
    {SMPP_CANCEL_SM | SMPP_RESPONSE, 0, NULL, "cancel_sm_resp"},
    {SMPP_REPLACE_SM, FIELDS(replace_sm), "replace_sm"},
    {SMPP_REPLACE_SM | SMPP_RESPONSE, 0, NULL, "replace_sm_resp"},
    {SMPP_SUBMIT_MULTI, FIELDS(submit_multi), "submit_multi"},
    {SMPP_SUBMIT_MULTI | SMPP_RESPONSE, FIELDS(submit_multi_resp), "submit_multi_resp"},
    {SMPP_ALERT_NOTIFICATION, FIELDS(alert_notification), "alert_notification"},
    {SMPP_OUTBIND, FIELDS(outbind), "outbind"},
};
// clang-format on

static const struct command *find_command(uint32_t id)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (commands[i].id == id)
            return &commands[i];
    return NULL;
}

bool smpp_command_is_known(uint32_t command)
{
    return find_command(command) != NULL;
}

bool smpp_command_is_bind(uint32_t command)
{
    return command == SMPP_BIND_TRANSCEIVER || command == SMPP_BIND_TRANSMITTER ||
           command == SMPP_BIND_RECEIVER;
}

const char *smpp_command_name(uint32_t command)
{
    const struct command *known = find_command(command);
    return known != NULL ? known->name : "unknown";
}

static uint8_t take_u8(struct reader *r)
{
    if (r->left == 0) {
        r->failed = true;
        return 0;
    }
    r->left--;
    return *r->at++;
}

// A C-octet string: its zero must come within `max` octets and within what is left.
static enum smpp_status read_string(struct reader *r, size_t max, uint8_t status, struct bytes *to)
{
    const size_t bound = r->left < max ? r->left : max;
    for (size_t i = 0; i < bound; i++) {
        if (r->at[i] == 0) {
            *to = bytes_of(r->at, i);
            r->at += i + 1;
            r->left -= i + 1;
            return ESME_ROK;
        }
    }
    return r->left < max ? ESME_RINVCMDLEN : (enum smpp_status)status;
}

static enum smpp_status read_message(struct reader *r, struct bytes *to)
{
    const size_t len = take_u8(r);
    if (r->failed)
        return ESME_RINVCMDLEN;
    if (r->left < len)
        return ESME_RINVMSGLEN;
    *to = bytes_of(r->at, len);
    r->at += len;
    r->left -= len;
    return ESME_ROK;
}

// dest_flag 1: ton, npi, z21; dest_flag 2: a distribution list's name, z21 [SMPP 3.4 §5.2.25].
static enum smpp_status read_destination(struct reader *r)
{
    struct bytes text;
    const uint8_t flag = take_u8(r);
    if (flag == 1) {
        reader_skip(r, 2);
        return read_string(r, 21, ESME_RINVDSTADR, &text);
    }
    if (flag == 2)
        return read_string(r, 21, ESME_RINVDLNAME, &text);
    return r->failed ? ESME_RINVCMDLEN : ESME_RINVDESTFLAG;
}

// unsuccess_sme: ton, npi, z21, status [SMPP 3.4 §4.5.3].
static enum smpp_status read_failed(struct reader *r)
{
    struct bytes text;
    reader_skip(r, 2);
    const enum smpp_status status = read_string(r, 21, ESME_RINVDSTADR, &text);
    reader_skip(r, 4);
    return status;
}

// A count in one octet and that many entries, kept as they came.
static enum smpp_status read_list(struct reader *r, uint8_t kind, uint8_t *count, struct bytes *to)
{
    *count = take_u8(r);
    const struct reader start = *r;
    for (unsigned i = 0; i < *count; i++) {
        const enum smpp_status status = kind == FAILED ? read_failed(r) : read_destination(r);
        if (status != ESME_ROK)
            return status;
    }
    *to = bytes_of(start.at, start.left - r->left);
    return r->failed ? ESME_RINVCMDLEN : ESME_ROK;
}

static enum smpp_status read_field(struct reader *r, const struct field *field,
                                   struct smpp_pdu *pdu)
{
    void *to = (uint8_t *)pdu + field->offset;
    switch ((enum kind)field->kind) {
    case OCTET:
        *(uint8_t *)to = take_u8(r);
        return r->failed ? ESME_RINVCMDLEN : ESME_ROK;
    case STRING:
        return read_string(r, field->max, field->status, to);
    case MESSAGE:
        return read_message(r, to);
    case DESTINATIONS:
        return read_list(r, DESTINATIONS, &pdu->message.destination_count, to);
    case FAILED:
        return read_list(r, FAILED, &pdu->id.failed_count, to);
    }
    return ESME_RSYSERR;
}

static enum smpp_status read_body(const struct command *command, struct reader *r,
                                  struct smpp_pdu *pdu)
{
    // Responses come without a body when they bring an error, and from some peers always.
    if (r->left == 0 && (command->id & SMPP_RESPONSE) != 0)
        return ESME_ROK;
    for (size_t i = 0; i < command->field_count; i++) {
        const enum smpp_status status = read_field(r, &command->fields[i], pdu);
        if (status != ESME_ROK)
            return status;
    }
    if (r->left == 0)
        return ESME_ROK;
    if (command->field_count == 0)
        return ESME_RINVCMDLEN;
    const struct bytes tlvs = bytes_of(r->at, r->left);
    const enum smpp_status status = smpp_tlvs_check(tlvs);
    if (status == ESME_ROK)
        pdu->tlvs = tlvs;
    return status;
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void set_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

enum smpp_status smpp_pdu_read(struct bytes octets, struct smpp_pdu *pdu)
{
    *pdu = (struct smpp_pdu){0};
    if (octets.len < SMPP_HEADER_LEN)
        return ESME_RINVCMDLEN;
    pdu->command = get_u32(octets.at + 4);
    pdu->status = get_u32(octets.at + 8);
    pdu->sequence = get_u32(octets.at + 12);
    if (get_u32(octets.at) != octets.len)
        return ESME_RINVCMDLEN;
    const struct command *command = find_command(pdu->command);
    if (command == NULL)
        return ESME_RINVCMDID;
    struct reader r = {.at = octets.at + SMPP_HEADER_LEN, .left = octets.len - SMPP_HEADER_LEN};
    return read_body(command, &r, pdu);
}

// Writing: first whether it can be written and how long it becomes, then the octets.

static bool string_fits(struct bytes text, size_t max)
{
    if (text.len >= max)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == 0)
            return false;
    return true;
}

static bool list_fits(struct bytes list, uint8_t kind, uint8_t count)
{
    struct reader r = reader_of(list);
    for (unsigned i = 0; i < count; i++) {
        const enum smpp_status status = kind == FAILED ? read_failed(&r) : read_destination(&r);
        if (status != ESME_ROK)
            return false;
    }
    return reader_done(&r);
}

// The field's length on the wire, or 0 when it cannot be written.
static size_t measure_field(const struct field *field, const struct smpp_pdu *pdu)
{
    const void *from = (const uint8_t *)pdu + field->offset;
    const struct bytes *view = from;
    switch ((enum kind)field->kind) {
    case OCTET:
        return 1;
    case STRING:
        return string_fits(*view, field->max) ? view->len + 1 : 0;
    case MESSAGE:
        return view->len <= field->max ? view->len + 1 : 0;
    case DESTINATIONS:
        return list_fits(*view, DESTINATIONS, pdu->message.destination_count) ? view->len + 1 : 0;
    case FAILED:
        return list_fits(*view, FAILED, pdu->id.failed_count) ? view->len + 1 : 0;
    }
    return 0;
}

static uint8_t *put_view(uint8_t *to, struct bytes view)
{
    if (view.len > 0)
        memcpy(to, view.at, view.len);
    return to + view.len;
}

static uint8_t *put_field(uint8_t *to, const struct field *field, const struct smpp_pdu *pdu)
{
    const void *from = (const uint8_t *)pdu + field->offset;
    const struct bytes *view = from;
    switch ((enum kind)field->kind) {
    case OCTET:
        *to = *(const uint8_t *)from;
        return to + 1;
    case STRING:
        to = put_view(to, *view);
        *to = 0;
        return to + 1;
    case MESSAGE:
        *to = (uint8_t)view->len;
        return put_view(to + 1, *view);
    case DESTINATIONS:
        *to = pdu->message.destination_count;
        return put_view(to + 1, *view);
    case FAILED:
        *to = pdu->id.failed_count;
        return put_view(to + 1, *view);
    }
    return to;
}

static void put_header(uint8_t *to, uint32_t len, const struct smpp_pdu *pdu)
{
    set_u32(to, len);
    set_u32(to + 4, pdu->command);
    set_u32(to + 8, pdu->status);
    set_u32(to + 12, pdu->sequence);
}

// An error response has no body [SMPP 3.4 §4.4.2], unless it says something in it.
static bool is_header_alone(const struct smpp_pdu *pdu)
{
    return (pdu->command & SMPP_RESPONSE) != 0 && pdu->status != ESME_ROK &&
           pdu->id.message_id.len == 0 && pdu->tlvs.len == 0;
}

enum smpp_write smpp_pdu_write(struct writer *w, const struct smpp_pdu *pdu)
{
    const struct command *command = find_command(pdu->command);
    if (command == NULL)
        return SMPP_WRITE_INVALID;
    if (command->field_count == 0 || is_header_alone(pdu))
        return smpp_header_write(w, pdu->command, pdu->status, pdu->sequence);
    size_t len = SMPP_HEADER_LEN + pdu->tlvs.len;
    for (size_t i = 0; i < command->field_count; i++) {
        const size_t field_len = measure_field(&command->fields[i], pdu);
        if (field_len == 0)
            return SMPP_WRITE_INVALID;
        len += field_len;
    }
    if (len > UINT32_MAX || smpp_tlvs_check(pdu->tlvs) != ESME_ROK)
        return SMPP_WRITE_INVALID;
    if (w->failed || writer_room(w) < len)
        return SMPP_WRITE_FULL;
    uint8_t *to = w->at + w->len;
    put_header(to, (uint32_t)len, pdu);
    to += SMPP_HEADER_LEN;
    for (size_t i = 0; i < command->field_count; i++)
        to = put_field(to, &command->fields[i], pdu);
    (void)put_view(to, pdu->tlvs);
    w->len += len;
    return SMPP_WRITE_OK;
}

enum smpp_write smpp_header_write(struct writer *w, uint32_t command, uint32_t status,
                                  uint32_t sequence)
{
    if (w->failed || writer_room(w) < SMPP_HEADER_LEN)
        return SMPP_WRITE_FULL;
    uint8_t *to = w->at + w->len;
    set_u32(to, SMPP_HEADER_LEN);
    set_u32(to + 4, command);
    set_u32(to + 8, status);
    set_u32(to + 12, sequence);
    w->len += SMPP_HEADER_LEN;
    return SMPP_WRITE_OK;
}

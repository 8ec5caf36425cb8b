#include "smpp/codec/library.h"

#include "smpp/core/shape.h"

// The library's headers use the standard's names as macros: ours must be read before.
#include <libsmpp34/smpp34.h>
#include <libsmpp34/smpp34_structs.h>
#include <pthread.h>

#define TEXT_PACKED_MAX 253 // it cannot pack 254

enum kind { TEXT, OCTET, MESSAGE };

// Where the library keeps a field, and where we do.
struct field {
    uint16_t theirs;
    uint16_t ours;
    uint8_t kind;
};

// clang-format off
#define T(type, name, member) {offsetof(type##_t, name), offsetof(struct smpp_pdu, member), TEXT}
#define O(type, name, member) {offsetof(type##_t, name), offsetof(struct smpp_pdu, member), OCTET}
#define BIND_OF(type) \
    T(type, system_id, bind.system_id), T(type, password, bind.password), \
    T(type, system_type, bind.system_type), T(type, address_range, bind.address_range)
#define SOURCE_OF(type) T(type, source_addr, message.source.digits)
#define DESTINATION_OF(type) T(type, destination_addr, message.destination.digits)
#define SHORT_MESSAGE(type) \
    {offsetof(type##_t, short_message), offsetof(struct smpp_pdu, message.short_message), MESSAGE}
#define TIMES(type) \
    T(type, schedule_delivery_time, message.schedule_delivery_time), \
    T(type, validity_period, message.validity_period)
#define SUBMIT_OF(type) \
    T(type, service_type, message.service_type), SOURCE_OF(type), DESTINATION_OF(type), \
    O(type, esm_class, message.esm_class), O(type, protocol_id, message.protocol_id), \
    O(type, priority_flag, message.priority_flag), TIMES(type), \
    O(type, registered_delivery, message.registered_delivery), \
    O(type, replace_if_present_flag, message.replace_if_present), \
    O(type, data_coding, message.data_coding), \
    O(type, sm_default_msg_id, message.sm_default_msg_id), \
    SHORT_MESSAGE(type)

// TON, NPI and interface_version are not compared: the copy has listed values in their place.
static const struct field bind_receiver[] = {BIND_OF(bind_receiver)};
static const struct field bind_transmitter[] = {BIND_OF(bind_transmitter)};
static const struct field bind_transceiver[] = {BIND_OF(bind_transceiver)};
static const struct field bind_receiver_resp[] = {T(bind_receiver_resp, system_id, bind.system_id)};
static const struct field bind_transmitter_resp[] = {
    T(bind_transmitter_resp, system_id, bind.system_id),
};
static const struct field bind_transceiver_resp[] = {
    T(bind_transceiver_resp, system_id, bind.system_id),
};
static const struct field outbind[] = {
    T(outbind, system_id, bind.system_id), T(outbind, password, bind.password),
};
static const struct field submit_sm[] = {SUBMIT_OF(submit_sm)};
static const struct field deliver_sm[] = {SUBMIT_OF(deliver_sm)};
static const struct field submit_sm_resp[] = {T(submit_sm_resp, message_id, id.message_id)};
static const struct field data_sm[] = {
    T(data_sm, service_type, message.service_type), SOURCE_OF(data_sm), DESTINATION_OF(data_sm),
    O(data_sm, esm_class, message.esm_class),
    O(data_sm, registered_delivery, message.registered_delivery),
    O(data_sm, data_coding, message.data_coding),
};
static const struct field data_sm_resp[] = {T(data_sm_resp, message_id, id.message_id)};
static const struct field query_sm[] = {T(query_sm, message_id, id.message_id), SOURCE_OF(query_sm)};
static const struct field query_sm_resp[] = {
    T(query_sm_resp, message_id, id.message_id), T(query_sm_resp, final_date, id.final_date),
    O(query_sm_resp, message_state, id.message_state), O(query_sm_resp, error_code, id.error_code),
};
static const struct field cancel_sm[] = {
    T(cancel_sm, service_type, message.service_type), T(cancel_sm, message_id, id.message_id),
    SOURCE_OF(cancel_sm), DESTINATION_OF(cancel_sm),
};
static const struct field replace_sm[] = {
    T(replace_sm, message_id, id.message_id), SOURCE_OF(replace_sm), TIMES(replace_sm),
    O(replace_sm, registered_delivery, message.registered_delivery),
    O(replace_sm, sm_default_msg_id, message.sm_default_msg_id), SHORT_MESSAGE(replace_sm),
};
static const struct field alert_notification[] = {
    T(alert_notification, source_addr, message.source.digits),
    T(alert_notification, esme_addr, message.destination.digits),
};

#define ROW(id, table) {id, sizeof(table) / sizeof((table)[0]), table}
static const struct {
    uint32_t command;
    size_t field_count;
    const struct field *fields;
} commands[] = {
    ROW(SMPP_SUBMIT_SM, submit_sm),
    ROW(SMPP_DELIVER_SM, deliver_sm),
    ROW(SMPP_SUBMIT_SM_RESP, submit_sm_resp),
    ROW(SMPP_BIND_RECEIVER, bind_receiver),
    ROW(SMPP_BIND_TRANSMITTER, bind_transmitter),
    ROW(SMPP_BIND_TRANSCEIVER, bind_transceiver),
    ROW(SMPP_BIND_RECEIVER | SMPP_RESPONSE, bind_receiver_resp),
    ROW(SMPP_BIND_TRANSMITTER | SMPP_RESPONSE, bind_transmitter_resp),
    ROW(SMPP_BIND_TRANSCEIVER | SMPP_RESPONSE, bind_transceiver_resp),
    ROW(SMPP_OUTBIND, outbind),
    ROW(SMPP_DATA_SM, data_sm),
    ROW(SMPP_DATA_SM_RESP, data_sm_resp),
    ROW(SMPP_QUERY_SM, query_sm),
    ROW(SMPP_QUERY_SM | SMPP_RESPONSE, query_sm_resp),
    ROW(SMPP_CANCEL_SM, cancel_sm),
    ROW(SMPP_REPLACE_SM, replace_sm),
    ROW(SMPP_ALERT_NOTIFICATION, alert_notification),
};
// clang-format on

// Any of the library's PDUs.
union theirs {
    submit_sm_t submit_sm;
    deliver_sm_t deliver_sm;
    submit_sm_resp_t submit_sm_resp;
    bind_receiver_t bind_receiver;
    bind_transmitter_t bind_transmitter;
    bind_transceiver_t bind_transceiver;
    bind_receiver_resp_t bind_receiver_resp;
    bind_transmitter_resp_t bind_transmitter_resp;
    bind_transceiver_resp_t bind_transceiver_resp;
    outbind_t outbind;
    data_sm_t data_sm;
    data_sm_resp_t data_sm_resp;
    query_sm_t query_sm;
    query_sm_resp_t query_sm_resp;
    cancel_sm_t cancel_sm;
    replace_sm_t replace_sm;
    alert_notification_t alert_notification;
};

static bool same_field(const struct field *field, const union theirs *theirs,
                       const struct smpp_pdu *pdu)
{
    const uint8_t *their = (const uint8_t *)theirs + field->theirs;
    const void *our = (const uint8_t *)pdu + field->ours;
    const struct bytes *view = our;
    switch ((enum kind)field->kind) {
    case OCTET:
        return *their == *(const uint8_t *)our;
    case TEXT:
        // The shape check has put an end to it.
        return bytes_equal(*view, bytes_of_text((const char *)their));
    case MESSAGE:
        return bytes_equal(*view, bytes_of(their, view->len));
    }
    return false;
}

static bool same_fields(const union theirs *theirs, const struct smpp_pdu *pdu)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].command != pdu->command)
            continue;
        for (size_t field = 0; field < commands[i].field_count; field++)
            if (!same_field(&commands[i].fields[field], theirs, pdu))
                return false;
        return true;
    }
    return false;
}

// `copy` came from the shape check, with a zero octet after it. Under the lock.
static enum smpp_library ask(struct bytes copy, const struct smpp_pdu *pdu)
{
    static union theirs theirs;
    static uint8_t packed[1024]; // every mandatory part fits, with octets to spare
    memset(&theirs, 0, sizeof theirs);
    smpp34_strerror[0] = 0;
    if (smpp34_unpack2(&theirs, copy.at, (int)copy.len) != 0)
        return SMPP_LIBRARY_REFUSES;
    if (!same_fields(&theirs, pdu))
        return SMPP_LIBRARY_DIFFERS;
    if (pdu->command == SMPP_SUBMIT_SM || pdu->command == SMPP_DELIVER_SM ||
        pdu->command == SMPP_REPLACE_SM)
        if (pdu->message.short_message.len > TEXT_PACKED_MAX)
            return SMPP_LIBRARY_AGREES;
    int len = 0;
    smpp34_strerror[0] = 0;
    if (smpp34_pack2(packed, sizeof packed, &len, &theirs) != 0)
        return SMPP_LIBRARY_REFUSES;
    return bytes_equal(copy, bytes_of(packed, (size_t)len)) ? SMPP_LIBRARY_AGREES
                                                            : SMPP_LIBRARY_DIFFERS;
}

enum smpp_library smpp_library_compare(struct bytes octets, const struct smpp_pdu *pdu)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    uint8_t memory[1024];
    struct writer copy = writer_of(memory, sizeof memory);
    struct smpp_shape shape;
    if (smpp_shape_check(octets, &shape) != SMPP_SHAPE_OK ||
        !smpp_shape_copy(octets, &shape, &copy))
        return SMPP_LIBRARY_NOT_ASKED;
    (void)pthread_mutex_lock(&lock);
    const enum smpp_library result = ask(bytes_of(memory, shape.mandatory_end), pdu);
    (void)pthread_mutex_unlock(&lock);
    return result;
}

static bool is_vetoed(struct bytes octets, const struct smpp_pdu *pdu)
{
    const enum smpp_library result = smpp_library_compare(octets, pdu);
    return result == SMPP_LIBRARY_REFUSES || result == SMPP_LIBRARY_DIFFERS;
}

static enum smpp_status read_pdu(struct bytes octets, struct smpp_pdu *pdu)
{
    const enum smpp_status status = smpp_pdu_read(octets, pdu);
    return status == ESME_ROK && is_vetoed(octets, pdu) ? (enum smpp_status)ESME_RSYSERR : status;
}

static enum smpp_write write_pdu(struct writer *w, const struct smpp_pdu *pdu)
{
    const size_t before = w->len;
    const enum smpp_write result = smpp_pdu_write(w, pdu);
    if (result == SMPP_WRITE_OK && is_vetoed(bytes_of(w->at + before, w->len - before), pdu)) {
        w->len = before;
        return SMPP_WRITE_INVALID;
    }
    return result;
}

const struct smpp_codec smpp_library_codec = {.read = read_pdu, .write = write_pdu};

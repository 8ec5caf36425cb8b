// What happened to a card: its messages, and everything together as one list.
#include "common/base/text.h"
#include "common/wire/secured.h"
#include "ota-server/service/api_card.h"
#include "ota-server/store/timeline.h"

#include <stdlib.h>

// Command and response packet before what is ciphered [102.225 §5.1, 5.2].
#define COMMAND_HEADER 10
#define RESPONSE_HEADER 6
#define NOTIFY_HEADER_LEN 0x15 // CHL of a packet with counter and a checksum of 8

static struct record *open_record(struct api_exchange *x)
{
    struct record *record = calloc(1, sizeof(*record));
    x->work = record;
    if (record == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    return record;
}

static const char *message_state_text(uint8_t state)
{
    static const char *const names[] = {"WAITING", "SUBMITTED", "REFUSED", "DELIVERED",
                                        "LOST",    "RECEIVED",  "UNKNOWN"};
    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "UNKNOWN";
}

static bool is_notification(const struct message *m)
{
    return m->is_mo && m->packet_len >= COMMAND_HEADER && m->packet[2] == NOTIFY_HEADER_LEN;
}

// The part of the header that travels in clear.
static void put_header(struct json_writer *j, const struct message *m)
{
    const uint8_t *p = m->packet;
    const bool is_response = m->is_mo && !is_notification(m);
    if (m->packet_len < COMMAND_HEADER)
        return;
    api_open_object(j, "header");
    api_put_text(j, "kind", is_response ? "RESPONSE" : "COMMAND");
    if (!is_response) {
        api_put_hex(j, "spi", bytes_of(p + 3, 2));
        api_put_hex(j, "kic", bytes_of(p + 5, 1));
        api_put_hex(j, "kid", bytes_of(p + 6, 1));
    }
    api_put_hex(j, "tar", bytes_of(p + (is_response ? RESPONSE_HEADER - 3 : 7), 3));
    json_end_object(j);
}

static void put_what(struct json_writer *j, bool is_notify, uint8_t what)
{
    api_put_text(j, is_notify ? "cause" : "command",
                 is_notify ? notify_cause_name(what) : command_number_name(what));
}

static bool put_message(void *context, const struct message *m)
{
    struct api_exchange *x = context;
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_id(j, "id", "rec", m->id);
    api_put_id(j, "operationId", "op", m->operation);
    api_put_text(j, "direction", m->is_mo ? "MO" : "MT");
    api_put_text(j, "state", message_state_text(m->state));
    put_what(j, is_notification(m), m->command);
    api_put_number(j, "counter", m->counter);
    api_put_personal(x, "number", MASK_MSISDN, m->number);
    api_put_number(j, "parts", m->parts);
    api_put_number(j, "octets", m->packet_len);
    put_header(j, m);
    if (api_is_operator(x)) {
        char hex[2 * MESSAGE_PACKET_MAX];
        struct writer w = writer_of(hex, sizeof(hex));
        text_hex(&w, bytes_of(m->packet, m->packet_len));
        api_put_octets(j, "packet", writer_bytes(&w));
    }
    api_put_time(j, "at", m->at);
    json_end_object(j);
    return true;
}

// The card of the path, from when its enterprise has had it on; for the operator, from the
// beginning.
static bool open_card(struct api_exchange *x, struct record *record, struct timeline_filter *filter)
{
    struct utc since = {0};
    if (!api_card(x, record))
        return false;
    const enum store_status status =
        api_is_operator(x) ? STORE_OK : store_card_since(x->reader, x->card_id, &since);
    if (status != STORE_OK)
        api_refuse_store(x, status);
    filter->card = x->card_id;
    if (filter->from.ms < since.ms)
        filter->from = since;
    return status == STORE_OK;
}

void api_card_messages(struct api_exchange *x)
{
    static const char *const fields[] = {"at", NULL};
    struct api_list list;
    struct timeline_filter filter = {.kind = -1};
    struct record *record = open_record(x);
    if (record == NULL || !api_list_begin(x, &list, fields) || !api_end_reading(x) ||
        !open_card(x, record, &filter))
        return;
    api_list_open(x);
    const enum store_status status =
        store_messages(x->reader, &filter, &list.window, put_message, x, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

// --- the time line ---

static const char *const kinds[] = {"STEP", "MESSAGE", "TRAIL", NULL};

static void put_event(struct json_writer *j, const struct timeline_row *row)
{
    switch ((enum timeline_kind)row->kind) {
    case TIMELINE_STEP:
        api_put_text(j, "type", operation_kind_name(row->flag));
        api_put_text(j, "step", step_name_text(row->what));
        api_put_number(j, "attempt", row->count);
        if (row->text[0] != '\0')
            api_put_text(j, "detail", row->text);
        break;
    case TIMELINE_MESSAGE:
        api_put_id(j, "messageId", "rec", row->id);
        api_put_text(j, "direction", row->flag != 0 ? "MO" : "MT");
        api_put_text(j, "state", message_state_text(row->count));
        put_what(j, row->flag == 2, row->what);
        break;
    case TIMELINE_TRAIL:
        api_put_number(j, "sequence", row->id);
        api_put_text(j, "action", row->text);
        api_put_text(j, "actor", actor_kind_name(row->what));
        break;
    }
}

static bool put_row(void *context, const struct timeline_row *row)
{
    struct api_exchange *x = context;
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_time(j, "at", row->at);
    api_put_text(j, "kind", kinds[row->kind]);
    api_put_id(j, "operationId", "op", row->operation);
    put_event(j, row);
    json_end_object(j);
    return true;
}

void api_card_timeline(struct api_exchange *x)
{
    static const char *const fields[] = {"at", NULL};
    struct api_list list;
    struct timeline_filter filter = {.kind = -1};
    struct record *record = open_record(x);
    if (record == NULL)
        return;
    struct api_problem p = api_query_time(&x->query, "from", &filter.from);
    if (p.code == API_OK)
        p = api_query_time(&x->query, "to", &filter.to);
    if (p.code == API_OK)
        p = api_query_enum(&x->query, "kind", kinds, &filter.kind);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return;
    }
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x) || !open_card(x, record, &filter))
        return;
    api_list_open(x);
    const enum store_status status =
        store_timeline(x->reader, &filter, &list.window, put_row, x, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

// Operations, their steps, and the packets that carry them.
#include "ota-server/store/driver.h"
#include "ota-server/store/timeline.h"

#include <stdio.h>

#define OPERATION_OCTETS_MAX 1024

enum store_status store_operation_put(struct store *s, uint64_t card, uint64_t tenant,
                                      const struct operation *o)
{
    uint8_t octets[OPERATION_OCTETS_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    operation_write(&w, o);
    if (w.failed)
        return STORE_FAILED;
    struct query q = query_of(s, STATEMENT_OPERATION_PUT);
    bind_number(&q, 1, (int64_t)o->id);
    bind_number(&q, 2, (int64_t)card);
    bind_number(&q, 3, (int64_t)tenant);
    bind_number(&q, 4, o->kind);
    bind_number(&q, 5, o->status);
    bind_number(&q, 6, o->outcome);
    bind_number(&q, 7, o->failure);
    bind_number(&q, 8, (int64_t)o->campaign);
    bind_number(&q, 9, o->actor.kind);
    bind_number(&q, 10, (int64_t)o->actor.id);
    bind_number(&q, 11, o->created_at.ms);
    bind_number(&q, 12, o->may_still_arrive);
    bind_number(&q, 13, (int64_t)o->last_counter);
    bind_octets(&q, 14, writer_bytes(&w));
    return query_run(&q);
}

static bool read_operation(const struct query *q, struct operation *o)
{
    if (!operation_read(column_octets(q, 1), o))
        return false;
    o->may_still_arrive = column_number(q, 2) != 0;
    return true;
}

enum store_status store_operation_get(struct store *s, uint64_t id, struct operation *out,
                                      uint64_t *card)
{
    struct query q = query_of(s, STATEMENT_OPERATION_GET);
    bind_number(&q, 1, (int64_t)id);
    enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        *card = (uint64_t)column_number(&q, 0);
        status = read_operation(&q, out) ? STORE_OK : STORE_FAILED;
    }
    query_end(&q);
    return status;
}

enum store_status store_operation_tenant(struct store *s, uint64_t id, uint64_t *tenant)
{
    struct query q = query_of(s, STATEMENT_OPERATION_TENANT);
    bind_number(&q, 1, (int64_t)id);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        *tenant = (uint64_t)column_number(&q, 0);
    query_end(&q);
    return status;
}

void operation_filter_init(struct operation_filter *f)
{
    *f = (struct operation_filter){.kind = -1, .status = -1, .outcome = -1, .failure = -1};
}

static void bind_operations(struct query *q, const struct operation_filter *f)
{
    bind_number(q, 1, (int64_t)f->tenant);
    bind_number(q, 2, (int64_t)f->card);
    bind_number(q, 3, (int64_t)f->group);
    bind_number(q, 4, (int64_t)f->campaign);
    bind_number(q, 5, (int64_t)f->client);
    bind_number(q, 6, f->kind);
    bind_number(q, 7, f->status);
    bind_number(q, 8, f->outcome);
    bind_number(q, 9, f->failure);
    bind_number(q, 10, f->from.ms);
    bind_number(q, 11, f->to.ms);
    bind_number(q, 14, f->grants);
}

// The statement that finds what was asked for without looking at everything.
static enum statement list_of(const struct operation_filter *f, bool is_count)
{
    if (f->card != 0)
        return is_count ? STATEMENT_OPERATIONS_COUNT_OF_CARD : STATEMENT_OPERATIONS_OF_CARD;
    if (f->tenant != 0)
        return is_count ? STATEMENT_OPERATIONS_COUNT_OF_TENANT : STATEMENT_OPERATIONS_OF_TENANT;
    return is_count ? STATEMENT_OPERATIONS_COUNT : STATEMENT_OPERATIONS;
}

// STORE_NONE at their end.
static enum store_status each_operation(struct query *q, store_operation_fn *each, void *context)
{
    enum store_status status = query_step(q);
    while (status == STORE_OK) {
        struct operation o;
        if (!read_operation(q, &o)) {
            status = STORE_FAILED;
            break;
        }
        if (!each(context, (uint64_t)column_number(q, 0), &o))
            break;
        status = query_step(q);
    }
    query_end(q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_operations_behind(struct store *s, const struct operation_filter *f,
                                          uint32_t limit, store_operation_fn *each, void *context)
{
    struct query q = query_of(s, f->tenant != 0 ? STATEMENT_OPERATIONS_BEHIND_OF_TENANT
                                                : STATEMENT_OPERATIONS_BEHIND);
    bind_operations(&q, f);
    bind_number(&q, 12, limit);
    bind_number(&q, 13, (int64_t)f->after);
    return each_operation(&q, each, context);
}

enum store_status store_operations(struct store *s, const struct operation_filter *f,
                                   const struct store_page *page, store_operation_fn *each,
                                   void *context, uint64_t *total)
{
    struct query q = query_of(s, list_of(f, false));
    bind_operations(&q, f);
    bind_page(&q, 12, page);
    enum store_status status = each_operation(&q, each, context);
    if (status != STORE_OK || total == NULL)
        return status;
    q = query_of(s, list_of(f, true));
    bind_operations(&q, f);
    bind_page(&q, 12, page);
    status = query_step(&q);
    if (status == STORE_OK)
        *total = (uint64_t)column_number(&q, 0);
    query_end(&q);
    return status;
}

enum store_status store_step_add(struct store *s, const struct step *step, struct utc at,
                                 const char *messages)
{
    const bool is_late = step->built_at.ms != 0;
    struct query q = query_of(s, is_late ? STATEMENT_STEP_ADD_LATE : STATEMENT_STEP_ADD);
    bind_number(&q, 1, (int64_t)step->operation);
    bind_number(&q, 2, at.ms);
    bind_number(&q, 3, step->name);
    bind_text(&q, 4, step->detail);
    bind_text(&q, 5, messages);
    bind_number(&q, 6, is_late ? STEP_BUILT : step->attempt);
    if (is_late)
        bind_number(&q, 7, step->built_at.ms);
    return query_run(&q);
}

enum store_status store_steps(struct store *s, uint64_t operation, store_step_fn *each,
                              void *context)
{
    struct query q = query_of(s, STATEMENT_STEPS);
    bind_number(&q, 1, (int64_t)operation);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        struct step step = {.operation = operation,
                            .name = (uint8_t)column_number(&q, 1),
                            .attempt = (uint8_t)column_number(&q, 2)};
        snprintf(step.detail, sizeof(step.detail), "%s", column_text(&q, 3));
        if (!each(context, &step, (struct utc){column_number(&q, 0)}, column_text(&q, 4)))
            break;
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

// --- messages --------------------------------------------------------------------------------

enum store_status store_message_put(struct store *s, const struct message *m)
{
    struct query q = query_of(s, STATEMENT_MESSAGE_PUT);
    bind_number(&q, 1, (int64_t)m->id);
    bind_number(&q, 2, (int64_t)m->card);
    bind_number(&q, 3, (int64_t)m->operation);
    bind_number(&q, 4, m->is_mo);
    bind_number(&q, 5, m->state);
    bind_number(&q, 6, m->command);
    bind_number(&q, 7, (int64_t)m->counter);
    bind_text(&q, 8, m->number);
    bind_number(&q, 9, m->parts);
    bind_number(&q, 10, m->reference);
    bind_number(&q, 11, m->validity_ms);
    bind_number(&q, 12, m->at.ms);
    bind_number(&q, 13, m->due.ms);
    bind_number(&q, 14, m->tries);
    bind_octets(&q, 15, bytes_of(m->packet, m->packet_len));
    return query_run(&q);
}

static void read_message(const struct query *q, int from, struct message *m)
{
    memset(m, 0, sizeof(*m));
    m->id = (uint64_t)column_number(q, from);
    m->card = (uint64_t)column_number(q, from + 1);
    m->operation = (uint64_t)column_number(q, from + 2);
    m->is_mo = column_number(q, from + 3) != 0;
    m->state = (uint8_t)column_number(q, from + 4);
    m->command = (uint8_t)column_number(q, from + 5);
    m->counter = (uint64_t)column_number(q, from + 6);
    snprintf(m->number, sizeof(m->number), "%s", column_text(q, from + 7));
    m->parts = (uint8_t)column_number(q, from + 8);
    m->reference = (uint8_t)column_number(q, from + 9);
    m->validity_ms = (uint32_t)column_number(q, from + 10);
    m->at.ms = column_number(q, from + 11);
    m->due.ms = column_number(q, from + 12);
    m->tries = (uint8_t)column_number(q, from + 13);
    const struct bytes packet = column_octets(q, from + 14);
    m->packet_len = (uint16_t)(packet.len > MESSAGE_PACKET_MAX ? 0 : packet.len);
    if (m->packet_len > 0)
        memcpy(m->packet, packet.at, m->packet_len);
}

enum store_status store_message_state(struct store *s, uint64_t id, uint8_t state, uint8_t tries,
                                      struct utc due)
{
    struct query q = query_of(s, STATEMENT_MESSAGE_STATE);
    bind_number(&q, 1, (int64_t)id);
    bind_number(&q, 2, state);
    bind_number(&q, 3, tries);
    bind_number(&q, 4, due.ms);
    return query_run(&q);
}

enum store_status store_outbox_forget(struct store *s)
{
    struct query q = query_of(s, STATEMENT_OUTBOX_FORGET);
    return query_run(&q);
}

static enum store_status messages(struct query *q, bool is_waiting, store_message_fn *each,
                                  void *context)
{
    enum store_status status = query_step(q);
    while (status == STORE_OK) {
        struct message m;
        read_message(q, 0, &m);
        m.group = is_waiting ? (uint64_t)column_number(q, 15) : 0;
        m.is_automatic = is_waiting && column_number(q, 16) != 0;
        if (!each(context, &m))
            break;
        status = query_step(q);
    }
    query_end(q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_outbox(struct store *s, uint64_t after, uint32_t limit,
                               store_message_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_OUTBOX);
    bind_number(&q, 1, (int64_t)after);
    bind_number(&q, 2, limit);
    bind_number(&q, 3, OPERATION_AUDIT);
    bind_number(&q, 4, ACTOR_SYSTEM);
    return messages(&q, true, each, context);
}

enum store_status store_messages(struct store *s, const struct timeline_filter *filter,
                                 const struct store_page *page, store_message_fn *each,
                                 void *context, uint64_t *total)
{
    struct query q = query_of(s, STATEMENT_MESSAGES);
    bind_number(&q, 1, (int64_t)filter->card);
    bind_number(&q, 2, page->limit);
    bind_number(&q, 3, (int64_t)page->offset);
    bind_number(&q, 4, filter->from.ms);
    enum store_status status = messages(&q, false, each, context);
    if (status != STORE_OK || total == NULL)
        return status;
    q = query_of(s, STATEMENT_MESSAGES_COUNT);
    bind_number(&q, 1, (int64_t)filter->card);
    bind_number(&q, 2, filter->from.ms);
    status = query_step(&q);
    if (status == STORE_OK)
        *total = (uint64_t)column_number(&q, 0);
    query_end(&q);
    return status;
}

enum store_status store_receipt_id_put(struct store *s, const char *link, const char *message_id,
                                       uint64_t message, uint8_t part, struct utc at)
{
    struct query q = query_of(s, STATEMENT_RECEIPT_PUT);
    bind_text(&q, 1, link);
    bind_text(&q, 2, message_id);
    bind_number(&q, 3, (int64_t)message);
    bind_number(&q, 4, part);
    bind_number(&q, 5, at.ms);
    return query_run(&q);
}

enum store_status store_receipt_find(struct store *s, const char *link, const char *message_id,
                                     struct message *out, uint8_t *part)
{
    struct query q = query_of(s, STATEMENT_RECEIPT_FIND);
    bind_text(&q, 1, link);
    bind_text(&q, 2, message_id);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        *part = (uint8_t)column_number(&q, 0);
        read_message(&q, 1, out);
    }
    query_end(&q);
    return status;
}

enum store_status store_stray_add(struct store *s, const struct stray *v, struct utc at)
{
    struct query q = query_of(s, STATEMENT_STRAY_ADD);
    bind_text(&q, 1, v->number);
    bind_octets(&q, 2, bytes_of(v->reference, v->has_reference ? sizeof(v->reference) : 0));
    bind_number(&q, 3, v->is_response);
    bind_number(&q, 4, v->sms);
    bind_octets(&q, 5, bytes_of(v->packet, v->packet_len));
    bind_number(&q, 6, at.ms);
    return query_run(&q);
}

enum store_status store_stray_drop(struct store *s, uint64_t id)
{
    struct query q = query_of(s, STATEMENT_STRAY_DROP);
    bind_number(&q, 1, (int64_t)id);
    return query_run(&q);
}

static void read_stray(const struct query *q, struct stray *v)
{
    const struct bytes reference = column_octets(q, 2);
    const struct bytes packet = column_octets(q, 5);
    memset(v, 0, sizeof(*v));
    v->id = (uint64_t)column_number(q, 0);
    snprintf(v->number, sizeof(v->number), "%s", column_text(q, 1));
    v->has_reference = reference.len == sizeof(v->reference);
    if (v->has_reference)
        memcpy(v->reference, reference.at, sizeof(v->reference));
    v->is_response = column_number(q, 3) != 0;
    v->sms = (uint8_t)column_number(q, 4);
    v->packet_len = (uint16_t)(packet.len > MESSAGE_PACKET_MAX ? 0 : packet.len);
    if (v->packet_len > 0)
        memcpy(v->packet, packet.at, v->packet_len);
}

enum store_status store_strays(struct store *s, uint64_t after, uint32_t limit,
                               store_stray_fn *each, void *context)
{
    struct query q = query_of(s, STATEMENT_STRAYS);
    bind_number(&q, 1, (int64_t)after);
    bind_number(&q, 2, limit);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        struct stray v;
        read_stray(&q, &v);
        if (!each(context, &v))
            break;
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status store_strays_count(struct store *s, uint64_t *count)
{
    struct query q = query_of(s, STATEMENT_STRAYS_COUNT);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK)
        *count = (uint64_t)column_number(&q, 0);
    query_end(&q);
    return status;
}

enum store_status store_message_part_put(struct store *s, const char *number,
                                         struct bytes user_data, struct utc at)
{
    struct query q = query_of(s, STATEMENT_MESSAGE_PART_PUT);
    bind_text(&q, 1, number);
    bind_octets(&q, 2, user_data);
    bind_number(&q, 3, at.ms);
    return query_run(&q);
}

enum store_status store_message_parts(struct store *s, struct utc from, store_message_part_fn *each,
                                      void *context)
{
    struct query q = query_of(s, STATEMENT_MESSAGE_PARTS);
    bind_number(&q, 1, from.ms);
    enum store_status status = query_step(&q);
    for (; status == STORE_OK; status = query_step(&q))
        each(context, column_text(&q, 0), column_octets(&q, 1));
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

// What cards say: whose it is, and what becomes of what fits no card.
#include "ota-server/service/turn_part.h"

static enum store_status find_card(struct turn *t, const struct turn_message *m, uint64_t *card)
{
    struct store *s = t->options.store;
    if (m->has_reference)
        return store_card_by_reference(s, m->reference, card);
    return store_card_by_number(s, m->number, card);
}

static enum store_status log_mo(struct turn *t, uint64_t card, const struct turn_message *m,
                                uint8_t what, uint64_t counter, struct utc now)
{
    struct message v = {.id = turn_id(t, now),
                        .card = card,
                        .is_mo = true,
                        .state = POST_RECEIVED,
                        .command = what,
                        .counter = counter,
                        .parts = m->sms,
                        .at = now,
                        .packet_len = m->packet_len};
    memcpy(v.number, m->number, sizeof(v.number));
    memcpy(v.packet, m->packet, m->packet_len);
    return store_message_put(t->options.store, &v);
}

static enum store_status keep_stray(struct turn *t, const struct turn_message *m, struct utc now)
{
    struct stray v = {.has_reference = m->has_reference,
                      .is_response = m->is_response,
                      .sms = m->sms,
                      .packet_len = m->packet_len};
    memcpy(v.number, m->number, sizeof(v.number));
    memcpy(v.reference, m->reference, sizeof(v.reference));
    memcpy(v.packet, m->packet, m->packet_len);
    t->counts.strays++;
    return store_stray_add(t->options.store, &v, now);
}

// STORE_NONE: it fits no card.
static enum store_status hear(struct turn *t, const struct turn_message *m, struct utc now)
{
    uint64_t card;
    uint64_t group = 0;
    struct card_keys keys;
    enum store_status status = find_card(t, m, &card);
    if (status == STORE_OK)
        status = store_card_group(t->options.store, card, &group);
    if (status == STORE_OK)
        status = turn_keys_of(t, card, group, &keys);
    if (status != STORE_OK)
        return status;
    uint8_t scratch[MESSAGE_SCRATCH];
    struct writer w = writer_of(scratch, sizeof(scratch));
    struct event e = {.type = m->is_response ? EVENT_POR : EVENT_NOTIFY,
                      .at = now,
                      .actor = {.kind = ACTOR_CARD}};
    const struct bytes packet = bytes_of(m->packet, m->packet_len);
    const enum message_status read =
        m->is_response ? message_read_por(t->options.cipher, &keys, packet, &w, &e.as.por)
                       : message_read_notify(t->options.cipher, &keys, packet, &w, &e.as.notify);
    secret_wipe(&keys, sizeof(keys));
    secret_wipe(scratch, sizeof(scratch));
    if (read != MESSAGE_OK)
        return STORE_NONE; // whoever sent it does not hold the card's keys
    if (m->is_response) {
        memcpy(e.as.por.number, m->number, sizeof(m->number));
        e.as.por.sms = m->sms;
        e.as.por.octets = m->packet_len;
    } else {
        memcpy(e.as.notify.number, m->number, sizeof(m->number));
        e.as.notify.sms = m->sms;
        e.as.notify.octets = m->packet_len;
    }
    if (m->is_response && e.as.por.is_authentic && t->heard != NULL)
        t->heard(t->heard_context, card, e.as.por.counter);
    struct turn_answer unused = {0};
    t->counts.received++;
    t->counts.pors += m->is_response;
    t->counts.por_errors += m->is_response && e.as.por.status != 0;
    status = log_mo(t, card, m,
                    m->is_response ? e.as.por.result.command : e.as.notify.notification.cause,
                    m->is_response ? e.as.por.counter : e.as.notify.mo_counter, now);
    return status == STORE_OK ? turn_run_event(t, card, &e, &unused) : status;
}

enum store_status turn_run_message(struct turn *t, const struct turn_message *m, uint64_t stray,
                                   struct utc now)
{
    const enum store_status status = hear(t, m, now);
    if (stray == 0)
        return status == STORE_NONE ? keep_stray(t, m, now) : status;
    if (status == STORE_NONE)
        return STORE_OK; // as it was
    return status == STORE_OK ? store_stray_drop(t->options.store, stray) : status;
}

void turn_tell_answers(struct turn *t, turn_heard_fn *heard, void *context)
{
    t->heard = heard;
    t->heard_context = context;
}

void turn_look_at_strays(struct turn *t)
{
    t->strays = (struct strays){.is_wanted = true};
    t->next_due = (struct utc){1}; // at once
}

static bool note_stray(void *context, const struct stray *v)
{
    struct turn *t = context;
    t->stray_rows[t->stray_count++] = *v;
    return t->stray_count < STRAYS_MAX;
}

enum store_status turn_run_strays(struct turn *t, struct utc now)
{
    if (!t->strays.is_wanted)
        return STORE_OK;
    t->stray_count = 0;
    enum store_status status =
        store_strays(t->options.store, t->strays.after, STRAYS_MAX, note_stray, t);
    t->strays.is_wanted = t->stray_count == STRAYS_MAX;
    for (size_t i = 0; i < t->stray_count && status == STORE_OK; i++) {
        const struct stray *v = &t->stray_rows[i];
        if (t->send_count == SENDS_MAX) {
            t->strays.is_wanted = true;
            break;
        }
        struct task k = {.kind = TASK_MESSAGE,
                         .stray = v->id,
                         .message = {.has_reference = v->has_reference,
                                     .is_response = v->is_response,
                                     .sms = v->sms,
                                     .packet_len = v->packet_len}};
        memcpy(k.message.number, v->number, sizeof(v->number));
        memcpy(k.message.reference, v->reference, sizeof(v->reference));
        memcpy(k.message.packet, v->packet, v->packet_len);
        if (!turn_run_guarded(t, &k, now))
            status = k.status;
        t->strays.after = v->id;
    }
    return status;
}

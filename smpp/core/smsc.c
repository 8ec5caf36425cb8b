#include "smpp/core/smsc.h"

#include "common/base/secret.h"
#include "common/base/text.h"
#include "smpp/core/smsc_part.h"

#define SECOND 1000u

void smsc_init(struct smsc *s, const struct smsc_config *config, struct smsc_queue *queue,
               struct smsc_faults *faults)
{
    *s = (struct smsc){.config = *config, .queue = queue, .faults = faults};
    if (s->config.validity_s == 0)
        s->config.validity_s = 86400;
    if (s->config.retry_first_ms == 0)
        s->config.retry_first_ms = 5 * SECOND;
    if (s->config.retry_max_ms == 0)
        s->config.retry_max_ms = 300 * SECOND;
    for (size_t i = 0; i < config->link_count; i++)
        s->config.links[i].is_used = false;
}

uint32_t smsc_link_open(struct smsc *s, const struct smpp_session_config *memory)
{
    for (uint32_t i = 0; i < s->config.link_count; i++) {
        struct smsc_link *link = &s->config.links[i];
        if (link->is_used)
            continue;
        struct smpp_session_config config = *memory;
        config.role = SMPP_SMSC;
        *link = (struct smsc_link){.is_used = true};
        smpp_session_init(&link->session, &config, s->now);
        return i;
    }
    return SMSC_NONE;
}

struct smpp_session *smsc_session(struct smsc *s, uint32_t link)
{
    return &s->config.links[link].session;
}

// Copies a C-octet string of the peer; false when it does not fit.
static bool copy_text(char *to, size_t size, struct bytes text)
{
    if (text.len >= size)
        return false;
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    return true;
}

static bool number_read(struct smsc_number *to, const struct smpp_address *from)
{
    to->ton = from->ton;
    to->npi = from->npi;
    // A plus sign means the same as TON 1; numbers are compared by their digits.
    struct bytes digits = from->digits;
    if (digits.len > 0 && digits.at[0] == '+') {
        digits = bytes_slice(digits, 1, digits.len);
        to->ton = 1;
    }
    return copy_text(to->digits, sizeof to->digits, digits);
}

// --- binding ---

static size_t links_of(const struct smsc *s, uint16_t account)
{
    size_t count = 0;
    for (size_t i = 0; i < s->config.link_count; i++) {
        const struct smsc_link *link = &s->config.links[i];
        count += link->is_used && link->has_account && link->account == account;
    }
    return count;
}

// Compares over the whole field, so that time tells nothing about a password.
static bool password_fits(const struct smsc_account *account, struct bytes given)
{
    char padded[SMSC_PASSWORD_SIZE] = {0};
    char expected[SMSC_PASSWORD_SIZE] = {0};
    if (!copy_text(padded, sizeof padded, given) ||
        !copy_text(expected, sizeof expected, bytes_of_text(account->password)))
        return false;
    return secret_equal(padded, expected, sizeof padded);
}

static void handle_bind(struct smsc *s, struct smsc_link *link, const struct smpp_pdu *pdu)
{
    uint32_t status = ESME_RINVSYSID;
    for (size_t i = 0; i < s->config.account_count; i++) {
        const struct smsc_account *account = &s->config.accounts[i];
        if (!bytes_equal(pdu->bind.system_id, bytes_of_text(account->system_id)))
            continue;
        status = password_fits(account, pdu->bind.password) ? ESME_ROK : ESME_RINVPASWD;
        if (status == ESME_ROK && account->links_max > 0 &&
            links_of(s, (uint16_t)i) >= account->links_max)
            status = ESME_RALYBND;
        if (status == ESME_ROK &&
            !copy_text(link->range, sizeof link->range, pdu->bind.address_range))
            status = ESME_RBINDFAIL;
        link->has_account = status == ESME_ROK;
        link->account = (uint16_t)i;
    }
    // A refusal for want of room closes the session by itself.
    if (smpp_session_answer_bind(&link->session, status, bytes_of_text("otaria-smsc")) !=
        SMPP_SEND_OK)
        return;
    if (status == ESME_ROK && pdu->command != SMPP_BIND_TRANSMITTER)
        for (uint32_t i = 0; i < s->queue->message_count; i++)
            if (s->queue->mailboxes[i].is_used && s->queue->mailboxes[i].failures == 0)
                smsc_queue_ready(s->queue, i);
}

// --- submitting ---

// The message is in short_message or, when that is empty, in message_payload [SMPP 3.4 §5.3.2.32].
static struct bytes text_of(const struct smpp_pdu *pdu)
{
    struct bytes text = pdu->message.short_message;
    if (text.len == 0)
        (void)smpp_tlv_find(pdu->tlvs, SMPP_TLV_MESSAGE_PAYLOAD, &text);
    return text;
}

static uint32_t judge_submit(const struct smpp_pdu *pdu)
{
    const struct smpp_message *m = &pdu->message;
    const struct bytes text = text_of(pdu);
    if (text.len > SMSC_MESSAGE_MAX)
        return m->short_message.len > 0 ? ESME_RINVMSGLEN : ESME_RINVPARLEN;
    if (m->destination.digits.len == 0)
        return ESME_RINVDSTADR;
    if (m->replace_if_present > 1)
        return ESME_RINVREPFLAG;
    bool has_header = (m->esm_class & 0x40) != 0;
    if (has_header && (text.len == 0 || text.at[0] + (size_t)1 > text.len))
        return ESME_RINVMSGLEN;
    return ESME_ROK;
}

static bool store_fields(struct smsc_message *to, const struct smpp_pdu *pdu)
{
    const struct smpp_message *m = &pdu->message;
    const struct bytes text = text_of(pdu);
    // What was in message_payload is delivered in short_message, without TLVs.
    const bool in_tlv = m->short_message.len == 0 && text.len > 0;
    if (!in_tlv && pdu->tlvs.len > SMSC_TLVS_MAX)
        return false;
    if (!in_tlv && pdu->tlvs.len > 0) {
        to->tlvs_len = (uint8_t)pdu->tlvs.len;
        memcpy(to->tlvs, pdu->tlvs.at, pdu->tlvs.len);
    }
    to->esm_class = m->esm_class & 0xC0; // mode and type are between us and the submitter
    to->protocol_id = m->protocol_id;
    to->data_coding = m->data_coding;
    to->priority_flag = m->priority_flag;
    to->registered_delivery = m->registered_delivery;
    to->short_message_len = (uint8_t)text.len;
    if (text.len > 0)
        memcpy(to->short_message, text.at, text.len);
    return true;
}

struct submission {
    const struct smpp_pdu *pdu;
    struct smsc_number source;
    struct smsc_number destination;
    uint64_t validity_ms;
    uint64_t schedule_ms;
    uint16_t account;
    struct smsc_verdict verdict;
};

static uint32_t add_copy(struct smsc *s, const struct submission *sub, uint64_t *id)
{
    uint32_t at = smsc_queue_add(s->queue, &sub->destination);
    if (at == SMSC_NONE)
        return ESME_RMSGQFUL;
    struct smsc_message *m = &s->queue->messages[at];
    m->id = ++s->last_id;
    if (!store_fields(m, sub->pdu)) {
        smsc_queue_remove(s->queue, at);
        return ESME_RINVPARLEN;
    }
    const struct smsc_verdict *v = &sub->verdict;
    uint64_t delay_ms = sub->schedule_ms + v->delay_ms + (v->is_reordered ? v->reorder_ms : 0);
    *id = m->id;
    m->source = sub->source;
    m->from_account = sub->account;
    m->drops_receipt = v->drops_receipt;
    m->receipt_copies = (uint8_t)v->receipt_copies;
    m->submitted = s->utc;
    m->due = instant_after(s->now, delay_ms);
    m->expiry = instant_after(s->now, sub->validity_ms);
    m->is_held = delay_ms > 0;
    bool kept = smsc_queue_timer(s->queue, m->expiry, at, m->id) &&
                (!m->is_held || smsc_queue_timer(s->queue, m->due, at, m->id));
    if (!kept) {
        smsc_queue_remove(s->queue, at);
        return ESME_RMSGQFUL;
    }
    m->waits_pass = v->is_reordered;
    uint32_t before = m->previous;
    if (!v->is_reordered && before != SMSC_NONE && s->queue->messages[before].waits_pass &&
        smsc_queue_pass(s->queue, before))
        s->queue->messages[before].waits_pass = s->queue->messages[before].is_held = false;
    smsc_queue_ready(s->queue, m->mailbox);
    if (v->receipt_is_early)
        smsc_receipt_early(s, at);
    return ESME_ROK;
}

static uint32_t submit(struct smsc *s, const struct submission *sub, uint64_t *id)
{
    const struct smsc_verdict *v = &sub->verdict;
    s->counts.delayed += v->delay_ms > 0;
    s->counts.reordered += v->is_reordered;
    if (v->is_lost) {
        s->counts.lost++;
        *id = ++s->last_id;
        return ESME_ROK;
    }
    uint32_t status = add_copy(s, sub, id);
    for (uint32_t i = 0; status == ESME_ROK && i < v->copies; i++) {
        uint64_t copy_id;
        if (add_copy(s, sub, &copy_id) == ESME_ROK)
            s->counts.duplicated++;
    }
    return status;
}

static uint32_t read_submission(struct smsc *s, const struct smpp_pdu *pdu, uint16_t account,
                                struct submission *sub)
{
    const struct smpp_message *m = &pdu->message;
    *sub = (struct submission){.pdu = pdu, .account = account};
    uint32_t status = judge_submit(pdu);
    if (status != ESME_ROK)
        return status;
    if (!number_read(&sub->source, &m->source))
        return ESME_RINVSRCADR;
    if (!number_read(&sub->destination, &m->destination) || sub->destination.digits[0] == '\0' ||
        sub->destination.digits[0] == '@')
        return ESME_RINVDSTADR;
    if (!smsc_read_time(m->schedule_delivery_time, s->utc, &sub->schedule_ms))
        return ESME_RINVSCHED;
    if (!smsc_read_time(m->validity_period, s->utc, &sub->validity_ms))
        return ESME_RINVEXPIRY;
    uint64_t validity_max = (uint64_t)s->config.validity_s * SECOND;
    if (m->validity_period.len == 0 || sub->validity_ms > validity_max)
        sub->validity_ms = validity_max;
    sub->verdict = smsc_faults_judge(s->faults, sub->source.digits, sub->destination.digits);
    s->counts.statuses += sub->verdict.status != ESME_ROK;
    return sub->verdict.status;
}

// A link that cannot even take an answer is of no use any more.
static void answer(struct smsc_link *link, uint64_t handle, uint32_t status, struct bytes id)
{
    if (smpp_session_accept(&link->session, handle, status, id) != SMPP_SEND_OK)
        link->is_cut = true;
}

static void handle_submit(struct smsc *s, struct smsc_link *link, const struct smpp_event *event)
{
    struct submission sub;
    uint64_t id = 0;
    s->counts.submitted++;
    uint32_t status = read_submission(s, &event->pdu, link->account, &sub);
    if (status == ESME_ROK)
        status = submit(s, &sub, &id);
    if (status == ESME_ROK)
        s->counts.accepted++;
    else
        s->counts.refused++;
    s->counts.queue_full += status == ESME_RMSGQFUL;
    if (status == ESME_ROK)
        smsc_alert(s, sub.source.digits);
    if (status == ESME_ROK && sub.verdict.receipt_is_early)
        smsc_pump(s);
    if (status == ESME_ROK && sub.verdict.cuts_link) {
        s->counts.cut++;
        link->is_cut = true;
        return;
    }
    if (status == ESME_ROK && sub.verdict.drops_response) {
        s->counts.dropped_responses++;
        smpp_session_forget(&link->session, event->handle);
        return;
    }
    uint8_t text[24];
    struct writer w = writer_of(text, sizeof text);
    smsc_write_id(&w, id, s->config.hex_in_answers);
    answer(link, event->handle, status, status == ESME_ROK ? writer_bytes(&w) : bytes_of(NULL, 0));
}

// query_sm, cancel_sm and the like are known and not offered.
static void handle_request(struct smsc *s, struct smsc_link *link, const struct smpp_event *event)
{
    if (event->pdu.command == SMPP_SUBMIT_SM) {
        handle_submit(s, link, event);
        return;
    }
    uint32_t status = ESME_RINVCMDID;
    if (event->pdu.command == SMPP_QUERY_SM)
        status = ESME_RQUERYFAIL;
    else if (event->pdu.command == SMPP_CANCEL_SM)
        status = ESME_RCANCELFAIL;
    else if (event->pdu.command == SMPP_REPLACE_SM)
        status = ESME_RREPLACEFAIL;
    answer(link, event->handle, status, bytes_of(NULL, 0));
}

bool smsc_link_handle(struct smsc *s, uint32_t index)
{
    struct smsc_link *link = &s->config.links[index];
    struct smpp_event event;
    bool is_open = true;
    while (!link->is_cut && smpp_session_next(&link->session, &event)) {
        switch (event.type) {
        case SMPP_EVENT_BIND:
            handle_bind(s, link, &event.pdu);
            break;
        case SMPP_EVENT_REQUEST:
            handle_request(s, link, &event);
            break;
        case SMPP_EVENT_RESPONSE:
            smsc_delivered(s, event.tag, event.pdu.status);
            break;
        case SMPP_EVENT_UNKNOWN:
            smsc_delivered(s, event.tag, ESME_RX_T_APPN);
            break;
        case SMPP_EVENT_CLOSED:
            is_open = false;
            break;
        case SMPP_EVENT_BOUND:
        case SMPP_EVENT_NOTICE:
            break;
        }
    }
    return is_open && !link->is_cut;
}

void smsc_link_gone(struct smsc *s, uint32_t index)
{
    struct smsc_link *link = &s->config.links[index];
    struct smpp_event event;
    smpp_session_disconnected(&link->session);
    // What was in flight has an unknown fate: it is tried again, as every SMSC does.
    while (smpp_session_next(&link->session, &event))
        if (event.type == SMPP_EVENT_UNKNOWN)
            smsc_delivered(s, event.tag, ESME_RX_T_APPN);
    link->is_used = false;
    link->has_account = false;
}

void smsc_cut(struct smsc *s, uint32_t index)
{
    if (index < s->config.link_count && s->config.links[index].is_used)
        s->config.links[index].is_cut = true;
}

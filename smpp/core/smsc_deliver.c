// Storing and forwarding: who takes a message, what happens to it, and when.
#include "common/base/text.h"
#include "smpp/core/receipt.h"
#include "smpp/core/smsc_part.h"

// The tag of a deliver_sm is the message's id and its index.
#define TAG_SHIFT 24
#define TAG_INDEX 0xFFFFFFu
#define ID_DIGITS 10 // of a message_id, at least

void smsc_write_id(struct writer *w, uint64_t id, bool is_hex)
{
    const unsigned base = is_hex ? 16 : 10;
    uint64_t place = 1;
    for (unsigned digits = 1; digits < ID_DIGITS || id / place >= base; digits++)
        place *= base;
    for (; place > 0; place /= base)
        writer_u8(w, (uint8_t) "0123456789ABCDEF"[id / place % base]);
}

// --- who takes it ---

static bool can_receive(const struct smsc_link *link)
{
    return link->is_used && link->has_account && !link->is_cut &&
           link->session.state == SMPP_STATE_BOUND && link->session.bound_as != SMPP_TX;
}

static bool prefix_fits(struct bytes prefix, struct bytes digits)
{
    return bytes_equal(bytes_slice(digits, 0, prefix.len), prefix);
}

// Digits, several beginnings separated by commas. A first `^` and a final `*` mean nothing more:
// what networks name is the number block that they serve.
// Says how many digits of it fit, plus one; 0: the range does not take this number.
static size_t range_fit(const char *range, struct bytes digits)
{
    struct bytes rest = bytes_of_text(range);
    size_t best = 0;
    while (rest.len > 0) {
        size_t len = 0;
        while (len < rest.len && rest.at[len] != ',')
            len++;
        struct bytes one = bytes_slice(rest, 0, len);
        if (one.len > 0 && one.at[0] == '^')
            one = bytes_slice(one, 1, one.len);
        if (one.len > 0 && one.at[one.len - 1] == '*')
            one.len--;
        if (prefix_fits(one, digits) && one.len + 1 > best)
            best = one.len + 1;
        rest = bytes_slice(rest, len + 1, rest.len);
    }
    return best;
}

struct taker {
    size_t range_fit; // links whose range fits so well; 0: links of `account`
    bool by_account;
    uint16_t account;
    bool is_ordered;
};

static struct taker taker_of(const struct smsc *s, const struct smsc_mailbox *box, uint16_t account)
{
    struct bytes digits = bytes_of_text(box->destination.digits);
    if (digits.at[0] == '@')
        return (struct taker){.by_account = true, .account = account};
    struct taker by_range = {.is_ordered = s->config.range_is_ordered};
    for (size_t i = 0; i < s->config.link_count; i++) {
        const struct smsc_link *link = &s->config.links[i];
        const size_t fit = can_receive(link) ? range_fit(link->range, digits) : 0;
        if (fit > by_range.range_fit)
            by_range.range_fit = fit;
    }
    if (by_range.range_fit > 0)
        return by_range;
    struct taker best = {0};
    size_t best_len = 0;
    for (size_t i = 0; i < s->config.route_count; i++) {
        const struct smsc_route *route = &s->config.routes[i];
        struct bytes prefix = bytes_of_text(route->prefix);
        if (!prefix_fits(prefix, digits) || (best.by_account && prefix.len <= best_len))
            continue;
        best = (struct taker){
            .by_account = true, .account = route->account, .is_ordered = route->is_ordered};
        best_len = prefix.len;
    }
    return best;
}

// A link that takes it and has room, taking turns. `*is_bound` tells whether there is one at all.
static struct smsc_link *link_for(struct smsc *s, const struct smsc_mailbox *box,
                                  const struct taker *taker, bool *is_bound)
{
    struct bytes digits = bytes_of_text(box->destination.digits);
    *is_bound = false;
    for (size_t i = 0; i < s->config.link_count; i++) {
        uint32_t at = (uint32_t)((s->next_link + 1 + i) % s->config.link_count);
        struct smsc_link *link = &s->config.links[at];
        if (!can_receive(link))
            continue;
        bool fits = taker->range_fit > 0 ? range_fit(link->range, digits) == taker->range_fit
                                         : taker->by_account && link->account == taker->account;
        if (!fits)
            continue;
        *is_bound = true;
        if (smpp_session_free(&link->session) == 0)
            continue;
        s->next_link = at;
        return link;
    }
    return NULL;
}

// Whether any link could take a delivery: else a long ready list need not be walked every turn.
static bool has_room(const struct smsc *s)
{
    for (size_t i = 0; i < s->config.link_count; i++)
        if (can_receive(&s->config.links[i]) && smpp_session_free(&s->config.links[i].session) > 0)
            return true;
    return false;
}

// --- receipts ---

static bool wants_receipt(const struct smsc_message *m, uint8_t message_state)
{
    uint8_t asked = m->registered_delivery & 3; // 1 always, 2 on failure [SMPP 3.4 §5.2.17]
    return m->kind == SMSC_KIND_SHORT_MESSAGE &&
           (asked == 1 || (asked == 2 && message_state != SMPP_MESSAGE_DELIVERED));
}

static void write_receipt(const struct smsc *s, const struct smsc_message *m, uint8_t message_state,
                          uint32_t status, struct writer *text, struct writer *tlvs)
{
    uint8_t id[24];
    struct writer id_text = writer_of(id, sizeof id);
    smsc_write_id(&id_text, m->id, s->config.hex_in_receipts);
    const struct smpp_receipt_text written = {
        .message_id = writer_bytes(&id_text),
        .state = message_state,
        .submitted = m->submitted,
        .done = s->utc,
        .error = (uint16_t)(status < 1000 ? status : 999),
    };
    smpp_receipt_write_text(text, &written);
    const struct smpp_receipt receipt = {.message_id = written.message_id, .state = message_state};
    if (tlvs != NULL)
        smpp_receipt_write_tlvs(tlvs, &receipt);
}

static void add_receipt(struct smsc *s, const struct smsc_message *m, uint8_t message_state,
                        uint32_t status)
{
    struct smsc_number to = {.digits = "@"};
    struct writer digits = writer_of(to.digits + 1, sizeof to.digits - 2);
    text_decimal(&digits, m->from_account);
    uint32_t at = smsc_queue_add(s->queue, &to);
    if (at == SMSC_NONE) {
        s->counts.dropped_receipts++;
        return;
    }
    struct smsc_message *r = &s->queue->messages[at];
    struct writer text = writer_of(r->short_message, sizeof r->short_message);
    struct writer tlvs = writer_of(r->tlvs, sizeof r->tlvs);
    write_receipt(s, m, message_state, status, &text, s->config.text_receipts_only ? NULL : &tlvs);
    r->id = ++s->last_id;
    r->kind = SMSC_KIND_RECEIPT;
    r->esm_class = 0x04;
    r->source = m->destination;
    r->destination = m->source;
    r->short_message_len = (uint8_t)text.len;
    r->tlvs_len = (uint8_t)tlvs.len;
    r->to_account = m->from_account;
    r->from_account = m->from_account;
    r->expiry = instant_after(s->now, (uint64_t)s->config.validity_s * 1000);
    if (!smsc_queue_timer(s->queue, r->expiry, at, r->id)) {
        s->counts.dropped_receipts++;
        smsc_queue_remove(s->queue, at);
        return;
    }
    smsc_queue_ready(s->queue, r->mailbox);
}

// For a message that has left the queue, if it asked for one.
static void add_receipts(struct smsc *s, const struct smsc_message *m, uint8_t message_state,
                         uint32_t status)
{
    if (!wants_receipt(m, message_state))
        return;
    if (m->drops_receipt) {
        s->counts.dropped_receipts++;
        return;
    }
    s->counts.duplicated_receipts += m->receipt_copies;
    for (unsigned i = 0; i <= m->receipt_copies; i++)
        add_receipt(s, m, message_state, status);
}

void smsc_receipt_early(struct smsc *s, uint32_t message)
{
    struct smsc_message *m = &s->queue->messages[message];
    s->counts.early_receipts += wants_receipt(m, SMPP_MESSAGE_DELIVERED);
    add_receipts(s, m, SMPP_MESSAGE_DELIVERED, ESME_ROK);
    m->registered_delivery = 0;
}

// --- delivering ---

static void count_end(struct smsc_counts *c, const struct smsc_message *m, uint8_t message_state)
{
    if (m->kind == SMSC_KIND_RECEIPT)
        c->receipts += message_state == SMPP_MESSAGE_DELIVERED;
    else if (message_state == SMPP_MESSAGE_DELIVERED)
        c->delivered++;
    else if (message_state == SMPP_MESSAGE_EXPIRED)
        c->expired++;
    else
        c->undeliverable++;
}

// The one way out of the queue. The message goes first: its place may be the receipt's.
static void end_message(struct smsc *s, uint32_t at, uint8_t message_state, uint32_t status)
{
    const struct smsc_message m = s->queue->messages[at];
    count_end(&s->counts, &m, message_state);
    smsc_queue_remove(s->queue, at);
    add_receipts(s, &m, message_state, status);
}

static uint32_t next_message(const struct smsc *s, const struct smsc_mailbox *box)
{
    uint32_t at = box->first;
    while (at != SMSC_NONE &&
           (s->queue->messages[at].is_in_flight || s->queue->messages[at].is_held))
        at = s->queue->messages[at].next;
    return at;
}

static enum smpp_send send_message(struct smsc_link *link, const struct smsc_message *m,
                                   uint64_t tag)
{
    struct smpp_pdu pdu = {
        .command = SMPP_DELIVER_SM,
        .message =
            {
                .source = {m->source.ton, m->source.npi, bytes_of_text(m->source.digits)},
                .destination = {m->destination.ton, m->destination.npi,
                                bytes_of_text(m->destination.digits)},
                .esm_class = m->esm_class,
                .protocol_id = m->protocol_id,
                .priority_flag = m->priority_flag,
                .data_coding = m->data_coding,
                .short_message = bytes_of(m->short_message, m->short_message_len),
            },
        .tlvs = bytes_of(m->tlvs, m->tlvs_len),
    };
    return smpp_session_request(&link->session, &pdu, tag);
}

// Delivers one message of the mailbox. False: nothing more can be done for it now.
static bool deliver_one(struct smsc *s, uint32_t mailbox)
{
    struct smsc_mailbox *box = &s->queue->mailboxes[mailbox];
    uint32_t at = next_message(s, box);
    if (at == SMSC_NONE || !instant_is_due(box->retry, s->now))
        return false;
    struct smsc_message *m = &s->queue->messages[at];
    struct taker taker = taker_of(s, box, m->to_account);
    if (taker.is_ordered && box->in_flight > 0)
        return false;
    bool is_bound;
    struct smsc_link *link = link_for(s, box, &taker, &is_bound);
    if (link == NULL) {
        // A full window opens again; a receiver that is away makes the mailbox ready when it binds.
        if (is_bound)
            smsc_queue_ready(s->queue, mailbox);
        return false;
    }
    enum smpp_send sent = send_message(link, m, m->id << TAG_SHIFT | at);
    if (sent == SMPP_SEND_INVALID) {
        end_message(s, at, SMPP_MESSAGE_UNDELIVERABLE, ESME_RSYSERR);
        return true;
    }
    if (sent != SMPP_SEND_OK) {
        smsc_queue_ready(s->queue, mailbox);
        return false;
    }
    m->is_in_flight = true;
    m->attempts++;
    box->in_flight++;
    s->counts.deliver_tries += m->kind == SMSC_KIND_SHORT_MESSAGE;
    return true;
}

void smsc_pump(struct smsc *s)
{
    // Each mailbox about once: those that become ready again while we work wait for the next turn.
    uint32_t left = 0;
    for (uint32_t at = s->queue->ready_first; at != SMSC_NONE;
         at = s->queue->mailboxes[at].ready_next)
        left++;
    for (; left > 0 && has_room(s); left--) {
        uint32_t mailbox = smsc_queue_take_ready(s->queue);
        if (mailbox == SMSC_NONE)
            return;
        while (deliver_one(s, mailbox))
            continue;
    }
}

static uint32_t find_message(const struct smsc *s, uint64_t tag)
{
    // The tag is id and index; an index alone could have been given to another message since.
    uint32_t at = (uint32_t)(tag & TAG_INDEX);
    bool is_it = at < s->queue->message_count && s->queue->messages[at].id == tag >> TAG_SHIFT;
    return is_it ? at : SMSC_NONE;
}

static bool is_temporary(uint32_t status)
{
    return status == ESME_RX_T_APPN || status == ESME_RTHROTTLED || status == ESME_RMSGQFUL ||
           status == ESME_RSYSERR;
}

static void retry_later(struct smsc *s, struct smsc_message *m)
{
    struct smsc_mailbox *box = &s->queue->mailboxes[m->mailbox];
    s->counts.temporary++;
    // What was under way together fails together: that is one failure, with one wait.
    if (!instant_is_due(box->retry, s->now))
        return;
    uint64_t wait_ms = s->config.retry_first_ms;
    for (uint16_t i = 0; i < box->failures && wait_ms < s->config.retry_max_ms; i++)
        wait_ms *= 2;
    wait_ms = wait_ms < s->config.retry_max_ms ? wait_ms : s->config.retry_max_ms;
    if (box->failures < UINT16_MAX)
        box->failures++;
    box->retry = instant_after(s->now, wait_ms);
    if (!smsc_queue_timer(s->queue, box->retry, m->mailbox, 0)) {
        box->retry = s->now;
        smsc_queue_ready(s->queue, m->mailbox);
    }
}

void smsc_delivered(struct smsc *s, uint64_t tag, uint32_t status)
{
    uint32_t at = find_message(s, tag);
    if (at == SMSC_NONE)
        return; // expired while under way
    struct smsc_message *m = &s->queue->messages[at];
    struct smsc_mailbox *box = &s->queue->mailboxes[m->mailbox];
    uint32_t mailbox = m->mailbox;
    m->is_in_flight = false;
    box->in_flight--;
    if (is_temporary(status)) {
        retry_later(s, m);
        return;
    }
    box->failures = 0;
    box->retry = (struct instant){0};
    smsc_queue_ready(s->queue, mailbox);
    end_message(s, at, status == ESME_ROK ? SMPP_MESSAGE_DELIVERED : SMPP_MESSAGE_UNDELIVERABLE,
                status);
}

void smsc_alert(struct smsc *s, const char *digits)
{
    uint32_t mailbox = smsc_queue_find(s->queue, digits);
    if (mailbox == SMSC_NONE)
        return;
    s->queue->mailboxes[mailbox].retry = (struct instant){0};
    s->queue->mailboxes[mailbox].failures = 0;
    smsc_queue_ready(s->queue, mailbox);
}

// --- time ---

static void message_due(struct smsc *s, const struct smsc_timer *timer)
{
    struct smsc_message *m = &s->queue->messages[timer->subject];
    if (m->id != timer->id)
        return;
    if (instant_is_due(m->expiry, s->now)) {
        smsc_queue_ready(s->queue, m->mailbox);
        end_message(s, timer->subject, SMPP_MESSAGE_EXPIRED, ESME_RX_T_APPN);
        return;
    }
    m->is_held = m->waits_pass = false;
    smsc_queue_ready(s->queue, m->mailbox);
}

void smsc_tick(struct smsc *s, struct instant now, struct utc utc)
{
    s->now = now;
    s->utc = utc;
    for (size_t i = 0; i < s->config.link_count; i++)
        if (s->config.links[i].is_used)
            smpp_session_tick(&s->config.links[i].session, now);
    struct smsc_timer timer;
    while (smsc_queue_expire(s->queue, now, &timer)) {
        if (timer.id != 0)
            message_due(s, &timer);
        else if (s->queue->mailboxes[timer.subject].is_used)
            smsc_queue_ready(s->queue, timer.subject);
    }
}

struct instant smsc_deadline(const struct smsc *s)
{
    struct instant due = smsc_queue_due(s->queue);
    for (size_t i = 0; i < s->config.link_count; i++)
        if (s->config.links[i].is_used)
            due = instant_earlier(due, smpp_session_deadline(&s->config.links[i].session));
    return due;
}

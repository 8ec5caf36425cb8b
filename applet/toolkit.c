#include "applet/toolkit.h"

#include "applet/clocks.h"
#include "applet/notify.h"
#include "applet/packet.h"
#include "applet/switching.h"
#include "common/base/check.h"
#include "common/wire/crc.h"

#define ANSWER_PARTS_MAX 3
#define LOST_S 120 // a command that was not answered for so long is given up

// --- clocks that are over ---

static void fire(struct applet *a, const struct applet_port *port, enum applet_clock_use use)
{
    struct turn t;
    // The clocks of a late start call it up, and nothing else.
    const bool is_late = a->is_late;
    if (!turn_begin(&t, a, port) || is_late)
        return;
    switch (use) {
    case CLOCK_STATE:
        turn_feed(&t, EVENT_CLOCK);
        break;
    case CLOCK_NOTIFY:
        notify_clock(&t);
        break;
    case CLOCK_COUNTRY:
        switching_country(&t);
        break;
    case CLOCK_SLOW:
        switching_due(&t);
        break;
    case CLOCK_LOCK:
    case CLOCK_JOIN:
        break;
    }
    (void)turn_end(&t);
}

static void tick(struct applet *a, const struct applet_port *port)
{
    clock_set(a, CLOCK_SLOW, CLOCK_SLOW_S);
    a->now_s += CLOCK_SLOW_S;
    if (a->due_s != 0 && a->due_s <= a->now_s)
        fire(a, port, CLOCK_SLOW);
}

// A switch takes a few steps that are over at once; more cannot follow from one event.
#define STEPS_MAX 16

void toolkit_fired(struct applet *a, const struct applet_port *port)
{
    for (unsigned step = 0; step < STEPS_MAX && a->fired != 0; step++) {
        uint8_t use = 0;
        while ((a->fired >> use & 1) == 0)
            use++;
        a->fired = (uint8_t)(a->fired & ~(1u << use));
        if (use == CLOCK_LOCK) {
            a->is_locked = false;
        } else if (use == CLOCK_JOIN) {
            a->is_joining = false;
            (void)port->joiner(port->context, false);
        } else if (use == CLOCK_SLOW) {
            tick(a, port);
        } else {
            fire(a, port, (enum applet_clock_use)use);
        }
    }
}

// --- the next command ---

// What a proactive command is, while it is being made.
struct proposal {
    uint16_t todo; // the bit that asked for it, 0 for a timer or a message
    uint8_t timer; // the clock to start, or APPLET_CLOCKS
    bool is_message;
};

static bool has(const struct applet *a, unsigned flag)
{
    return (a->terminal & flag) != 0;
}

static bool can_send(const struct applet *a)
{
    return has(a, TERMINAL_SEND_SMS);
}

static bool has_notification(const struct applet *a)
{
    bool is_pending = a->notify_attempt > 0 && a->pending_last > a->notify_sent;
    return (is_pending || a->is_heartbeat_due) && !a->is_blocked && a->has_service &&
           a->service == CAT_SERVICE_NORMAL;
}

// Packet and address of the message under way, from the image in the workspace. False: it cannot
// be made.
static bool make_packet(const struct applet *a, const struct applet_port *port, struct writer *w,
                        struct dialling *to)
{
    const struct image *m = &port->work->image;
    to->len = m->parameters.server_address_len;
    memcpy(to->octets, m->parameters.server_address, sizeof to->octets);
    const struct sms_cut cut = {.kind = SMS_RESPONSE_PACKET,
                                .card_reference = bytes_of(a->reference, sizeof a->reference)};
    if (a->sending.kind == SENDING_ANSWER)
        return packet_write_answer(w, a, port, sms_cut_room(&cut, ANSWER_PARTS_MAX));
    const struct pending *p = NULL;
    if (a->sending.kind == SENDING_NOTIFICATION) {
        uint8_t index = notify_find(m, a->sending.sequence);
        if (index == IMAGE_PENDING_MAX)
            return false;
        p = &m->pending[index];
        if (p->cause == NOTIFY_ADDRESS_CHECK && m->address_new.len > 0)
            *to = m->address_new;
    }
    struct notification n = notify_content(a, port, p);
    return packet_write_notification(w, port, a->sending.counter, &n);
}

// One that goes on over a restart, or the parts of two packets would meet under one name: an answer
// has a higher MT counter than the one before, a notification a higher MO counter. The same answer
// once more has the same one.
static uint8_t reference_of(const struct applet *a)
{
    return (uint8_t)(a->mt_counter + a->mo_counter);
}

// Chooses what to send next and commits the MO counter that a notification needs.
static bool begin_sending(struct applet *a, const struct applet_port *port)
{
    struct applet_sending *s = &a->sending;
    *s = (struct applet_sending){.kind = SENDING_NONE, .reference = reference_of(a)};
    if (a->answer.is_wanted) {
        s->kind = SENDING_ANSWER;
        return true;
    }
    uint8_t index = notify_next(a, &port->work->image);
    if (index == IMAGE_PENDING_MAX && !a->is_heartbeat_due) {
        a->notify_sent = a->pending_last;
        return false;
    }
    if (a->mo_counter == UINT64_C(0xFFFFFFFFFF) ||
        !memory_count(a, port, a->mt_counter, a->mo_counter + 1, a->packet_digest))
        return false;
    s->kind = index == IMAGE_PENDING_MAX ? SENDING_HEARTBEAT : SENDING_NOTIFICATION;
    s->sequence = index == IMAGE_PENDING_MAX ? 0 : port->work->image.pending[index].sequence;
    s->counter = a->mo_counter;
    s->reference = reference_of(a);
    return true;
}

static void end_heartbeat(struct applet *a, const struct applet_port *port)
{
    struct turn t;
    a->is_heartbeat_due = false;
    // If that is not kept, the next tick finds it due once more.
    if (!turn_begin(&t, a, port))
        return;
    switching_heartbeat_left(&t);
    (void)turn_end(&t);
}

static void end_answer(struct applet *a, const struct applet_port *port)
{
    struct turn t;
    a->answer.is_wanted = false;
    // Elsewhere it means nothing, and the image need not be read.
    if (a->state != SWITCH_SWITCHING || !turn_begin(&t, a, port))
        return;
    turn_feed(&t, EVENT_SENT);
    (void)turn_end(&t);
}

static void end_sending(struct applet *a, const struct applet_port *port)
{
    uint8_t kind = a->sending.kind;
    a->sending.kind = SENDING_NONE;
    if (kind == SENDING_NOTIFICATION)
        a->notify_sent = a->sending.sequence;
    else if (kind == SENDING_HEARTBEAT)
        end_heartbeat(a, port);
    else if (kind == SENDING_ANSWER)
        end_answer(a, port);
}

// The address of a TPDU from TON/NPI and BCD.
static bool address_of(const struct dialling *d, struct sms_address *out)
{
    struct phone number;
    if (!cat_address_read(bytes_of(d->octets, d->len), &number))
        return false;
    *out = sms_address_of(&number);
    return true;
}

// Writes the SMS-SUBMIT of the part that is due.
static bool make_message(struct applet *a, const struct applet_port *port, struct writer *tpdu)
{
    struct applet_work *work = port->work;
    struct dialling to;
    struct writer packet = writer_of(work->answer, sizeof work->answer);
    struct sms_address address;
    if (!make_packet(a, port, &packet, &to) || packet.failed || !address_of(&to, &address))
        return false;
    bool is_answer = a->sending.kind == SENDING_ANSWER;
    struct sms_cut cut = {
        .kind = is_answer ? SMS_RESPONSE_PACKET : SMS_COMMAND_PACKET,
        .card_reference = bytes_of(a->reference, sizeof a->reference),
        .reference = a->sending.reference,
    };
    uint32_t crc = crc32_add(0, writer_bytes(&packet));
    // Between two parts the state changed: parts of two packets must not be mixed.
    if (a->sending.part > 0 && crc != a->sending.crc)
        return false;
    a->sending.crc = crc;
    a->sending.part_count = (uint8_t)sms_cut_count(&cut, packet.len);
    uint8_t octets[SMS_USER_DATA_MAX];
    struct writer user_data = writer_of(octets, sizeof octets);
    sms_cut_part(&cut, writer_bytes(&packet), a->sending.part, &user_data);
    struct sms_submit submit = sms_submit_packet(&address, writer_bytes(&user_data));
    sms_write_submit(tpdu, &submit);
    return !user_data.failed && !tpdu->failed;
}

// A message that cannot be made is given up; the next occasion tries again.
static bool propose_message(struct applet *a, const struct applet_port *port, uint8_t number,
                            struct cat_message *out, struct writer *tpdu)
{
    bool is_wanted = a->answer.is_wanted || has_notification(a);
    if (!can_send(a) || (a->sending.kind == SENDING_NONE && !is_wanted))
        return false;
    if (!memory_load(a, port))
        return false;
    // An answer does not wait behind a notification that has not left.
    bool is_behind = a->answer.is_wanted && a->sending.kind != SENDING_ANSWER;
    if ((a->sending.kind == SENDING_NONE || is_behind) && !begin_sending(a, port))
        return false;
    if (!make_message(a, port, tpdu)) {
        end_sending(a, port);
        return false;
    }
    // Terminals exist that do not know a service centre of their own, or fail without one.
    const struct image *image = &port->work->image;
    const struct dialling *centre = &image->slots[image_enabled(image)].smsc;
    *out =
        cat_send_short_message(number, bytes_of(centre->octets, centre->len), writer_bytes(tpdu));
    return true;
}

static const uint8_t all_events[] = {
    CAT_EVENT_LOCATION_STATUS,
    CAT_EVENT_TECHNOLOGY_CHANGE,
    CAT_EVENT_NETWORK_REJECTION,
};

static struct cat_message event_list(const struct applet *a, uint8_t number)
{
    size_t count = 1u + has(a, TERMINAL_ACCESS) + has(a, TERMINAL_REJECTION);
    // The list is in the order of how often terminals know the events.
    static const uint8_t without_access[] = {CAT_EVENT_LOCATION_STATUS,
                                             CAT_EVENT_NETWORK_REJECTION};
    bool is_rejection_only = has(a, TERMINAL_REJECTION) && !has(a, TERMINAL_ACCESS);
    const uint8_t *list = is_rejection_only ? without_access : all_events;
    return cat_set_up_event_list(number, bytes_of(list, count));
}

static bool propose_query(const struct applet *a, uint8_t number, struct proposal *p,
                          struct cat_message *out)
{
    if ((a->todo & TODO_LOCATION) != 0) {
        p->todo = TODO_LOCATION;
        *out = cat_provide_local_information(number, CAT_INFORMATION_LOCATION);
    } else if ((a->todo & TODO_IMEI) != 0) {
        p->todo = TODO_IMEI;
        *out = cat_provide_local_information(number, CAT_INFORMATION_IMEI);
    } else if ((a->todo & TODO_IMEISV) != 0) {
        p->todo = TODO_IMEISV;
        *out = cat_provide_local_information(number, CAT_INFORMATION_IMEISV);
    } else if ((a->todo & TODO_ACCESS) != 0) {
        p->todo = TODO_ACCESS;
        *out = cat_provide_local_information(number, CAT_INFORMATION_TECHNOLOGY);
    }
    return p->todo != 0;
}

static bool propose_refresh(const struct applet_port *port, const struct applet *a, uint8_t number,
                            struct proposal *p, struct cat_message *out)
{
    if ((a->todo & TODO_REFRESH) == 0 || !memory_load(a, port))
        return false;
    p->todo = TODO_REFRESH;
    bool is_reset = port->work->image.parameters.refresh_mode == CAT_REFRESH_CARD_RESET;
    *out = cat_refresh(number, is_reset ? CAT_REFRESH_CARD_RESET : CAT_REFRESH_INIT);
    return true;
}

static bool propose(struct applet *a, const struct applet_port *port, struct proposal *p,
                    struct cat_message *out, struct writer *tpdu)
{
    *p = (struct proposal){.timer = APPLET_CLOCKS};
    uint8_t number = (uint8_t)(a->command_number % 254 + 1);
    if (!a->is_profiled || a->is_dead || a->command != 0)
        return false;
    if ((a->todo & TODO_EVENTS) != 0) {
        p->todo = TODO_EVENTS;
        *out = event_list(a, number);
        return true;
    }
    if ((a->todo & TODO_POLL) != 0) {
        p->todo = TODO_POLL;
        *out = cat_poll_interval(number, CAT_SECONDS, a->poll_period_s);
        return true;
    }
    uint8_t timer = clock_untold(a);
    if (timer < APPLET_CLOCKS) {
        p->timer = timer;
        *out = cat_timer_start(number, (uint8_t)(timer + 1), clock_piece(a, timer));
        return true;
    }
    if (propose_query(a, number, p, out))
        return true;
    p->is_message = propose_message(a, port, number, out, tpdu);
    return p->is_message || propose_refresh(port, a, number, p, out);
}

static bool is_idle(const struct applet *a)
{
    return a->todo == 0 && !a->answer.is_wanted && a->sending.kind == SENDING_NONE &&
           clock_untold(a) == APPLET_CLOCKS && !has_notification(a);
}

// Makes the next command in the workspace, if it is not there: asking how long it is and fetching
// it are two calls. It depends on the applet's state alone, which names the version of the image.
static bool make_next(struct applet *a, const struct applet_port *port)
{
    struct applet_work *work = port->work;
    if (!a->is_profiled || a->command != 0 || is_idle(a))
        return false;
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): padding that differs costs a remake
    if (work->maker == a && memcmp(work->maker_state, a, sizeof *a) == 0)
        return true;
    work->maker = NULL;
    struct proposal p;
    struct cat_message command;
    uint8_t octets[SMS_SUBMIT_MAX];
    struct writer tpdu = writer_of(octets, sizeof octets);
    if (!propose(a, port, &p, &command, &tpdu)) {
        toolkit_fired(a, port);
        return false;
    }
    struct writer w = writer_of(work->made, sizeof work->made);
    cat_write_command(&w, &command);
    if (w.failed)
        return false;
    work->made_len = w.len;
    work->made_todo = p.todo;
    work->made_timer = p.timer;
    work->maker = a;
    memcpy(work->maker_state, a, sizeof *a);
    return true;
}

size_t applet_pending(struct applet *a, const struct applet_port *port)
{
    return make_next(a, port) ? port->work->made_len : 0;
}

bool applet_fetch(struct applet *a, const struct applet_port *port, struct writer *w)
{
    const struct applet_work *work = port->work;
    if (!make_next(a, port))
        return false;
    writer_copy(w, bytes_of(work->made, work->made_len));
    if (w->failed)
        return false;
    uint16_t todo = work->made_todo;
    a->command_number = (uint8_t)(a->command_number % 254 + 1);
    a->command_s = 0;
    a->command_timer = work->made_timer;
    a->todo = (uint16_t)(a->todo & ~todo);
    a->command = work->made_timer < APPLET_CLOCKS ? CAT_TIMER_MANAGEMENT : CAT_SEND_SHORT_MESSAGE;
    if (todo == TODO_EVENTS)
        a->command = CAT_SET_UP_EVENT_LIST;
    else if (todo == TODO_POLL)
        a->command = CAT_POLL_INTERVAL;
    else if (todo == TODO_REFRESH)
        a->command = CAT_REFRESH;
    else if (todo != 0)
        a->command = CAT_PROVIDE_LOCAL_INFORMATION;
    if (a->command == CAT_REFRESH && a->state == SWITCH_SWITCHING) {
        a->wait = WAIT_TAKE;
        clock_set(a, CLOCK_STATE, 60);
    }
    return true;
}

// --- answers of the terminal ---

static void event(struct applet *a, const struct applet_port *port, enum rule_event e)
{
    struct turn t;
    if (!turn_begin(&t, a, port))
        return;
    turn_feed(&t, e);
    (void)turn_end(&t);
}

static bool is_imei(const uint8_t imei[COMMAND_IMEI_SIZE])
{
    char text[IMEI_SIZE];
    if (!imei_read(imei, text))
        return false;
    for (size_t i = 0; i < IMEI_EQUIPMENT_DIGITS; i++) {
        if (text[i] != '0')
            return true;
    }
    return false;
}

static bool is_same_imei(const uint8_t a[COMMAND_IMEI_SIZE], const uint8_t b[COMMAND_IMEI_SIZE])
{
    char text_a[IMEI_SIZE];
    char text_b[IMEI_SIZE];
    return imei_read(a, text_a) && imei_read(b, text_b) &&
           memcmp(text_a, text_b, IMEI_EQUIPMENT_DIGITS) == 0;
}

static void take_imei(struct applet *a, const struct applet_port *port,
                      const uint8_t imei[COMMAND_IMEI_SIZE])
{
    struct turn t;
    if (!is_imei(imei) || !turn_begin(&t, a, port))
        return;
    struct image *m = t.image;
    bool is_known = m->has_imei;
    bool is_same = is_known && is_same_imei(m->imei, imei);
    if (is_same)
        return;
    m->has_imei = true;
    memcpy(m->imei, imei, sizeof m->imei);
    t.is_changed = true;
    if (is_known) {
        struct subscription_name name = image_name(m, image_enabled(m));
        notify_queue(&t, NOTIFY_IMEI_CHANGED, name, name, 0);
    }
    (void)turn_end(&t);
}

// The same equipment by its other name.
static void take_imeisv(struct applet *a, const struct applet_port *port,
                        const uint8_t imeisv[IMEISV_LEN])
{
    char text[IMEISV_SIZE];
    char digits[IMEI_SIZE];
    uint8_t imei[COMMAND_IMEI_SIZE];
    if (imeisv_read(imeisv, text) && imei_normalise(text, digits) && imei_write(digits, imei))
        take_imei(a, port, imei);
}

static void take_location(struct applet *a, const struct applet_port *port,
                          const struct cat_message *r)
{
    if (r->result == CAT_DONE_LIMITED_SERVICE)
        applet_location(a, port, CAT_SERVICE_LIMITED,
                        (r->has & CAT_HAS_LOCATION) != 0 ? r->location.plmn : NULL);
    else if (cat_result_is_done(r->result))
        applet_location(a, port, CAT_SERVICE_NORMAL,
                        (r->has & CAT_HAS_LOCATION) != 0 ? r->location.plmn : NULL);
    else if (r->result == CAT_TERMINAL_UNABLE && r->result_info.len > 0 &&
             r->result_info.at[0] == CAT_CAUSE_NO_SERVICE)
        applet_location(a, port, CAT_SERVICE_NONE, NULL);
}

static void take_information(struct applet *a, const struct applet_port *port,
                             const struct cat_message *r)
{
    if (r->qualifier == CAT_INFORMATION_LOCATION)
        take_location(a, port, r);
    else if ((r->has & CAT_HAS_IMEI) != 0)
        take_imei(a, port, r->imei);
    else if ((r->has & CAT_HAS_IMEISV) != 0)
        take_imeisv(a, port, r->imeisv);
    else if ((r->has & CAT_HAS_TECHNOLOGIES) != 0 && r->events.len == 0)
        applet_access(a, port, r->technologies.len > 0 ? r->technologies.at[0] : a->access);
}

static void take_timer(struct applet *a, const struct cat_message *r)
{
    if (a->command_timer >= APPLET_CLOCKS)
        return;
    struct applet_clock *c = &a->clocks[a->command_timer];
    if (r->result == CAT_TYPE_UNKNOWN || r->result == CAT_BEYOND_CAPABILITY) {
        a->terminal = (uint16_t)(a->terminal & ~TERMINAL_TIMERS);
        return;
    }
    // A timer that was refused for another reason is left to the count of STATUS commands.
    c->armed_s = clock_piece(a, a->command_timer);
    c->is_told = true;
    c->status_s = 0;
}

static void take_sent(struct applet *a, const struct applet_port *port)
{
    if (a->sending.kind == SENDING_NONE)
        return;
    a->sending.part++;
    if (a->sending.part >= a->sending.part_count)
        end_sending(a, port);
}

static void take(struct applet *a, const struct applet_port *port, uint8_t command,
                 const struct cat_message *r)
{
    switch ((enum cat_command_type)command) {
    case CAT_REFRESH:
        event(a, port, cat_result_is_done(r->result) ? EVENT_TAKEN : EVENT_REFUSED);
        break;
    case CAT_POLL_INTERVAL:
        if (cat_result_is_done(r->result) && (r->has & CAT_HAS_DURATION) != 0 &&
            r->duration_unit == CAT_SECONDS && r->duration > 0)
            a->poll_period_s = r->duration;
        break;
    case CAT_SEND_SHORT_MESSAGE:
        take_sent(a, port);
        break;
    case CAT_PROVIDE_LOCAL_INFORMATION:
        take_information(a, port, r);
        break;
    case CAT_TIMER_MANAGEMENT:
        take_timer(a, r);
        break;
    case CAT_SET_UP_EVENT_LIST:
        // Where it is must be asked for from now on, or that service is gone is never noticed.
        if (!cat_result_is_done(r->result))
            a->terminal = (uint16_t)(a->terminal & ~TERMINAL_EVENTS);
        break;
    case CAT_MORE_TIME:
    case CAT_POLLING_OFF:
        break;
    }
}

void applet_terminal_response(struct applet *a, const struct applet_port *port,
                              struct bytes response)
{
    uint8_t command = a->command;
    a->command = 0;
    struct cat_message r;
    if (command == 0)
        return;
    if (cat_read_response(response, &r) != CAT_OK) {
        // Garbage is a refusal: nothing is repeated for ever, nothing is lost.
        memset(&r, 0, sizeof r);
        r.result = CAT_DATA_NOT_UNDERSTOOD;
    }
    take(a, port, command, &r);
    toolkit_fired(a, port);
}

void applet_status(struct applet *a, const struct applet_port *port)
{
    if (a->is_dead)
        return;
    clock_status(a);
    bool is_blind = (a->terminal & TERMINAL_EVENTS) == 0;
    if (is_blind && a->is_profiled && (a->terminal & TERMINAL_LOCATION) != 0)
        a->todo |= TODO_LOCATION;
    if (a->command != 0) {
        a->command_s = (uint16_t)(a->command_s + a->poll_period_s);
        if (a->command_s >= LOST_S) {
            const struct cat_message lost = {.result = CAT_TERMINAL_UNABLE};
            uint8_t command = a->command;
            a->command = 0;
            // What a REFRESH without answer means was decided by its own clock.
            if (command != CAT_REFRESH)
                take(a, port, command, &lost);
        }
    }
    toolkit_fired(a, port);
}

// --- at rest ---

bool applet_is_at_rest(const struct applet *a)
{
    const bool is_seeing = has(a, TERMINAL_EVENTS) && has(a, TERMINAL_TIMERS) && !a->is_by_status;
    return a->is_profiled && !a->is_dead && is_seeing && a->command == 0 && a->fired == 0 &&
           is_idle(a);
}

uint32_t applet_rest_status(struct applet *a, uint32_t count)
{
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++) {
        if (a->clocks[i].left_s == 0)
            continue;
        const uint32_t harmless = clock_patience(a, (enum applet_clock_use)i);
        count = harmless < count ? harmless : count;
    }
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++) {
        if (a->clocks[i].left_s > 0)
            a->clocks[i].status_s += count * a->poll_period_s;
    }
    return count;
}

_Static_assert(APPLET_TICK_TIMER == CLOCK_SLOW + 1 && APPLET_TICK_S == CLOCK_SLOW_S, "the tick's");

// Ticks before the one that reaches `due_s`.
static uint32_t ticks_before(const struct applet *a, uint32_t due_s)
{
    if (due_s == 0)
        return UINT32_MAX;
    return due_s > a->now_s ? (due_s - a->now_s - 1) / CLOCK_SLOW_S : 0;
}

static bool is_ticking_only(const struct applet *a)
{
    bool is_alone = true;
    for (uint8_t i = 0; i < APPLET_CLOCKS; i++)
        is_alone &= i == CLOCK_SLOW || a->clocks[i].left_s == 0;
    return is_alone;
}

uint32_t applet_rest_ticks(struct applet *a, uint32_t count, uint32_t status_max, bool may_keep)
{
    struct applet_clock *c = &a->clocks[CLOCK_SLOW];
    if (!c->is_told || c->left_s != CLOCK_SLOW_S || c->armed_s != CLOCK_SLOW_S)
        return 0;
    // Where a new day means something, keeping the clock may tell of it.
    const bool passes = may_keep && rules_is_ignored(a->state, EVENT_DAY);
    const uint32_t quiet = ticks_before(a, passes ? a->busy_s : a->due_s);
    const bool is_slow = 2 * status_max * a->poll_period_s < 3 * CLOCK_SLOW_S;
    uint32_t done = count < quiet ? count : quiet;
    if (done > 1 && !(is_slow && is_ticking_only(a)))
        done = 1;
    if (done == 0)
        return 0;
    const uint32_t end_s = a->now_s + done * CLOCK_SLOW_S;
    while (a->due_s != 0 && a->due_s <= end_s) {
        const uint32_t kept_s = a->now_s + (ticks_before(a, a->due_s) + 1) * CLOCK_SLOW_S;
        a->kept++;
        a->kept_s = kept_s;
        a->due_s = kept_s + a->keep_s;
        if (a->busy_s != 0 && a->busy_s < a->due_s)
            a->due_s = a->busy_s;
    }
    // The ticks, and what TERMINAL RESPONSE says of the command that starts the timer anew.
    a->now_s = end_s;
    a->command_number = (uint8_t)((a->command_number + 253 + done) % 254 + 1);
    a->command_s = 0;
    a->command_timer = CLOCK_SLOW;
    c->status_s = 0;
    return done;
}

bool applet_rest_keep(struct applet *a, const struct applet_port *port, uint32_t *spared)
{
    if (a->kept == 0)
        return false;
    check(memory_load(a, port));
    memory_release(port);
    // Two banks: of all those commits the last two are found in the memory.
    const uint32_t now_s = a->now_s;
    const uint32_t others = a->kept > 2 ? a->kept - 2u : 0;
    *spared += others;
    a->kept = (uint16_t)(a->kept - others - 1);
    a->bank_number += others;
    a->bank = (uint8_t)(a->bank ^ (others & 1));
    a->now_s = a->kept_s - a->kept * a->keep_s;
    port->work->image.is_scrub_due = false;
    check(memory_commit(a, port) == MEMORY_OK);
    memory_hold(a, port);
    a->now_s = now_s;
    return a->kept > 0;
}

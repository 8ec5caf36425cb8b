#include "applet/applet.h"

#include "applet/clocks.h"
#include "applet/notify.h"
#include "applet/packet.h"
#include "applet/start.h"
#include "applet/switching.h"
#include "applet/toolkit.h"
#include "common/base/secret.h"
#include "common/wire/secured.h"

#define REPORT_MAX 128 // octets of card data in a delivery report [31.111 §7.1.1]
#define JOIN_S (SMS_JOIN_MS / 1000)

// --- start ---

void applet_start(struct applet *a, const struct applet_port *port)
{
    if (port->joiner != NULL)
        (void)port->joiner(port->context, false);
    memset(a, 0, sizeof *a);
    a->state = SWITCH_STARTING;
    a->terminal = TERMINAL_NO_SELECTION;
    a->found = (uint8_t)memory_mount(a, port);
    if (a->found == MEMORY_UNUSABLE ||
        !card_reference(port->cipher, &port->factory->kik, a->reference)) {
        a->is_dead = true;
        return;
    }
    start_run(a, port);
    toolkit_fired(a, port);
}

static uint16_t capabilities(struct bytes profile)
{
    static const struct {
        enum cat_feature feature;
        uint16_t flag;
    } known[] = {
        {CAT_FEATURE_POLL_INTERVAL, TERMINAL_POLLING},
        {CAT_FEATURE_REFRESH, TERMINAL_REFRESH},
        {CAT_FEATURE_SEND_SHORT_MESSAGE, TERMINAL_SEND_SMS},
        {CAT_FEATURE_LOCATION_AND_IMEI, TERMINAL_LOCATION},
        {CAT_FEATURE_TECHNOLOGY, TERMINAL_ACCESS},
        {CAT_FEATURE_EVENT_REJECTION_UTRAN, TERMINAL_REJECTION},
        {CAT_FEATURE_EVENT_REJECTION_EUTRAN, TERMINAL_REJECTION},
        {CAT_FEATURE_DATE_TIME, TERMINAL_DATE_TIME},
    };
    unsigned flags = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (cat_profile_has(profile, known[i].feature))
            flags |= known[i].flag;
    }
    if (cat_profile_has(profile, CAT_FEATURE_SET_UP_EVENT_LIST) &&
        cat_profile_has(profile, CAT_FEATURE_EVENT_LOCATION_STATUS))
        flags |= TERMINAL_EVENTS;
    if (cat_profile_has(profile, CAT_FEATURE_TIMER_START_STOP) &&
        cat_profile_has(profile, CAT_FEATURE_TIMER_EXPIRATION))
        flags |= TERMINAL_TIMERS;
    if ((flags & (TERMINAL_EVENTS | TERMINAL_POLLING)) == 0)
        flags |= TERMINAL_NO_SELECTION;
    return (uint16_t)flags;
}

void applet_profile(struct applet *a, const struct applet_port *port, struct bytes profile)
{
    if (a->is_dead)
        return;
    a->is_profiled = true;
    a->terminal = capabilities(profile);
    // The last profile counts: what only the one before it allowed is not asked any more.
    a->todo &= (uint16_t) ~(TODO_EVENTS | TODO_POLL | TODO_LOCATION | TODO_IMEI | TODO_IMEISV |
                            TODO_ACCESS);
    if ((a->terminal & TERMINAL_EVENTS) != 0)
        a->todo |= TODO_EVENTS;
    if ((a->terminal & TERMINAL_POLLING) != 0)
        a->todo |= TODO_POLL;
    if ((a->terminal & TERMINAL_LOCATION) != 0)
        a->todo |= TODO_LOCATION | TODO_IMEI;
    else if (cat_profile_has(profile, CAT_FEATURE_IMEISV))
        a->todo |= TODO_IMEISV;
    if ((a->terminal & TERMINAL_ACCESS) != 0)
        a->todo |= TODO_ACCESS;
    clock_set(a, CLOCK_SLOW, CLOCK_SLOW_S);
    toolkit_fired(a, port);
}

// --- messages ---

// The unsecured answer that only talkative test cards give [102.225 §5.2].
static void write_telltale(const struct applet *a, struct writer *report)
{
    const uint8_t head[] = {0x02, 0x71, 0x00, 0x00, 0x0B, 0x0A};
    writer_copy(report, bytes_of(head, sizeof head));
    writer_u24(report, a->answer.tar);
    writer_u40(report, a->answer.counter);
    writer_u8(report, 0);
    writer_u8(report, a->answer.status);
}

static bool write_report(const struct applet *a, const struct applet_port *port,
                         struct writer *report)
{
    const uint8_t head[] = {0x02, 0x71, 0x00};
    struct writer packet = writer_of(port->work->answer, sizeof port->work->answer);
    if (!packet_write_answer(&packet, a, port, REPORT_MAX - sizeof head))
        return false;
    writer_copy(report, bytes_of(head, sizeof head));
    writer_copy(report, writer_bytes(&packet));
    return !report->failed;
}

// In the report if it was asked there and fits, and by a message of its own otherwise.
static enum applet_sms_answer answer(struct applet *a, const struct applet_port *port,
                                     struct writer *report)
{
    struct secured_spi spi = secured_spi_read(0, a->answer.spi2);
    bool can_send = (a->terminal & TERMINAL_SEND_SMS) != 0;
    a->answer.is_wanted = spi.por_by_submit;
    if (spi.por_by_submit)
        return APPLET_SMS_ACCEPTED;
    if (a->answer.has_result && !memory_load(a, port))
        return APPLET_SMS_ACCEPTED;
    // An audit is cut to pages; one that does not fit the report travels as a message instead.
    bool is_long = a->answer.has_result && can_send &&
                   (a->answer.outcome.command == COMMAND_AUDIT ||
                    a->answer.outcome.command == COMMAND_CONFIGURE) &&
                   a->answer.outcome.code == RESULT_OK;
    if (!is_long)
        return write_report(a, port, report) ? APPLET_SMS_REPORT : APPLET_SMS_ACCEPTED;
    struct applet_answer whole = a->answer;
    a->answer.has_result = false;
    a->answer.status = SECURED_STATUS_FOLLOWS_BY_SUBMIT;
    bool is_written = write_report(a, port, report);
    a->answer = whole;
    a->answer.is_wanted = true;
    return is_written ? APPLET_SMS_REPORT : APPLET_SMS_ACCEPTED;
}

static enum applet_sms_answer take_packet(struct applet *a, const struct applet_port *port,
                                          struct bytes packet, struct writer *report)
{
    switch (packet_take(a, port, packet)) {
    case PACKET_SILENT:
        return APPLET_SMS_ACCEPTED;
    case PACKET_ANSWER:
        return answer(a, port, report);
    case PACKET_TELLTALE:
        write_telltale(a, report);
        return report->failed ? APPLET_SMS_ACCEPTED : APPLET_SMS_REPORT;
    }
    return APPLET_SMS_ACCEPTED;
}

// Parts wait in memory that the platform lends until JOIN_S after the last one came.
static enum applet_sms_answer take_part(struct applet *a, const struct applet_port *port,
                                        const struct sms_deliver *m, struct writer *report)
{
    struct sms_joiner *joiner = port->joiner != NULL ? port->joiner(port->context, true) : NULL;
    if (joiner == NULL)
        return APPLET_SMS_ACCEPTED;
    if (!a->is_joining)
        sms_joiner_init(joiner);
    struct sms_packet packet;
    const struct instant now = {0};
    enum sms_join join = sms_join(joiner, &m->sender, m->user_data, now, &packet);
    enum applet_sms_answer out = APPLET_SMS_ACCEPTED;
    if (join == SMS_JOIN_COMPLETE && packet.kind == SMS_COMMAND_PACKET)
        out = take_packet(a, port, packet.octets, report);
    bool is_empty = sms_joiner_deadline(joiner).ms == INSTANT_NEVER.ms;
    a->is_joining = !is_empty;
    if (is_empty) {
        clock_stop(a, CLOCK_JOIN);
        (void)port->joiner(port->context, false);
    } else if (join == SMS_JOIN_WAITING) {
        clock_set(a, CLOCK_JOIN, JOIN_S);
    }
    return out;
}

enum applet_sms_answer applet_sms(struct applet *a, const struct applet_port *port,
                                  struct bytes tpdu, struct writer *report)
{
    struct sms_deliver m;
    struct sms_part part;
    if (sms_read_deliver(tpdu, &m) != SMS_OK || (m.first & SMS_HEADER_PRESENT) == 0 ||
        !sms_read_part(m.user_data, &part))
        return APPLET_SMS_NOT_MINE;
    if (a->is_dead)
        return APPLET_SMS_ACCEPTED;
    enum applet_sms_answer out = APPLET_SMS_ACCEPTED;
    if (part.total > 1)
        out = take_part(a, port, &m, report);
    else if (part.kind == SMS_COMMAND_PACKET)
        out = take_packet(a, port, part.octets, report);
    else
        out = APPLET_SMS_NOT_MINE;
    toolkit_fired(a, port);
    return out;
}

// --- events ---

static bool is_same_country(const uint8_t *a, const uint8_t *b)
{
    return a[0] == b[0] && (a[1] & 0x0F) == (b[1] & 0x0F);
}

static void note_plmn(struct turn *t, const uint8_t *plmn)
{
    struct applet *a = t->a;
    if (plmn == NULL)
        return;
    bool is_same = a->has_plmn && memcmp(a->plmn, plmn, sizeof a->plmn) == 0;
    bool is_new_country = !a->has_plmn || !is_same_country(a->plmn, plmn);
    a->has_plmn = true;
    memcpy(a->plmn, plmn, sizeof a->plmn);
    if (is_new_country || (!is_same && !clock_is_on(a, CLOCK_COUNTRY))) {
        a->is_country_stable = false;
        clock_set(a, CLOCK_COUNTRY, t->image->parameters.country_s);
    }
}

void applet_location(struct applet *a, const struct applet_port *port,
                     enum cat_location_status status, const uint8_t *plmn)
{
    bool was_normal = a->has_service && a->service == CAT_SERVICE_NORMAL;
    bool is_normal = status == CAT_SERVICE_NORMAL;
    bool is_same_place =
        plmn == NULL || (a->has_plmn && memcmp(a->plmn, plmn, sizeof a->plmn) == 0);
    bool is_quiet =
        was_normal && is_normal && is_same_place && a->is_settled && a->state == SWITCH_STABLE;
    struct turn t;
    if (is_normal)
        a->is_cause_final = false;
    if (a->is_dead || is_quiet)
        return;
    bool is_kept = turn_begin(&t, a, port);
    a->service = (uint8_t)status;
    a->has_service = true;
    if (is_kept && is_normal)
        note_plmn(&t, plmn);
    if (is_kept) {
        switching_service(&t, was_normal);
        is_kept = turn_end(&t);
    }
    // The fact stays when the memory fails; only what followed from it is undone.
    if (!is_kept) {
        a->service = (uint8_t)status;
        a->has_service = true;
    }
    toolkit_fired(a, port);
}

void applet_access(struct applet *a, const struct applet_port *port, uint8_t technology)
{
    (void)port;
    a->has_access = true;
    a->access = technology;
}

// Causes that condemn the subscription itself [24.008 annex G]: IMSI unknown, illegal MS, and
// neither packet nor other services allowed.
static bool is_final_cause(uint8_t cause)
{
    return cause == 2 || cause == 3 || cause == 8;
}

void applet_rejection(struct applet *a, const struct applet_port *port, const uint8_t *plmn,
                      uint8_t cause)
{
    (void)plmn; // where it happened is not where service is
    struct turn t;
    a->has_reject = true;
    a->reject = cause;
    if (!is_final_cause(cause) || !turn_begin(&t, a, port))
        return;
    a->is_cause_final = true;
    turn_feed(&t, EVENT_CONDEMNED);
    (void)turn_end(&t);
    toolkit_fired(a, port);
}

static void take_event(struct applet *a, const struct applet_port *port,
                       const struct cat_message *event)
{
    const uint8_t *plmn = (event->has & CAT_HAS_LOCATION) != 0 ? event->location.plmn : NULL;
    switch (cat_event_of(event)) {
    case CAT_EVENT_LOCATION_STATUS:
        if ((event->has & CAT_HAS_LOCATION_STATUS) != 0)
            applet_location(a, port, (enum cat_location_status)event->location_status, plmn);
        break;
    case CAT_EVENT_TECHNOLOGY_CHANGE:
        if (event->technologies.len > 0)
            applet_access(a, port, event->technologies.at[0]);
        break;
    case CAT_EVENT_NETWORK_REJECTION:
        if ((event->has & CAT_HAS_REJECTION_CAUSE) != 0)
            applet_rejection(a, port, plmn, event->rejection_cause);
        break;
    default: // octets: events that were never asked for
        break;
    }
}

void applet_event(struct applet *a, const struct applet_port *port, enum cat_envelope kind,
                  const struct cat_message *event)
{
    if (kind == CAT_TIMER_EXPIRATION)
        applet_timer(a, port, event->timer);
    else if (kind == CAT_EVENT_DOWNLOAD)
        take_event(a, port, event);
}

void applet_timer(struct applet *a, const struct applet_port *port, uint8_t timer)
{
    if (a->is_dead || timer == 0)
        return;
    clock_timer(a, (uint8_t)(timer - 1));
    toolkit_fired(a, port);
}

void applet_imsi_read(struct applet *a, const struct applet_port *port)
{
    struct turn t;
    bool is_open = a->state == SWITCH_SWITCHING || a->state == SWITCH_PROBATION;
    if (!is_open || !turn_begin(&t, a, port))
        return;
    uint8_t enabled = image_enabled(t.image);
    bool is_new = a->terminal_slot != enabled;
    a->terminal_slot = enabled;
    // What service there was, and what the network rejected, belonged to the former subscription.
    if (is_new) {
        a->has_service = false;
        a->is_cause_final = false;
    }
    if (a->state == SWITCH_SWITCHING && a->wait == WAIT_TAKE)
        turn_feed(&t, EVENT_TAKEN);
    (void)turn_end(&t);
    if (is_new && (a->terminal & TERMINAL_LOCATION) != 0)
        a->todo |= TODO_LOCATION;
    toolkit_fired(a, port);
}

// --- views ---

uint32_t applet_generation(const struct applet *a)
{
    return a->generation;
}

bool applet_subscription(const struct applet *a, const struct applet_port *port,
                         struct applet_subscription *out)
{
    if (a->is_dead || !memory_load(a, port))
        return false;
    const struct image *m = &port->work->image;
    memset(out, 0, sizeof *out);
    out->generation = m->generation;
    out->slot_index = image_enabled(m);
    out->slot = m->slots[out->slot_index];
    for (uint8_t i = 0; i < port->factory->template_count; i++) {
        if (port->factory->templates[i].number == out->slot.template_number)
            out->from = &port->factory->templates[i];
    }
    return true;
}

bool applet_dump(const struct applet *a, const struct applet_port *port, struct applet_dump *out)
{
    if (a->is_dead || !memory_load(a, port))
        return false;
    *out = (struct applet_dump){
        .image = port->work->image,
        .mt_counter = a->mt_counter,
        .mo_counter = a->mo_counter,
        .state = a->state,
        .terminal = a->terminal,
        .is_blocked = a->is_blocked,
    };
    for (uint8_t i = 0; i < IMAGE_SLOTS_MAX; i++)
        secret_wipe(&out->image.slots[i].keys, sizeof out->image.slots[i].keys);
    return true;
}

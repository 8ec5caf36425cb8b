#include "tests/exhaust/rig.h"

#include "applet/clocks.h"
#include "applet/memory.h"
#include "applet/toolkit.h"
#include "common/base/check.h"
#include "common/host/cipher_openssl.h"
#include "common/wire/secured.h"

#define TAR 0xB00010
#define CHANCE 7 // below every limit that is drawn to, and not 0
#define TERMINAL                                                                                   \
    (TERMINAL_EVENTS | TERMINAL_TIMERS | TERMINAL_POLLING | TERMINAL_REFRESH | TERMINAL_SEND_SMS | \
     TERMINAL_REJECTION)

static const uint8_t home[3] = {0x00, 0xF1, 0x10};
static const uint8_t abroad[3] = {0x62, 0xF2, 0x10};

// --- memory ----------------------------------------------------------------------------------

static bool nvm_read(void *context, size_t at, void *to, size_t len)
{
    struct rig *r = context;
    check(at + len <= RIG_NVM);
    memcpy(to, r->now.nvm + at, len);
    return true;
}

// False: an error is told.
static bool write_badly(struct rig *r, size_t at, const uint8_t *from, size_t len)
{
    uint8_t *to = r->now.nvm + at;
    switch (r->failure) {
    case RIG_NOTHING_WRITTEN:
        break;
    case RIG_HALF_WRITTEN:
        memcpy(to, from, len / 2);
        to[len / 2] ^= 0x3C;
        break;
    case RIG_ALL_WRITTEN:
        memcpy(to, from, len);
        break;
    case RIG_WORN:
        memcpy(to, from, len);
        to[len / 2] ^= 0x10;
        return true;
    }
    return false;
}

// In one write: of a page, or of as many octets as it takes.
static bool write_once(struct rig *r, size_t at, const uint8_t *from, size_t len)
{
    struct rig_log *log = r->log;
    r->writes++;
    if (r->fails_at != 0 && (r->writes == r->fails_at || (r->fails_on && r->writes > r->fails_at)))
        return write_badly(r, at, from, len);
    const size_t page = r->port.nvm_page;
    const size_t whole = page == 1 ? len : page;
    const size_t first = page == 1 ? at : at / page * page;
    if (log != NULL) {
        check(log->count < RIG_WRITES_MAX && log->used + 2 * whole <= RIG_OCTETS_MAX);
        log->writes[log->count++] = (struct rig_write){
            .at = (uint16_t)first, .len = (uint16_t)whole, .octets_at = log->used};
        memcpy(log->octets + log->used + whole, r->now.nvm + first, whole);
    }
    memcpy(r->now.nvm + at, from, len);
    if (log != NULL) {
        memcpy(log->octets + log->used, r->now.nvm + first, whole);
        log->used += 2 * (uint32_t)whole;
    }
    return true;
}

static bool nvm_write(void *context, size_t at, const void *from, size_t len)
{
    struct rig *r = context;
    const uint8_t *octets = from;
    const size_t page = r->port.nvm_page;
    check(at + len <= r->port.nvm_size);
    bool is_right = true;
    for (size_t done = 0; done < len && is_right;) {
        const size_t room = page == 1 ? len : page - (at + done) % page;
        const size_t part = len - done < room ? len - done : room;
        is_right = write_once(r, at + done, octets + done, part);
        done += part;
    }
    return is_right;
}

static uint32_t chance(void *context)
{
    (void)context;
    return CHANCE;
}

// --- opening ---------------------------------------------------------------------------------

static struct slot subscription(uint8_t n, uint8_t state)
{
    struct slot s = {
        .state = state,
        .rank = n,
        .is_fallback = state == SLOT_ENABLED,
        .template_number = 1,
        .mnc_length = 2,
        .imsi = {8, 0x09, 0x10, 0x10, 0, 0, 0, 0, (uint8_t)(n << 4)},
        .keys = {.k = {.len = 16, .octets = {n}}, .op = {.len = 16, .octets = {n, n}}},
    };
    return s;
}

static void snapshot(void *context, const struct model_card *m)
{
    struct rig *r = context;
    check(r->snapshot_count < RIG_SNAPSHOTS_MAX);
    r->snapshots[r->snapshot_count] = *m;
    r->snapshots[r->snapshot_count].committed = NULL;
    r->snapshot_count++;
}

static struct secret_key key(uint8_t first)
{
    return (struct secret_key){.len = 16, .octets = {first, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
}

// What the search starts from: short lists, so that few events lead far.
static void start(struct rig *r)
{
    memset(r->now.nvm, 0xFF, sizeof r->now.nvm);
    model_init(&r->now.model, &r->factory);
    r->now.model.is_exact = true;
    r->now.model.committed = snapshot;
    r->now.model.context = r;
    check(rig_apply(r, RIG_RESET) && r->differs == NULL);
}

bool rig_open(struct rig *r, bool is_real, bool is_paged)
{
    memset(r, 0, sizeof *r);
    r->cipher = rig_cipher();
    if (is_real && !cipher_openssl_open(&r->cipher))
        return false;
    r->templates[0] = (struct applet_template){.number = 1, .rank = 5, .mnc_length = 2};
    r->subscriptions[0] = subscription(1, SLOT_ENABLED);
    r->subscriptions[1] = subscription(2, SLOT_DISABLED);
    r->factory = (struct applet_factory){
        .card_iccid = {0x98, 0x88, 0x10, 0, 0, 0, 0, 0, 0, 0xF1},
        .level = 2,
        .slot_count = RIG_SLOTS,
        .tar = TAR,
        .server_address = {.len = 4, .octets = {0x91, 0x21, 0x43, 0x65}},
        .key_version = 1,
        .kic = key(0x10),
        .kid = key(0x20),
        .kik = key(0x30),
        .template_count = 1,
        .templates = r->templates,
        .subscription_count = 2,
        .subscriptions = r->subscriptions,
    };
    r->port = (struct applet_port){.context = r,
                                   .nvm_read = nvm_read,
                                   .nvm_write = nvm_write,
                                   .nvm_size = is_paged ? RIG_NVM : RIG_NVM_OCTETS,
                                   .nvm_page = is_paged ? RIG_PAGE : 1,
                                   .random = chance,
                                   .cipher = &r->cipher,
                                   .factory = &r->factory,
                                   .work = &r->work};
    start(r);
    return true;
}

void rig_close(struct rig *r, bool is_real)
{
    if (is_real)
        cipher_openssl_close(&r->cipher);
}

void rig_restore(struct rig *r, const struct rig_state *s)
{
    r->now = *s;
    r->work.holder = NULL;
    r->work.maker = NULL;
}

// --- comparing -------------------------------------------------------------------------------

static void differ(struct rig *r, const char *what)
{
    if (r->differs == NULL && r->fails_at == 0)
        r->differs = what;
}

const char *rig_compare(struct rig *r, const struct applet *a, const struct model_card *m)
{
    static struct applet_dump dump;
    return applet_dump(a, &r->port, &dump) ? model_differs(m, a, &dump) : "the memory is lost";
}

static bool is_hash_right(struct rig *r, const uint8_t hash[COMMAND_HASH_SIZE])
{
    uint8_t ours[COMMAND_HASH_SIZE];
    return model_hash(&r->now.model, &r->cipher, ours) && memcmp(ours, hash, sizeof ours) == 0;
}

static void compare_answer(struct rig *r, const struct secured_packet *p)
{
    const struct model_answer *e = &r->expects;
    struct result result;
    r->is_answered = true;
    r->answer_status = p->status;
    if (p->status == 0 && result_read(p->data, &result)) {
        r->answer_code = result.code;
        r->answer_version = result.registry_version;
    }
    if (!r->is_asked || p->status != e->status || p->cntr != r->now.last.counter)
        differ(r, "status or counter of an answer");
    if (e->status != 0 || r->differs != NULL)
        return;
    const char *text = model_answer_differs(&r->now.model, e, p->data, &r->cipher);
    if (text != NULL)
        differ(r, text);
}

static void compare_note(struct rig *r, const struct secured_packet *p)
{
    struct model_note e;
    struct notification n;
    uint64_t counter = 0;
    if (!model_send(&r->now.model, &e, &counter)) {
        differ(r, "a notification that should not leave");
        return;
    }
    if (!notification_read(p->data, &n)) {
        differ(r, "form of a notification");
        return;
    }
    const struct model_card *m = &r->now.model;
    if (n.cause != e.cause || n.sequence != e.sequence || n.operation_id != e.operation_id ||
        n.coalesced != e.merged || n.registry_version != m->registry_version ||
        n.from.is_given != e.from.is_given || n.to.is_given != e.to.is_given ||
        n.has_reject != e.has_reject || p->cntr != counter || p->tar != TAR + 1 ||
        n.has_plmn != m->has_plmn)
        differ(r, "content of a sent notification");
    if (!n.has_hash || !is_hash_right(r, n.state_hash))
        differ(r, "state hash of a notification");
}

// --- the terminal ----------------------------------------------------------------------------

static void open_packet(struct rig *r, struct bytes packet, bool is_answer)
{
    const struct secured_keys keys = {
        .kic = &r->factory.kic, .kid = &r->factory.kid, .cmac_len = 8};
    const struct secured_command asked = {
        .spi1 = 0x16, .spi2 = 0x39, .kic = 0x12, .kid = 0x12, .tar = TAR};
    struct secured_packet p;
    uint8_t room[SMS_PACKET_MAX];
    struct writer buffer = writer_of(room, sizeof room);
    const enum secured_result shape =
        is_answer ? secured_response_shape(packet, &asked, &p) : secured_command_shape(packet, &p);
    if (shape != SECURED_OK || secured_decipher(&p, &keys, &r->cipher, &buffer) != SECURED_OK ||
        secured_verify(&p, &keys, &r->cipher) != SECURED_OK)
        differ(r, "security of a message");
    else if (is_answer)
        compare_answer(r, &p);
    else
        compare_note(r, &p);
}

// Long answers come in parts, in order.
static void open_message(struct rig *r, struct bytes tpdu)
{
    struct sms_submit m;
    struct sms_part part;
    r->messages++;
    if (sms_read_submit(tpdu, &m) != SMS_OK || !sms_read_part(m.user_data, &part)) {
        differ(r, "form of a message");
        return;
    }
    if (part.number <= 1) {
        r->parts_len = 0;
        r->is_parts_answer = part.kind == SMS_RESPONSE_PACKET;
    }
    check(r->parts_len + part.octets.len <= sizeof r->parts);
    memcpy(r->parts + r->parts_len, part.octets.at, part.octets.len);
    r->parts_len += part.octets.len;
    if (part.total <= 1 || part.number == part.total)
        open_packet(r, bytes_of(r->parts, r->parts_len), r->is_parts_answer);
}

static void respond(struct rig *r, const struct cat_message *command, uint8_t result)
{
    static const uint8_t busy[] = {CAT_CAUSE_BUSY_ON_CALL};
    struct cat_message response = cat_answer(command, (enum cat_result)result);
    if (result == CAT_TERMINAL_UNABLE)
        response.result_info = bytes_of(busy, 1);
    uint8_t octets[CAT_DATA_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    cat_write_response(&w, &response);
    check(!w.failed);
    applet_terminal_response(&r->now.applet, &r->port, writer_bytes(&w));
}

static bool fetch(struct rig *r, struct cat_message *command, uint8_t octets[APPLET_COMMAND_MAX])
{
    struct writer w = writer_of(octets, APPLET_COMMAND_MAX);
    if (!applet_fetch(&r->now.applet, &r->port, &w))
        return false;
    check(cat_read_command(writer_bytes(&w), command) == CAT_OK);
    return true;
}

// Everything but REFRESH is fetched and done.
static void pump(struct rig *r)
{
    struct applet *a = &r->now.applet;
    for (unsigned i = 0; i < 64 && r->differs == NULL; i++) {
        if (applet_pending(a, &r->port) == 0 || r->work.made_todo == TODO_REFRESH)
            break;
        uint8_t octets[APPLET_COMMAND_MAX];
        struct cat_message command;
        check(fetch(r, &command, octets));
        const bool was_answered = r->is_answered;
        if (command.type == CAT_SEND_SHORT_MESSAGE)
            open_message(r, command.tpdu);
        respond(r, &command, CAT_DONE);
        if (r->is_answered != was_answered)
            model_answer_sent(&r->now.model);
    }
    struct model_note note;
    uint64_t counter = 0;
    if (a->command == 0 && r->differs == NULL && model_send(&r->now.model, &note, &counter))
        differ(r, "a notification that did not leave");
}

// --- events ----------------------------------------------------------------------------------

static void profile(struct rig *r)
{
    static const enum cat_feature features[] = {
        CAT_FEATURE_PROFILE_DOWNLOAD,  CAT_FEATURE_SMS_PP_DOWNLOAD,
        CAT_FEATURE_TIMER_EXPIRATION,  CAT_FEATURE_POLL_INTERVAL,
        CAT_FEATURE_REFRESH,           CAT_FEATURE_SEND_SHORT_MESSAGE,
        CAT_FEATURE_SET_UP_EVENT_LIST, CAT_FEATURE_EVENT_LOCATION_STATUS,
        CAT_FEATURE_TIMER_START_STOP,  CAT_FEATURE_EVENT_REJECTION_EUTRAN,
    };
    uint8_t octets[32] = {0};
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
        cat_profile_set(octets, sizeof octets, features[i], true);
    applet_profile(&r->now.applet, &r->port, bytes_of(octets, sizeof octets));
    check(r->now.applet.terminal == TERMINAL);
    model_profile(&r->now.model, TERMINAL);
}

static void boot(struct rig *r)
{
    applet_start(&r->now.applet, &r->port);
    model_start(&r->now.model);
    const char *text = rig_compare(r, &r->now.applet, &r->now.model);
    if (text != NULL)
        differ(r, text);
    profile(r);
}

static bool command(struct rig *r, uint8_t event)
{
    static struct rig_command c;
    if (!rig_command(r, event, &c))
        return false;
    uint8_t octets[200];
    struct writer report = writer_of(octets, sizeof octets);
    const uint64_t last = r->now.last.counter;
    r->now.last.counter = c.packet.counter; // what the answer must name
    model_packet(&r->now.model, &c.packet, &r->expects);
    r->is_asked = true;
    r->is_answered = false;
    if (applet_sms(&r->now.applet, &r->port, bytes_of(c.tpdu, c.tpdu_len), &report) !=
        APPLET_SMS_ACCEPTED)
        differ(r, "a command that is not the applet's");
    pump(r);
    if (!r->is_answered)
        differ(r, "no answer to a command");
    r->is_asked = false;
    r->now.last.counter = last;
    return true;
}

static bool run_out(struct rig *r, enum applet_clock_use use)
{
    if (!clock_is_on(&r->now.applet, use))
        return false;
    // Long times take several timers; the pump starts each.
    while (r->now.applet.clocks[use].left_s > CLOCK_TIMER_MAX) {
        applet_timer(&r->now.applet, &r->port, (uint8_t)(use + 1));
        pump(r);
    }
    if (!r->now.applet.clocks[use].is_told)
        return false; // the terminal has a REFRESH in hand
    applet_timer(&r->now.applet, &r->port, (uint8_t)(use + 1));
    if (use == CLOCK_STATE)
        model_clock(&r->now.model);
    else if (use == CLOCK_NOTIFY)
        model_notify(&r->now.model);
    else
        model_country(&r->now.model);
    return true;
}

#define TICKS_MAX 400

static bool wait_until_due(struct rig *r)
{
    struct applet *a = &r->now.applet;
    const uint32_t due = a->due_s;
    for (unsigned i = 0; i < TICKS_MAX && due != 0 && a->now_s < due; i++) {
        if (!a->clocks[CLOCK_SLOW].is_told)
            return i > 0;
        applet_timer(a, &r->port, CLOCK_SLOW + 1);
        model_tick(&r->now.model);
        pump(r);
    }
    return due != 0;
}

static bool fetch_refresh(struct rig *r)
{
    struct applet *a = &r->now.applet;
    uint8_t octets[APPLET_COMMAND_MAX];
    struct cat_message command;
    if (a->command != 0 || applet_pending(a, &r->port) == 0)
        return false;
    check(fetch(r, &command, octets) && command.type == CAT_REFRESH);
    if (!r->now.model.wants_refresh)
        differ(r, "a REFRESH that should not be");
    model_refresh_fetched(&r->now.model);
    return true;
}

static bool refresh(struct rig *r, uint8_t event)
{
    const struct cat_message command = {.type = CAT_REFRESH, .qualifier = CAT_REFRESH_CARD_RESET};
    const bool is_answer = event == RIG_REFRESH_DONE || event == RIG_REFRESH_BUSY;
    const bool is_fetched = is_answer && r->now.applet.command == CAT_REFRESH;
    if (!is_fetched && !fetch_refresh(r))
        return false;
    if (is_answer) {
        respond(r, &command, event == RIG_REFRESH_DONE ? CAT_DONE : CAT_TERMINAL_UNABLE);
        model_refresh_answered(&r->now.model, event == RIG_REFRESH_DONE);
    } else if (event == RIG_REFRESH_RESET) {
        boot(r);
    }
    return true;
}

static void locate(struct rig *r, enum cat_location_status status, const uint8_t *plmn)
{
    applet_location(&r->now.applet, &r->port, status, plmn);
    model_location(&r->now.model, status, plmn);
}

static bool happen(struct rig *r, uint8_t event)
{
    struct applet *a = &r->now.applet;
    switch (event) {
    case RIG_NORMAL:
    case RIG_ABROAD:
        locate(r, CAT_SERVICE_NORMAL, event == RIG_NORMAL ? home : abroad);
        return true;
    case RIG_LIMITED:
    case RIG_NO_SERVICE:
        locate(r, event == RIG_LIMITED ? CAT_SERVICE_LIMITED : CAT_SERVICE_NONE, NULL);
        return true;
    case RIG_REJECTED:
    case RIG_CONDEMNED:
        applet_rejection(a, &r->port, home, event == RIG_REJECTED ? 15 : 8);
        model_rejection(&r->now.model, event == RIG_REJECTED ? 15 : 8);
        return true;
    case RIG_CLOCK:
        return run_out(r, CLOCK_STATE);
    case RIG_NOTIFY_CLOCK:
        return run_out(r, CLOCK_NOTIFY);
    case RIG_COUNTRY_CLOCK:
        return run_out(r, CLOCK_COUNTRY);
    case RIG_DUE:
        return wait_until_due(r);
    case RIG_RESET:
        boot(r);
        return true;
    case RIG_REFRESH_FETCH:
    case RIG_REFRESH_RESET:
    case RIG_REFRESH_DONE:
    case RIG_REFRESH_BUSY:
        return refresh(r, event);
    case RIG_IMSI_READ:
        applet_imsi_read(a, &r->port);
        model_imsi_read(&r->now.model);
        return true;
    default: // octets
        // While it has a command in hand the terminal brings no message that needs an answer.
        return a->command == 0 && command(r, event);
    }
}

void rig_profile(struct rig *r)
{
    r->differs = NULL;
    r->snapshot_count = 0;
    profile(r);
    pump(r);
    const char *text = rig_compare(r, &r->now.applet, &r->now.model);
    if (text != NULL)
        differ(r, text);
}

bool rig_apply(struct rig *r, uint8_t event)
{
    r->differs = NULL;
    r->snapshot_count = 0;
    snapshot(r, &r->now.model);
    if (!happen(r, event))
        return false;
    pump(r);
    const char *text = rig_compare(r, &r->now.applet, &r->now.model);
    if (text != NULL)
        differ(r, text);
    static struct applet_dump dump;
    if (applet_dump(&r->now.applet, &r->port, &dump))
        model_adopt(&r->now.model, &dump.image);
    return true;
}

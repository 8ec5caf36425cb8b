#include "sim-emulator/core/device.h"

#include "common/base/check.h"
#include "sim-emulator/core/device_talk.h"

#define CAUSE_MAC_FAILURE 20 // the card did not believe the network [24.008 §10.5.3.6]

void device_model_init(struct device_model *model, const char *name)
{
    static const enum cat_feature features[] = {
        CAT_FEATURE_PROFILE_DOWNLOAD,
        CAT_FEATURE_SMS_PP_DOWNLOAD,
        CAT_FEATURE_TIMER_EXPIRATION,
        CAT_FEATURE_SMS_PP_DOWNLOAD_RESPONSE,
        CAT_FEATURE_MORE_TIME,
        CAT_FEATURE_POLL_INTERVAL,
        CAT_FEATURE_POLLING_OFF,
        CAT_FEATURE_REFRESH,
        CAT_FEATURE_SEND_SHORT_MESSAGE,
        CAT_FEATURE_LOCATION_AND_IMEI,
        CAT_FEATURE_SET_UP_EVENT_LIST,
        CAT_FEATURE_EVENT_LOCATION_STATUS,
        CAT_FEATURE_EVENT_TECHNOLOGY,
        CAT_FEATURE_TIMER_START_STOP,
        CAT_FEATURE_TIMER_READ,
        CAT_FEATURE_DATE_TIME,
        CAT_FEATURE_TECHNOLOGY,
        CAT_FEATURE_IMEISV,
        CAT_FEATURE_EVENT_REJECTION_UTRAN,
        CAT_FEATURE_EVENT_REJECTION_EUTRAN,
    };
    *model = (struct device_model){.profile_len = 33,
                                   .software = 1,
                                   .boot_ms = 1000,
                                   .attach_ms = 2000,
                                   .retry_ms = 30000,
                                   .status_s = 30};
    struct writer w = writer_of(model->name, sizeof model->name - 1);
    writer_copy(&w, bytes_slice(bytes_of_text(name), 0, sizeof model->name - 1));
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
        cat_profile_set(model->profile, model->profile_len, features[i], true);
}

void device_init(struct device *device, struct card_shop *shop,
                 const struct applet_factory *factory, const struct device_model *model)
{
    *device = (struct device){.model = model,
                              .service = CAT_SERVICE_NONE,
                              .network = DEVICE_NO_NETWORK,
                              .busy_until = INSTANT_NEVER,
                              .boot_due = INSTANT_NEVER,
                              .attach_due = INSTANT_NEVER,
                              .status_due = INSTANT_NEVER,
                              .restart_due = INSTANT_NEVER,
                              .duty_due = INSTANT_NEVER,
                              .coverage_due = INSTANT_NEVER};
    for (size_t i = 0; i < DEVICE_TIMERS; i++)
        device->timers[i] = INSTANT_NEVER;
    card_init(&device->card, shop, factory);
}

// --- ends ------------------------------------------------------------------------------------

void talk_act(struct talk *t, enum device_action_kind kind, uint8_t cause, struct bytes tpdu)
{
    struct device_action action = {
        .kind = kind, .cause = cause, .network = t->device->network, .tpdu = tpdu};
    t->world->act(t->world->context, t->device, &action);
}

void talk_detach(struct talk *t)
{
    struct device *d = t->device;
    if (d->network == DEVICE_NO_NETWORK)
        return;
    struct radio_subscriber *s = radio_by_imsi(t->world->radio, d->imsi);
    if (s != NULL && s->device == d->number)
        s->device = RADIO_NOBODY;
    talk_act(t, DEVICE_DETACHED, 0, bytes_of(NULL, 0));
    d->network = DEVICE_NO_NETWORK;
}

static void stop(struct talk *t)
{
    struct device *d = t->device;
    talk_detach(t);
    card_power_off(&d->card);
    d->service = CAT_SERVICE_NONE;
    d->is_told = false;
    d->attach_due = INSTANT_NEVER;
    d->status_due = INSTANT_NEVER;
    d->restart_due = INSTANT_NEVER;
    d->coverage_due = INSTANT_NEVER;
    for (size_t i = 0; i < DEVICE_TIMERS; i++)
        d->timers[i] = INSTANT_NEVER;
}

void talk_restart(struct talk *t, uint32_t delay_ms)
{
    stop(t);
    t->device->state = DEVICE_BOOTING;
    t->device->boot_due = instant_after(t->now, delay_ms);
}

// --- beginnings ------------------------------------------------------------------------------

static bool select_usim(struct talk *t)
{
    struct apdu select = {
        .ins = INS_SELECT, .p1 = 0x04, .p2 = 0x0C, .data = uicc_application(UICC_USIM)};
    return apdu_sw_is_ok(talk_command(t, &select, NULL)) && t->device->state == DEVICE_RUNNING;
}

void talk_read_imsi(struct talk *t)
{
    struct device *d = t->device;
    uint8_t octets[IMSI_EF_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    struct apdu read = {.ins = INS_READ_BINARY, .p1 = 0x80 | 0x07, .le = IMSI_EF_LEN};
    char digits[IMSI_SIZE];
    bool is_read = apdu_sw_is_ok(talk_command(t, &read, &w)) && w.len == IMSI_EF_LEN &&
                   imsi_read(octets, digits);
    if (d->state != DEVICE_RUNNING)
        return;
    d->imsi = is_read ? radio_identity(digits) : 0;
    d->is_condemned = !is_read;
    d->forbidden = 0;
}

static void boot(struct talk *t)
{
    struct device *d = t->device;
    const struct device_model *model = d->model;
    d->state = DEVICE_RUNNING;
    d->boot_due = INSTANT_NEVER;
    d->events = 0;
    d->wants_rejection_event = false;
    d->poll_s = (uint16_t)model->status_s;
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    card_reset(&d->card, &atr);
    if (atr.len == 0) {
        talk_restart(t, model->boot_ms);
        return;
    }
    struct apdu profile = {.cla = 0x80,
                           .ins = INS_TERMINAL_PROFILE,
                           .data = bytes_of(model->profile, model->profile_len)};
    (void)talk_command(t, &profile, NULL);
    if (d->state != DEVICE_RUNNING || !select_usim(t))
        return;
    talk_read_imsi(t);
    struct apdu started = {.cla = 0x80, .ins = INS_STATUS, .p1 = 0x01, .p2 = 0x0C};
    if (d->state != DEVICE_RUNNING || talk_command(t, &started, NULL) == CARD_MUTE ||
        d->state != DEVICE_RUNNING)
        return;
    d->attach_due = instant_after(t->now, model->attach_ms);
    if (model->status_s != 0 && d->status_due.ms == INSTANT_NEVER.ms)
        d->status_due = instant_after(t->now, d->poll_s * 1000ULL);
    if (model->restart_s != 0)
        d->restart_due = instant_after(t->now, model->restart_s * 1000ULL);
}

void device_power(struct device *device, struct device_world *world, bool on, struct instant now)
{
    struct talk t = {.device = device, .world = world, .now = now};
    const struct device_model *model = device->model;
    rest_end(device, now);
    device->duty_due = INSTANT_NEVER;
    if (!on) {
        stop(&t);
        device->state = DEVICE_OFF;
        device->boot_due = INSTANT_NEVER;
        return;
    }
    if (device->state != DEVICE_OFF)
        return;
    if (model->on_s != 0)
        device->duty_due = instant_after(now, model->on_s * 1000ULL);
    talk_restart(&t, model->boot_ms);
}

// --- service ---------------------------------------------------------------------------------

// EF.LOCI or EF.EPSLOCI, as the technology wants [31.102 §4.2.17, §4.2.91]. `status` is the update
// status: 0 updated, 2 this network does not let us in.
static void write_location(struct talk *t, uint8_t network, uint8_t status)
{
    const struct radio_network *n = &t->world->radio->networks[network];
    bool is_eps = n->technology == CAT_EUTRAN || n->technology == CAT_NR;
    uint8_t octets[18];
    struct writer w = writer_of(octets, sizeof octets);
    writer_fill(&w, NVM_ERASED, is_eps ? 12 : 4);
    writer_copy(&w, bytes_of(n->octets, sizeof n->octets));
    writer_u16(&w, (uint16_t)(t->device->area + 1));
    if (!is_eps)
        writer_u8(&w, NVM_ERASED);
    writer_u8(&w, status);
    uint8_t short_identifier = is_eps ? 0x1E : 0x0B;
    struct apdu update = {.ins = INS_UPDATE_BINARY,
                          .p1 = (uint8_t)(0x80 | short_identifier),
                          .data = writer_bytes(&w)};
    (void)talk_command(t, &update, NULL);
}

static void tell_service(struct talk *t, enum cat_location_status service)
{
    struct device *d = t->device;
    bool is_news = !d->is_told || d->service != service;
    d->service = service;
    if (service == CAT_SERVICE_NORMAL)
        d->restart_due = INSTANT_NEVER;
    else if (d->restart_due.ms == INSTANT_NEVER.ms && d->model->restart_s != 0)
        d->restart_due = instant_after(t->now, d->model->restart_s * 1000ULL);
    if (!is_news)
        return;
    d->is_told = true;
    if (service == CAT_SERVICE_NORMAL)
        write_location(t, d->network, 0);
    bool is_wanted = (d->events & 1U << CAT_EVENT_LOCATION_STATUS) != 0 &&
                     talk_has(t, CAT_FEATURE_EVENT_LOCATION_STATUS);
    if (d->state != DEVICE_RUNNING || !is_wanted)
        return;
    struct cat_location location;
    bool is_placed = talk_location(t, &location);
    struct cat_message event = cat_location_event(service, is_placed ? &location : NULL);
    (void)talk_envelope(t, CAT_EVENT_DOWNLOAD, &event, NULL);
}

static void tell_rejection(struct talk *t, uint8_t network, uint8_t cause)
{
    struct device *d = t->device;
    talk_act(t, DEVICE_REJECTED, cause, bytes_of(NULL, 0));
    if (cause == RADIO_CAUSE_PLMN_NOT_ALLOWED)
        write_location(t, network, 2);
    if (d->state != DEVICE_RUNNING || !d->wants_rejection_event ||
        !talk_has(t, CAT_FEATURE_EVENT_REJECTION_EUTRAN))
        return;
    const struct radio_network *n = &t->world->radio->networks[network];
    struct cat_location location = cat_location_eutran(n->octets, (uint16_t)(d->area + 1), 1);
    struct cat_message event =
        cat_rejection_event(&location, bytes_of(&n->technology, 1), 0x01, cause);
    (void)talk_envelope(t, CAT_EVENT_DOWNLOAD, &event, NULL);
}

// AUTHENTICATE. 0, or the cause of the rejection. With AUTS in `auts` when `*is_behind`.
static uint8_t authenticate(struct talk *t, const struct radio_challenge *challenge, uint8_t *auts,
                            bool *is_behind)
{
    uint8_t data[2 + AKA_RAND_LEN + USIM_AUTN_LEN];
    struct writer w = writer_of(data, sizeof data);
    writer_u8(&w, AKA_RAND_LEN);
    writer_copy(&w, bytes_of(challenge->rand, AKA_RAND_LEN));
    writer_u8(&w, USIM_AUTN_LEN);
    writer_copy(&w, bytes_of(challenge->autn, USIM_AUTN_LEN));
    struct apdu apdu = {
        .ins = INS_AUTHENTICATE, .p2 = 0x81, .data = writer_bytes(&w), .le = APDU_LE_MAX};
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer answer = writer_of(octets, sizeof octets);
    uint16_t sw = talk_command(t, &apdu, &answer);
    *is_behind = false;
    if (sw == SW_AUTHENTICATION_MAC)
        return CAUSE_MAC_FAILURE;
    if (!apdu_sw_is_ok(sw))
        return RADIO_CAUSE_NETWORK_FAILURE;
    struct reader r = reader_of(writer_bytes(&answer));
    uint8_t tag = reader_u8(&r);
    uint8_t len = reader_u8(&r);
    struct bytes value = reader_bytes(&r, len);
    if (tag == 0xDC && value.len == USIM_AUTS_LEN) {
        memcpy(auts, value.at, USIM_AUTS_LEN);
        *is_behind = true;
        return RADIO_CAUSE_NETWORK_FAILURE;
    }
    bool is_right = tag == 0xDB && value.len == challenge->xres_len &&
                    secret_equal(value.at, challenge->xres, challenge->xres_len);
    return is_right ? 0 : RADIO_CAUSE_ILLEGAL_MS;
}

static uint8_t attach_to(struct talk *t, uint8_t network)
{
    struct radio *radio = t->world->radio;
    struct device *d = t->device;
    uint8_t cause = radio_admission(radio, network, d->imsi);
    if (cause != 0)
        return cause;
    struct radio_subscriber *s = radio_by_imsi(radio, d->imsi);
    // A second try when the register's sequence number was behind.
    for (unsigned i = 0; i < 2; i++) {
        struct radio_challenge challenge;
        uint8_t auts[USIM_AUTS_LEN];
        bool is_behind;
        if (!radio_challenge_make(radio, s, &challenge))
            return RADIO_CAUSE_NETWORK_FAILURE;
        cause = authenticate(t, &challenge, auts, &is_behind);
        if (!is_behind)
            break;
        if (!radio_resynchronise(radio, s, &challenge, auts))
            return RADIO_CAUSE_NETWORK_FAILURE;
    }
    if (cause == 0 && d->state == DEVICE_RUNNING) {
        s->device = d->number;
        d->network = network;
    }
    return cause;
}

// What a rejection means for the next attempts [24.301 §5.5.1.2.5].
static void note_rejection(struct device *d, uint8_t network, uint8_t cause)
{
    switch (cause) {
    case 2:
    case 3:
    case 6:
    case 8:
        d->is_condemned = true;
        break;
    case 11:
    case 12:
    case 13:
    case 14:
    case 15:
        d->forbidden |= (uint16_t)(1U << network);
        break;
    default: // octets, the network has a bad moment: tried again later
        break;
    }
}

static bool is_home(const struct radio_network *network, uint64_t imsi)
{
    char digits[RADIO_DIGITS_SIZE];
    radio_digits(imsi, digits);
    struct bytes plmn = bytes_of_text(network->plmn);
    return bytes_equal(plmn, bytes_slice(bytes_of_text(digits), 0, plmn.len));
}

// The networks received: home networks first, then by their order in the scenario.
static void attach_to_any(struct talk *t, uint16_t received)
{
    struct device *d = t->device;
    const struct radio *radio = t->world->radio;
    for (unsigned round = 0; round < 2; round++) {
        for (uint8_t i = 0; i < radio->network_count; i++) {
            bool is_candidate = (received & ~d->forbidden & 1U << i) != 0 &&
                                is_home(&radio->networks[i], d->imsi) == (round == 0);
            if (!is_candidate || d->is_condemned)
                continue;
            uint8_t cause = attach_to(t, i);
            if (d->state != DEVICE_RUNNING)
                return;
            if (cause == 0)
                return;
            note_rejection(d, i, cause);
            tell_rejection(t, i, cause);
            if (d->state != DEVICE_RUNNING)
                return;
        }
    }
}

static void seek_service(struct talk *t)
{
    struct device *d = t->device;
    const struct radio *radio = t->world->radio;
    uint16_t received = radio_coverage(radio, d->area, t->now);
    d->attach_due = INSTANT_NEVER;
    d->coverage_due = radio_next_change(radio, d->area, t->now);
    if (d->imsi == 0 && select_usim(t))
        talk_read_imsi(t);
    if (d->state != DEVICE_RUNNING)
        return;
    if (d->network != DEVICE_NO_NETWORK && (received & 1U << d->network) == 0)
        talk_detach(t);
    if (d->network == DEVICE_NO_NETWORK) {
        attach_to_any(t, received);
        if (d->state != DEVICE_RUNNING)
            return;
        if (d->network != DEVICE_NO_NETWORK)
            talk_act(t, DEVICE_ATTACHED, 0, bytes_of(NULL, 0));
    }
    enum cat_location_status service = CAT_SERVICE_NORMAL;
    if (d->network == DEVICE_NO_NETWORK)
        service = received != 0 ? CAT_SERVICE_LIMITED : CAT_SERVICE_NONE;
    tell_service(t, service);
    // Where every network said no for good, there is nothing to retry until it moves.
    bool may_retry = d->state == DEVICE_RUNNING && d->network == DEVICE_NO_NETWORK &&
                     (received & ~d->forbidden) != 0 && !d->is_condemned && d->model->retry_ms != 0;
    if (may_retry)
        d->attach_due = instant_earlier(d->attach_due, instant_after(t->now, d->model->retry_ms));
}

void device_move(struct device *device, uint8_t area, struct instant now)
{
    check(area < RADIO_AREAS_MAX);
    device->area = area;
    device_look(device, now);
}

enum card_give device_give(struct device *device, struct bytes command, struct instant now)
{
    rest_end(device, now);
    return card_give(&device->card, command);
}

void device_look(struct device *device, struct instant now)
{
    rest_end(device, now);
    if (device->state == DEVICE_RUNNING)
        device->attach_due = instant_earlier(device->attach_due, now);
}

void device_plan_faults(struct device *device, const struct nvm_faults *plan,
                        struct nvm_faults *kept, struct instant now)
{
    rest_end(device, now);
    *kept = *plan;
    device->card.nvm.faults = kept;
    rest_begin(device, now);
}

void device_plan_reset(struct device *device, uint32_t nth, struct instant now)
{
    rest_end(device, now);
    device->reset_at = nth;
    rest_begin(device, now);
}

void device_plan_answers(struct device *device, const struct device_answers *plan,
                         struct instant now)
{
    rest_end(device, now);
    device->answers = *plan;
    rest_begin(device, now);
}

// --- time ------------------------------------------------------------------------------------

struct instant device_deadline(const struct device *device)
{
    return device->is_resting ? device->rest_until : rest_deadline(device);
}

static void step_duty(struct talk *t)
{
    struct device *d = t->device;
    if (d->state != DEVICE_OFF) {
        stop(t);
        d->state = DEVICE_OFF;
        d->boot_due = INSTANT_NEVER;
        d->duty_due = instant_after(t->now, d->model->off_s * 1000ULL);
    } else {
        device_power(d, t->world, true, t->now);
    }
}

static void step_timers(struct talk *t)
{
    struct device *d = t->device;
    for (uint8_t i = 0; i < DEVICE_TIMERS && d->state == DEVICE_RUNNING; i++) {
        if (!instant_is_due(d->timers[i], t->now))
            continue;
        d->timers[i] = INSTANT_NEVER;
        struct cat_message event = cat_timer_event((uint8_t)(i + 1), d->timer_s[i]);
        (void)talk_envelope(t, CAT_TIMER_EXPIRATION, &event, NULL);
    }
}

void device_step(struct device *device, struct device_world *world, struct instant now)
{
    struct talk t = {.device = device, .world = world, .now = now};
    struct device *d = device;
    rest_end(d, now);
    if (instant_is_due(d->duty_due, now))
        step_duty(&t);
    if (instant_is_due(d->boot_due, now))
        boot(&t);
    if (d->state == DEVICE_RUNNING && instant_is_due(d->restart_due, now))
        talk_restart(&t, d->model->boot_ms);
    if (d->state == DEVICE_RUNNING &&
        (instant_is_due(d->attach_due, now) || instant_is_due(d->coverage_due, now)))
        seek_service(&t);
    step_timers(&t);
    if (d->state == DEVICE_RUNNING && instant_is_due(d->status_due, now)) {
        d->status_due = instant_after(now, d->poll_s * 1000ULL);
        struct apdu status = {.cla = 0x80, .ins = INS_STATUS, .p2 = 0x0C};
        (void)talk_command(&t, &status, NULL);
    }
    rest_begin(d, now);
}

static enum device_delivery hand_over(struct talk *t, struct bytes tpdu, struct writer *report)
{
    if (t->device->network == DEVICE_NO_NETWORK ||
        prng_chance(&t->world->random, t->device->model->mt_loss))
        return DEVICE_ABSENT;
    struct sms_deliver message;
    bool is_for_card = sms_read_deliver(tpdu, &message) == SMS_OK &&
                       message.pid == SMS_PID_USIM_DATA_DOWNLOAD && !sms_is_septets(message.dcs) &&
                       talk_has(t, CAT_FEATURE_SMS_PP_DOWNLOAD);
    if (!is_for_card)
        return DEVICE_REFUSED;
    struct cat_message download = cat_sms_download(bytes_of(NULL, 0), tpdu);
    uint16_t sw = talk_envelope(t, CAT_SMS_PP_DOWNLOAD, &download, report);
    if (sw == CARD_MUTE)
        return DEVICE_ABSENT; // the power went: nothing was acknowledged
    if (sw == SW_TOOLKIT_BUSY)
        return DEVICE_BUSY;
    return apdu_sw_is_ok(sw) ? DEVICE_ACCEPTED : DEVICE_REFUSED;
}

enum device_delivery device_deliver(struct device *device, struct device_world *world,
                                    struct bytes tpdu, struct writer *report, struct instant now)
{
    struct talk t = {.device = device, .world = world, .now = now};
    rest_end(device, now);
    const enum device_delivery delivery = hand_over(&t, tpdu, report);
    rest_begin(device, now);
    return delivery;
}

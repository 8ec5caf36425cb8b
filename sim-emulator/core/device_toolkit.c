// The terminal's side of the card application toolkit [102.223 §6].
#include "sim-emulator/core/device_talk.h"

#include "common/wire/tlv.h"

// A card that never stops asking is cut off here; it is asked again with the next command.
#define PROACTIVE_MAX 64

bool talk_has(const struct talk *t, enum cat_feature feature)
{
    const struct device_model *model = t->device->model;
    return cat_profile_has(bytes_of(model->profile, model->profile_len), feature);
}

static uint16_t exchange(struct talk *t, const struct apdu *apdu, struct writer *response)
{
    uint8_t octets[5 + APDU_DATA_MAX + 1];
    struct writer w = writer_of(octets, sizeof octets);
    apdu_write(&w, apdu);
    uint8_t ignored[CARD_RESPONSE_MAX];
    struct writer none = writer_of(ignored, sizeof ignored);
    uint16_t sw =
        card_exchange(&t->device->card, writer_bytes(&w), response != NULL ? response : &none);
    if (sw == CARD_MUTE)
        talk_restart(t, t->device->model->boot_ms);
    return sw;
}

// --- commands of the card --------------------------------------------------------------------

// Whether a REFRESH is of the application that the device works with, or of none in particular.
static bool is_of_usim(const struct cat_message *command)
{
    return (command->has & CAT_HAS_APPLICATION) == 0 ||
           bytes_equal(command->application, uicc_application(UICC_USIM));
}

// Reads a file of the list again: its octets, or its first record.
static void read_file(struct talk *t, struct bytes path)
{
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct apdu select = {
        .ins = INS_SELECT, .p1 = 0x08, .p2 = 0x04, .data = path, .le = APDU_LE_MAX};
    struct reader r;
    struct tlv parameters;
    struct bytes descriptor;
    if (!apdu_sw_is_ok(exchange(t, &select, &w)))
        return;
    r = reader_of(writer_bytes(&w));
    if (!tlv_next(&r, &parameters) || !tlv_find(parameters.value, 0x82, &descriptor) ||
        descriptor.len == 0)
        return;
    bool has_records = (descriptor.at[0] & 0x07) != 0x01;
    struct apdu read = {.ins = has_records ? INS_READ_RECORD : INS_READ_BINARY,
                        .p1 = has_records,
                        .p2 = has_records ? 0x04 : 0x00,
                        .le = APDU_LE_MAX};
    w.len = 0;
    (void)exchange(t, &read, &w);
}

// The files that a REFRESH lists: their number, then paths that begin with the MF. True: EF.IMSI is
// among them.
static bool read_files(struct talk *t, const struct cat_message *command)
{
    static const uint8_t adf[] = {0x7F, 0xFF};
    bool has_imsi = false;
    struct apdu select = {.ins = INS_SELECT, .p1 = 0x04, .p2 = 0x0C, .data = command->application};
    if ((command->has & CAT_HAS_APPLICATION) != 0)
        (void)exchange(t, &select, NULL);
    struct reader r = reader_of(bytes_slice(command->files, 1, SIZE_MAX));
    while (r.left >= 4 && t->device->state == DEVICE_RUNNING) {
        reader_skip(&r, 2);
        const uint8_t *at = r.at;
        uint16_t identifier = 0;
        size_t len = 0;
        while (r.left >= 2 && (r.at[0] << 8 | r.at[1]) != UICC_ID_MF) {
            identifier = reader_u16(&r);
            len += 2;
        }
        read_file(t, bytes_of(at, len));
        has_imsi = has_imsi || (identifier == UICC_ID_IMSI && is_of_usim(command));
    }
    // Back to where the device works.
    select.data = uicc_application(UICC_USIM);
    if (t->device->state == DEVICE_RUNNING && !is_of_usim(command))
        (void)exchange(t, &select, NULL);
    select = (struct apdu){.ins = INS_SELECT, .p2 = 0x0C, .data = bytes_of(adf, sizeof adf)};
    if (t->device->state == DEVICE_RUNNING)
        (void)exchange(t, &select, NULL);
    return has_imsi;
}

// What a REFRESH that was done means for the attachment [102.223 §6.4.7].
static void take_refresh(struct talk *t, const struct cat_message *command)
{
    struct device *d = t->device;
    bool has_imsi = (command->has & CAT_HAS_FILES) != 0 && read_files(t, command);
    if (d->state != DEVICE_RUNNING)
        return;
    switch (command->qualifier) {
    case CAT_REFRESH_CARD_RESET:
        talk_restart(t, d->model->boot_ms); // no TERMINAL RESPONSE
        return;
    case CAT_REFRESH_FILE_CHANGE:
        d->is_refreshed = has_imsi;
        return;
    case CAT_REFRESH_STEERING:
        d->forbidden = 0;
        talk_detach(t);
        d->attach_due = t->now;
        return;
    default: // octets, initialisation in one or the other way
        d->is_refreshed = is_of_usim(command);
        return;
    }
}

// Each of these completes the answer, which begins as "done".
static void serve_refresh(struct talk *t, const struct cat_message *command,
                          struct cat_message *answer)
{
    static const uint8_t busy = CAT_CAUSE_BUSY_ON_CALL;
    struct device *d = t->device;
    if (!talk_has(t, CAT_FEATURE_REFRESH) || d->model->refresh == DEVICE_REFRESH_REFUSE) {
        answer->result = CAT_BEYOND_CAPABILITY;
        return;
    }
    if (d->model->refresh == DEVICE_REFRESH_IGNORE || d->model->refresh == DEVICE_REFRESH_MUTE)
        return;
    if (d->model->refresh == DEVICE_REFRESH_BUSY) {
        if (d->busy_until.ms == INSTANT_NEVER.ms)
            d->busy_until = instant_after(t->now, d->model->busy_ms);
        if (!instant_is_due(d->busy_until, t->now)) {
            answer->result = CAT_TERMINAL_UNABLE;
            answer->result_info = bytes_of(&busy, 1);
            return;
        }
        d->busy_until = INSTANT_NEVER;
    }
    talk_act(t, DEVICE_REFRESHED, 0, bytes_of(NULL, 0));
    take_refresh(t, command);
}

static void serve_message(struct talk *t, const struct cat_message *command,
                          struct cat_message *answer)
{
    static const uint8_t no_service = CAT_CAUSE_NO_SERVICE;
    struct device *d = t->device;
    if (d->network == DEVICE_NO_NETWORK) {
        answer->result = CAT_TERMINAL_UNABLE;
        answer->result_info = bytes_of(&no_service, 1);
        return;
    }
    if ((command->has & CAT_HAS_TPDU) == 0 || command->tpdu.len < 2 ||
        command->tpdu.len > SMS_SUBMIT_MAX) {
        answer->result = CAT_DATA_NOT_UNDERSTOOD;
        return;
    }
    uint8_t tpdu[SMS_SUBMIT_MAX];
    memcpy(tpdu, command->tpdu.at, command->tpdu.len);
    tpdu[1] = d->reference++; // TP-MR is the terminal's
    if (!prng_chance(&t->world->random, d->model->mo_loss))
        talk_act(t, DEVICE_MO, 0, bytes_of(tpdu, command->tpdu.len));
}

static void serve_poll_interval(struct talk *t, const struct cat_message *command,
                                struct cat_message *answer)
{
    uint32_t seconds = command->duration;
    if (command->duration_unit == CAT_MINUTES)
        seconds *= 60;
    else if (command->duration_unit == CAT_TENTHS)
        seconds = (seconds + 9) / 10;
    // The answer has one octet of seconds.
    seconds = seconds < 1 ? 1 : seconds;
    seconds = seconds > UINT8_MAX ? UINT8_MAX : seconds;
    t->device->poll_s = (uint16_t)seconds;
    t->device->status_due = instant_after(t->now, seconds * 1000ULL);
    answer->has |= CAT_HAS_DURATION;
    answer->duration_unit = CAT_SECONDS;
    answer->duration = (uint8_t)seconds;
}

static void serve_events(struct talk *t, const struct cat_message *command,
                         struct cat_message *answer)
{
    struct device *d = t->device;
    if (!talk_has(t, CAT_FEATURE_SET_UP_EVENT_LIST)) {
        answer->result = CAT_BEYOND_CAPABILITY;
        return;
    }
    d->events = 0;
    for (size_t i = 0; i < command->events.len; i++) {
        if (command->events.at[i] < 16)
            d->events |= (uint16_t)(1U << command->events.at[i]);
    }
    d->wants_rejection_event = cat_lists(command->events, CAT_EVENT_NETWORK_REJECTION);
}

// When a timer expires in this device: a coarse clock has several expire at once.
static struct instant expiry(const struct talk *t, uint32_t seconds)
{
    const uint64_t step_ms = t->device->model->timer_step_s * 1000ULL;
    const struct instant due = instant_after(t->now, seconds * 1000ULL);
    if (step_ms == 0)
        return due;
    return (struct instant){(due.ms + step_ms - 1) / step_ms * step_ms};
}

static void serve_timer(struct talk *t, const struct cat_message *command,
                        struct cat_message *answer)
{
    struct device *d = t->device;
    if (!talk_has(t, CAT_FEATURE_TIMER_START_STOP)) {
        answer->result = CAT_BEYOND_CAPABILITY;
        return;
    }
    if ((command->has & CAT_HAS_TIMER) == 0 || command->timer < 1 ||
        command->timer > DEVICE_TIMERS) {
        answer->result = CAT_DATA_NOT_UNDERSTOOD;
        return;
    }
    struct instant *due = &d->timers[command->timer - 1];
    answer->has |= CAT_HAS_TIMER;
    answer->timer = command->timer;
    bool is_running = due->ms != INSTANT_NEVER.ms;
    if (command->qualifier == CAT_TIMER_START) {
        d->timer_s[command->timer - 1] = command->timer_seconds;
        *due = expiry(t, command->timer_seconds);
        return;
    }
    if (!is_running) {
        answer->result = CAT_TIMER_CONTRADICTION;
        return;
    }
    answer->has |= CAT_HAS_TIMER_VALUE;
    // Due, and its expiration not yet told: nothing is left of it.
    answer->timer_seconds =
        instant_is_due(*due, t->now) ? 0 : (uint32_t)((due->ms - t->now.ms) / 1000);
    if (command->qualifier == CAT_TIMER_DEACTIVATE)
        *due = INSTANT_NEVER;
}

bool talk_location(const struct talk *t, struct cat_location *location)
{
    const struct device *d = t->device;
    if (d->network == DEVICE_NO_NETWORK)
        return false;
    const struct radio_network *network = &t->world->radio->networks[d->network];
    // The area number makes the area code and the cell.
    uint16_t code = (uint16_t)(d->area + 1);
    switch ((enum cat_technology)network->technology) {
    case CAT_GSM:
    case CAT_UTRAN:
        *location = cat_location_gsm(network->octets, code, code);
        break;
    case CAT_EUTRAN:
        *location = cat_location_eutran(network->octets, code, code);
        break;
    case CAT_NR:
        *location = cat_location_nr(network->octets, code, code);
        break;
    }
    return true;
}

// The IMEI's digits without the last, then the version; in octets as the IMEI, with type 3 and F at
// the end [24.008 §10.5.1.4].
static void write_imeisv(const struct device *d, uint8_t imeisv[IMEISV_LEN])
{
    memcpy(imeisv, d->imei, IMEI_LEN);
    imeisv[0] = (uint8_t)((imeisv[0] & 0xF0) | 0x03);
    // Octet 7 has digits 14 and 15: the check digit gives way to the version.
    imeisv[7] = (uint8_t)((imeisv[7] & 0x0F) | d->model->software / 10 << 4);
    imeisv[8] = (uint8_t)(0xF0 | d->model->software % 10);
}

static void serve_information(struct talk *t, const struct cat_message *command,
                              struct cat_message *answer)
{
    static const uint8_t no_service = CAT_CAUSE_NO_SERVICE;
    struct device *d = t->device;
    enum cat_feature feature = CAT_FEATURE_LOCATION_AND_IMEI;
    if (command->qualifier == CAT_INFORMATION_DATE_TIME)
        feature = CAT_FEATURE_DATE_TIME;
    else if (command->qualifier == CAT_INFORMATION_TECHNOLOGY)
        feature = CAT_FEATURE_TECHNOLOGY;
    else if (command->qualifier == CAT_INFORMATION_IMEISV)
        feature = CAT_FEATURE_IMEISV;
    bool is_known = talk_has(t, feature);
    if (is_known && command->qualifier == CAT_INFORMATION_LOCATION) {
        if (talk_location(t, &answer->location)) {
            answer->has |= CAT_HAS_LOCATION;
        } else {
            answer->result = CAT_TERMINAL_UNABLE;
            answer->result_info = bytes_of(&no_service, 1);
        }
    } else if (is_known && command->qualifier == CAT_INFORMATION_IMEI && d->has_imei) {
        answer->has |= CAT_HAS_IMEI;
        memcpy(answer->imei, d->imei, sizeof answer->imei);
    } else if (is_known && command->qualifier == CAT_INFORMATION_IMEISV && d->has_imei) {
        answer->has |= CAT_HAS_IMEISV;
        write_imeisv(d, answer->imeisv);
    } else if (is_known && command->qualifier == CAT_INFORMATION_DATE_TIME) {
        answer->has |= CAT_HAS_DATE_TIME;
        struct utc now = utc_after(t->world->start, (int64_t)t->now.ms + d->model->clock_ms);
        sms_time_write(now, answer->date_time);
    } else if (is_known && command->qualifier == CAT_INFORMATION_TECHNOLOGY &&
               d->network != DEVICE_NO_NETWORK) {
        answer->has |= CAT_HAS_TECHNOLOGIES;
        answer->technologies = bytes_of(&t->world->radio->networks[d->network].technology, 1);
    } else {
        answer->result = CAT_BEYOND_CAPABILITY;
    }
}

static void serve(struct talk *t, const struct cat_message *command, struct cat_message *answer)
{
    switch (command->type) {
    case CAT_REFRESH:
        serve_refresh(t, command, answer);
        break;
    case CAT_MORE_TIME:
        break;
    case CAT_POLL_INTERVAL:
        if (talk_has(t, CAT_FEATURE_POLL_INTERVAL))
            serve_poll_interval(t, command, answer);
        else
            answer->result = CAT_BEYOND_CAPABILITY;
        break;
    case CAT_POLLING_OFF:
        t->device->status_due = INSTANT_NEVER;
        break;
    case CAT_SET_UP_EVENT_LIST:
        serve_events(t, command, answer);
        break;
    case CAT_SEND_SHORT_MESSAGE:
        if (talk_has(t, CAT_FEATURE_SEND_SHORT_MESSAGE))
            serve_message(t, command, answer);
        else
            answer->result = CAT_BEYOND_CAPABILITY;
        break;
    case CAT_PROVIDE_LOCAL_INFORMATION:
        serve_information(t, command, answer);
        break;
    case CAT_TIMER_MANAGEMENT:
        serve_timer(t, command, answer);
        break;
    default: // octets
        answer->result = CAT_TYPE_UNKNOWN;
    }
}

// Does it start anew in this moment, as was planned?
static bool is_reset(struct talk *t)
{
    struct device *d = t->device;
    if (d->reset_at == 0 || --d->reset_at != 0)
        return false;
    talk_restart(t, d->model->boot_ms);
    return true;
}

// How this command is answered while the device answers wrongly; NULL: as ever.
static const struct device_answers *wrong_answer(struct talk *t, const struct cat_message *command)
{
    struct device *d = t->device;
    const struct device_answers *a = &d->answers;
    if (instant_is_due(a->until, t->now) || (a->of != 0 && a->of != command->type))
        return NULL;
    d->answered_so++;
    return a;
}

static void put_result(const struct device_answers *a, uint8_t *info, struct cat_message *answer)
{
    *info = (uint8_t)(a->info - 1);
    answer->result = a->result;
    answer->result_info = bytes_of(info, a->info != 0);
    if (a->form == DEVICE_ANSWER_OTHER_NUMBER)
        answer->number--;
    if (a->form == DEVICE_ANSWER_OTHER_TYPE)
        answer->type = CAT_MORE_TIME;
    if (a->form == DEVICE_ANSWER_NO_DETAILS)
        answer->has &= ~(uint32_t)CAT_HAS_DETAILS;
    if (a->form == DEVICE_ANSWER_NO_RESULT)
        answer->has &= ~(uint32_t)CAT_HAS_RESULT;
}

static void write_answer(const struct device_answers *a, struct cat_message *answer,
                         struct writer *w)
{
    uint8_t info;
    if (a != NULL)
        put_result(a, &info, answer);
    cat_write_response(w, answer);
    if (a != NULL && a->form == DEVICE_ANSWER_CUT)
        w->len--;
    if (a != NULL && a->form == DEVICE_ANSWER_EMPTY)
        w->len = 0;
}

// FETCH, serve, TERMINAL RESPONSE; the status word of the latter.
static uint16_t serve_next(struct talk *t, uint16_t sw)
{
    struct device *d = t->device;
    uint8_t octets[CARD_RESPONSE_MAX];
    struct writer fetched = writer_of(octets, sizeof octets);
    uint16_t waiting = sw & 0xFF;
    struct apdu fetch = {.cla = 0x80, .ins = INS_FETCH, .le = waiting == 0 ? APDU_LE_MAX : waiting};
    if (is_reset(t) || exchange(t, &fetch, &fetched) != SW_OK || is_reset(t))
        return CARD_MUTE;
    struct cat_message command;
    if (cat_read_command(writer_bytes(&fetched), &command) != CAT_OK)
        return CARD_MUTE;
    const struct device_answers *wrong = wrong_answer(t, &command);
    struct cat_message answer = cat_answer(&command, CAT_DONE);
    if (wrong == NULL || wrong->is_served)
        serve(t, &command, &answer);
    if (d->state != DEVICE_RUNNING || is_reset(t))
        return CARD_MUTE; // a REFRESH took the card's power
    if (wrong != NULL ? wrong->form == DEVICE_ANSWER_NONE
                      : command.type == CAT_REFRESH && d->model->refresh == DEVICE_REFRESH_MUTE)
        return CARD_MUTE;

    uint8_t data[CAT_DATA_MAX];
    struct writer w = writer_of(data, sizeof data);
    write_answer(wrong, &answer, &w);
    struct apdu response = {.cla = 0x80, .ins = INS_TERMINAL_RESPONSE, .data = writer_bytes(&w)};
    sw = exchange(t, &response, NULL);
    if (d->state == DEVICE_RUNNING && is_reset(t))
        sw = CARD_MUTE;
    if (d->is_refreshed && d->state == DEVICE_RUNNING) {
        // Initialisation: the IMSI is read again, and the new one attaches.
        talk_detach(t);
        d->attach_due = t->now;
        d->imsi = 0;
    }
    d->is_refreshed = false;
    return sw;
}

static void serve_all(struct talk *t, uint16_t sw)
{
    for (unsigned i = 0; (sw & 0xFF00) == SW_OK_PROACTIVE && i < PROACTIVE_MAX; i++)
        sw = serve_next(t, sw);
}

uint16_t talk_command(struct talk *t, const struct apdu *apdu, struct writer *response)
{
    uint16_t sw = exchange(t, apdu, response);
    serve_all(t, sw);
    return sw;
}

void device_serve(struct device *device, struct device_world *world, uint16_t sw,
                  struct instant now)
{
    struct talk t = {.device = device, .world = world, .now = now};
    rest_end(device, now);
    if (device->state != DEVICE_RUNNING)
        return;
    if (sw == CARD_MUTE)
        talk_restart(&t, device->model->boot_ms);
    serve_all(&t, sw);
}

uint16_t talk_envelope(struct talk *t, enum cat_envelope kind, const struct cat_message *message,
                       struct writer *response)
{
    uint8_t data[CAT_DATA_MAX];
    struct writer w = writer_of(data, sizeof data);
    cat_write_envelope(&w, kind, message);
    if (w.failed)
        return SW_WRONG_LENGTH;
    struct apdu apdu = {.cla = 0x80,
                        .ins = INS_ENVELOPE,
                        .data = writer_bytes(&w),
                        .le = kind == CAT_SMS_PP_DOWNLOAD ? APDU_LE_MAX : 0};
    return talk_command(t, &apdu, response);
}

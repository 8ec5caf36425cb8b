#include "common/wire/cat.h"

#include "common/base/check.h"

// --- commands of the card

static struct cat_message command_of(uint8_t number, enum cat_command_type type, uint8_t qualifier)
{
    return (struct cat_message){
        .has = CAT_HAS_DETAILS | CAT_HAS_DEVICES,
        .number = number,
        .type = (uint8_t)type,
        .qualifier = qualifier,
        .source = CAT_DEVICE_CARD,
        .destination = CAT_DEVICE_TERMINAL,
    };
}

struct cat_message cat_refresh(uint8_t number, enum cat_refresh_mode mode)
{
    return command_of(number, CAT_REFRESH, (uint8_t)mode);
}

struct cat_message cat_more_time(uint8_t number)
{
    return command_of(number, CAT_MORE_TIME, 0);
}

struct cat_message cat_poll_interval(uint8_t number, enum cat_duration_unit unit, uint8_t value)
{
    struct cat_message m = command_of(number, CAT_POLL_INTERVAL, 0);
    m.has |= CAT_HAS_DURATION;
    m.duration_unit = (uint8_t)unit;
    m.duration = value;
    return m;
}

struct cat_message cat_polling_off(uint8_t number)
{
    return command_of(number, CAT_POLLING_OFF, 0);
}

struct cat_message cat_set_up_event_list(uint8_t number, struct bytes events)
{
    struct cat_message m = command_of(number, CAT_SET_UP_EVENT_LIST, 0);
    m.has |= CAT_HAS_EVENTS;
    m.events = events;
    return m;
}

struct cat_message cat_send_short_message(uint8_t number, struct bytes service_centre,
                                          struct bytes tpdu)
{
    struct cat_message m = command_of(number, CAT_SEND_SHORT_MESSAGE, 0);
    m.destination = CAT_DEVICE_NETWORK;
    m.has |= CAT_HAS_ALPHA | CAT_HAS_TPDU | (service_centre.len > 0 ? CAT_HAS_ADDRESS : 0);
    m.address = service_centre;
    m.tpdu = tpdu;
    return m;
}

struct cat_message cat_provide_local_information(uint8_t number, enum cat_information information)
{
    return command_of(number, CAT_PROVIDE_LOCAL_INFORMATION, (uint8_t)information);
}

struct cat_message cat_timer_start(uint8_t number, uint8_t timer, uint32_t seconds)
{
    check(timer >= 1 && timer <= CAT_TIMERS_MAX);
    check(seconds <= CAT_TIMER_SECONDS_MAX);
    struct cat_message m = command_of(number, CAT_TIMER_MANAGEMENT, CAT_TIMER_START);
    m.has |= CAT_HAS_TIMER | CAT_HAS_TIMER_VALUE;
    m.timer = timer;
    m.timer_seconds = seconds;
    return m;
}

struct cat_message cat_timer_stop(uint8_t number, uint8_t timer)
{
    check(timer >= 1 && timer <= CAT_TIMERS_MAX);
    struct cat_message m = command_of(number, CAT_TIMER_MANAGEMENT, CAT_TIMER_DEACTIVATE);
    m.has |= CAT_HAS_TIMER;
    m.timer = timer;
    return m;
}

// --- answers and envelopes of the terminal

struct cat_message cat_answer(const struct cat_message *command, uint8_t result)
{
    return (struct cat_message){
        .has = CAT_HAS_DETAILS | CAT_HAS_DEVICES | CAT_HAS_RESULT,
        .number = command->number,
        .type = command->type,
        .qualifier = command->qualifier,
        .source = CAT_DEVICE_TERMINAL,
        .destination = CAT_DEVICE_CARD,
        .result = result,
    };
}

struct cat_message cat_sms_download(struct bytes service_centre, struct bytes tpdu)
{
    return (struct cat_message){
        .has = CAT_HAS_DEVICES | CAT_HAS_TPDU | (service_centre.len > 0 ? CAT_HAS_ADDRESS : 0),
        .source = CAT_DEVICE_NETWORK,
        .destination = CAT_DEVICE_CARD,
        .address = service_centre,
        .tpdu = tpdu,
    };
}

static const uint8_t event_names[] = {CAT_EVENT_LOCATION_STATUS, CAT_EVENT_TECHNOLOGY_CHANGE,
                                      CAT_EVENT_NETWORK_REJECTION};

static struct cat_message event_of(const uint8_t *name)
{
    return (struct cat_message){
        .has = CAT_HAS_DEVICES | CAT_HAS_EVENTS,
        .source = CAT_DEVICE_TERMINAL,
        .destination = CAT_DEVICE_CARD,
        .events = bytes_of(name, 1),
    };
}

struct cat_message cat_location_event(enum cat_location_status status,
                                      const struct cat_location *location)
{
    struct cat_message m = event_of(&event_names[0]);
    m.has |= CAT_HAS_LOCATION_STATUS;
    m.location_status = (uint8_t)status;
    if (location != NULL) {
        m.has |= CAT_HAS_LOCATION;
        m.location = *location;
    }
    return m;
}

struct cat_message cat_technology_event(struct bytes technologies)
{
    struct cat_message m = event_of(&event_names[1]);
    m.has |= CAT_HAS_TECHNOLOGIES;
    m.technologies = technologies;
    return m;
}

struct cat_message cat_rejection_event(const struct cat_location *area, struct bytes technologies,
                                       uint8_t attach_type, uint8_t cause)
{
    struct cat_message m = event_of(&event_names[2]);
    const uint8_t first = technologies.len > 0 ? technologies.at[0] : CAT_GSM;
    const bool is_tracked = first == CAT_EUTRAN || first == CAT_NR;
    struct cat_location *to = is_tracked ? &m.tracking_area : &m.location;
    *to = *area;
    to->cell_len = 0;
    m.has |= CAT_HAS_TECHNOLOGIES | CAT_HAS_ATTACH_TYPE | CAT_HAS_REJECTION_CAUSE;
    m.has |= is_tracked ? CAT_HAS_TRACKING_AREA : CAT_HAS_LOCATION;
    m.technologies = technologies;
    m.attach_type = attach_type;
    m.rejection_cause = cause;
    return m;
}

struct cat_message cat_timer_event(uint8_t timer, uint32_t seconds)
{
    check(seconds <= CAT_TIMER_SECONDS_MAX);
    return (struct cat_message){
        .has = CAT_HAS_DEVICES | CAT_HAS_TIMER | CAT_HAS_TIMER_VALUE,
        .source = CAT_DEVICE_TERMINAL,
        .destination = CAT_DEVICE_CARD,
        .timer = timer,
        .timer_seconds = seconds,
    };
}

uint8_t cat_event_of(const struct cat_message *m)
{
    return (m->has & CAT_HAS_EVENTS) && m->events.len == 1 ? m->events.at[0] : 0;
}

bool cat_lists(struct bytes list, uint8_t value)
{
    for (size_t i = 0; i < list.len; i++) {
        if (list.at[i] == value)
            return true;
    }
    return false;
}

// --- location

static struct cat_location location_of(const uint8_t plmn[PLMN_LEN], uint32_t area,
                                       uint8_t area_len, uint64_t cell, uint8_t cell_len)
{
    struct cat_location location = {.area = area, .area_len = area_len, .cell_len = cell_len};
    memcpy(location.plmn, plmn, PLMN_LEN);
    for (size_t i = cell_len; i > 0; i--) {
        location.cell[i - 1] = (uint8_t)cell;
        cell >>= 8;
    }
    return location;
}

struct cat_location cat_location_gsm(const uint8_t plmn[PLMN_LEN], uint16_t lac, uint16_t cell)
{
    return location_of(plmn, lac, 2, cell, 2);
}

struct cat_location cat_location_eutran(const uint8_t plmn[PLMN_LEN], uint16_t tac, uint32_t cell)
{
    return location_of(plmn, tac, 2, (uint64_t)cell << 4 | 0x0F, 4);
}

struct cat_location cat_location_nr(const uint8_t plmn[PLMN_LEN], uint32_t tac, uint64_t cell)
{
    return location_of(plmn, tac, 3, cell << 4 | 0x0F, 5);
}

// --- addresses and the terminal profile

void cat_address_write(struct writer *w, const struct phone *number)
{
    writer_u8(w, number->type);
    phone_write_bcd(w, number);
}

bool cat_address_read(struct bytes address, struct phone *out)
{
    struct reader r = reader_of(address);
    const uint8_t type = reader_u8(&r);
    return phone_read(type, reader_rest(&r), out) && !r.failed;
}

bool cat_profile_has(struct bytes profile, enum cat_feature feature)
{
    const size_t octet = (size_t)feature / 8;
    return octet < profile.len && (profile.at[octet] >> (size_t)feature % 8 & 1) != 0;
}

void cat_profile_set(uint8_t *profile, size_t len, enum cat_feature feature, bool on)
{
    const size_t octet = (size_t)feature / 8;
    const uint8_t bit = (uint8_t)(1u << (size_t)feature % 8);
    check(octet < len);
    profile[octet] = on ? profile[octet] | bit : (uint8_t)(profile[octet] & ~bit);
}

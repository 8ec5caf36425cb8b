#include "common/wire/cat.h"

#include "common/wire/cat_tag.h"
#include "common/wire/tlv.h"

static void put(struct writer *w, uint8_t tag, struct bytes value)
{
    tlv_write(w, tag | TLV_COMPREHENSION, value);
}

static void put_u8(struct writer *w, uint8_t tag, uint8_t value)
{
    put(w, tag, bytes_of(&value, 1));
}

static void put_pair(struct writer *w, uint8_t tag, uint8_t first, uint8_t second)
{
    const uint8_t value[] = {first, second};
    put(w, tag, bytes_of(value, sizeof value));
}

static void put_location(struct writer *w, uint8_t tag, const struct cat_location *location)
{
    tlv_write_head(w, tag | TLV_COMPREHENSION,
                   sizeof location->plmn + location->area_len + location->cell_len);
    writer_copy(w, bytes_of(location->plmn, sizeof location->plmn));
    if (location->area_len == 3)
        writer_u24(w, location->area);
    else
        writer_u16(w, (uint16_t)location->area);
    writer_copy(w, bytes_of(location->cell, location->cell_len));
}

static uint8_t swapped(uint32_t value)
{
    return (uint8_t)(value % 10 << 4 | value / 10 % 10);
}

static void put_timer_value(struct writer *w, uint32_t seconds)
{
    const uint8_t value[] = {swapped(seconds / 3600), swapped(seconds / 60 % 60),
                             swapped(seconds % 60)};
    put(w, TAG_TIMER_VALUE, bytes_of(value, sizeof value));
}

// What can follow the result: information of the terminal, in the order of [102.223 §6.8].
static void put_information(struct writer *w, const struct cat_message *m)
{
    if (m->has & CAT_HAS_LOCATION_STATUS)
        put_u8(w, TAG_LOCATION_STATUS, m->location_status);
    if (m->has & CAT_HAS_LOCATION)
        put_location(w, TAG_LOCATION, &m->location);
    if (m->has & CAT_HAS_ROUTING_AREA)
        put(w, TAG_ROUTING_AREA, m->routing_area);
    if (m->has & CAT_HAS_TRACKING_AREA)
        put_location(w, TAG_TRACKING_AREA, &m->tracking_area);
    if (m->has & CAT_HAS_IMEI)
        put(w, TAG_IMEI, bytes_of(m->imei, IMEI_LEN));
    if (m->has & CAT_HAS_IMEISV)
        put(w, TAG_IMEISV, bytes_of(m->imeisv, IMEISV_LEN));
    if (m->has & CAT_HAS_DATE_TIME)
        put(w, TAG_DATE_TIME, bytes_of(m->date_time, SMS_TIME_LEN));
    if (m->has & CAT_HAS_TIMER)
        put_u8(w, TAG_TIMER, m->timer);
    if (m->has & CAT_HAS_TIMER_VALUE)
        put_timer_value(w, m->timer_seconds);
    if (m->has & CAT_HAS_TECHNOLOGIES)
        put(w, TAG_TECHNOLOGIES, m->technologies);
    if (m->has & CAT_HAS_ATTACH_TYPE)
        put_u8(w, TAG_ATTACH_TYPE, m->attach_type);
    if (m->has & CAT_HAS_REJECTION_CAUSE)
        put_u8(w, TAG_REJECTION_CAUSE, m->rejection_cause);
}

static void put_result(struct writer *w, const struct cat_message *m)
{
    tlv_write_head(w, TAG_RESULT | TLV_COMPREHENSION, 1 + m->result_info.len);
    writer_u8(w, m->result);
    writer_copy(w, m->result_info);
}

static void put_objects(struct writer *w, const struct cat_message *m)
{
    const bool is_event = (m->has & CAT_HAS_DETAILS) == 0;
    if (m->has & CAT_HAS_DETAILS) {
        const uint8_t details[] = {m->number, m->type, m->qualifier};
        put(w, TAG_DETAILS, bytes_of(details, sizeof details));
    }
    if ((m->has & CAT_HAS_EVENTS) && is_event) // an event's name comes first, a command's list last
        put(w, TAG_EVENTS, m->events);
    if (m->has & CAT_HAS_DEVICES)
        put_pair(w, TAG_DEVICES, m->source, m->destination);
    if (m->has & CAT_HAS_RESULT)
        put_result(w, m);
    if (m->has & CAT_HAS_DURATION)
        put_pair(w, TAG_DURATION, m->duration_unit, m->duration);
    if (m->has & CAT_HAS_ALPHA)
        put(w, TAG_ALPHA, m->alpha);
    if (m->has & CAT_HAS_ADDRESS)
        put(w, TAG_ADDRESS, m->address);
    if (m->has & CAT_HAS_TPDU)
        put(w, TAG_TPDU, m->tpdu);
    if (m->has & CAT_HAS_FILES)
        put(w, TAG_FILES, m->files);
    if (m->has & CAT_HAS_APPLICATION)
        put(w, TAG_APPLICATION, m->application);
    if ((m->has & CAT_HAS_EVENTS) && !is_event)
        put(w, TAG_EVENTS, m->events);
    put_information(w, m);
}

static void put_template(struct writer *w, uint16_t tag, const struct cat_message *m)
{
    const struct tlv_mark mark = tlv_open(w, tag);
    put_objects(w, m);
    tlv_close(w, mark);
}

void cat_write_command(struct writer *w, const struct cat_message *m)
{
    put_template(w, CAT_TEMPLATE_COMMAND, m);
}

void cat_write_response(struct writer *w, const struct cat_message *m)
{
    put_objects(w, m);
}

void cat_write_envelope(struct writer *w, enum cat_envelope kind, const struct cat_message *m)
{
    put_template(w, (uint16_t)kind, m);
}

#include "common/wire/cat.h"

#include "common/wire/cat_tag.h"
#include "common/wire/tlv.h"

// The bit of an object in `has`, and the length it must have (0 = any).
static const struct shape {
    uint8_t tag;
    uint8_t len;
    uint32_t has;
} shapes[] = {
    {TAG_DETAILS, 3, CAT_HAS_DETAILS},
    {TAG_DEVICES, 2, CAT_HAS_DEVICES},
    {TAG_RESULT, 0, CAT_HAS_RESULT},
    {TAG_DURATION, 2, CAT_HAS_DURATION},
    {TAG_ALPHA, 0, CAT_HAS_ALPHA},
    {TAG_ADDRESS, 0, CAT_HAS_ADDRESS},
    {TAG_TPDU, 0, CAT_HAS_TPDU},
    {TAG_FILES, 0, CAT_HAS_FILES},
    {TAG_APPLICATION, 0, CAT_HAS_APPLICATION},
    {TAG_LOCATION, 0, CAT_HAS_LOCATION},
    {TAG_IMEI, IMEI_LEN, CAT_HAS_IMEI},
    {TAG_EVENTS, 0, CAT_HAS_EVENTS},
    {TAG_LOCATION_STATUS, 1, CAT_HAS_LOCATION_STATUS},
    {TAG_TIMER, 1, CAT_HAS_TIMER},
    {TAG_TIMER_VALUE, 3, CAT_HAS_TIMER_VALUE},
    {TAG_DATE_TIME, SMS_TIME_LEN, CAT_HAS_DATE_TIME},
    {TAG_TECHNOLOGIES, 0, CAT_HAS_TECHNOLOGIES},
    {TAG_IMEISV, IMEISV_LEN, CAT_HAS_IMEISV},
    {TAG_ROUTING_AREA, 0, CAT_HAS_ROUTING_AREA},
    {TAG_ATTACH_TYPE, 1, CAT_HAS_ATTACH_TYPE},
    {TAG_REJECTION_CAUSE, 1, CAT_HAS_REJECTION_CAUSE},
    {TAG_TRACKING_AREA, 0, CAT_HAS_TRACKING_AREA},
};

static const struct shape *shape_of(uint8_t tag)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (shapes[i].tag == tag)
            return &shapes[i];
    }
    return NULL;
}

static bool read_area(struct bytes value, size_t area_len, struct cat_location *out)
{
    struct reader r = reader_of(value);
    *out = (struct cat_location){.area_len = (uint8_t)area_len};
    reader_copy(&r, out->plmn, sizeof out->plmn);
    out->area = area_len == 3 ? reader_u24(&r) : reader_u16(&r);
    if (r.failed || r.left > CAT_CELL_MAX)
        return false;
    out->cell_len = (uint8_t)r.left;
    reader_copy(&r, out->cell, r.left);
    return true;
}

static bool read_location(struct bytes value, struct cat_location *out)
{
    switch (value.len) {
    case 5:
    case 7:
    case 9:
        return read_area(value, 2, out);
    case 11:
        return read_area(value, 3, out);
    default: // octets
        return false;
    }
}

static bool read_tracking_area(struct bytes value, struct cat_location *out)
{
    return (value.len == 5 || value.len == 6) && read_area(value, value.len - 3, out);
}

// hh mm ss in swapped digits.
static bool read_timer_value(struct bytes value, uint32_t *seconds)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < value.len; i++) {
        const uint8_t tens = value.at[i] & 0x0F;
        const uint8_t units = value.at[i] >> 4;
        if (tens > 9 || units > 9)
            return false;
        sum = sum * 60 + tens * 10u + units;
    }
    *seconds = sum;
    return true;
}

// Where an object goes whose value is kept as it is, or NULL.
static struct bytes *view_of(struct cat_message *m, uint8_t tag)
{
    switch (tag) {
    case TAG_ALPHA:
        return &m->alpha;
    case TAG_ADDRESS:
        return &m->address;
    case TAG_TPDU:
        return &m->tpdu;
    case TAG_FILES:
        return &m->files;
    case TAG_APPLICATION:
        return &m->application;
    case TAG_EVENTS:
        return &m->events;
    case TAG_TECHNOLOGIES:
        return &m->technologies;
    case TAG_ROUTING_AREA:
        return &m->routing_area;
    default: // octets
        return NULL;
    }
}

// Takes a known object that is not there yet; false when its value is impossible.
static bool take(struct cat_message *m, uint8_t tag, struct bytes v)
{
    struct bytes *view = view_of(m, tag);
    if (view != NULL) {
        *view = v;
        return true;
    }
    switch (tag) {
    case TAG_DETAILS:
        m->number = v.at[0];
        m->type = v.at[1];
        m->qualifier = v.at[2];
        return true;
    case TAG_DEVICES:
        m->source = v.at[0];
        m->destination = v.at[1];
        return true;
    case TAG_RESULT:
        if (v.len == 0)
            return false;
        m->result = v.at[0];
        m->result_info = bytes_slice(v, 1, v.len);
        return true;
    case TAG_DURATION:
        m->duration_unit = v.at[0];
        m->duration = v.at[1];
        return true;
    case TAG_LOCATION:
        return read_location(v, &m->location);
    case TAG_IMEI:
        memcpy(m->imei, v.at, IMEI_LEN);
        return true;
    case TAG_LOCATION_STATUS:
        m->location_status = v.at[0];
        return true;
    case TAG_TIMER:
        m->timer = v.at[0];
        return true;
    case TAG_TIMER_VALUE:
        return read_timer_value(v, &m->timer_seconds);
    case TAG_DATE_TIME:
        memcpy(m->date_time, v.at, SMS_TIME_LEN);
        return true;
    case TAG_IMEISV:
        memcpy(m->imeisv, v.at, IMEISV_LEN);
        return true;
    case TAG_ATTACH_TYPE:
        m->attach_type = v.at[0];
        return true;
    case TAG_REJECTION_CAUSE:
        m->rejection_cause = v.at[0];
        return true;
    case TAG_TRACKING_AREA:
        return read_tracking_area(v, &m->tracking_area);
    default: // octets
        return false;
    }
}

static enum cat_error read_objects(struct bytes objects, struct cat_message *out)
{
    *out = (struct cat_message){0};
    struct reader r = reader_of(objects);
    struct tlv object;
    while (ctlv_next(&r, &object)) {
        const struct shape *shape = shape_of((uint8_t)object.tag);
        if (shape == NULL) {
            if (object.comprehension)
                out->has |= CAT_HAS_UNKNOWN_REQUIRED;
            continue;
        }
        if (out->has & shape->has)
            continue;
        if (shape->len != 0 && object.value.len != shape->len)
            return CAT_MALFORMED;
        if (object.tag == TAG_LOCATION && object.value.len == 0)
            continue; // no location is known
        if (!take(out, (uint8_t)object.tag, object.value))
            return CAT_MALFORMED;
        out->has |= shape->has;
    }
    return r.failed ? CAT_MALFORMED : CAT_OK;
}

static enum cat_error ask_for(const struct cat_message *m, uint32_t has)
{
    return (m->has & has) == has ? CAT_OK : CAT_MISSING;
}

// The one object that a template is, and nothing after it.
static enum cat_error read_template(struct bytes data, uint16_t *tag, struct cat_message *out)
{
    struct reader r = reader_of(data);
    struct tlv template;
    *out = (struct cat_message){0};
    if (!tlv_next(&r, &template) || !reader_done(&r))
        return CAT_MALFORMED;
    *tag = template.tag;
    return read_objects(template.value, out);
}

enum cat_error cat_read_command(struct bytes data, struct cat_message *out)
{
    uint16_t tag = 0;
    const enum cat_error error = read_template(data, &tag, out);
    if (error != CAT_OK)
        return error;
    if (tag != CAT_TEMPLATE_COMMAND)
        return CAT_UNKNOWN;
    return ask_for(out, CAT_HAS_DETAILS | CAT_HAS_DEVICES);
}

enum cat_error cat_read_response(struct bytes data, struct cat_message *out)
{
    const enum cat_error error = read_objects(data, out);
    if (error != CAT_OK)
        return error;
    return ask_for(out, CAT_HAS_DETAILS | CAT_HAS_DEVICES | CAT_HAS_RESULT);
}

enum cat_error cat_read_envelope(struct bytes data, enum cat_envelope *kind,
                                 struct cat_message *out)
{
    uint16_t tag = 0;
    const enum cat_error error = read_template(data, &tag, out);
    if (error != CAT_OK)
        return error;
    switch (tag) {
    case CAT_SMS_PP_DOWNLOAD:
        *kind = CAT_SMS_PP_DOWNLOAD;
        return ask_for(out, CAT_HAS_DEVICES | CAT_HAS_TPDU);
    case CAT_EVENT_DOWNLOAD:
        *kind = CAT_EVENT_DOWNLOAD;
        return ask_for(out, CAT_HAS_DEVICES | CAT_HAS_EVENTS);
    case CAT_TIMER_EXPIRATION:
        *kind = CAT_TIMER_EXPIRATION;
        return ask_for(out, CAT_HAS_DEVICES | CAT_HAS_TIMER);
    default: // octets
        return CAT_UNKNOWN;
    }
}

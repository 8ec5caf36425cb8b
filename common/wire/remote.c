#include "common/wire/remote.h"

#include "common/base/check.h"

enum remote_tag {
    TAG_COMMAND_DEFINITE = 0xAA,
    TAG_COMMAND_INDEFINITE = 0xAE,
    TAG_RESPONSE_DEFINITE = 0xAB,
    TAG_RESPONSE_INDEFINITE = 0xAF,
    TAG_C_APDU = 0x22,
    TAG_R_APDU = 0x23,
    TAG_EXECUTED = 0x80,
    TAG_IMMEDIATE_ACTION = 0x81,
    TAG_ERROR_ACTION = 0x82,
    TAG_CHAINING = 0x83,
    TAG_BAD_FORMAT = 0x90,
};

#define LENGTH_INDEFINITE 0x80
#define END_LEN 2 // the two zeros that end an indefinite length

// --- scripts, as the card reads them ---------------------------------------------------------

enum remote_format remote_format_of(struct bytes script)
{
    if (script.len > 0 && script.at[0] == TAG_COMMAND_DEFINITE)
        return REMOTE_DEFINITE;
    if (script.len > 0 && script.at[0] == TAG_COMMAND_INDEFINITE)
        return REMOTE_INDEFINITE;
    return REMOTE_COMPACT;
}

struct remote_script remote_open(struct bytes script)
{
    struct remote_script s = {.format = remote_format_of(script), .rest = reader_of(script)};
    struct tlv frame;
    switch (s.format) {
    case REMOTE_COMPACT:
        break;
    case REMOTE_DEFINITE:
        if (!tlv_next(&s.rest, &frame))
            s.error = REMOTE_LENGTH_NOT_FOUND;
        else if (s.rest.left > 0)
            s.error = REMOTE_WRONG_LENGTH;
        else
            s.rest = reader_of(frame.value);
        break;
    case REMOTE_INDEFINITE:
        reader_skip(&s.rest, 1);
        if (reader_u8(&s.rest) != LENGTH_INDEFINITE)
            s.error = REMOTE_LENGTH_NOT_FOUND;
        break;
    }
    return s;
}

static bool stop(struct remote_script *s, enum remote_error error)
{
    s->error = error;
    s->ended = true;
    return false;
}

static bool next_compact(struct remote_script *s, struct remote_item *item)
{
    if (s->rest.left == 0)
        return stop(s, REMOTE_OK);
    const struct reader before = s->rest;
    item->kind = REMOTE_COMMAND;
    if (apdu_next(&s->rest, &item->apdu) != APDU_OK)
        return stop(s, REMOTE_WRONG_LENGTH);
    item->value = bytes_of(before.at, before.left - s->rest.left);
    return true;
}

static bool is_known(uint16_t tag, enum remote_kind *kind)
{
    switch (tag) {
    case TAG_C_APDU:
        *kind = REMOTE_COMMAND;
        return true;
    case TAG_IMMEDIATE_ACTION:
        *kind = REMOTE_IMMEDIATE_ACTION;
        return true;
    case TAG_ERROR_ACTION:
        *kind = REMOTE_ERROR_ACTION;
        return true;
    case TAG_CHAINING:
        *kind = REMOTE_CHAINING;
        return true;
    default: // octets
        return false;
    }
}

static bool next_expanded(struct remote_script *s, struct remote_item *item)
{
    struct tlv object;
    const bool has_end = s->format == REMOTE_INDEFINITE;
    if (s->rest.left == 0)
        return stop(s, has_end ? REMOTE_LENGTH_NOT_FOUND : REMOTE_OK);
    if (!tlv_next(&s->rest, &object))
        return stop(s, REMOTE_WRONG_LENGTH);
    if (has_end && object.tag == 0 && object.value.len == 0)
        return stop(s, s->rest.left == 0 ? REMOTE_OK : REMOTE_WRONG_LENGTH);
    if (!is_known(object.tag, &item->kind))
        return stop(s, REMOTE_UNKNOWN_TAG);
    item->value = object.value;
    if (item->kind == REMOTE_COMMAND && apdu_read(object.value, &item->apdu) != APDU_OK)
        return stop(s, REMOTE_WRONG_LENGTH);
    return true;
}

bool remote_next(struct remote_script *script, struct remote_item *item)
{
    *item = (struct remote_item){0};
    if (script->ended || script->error != REMOTE_OK)
        return false;
    return script->format == REMOTE_COMPACT ? next_compact(script, item)
                                            : next_expanded(script, item);
}

// --- scripts, as the server writes them ------------------------------------------------------

static struct tlv_mark open_frame(struct writer *out, enum remote_format format, uint8_t definite,
                                  uint8_t indefinite)
{
    if (format == REMOTE_DEFINITE)
        return tlv_open(out, definite);
    if (format == REMOTE_INDEFINITE) {
        writer_u8(out, indefinite);
        writer_u8(out, LENGTH_INDEFINITE);
    }
    return (struct tlv_mark){0};
}

struct remote_writer remote_begin(struct writer *out, enum remote_format format)
{
    return (struct remote_writer){
        .out = out,
        .format = format,
        .mark = open_frame(out, format, TAG_COMMAND_DEFINITE, TAG_COMMAND_INDEFINITE)};
}

void remote_add(struct remote_writer *w, const struct apdu *command)
{
    if (w->format == REMOTE_COMPACT) {
        apdu_write_p3(w->out, command);
        return;
    }
    const struct tlv_mark mark = tlv_open(w->out, TAG_C_APDU);
    apdu_write(w->out, command);
    tlv_close(w->out, mark);
}

void remote_end(struct remote_writer *w)
{
    if (w->format == REMOTE_DEFINITE)
        tlv_close(w->out, w->mark);
    else if (w->format == REMOTE_INDEFINITE)
        writer_fill(w->out, 0, END_LEN);
}

// --- answers, as the card writes them --------------------------------------------------------

#define EXECUTED_MAX 0x7FFF

static void write_executed(struct writer *out, unsigned executed)
{
    check(executed <= EXECUTED_MAX);
    if (executed < 0x80) {
        const uint8_t count = (uint8_t)executed;
        tlv_write(out, TAG_EXECUTED, bytes_of(&count, 1));
    } else {
        tlv_write_head(out, TAG_EXECUTED, 2);
        writer_u16(out, (uint16_t)executed);
    }
}

static void write_result(struct writer *out, uint16_t sw, struct bytes data)
{
    tlv_write_head(out, TAG_R_APDU, data.len + 2);
    writer_copy(out, data);
    writer_u16(out, sw);
}

struct remote_answer remote_answer_begin(struct writer *out, enum remote_format format)
{
    struct remote_answer a = {.out = out, .format = format};
    a.mark = open_frame(out, format, TAG_RESPONSE_DEFINITE, TAG_RESPONSE_INDEFINITE);
    a.start = out->len;
    if (format == REMOTE_DEFINITE)
        write_executed(out, 0);
    return a;
}

void remote_answer_add(struct remote_answer *a, uint16_t sw, struct bytes data)
{
    a->executed++;
    if (a->format != REMOTE_INDEFINITE && !a->out->failed)
        a->out->len = a->start; // only the last result is told
    switch (a->format) {
    case REMOTE_COMPACT:
        if (a->executed > UINT8_MAX)
            a->out->failed = true;
        writer_u8(a->out, (uint8_t)a->executed);
        writer_u16(a->out, sw);
        writer_copy(a->out, data);
        break;
    case REMOTE_DEFINITE:
        write_executed(a->out, a->executed);
        write_result(a->out, sw, data);
        break;
    case REMOTE_INDEFINITE:
        write_result(a->out, sw, data);
        break;
    }
}

void remote_answer_bad_format(struct remote_answer *a, enum remote_error error)
{
    check(error != REMOTE_OK);
    const uint8_t value = (uint8_t)error;
    if (a->format != REMOTE_COMPACT)
        tlv_write(a->out, TAG_BAD_FORMAT, bytes_of(&value, 1));
}

void remote_answer_end(struct remote_answer *a)
{
    if (a->format == REMOTE_DEFINITE)
        tlv_close(a->out, a->mark);
    else if (a->format == REMOTE_INDEFINITE)
        writer_fill(a->out, 0, END_LEN);
}

// --- answers, as the server reads them -------------------------------------------------------

static bool read_compact(struct bytes answer, struct remote_result *out)
{
    struct reader r = reader_of(answer);
    if (answer.len == 0)
        return true; // nothing was executed
    out->executed = reader_u8(&r);
    out->sw = reader_u16(&r);
    out->has_result = true;
    out->data = reader_rest(&r);
    return !r.failed;
}

static bool split_result(struct bytes value, uint16_t *sw, struct bytes *data)
{
    if (value.len < 2)
        return false;
    *data = bytes_slice(value, 0, value.len - 2);
    *sw = (uint16_t)(value.at[value.len - 2] << 8 | value.at[value.len - 1]);
    return true;
}

static bool take_object(struct remote_result *out, const struct tlv *object)
{
    struct reader r = reader_of(object->value);
    switch (object->tag) {
    case TAG_EXECUTED:
        if (out->format == REMOTE_INDEFINITE) // its results are counted
            return true;
        out->executed = object->value.len == 2 ? reader_u16(&r) : reader_u8(&r);
        return reader_done(&r);
    case TAG_R_APDU:
        out->has_result = true;
        if (out->format == REMOTE_INDEFINITE)
            out->executed++;
        return split_result(object->value, &out->sw, &out->data);
    case TAG_BAD_FORMAT:
        out->bad_format = reader_u8(&r);
        return reader_done(&r);
    default:         // octets
        return true; // immediate action and chaining responses, and what later editions add
    }
}

static bool read_objects(struct bytes objects, struct remote_result *out)
{
    struct reader r = reader_of(objects);
    struct tlv object;
    size_t len = 0; // of the objects so far
    while (tlv_next(&r, &object)) {
        if (out->format == REMOTE_INDEFINITE && object.tag == 0 && object.value.len == 0) {
            out->objects = bytes_of(objects.at, len);
            return r.left == 0;
        }
        if (!take_object(out, &object))
            return false;
        len = objects.len - r.left;
    }
    out->objects = objects;
    return !r.failed && out->format == REMOTE_DEFINITE;
}

bool remote_result_read(enum remote_format format, struct bytes answer, struct remote_result *out)
{
    *out = (struct remote_result){.format = format};
    struct reader r = reader_of(answer);
    struct tlv frame;
    switch (format) {
    case REMOTE_COMPACT:
        return read_compact(answer, out);
    case REMOTE_DEFINITE:
        return tlv_next(&r, &frame) && reader_done(&r) && frame.tag == TAG_RESPONSE_DEFINITE &&
               read_objects(frame.value, out);
    case REMOTE_INDEFINITE:
        return reader_u8(&r) == TAG_RESPONSE_INDEFINITE && reader_u8(&r) == LENGTH_INDEFINITE &&
               read_objects(reader_rest(&r), out);
    }
    return false;
}

bool remote_result_next(struct reader *objects, uint16_t *sw, struct bytes *data)
{
    struct tlv object;
    while (tlv_next(objects, &object)) {
        if (object.tag == TAG_R_APDU)
            return split_result(object.value, sw, data);
    }
    return false;
}

#include "ota-server/service/api_json.h"

#include "common/base/text.h"
#include "ota-server/service/api_text.h"

// Elements of arrays have no name.
static void put_name(struct json_writer *j, const char *name)
{
    if (name != NULL)
        json_put_key(j, name);
}

void api_put_text(struct json_writer *j, const char *name, const char *text)
{
    put_name(j, name);
    json_put_string(j, text);
}

void api_put_octets(struct json_writer *j, const char *name, struct bytes text)
{
    put_name(j, name);
    json_put_text(j, text);
}

void api_put_hex(struct json_writer *j, const char *name, struct bytes octets)
{
    put_name(j, name);
    json_put_raw(j, bytes_of_text("\"")); // the value begins
    text_hex(j->out, octets);
    text_put(j->out, "\"");
}

void api_put_kcv(struct json_writer *j, struct bytes kcv)
{
    char hex[2 * 3 + 1];
    struct writer w = writer_of(hex, sizeof(hex));
    text_hex_upper(&w, kcv);
    api_put_text(j, "kcv", text_end(&w));
}

void api_put_number(struct json_writer *j, const char *name, uint64_t value)
{
    put_name(j, name);
    json_put_unsigned(j, value);
}

void api_put_reason(struct json_writer *j, const char *reason, uint64_t count)
{
    if (count == 0)
        return;
    json_begin_object(j);
    api_put_text(j, "reason", reason);
    api_put_number(j, "count", count);
    json_end_object(j);
}

void api_put_bool(struct json_writer *j, const char *name, bool value)
{
    put_name(j, name);
    json_put_bool(j, value);
}

void api_put_null(struct json_writer *j, const char *name)
{
    put_name(j, name);
    json_put_null(j);
}

void api_put_time(struct json_writer *j, const char *name, struct utc at)
{
    if (at.ms == 0)
        return;
    char text[UTC_TEXT_SIZE];
    utc_format(at, text);
    api_put_text(j, name, text);
}

void api_put_id(struct json_writer *j, const char *name, const char *prefix, uint64_t id)
{
    if (id == 0)
        return;
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    api_put_text(j, name, text);
}

bool api_is_clear(enum clear clear, enum mask mask)
{
    return clear == CLEAR_ALL || (clear == CLEAR_BUT_IMSI && mask != MASK_IMSI);
}

void api_put_identifier(struct json_writer *j, const char *name, enum mask mask, enum clear clear,
                        const char *text)
{
    if (text[0] == '\0')
        return;
    if (api_is_clear(clear, mask)) {
        api_put_text(j, name, text);
        return;
    }
    char hidden[64];
    struct writer w = writer_of(hidden, sizeof(hidden));
    mask_write(&w, mask, bytes_of_text(text));
    api_put_octets(j, name, writer_bytes(&w));
}

void api_open_object(struct json_writer *j, const char *name)
{
    put_name(j, name);
    json_begin_object(j);
}

void api_open_array(struct json_writer *j, const char *name)
{
    put_name(j, name);
    json_begin_array(j);
}

void api_put_problem(struct json_writer *j, const struct api_problem *p)
{
    json_begin_object(j);
    api_put_number(j, "status", api_code_status(p->code));
    api_put_text(j, "code", api_code_wire(p->code));
    api_put_text(j, "message", p->message[0] != '\0' ? p->message : api_code_text(p->code));
    if (p->field[0] != '\0' || p->reason[0] != '\0') {
        api_open_array(j, "details");
        json_begin_object(j);
        if (p->field[0] != '\0')
            api_put_text(j, "field", p->field);
        if (p->reason[0] != '\0')
            api_put_text(j, "reason", p->reason);
        json_end_object(j);
        json_end_array(j);
    }
    json_end_object(j);
}

void api_set_time(json_t *object, const char *name, struct utc at)
{
    char text[UTC_TEXT_SIZE];
    utc_format(at, text);
    json_object_set_new(object, name, json_string(text));
}

#include "ota-server/shell/egress_message.h"

#include "ota-server/service/sink_url.h"

#define FLAG_LITERAL 1
#define FLAG_GET 2

bool egress_allows(const struct ip_network *allowed, size_t count, const struct ip *address,
                   bool is_literal)
{
    return ip_is_in(address, allowed, count) ||
           (!is_literal && sink_address_is_public(address->at, ip_is_v4(address)));
}

bool egress_is(struct bytes message, enum egress_kind kind)
{
    return message.len > 0 && message.at[0] == kind;
}

// --- parts ---------------------------------------------------------------------------------------

static void put_text(struct writer *w, struct bytes text)
{
    w->failed |= text.len > UINT16_MAX;
    writer_u16(w, (uint16_t)text.len);
    writer_copy(w, text);
}

static struct bytes take_text(struct reader *r)
{
    const struct bytes text = reader_bytes(r, reader_u16(r));
    r->failed |= text.len > 0 && memchr(text.at, 0, text.len) != NULL;
    return text;
}

static void read_text(struct reader *r, char *to, size_t size)
{
    const struct bytes text = take_text(r);
    r->failed |= text.len >= size;
    if (r->failed)
        return;
    bytes_copy(to, text);
    to[text.len] = '\0';
}

// A copy with a zero behind it, in the room of `w`.
static const char *keep_text(struct reader *r, struct writer *w)
{
    const struct bytes text = take_text(r);
    const char *at = (const char *)w->at + w->len;
    writer_copy(w, text);
    writer_u8(w, 0);
    r->failed |= w->failed;
    return r->failed ? "" : at;
}

static bool read_flag(struct reader *r)
{
    const uint8_t flag = reader_u8(r);
    r->failed |= flag > 1;
    return flag == 1;
}

static void read_kind(struct reader *r, enum egress_kind kind)
{
    r->failed |= reader_u8(r) != kind;
}

// --- to the worker -------------------------------------------------------------------------------

void egress_settings_write(struct writer *w, const struct egress_settings *s)
{
    writer_u8(w, EGRESS_SETTINGS);
    writer_u32(w, s->at_once);
    writer_u8(w, s->has_user);
    writer_u32(w, s->user);
    writer_u32(w, s->group);
    put_text(w, bytes_of_text(s->ca_file));
    put_text(w, bytes_of_text(s->name_server));
    writer_u8(w, s->allowed_count);
    for (unsigned i = 0; i < s->allowed_count; i++) {
        writer_copy(w, bytes_of(s->allowed[i].ip.at, sizeof s->allowed[i].ip.at));
        writer_u8(w, s->allowed[i].bits);
    }
}

bool egress_settings_read(struct bytes message, struct egress_settings *s)
{
    struct reader r = reader_of(message);
    *s = (struct egress_settings){0};
    read_kind(&r, EGRESS_SETTINGS);
    s->at_once = reader_u32(&r);
    s->has_user = read_flag(&r);
    s->user = reader_u32(&r);
    s->group = reader_u32(&r);
    read_text(&r, s->ca_file, sizeof s->ca_file);
    read_text(&r, s->name_server, sizeof s->name_server);
    const uint8_t count = reader_u8(&r);
    if (count > EGRESS_NETWORKS_MAX)
        return false;
    s->allowed_count = count;
    for (unsigned i = 0; i < count; i++) {
        reader_copy(&r, s->allowed[i].ip.at, sizeof s->allowed[i].ip.at);
        s->allowed[i].bits = reader_u8(&r);
        r.failed |= s->allowed[i].bits > 128;
    }
    return reader_done(&r) && s->at_once > 0;
}

void egress_request_write(struct writer *w, uint64_t id, const struct post_request *p)
{
    unsigned count = 0;
    while (p->headers[count] != NULL)
        count++;
    w->failed |= count > EGRESS_HEADERS_MAX;
    writer_u8(w, EGRESS_REQUEST);
    writer_u64(w, id);
    writer_u8(w, (p->is_literal ? FLAG_LITERAL : 0) | (p->is_get ? FLAG_GET : 0));
    writer_u16(w, p->port);
    writer_u32(w, (uint32_t)p->answer_max);
    put_text(w, bytes_of_text(p->url));
    put_text(w, p->host);
    writer_u8(w, (uint8_t)count);
    for (unsigned i = 0; i < count; i++)
        put_text(w, bytes_of_text(p->headers[i]));
    writer_copy(w, p->body);
}

bool egress_request_read(struct bytes message, struct egress_request *q)
{
    struct reader r = reader_of(message);
    struct writer w = writer_of(q->text, sizeof q->text);
    q->post = (struct post_request){.headers = q->headers};
    read_kind(&r, EGRESS_REQUEST);
    q->id = reader_u64(&r);
    const uint8_t flags = reader_u8(&r);
    q->post.is_literal = (flags & FLAG_LITERAL) != 0;
    q->post.is_get = (flags & FLAG_GET) != 0;
    q->post.port = reader_u16(&r);
    q->post.answer_max = reader_u32(&r);
    q->post.url = keep_text(&r, &w);
    q->post.host = bytes_of_text(keep_text(&r, &w));
    const uint8_t count = reader_u8(&r);
    if (r.failed || flags > (FLAG_LITERAL | FLAG_GET) || count > EGRESS_HEADERS_MAX)
        return false;
    for (unsigned i = 0; i < count; i++)
        q->headers[i] = keep_text(&r, &w);
    q->headers[count] = NULL;
    q->post.body = reader_rest(&r);
    return reader_done(&r) && q->post.answer_max <= POST_ANSWER_MAX;
}

// --- from the worker -----------------------------------------------------------------------------

void egress_ready_write(struct writer *w)
{
    writer_u8(w, EGRESS_READY);
}

bool egress_ready_read(struct bytes message)
{
    return message.len == 1 && egress_is(message, EGRESS_READY);
}

void egress_answer_write(struct writer *w, const struct egress_answer *a)
{
    writer_u8(w, EGRESS_ANSWER);
    writer_u64(w, a->id);
    writer_u8(w, (uint8_t)a->problem);
    writer_u16(w, a->status);
    writer_u8(w, a->has_retry_after);
    writer_u32(w, a->retry_after_s);
    writer_copy(w, a->body);
}

static bool is_answer(const struct egress_answer *a, uint8_t problem)
{
    if (problem == POST_ANSWERED)
        return a->status >= 100 && a->status <= 999 && a->body.len <= POST_ANSWER_MAX &&
               (a->has_retry_after || a->retry_after_s == 0);
    return problem <= POST_BROKEN && a->status == 0 && !a->has_retry_after &&
           a->retry_after_s == 0 && a->body.len == 0;
}

bool egress_answer_read(struct bytes message, struct egress_answer *a)
{
    struct reader r = reader_of(message);
    *a = (struct egress_answer){0};
    read_kind(&r, EGRESS_ANSWER);
    a->id = reader_u64(&r);
    const uint8_t problem = reader_u8(&r);
    a->status = reader_u16(&r);
    a->has_retry_after = read_flag(&r);
    a->retry_after_s = reader_u32(&r);
    a->body = reader_rest(&r);
    if (!reader_done(&r) || !is_answer(a, problem))
        return false;
    a->problem = (enum post_problem)problem;
    return true;
}

// What a handler asks of a request, and what those are told that none sees.
#include "common/host/http_part.h"

#include "common/base/check.h"

#include <strings.h>

const char *http_method(const struct http_request *r)
{
    return r->method;
}

const char *http_target(const struct http_request *r)
{
    return r->connection->target;
}

const char *http_path(const struct http_request *r)
{
    return r->path;
}

const char *http_header(const struct http_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection->mhd, MHD_HEADER_KIND, name);
}

struct count {
    const char *name;
    unsigned seen;
};

static enum MHD_Result count_field(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    (void)value;
    struct count *c = context;
    if (strcasecmp(name, c->name) == 0)
        c->seen++;
    return MHD_YES;
}

unsigned http_header_count(const struct http_request *r, const char *name)
{
    struct count c = {name, 0};
    (void)MHD_get_connection_values(r->connection->mhd, MHD_HEADER_KIND, count_field, &c);
    return c.seen;
}

struct each {
    void (*call)(void *context, const char *name, const char *value);
    void *context;
};

static enum MHD_Result each_parameter(void *context, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    (void)kind;
    const struct each *e = context;
    e->call(e->context, name, value ? value : "");
    return MHD_YES;
}

void http_query_each(const struct http_request *r,
                     void (*each)(void *context, const char *name, const char *value),
                     void *context)
{
    struct each e = {each, context};
    (void)MHD_get_connection_values(r->connection->mhd, MHD_GET_ARGUMENT_KIND, each_parameter, &e);
}

struct search {
    const char *name, *value;
};

static void compare_name(void *context, const char *name, const char *value)
{
    struct search *s = context;
    if (!s->value && strcmp(name, s->name) == 0) // unlike fields, parameters mind their case
        s->value = value;
}

const char *http_query(const struct http_request *r, const char *name)
{
    struct search s = {name, NULL};
    http_query_each(r, compare_name, &s);
    return s.value;
}

struct bytes http_body(const struct http_request *r)
{
    return bytes_of(r->body, r->body_len);
}

void http_peer(const struct http_request *r, struct net_address *address)
{
    *address = r->connection->peer;
}

const struct http_certificate *http_certificate(const struct http_request *r)
{
    return &r->connection->certificate;
}

void http_set_user(struct http_request *r, void *user)
{
    r->user = user;
}

void *http_user(const struct http_request *r)
{
    return r->user;
}

void http_body_max(struct http_request *r, size_t body_max)
{
    r->body_max = body_max;
}

void http_body_sink(struct http_request *r,
                    bool (*sink)(void *context, struct http_request *r, struct bytes piece),
                    void *context)
{
    r->sink = sink;
    r->sink_context = context;
}

// In the form of the APIs' errors.
static struct bytes refusal_text(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } TEXTS[] = {
        {400,
         "{\"status\":400,\"code\":\"INVALID_ARGUMENT\",\"message\":\"No well-formed request: give "
         "one Host, a path as the target, either one Content-Length or the coding chunked, "
         "and no control characters\"}"},
        {413,
         "{\"status\":413,\"code\":\"INVALID_ARGUMENT\",\"message\":\"The body is longer than is "
         "taken here: send less at a time\"}"},
        {414,
         "{\"status\":414,\"code\":\"INVALID_ARGUMENT\",\"message\":\"The request line is longer "
         "than 8192 octets: shorten the query, or search with POST\"}"},
        {431, "{\"status\":431,\"code\":\"INVALID_ARGUMENT\",\"message\":\"There are more than 100 "
              "header fields, or they are longer than 16384 octets: leave some out\"}"},
        {503, "{\"status\":503,\"code\":\"UNAVAILABLE\",\"message\":\"The server is busy: ask "
              "again later\"}"},
    };
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        if (TEXTS[i].status == status)
            return bytes_of_text(TEXTS[i].text);
    check(false);
    return bytes_of(NULL, 0);
}

struct MHD_Response *http_refusal(unsigned status, bool is_tls)
{
    // The last one is for TLS alone [RFC 6797 §7.2].
    static const struct http_field FIELDS[] = {
        {"Content-Type", "application/json"},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Content-Security-Policy", "default-src 'none'; object-src 'none'; base-uri 'none'; "
                                    "form-action 'none'; frame-ancestors 'none'"},
        {"Strict-Transport-Security", "max-age=31536000; includeSubDomains"},
    };
    const size_t count = sizeof(FIELDS) / sizeof(FIELDS[0]) - (is_tls ? 0 : 1);
    const struct bytes text = refusal_text(status);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text.len, (void *)text.at, MHD_RESPMEM_PERSISTENT);
    for (size_t i = 0; response && i < count; i++) {
        if (MHD_add_response_header(response, FIELDS[i].name, FIELDS[i].value) != MHD_YES) {
            MHD_destroy_response(response);
            return NULL;
        }
    }
    return response;
}

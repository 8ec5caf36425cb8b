// Event sinks and what was sent to them.
#include "common/base/text.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/notice.h"
#include "ota-server/service/sink_run.h"

#include <stdlib.h>

#define SINKS_EACH_MAX 100 // of an enterprise
#define SINKS_ALL_MAX 1000
#define OVERLAP_S (7 * 24 * 3600)
#define OVERLAP_MAX_S (30 * 24 * 3600)

// --- showing ---------------------------------------------------------------------------------

static void put_health(struct api_exchange *x, const struct document *d)
{
    struct json_writer *j = &x->json;
    struct sink_row row;
    if (store_sink_get(x->reader, d->id, &row) != STORE_OK)
        return;
    api_put_text(j, "status", sink_states[row.health.state]);
    if (row.health.state == SINK_SUSPENDED)
        api_put_text(j, "statusReason", sink_why_name(row.health.why));
    api_put_number(j, "failures", row.health.failures);
    api_put_time(j, "failingSince", row.health.failing_since);
    api_put_time(j, "nextAttemptAt", sink_next(&row.health));
    api_put_number(j, "waiting", row.waiting);
    api_put_number(j, "deadLetters", row.dead);
}

static const struct api_kind kind_sink = {
    .kind = STORE_SINK_KIND, .prefix = SINK_PREFIX, .path = "/event-sinks", .more = put_health};

void api_sinks_list(struct api_exchange *x)
{
    api_documents_list(x, &kind_sink, 0);
}

void api_sink_get(struct api_exchange *x)
{
    api_document_show(x, &kind_sink);
}

// --- reading ---------------------------------------------------------------------------------

struct sink_change {
    struct sink_secret credential;
    struct utc until;
    bool has_credential, has_url, wakes;
    bool is_moved;   // to another URL: the credential was not for that
    bool has_client; // the caller's record says where tokens are asked for
    uint8_t nonce[CRYPTO_NONCE_SIZE];
};

struct sink_work {
    struct api_object object; // first: it is the document's work
    struct sink_change change;
    uint64_t delivery;
    char secret[AUTH_TOKEN_SIZE];
    uint64_t number; // of the secret
    uint64_t ended[SINK_SECRETS_MAX];
    size_t ended_count; // numbers of secrets that go
};

static void close_work(void *work)
{
    struct sink_work *w = work;
    secret_wipe(&w->change, sizeof(w->change));
    secret_wipe(w->secret, sizeof(w->secret));
}

static struct sink_work *open_work(struct api_exchange *x)
{
    struct sink_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    else
        x->close_work = close_work;
    return w;
}

// Loads the sink of capture 0, after all was read; false: refused.
static bool load(struct api_exchange *x, struct sink_work *w)
{
    if (!api_end_reading(x) || !api_capture(x, 0, SINK_PREFIX, &x->object_id))
        return false;
    if (api_document_get(x, &kind_sink, x->object_id, &w->object))
        return true;
    api_refuse_code(x, API_NOT_FOUND);
    return false;
}

static void refuse_sink(struct api_exchange *x, const char *text)
{
    api_body_fail(&x->body, api_problem_field(API_INVALID_SINK, bytes_of_text("sink"), text));
}

static void read_url(struct api_exchange *x, enum api_need need)
{
    struct sink_url url;
    const struct api_options *o = &x->api->options;
    if (!api_body_has(&x->body, "sink")) {
        (void)api_body_text(&x->body, "sink", need, 1, 65536);
        return;
    }
    const struct bytes text = api_body_text(&x->body, "sink", need, 1, 65536);
    const enum sink_fault fault = sink_url_read(text, &url);
    if (text.len == 0)
        return;
    if (fault != SINK_OK)
        refuse_sink(x, sink_fault_text(fault));
    else if (o->sink_allows != NULL && !o->sink_allows(o->sink_context, &url))
        refuse_sink(x, "Its port or address is not allowed here");
}

static uint32_t read_types(struct api_exchange *x, enum api_need need)
{
    const json_t *list = api_body_array(&x->body, "types", need);
    uint32_t set = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        const uint32_t type = name != NULL ? sink_type_of(bytes_of_text(name)) : 0;
        if (type == 0 || (set & type) != 0)
            api_body_fail(&x->body, api_problem_field(
                                        API_INVALID_ARGUMENT, bytes_of_text("types"),
                                        "Each must be a type that the document lists, named once"));
        set |= type;
    }
    if (list != NULL && set == 0)
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("types"),
                                                  "At least one type is needed"));
    return set;
}

static void read_protocol(struct api_exchange *x)
{
    const struct bytes text = api_body_text(&x->body, "protocol", API_OPTIONAL, 1, 16);
    if (text.len > 0 && !bytes_equal(text, bytes_of_text("HTTP")))
        api_body_fail(&x->body, api_problem_field(API_INVALID_PROTOCOL, bytes_of_text("protocol"),
                                                  "It is not offered: HTTP is"));
}

static void fail_credential(struct api_body *b, enum api_code code, const char *text)
{
    api_body_fail(b, api_problem_field(code, bytes_of_text("credentialType"), text));
}

static void read_token(struct api_exchange *x, struct sink_change *c, struct api_body *b,
                       struct bytes type)
{
    if (type.len > 0 && !bytes_equal(type, bytes_of_text("ACCESSTOKEN")))
        fail_credential(b, API_INVALID_CREDENTIAL, "ACCESSTOKEN or PRIVATE_KEY_JWT");
    const struct bytes token = api_body_text(b, "accessToken", API_REQUIRED, 1, SINK_TOKEN_MAX);
    c->until = api_body_time(b, "accessTokenExpiresUtc");
    const struct bytes kind = api_body_text(b, "accessTokenType", API_REQUIRED, 1, 32);
    if (kind.len > 0 && !bytes_equal(kind, bytes_of_text("bearer")))
        fail_credential(b, API_INVALID_CREDENTIAL, "Only tokens of the type bearer can be sent");
    if (b->problem.code == API_OK && c->until.ms == 0)
        api_body_fail(b,
                      api_problem_field(API_INVALID_ARGUMENT,
                                        bytes_of_text("accessTokenExpiresUtc"), "Missing member"));
    else if (b->problem.code == API_OK && c->until.ms <= x->now.utc.ms)
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT,
                                           bytes_of_text("accessTokenExpiresUtc"),
                                           "It must be in the future"));
    if (b->problem.code == API_OK && !sink_is_token(token))
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("accessToken"),
                                           "Has an octet that no header may have"));
    if (b->problem.code == API_OK) {
        c->has_credential = true;
        c->credential.len = token.len;
        bytes_copy(c->credential.text, token);
    }
}

static void read_credential(struct api_exchange *x, struct sink_change *c)
{
    struct api_body b;
    if (!api_body_begin(&x->body, "sinkCredential", &b))
        return;
    const struct bytes type = api_body_text(&b, "credentialType", API_REQUIRED, 1, 32);
    if (bytes_equal(type, bytes_of_text("PRIVATE_KEY_JWT"))) {
        c->has_client = !x->client.is_user && x->client.token_uri[0] != '\0';
        if (!c->has_client)
            fail_credential(&b, API_INVALID_CREDENTIAL,
                            "It takes a client whose record has a sinkTokenEndpoint");
        api_body_close(&x->body, "sinkCredential", &b);
        return;
    }
    read_token(x, c, &b, type);
    api_body_close(&x->body, "sinkCredential", &b);
}

static bool draw_nonce(struct api_exchange *x, uint8_t nonce[CRYPTO_NONCE_SIZE])
{
    if (x->api->options.fill(x->api->options.fill_context, nonce, CRYPTO_NONCE_SIZE))
        return true;
    api_refuse_code(x, API_UNAVAILABLE);
    return false;
}

// --- writing ---------------------------------------------------------------------------------

static enum store_status keep_credential(struct api_exchange *x, struct store *store,
                                         struct utc now)
{
    struct sink_work *w = x->work;
    const struct sink_safe safe = {x->api->crypto, &x->api->options.client_key};
    if (w->change.has_client || (w->change.is_moved && !w->change.has_credential))
        return sink_secret_drop(store, w->object.document.id, SINK_CREDENTIAL);
    if (!w->change.has_credential)
        return STORE_OK;
    w->change.credential.sink = w->object.document.id;
    w->change.credential.number = SINK_CREDENTIAL;
    return sink_secret_put(&safe, store, api_new_id(x), &w->change.credential, w->change.nonce,
                           now);
}

// As the document shows it.
static void set_credential(const struct api_exchange *x, const struct sink_change *c, json_t *root)
{
    char client[API_ID_SIZE];
    if (!c->has_credential && !c->has_client && !c->is_moved)
        return;
    json_object_del(root, "credentialExpiresAt");
    json_object_del(root, SINK_TOKEN_CLIENT);
    api_id_write(client, "cli", x->client.id);
    if (c->has_client)
        json_object_set_new(root, SINK_TOKEN_CLIENT, json_string(client));
    else if (c->has_credential)
        api_set_time(root, "credentialExpiresAt", c->until);
}

static void look_again(struct api_exchange *x)
{
    if (x->api->options.sinks != NULL)
        sinks_look(x->api->options.sinks);
}

static void reply_sink(struct api_exchange *x)
{
    const struct sink_work *w = x->work;
    const bool is_new = w->object.document.version == 0;
    uint64_t version = 0;
    if (!api_document_put(x, &kind_sink, x->object_id, &version)) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    if (is_new)
        api_location(x, kind_sink.path, SINK_PREFIX, x->object_id);
    api_etag(x, version);
    api_reply(x, is_new ? 201 : 200);
}

static bool see_none(void *context, const struct document *d)
{
    (void)context;
    (void)d;
    return false;
}

static enum store_status check_quota(struct api_exchange *x, struct store *store)
{
    const struct store_page one = {.limit = 1};
    struct document_filter filter = {.kind = STORE_SINK_KIND, .owner = x->tenant, .state = -1};
    uint64_t own = 0;
    uint64_t all = 0;
    enum store_status status = store_documents(store, &filter, &one, see_none, NULL, &own);
    filter.owner = 0;
    if (status == STORE_OK)
        status = store_documents(store, &filter, &one, see_none, NULL, &all);
    if (status != STORE_OK || (own < SINKS_EACH_MAX && all < SINKS_ALL_MAX))
        return status;
    x->problem = api_problem_text(
        API_QUOTA_EXCEEDED,
        "There are as many sinks as there may be: 100 of an enterprise, 1000 of all");
    return STORE_CONFLICT;
}

static enum store_status apply_new(struct api_exchange *x, struct store *store, struct utc now)
{
    enum store_status status = check_quota(x, store);
    if (status == STORE_OK)
        status = api_document_apply(x, store, now);
    if (status == STORE_OK)
        status = store_sink_add(store, x->object_id);
    return status == STORE_OK ? keep_credential(x, store, now) : status;
}

// Of the caller, or one in which it may read cards.
static bool group_is_seen(struct api_exchange *x, uint64_t group)
{
    uint64_t owner = 0;
    uint32_t set = 0;
    bool is_there = false;
    const bool is_group = group == 0 || api_group_owner(x->reader, group, &owner) == STORE_OK;
    if (is_group &&
        (group == 0 || api_owns(x, owner) ||
         (permission_of(x->reader, x->tenant, group, &set, &is_there) == STORE_OK && is_there)))
        return true;
    api_refuse(x, api_problem_field(API_NOT_FOUND, bytes_of_text("groupId"),
                                    "No such group, GET /card-groups lists them"));
    return false;
}

// NULL: none.
static const char *given_url(const struct api_exchange *x)
{
    return json_string_value(json_object_get(x->root, "sink"));
}

// Below one of those that the client's record names, if it names any. Of people nothing is asked.
static bool url_is_agreed(struct api_exchange *x, const char *url)
{
    const struct auth_client *c = &x->client;
    bool is_below = c->is_user || c->prefix_count == 0 || url == NULL;
    for (uint8_t i = 0; i < c->prefix_count && !is_below; i++)
        is_below = sink_url_is_below(bytes_of_text(url), bytes_of_text(c->prefixes[i]));
    if (!is_below)
        api_refuse(x, api_problem_field(
                          API_INVALID_SINK, bytes_of_text("sink"),
                          "It begins with none of the client's sinkPrefixes: give one that does"));
    return is_below;
}

void api_sinks_post(struct api_exchange *x)
{
    struct sink_work *w = open_work(x);
    if (w == NULL)
        return;
    const uint64_t group = api_body_id(&x->body, "groupId", API_OPTIONAL, "grp");
    read_url(x, API_REQUIRED);
    read_protocol(x);
    const uint32_t types = read_types(x, API_REQUIRED);
    read_credential(x, &w->change);
    if (!api_end_reading(x) || !group_is_seen(x, group) || !url_is_agreed(x, given_url(x)) ||
        !draw_nonce(x, w->change.nonce))
        return;
    x->object_id = api_new_id(x);
    w->object.document = (struct document){.kind = STORE_SINK_KIND,
                                           .id = x->object_id,
                                           .owner = x->tenant,
                                           .parent = group,
                                           .state = types};
    json_object_del(x->root, "sinkCredential");
    json_object_del(x->root, "protocol");
    json_object_set_new(x->root, "secrets", json_array());
    set_credential(x, &w->change, x->root);
    if (api_document_fill(x, &w->object, x->root))
        api_commit(x, apply_new, reply_sink);
}

// One that slept because of what has changed is asked again.
static enum store_status wake(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct sink_work *w = x->work;
    const struct sink_health well = {.state = SINK_STATE_OK};
    struct sink_row row;
    enum store_status status = store_sink_get(store, x->object_id, &row);
    if (status != STORE_OK)
        return status;
    const bool is_mended = (w->change.has_url && row.health.why == SINK_WHY_GONE) ||
                           ((w->change.has_credential || w->change.has_client) &&
                            row.health.why == SINK_WHY_CREDENTIAL);
    if (!w->change.wakes && !is_mended)
        return STORE_OK;
    status = store_sink_health_put(store, x->object_id, &well);
    return status == STORE_OK ? sink_alarm_keep(store, x->api->options.turn, x->object_id, now)
                              : status;
}

static enum store_status apply_change(struct api_exchange *x, struct store *store, struct utc now)
{
    enum store_status status = api_document_apply(x, store, now);
    if (status == STORE_OK)
        status = keep_credential(x, store, now);
    return status == STORE_OK ? wake(x, store, now) : status;
}

static bool fill_changed(struct api_exchange *x, struct sink_work *w, uint32_t types)
{
    static const char *const kept[] = {"sink", "types"};
    json_t *root = NULL;
    if (json_read(w->object.document.body, &root) != JSON_READ_OK) {
        api_refuse_code(x, API_INTERNAL);
        return false;
    }
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        json_t *value = json_object_get(x->root, kept[i]);
        if (value != NULL)
            json_object_set(root, kept[i], value);
    }
    set_credential(x, &w->change, root);
    if (types != 0)
        w->object.document.state = types;
    const bool is_filled = api_document_fill(x, &w->object, root);
    json_decref(root);
    return is_filled;
}

// Whoever enters a credential has it sent to where the sink is, as if the sink were entered. Says
// also whether the sink moves.
static bool judge_place(struct api_exchange *x, struct sink_work *w)
{
    struct sink_change *c = &w->change;
    struct sink kept;
    if (!sink_read(&w->object.document, &kept)) {
        api_refuse_code(x, API_INTERNAL);
        return false;
    }
    c->is_moved = c->has_url && strcmp(given_url(x), kept.url) != 0;
    const bool is_asked = c->has_url || c->has_credential || c->has_client;
    return !is_asked || url_is_agreed(x, c->has_url ? given_url(x) : kept.url);
}

void api_sink_patch(struct api_exchange *x)
{
    static const char *const states[] = {"OK", NULL};
    struct sink_work *w = open_work(x);
    if (w == NULL)
        return;
    w->change.has_url = api_body_has(&x->body, "sink");
    read_url(x, API_OPTIONAL);
    const uint32_t types = read_types(x, API_OPTIONAL);
    read_credential(x, &w->change);
    w->change.wakes = api_body_enum(&x->body, "status", API_OPTIONAL, states) == 0;
    if (!load(x, w) || !api_if_match(x, w->object.document.version) || !judge_place(x, w) ||
        !draw_nonce(x, w->change.nonce) || !fill_changed(x, w, types))
        return;
    x->committed = look_again;
    api_commit(x, apply_change, reply_sink);
}

static enum store_status drop_all(struct api_exchange *x, struct store *store, struct utc now)
{
    char object[API_ID_SIZE];
    api_id_write(object, SINK_PREFIX, x->object_id);
    const struct alarm_place at = {.key = ALARM_SINK_DEAD, .object = object};
    // Also those that its document names no more.
    enum store_status status = auth_end_all(store, SINK_SECRET_KIND, x->object_id, 0);
    if (status == STORE_OK)
        status = store_sink_delete(store, x->object_id);
    if (status == STORE_OK)
        status = alarm_clear(store, &at, now);
    return status == STORE_NONE ? STORE_OK : status;
}

void api_sink_delete(struct api_exchange *x)
{
    struct sink_work *w = open_work(x);
    api_read_reason(x, API_OPTIONAL);
    if (w != NULL && load(x, w) && api_if_match(x, w->object.document.version))
        api_document_remove(x, &kind_sink, drop_all);
}

// --- trying it -------------------------------------------------------------------------------

static enum store_status apply_test(struct api_exchange *x, struct store *store, struct utc now)
{
    struct sink_work *w = x->work;
    uint8_t octets[64];
    struct writer out = writer_of(octets, sizeof(octets));
    struct json_writer j = json_writer_of(&out);
    struct sink_row row;
    json_begin_object(&j);
    api_put_id(&j, "sinkId", SINK_PREFIX, x->object_id);
    json_end_object(&j);
    enum store_status status = store_sink_get(store, x->object_id, &row);
    if (status == STORE_OK && sink_next(&row.health).ms == 0 &&
        row.health.state == SINK_SUSPENDED) {
        x->problem = api_problem_text(API_INCOMPATIBLE_STATE,
                                      "The sink is suspended: PATCH its status to OK first");
        return STORE_CONFLICT;
    }
    struct delivery d = {.sink = x->object_id,
                         .tenant = w->object.document.owner,
                         .kind = NOTICE_TEST,
                         .at = now,
                         .data = writer_bytes(&out)};
    if (status == STORE_OK)
        status = store_delivery_add(store, &d, &w->delivery);
    return status == STORE_OK
               ? api_trail(x, store, "event-sink.tested", STORE_SINK_KIND, x->object_id, NULL)
               : status;
}

static void reply_test(struct api_exchange *x)
{
    const struct sink_work *w = x->work;
    api_location(x, "/event-deliveries", DELIVERY_PREFIX, w->delivery);
    if (api_delivery_put(x, w->delivery))
        api_reply(x, 202);
    else
        api_refuse_code(x, API_INTERNAL);
}

void api_sink_test(struct api_exchange *x)
{
    struct sink_work *w = open_work(x);
    if (w != NULL && load(x, w))
        api_commit(x, apply_test, reply_test);
}

// --- secrets of signatures -----------------------------------------------------------------------

static enum store_status apply_secret(struct api_exchange *x, struct store *store, struct utc now)
{
    struct sink_work *w = x->work;
    const struct sink_safe safe = {x->api->crypto, &x->api->options.client_key};
    enum store_status status = api_document_apply(x, store, now);
    for (size_t i = 0; i < w->ended_count && status == STORE_OK; i++)
        status = sink_secret_drop(store, x->object_id, w->ended[i]);
    return status == STORE_OK ? sink_secret_put(&safe, store, api_new_id(x), &w->change.credential,
                                                w->change.nonce, now)
                              : status;
}

static void reply_secret(struct api_exchange *x)
{
    const struct sink_work *w = x->work;
    json_begin_object(&x->json);
    api_put_number(&x->json, "number", w->number);
    api_put_text(&x->json, "secret", w->secret);
    json_end_object(&x->json);
    api_reply(x, 201);
}

// Those that have ended leave; the one that is there gets its end. False: there are two.
static bool make_room(struct sink_work *w, json_t *list, struct utc now, struct utc until)
{
    struct sink sink;
    if (!sink_read(&w->object.document, &sink))
        return false;
    for (unsigned i = sink.secret_count; i-- > 0;) {
        const struct utc end = sink.secrets[i].until;
        if (end.ms != 0 && end.ms <= now.ms) {
            json_array_remove(list, i);
            w->ended[w->ended_count++] = sink.secrets[i].number;
        }
        w->number = sink.secrets[i].number > w->number ? sink.secrets[i].number : w->number;
    }
    w->number++;
    if (json_array_size(list) == SINK_SECRETS_MAX)
        return false;
    if (json_array_size(list) == 1)
        api_set_time(json_array_get(list, 0), "endsAt", until);
    json_t *one = json_object();
    json_object_set_new(one, "number", json_integer((json_int_t)w->number));
    return json_array_append_new(list, one) == 0;
}

void api_sink_secrets_post(struct api_exchange *x)
{
    uint8_t entropy[32];
    json_t *root = NULL;
    const int64_t overlap_s =
        api_body_integer(&x->body, "overlapSeconds", 0, OVERLAP_MAX_S, OVERLAP_S);
    struct sink_work *w = open_work(x);
    if (w == NULL || !load(x, w) || !draw_nonce(x, w->change.nonce))
        return;
    if (json_read(w->object.document.body, &root) != JSON_READ_OK ||
        !x->api->options.fill(x->api->options.fill_context, entropy, sizeof(entropy))) {
        json_decref(root);
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    const bool has_room = make_room(w, json_object_get(root, "secrets"), x->now.utc,
                                    utc_after(x->now.utc, overlap_s * 1000));
    auth_secret_make(w->secret, entropy);
    secret_wipe(entropy, sizeof(entropy));
    w->change.credential =
        (struct sink_secret){.sink = x->object_id, .number = w->number, .len = AUTH_TOKEN_SIZE - 1};
    memcpy(w->change.credential.text, w->secret, AUTH_TOKEN_SIZE - 1);
    const bool is_filled = has_room && api_document_fill(x, &w->object, root);
    json_decref(root);
    if (!has_room)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "It has two secrets already: wait for the older "
                                       "one's end"));
    else if (is_filled)
        api_commit(x, apply_secret, reply_secret);
}

#include "ota-server/service/api_client.h"

#include "common/base/text.h"
#include "ota-server/service/api_difference.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/auth_user.h"
#include "ota-server/service/client_admin.h"

#include <stdlib.h>

#define OVERLAP_S (7 * 24 * 3600)
#define OVERLAP_MAX_S (30 * 24 * 3600)

static const char *const statuses[] = {"SUSPENDED", "ACTIVE", "REQUESTED", "REVOKED", NULL};

struct client_work {
    struct auth_client client;
    char secret[AUTH_TOKEN_SIZE];
    unsigned number; // of the secret
    bool ends_tokens;
    const char *action;
};

static void close_work(void *work)
{
    struct client_work *w = work;
    secret_wipe(w->secret, sizeof(w->secret));
}

static struct client_work *open_work(struct api_exchange *x)
{
    struct client_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    else
        x->close_work = close_work;
    return w;
}

// --- showing ---

static void put_lists(struct json_writer *j, const struct auth_client *c)
{
    api_open_array(j, "scopes");
    for (unsigned i = 0; i < c->scope_count; i++)
        api_put_text(j, NULL, c->scopes[i]);
    json_end_array(j);
    api_open_array(j, "mechanisms");
    for (unsigned i = 0; api_client_mechanisms[i] != NULL; i++) {
        if ((c->mechanisms >> i & 1) != 0)
            api_put_text(j, NULL, api_client_mechanisms[i]);
    }
    json_end_array(j);
    api_open_array(j, "secrets");
    for (unsigned i = 0; i < c->secret_count; i++) {
        json_begin_object(j);
        api_put_number(j, "number", c->secrets[i].number);
        api_put_time(j, "endsAt", c->secrets[i].until);
        json_end_object(j);
    }
    json_end_array(j);
}

static void put_certificate(struct json_writer *j, const struct auth_client *c)
{
    if (c->certificate[0] == '\0')
        return;
    api_open_object(j, "certificate");
    if (c->subject[0] == '\0') {
        api_put_text(j, "sha256", strchr(c->certificate, ':') + 1);
    } else {
        api_put_text(j, "issuer", c->issuer);
        api_put_text(j, "subject", c->subject);
    }
    json_end_object(j);
}

static void put_limits(struct json_writer *j, const struct auth_client *c)
{
    if (c->source_count > 0) {
        api_open_array(j, "sourceCidrs");
        for (uint8_t i = 0; i < c->source_count; i++)
            api_put_text(j, NULL, c->sources[i]);
        json_end_array(j);
    }
    if (c->prefix_count > 0) {
        api_open_array(j, "sinkPrefixes");
        for (uint8_t i = 0; i < c->prefix_count; i++) {
            json_begin_object(j);
            api_put_text(j, "prefix", c->prefixes[i]);
            json_end_object(j);
        }
        json_end_array(j);
    }
    if (c->token_uri[0] != '\0') {
        api_open_object(j, "sinkTokenEndpoint");
        api_put_text(j, "tokenUri", c->token_uri);
        api_put_text(j, "clientId", c->token_id);
        json_end_object(j);
    }
    api_open_object(j, "quotas");
    api_open_object(j, "callsPerMonth");
    for (size_t i = 0; i < AUTH_APIS; i++) {
        if (c->calls_per_month[i] > 0)
            api_put_number(j, auth_api_names[i], c->calls_per_month[i]);
    }
    json_end_object(j);
    json_end_object(j);
}

static void put_client(struct json_writer *j, const struct auth_client *c, struct utc changed_at)
{
    json_begin_object(j);
    api_put_id(j, "id", "cli", c->id);
    api_put_text(j, "name", c->name);
    api_put_id(j, "enterpriseId", "ent", c->tenant);
    api_put_text(j, "appKey", c->app_key);
    api_put_text(j, "status", statuses[c->status]);
    put_lists(j, c);
    if (c->jwks[0] != '\0') {
        json_put_key(j, "jwks");
        json_put_raw(j, bytes_of_text(c->jwks));
    }
    if (c->jwks_uri[0] != '\0')
        api_put_text(j, "jwksUri", c->jwks_uri);
    put_certificate(j, c);
    api_put_bool(j, "certificateBoundTokens", c->has_bound_tokens);
    put_limits(j, c);
    api_put_number(j, "ratePerSecond", c->per_second);
    api_put_number(j, "burst", c->burst);
    api_put_time(j, "createdAt", c->created_at);
    api_put_time(j, "updatedAt", changed_at);
    api_put_number(j, "version", c->version);
    json_end_object(j);
}

static void put_document(struct json_writer *j, const struct document *d)
{
    struct auth_client *client = malloc(sizeof(*client));
    if (client != NULL && auth_client_read(d, client))
        put_client(j, client, d->changed_at);
    free(client);
}

static bool put_row(void *context, const struct document *d)
{
    put_document(&((struct api_exchange *)context)->json, d);
    return true;
}

void api_clients_list(struct api_exchange *x)
{
    static const char *const fields[] = {"createdAt", NULL};
    struct api_list list;
    if (!api_list_begin(x, &list, fields) || !api_end_reading(x))
        return;
    const struct document_filter filter = {.kind = "client",
                                           .owner = api_reach(x),
                                           .state = -1,
                                           .is_descending = list.page.is_descending};
    api_list_open(x);
    const enum store_status status =
        store_documents(x->reader, &filter, &list.window, put_row, x, &list.total);
    if (status == STORE_OK)
        api_list_end(x, &list);
    else
        api_refuse_store(x, status);
}

static bool find_client(struct api_exchange *x, struct client_work *w)
{
    if (!api_capture(x, 0, "cli", &x->object_id))
        return false;
    const enum store_status status = auth_client_get(x->reader, x->object_id, &w->client);
    if (status == STORE_OK && api_owns(x, w->client.tenant))
        return true;
    api_refuse_store(x, status == STORE_OK ? STORE_NONE : status);
    return false;
}

static bool show_client(void *context, const struct document *d)
{
    return put_row(context, d) && false;
}

static void reply_with(struct api_exchange *x, unsigned status)
{
    const struct client_work *w = x->work;
    const bool is_changed = status == 201 || w->action != NULL;
    if (store_document_get(x->reader, "client", x->object_id, show_client, x) != STORE_OK) {
        api_refuse_code(x, API_INTERNAL);
        return;
    }
    if (status == 201)
        api_location(x, "/api-clients", "cli", x->object_id);
    api_etag(x, w->client.version + is_changed);
    api_reply(x, status);
}

void api_client_get(struct api_exchange *x)
{
    struct client_work *w = open_work(x);
    if (w != NULL && api_end_reading(x) && find_client(x, w))
        reply_with(x, 200);
}

// --- keeping ---

static enum store_status keep(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct client_work *w = x->work;
    enum store_status status = api_difference_begin(x, store, "client", w->client.id, put_document);
    if (status == STORE_OK)
        status = auth_client_put(store, &w->client, now);
    if (status == STORE_OK) {
        status = auth_certificate_put(store, &w->client, now);
        if (status == STORE_CONFLICT)
            x->problem = api_problem_field(API_ALREADY_EXISTS, bytes_of_text("certificate"),
                                           "Another client has this certificate: give another one");
    }
    // A token does not come back to life with its client.
    if (status == STORE_OK && (w->client.status != CLIENT_ACTIVE || w->ends_tokens))
        status = auth_end_all(store, "token", w->client.id, 0);
    return status == STORE_OK ? api_trail(x, store, w->action, "client", w->client.id, NULL)
                              : status;
}

static void reply_created(struct api_exchange *x)
{
    reply_with(x, 201);
}

static void reply_changed(struct api_exchange *x)
{
    reply_with(x, 200);
}

static void commit(struct api_exchange *x, const char *action,
                   void (*reply)(struct api_exchange *x))
{
    ((struct client_work *)x->work)->action = action;
    api_commit(x, keep, reply);
}

// --- making and changing ---

void api_clients_post(struct api_exchange *x)
{
    uint8_t entropy[AUTH_APP_KEY_SIZE];
    struct client_work *w = open_work(x);
    if (w == NULL)
        return;
    w->client = (struct auth_client){.per_second = CLIENT_PER_SECOND,
                                     .burst = CLIENT_BURST,
                                     .status = CLIENT_REQUESTED,
                                     .asked_by = api_person(x)};
    w->client.tenant = api_body_id(&x->body, "enterpriseId", API_REQUIRED, "ent");
    api_client_read(x, &w->client, API_REQUIRED);
    const struct auth_client usual = {.per_second = CLIENT_PER_SECOND, .burst = CLIENT_BURST};
    if (!api_end_reading(x) || !api_enterprise_allowed(x, w->client.tenant) ||
        !api_client_contract(x, &usual, &w->client) || !api_client_binds(x, &w->client))
        return;
    if (!x->api->options.fill(x->api->options.fill_context, entropy, sizeof(entropy))) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    auth_app_key_make(w->client.app_key, entropy);
    w->client.id = api_new_id(x);
    x->object_id = w->client.id;
    commit(x, "client.requested", reply_created);
}

// From now on the client acts for the caller, too; false: refused.
static bool add_caller(struct api_exchange *x, struct auth_client *c)
{
    bool fits = auth_client_add_person(c, api_person(x));
    for (unsigned i = 0; i < x->client.people_count; i++)
        fits = fits && auth_client_add_person(c, x->client.people[i]);
    if (!fits)
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "Eight people had its secrets: make a new client"));
    return fits;
}

// Changes what the body names. Whoever widens a client asks for it anew: what a second person
// approved, or is about to, is what another one asked for.
static bool change_client(struct api_exchange *x, struct auth_client *c, struct auth_client *then)
{
    *then = *c;
    api_body_init(&x->body, x->root);
    api_client_read(x, c, API_OPTIONAL);
    if (!api_client_contract(x, then, c) || !api_client_binds(x, c))
        return false;
    if (!api_client_is_wider(then, c))
        return true;
    if (!api_client_reach(x, then))
        return false;
    if (c->status == CLIENT_REVOKED) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE, "It is revoked: make another one"));
        return false;
    }
    c->status = CLIENT_REQUESTED;
    if (!auth_client_add_person(c, c->asked_by) || !add_caller(x, c))
        return false;
    c->asked_by = api_person(x);
    return true;
}

// `w` and a second place, which judges the members before it is known whether there is such a
// client, and then remembers how it was.
static void patch_client(struct api_exchange *x, struct client_work *w, struct client_work *other)
{
    static const char *const settable[] = {"SUSPENDED", "ACTIVE", NULL};
    api_client_read(x, &other->client, API_OPTIONAL);
    const int status = api_body_enum(&x->body, "status", API_OPTIONAL, settable);
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !find_client(x, w) || !api_if_match(x, w->client.version))
        return;
    if (status >= 0 && w->client.status != CLIENT_SUSPENDED && w->client.status != CLIENT_ACTIVE) {
        api_refuse(x, api_problem_text(
                          API_INCOMPATIBLE_STATE,
                          "It is not approved, or revoked: have it approved, or make another one"));
        return;
    }
    if (status >= 0)
        w->client.status = (uint8_t)status;
    if (!change_client(x, &w->client, &other->client))
        return;
    w->ends_tokens = w->client.has_bound_tokens && !other->client.has_bound_tokens;
    commit(x, "client.changed", reply_changed);
}

void api_client_patch(struct api_exchange *x)
{
    struct client_work *w = open_work(x);
    struct client_work *other = w == NULL ? NULL : calloc(1, sizeof(*other));
    if (other != NULL)
        patch_client(x, w, other);
    else if (w != NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    free(other);
}

void api_client_approve(struct api_exchange *x)
{
    struct client_work *w = open_work(x);
    api_read_reason(x, API_OPTIONAL);
    if (w == NULL || !api_end_reading(x) || !find_client(x, w) || !api_second_person(x))
        return;
    if (w->client.status != CLIENT_REQUESTED) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "Nobody waits for an approval: it is decided"));
        return;
    }
    if (w->client.asked_by == api_person(x) && !x->api->options.single_person) {
        api_forbid(x, "you asked for it yourself, somebody else approves it");
        return;
    }
    w->client.status = CLIENT_ACTIVE;
    commit(x, "client.approved", reply_changed);
}

void api_client_revoke(struct api_exchange *x)
{
    struct client_work *w = open_work(x);
    api_read_reason(x, API_REQUIRED);
    if (w == NULL || !api_end_reading(x) || !find_client(x, w))
        return;
    if (w->client.status == CLIENT_REVOKED) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE, "It is revoked: make another one"));
        return;
    }
    w->client.status = CLIENT_REVOKED;
    w->client.secret_count = 0;
    secret_wipe(w->client.secrets, sizeof(w->client.secrets));
    commit(x, "client.revoked", reply_changed);
}

// --- secrets ---

static void reply_secret(struct api_exchange *x)
{
    struct client_work *w = x->work;
    struct json_writer *j = &x->json;
    json_begin_object(j);
    api_put_text(j, "appKey", w->client.app_key);
    api_put_number(j, "number", w->number);
    api_put_text(j, "appSecret", w->secret);
    json_end_object(j);
    api_reply(x, 201);
}

// One that has ended takes no place.
static void drop_ended(struct auth_client *c, struct utc now)
{
    uint8_t kept = 0;
    for (uint8_t i = 0; i < c->secret_count; i++) {
        if (c->secrets[i].until.ms == 0 || c->secrets[i].until.ms > now.ms)
            c->secrets[kept++] = c->secrets[i];
    }
    c->secret_count = kept;
}

void api_client_secrets_post(struct api_exchange *x)
{
    uint8_t entropy[32 + CRYPTO_NONCE_SIZE];
    struct client_work *w = open_work(x);
    const int64_t overlap_s =
        api_body_integer(&x->body, "overlapSeconds", 0, OVERLAP_MAX_S, OVERLAP_S);
    api_read_reason(x, API_OPTIONAL);
    if (w == NULL || !api_end_reading(x) || !find_client(x, w) || !api_client_reach(x, &w->client))
        return;
    struct auth_client *c = &w->client;
    drop_ended(c, x->now.utc);
    if (c->status == CLIENT_REVOKED || c->secret_count == AUTH_SECRETS_MAX) {
        api_refuse(x,
                   api_problem_text(API_INCOMPATIBLE_STATE,
                                    "It is revoked, or has two secrets already: delete one first"));
        return;
    }
    if (!add_caller(x, c))
        return;
    if (!x->api->options.fill(x->api->options.fill_context, entropy, sizeof(entropy))) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    if (c->secret_count > 0)
        c->secrets[0].until = utc_after(x->now.utc, overlap_s * 1000);
    auth_secret_make(w->secret, entropy);
    const bool is_sealed = auth_client_add_secret(c, x->api->crypto, &x->api->options.client_key,
                                                  w->secret, entropy + 32);
    secret_wipe(entropy, sizeof(entropy));
    w->number = c->secret_last;
    if (is_sealed)
        commit(x, "client.secret-issued", reply_secret);
    else
        api_refuse_code(x, API_INTERNAL);
}

static void reply_nothing(struct api_exchange *x)
{
    api_reply_empty(x, 204);
}

void api_client_secret_delete(struct api_exchange *x)
{
    uint64_t number = 0;
    struct client_work *w = open_work(x);
    api_read_reason(x, API_OPTIONAL);
    if (w == NULL || !api_end_reading(x) || !find_client(x, w))
        return;
    struct auth_client *c = &w->client;
    uint8_t kept = 0;
    const bool is_number = text_read_decimal(x->match.captures[1], &number);
    for (uint8_t i = 0; i < c->secret_count; i++) {
        if (c->secrets[i].number != number)
            c->secrets[kept++] = c->secrets[i];
    }
    if (!is_number || kept == c->secret_count) {
        api_refuse_code(x, API_NOT_FOUND);
        return;
    }
    c->secret_count = kept;
    commit(x, "client.secret-ended", reply_nothing);
}

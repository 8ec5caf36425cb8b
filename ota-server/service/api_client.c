// API clients: asked for by one person, approved by another, with secrets that are shown once.
#include "common/base/text.h"
#include "ota-server/service/api_group.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/auth_user.h"
#include "ota-server/service/client_admin.h"

#include <stdlib.h>

#define OVERLAP_S (7 * 24 * 3600)
#define OVERLAP_MAX_S (30 * 24 * 3600)

static const char *const statuses[] = {"SUSPENDED", "ACTIVE", "REQUESTED", "REVOKED", NULL};
static const char *const mechanisms[] = {"client_secret", "hmac", "private_key_jwt",
                                         "tls_client_auth", NULL};

struct client_work {
    struct auth_client client;
    char secret[AUTH_TOKEN_SIZE];
    unsigned number; // of the secret
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
    for (unsigned i = 0; mechanisms[i] != NULL; i++) {
        if ((c->mechanisms >> i & 1) != 0)
            api_put_text(j, NULL, mechanisms[i]);
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
    put_certificate(j, c);
    api_put_number(j, "ratePerSecond", c->per_second);
    api_put_number(j, "burst", c->burst);
    api_put_time(j, "createdAt", c->created_at);
    api_put_time(j, "updatedAt", changed_at);
    api_put_number(j, "version", c->version);
    json_end_object(j);
}

static bool put_row(void *context, const struct document *d)
{
    struct auth_client *client = malloc(sizeof(*client));
    if (client != NULL && auth_client_read(d, client))
        put_client(&((struct api_exchange *)context)->json, client, d->changed_at);
    free(client);
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
    enum store_status status = auth_client_put(store, &w->client, now);
    if (status == STORE_CONFLICT && w->client.version != 0)
        x->problem = api_problem_of(API_FAILED_PRECONDITION);
    if (status == STORE_OK) {
        status = auth_certificate_put(store, &w->client, now);
        if (status == STORE_CONFLICT)
            x->problem = api_problem_field(API_ALREADY_EXISTS, bytes_of_text("certificate"),
                                           "Another client has this certificate");
    }
    // A token does not come back to life with its client.
    if (status == STORE_OK && w->client.status != CLIENT_ACTIVE)
        status = auth_end_all(store, "token", w->client.id);
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

// --- members ---

static void fail(struct api_exchange *x, const char *member, const char *text)
{
    api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(member), text));
}

static bool is_known(struct bytes scope)
{
    for (size_t i = 0; client_scopes[i] != NULL; i++) {
        if (bytes_equal(scope, bytes_of_text(client_scopes[i])))
            return true;
    }
    return false;
}

// Nobody gives a client more than they have; who has what an administrator has, has everything.
static bool may_give(const struct api_exchange *x, struct bytes scope)
{
    return auth_has_scope(&x->client, scope) ||
           (api_is_operator(x) && user_role_is_within(ROLE_PLATFORM_ADMIN, &x->client));
}

// A way in as a client is all that the client may do.
static bool check_reach(struct api_exchange *x, const struct auth_client *c)
{
    for (unsigned i = 0; i < c->scope_count; i++) {
        if (!may_give(x, bytes_of_text(c->scopes[i]))) {
            api_refuse_code(x, API_PERMISSION_DENIED);
            return false;
        }
    }
    return true;
}

static void read_scopes(struct api_exchange *x, struct auth_client *c, enum api_need need)
{
    const json_t *list = api_body_array(&x->body, "scopes", need);
    size_t i;
    const json_t *item;
    if (list == NULL)
        return;
    c->scope_count = 0;
    json_array_foreach(list, i, item)
    {
        const struct bytes scope = bytes_of(json_string_value(item), json_string_length(item));
        if (!json_is_string(item) || !is_known(scope) || !auth_add_scope(c, scope))
            fail(x, "scopes", "An unknown scope");
        else if (!may_give(x, scope))
            fail(x, "scopes", "A scope that you do not have");
    }
    if (c->scope_count == 0)
        fail(x, "scopes", "At least one");
}

static void read_mechanisms(struct api_exchange *x, struct auth_client *c, enum api_need need)
{
    const json_t *list = api_body_array(&x->body, "mechanisms", need);
    size_t i;
    const json_t *item;
    if (list == NULL)
        return;
    c->mechanisms = 0;
    json_array_foreach(list, i, item)
    {
        unsigned bit = 0;
        for (unsigned k = 0; mechanisms[k] != NULL && json_is_string(item); k++)
            bit |= strcmp(json_string_value(item), mechanisms[k]) == 0 ? 1u << k : 0;
        c->mechanisms |= (uint8_t)bit;
        if (bit == 0)
            fail(x, "mechanisms", "One of client_secret, hmac, private_key_jwt, tls_client_auth");
    }
    if (c->mechanisms == 0)
        fail(x, "mechanisms", "At least one");
}

static void read_jwks(struct api_exchange *x, struct auth_client *c)
{
    const json_t *jwks = api_body_object(&x->body, "jwks", API_OPTIONAL);
    if (jwks == NULL)
        return;
    const size_t len = json_dumpb(jwks, c->jwks, sizeof(c->jwks) - 1, JSON_COMPACT);
    c->jwks[len < sizeof(c->jwks) ? len : 0] = '\0';
    if (len >= sizeof(c->jwks) || !json_is_array(json_object_get(jwks, "keys")))
        fail(x, "jwks", "A set of keys, of at most 2047 octets");
}

// By its own digest, or by the names of its issuer and subject, so that it can be renewed.
static bool take_certificate(struct auth_client *c, struct api_body *b)
{
    const struct bytes digest = api_body_text(b, "sha256", API_OPTIONAL, 64, 64);
    const struct bytes issuer = api_body_text(b, "issuer", API_OPTIONAL, 1, AUTH_DN_SIZE - 1);
    const struct bytes subject = api_body_text(b, "subject", API_OPTIONAL, 1, AUTH_DN_SIZE - 1);
    uint8_t octets[CRYPTO_SHA256_SIZE];
    struct writer w = writer_of(octets, sizeof(octets));
    memset(c->issuer, 0, sizeof(c->issuer));
    memset(c->subject, 0, sizeof(c->subject));
    if (!api_body_end(b) || (issuer.len == 0) != (subject.len == 0) ||
        (digest.len == 0) == (issuer.len == 0))
        return false;
    if (digest.len > 0) {
        if (!text_unhex(digest, &w) || w.len != sizeof(octets))
            return false;
        auth_certificate_digest(octets, c->certificate);
        return true;
    }
    bytes_copy(c->issuer, issuer);
    bytes_copy(c->subject, subject);
    return auth_certificate_name(issuer, subject, c->certificate);
}

static void read_certificate(struct api_exchange *x, struct auth_client *c)
{
    const json_t *object = api_body_object(&x->body, "certificate", API_OPTIONAL);
    struct api_body b;
    if (object != NULL) {
        api_body_init(&b, object);
        if (!take_certificate(c, &b))
            fail(x, "certificate", "sha256 of 64 hexadecimal digits, or issuer and subject");
    }
}

static void read_members(struct api_exchange *x, struct auth_client *c, enum api_need need)
{
    const struct bytes name = api_body_text(&x->body, "name", need, 1, AUTH_NAME_SIZE - 1);
    if (name.len > 0 && name.len < AUTH_NAME_SIZE) {
        memcpy(c->name, name.at, name.len);
        c->name[name.len] = '\0';
    }
    read_scopes(x, c, need);
    read_mechanisms(x, c, need);
    read_jwks(x, c);
    read_certificate(x, c);
    c->per_second = (uint32_t)api_body_integer(&x->body, "ratePerSecond", 1, 100000, c->per_second);
    c->burst = (uint32_t)api_body_integer(&x->body, "burst", 1, 100000, c->burst);
}

void api_clients_post(struct api_exchange *x)
{
    uint8_t entropy[AUTH_APP_KEY_SIZE];
    struct client_work *w = open_work(x);
    if (w == NULL)
        return;
    w->client = (struct auth_client){
        .per_second = 50, .burst = 100, .status = CLIENT_REQUESTED, .asked_by = api_person(x)};
    w->client.tenant = api_body_id(&x->body, "enterpriseId", API_REQUIRED, "ent");
    read_members(x, &w->client, API_REQUIRED);
    if (!api_end_reading(x) || !api_enterprise_allowed(x, w->client.tenant))
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

// Would what was approved no longer be what there is?
static bool is_wider(const struct auth_client *then, const struct auth_client *now)
{
    for (unsigned i = 0; i < now->scope_count; i++) {
        if (!auth_has_scope(then, bytes_of_text(now->scopes[i])))
            return true;
    }
    return (now->mechanisms & ~then->mechanisms) != 0 || strcmp(now->jwks, then->jwks) != 0 ||
           strcmp(now->certificate, then->certificate) != 0;
}

// Changes what the body names. Whoever widens a client asks for it anew: what a second person
// approved, or is about to, is what another one asked for.
static bool change_client(struct api_exchange *x, struct auth_client *c, struct auth_client *then)
{
    *then = *c;
    api_body_init(&x->body, x->root);
    read_members(x, c, API_OPTIONAL);
    if (!is_wider(then, c))
        return true;
    if (!check_reach(x, then))
        return false;
    if (c->status == CLIENT_REVOKED) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE, "It is revoked"));
        return false;
    }
    c->status = CLIENT_REQUESTED;
    c->asked_by = api_person(x);
    return true;
}

// `w` and a second place, which judges the members before it is known whether there is such a
// client, and then remembers how it was.
static void patch_client(struct api_exchange *x, struct client_work *w, struct client_work *other)
{
    static const char *const settable[] = {"SUSPENDED", "ACTIVE", NULL};
    read_members(x, &other->client, API_OPTIONAL);
    const int status = api_body_enum(&x->body, "status", API_OPTIONAL, settable);
    api_read_reason(x, API_OPTIONAL);
    if (!api_end_reading(x) || !find_client(x, w) || !api_if_match(x, w->client.version))
        return;
    if (status >= 0 && w->client.status != CLIENT_SUSPENDED && w->client.status != CLIENT_ACTIVE) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE, "It is not approved, or revoked"));
        return;
    }
    if (status >= 0)
        w->client.status = (uint8_t)status;
    if (change_client(x, &w->client, &other->client))
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
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE, "Nobody waits for an approval"));
        return;
    }
    if (w->client.asked_by == api_person(x) && !x->api->options.single_person) {
        api_refuse_code(x, API_PERMISSION_DENIED);
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
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE, "It is revoked"));
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
    if (w == NULL || !api_end_reading(x) || !find_client(x, w) || !check_reach(x, &w->client))
        return;
    struct auth_client *c = &w->client;
    drop_ended(c, x->now.utc);
    if (c->status == CLIENT_REVOKED || c->secret_count == AUTH_SECRETS_MAX) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "It is revoked, or has two secrets already"));
        return;
    }
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

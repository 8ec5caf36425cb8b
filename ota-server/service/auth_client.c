#include "ota-server/service/auth_client.h"

#include "common/base/json_writer.h"
#include "common/base/text.h"
#include "common/host/ip.h"
#include "common/host/json.h"
#include "ota-server/service/api_text.h"

#define SCOPE_PREFIX "connectivity-management:"
#define BODY_MAX 16384

const char *const auth_api_names[AUTH_APIS + 1] = {"connectivity-management",
                                                   "esim-profile-management", NULL};

#define OTHER_PREFIX "iot-device-management:"

static bool begins_with(struct bytes text, const char *start)
{
    const size_t len = strlen(start);
    return text.len > len && memcmp(text.at, start, len) == 0;
}

void auth_scope_put(struct writer *w, const char *scope)
{
    if (!begins_with(bytes_of_text(scope), OTHER_PREFIX))
        text_put(w, SCOPE_PREFIX);
    text_put(w, scope);
}

bool auth_scope_read(struct bytes text, struct bytes *scope)
{
    const bool is_ours = begins_with(text, SCOPE_PREFIX);
    *scope = is_ours ? bytes_slice(text, strlen(SCOPE_PREFIX), text.len) : text;
    return is_ours ? !begins_with(*scope, OTHER_PREFIX) : begins_with(text, OTHER_PREFIX);
}

bool auth_has_scope(const struct auth_client *client, struct bytes scope)
{
    for (unsigned i = 0; i < client->scope_count; i++) {
        if (bytes_equal(bytes_of_text(client->scopes[i]), scope))
            return true;
    }
    return false;
}

static bool is_scope(struct bytes scope)
{
    const struct bytes resource = api_until(scope, ':');
    if (resource.len == 0 || resource.len + 1 >= scope.len)
        return false;
    for (size_t i = 0; i < scope.len; i++) {
        const uint8_t c = scope.at[i];
        if (!(c >= 'a' && c <= 'z') && c != '-' && c != ':')
            return false;
    }
    return scope.len < AUTH_SCOPE_SIZE;
}

bool auth_add_scope(struct auth_client *client, struct bytes scope)
{
    if (!is_scope(scope) || client->scope_count == AUTH_SCOPES_MAX)
        return false;
    if (auth_has_scope(client, scope))
        return true;
    bytes_copy(client->scopes[client->scope_count], scope);
    client->scopes[client->scope_count][scope.len] = '\0';
    client->scope_count++;
    return true;
}

bool auth_is_source(const struct auth_client *client, const char *peer)
{
    struct ip ip;
    bool is_one = false;
    if (client->source_count == 0)
        return true;
    if (!ip_read(bytes_of_text(peer), &ip))
        return false;
    for (uint8_t i = 0; i < client->source_count; i++) {
        struct ip_network network;
        is_one |= ip_network_read(client->sources[i], &network) && ip_is_in(&ip, &network, 1);
    }
    return is_one;
}

// --- as documents ---

static void write_limits(struct json_writer *j, const struct auth_client *client)
{
    json_put_key(j, "sources");
    json_begin_array(j);
    for (uint8_t i = 0; i < client->source_count; i++)
        json_put_string(j, client->sources[i]);
    json_end_array(j);
    json_put_key(j, "sinkPrefixes");
    json_begin_array(j);
    for (uint8_t i = 0; i < client->prefix_count; i++)
        json_put_string(j, client->prefixes[i]);
    json_end_array(j);
    json_put_key(j, "jwksUri");
    json_put_string(j, client->jwks_uri);
    json_put_key(j, "tokenUri");
    json_put_string(j, client->token_uri);
    json_put_key(j, "tokenId");
    json_put_string(j, client->token_id);
    json_put_key(j, "callsPerMonth");
    json_begin_object(j);
    for (size_t i = 0; i < AUTH_APIS; i++) {
        json_put_key(j, auth_api_names[i]);
        json_put_unsigned(j, client->calls_per_month[i]);
    }
    json_end_object(j);
}

bool auth_client_is_of(const struct auth_client *client, uint64_t person)
{
    bool is = client->asked_by == person;
    for (unsigned i = 0; i < client->people_count; i++)
        is |= client->people[i] == person;
    return is && person != 0;
}

bool auth_client_add_person(struct auth_client *client, uint64_t person)
{
    if (person == 0 || auth_client_is_of(client, person))
        return true;
    if (client->people_count == AUTH_PEOPLE_MAX)
        return false;
    client->people[client->people_count++] = person;
    return true;
}

static void write_client(struct writer *w, const struct auth_client *client)
{
    struct json_writer j = json_writer_of(w);
    json_begin_object(&j);
    json_put_key(&j, "name");
    json_put_string(&j, client->name);
    json_put_key(&j, "perSecond");
    json_put_unsigned(&j, client->per_second);
    json_put_key(&j, "burst");
    json_put_unsigned(&j, client->burst);
    json_put_key(&j, "mechanisms");
    json_put_unsigned(&j, client->mechanisms);
    json_put_key(&j, "jwks");
    json_put_string(&j, client->jwks);
    json_put_key(&j, "certificate");
    json_put_string(&j, client->certificate);
    json_put_key(&j, "issuer");
    json_put_string(&j, client->issuer);
    json_put_key(&j, "subject");
    json_put_string(&j, client->subject);
    json_put_key(&j, "boundTokens");
    json_put_bool(&j, client->has_bound_tokens);
    json_put_key(&j, "people");
    json_begin_array(&j);
    for (unsigned i = 0; i < client->people_count; i++)
        json_put_unsigned(&j, client->people[i]);
    json_end_array(&j);
    json_put_key(&j, "scopes");
    json_begin_array(&j);
    for (unsigned i = 0; i < client->scope_count; i++)
        json_put_string(&j, client->scopes[i]);
    json_end_array(&j);
    json_put_key(&j, "secrets");
    json_begin_array(&j);
    for (unsigned i = 0; i < client->secret_count; i++) {
        char hex[2 * (CRYPTO_NONCE_SIZE + AUTH_SEALED_SIZE)];
        struct writer h = writer_of(hex, sizeof(hex));
        text_hex(&h, bytes_of(client->secrets[i].nonce, CRYPTO_NONCE_SIZE));
        text_hex(&h, bytes_of(client->secrets[i].sealed, AUTH_SEALED_SIZE));
        json_begin_object(&j);
        json_put_key(&j, "sealed");
        json_put_text(&j, writer_bytes(&h));
        json_put_key(&j, "until");
        json_put_signed(&j, client->secrets[i].until.ms);
        json_put_key(&j, "number");
        json_put_unsigned(&j, client->secrets[i].number);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_put_key(&j, "secretLast");
    json_put_unsigned(&j, client->secret_last);
    write_limits(&j, client);
    json_end_object(&j);
}

static bool read_secret(const json_t *object, struct auth_secret *out)
{
    uint8_t octets[CRYPTO_NONCE_SIZE + AUTH_SEALED_SIZE];
    struct writer w = writer_of(octets, sizeof(octets));
    struct bytes sealed = {0};
    if (json_get_text(object, "sealed", &sealed) != JSON_FOUND || !text_unhex(sealed, &w) ||
        w.len != sizeof(octets))
        return false;
    memcpy(out->nonce, octets, CRYPTO_NONCE_SIZE);
    memcpy(out->sealed, octets + CRYPTO_NONCE_SIZE, AUTH_SEALED_SIZE);
    return json_get_integer(object, "until", 0, INT64_MAX, &out->until.ms) == JSON_FOUND;
}

static void copy_text(char *to, size_t size, struct bytes text)
{
    const size_t len = text.len < size - 1 ? text.len : size - 1;
    bytes_copy(to, bytes_of(text.at, len));
    to[len] = '\0';
}

// Those that were kept without a number are numbered as they stand.
static void read_number(const json_t *object, struct auth_client *out, struct auth_secret *secret)
{
    int64_t number = 0;
    secret->number = json_get_integer(object, "number", 1, UINT32_MAX, &number) == JSON_FOUND
                         ? (uint32_t)number
                         : out->secret_count + 1u;
    if (secret->number > out->secret_last)
        out->secret_last = secret->number;
}

static bool read_lists(const json_t *root, struct auth_client *out)
{
    const json_t *list = NULL;
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(root, "people"), i, item)
    {
        if (!auth_client_add_person(out, (uint64_t)json_integer_value(item)))
            return false;
    }
    if (json_get_array(root, "scopes", &list) != JSON_FOUND)
        return false;
    json_array_foreach(list, i, item)
    {
        if (!auth_add_scope(out, bytes_of(json_string_value(item), json_string_length(item))))
            return false;
    }
    int64_t last = 0;
    if (json_get_integer(root, "secretLast", 0, UINT32_MAX, &last) == JSON_FOUND)
        out->secret_last = (uint32_t)last;
    if (json_get_array(root, "secrets", &list) != JSON_FOUND)
        return false;
    json_array_foreach(list, i, item)
    {
        if (out->secret_count == AUTH_SECRETS_MAX ||
            !read_secret(item, &out->secrets[out->secret_count]))
            return false;
        read_number(item, out, &out->secrets[out->secret_count]);
        out->secret_count++;
    }
    return true;
}

// Those that were kept before there was a choice have both ways of a secret.
static void read_proofs(const json_t *root, struct auth_client *out)
{
    int64_t set = CLIENT_BY_SECRET | CLIENT_BY_HMAC;
    struct bytes jwks = {0};
    if (json_get_integer(root, "mechanisms", 0, 15, &set) == JSON_FOUND &&
        json_get_text(root, "jwks", &jwks) == JSON_FOUND)
        copy_text(out->jwks, sizeof(out->jwks), jwks);
    struct bytes text = {0};
    if (json_get_text(root, "certificate", &text) == JSON_FOUND)
        copy_text(out->certificate, sizeof(out->certificate), text);
    if (json_get_text(root, "issuer", &text) == JSON_FOUND)
        copy_text(out->issuer, sizeof(out->issuer), text);
    if (json_get_text(root, "subject", &text) == JSON_FOUND)
        copy_text(out->subject, sizeof(out->subject), text);
    // Records from before there was a choice need none.
    if (json_get_bool(root, "boundTokens", &out->has_bound_tokens) != JSON_FOUND)
        out->has_bound_tokens = false;
    out->mechanisms = (uint8_t)set;
}

// Records from before there were any have none.
static void read_limits(const json_t *root, struct auth_client *out)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(root, "sources"), i, item)
    {
        if (json_is_string(item) && out->source_count < AUTH_SOURCES_MAX)
            copy_text(out->sources[out->source_count++], AUTH_SOURCE_SIZE,
                      bytes_of(json_string_value(item), json_string_length(item)));
    }
    struct bytes text = {0};
    if (json_get_text(root, "jwksUri", &text) == JSON_FOUND)
        copy_text(out->jwks_uri, sizeof(out->jwks_uri), text);
    if (json_get_text(root, "tokenUri", &text) == JSON_FOUND)
        copy_text(out->token_uri, sizeof(out->token_uri), text);
    if (json_get_text(root, "tokenId", &text) == JSON_FOUND)
        copy_text(out->token_id, sizeof(out->token_id), text);
    json_array_foreach(json_object_get(root, "sinkPrefixes"), i, item)
    {
        if (json_is_string(item) && out->prefix_count < AUTH_PREFIXES_MAX)
            copy_text(out->prefixes[out->prefix_count++], AUTH_URL_SIZE,
                      bytes_of(json_string_value(item), json_string_length(item)));
    }
    for (i = 0; i < AUTH_APIS; i++) {
        const json_t *calls = json_object_get(root, "callsPerMonth");
        int64_t value = 0;
        if (calls != NULL &&
            json_get_integer(calls, auth_api_names[i], 0, INT64_MAX, &value) == JSON_FOUND)
            out->calls_per_month[i] = (uint64_t)value;
    }
}

struct found_client {
    struct auth_kept *kept; // or NULL
    struct auth_client *out;
    bool ok;
};

static bool find_kept(struct found_client *f, const struct document *d)
{
    for (unsigned i = 0; i < AUTH_KEPT_MAX; i++) {
        const struct auth_client *c = &f->kept->clients[i];
        if (c->id == d->id && c->version == d->version) {
            *f->out = *c;
            return true;
        }
    }
    return false;
}

static bool take_client(void *context, const struct document *d)
{
    struct found_client *f = context;
    f->ok = f->kept != NULL && find_kept(f, d);
    if (f->ok)
        return false;
    *f->out = (struct auth_client){.id = d->id,
                                   .tenant = d->owner,
                                   .asked_by = d->parent,
                                   .version = d->version,
                                   .created_at = d->created_at,
                                   .status = (uint8_t)(d->state & 3),
                                   .is_suspended = d->state != CLIENT_ACTIVE};
    if (d->name != NULL)
        copy_text(f->out->app_key, sizeof(f->out->app_key), bytes_of_text(d->name));
    json_t *root = NULL;
    if (json_read(d->body, &root) != JSON_READ_OK)
        return false;
    struct bytes name = {0};
    int64_t per_second = 0;
    int64_t burst = 0;
    f->ok = json_get_text(root, "name", &name) == JSON_FOUND &&
            json_get_integer(root, "perSecond", 1, 100000, &per_second) == JSON_FOUND &&
            json_get_integer(root, "burst", 1, 100000, &burst) == JSON_FOUND &&
            read_lists(root, f->out);
    if (f->ok) {
        copy_text(f->out->name, sizeof(f->out->name), name);
        f->out->per_second = (uint32_t)per_second;
        f->out->burst = (uint32_t)burst;
        read_proofs(root, f->out);
        read_limits(root, f->out);
    }
    if (f->ok && f->kept != NULL) {
        f->kept->clients[f->kept->next] = *f->out;
        f->kept->next = (f->kept->next + 1) % AUTH_KEPT_MAX;
    }
    json_decref(root);
    return false;
}

bool auth_client_read(const struct document *d, struct auth_client *out)
{
    struct found_client f = {.out = out};
    (void)take_client(&f, d);
    return f.ok;
}

enum store_status auth_client_by_key(struct store *s, struct auth_kept *kept, struct bytes app_key,
                                     struct auth_client *out)
{
    char name[AUTH_APP_KEY_SIZE + 1];
    if (!auth_is_app_key(app_key))
        return STORE_NONE;
    copy_text(name, sizeof(name), app_key);
    struct found_client f = {.kept = kept, .out = out};
    const enum store_status status = store_document_named(s, "client", name, take_client, &f);
    return status == STORE_OK && !f.ok ? STORE_FAILED : status;
}

static enum store_status get_client(struct store *s, uint64_t id, struct found_client *f)
{
    const enum store_status status = store_document_get(s, "client", id, take_client, f);
    return status == STORE_OK && !f->ok ? STORE_FAILED : status;
}

enum store_status auth_client_get(struct store *s, uint64_t id, struct auth_client *out)
{
    struct found_client f = {.out = out};
    return get_client(s, id, &f);
}

enum store_status auth_client_put(struct store *s, const struct auth_client *client, struct utc now)
{
    uint8_t body[BODY_MAX];
    struct writer w = writer_of(body, sizeof(body));
    write_client(&w, client);
    if (w.failed)
        return STORE_FAILED;
    const struct document d = {
        .kind = "client",
        .id = client->id,
        .owner = client->tenant,
        .name = client->app_key,
        .parent = client->asked_by,
        .state = client->status,
        .version = client->version,
        .created_at = client->version == 0 ? now : client->created_at,
        .changed_at = now,
        .body = writer_bytes(&w),
    };
    return store_document_put(s, &d);
}

bool auth_client_add_secret(struct auth_client *client, struct crypto *crypto,
                            const struct secret_key *key, const char *secret,
                            const uint8_t nonce[CRYPTO_NONCE_SIZE])
{
    if (client->secret_count == AUTH_SECRETS_MAX)
        return false;
    struct auth_secret *s = &client->secrets[client->secret_count];
    memcpy(s->nonce, nonce, CRYPTO_NONCE_SIZE);
    struct writer w = writer_of(s->sealed, sizeof(s->sealed));
    if (!crypto_seal(crypto, key, nonce, bytes_of_text(client->app_key), bytes_of_text(secret), &w))
        return false;
    s->until = (struct utc){0};
    s->number = ++client->secret_last;
    client->secret_count++;
    return true;
}

bool auth_client_secret(const struct auth_client *client, struct crypto *crypto,
                        const struct secret_key *key, unsigned index, struct utc now,
                        uint8_t secret[AUTH_SECRET_SIZE])
{
    if (index >= client->secret_count)
        return false;
    const struct auth_secret *s = &client->secrets[index];
    if (s->until.ms != 0 && s->until.ms <= now.ms)
        return false;
    struct writer w = writer_of(secret, AUTH_SECRET_SIZE);
    return crypto_unseal(crypto, key, s->nonce, bytes_of_text(client->app_key),
                         bytes_of(s->sealed, sizeof(s->sealed)), &w) &&
           w.len == AUTH_SECRET_SIZE;
}

// --- random texts ---

void auth_app_key_make(char text[AUTH_APP_KEY_SIZE + 1], const uint8_t entropy[AUTH_APP_KEY_SIZE])
{
    // 32 of the 62 allowed characters: every octet gives five even bits, 100 in all.
    static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    for (size_t i = 0; i < AUTH_APP_KEY_SIZE; i++)
        text[i] = alphabet[entropy[i] & 31];
    text[AUTH_APP_KEY_SIZE] = '\0';
}

void auth_secret_make(char text[AUTH_TOKEN_SIZE], const uint8_t entropy[32])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (unsigned i = 0; i < AUTH_TOKEN_SIZE - 1; i++) {
        unsigned digit = 0;
        for (unsigned bit = i * 6; bit < i * 6 + 6; bit++)
            digit = digit << 1 | (bit < 256 ? entropy[bit / 8] >> (7 - bit % 8) & 1u : 0u);
        text[i] = alphabet[digit];
    }
    text[AUTH_TOKEN_SIZE - 1] = '\0';
}

// --- tokens ---

bool auth_digest_name(struct bytes secret, char name[AUTH_DIGEST_NAME_SIZE])
{
    uint8_t digest[CRYPTO_SHA256_SIZE];
    struct sha256 *s = sha256_open();
    const bool ok = s != NULL && sha256_add(s, secret) && sha256_finish(s, digest);
    sha256_close(s);
    struct writer w = writer_of(name, AUTH_DIGEST_NAME_SIZE);
    text_hex(&w, bytes_of(digest, sizeof(digest)));
    text_end(&w);
    return ok;
}

struct found_token {
    uint64_t client;
    struct utc until;
    char scope[BODY_MAX];
    char certificate[AUTH_CERTIFICATE_SIZE];
};

static bool take_token(void *context, const struct document *d)
{
    struct found_token *f = context;
    f->client = d->parent;
    f->until = (struct utc){d->state};
    const struct bytes scope = api_until(d->body, '\n');
    copy_text(f->scope, sizeof(f->scope), scope);
    copy_text(f->certificate, sizeof(f->certificate),
              bytes_slice(d->body, scope.len + 1, d->body.len));
    return false;
}

// Leaves only the scopes of the list that the client still has.
static void narrow(struct auth_client *client, struct bytes list)
{
    struct auth_client all = *client;
    client->scope_count = 0;
    for (size_t at = 0; at < list.len;) {
        const struct bytes scope = api_until(bytes_slice(list, at, list.len), ' ');
        at += scope.len + 1;
        struct bytes own;
        if (!auth_scope_read(scope, &own))
            continue;
        // Cannot fail: the client had it.
        if (auth_has_scope(&all, own) && !auth_add_scope(client, own))
            return;
    }
}

enum store_status auth_token_find(struct store *s, struct auth_kept *kept, struct bytes token,
                                  struct utc now, struct auth_client *out)
{
    char name[AUTH_DIGEST_NAME_SIZE];
    struct found_client client = {.kept = kept, .out = out};
    struct found_token f = {0};
    if (!auth_digest_name(token, name))
        return STORE_FAILED;
    enum store_status status = store_document_named(s, "token", name, take_token, &f);
    if (status == STORE_OK)
        status = f.until.ms > now.ms ? get_client(s, f.client, &client) : STORE_NONE;
    if (status == STORE_OK) {
        narrow(out, bytes_of_text(f.scope));
        memcpy(out->token_certificate, f.certificate, sizeof(f.certificate));
    }
    return status;
}

bool auth_token_serves(const struct auth_client *client, const char *certificate)
{
    if (client->token_certificate[0] == '\0')
        return !client->has_bound_tokens;
    return strcmp(client->token_certificate, certificate) == 0;
}

enum store_status auth_token_lives(struct store *s, const char *name, struct utc now, bool *lives)
{
    struct found_token f = {0};
    const enum store_status status = store_document_named(s, "token", name, take_token, &f);
    *lives = status == STORE_OK && f.until.ms > now.ms;
    return status == STORE_NONE ? STORE_OK : status;
}

struct ended {
    uint64_t kept;
    uint64_t ids[32];
    size_t count;
};

static bool see_one(void *context, const struct document *d)
{
    struct ended *e = context;
    if (d->id != e->kept)
        e->ids[e->count++] = d->id;
    return e->count < sizeof(e->ids) / sizeof(e->ids[0]);
}

enum store_status auth_end_all(struct store *s, const char *kind, uint64_t parent, uint64_t kept)
{
    const struct document_filter filter = {.kind = kind, .parent = parent, .state = -1};
    const struct store_page page = {.limit = 32};
    struct ended e = {.kept = kept};
    enum store_status status = STORE_OK;
    do {
        e.count = 0;
        status = store_documents(s, &filter, &page, see_one, &e, NULL);
        for (size_t i = 0; i < e.count && status == STORE_OK; i++)
            status = store_document_delete(s, kind, e.ids[i]);
    } while (status == STORE_OK && e.count > 0);
    return status;
}

enum store_status auth_token_put(struct store *s, uint64_t id, const struct auth_client *client,
                                 const char *token, struct bytes scope, struct utc now)
{
    char name[AUTH_DIGEST_NAME_SIZE];
    uint8_t body[BODY_MAX];
    struct writer w = writer_of(body, sizeof(body));
    writer_copy(&w, scope);
    if (client->token_certificate[0] != '\0') {
        writer_u8(&w, '\n');
        text_put(&w, client->token_certificate);
    }
    if (w.failed || !auth_digest_name(bytes_of_text(token), name))
        return STORE_FAILED;
    const struct document d = {
        .kind = "token",
        .id = id,
        .owner = client->tenant,
        .parent = client->id,
        .name = name,
        .state = utc_after(now, AUTH_TOKEN_LIFE_S * 1000).ms,
        .created_at = now,
        .changed_at = now,
        .body = writer_bytes(&w),
    };
    return store_document_put(s, &d);
}

// --- certificates ---

#define CERTIFICATE_KIND "client-certificate"

void auth_certificate_digest(const uint8_t sha256[CRYPTO_SHA256_SIZE],
                             char out[AUTH_CERTIFICATE_SIZE])
{
    struct writer w = writer_of(out, AUTH_CERTIFICATE_SIZE);
    text_put(&w, "sha256:");
    text_hex(&w, bytes_of(sha256, CRYPTO_SHA256_SIZE));
    (void)text_end(&w);
}

bool auth_certificate_name(struct bytes issuer, struct bytes subject,
                           char out[AUTH_CERTIFICATE_SIZE])
{
    uint8_t octets[2 * AUTH_DN_SIZE];
    char hex[AUTH_DIGEST_NAME_SIZE];
    struct writer both = writer_of(octets, sizeof(octets));
    struct writer w = writer_of(out, AUTH_CERTIFICATE_SIZE);
    writer_copy(&both, issuer);
    writer_u8(&both, '\n');
    writer_copy(&both, subject);
    if (both.failed || !auth_digest_name(writer_bytes(&both), hex))
        return false;
    text_put(&w, "name:");
    text_put(&w, hex);
    (void)text_end(&w);
    return true;
}

static bool see_parent(void *context, const struct document *d)
{
    *(uint64_t *)context = d->parent;
    return false;
}

enum store_status auth_client_by_certificate(struct store *s, const char *certificate,
                                             struct auth_client *out)
{
    uint64_t id = 0;
    const enum store_status status =
        store_document_named(s, CERTIFICATE_KIND, certificate, see_parent, &id);
    return status == STORE_OK ? auth_client_get(s, id, out) : status;
}

enum store_status auth_certificate_put(struct store *s, const struct auth_client *client,
                                       struct utc now)
{
    const bool has_one =
        (client->mechanisms & CLIENT_BY_CERTIFICATE) != 0 && client->certificate[0] != '\0';
    enum store_status status = store_document_delete(s, CERTIFICATE_KIND, client->id);
    if (status == STORE_NONE)
        status = STORE_OK;
    if (status != STORE_OK || !has_one)
        return status;
    const struct document d = {.kind = CERTIFICATE_KIND,
                               .id = client->id,
                               .owner = client->tenant,
                               .parent = client->id,
                               .name = client->certificate,
                               .body = bytes_of_text("{}"),
                               .created_at = now,
                               .changed_at = now};
    return store_document_put(s, &d);
}

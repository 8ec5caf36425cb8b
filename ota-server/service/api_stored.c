// Idempotency: answers are kept for 7 days under the caller's key, and a duplicate of a request in
// work waits for it. The answer to a change is in the transaction of the change, so that a stop
// between the two cannot make a repetition a second change.
#include "common/base/check.h"
#include "common/base/secret.h"
#include "common/base/text.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/api_upload.h"
#include "ota-server/service/trail_check.h"

#include <stdlib.h>

#define WAIT_MS 10000
#define LIFE_MS (7ll * 24 * 60 * 60 * 1000)
#define CHECK_LIFE_MS (30ll * 24 * 60 * 60 * 1000)
#define KEPT_BODY_MAX 65536
#define KEPT_MAX (2 * KEPT_BODY_MAX + 4096) // a JSON text, escaped
#define SEALED_MAX 1024                     // an answer with a secret
#define SWEEP_MS 60000
// Of a kind in a second, until nothing is due: more than clients may bring. What leaves is
// overwritten on the disk.
#define SWEEP_ROWS 1000
#define SWEEP_OCTETS (8u * 1024 * 1024)

struct kept_answer {
    size_t headers_len, body_len, document_len;
    uint8_t headers[API_HEADERS_MAX];
    uint8_t body[KEPT_BODY_MAX];
    uint8_t document[KEPT_MAX];
};

// --- the key ---

static bool make_key_name(struct api_exchange *x, struct bytes key)
{
    uint8_t digest[32];
    uint8_t client[8];
    struct writer c = writer_of(client, sizeof(client));
    writer_u64(&c, x->client.id);
    struct sha256 *s = sha256_open();
    const bool ok = s != NULL && sha256_add(s, writer_bytes(&c)) &&
                    sha256_add(s, x->request->method) && sha256_add(s, bytes_of("", 1)) &&
                    sha256_add(s, x->request->path) && sha256_add(s, bytes_of("", 1)) &&
                    sha256_add(s, key) && sha256_finish(s, digest);
    sha256_close(s);
    struct writer w = writer_of(x->key_name, sizeof(x->key_name));
    text_hex(&w, bytes_of(digest, sizeof(digest)));
    text_end(&w);
    return ok;
}

static bool read_key(struct api_exchange *x)
{
    const struct api_request *r = x->request;
    const struct bytes key = r->idempotency_key.len > 0 ? r->idempotency_key : r->client_token;
    if (r->idempotency_key.len > 0 && r->client_token.len > 0 &&
        !bytes_equal(r->idempotency_key, r->client_token)) {
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                       "Idempotency-Key and X-Client-Token differ: send one"));
        return false;
    }
    if (key.len == 0) {
        if ((x->route->flags & ROUTE_NEEDS_KEY) == 0)
            return true;
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                       "Idempotency-Key is missing: send one, and the same "
                                       "with each repetition"));
        return false;
    }
    if (!api_is_idempotency_key(key)) {
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                       "Idempotency-Key has another form: 8 to 64 letters, digits "
                                       "and ._:-"));
        return false;
    }
    // A trial is never stored, so its key stays free for the real call.
    if (!x->is_dry_run && !make_key_name(x, key)) {
        api_refuse_code(x, API_INTERNAL);
        return false;
    }
    return true;
}

// --- replay ---

enum replay {
    REPLAY_NONE,
    REPLAY_UNKNOWN, // there is an answer, which cannot be read
    REPLAY_OTHER_BODY,
    REPLAY_READY,
};

struct replay_context {
    struct api_exchange *x;
    enum replay result;
};

static bool digest_is(const json_t *root, const struct api_exchange *x)
{
    struct bytes text = {0};
    uint8_t digest[32];
    struct writer w = writer_of(digest, sizeof(digest));
    return json_get_text(root, "digest", &text) == JSON_FOUND && text_unhex(text, &w) &&
           bytes_equal(writer_bytes(&w), bytes_of(x->body_digest, sizeof(x->body_digest)));
}

// What holds a secret is sealed for its key. False: the master key is another one since.
static bool take_sealed(struct api_exchange *x, struct bytes text)
{
    uint8_t octets[CRYPTO_NONCE_SIZE + SEALED_MAX + CRYPTO_TAG_SIZE];
    struct writer w = writer_of(octets, sizeof(octets));
    return text_unhex(text, &w) && w.len > CRYPTO_NONCE_SIZE &&
           crypto_unseal(x->api->crypto, &x->api->options.client_key, octets,
                         bytes_of_text(x->key_name),
                         bytes_slice(writer_bytes(&w), CRYPTO_NONCE_SIZE, w.len), &x->out);
}

static void take_answer(struct replay_context *c, const json_t *root)
{
    struct api_exchange *x = c->x;
    struct bytes location = {0};
    struct bytes body = {0};
    struct bytes sealed = {0};
    int64_t status = 0;
    if (json_get_integer(root, "status", 200, 499, &status) != JSON_FOUND ||
        json_get_text(root, "location", &location) != JSON_FOUND ||
        json_get_text(root, "body", &body) != JSON_FOUND || location.len >= API_URL_MAX)
        return;
    bytes_copy(x->location, location);
    x->location[location.len] = '\0';
    writer_copy(&x->out, body);
    const bool is_sealed = json_get_text(root, "sealed", &sealed) == JSON_FOUND;
    c->result = is_sealed && !take_sealed(x, sealed) ? REPLAY_OTHER_BODY : REPLAY_READY;
    x->status = (unsigned)status;
    x->type = x->out.len > 0 ? "application/json" : NULL;
}

static bool see_answer(void *context, const struct document *d)
{
    struct replay_context *c = context;
    json_t *root = NULL;
    c->result = REPLAY_UNKNOWN;
    if (json_read(d->body, &root) != JSON_READ_OK)
        return false;
    if (digest_is(root, c->x))
        take_answer(c, root);
    else
        c->result = REPLAY_OTHER_BODY;
    json_decref(root);
    return false;
}

static bool refuse_other_body(struct api_exchange *x)
{
    x->key_name[0] = '\0'; // this answer is not that key's
    api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                   "Idempotency-Key was used with another body or query: choose "
                                   "another one"));
    return false;
}

static bool replay(struct api_exchange *x)
{
    struct replay_context c = {.x = x};
    const enum store_status status =
        store_document_named(x->reader, "answer", x->key_name, see_answer, &c);
    if (status == STORE_OK && c.result == REPLAY_READY) {
        x->is_replayed = true;
        text_put(&x->headers, "Idempotency-Replayed: true\n");
        if (x->out.len == 0)
            api_reply_empty(x, x->status);
        else
            api_reply(x, x->status);
        return false;
    }
    if (c.result == REPLAY_OTHER_BODY)
        return refuse_other_body(x);
    if (status == STORE_NONE)
        return true;
    // Better not done than done twice.
    api_refuse_code(x, API_UNAVAILABLE);
    return false;
}

// The first of its kind that is still in work, or NULL.
static struct api_exchange *first_in_work(struct api_exchange *x)
{
    for (struct api_exchange *o = x->api->in_work; o != NULL; o = o->next) {
        if (o != x && !o->is_waiting && strcmp(o->key_name, x->key_name) == 0)
            return o;
    }
    return NULL;
}

// Better a clear refusal than a key that is taken and protects from nothing.
static bool refuse_key(struct api_exchange *x)
{
    const struct api_request *r = x->request;
    if (r->idempotency_key.len == 0 && r->client_token.len == 0)
        return true;
    api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                   "It takes no Idempotency-Key: its answer must not be kept"));
    return false;
}

bool api_stored_begin(struct api_exchange *x)
{
    if ((x->route->flags & ROUTE_NO_KEY) != 0)
        return refuse_key(x);
    if ((x->route->flags & ROUTE_CHANGES) == 0 || (x->route->flags & ROUTE_OPEN) != 0)
        return true;
    if (!read_key(x))
        return false;
    if (x->key_name[0] == '\0')
        return true;
    if (first_in_work(x) != NULL) {
        x->is_waiting = true;
        return false;
    }
    return replay(x);
}

void api_stored_ended(struct api_exchange *x)
{
    if (x->key_name[0] == '\0')
        return;
    for (struct api_exchange *o = x->api->in_work; o != NULL; o = o->next) {
        if (!o->is_waiting || strcmp(o->key_name, x->key_name) != 0)
            continue;
        api_start_answer(o);
        api_run(o);
        return; // the others wait for this one, or for the next end
    }
}

// --- keeping ---

// Was this answer made of a secret, and not of a refusal?
static bool is_secret(const struct api_exchange *x)
{
    return (x->route->flags & ROUTE_SECRET) != 0 && x->status < 300;
}

static bool put_sealed(struct api_exchange *x, struct json_writer *j)
{
    uint8_t octets[CRYPTO_NONCE_SIZE + SEALED_MAX + CRYPTO_TAG_SIZE];
    uint8_t hex[2 * sizeof(octets)];
    struct writer w = writer_of(octets, sizeof(octets));
    struct writer h = writer_of(hex, sizeof(hex));
    if (!x->api->options.fill(x->api->options.fill_context, octets, CRYPTO_NONCE_SIZE))
        return false;
    w.len = CRYPTO_NONCE_SIZE;
    if (!crypto_seal(x->api->crypto, &x->api->options.client_key, octets,
                     bytes_of_text(x->key_name), writer_bytes(&x->out), &w))
        return false;
    text_hex(&h, writer_bytes(&w));
    api_put_octets(j, "sealed", writer_bytes(&h));
    return !h.failed;
}

static bool write_document(struct api_exchange *x, struct writer *w)
{
    struct json_writer j = json_writer_of(w);
    bool is_written = true;
    json_begin_object(&j);
    api_put_hex(&j, "digest", bytes_of(x->body_digest, sizeof(x->body_digest)));
    api_put_number(&j, "status", x->status);
    api_put_text(&j, "location", x->location);
    if (is_secret(x))
        is_written = put_sealed(x, &j);
    api_put_octets(&j, "body", is_secret(x) ? (struct bytes){0} : writer_bytes(&x->out));
    json_end_object(&j);
    return is_written && !w->failed;
}

static enum store_status put_answer(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct document d = {
        .kind = "answer",
        .id = api_new_id(x),
        .owner = x->tenant,
        .name = x->key_name,
        .created_at = now,
        .changed_at = now,
        .body = bytes_of(x->kept->document, x->kept->document_len),
    };
    return store_document_put(store, &d);
}

static bool is_definite(unsigned status)
{
    return status < 500 && status != 401 && status != 403 && status != 429;
}

// False when there is nothing to keep.
static bool fill_kept(struct api_exchange *x)
{
    if (!is_definite(x->status) || x->out.len > KEPT_BODY_MAX)
        return false;
    if (x->kept == NULL)
        x->kept = malloc(sizeof(*x->kept));
    if (x->kept == NULL)
        return false;
    memcpy(x->kept->headers, x->headers.at, x->headers.len);
    memcpy(x->kept->body, x->out.at, x->out.len);
    x->kept->headers_len = x->headers.len;
    x->kept->body_len = x->out.len;
    struct writer w = writer_of(x->kept->document, sizeof(x->kept->document));
    const bool is_written = write_document(x, &w);
    x->kept->document_len = w.len;
    return is_written;
}

void api_stored_free(struct api_exchange *x)
{
    if (x->kept != NULL && (x->route->flags & ROUTE_SECRET) != 0)
        secret_wipe(x->kept->body, sizeof(x->kept->body));
    free(x->kept);
    x->kept = NULL;
}

bool api_stored_compose(struct api_exchange *x, struct store *store)
{
    if (x->kept == NULL)
        x->kept = malloc(sizeof(*x->kept));
    if (x->kept == NULL) {
        x->problem = api_problem_of(API_UNAVAILABLE);
        return false;
    }
    api_start_answer(x);
    x->status = 0;
    x->reader = store;
    x->is_composing = true;
    x->is_composed = false;
    x->kept_as = STORE_OK;
    return true;
}

void api_stored_put(struct api_exchange *x)
{
    // What is not kept is made again after the commit.
    x->is_composed = fill_kept(x);
    if (x->is_composed)
        x->kept_as = put_answer(x, x->reader, x->now.utc);
}

enum store_status api_stored_compose_end(struct api_exchange *x)
{
    x->reader = x->api->options.reader;
    x->is_composing = false;
    if (x->kept_as == STORE_CONFLICT) // the key has an answer: this change would be its second
        x->problem = api_problem_of(API_UNAVAILABLE);
    return x->kept_as;
}

void api_stored_deliver(struct api_exchange *x)
{
    const char *type = x->type;
    api_start_answer(x);
    x->type = type;
    writer_copy(&x->headers, bytes_of(x->kept->headers, x->kept->headers_len));
    writer_copy(&x->out, bytes_of(x->kept->body, x->kept->body_len));
    api_deliver(x);
}

static enum store_status keep(void *context, struct store *store, struct utc now)
{
    return put_answer(context, store, now);
}

static void deliver_kept(void *context, enum store_status status)
{
    // An answer that could not be kept is given all the same: it changed nothing, and a repetition
    // is judged anew.
    (void)status;
    api_stored_deliver(context);
}

bool api_stored_keep(struct api_exchange *x)
{
    if (x->key_name[0] == '\0' || x->is_replayed || !fill_kept(x))
        return false;
    x->is_replayed = true;
    return turn_write(x->api->options.turn, keep, deliver_kept, x);
}

// --- correlators ---

enum store_status api_stored_correlator(struct api_exchange *x, struct store *store)
{
    const struct document d = {
        .kind = "correlator",
        .id = x->correlator_id,
        .owner = x->tenant,
        .created_at = x->now.utc,
        .changed_at = x->now.utc,
        .body = bytes_of_text(x->correlator),
    };
    const enum store_status status = store_document_put(store, &d);
    return status == STORE_CONFLICT ? STORE_OK : status;
}

static bool see_text(void *context, const struct document *d)
{
    if (d->body.len <= API_CORRELATOR_MAX) {
        bytes_copy(context, d->body);
        ((char *)context)[d->body.len] = '\0';
    }
    return false;
}

void api_correlator_find(struct api_exchange *x, uint64_t id, char text[API_CORRELATOR_MAX + 1])
{
    text[0] = '\0';
    if (id != 0 && store_document_get(x->reader, "correlator", id, see_text, text) != STORE_OK)
        text[0] = '\0';
}

// --- time ---

struct sweep {
    const char *kind;
    struct utc now;
    uint64_t ids[SWEEP_ROWS];
    size_t count, octets;
};

static bool see_old(void *context, const struct document *d)
{
    struct sweep *s = context;
    const bool is_token = strcmp(s->kind, "token") == 0 || strcmp(s->kind, "session") == 0;
    const int64_t life_ms = strcmp(s->kind, TRAIL_CHECK_KIND) == 0   ? CHECK_LIFE_MS
                            : strcmp(s->kind, UPLOAD_KIND) == 0      ? UPLOAD_LIFE_MS
                            : strcmp(s->kind, UPLOAD_PART_KIND) == 0 ? UPLOAD_PART_LIFE_MS
                                                                     : LIFE_MS;
    const bool is_old = is_token ? d->state <= s->now.ms : d->created_at.ms + life_ms <= s->now.ms;
    if (is_old)
        s->ids[s->count++] = d->id;
    s->octets += d->body.len;
    return is_old && s->count < SWEEP_ROWS && s->octets < SWEEP_OCTETS; // oldest first
}

// Claims are of earlier releases.
static const char *const swept_kinds[] = {"answer",         "claim",     "token",         "session",
                                          TRAIL_CHECK_KIND, UPLOAD_KIND, UPLOAD_PART_KIND};
#define SWEPT_KINDS (sizeof(swept_kinds) / sizeof(swept_kinds[0]))

static enum store_status find_old(struct store *store, struct sweep *s, uint32_t rows)
{
    const struct document_filter filter = {.kind = s->kind, .state = -1};
    const struct store_page page = {.limit = rows};
    return store_documents(store, &filter, &page, see_old, s, NULL);
}

// Has any kind one that is due?
static bool is_any_due(struct store *reader, struct utc now)
{
    struct sweep s = {.now = now};
    for (size_t i = 0; i < SWEPT_KINDS && s.count == 0; i++) {
        s.kind = swept_kinds[i];
        if (find_old(reader, &s, 1) != STORE_OK)
            return false; // then the next second
    }
    return s.count > 0;
}

static enum store_status sweep(void *context, struct store *store, struct utc now)
{
    (void)context;
    for (size_t i = 0; i < SWEPT_KINDS; i++) {
        struct sweep s = {.kind = swept_kinds[i], .now = now};
        enum store_status status = find_old(store, &s, SWEEP_ROWS);
        for (size_t k = 0; k < s.count && status == STORE_OK; k++)
            status = store_document_delete(store, s.kind, s.ids[k]);
        if (status != STORE_OK)
            return status;
    }
    return api_approval_sweep(store, now);
}

static void swept(void *context, enum store_status status)
{
    (void)context;
    (void)status; // what stayed is swept the next time
}

static struct api_exchange *waits_too_long(const struct api *api, struct instant now)
{
    struct api_exchange *x = api->in_work;
    while (x != NULL &&
           (!x->is_waiting || !instant_is_due(instant_after(x->now.instant, WAIT_MS), now)))
        x = x->next;
    return x;
}

void api_stored_tick(struct api *api, struct api_now now)
{
    struct api_exchange *x;
    while ((x = waits_too_long(api, now.instant)) != NULL) { // each answer changes the list
        x->is_waiting = false;
        x->key_name[0] = '\0';
        api_start_answer(x);
        api_refuse_code(x, API_UNAVAILABLE);
    }
    const bool is_time = now.utc.ms - api->swept_at.ms >= SWEEP_MS;
    if (!is_time && !is_any_due(api->options.reader, now.utc))
        return;
    api->swept_at = now.utc;
    if (!turn_write(api->options.turn, sweep, swept, api))
        return;
}

// Second factors of people: enrolling, proving, taking away.
#include "ota-server/service/api_factor.h"

#include "common/base/text.h"
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_handlers.h"

#include <stdlib.h>

#define URI_SIZE 256

// --- for all ---

static struct factor_safe safe_of(const struct api *api)
{
    return (struct factor_safe){api->crypto, &api->options.client_key};
}

struct utc api_factor_time(const struct api_exchange *x)
{
    return (struct utc){x->now.utc.ms - x->now.ahead_ms};
}

bool api_factor_is_needed(const struct api *api, const struct auth_user *user)
{
    return (api->options.factor_roles >> user->role & 1) != 0;
}

enum store_status api_factor_find(struct api_exchange *x, struct store *store,
                                  const struct auth_user *user, struct auth_factor *factor,
                                  enum api_factor *has)
{
    const struct factor_safe safe = safe_of(x->api);
    *has = api_factor_is_needed(x->api, user) ? API_FACTOR_NEEDED : API_FACTOR_NONE;
    const enum store_status status = auth_factor_get(&safe, store, user->id, factor);
    if (status == STORE_OK && factor->is_active)
        *has = API_FACTOR_ACTIVE;
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status keep(struct api_exchange *x, struct store *store,
                              const struct auth_factor *factor)
{
    const struct factor_safe safe = safe_of(x->api);
    uint8_t nonce[CRYPTO_NONCE_SIZE];
    if (!x->api->options.fill(x->api->options.fill_context, nonce, sizeof(nonce)))
        return STORE_FAILED;
    return auth_factor_put(&safe, store, factor, nonce, x->now.utc);
}

// What the user has now, with the proof used up.
static enum store_status spend(struct api_exchange *x, struct store *store, uint64_t user,
                               struct bytes otp, struct auth_factor *factor,
                               enum factor_proof *proof)
{
    const struct factor_safe safe = safe_of(x->api);
    const enum store_status status = auth_factor_get(&safe, store, user, factor);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    *proof = status == STORE_OK ? auth_factor_use(factor, otp, api_factor_time(x)) : FACTOR_WRONG;
    if (*proof != FACTOR_WRONG)
        return STORE_OK;
    x->problem = api_problem_of(API_UNAUTHENTICATED);
    return STORE_CONFLICT;
}

enum store_status api_factor_spend(struct api_exchange *x, struct store *store, uint64_t user,
                                   struct bytes otp, const char **reason)
{
    struct auth_factor factor;
    enum factor_proof proof = FACTOR_WRONG;
    enum store_status status = spend(x, store, user, otp, &factor, &proof);
    if (status == STORE_OK)
        status = keep(x, store, &factor);
    *reason = proof == FACTOR_RECOVERY ? "recovery code" : NULL;
    secret_wipe(&factor, sizeof(factor));
    return status;
}

// --- the resource ---

struct factor_work {
    struct auth_user user;
    struct auth_factor factor; // version 0: there is none
    struct bytes otp;
    enum user_watch watch;
    const char *refusal;
    char codes[FACTOR_CODES][FACTOR_CODE_SIZE];
    bool is_own;
};

static void close_work(void *work)
{
    struct factor_work *w = work;
    secret_wipe(&w->factor, sizeof(w->factor));
    secret_wipe(w->codes, sizeof(w->codes));
}

static struct factor_work *open_work(struct api_exchange *x)
{
    struct factor_work *w = calloc(1, sizeof(*w));
    x->work = w;
    if (w == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    else
        x->close_work = close_work;
    return w;
}

// Of whom the path names, if it is the caller or `scope` permits others; NULL: nobody else's.
static bool find(struct api_exchange *x, struct factor_work *w, const char *scope)
{
    const struct factor_safe safe = safe_of(x->api);
    if (!api_end_reading(x) || !api_user_find(x, &w->user))
        return false;
    w->is_own = x->client.is_user && x->client.id == w->user.id;
    if (!w->is_own && (scope == NULL || !api_has_scope(x, scope))) {
        api_refuse_permission(x, "it is another user's, only their administrator does it");
        return false;
    }
    const enum store_status status = auth_factor_get(&safe, x->reader, w->user.id, &w->factor);
    if (status == STORE_OK || status == STORE_NONE)
        return true;
    api_refuse_store(x, status);
    return false;
}

void api_factor_get(struct api_exchange *x)
{
    struct factor_work *w = open_work(x);
    struct json_writer *j = &x->json;
    if (w == NULL || !find(x, w, "users:read"))
        return;
    const struct auth_factor *f = &w->factor;
    json_begin_object(j);
    api_put_text(j, "state", f->version == 0 ? "NONE" : f->is_active ? "ACTIVE" : "PENDING");
    api_put_bool(j, "needed", api_factor_is_needed(x->api, &w->user));
    if (f->version > 0)
        api_put_time(j, "since", f->since);
    if (f->is_active)
        api_put_number(j, "recoveryCodesLeft", f->code_count);
    json_end_object(j);
    api_reply(x, 200);
}

// --- what is proved wrong ---

#define WRONG "it is another one, give that of now"

static enum store_status note_wrong(struct api_exchange *x, struct store *store, struct utc now)
{
    (void)now;
    return api_trail(x, store, "second-factor.refused", "user", x->object_id, NULL);
}

static void reply_wrong(struct api_exchange *x)
{
    const struct factor_work *w = x->work;
    api_refuse(x, api_problem_reason(API_PERMISSION_DENIED, w->refusal, WRONG));
}

// 403, and one attempt less. A session that somebody else got hold of must not guess.
static void refuse_proof(struct api_exchange *x, struct attempts *attempts, const char *reason)
{
    ((struct factor_work *)x->work)->refusal = reason;
    api_attempts_wrong(x, attempts);
    x->is_dry_run = false;
    x->is_refused = true;
    api_commit(x, note_wrong, reply_wrong);
}

static bool may_try(struct api_exchange *x, const struct factor_work *w, struct attempts *attempts)
{
    if (api_attempts_begin(x, bytes_of_text(w->user.username), attempts))
        return true;
    api_refuse_code(x, API_TOO_MANY_REQUESTS);
    return false;
}

// --- enrolling ---

static enum store_status begin(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct factor_work *w = x->work;
    (void)now;
    const enum store_status status = keep(x, store, &w->factor);
    return status == STORE_OK ? api_trail(x, store, "second-factor.begun", "user", w->user.id, NULL)
                              : status;
}

// As apps read it from a picture [Key URI format].
static void reply_secret(struct api_exchange *x)
{
    const struct factor_work *w = x->work;
    char uri[URI_SIZE];
    char secret[2 * TOTP_SECRET_SIZE];
    struct writer u = writer_of(uri, sizeof(uri));
    struct writer s = writer_of(secret, sizeof(secret));
    base32_put(&s, bytes_of(w->factor.secret.octets, w->factor.secret.len));
    text_put(&u, "otpauth://totp/Otaria:");
    text_put(&u, w->user.username);
    text_put(&u, "?secret=");
    writer_copy(&u, writer_bytes(&s));
    text_put(&u, "&issuer=Otaria&algorithm=SHA1&digits=6&period=30");
    json_begin_object(&x->json);
    api_put_octets(&x->json, "secret", writer_bytes(&s));
    api_put_octets(&x->json, "uri", writer_bytes(&u));
    json_end_object(&x->json);
    secret_wipe(uri, sizeof(uri));
    secret_wipe(secret, sizeof(secret));
    api_reply(x, 201);
}

void api_factor_post(struct api_exchange *x)
{
    uint8_t entropy[TOTP_SECRET_SIZE];
    struct attempts attempts;
    const struct bytes password = api_body_text(&x->body, "password", API_REQUIRED, 1, 256);
    struct factor_work *w = open_work(x);
    if (w == NULL || !find(x, w, NULL))
        return;
    if (w->factor.is_active) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "There is a second factor already: take it "
                                       "away first"));
        return;
    }
    if (!may_try(x, w, &attempts))
        return;
    const enum hashed hashed = api_hash_compare(x, &w->user, password);
    if (hashed == HASHED_WRONG)
        refuse_proof(x, &attempts, "WRONG_PASSWORD");
    if (hashed != HASHED_RIGHT)
        return;
    if (!x->api->options.fill(x->api->options.fill_context, entropy, sizeof(entropy))) {
        secret_wipe(entropy, sizeof(entropy));
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    w->factor = (struct auth_factor){.user = w->user.id,
                                     .version = w->factor.version,
                                     .since = x->now.utc,
                                     .secret = secret_key_of(bytes_of(entropy, sizeof(entropy)))};
    secret_wipe(entropy, sizeof(entropy));
    api_commit(x, begin, reply_secret);
}

// Whoever else has a session from before, by the password alone, has it no more.
static enum store_status confirm(struct api_exchange *x, struct store *store, struct utc now)
{
    struct factor_work *w = x->work;
    uint8_t entropy[FACTOR_CODES * FACTOR_CODE_OCTETS];
    enum factor_proof proof = FACTOR_WRONG;
    enum store_status status = spend(x, store, w->user.id, w->otp, &w->factor, &proof);
    if (status != STORE_OK)
        return status;
    w->factor.is_active = true;
    w->factor.since = now;
    const bool is_coded =
        x->api->options.fill(x->api->options.fill_context, entropy, sizeof(entropy)) &&
        auth_factor_recode(&w->factor, entropy, w->codes);
    secret_wipe(entropy, sizeof(entropy));
    status = is_coded ? keep(x, store, &w->factor) : STORE_FAILED;
    if (status == STORE_OK)
        status = auth_end_all(store, "session", w->user.id, x->session.id);
    return status == STORE_OK
               ? api_trail(x, store, "second-factor.confirmed", "user", w->user.id, NULL)
               : status;
}

static void reply_codes(struct api_exchange *x)
{
    const struct factor_work *w = x->work;
    json_begin_object(&x->json);
    api_open_array(&x->json, "recoveryCodes");
    for (size_t i = 0; i < FACTOR_CODES; i++)
        api_put_text(&x->json, NULL, w->codes[i]);
    json_end_array(&x->json);
    json_end_object(&x->json);
    api_reply(x, 200);
}

void api_factor_patch(struct api_exchange *x)
{
    struct attempts attempts;
    const struct bytes otp = api_body_text(&x->body, "otp", API_REQUIRED, 1, FACTOR_TEXT_MAX);
    struct factor_work *w = open_work(x);
    if (w == NULL || !find(x, w, NULL))
        return;
    if (w->factor.version == 0 || w->factor.is_active) {
        api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                       "No enrolment waits for a code: begin one with "
                                       "POST"));
        return;
    }
    if (!may_try(x, w, &attempts))
        return;
    w->otp = otp;
    if (auth_factor_use(&w->factor, otp, api_factor_time(x)) == FACTOR_WRONG) {
        refuse_proof(x, &attempts, "WRONG_CODE");
        return;
    }
    api_attempts_right(&attempts);
    api_commit(x, confirm, reply_codes);
}

// --- taking it away ---

// Of what is there now: since the code was judged, in the same turn, the factor may have been
// proved at first, or the code used.
static enum store_status prove_own(struct api_exchange *x, struct store *store)
{
    struct factor_work *w = x->work;
    const struct factor_safe safe = safe_of(x->api);
    enum factor_proof proof = FACTOR_WRONG;
    enum store_status status = auth_factor_get(&safe, store, w->user.id, &w->factor);
    if (status != STORE_OK || !w->factor.is_active)
        return status;
    status = spend(x, store, w->user.id, w->otp, &w->factor, &proof);
    if (status == STORE_CONFLICT)
        x->problem = api_problem_reason(API_PERMISSION_DENIED, "WRONG_CODE", WRONG);
    return status;
}

static enum store_status drop(struct api_exchange *x, struct store *store, uint64_t user,
                              enum user_watch watch)
{
    enum store_status status = auth_factor_drop(store, user);
    if (status == STORE_OK)
        status = auth_end_all(store, "session", user, x->session.id);
    return status == STORE_OK ? api_user_trail(x, store, "second-factor.removed", user, watch)
                              : status;
}

static enum store_status take_away(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct factor_work *w = x->work;
    (void)now;
    enum store_status status = w->is_own ? prove_own(x, store) : STORE_OK;
    return status == STORE_OK ? drop(x, store, w->user.id, w->watch) : status;
}

enum store_status api_factor_take(struct api_exchange *x, struct store *store, uint64_t user)
{
    return drop(x, store, user, USER_FREE);
}

static void reply_nothing(struct api_exchange *x)
{
    api_reply_empty(x, 204);
}

// One's own is proved once more; of others, it is for whoever may change them.
static bool may_take_away(struct api_exchange *x, struct factor_work *w)
{
    struct attempts attempts;
    if (!w->is_own)
        return api_user_reach(x, w->user.role) && api_user_watch(x, &w->user, &w->watch);
    if (!w->factor.is_active)
        return true;
    if (!may_try(x, w, &attempts))
        return false;
    if (auth_factor_use(&w->factor, w->otp, api_factor_time(x)) == FACTOR_WRONG) {
        refuse_proof(x, &attempts, "WRONG_CODE");
        return false;
    }
    api_attempts_right(&attempts);
    return true;
}

void api_factor_delete(struct api_exchange *x)
{
    const struct bytes otp = api_body_text(&x->body, "otp", API_OPTIONAL, 1, FACTOR_TEXT_MAX);
    struct factor_work *w = open_work(x);
    api_read_reason(x, API_OPTIONAL);
    if (w == NULL || !find(x, w, "users:write"))
        return;
    w->otp = otp;
    if (w->factor.version == 0)
        api_refuse_code(x, API_NOT_FOUND);
    else if (!may_take_away(x, w))
        return;
    else if (w->watch == USER_FOR_TWO)
        api_approval_request_user(x, USER_FACTOR, &w->user, NULL);
    else
        api_commit(x, take_away, reply_nothing);
}

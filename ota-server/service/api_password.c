// Passwords that come in: how many wrong ones an account and an address may give, and HTTP Basic,
// which gives one with every request.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"

#define WRONG_PER_ACCOUNT 5
#define WRONG_PER_ADDRESS 20
#define WRONG_WINDOW_MS (15 * 60 * 1000)
#define OTHERS_MAX 20 // of all who have no row, in
#define OTHERS_WINDOW_MS 60000
#define RIGHT_FOR_MS 60000 // a right password is not computed anew for so long

// --- attempts ---

static bool is_open(const struct attempts_row *row, uint64_t window_ms, struct instant now)
{
    return !instant_is_due(instant_after(row->since, window_ms), now);
}

// What all have together that came when every row was locked: a crowd slows them, and shuts nobody
// out for longer than a minute.
static struct attempts_row *others_of(struct attempts_table *table, struct instant now)
{
    if (!is_open(&table->others, OTHERS_WINDOW_MS, now))
        table->others = (struct attempts_row){.since = now};
    return &table->others;
}

// The row of `key`. A new one takes the place of one whose window is over, else of the one with the
// fewest wrong passwords; that of all others when all are at their maximum: no lock is forgotten
// before its time.
static struct attempts_row *row_of(struct attempts_table *table, uint64_t key, unsigned max,
                                   struct instant now)
{
    struct attempts_row *rows = table->rows;
    struct attempts_row *found = &rows[0];
    for (size_t i = 0; i < API_ATTEMPTS_MAX; i++) {
        if (rows[i].key != 0 && !is_open(&rows[i], WRONG_WINDOW_MS, now))
            rows[i] = (struct attempts_row){0};
        if (rows[i].key == key)
            return &rows[i];
        if (rows[i].count < found->count ||
            (rows[i].count == found->count && rows[i].since.ms < found->since.ms))
            found = &rows[i];
    }
    if (found->count >= max)
        return others_of(table, now);
    *found = (struct attempts_row){.key = key, .since = now};
    return found;
}

// As auth_user_named() reads it: another case is no other account.
static uint64_t key_of_account(struct bytes username)
{
    uint8_t name[USER_NAME_MAX + 1];
    const size_t len = username.len < sizeof(name) ? username.len : sizeof(name);
    for (size_t i = 0; i < len; i++) {
        const uint8_t c = username.at[i];
        name[i] = (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    return api_correlator_hash(bytes_of(name, len));
}

static bool has_left(const struct attempts_table *table, const struct attempts_row *row,
                     unsigned max)
{
    return row->count < (row == &table->others ? OTHERS_MAX : max);
}

// The address first: who has guessed enough takes no account's place among the rows.
bool api_attempts_begin(struct api_exchange *x, struct bytes username, struct attempts *out)
{
    struct api *api = x->api;
    const struct instant now = x->now.instant;
    *out = (struct attempts){0};
    out->address = row_of(&api->addresses, api_peer_key(x), WRONG_PER_ADDRESS, now);
    bool may = has_left(&api->addresses, out->address, WRONG_PER_ADDRESS);
    if (may) {
        out->account = row_of(&api->accounts, key_of_account(username), WRONG_PER_ACCOUNT, now);
        may = has_left(&api->accounts, out->account, WRONG_PER_ACCOUNT);
    }
    if (may)
        return true;
    const bool is_short =
        out->address == &api->addresses.others || out->account == &api->accounts.others;
    text_put(&x->headers, is_short ? "Retry-After: 60\n" : "Retry-After: 900\n");
    return false;
}

void api_attempts_wrong(const struct api_exchange *x, struct attempts *attempts)
{
    if (api_is_unsure(x))
        return;
    attempts->account->count++;
    attempts->address->count++;
}

// A remembered password was no attempt; and the wrong ones of others stay theirs.
void api_attempts_right(struct attempts *attempts)
{
    if (attempts->account != NULL && attempts->account->key != 0)
        attempts->account->count = 0;
}

// --- Basic ---

// What stands for a right password while it is remembered: of no use without our key, and another
// one once the user's hash is another.
static bool tag_of(struct api_exchange *x, const struct auth_user *user, struct bytes password,
                   uint8_t tag[CRYPTO_SHA256_SIZE])
{
    const struct secret_key *key = &x->api->options.client_key;
    const struct bytes parts[] = {bytes_of_text("basic"), bytes_of_text(user->hash), password};
    return crypto_hmac(x->api->crypto, bytes_of(key->octets, key->len), parts, 3, tag);
}

static struct right_row *right_of(struct api_exchange *x, const struct auth_user *user)
{
    return &x->api->rights[user->id % API_RIGHTS_MAX];
}

static bool is_remembered(struct api_exchange *x, const struct auth_user *user,
                          const uint8_t tag[CRYPTO_SHA256_SIZE])
{
    const struct right_row *row = right_of(x, user);
    return row->user == user->id && !instant_is_due(row->until, x->now.instant) &&
           secret_equal(row->tag, tag, CRYPTO_SHA256_SIZE);
}

static void remember(struct api_exchange *x, const struct auth_user *user,
                     const uint8_t tag[CRYPTO_SHA256_SIZE])
{
    struct right_row *row = right_of(x, user);
    *row =
        (struct right_row){.user = user->id, .until = instant_after(x->now.instant, RIGHT_FOR_MS)};
    memcpy(row->tag, tag, CRYPTO_SHA256_SIZE);
}

// `user` NULL: nobody has this name, which takes as long.
static bool check_password(struct api_exchange *x, const struct auth_user *user, struct bytes name,
                           struct bytes password, struct attempts *attempts)
{
    uint8_t tag[CRYPTO_SHA256_SIZE];
    *attempts = (struct attempts){0};
    const bool has_tag = user != NULL && tag_of(x, user, password, tag);
    if (has_tag && is_remembered(x, user, tag))
        return true;
    if (!api_attempts_begin(x, name, attempts)) {
        x->problem = api_problem_of(API_TOO_MANY_REQUESTS);
        return false;
    }
    const enum hashed hashed = api_hash_compare(x, user, password);
    if (hashed == HASHED_WRONG)
        api_attempts_wrong(x, attempts);
    if (hashed == HASHED_RIGHT && has_tag)
        remember(x, user, tag);
    return hashed == HASHED_RIGHT;
}

// User name and password with each request [RFC 7617]; never from a page of somebody else.
bool api_basic(struct api_exchange *x, struct auth_user *user, struct attempts *attempts)
{
    uint8_t octets[USER_NAME_MAX + USER_PASSWORD_MAX + 8];
    struct writer w = writer_of(octets, sizeof(octets));
    const struct bytes value = x->request->authorization;
    const bool is_secret =
        api_is_loopback(x) || (api_is_secure(x->api) && !x->request->is_in_clear);
    if (!x->api->options.has_basic || !is_secret ||
        !api_base64_read(bytes_slice(value, 6, value.len), &w))
        return false;
    const struct bytes pair = writer_bytes(&w);
    const struct bytes name = api_until(pair, ':');
    const enum store_status found = auth_user_named(x->reader, name, user);
    if (found != STORE_OK && found != STORE_NONE)
        x->problem = api_problem_of(API_UNAVAILABLE);
    const bool fits = x->problem.code == API_OK &&
                      check_password(x, found == STORE_OK ? user : NULL, name,
                                     bytes_slice(pair, name.len + 1, pair.len), attempts);
    secret_wipe(octets, sizeof(octets));
    x->is_forged = !api_origin_is_ours(x, true);
    return fits;
}

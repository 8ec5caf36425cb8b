#include "ota-server/service/sink_run.h"

#include "common/base/check.h"
#include "common/base/json_writer.h"
#include "common/base/text.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/api_json.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/notice.h"
#include "ota-server/service/sink_token.h"

#include <stdlib.h>

#define LOOK_MS 50      // looks follow one another no faster
#define SWEEP_MS 60000  // old rows, late events, alarms
#define SWEEP_ROWS 200  // in a turn
#define SWEEP_SINKS 16  // likewise
#define HEAD_MAX 16     // waiting events of a sink that are looked at
#define SLOW_MS 2000    // who takes longer gets one at a time
#define SINKS_MAX 1024  // that are looked at in one look; the others in the next
#define EXPIRY_MS 60000 // a token that ends so soon is not used any more
#define LINES_MAX 8
#define TOKEN_ANSWER_MAX 16384
#define LINE_SIZE (SINK_TOKEN_MAX + 64)

enum errand_stage { SINK_FREE, SINK_ASKS_TOKEN, SINK_UNDER_WAY, SINK_TO_WRITE, SINK_IN_TURN };

struct errand {
    struct sinks *owner;
    uint8_t stage;
    bool is_expired; // nothing was sent: the credential is over
    uint64_t ticket, delivery, sink, card;
    uint64_t token_client; // whose token it asks for, or has; 0: nobody's
    uint64_t record;       // version of the client's record that it asks by
    uint64_t host;         // hash of name and port
    struct utc give_up_at;
    struct sink_answer answer;
    uint8_t chance;
};

struct sinks {
    struct sinks_options options;
    struct crypto *crypto;
    struct errand errands[SINK_FLIGHTS_MAX];
    uint64_t slow[SINKS_MAX]; // sinks whose last answer took long
    size_t slow_count;
    struct secret_tokens tokens;
    uint64_t tickets;
    bool is_dirty, is_sweeping;
    struct utc looked_at, due, sweep_at;
    // of one look
    struct sink_row rows[SINKS_MAX];
    size_t row_count;
    uint64_t after; // rows up to this sink had their turn
    struct delivery heads[HEAD_MAX];
    uint8_t data[HEAD_MAX][NOTICE_DATA_MAX];
    size_t head_count;
    char lines[LINES_MAX][LINE_SIZE];
    const char *headers[LINES_MAX + 1];
    size_t line_count;
};

struct sinks *sinks_open(const struct sinks_options *options)
{
    struct sinks *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->options = *options;
    s->crypto = crypto_open();
    s->is_dirty = true;
    for (size_t i = 0; i < SINK_FLIGHTS_MAX; i++)
        s->errands[i].owner = s;
    if (s->crypto != NULL)
        return s;
    sinks_close(s);
    return NULL;
}

void sinks_close(struct sinks *s)
{
    if (s == NULL)
        return;
    crypto_close(s->crypto);
    secret_wipe(&s->options.client_key, sizeof(s->options.client_key));
    secret_wipe(s->lines, sizeof(s->lines));
    secret_wipe(&s->tokens, sizeof(s->tokens));
    free(s);
}

void sinks_look(struct sinks *s)
{
    s->is_dirty = true;
}

struct utc sinks_due(const struct sinks *s)
{
    return s->due;
}

// --- alarms ----------------------------------------------------------------------------------

enum store_status sink_alarm_keep(struct store *store, struct turn *t, uint64_t sink,
                                  struct utc now)
{
    struct sink_row row;
    struct sink kept;
    char object[API_ID_SIZE];
    enum store_status status = store_sink_get(store, sink, &row);
    if (status != STORE_OK)
        return status == STORE_NONE ? STORE_OK : status;
    const bool is_wanted = row.health.state == SINK_SUSPENDED || row.dead > 0;
    if (is_wanted == row.has_alarm)
        return STORE_OK;
    status = sink_get(store, sink, &kept);
    if (status != STORE_OK)
        return status;
    api_id_write(object, SINK_PREFIX, sink);
    const struct alarm_place at = {.key = ALARM_SINK_DEAD, .object = object, .owner = kept.owner};
    status =
        is_wanted ? alarm_raise(store, &at, turn_id(t, now), now) : alarm_clear(store, &at, now);
    if (status == STORE_NONE)
        status = STORE_OK;
    return status == STORE_OK ? store_sink_alarm_put(store, sink, is_wanted) : status;
}

// --- what came of one ------------------------------------------------------------------------

// Its place among the slow ones; slow_count: it is none.
static size_t slow_index(const struct sinks *s, uint64_t sink)
{
    size_t i = 0;
    while (i < s->slow_count && s->slow[i] != sink)
        i++;
    return i;
}

// Without a place, which takes more of them than there may be at once, one is taken for quick.
static void note_pace(struct sinks *s, uint64_t sink, uint32_t took_ms)
{
    const size_t i = slow_index(s, sink);
    if (took_ms > SLOW_MS && i == s->slow_count && i < SINKS_MAX)
        s->slow[s->slow_count++] = sink;
    else if (took_ms <= SLOW_MS && i < s->slow_count)
        s->slow[i] = s->slow[--s->slow_count];
}

// Those that were deleted while they were slow.
static void forget_deleted(struct sinks *s, struct store *store)
{
    struct sink_row row;
    for (size_t i = s->slow_count; i-- > 0;) {
        if (store_sink_get(store, s->slow[i], &row) == STORE_NONE)
            s->slow[i] = s->slow[--s->slow_count];
    }
}

static enum store_status keep_attempt(const struct errand *f, struct store *store, struct utc now,
                                      struct sink_health *health)
{
    const struct sink_attempt attempt = {
        .result = f->answer.is_refused ? SINK_REFUSED : sink_result_of(f->answer.status),
        .retry_after_s =
            f->answer.status == 429 || f->answer.status == 503 ? f->answer.retry_after_s : -1,
        .give_up_at = f->give_up_at,
        .now = now,
        .chance = f->chance};
    static const enum delivery_state STATES[] = {[SINK_FATE_DONE] = DELIVERY_DONE,
                                                 [SINK_FATE_WAITS] = DELIVERY_WAITING,
                                                 [SINK_FATE_DEAD] = DELIVERY_DEAD};
    const enum sink_fate fate = sink_judge(health, &attempt);
    const struct delivery_attempt row = {.delivery = f->delivery,
                                         .sink = f->sink,
                                         .at = now,
                                         .took_ms = f->answer.took_ms,
                                         .status = (uint16_t)f->answer.status,
                                         .problem = f->answer.problem};
    const enum store_status status = store_attempt_add(store, &row, STATES[fate]);
    return status == STORE_NONE ? STORE_OK : status; // a dead letter meanwhile
}

static enum store_status write_answer(void *context, struct store *store, struct utc now)
{
    const struct errand *f = context;
    struct sink_row row;
    enum store_status status = store_sink_get(store, f->sink, &row);
    if (status != STORE_OK)
        return status == STORE_NONE ? STORE_OK : status; // it was deleted
    if (f->is_expired)
        sink_suspend(&row.health, SINK_WHY_CREDENTIAL);
    else
        status = keep_attempt(f, store, now, &row.health);
    if (status == STORE_OK)
        status = store_sink_health_put(store, f->sink, &row.health);
    return status == STORE_OK ? sink_alarm_keep(store, f->owner->options.turn, f->sink, now)
                              : status;
}

static void written(void *context, enum store_status status)
{
    struct errand *f = context;
    struct sinks *s = f->owner;
    if (status != STORE_OK) { // the disk may have room again
        f->stage = SINK_TO_WRITE;
        return;
    }
    *f = (struct errand){.owner = s};
    s->is_dirty = true;
}

static void write_some(struct sinks *s)
{
    for (size_t i = 0; i < SINK_FLIGHTS_MAX; i++) {
        struct errand *f = &s->errands[i];
        if (f->stage == SINK_TO_WRITE &&
            turn_write_repeatable(s->options.turn, write_answer, written, f))
            f->stage = SINK_IN_TURN;
    }
}

// --- tokens ----------------------------------------------------------------------------------

static bool has_token(struct sinks *s, uint64_t client, struct utc now)
{
    const struct secret_token *t = token_of(&s->tokens, client);
    return t != NULL && t->until.ms - TOKEN_MARGIN_MS > now.ms;
}

// The event goes in the next look; an endpoint that gives no token is an attempt that failed.
static bool take_token(struct sinks *s, struct errand *f, const struct sink_answer *answer)
{
    struct secret_token token = {.client = f->token_client, .record = f->record, .used = f->ticket};
    token_drop(&s->tokens, f->token_client);
    const bool is_given =
        answer->status == 200 && token_answer_read(answer->body, s->looked_at, &token);
    if (is_given) {
        token_keep(&s->tokens, &token);
        *f = (struct errand){.owner = s};
        s->is_dirty = true;
    }
    secret_wipe(&token, sizeof(token));
    return is_given;
}

void sinks_answered(struct sinks *s, uint64_t ticket, const struct sink_answer *answer)
{
    static const struct sink_answer none = {.problem = "NO_TOKEN", .retry_after_s = -1};
    for (size_t i = 0; i < SINK_FLIGHTS_MAX; i++) {
        struct errand *f = &s->errands[i];
        const bool asks = f->stage == SINK_ASKS_TOKEN;
        if ((!asks && f->stage != SINK_UNDER_WAY) || f->ticket != ticket)
            continue;
        if (asks && take_token(s, f, answer))
            return;
        if (!asks && answer->status == 401 && f->token_client != 0)
            token_drop(&s->tokens, f->token_client);
        f->answer = asks ? none : *answer;
        f->answer.body = bytes_of(NULL, 0);
        f->stage = SINK_TO_WRITE;
        note_pace(s, f->sink, answer->took_ms);
        write_some(s);
        return;
    }
}

// --- one request -----------------------------------------------------------------------------

static void add_line(struct sinks *s, const char *name, struct bytes value)
{
    check(s->line_count < LINES_MAX);
    char *line = s->lines[s->line_count];
    struct writer w = writer_of(line, LINE_SIZE);
    text_put(&w, name);
    writer_copy(&w, value);
    check(!w.failed);
    (void)text_end(&w);
    s->headers[s->line_count++] = line;
    s->headers[s->line_count] = NULL;
}

// [CloudEvents 1.0, JSON format]
static void write_event(const struct sinks *s, const struct delivery *d, const char *uuid,
                        struct writer *w)
{
    struct json_writer j = json_writer_of(w);
    char type[SINK_TYPE_SIZE];
    json_begin_object(&j);
    api_put_text(&j, "specversion", "1.0");
    api_put_text(&j, "id", uuid);
    api_put_text(&j, "source", s->options.source);
    api_put_text(&j, "type", sink_type_text(d->kind, type));
    api_put_text(&j, "datacontenttype", "application/json");
    api_put_time(&j, "time", d->at);
    json_put_key(&j, "data");
    json_put_raw(&j, d->data);
    json_end_object(&j);
    check(json_done(&j));
}

static bool put_signature(struct sinks *s, const struct sink *sink, uint64_t number,
                          struct bytes signed_text, struct writer *w)
{
    const struct sink_safe safe = {s->crypto, &s->options.client_key};
    struct sink_secret secret = {.sink = sink->id, .number = number};
    uint8_t mac[CRYPTO_SHA256_SIZE];
    bool is_made = sink_secret_get(&safe, s->options.reader, &secret) == STORE_OK &&
                   crypto_hmac(s->crypto, bytes_of(secret.text, secret.len), &signed_text, 1, mac);
    if (is_made) {
        text_put(w, ",sig=");
        text_hex(w, bytes_of(mac, sizeof(mac)));
    }
    secret_wipe(&secret, sizeof(secret));
    return is_made;
}

// "ts=<unix s>,sig=<hex>", and a second signature while two secrets are good.
static bool add_signature(struct sinks *s, const struct sink *sink, struct bytes body,
                          struct utc now)
{
    char line[256];
    char text[SINK_BODY_MAX + 32];
    struct writer w = writer_of(line, sizeof(line));
    struct writer t = writer_of(text, sizeof(text));
    bool is_made = true;
    text_decimal(&t, (uint64_t)now.ms / 1000);
    text_put(&w, "ts=");
    writer_copy(&w, writer_bytes(&t));
    text_put(&t, ".");
    writer_copy(&t, body);
    unsigned count = 0;
    for (unsigned i = 0; i < sink->secret_count && is_made; i++) {
        const struct utc until = sink->secrets[i].until;
        if (until.ms != 0 && until.ms <= now.ms)
            continue;
        is_made = put_signature(s, sink, sink->secrets[i].number, writer_bytes(&t), &w);
        count++;
    }
    if (is_made && count > 0)
        add_line(s, "x-ota-signature: ", writer_bytes(&w));
    return is_made;
}

static bool add_credential(struct sinks *s, const struct sink *sink)
{
    const struct sink_safe safe = {s->crypto, &s->options.client_key};
    struct sink_secret secret = {.sink = sink->id, .number = SINK_CREDENTIAL};
    if (sink->token_client != 0) {
        struct secret_token *t = token_of(&s->tokens, sink->token_client);
        check(t != NULL);
        t->used = s->tickets;
        add_line(s, "Authorization: Bearer ", bytes_of(t->text, t->len));
        return true;
    }
    if (sink->credential_until.ms == 0)
        return true;
    const bool is_there = sink_secret_get(&safe, s->options.reader, &secret) == STORE_OK;
    if (is_there)
        add_line(s, "Authorization: Bearer ", bytes_of(secret.text, secret.len));
    secret_wipe(&secret, sizeof(secret));
    return is_there;
}

static struct errand *free_errand(struct sinks *s)
{
    for (size_t i = 0; i < SINK_FLIGHTS_MAX; i++) {
        if (s->errands[i].stage == SINK_FREE)
            return &s->errands[i];
    }
    return NULL;
}

static uint64_t host_of(const struct sink_url *url)
{
    uint64_t hash = 0xCBF29CE484222325u ^ url->port; // FNV-1a
    for (size_t i = 0; i < url->host.len; i++) {
        const uint8_t c = url->host.at[i];
        hash = (hash ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * 0x100000001B3u;
    }
    return hash;
}

static unsigned to_host(const struct sinks *s, uint64_t host)
{
    unsigned count = 0;
    for (size_t i = 0; i < SINK_FLIGHTS_MAX; i++)
        count +=
            (s->errands[i].stage == SINK_UNDER_WAY || s->errands[i].stage == SINK_ASKS_TOKEN) &&
            s->errands[i].host == host;
    return count;
}

static bool send(struct sinks *s, struct errand *f, const struct sink *sink,
                 const struct sink_url *url, const struct delivery *d, struct utc now)
{
    uint8_t octets[SINK_BODY_MAX];
    char uuid[API_UUID_SIZE];
    struct writer w = writer_of(octets, sizeof(octets));
    api_uuid_make(uuid, d->uuid);
    write_event(s, d, uuid, &w);
    s->line_count = 0;
    add_line(s, "Content-Type: application/cloudevents+json", bytes_of("", 0));
    add_line(s, "x-correlator: ", bytes_of_text(uuid));
    add_line(s, "Expect:", bytes_of("", 0)); // no waiting for "100 Continue"
    add_line(s, "Accept:", bytes_of("", 0));
    const struct sink_request request = {.ticket = f->ticket,
                                         .url = sink->url,
                                         .parts = *url,
                                         .headers = s->headers,
                                         .body = writer_bytes(&w)};
    const bool is_sent = add_signature(s, sink, request.body, now) && add_credential(s, sink) &&
                         s->options.send(s->options.send_context, &request);
    secret_wipe(s->lines, sizeof(s->lines));
    return is_sent;
}

// What the client's record says now; STORE_NONE when nobody can be asked.
static enum store_status find_endpoint(struct sinks *s, uint64_t id, struct auth_client *client,
                                       struct sink_url *url)
{
    const enum store_status status = auth_client_get(s->options.reader, id, client);
    const bool has_one = status == STORE_OK && !client->is_suspended &&
                         client->token_uri[0] != '\0' &&
                         sink_url_read(bytes_of_text(client->token_uri), url) == SINK_OK;
    return status == STORE_OK && !has_one ? STORE_NONE : status;
}

static bool write_question(struct sinks *s, const struct auth_client *client, struct utc now,
                           struct writer *w)
{
    uint8_t jti[16];
    struct token_key key;
    const bool is_written =
        s->options.fill(s->options.fill_context, jti, sizeof(jti)) &&
        token_key_make(s->crypto, &s->options.client_key, client->tenant, &key) &&
        token_request_write(&key, client, jti, now, w);
    secret_wipe(&key, sizeof(key));
    return is_written;
}

static bool send_question(struct sinks *s, struct errand *f, const struct auth_client *client,
                          const struct sink_url *url, struct utc now)
{
    char octets[TOKEN_REQUEST_MAX];
    struct writer w = writer_of(octets, sizeof(octets));
    if (!write_question(s, client, now, &w))
        return false;
    s->line_count = 0;
    add_line(s, "Content-Type: application/x-www-form-urlencoded", bytes_of("", 0));
    add_line(s, "Accept: application/json", bytes_of("", 0));
    add_line(s, "Expect:", bytes_of("", 0));
    const struct sink_request request = {.ticket = f->ticket,
                                         .url = client->token_uri,
                                         .parts = *url,
                                         .headers = s->headers,
                                         .body = writer_bytes(&w),
                                         .answer_max = TOKEN_ANSWER_MAX};
    return s->options.send(s->options.send_context, &request);
}

static bool ask_token(struct sinks *s, struct errand *f, const struct auth_client *client,
                      const struct sink_url *url, struct utc now)
{
    f->stage = SINK_ASKS_TOKEN;
    f->host = host_of(url);
    f->record = client->version;
    return to_host(s, f->host) <= SINK_PER_HOST && send_question(s, f, client, url, now);
}

// Is there a token that the client's record, as it is now, stands behind? Else one is asked for in
// place of the event, which waits for it. A client that may not work, or says no more where to ask,
// is a credential that is over.
static bool find_token(struct sinks *s, struct errand *f, struct utc now)
{
    struct sink_url url;
    struct auth_client *client = malloc(sizeof(*client));
    const enum store_status status =
        client != NULL ? find_endpoint(s, f->token_client, client, &url) : STORE_FAILED;
    const struct secret_token *t = token_of(&s->tokens, f->token_client);
    if (status == STORE_NONE || (status == STORE_OK && t != NULL && t->record != client->version))
        token_drop(&s->tokens, f->token_client);
    const bool is_there = status == STORE_OK && has_token(s, f->token_client, now);
    if (status == STORE_NONE) {
        f->is_expired = true;
        f->stage = SINK_TO_WRITE;
    } else if (!is_there && (status != STORE_OK || !ask_token(s, f, client, &url, now))) {
        *f = (struct errand){.owner = s};
    }
    free(client);
    return is_there;
}

// False: no more of this sink now.
static bool start(struct sinks *s, const struct sink *sink, const struct delivery *d,
                  struct utc now)
{
    struct errand *f = free_errand(s);
    struct sink_url url;
    if (f == NULL || sink_url_read(bytes_of_text(sink->url), &url) != SINK_OK)
        return false;
    const uint64_t host = host_of(&url);
    if (to_host(s, host) >= SINK_PER_HOST)
        return false;
    *f = (struct errand){.owner = s,
                         .ticket = ++s->tickets,
                         .delivery = d->id,
                         .sink = d->sink,
                         .card = d->card,
                         .token_client = sink->token_client,
                         .host = host,
                         .give_up_at = d->give_up_at};
    if (!s->options.fill(s->options.fill_context, &f->chance, sizeof(f->chance)))
        f->chance = 0;
    f->is_expired =
        sink->credential_until.ms != 0 && sink->credential_until.ms - EXPIRY_MS <= now.ms;
    if (f->is_expired) {
        f->stage = SINK_TO_WRITE;
        return false;
    }
    if (sink->token_client != 0 && !find_token(s, f, now))
        return false;
    f->stage = SINK_UNDER_WAY;
    if (send(s, f, sink, &url, d, now))
        return true;
    *f = (struct errand){.owner = s};
    return false;
}

// --- looking ---------------------------------------------------------------------------------

static bool note_row(void *context, const struct sink_row *row)
{
    struct sinks *s = context;
    s->rows[s->row_count++] = *row;
    return s->row_count < SINKS_MAX;
}

static bool note_head(void *context, const struct delivery *d)
{
    struct sinks *s = context;
    if (d->data.len > NOTICE_DATA_MAX)
        return true; // none of ours
    struct delivery *to = &s->heads[s->head_count];
    *to = *d;
    bytes_copy(s->data[s->head_count], d->data);
    to->data = bytes_of(s->data[s->head_count], d->data.len);
    to->problem = "";
    return ++s->head_count < HEAD_MAX;
}

// `all`: of every sink.
static unsigned under_way(const struct sinks *s, uint64_t sink, unsigned *all)
{
    unsigned count = 0;
    *all = 0;
    for (size_t i = 0; i < SINK_FLIGHTS_MAX; i++) {
        *all += s->errands[i].stage != SINK_FREE;
        count += s->errands[i].stage != SINK_FREE && s->errands[i].sink == sink;
    }
    return count;
}

// Is an earlier event of the same card under way, or waiting before it?
static bool is_behind(const struct sinks *s, const struct delivery *d, size_t index)
{
    for (size_t i = 0; i < SINK_FLIGHTS_MAX; i++) {
        const struct errand *f = &s->errands[i];
        if (f->stage != SINK_FREE && f->sink == d->sink && f->card == d->card)
            return true;
    }
    for (size_t i = 0; i < index; i++) {
        if (s->heads[i].card == d->card)
            return true;
    }
    return false;
}

static void note_due(struct sinks *s, struct utc at)
{
    if (at.ms != 0 && (s->due.ms == 0 || at.ms < s->due.ms))
        s->due = at;
}

static bool owner_works(struct sinks *s, uint64_t owner, struct utc now)
{
    bool works = true;
    return enterprise_works(s->options.reader, owner, now, &works) == STORE_OK && works;
}

static void serve(struct sinks *s, const struct sink_row *row, struct utc now)
{
    const bool is_slow = slow_index(s, row->id) < s->slow_count;
    unsigned all = 0;
    unsigned open = under_way(s, row->id, &all);
    const unsigned limit =
        row->health.failures > 0 || is_slow || all >= SINK_EXTRA_MAX ? 1 : SINK_EACH;
    struct sink sink;
    if (!sink_may_send(&row->health, now)) {
        note_due(s, sink_next(&row->health));
        return;
    }
    s->head_count = 0;
    if (open >= limit || sink_get(s->options.reader, row->id, &sink) != STORE_OK ||
        (open > 0 && sink.token_client != 0 && !has_token(s, sink.token_client, now)) ||
        !owner_works(s, sink.owner, now) ||
        store_deliveries_waiting(s->options.reader, row->id, HEAD_MAX, note_head, s) != STORE_OK)
        return;
    for (size_t i = 0; i < s->head_count && open < limit; i++) {
        if (is_behind(s, &s->heads[i], i))
            continue;
        if (!start(s, &sink, &s->heads[i], now))
            break;
        open++;
    }
}

// Each gets its turn first once.
static void look(struct sinks *s, struct utc now)
{
    s->is_dirty = false;
    s->looked_at = now;
    s->due = (struct utc){0};
    s->row_count = 0;
    store_refresh(s->options.reader); // what was committed is to be seen
    if (store_sinks_waiting(s->options.reader, note_row, s) != STORE_OK) {
        s->is_dirty = true;
        return;
    }
    size_t first = 0;
    while (first < s->row_count && s->rows[first].id <= s->after)
        first++;
    for (size_t i = 0; i < s->row_count; i++)
        serve(s, &s->rows[(first + i) % s->row_count], now);
    s->after = s->row_count > 0 ? s->rows[first % s->row_count].id : 0;
}

// --- time ------------------------------------------------------------------------------------

static bool note_alarm(void *context, const struct sink_row *row)
{
    struct sinks *s = context;
    s->rows[s->row_count++] = *row;
    return true;
}

static enum store_status sweep(void *context, struct store *store, struct utc now)
{
    struct sinks *s = context;
    bool is_more = false;
    enum store_status status = store_deliveries_sweep(store, now, SWEEP_ROWS, &is_more);
    forget_deleted(s, store);
    s->row_count = 0;
    if (status == STORE_OK)
        status = store_sinks_to_alarm(store, SWEEP_SINKS, note_alarm, s);
    for (size_t i = 0; i < s->row_count && status == STORE_OK; i++)
        status = sink_alarm_keep(store, s->options.turn, s->rows[i].id, now);
    if (is_more || s->row_count == SWEEP_SINKS)
        s->sweep_at = now;
    return status;
}

static void swept(void *context, enum store_status status)
{
    struct sinks *s = context;
    (void)status;
    s->is_sweeping = false;
    s->is_dirty = true; // an enterprise may work again, a line may be free
}

void sinks_step(struct sinks *s, struct utc now)
{
    write_some(s);
    if (s->sweep_at.ms <= now.ms && !s->is_sweeping) {
        s->sweep_at = utc_after(now, SWEEP_MS);
        s->is_sweeping = turn_write_repeatable(s->options.turn, sweep, swept, s);
    }
    const bool is_due = s->due.ms != 0 && s->due.ms <= now.ms;
    const bool is_early = now.ms >= s->looked_at.ms && now.ms - s->looked_at.ms < LOOK_MS;
    if ((s->is_dirty || is_due) && !is_early) {
        look(s, now);
        write_some(s);
    }
    if (s->is_dirty)
        note_due(s, utc_after(s->looked_at, LOOK_MS));
    note_due(s, s->sweep_at);
}

#include "ota-server/shell/otactl_client.h"

#include "common/base/secret.h"
#include "common/base/text.h"
#include "common/host/clock.h"
#include "common/host/entropy.h"
#include "ota-server/service/api_text.h"
#include "ota-server/shell/otactl_access.h"
#include "ota-server/shell/otactl_sign.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>

#define CONNECT_MS 10000L
#define ANSWER_MS 30000L
#define STALL_S 600L // an upload that does not move, or is being loaded
#define TRIES 4
#define RETRY_MAX_MS 10000
#define SKEW_MAX_S 300 // what the server accepts

struct ctl_client {
    struct ctl_access access;
    struct crypto *crypto;
    CURL *curl;
    char error[CURL_ERROR_SIZE];
};

static void discard(struct ctl_client *c)
{
    curl_easy_cleanup(c->curl);
    crypto_close(c->crypto);
    ctl_access_wipe(&c->access);
    free(c);
}

enum ctl_exit ctl_client_open(struct ctl_client **client, bool needs_key)
{
    *client = NULL;
    struct ctl_client *c = calloc(1, sizeof(*c));
    if (c == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(c);
        fprintf(stderr, "otactl: no memory\n");
        return CTL_INTERNAL;
    }
    const enum ctl_exit exit = ctl_access_read(&c->access, needs_key);
    if (exit == CTL_DONE) {
        c->crypto = crypto_open();
        c->curl = curl_easy_init();
        if (c->crypto != NULL && c->curl != NULL) {
            *client = c;
            return CTL_DONE;
        }
        fprintf(stderr, "otactl: OpenSSL or libcurl cannot be used\n");
    }
    discard(c);
    return exit != CTL_DONE ? exit : CTL_INTERNAL;
}

void ctl_client_close(struct ctl_client *c)
{
    if (c == NULL)
        return;
    discard(c);
    curl_global_cleanup();
}

bool ctl_client_keep(const struct ctl_client *c, const struct secret_session *session,
                     const char *path)
{
    return ctl_access_write(&c->access, session, path);
}

const char *ctl_client_url(const struct ctl_client *c)
{
    return c->access.url;
}

// --- requests ---

void ctl_request_init(struct ctl_request *r, const char *method, const char *path)
{
    *r = (struct ctl_request){.method = method, .accept = "application/json"};
    r->path_w = writer_of(r->path, sizeof(r->path));
    r->query_w = writer_of(r->query, sizeof(r->query));
    text_put(&r->path_w, CTL_BASE);
    text_put(&r->path_w, path);
}

void ctl_request_segment(struct ctl_request *r, const char *segment)
{
    text_put(&r->path_w, "/");
    api_percent_encode(bytes_of_text(segment), false, &r->path_w);
}

void ctl_request_query(struct ctl_request *r, const char *name, const char *value)
{
    if (r->query_w.len > 0)
        text_put(&r->query_w, "&");
    api_percent_encode(bytes_of_text(name), false, &r->query_w);
    text_put(&r->query_w, "=");
    api_percent_encode(bytes_of_text(value), false, &r->query_w);
}

void ctl_request_json(struct ctl_request *r, struct bytes body)
{
    r->body = body;
    r->type = strcmp(r->method, "PATCH") == 0 ? "application/merge-patch+json" : "application/json";
}

void ctl_answer_free(struct ctl_answer *a)
{
    json_decref(a->json);
    if (a->text != NULL)
        secret_wipe(a->text, a->len); // some hold secrets
    free(a->text);
    secret_wipe(a->cookie, sizeof(a->cookie));
    *a = (struct ctl_answer){0};
}

void ctl_pause(uint64_t ms)
{
    (void)poll(NULL, 0, ms > 60000 ? 60000 : (int)ms);
}

void ctl_put_clean(FILE *to, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        const bool is_c1 = *c == 0xC2 && c[1] >= 0x80 && c[1] < 0xA0; // control characters in UTF-8
        if (is_c1)
            c++;
        fputc(is_c1 || *c < 0x20 || *c == 0x7F ? '?' : *c, to);
    }
}

// --- one exchange ---

struct exchange {
    struct ctl_client *c;
    struct ctl_request *r;
    struct ctl_answer *a;
    struct curl_slist *headers;
    uint64_t upload_len;
    uint8_t sha256[CRYPTO_SHA256_SIZE];
    const char *idempotency_key;
    bool is_out_of_memory;
    bool has_downloaded; // a part of the answer: it is not asked for again
};

static size_t take_body(char *at, size_t one, size_t count, void *context)
{
    struct exchange *e = context;
    struct ctl_answer *a = e->a;
    const size_t len = one * count;
    long status = 0;
    curl_easy_getinfo(e->c->curl, CURLINFO_RESPONSE_CODE, &status);
    if (e->r->download != NULL && status == 200) {
        e->has_downloaded = true;
        return fwrite(at, 1, len, e->r->download);
    }
    if (e->r->listen != NULL && status == 200) {
        e->has_downloaded = true;
        return e->r->listen(e->r->listen_context, bytes_of(at, len)) ? len : 0;
    }
    if (len > CTL_ANSWER_MAX - a->len)
        return 0;
    char *grown = realloc(a->text, a->len + len + 1);
    if (grown == NULL)
        return 0;
    memcpy(grown + a->len, at, len);
    a->text = grown;
    a->len += len;
    a->text[a->len] = '\0';
    return len;
}

static size_t take_header(char *at, size_t one, size_t count, void *context)
{
    struct ctl_answer *a = context;
    const struct bytes line = bytes_of(at, one * count);
    const struct bytes name = api_until(line, ':');
    char value[64];
    const struct bytes rest = api_trimmed(bytes_slice(line, name.len + 1, line.len));
    snprintf(value, sizeof(value), "%.*s", (int)(rest.len < 63 ? rest.len : 63),
             rest.len > 0 ? (const char *)rest.at : "");
    value[strcspn(value, "\r\n")] = '\0';
    uint64_t seconds = 0;
    if (name.len == 11 && strncasecmp(at, "Retry-After", 11) == 0 &&
        text_read_decimal(bytes_of_text(value), &seconds) && seconds < INT32_MAX)
        a->retry_after_s = (int64_t)seconds;
    const struct bytes cookie = api_trimmed(api_until(rest, ';'));
    if (name.len == 10 && strncasecmp(at, "Set-Cookie", 10) == 0 &&
        cookie.len < sizeof(a->cookie)) {
        bytes_copy(a->cookie, cookie);
        a->cookie[cookie.len] = '\0';
    }
    if (name.len == 4 && strncasecmp(at, "Date", 4) == 0)
        a->date_s = (int64_t)curl_getdate(value, NULL);
    return one * count;
}

static size_t give_upload(char *to, size_t one, size_t count, void *context)
{
    struct exchange *e = context;
    const size_t len = fread(to, 1, one * count, e->r->upload);
    return ferror(e->r->upload) ? CURL_READFUNC_ABORT : len;
}

// libcurl starts the body again when a kept connection turns out to be dead.
static int seek_upload(void *context, curl_off_t offset, int origin)
{
    struct exchange *e = context;
    return fseek(e->r->upload, (long)offset, origin) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static int tell_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up)
{
    struct exchange *e = context;
    (void)down_total;
    (void)down;
    (void)up_total;
    if (e->r->progress != NULL)
        e->r->progress(e->r->progress_context, (uint64_t)up, e->upload_len);
    return 0;
}

static bool digest_body(struct exchange *e)
{
    struct sha256 *s = sha256_open();
    bool is_right = s != NULL;
    if (is_right && e->r->upload == NULL)
        is_right = sha256_add(s, e->r->body);
    e->upload_len = 0;
    if (is_right && e->r->upload != NULL) {
        char piece[65536];
        rewind(e->r->upload);
        for (;;) {
            const size_t len = fread(piece, 1, sizeof(piece), e->r->upload);
            if (len == 0 || !is_right)
                break;
            e->upload_len += len;
            is_right = sha256_add(s, bytes_of(piece, len));
        }
        is_right = is_right && !ferror(e->r->upload);
        rewind(e->r->upload);
    }
    is_right = is_right && sha256_finish(s, e->sha256);
    sha256_close(s);
    return is_right;
}

static void add_header(struct exchange *e, const char *name, const char *value)
{
    char line[512];
    const int len = snprintf(line, sizeof(line), "%s: %s", name, value);
    struct curl_slist *longer =
        len < (int)sizeof(line) ? curl_slist_append(e->headers, line) : NULL;
    if (longer == NULL)
        e->is_out_of_memory = true;
    else
        e->headers = longer;
}

static void make_token(const char *prefix, char *token, size_t size)
{
    uint8_t chance[16];
    entropy_fill(chance, sizeof(chance));
    struct writer w = writer_of(token, size);
    text_put(&w, prefix);
    text_hex(&w, bytes_of(chance, sizeof(chance)));
    text_end(&w);
}

static bool sign(struct exchange *e, const char *path, char authorization[CTL_SIGNED_MAX])
{
    char nonce[64];
    make_token("", nonce, sizeof(nonce));
    const struct ctl_signer signer = {e->c->crypto, bytes_of_text(e->c->access.app_key),
                                      bytes_of_text(e->c->access.secret.text)};
    struct auth_signed_request s = {
        .method = bytes_of_text(e->r->method),
        .authority = bytes_of_text(e->c->access.authority),
        .path = bytes_of_text(path),
        .query = writer_bytes(&e->r->query_w),
        .content_type = bytes_of_text(e->r->type != NULL ? e->r->type : ""),
        .correlator = bytes_of_text(e->a->correlator),
        .idempotency_key = bytes_of_text(e->idempotency_key != NULL ? e->idempotency_key : ""),
        .has_body = e->upload_len > 0 || e->r->body.len > 0,
    };
    memcpy(s.body_sha256, e->sha256, sizeof(s.body_sha256));
    return ctl_sign(&signer, &s, clock_utc(), bytes_of_text(nonce), authorization);
}

// A person is known by a cookie; what changes something also shows that it is no other page's.
static void put_session(struct exchange *e)
{
    const struct ctl_access *a = &e->c->access;
    char origin[CTL_URL_MAX];
    add_header(e, "Cookie", a->session.cookie);
    if (strcmp(e->r->method, "GET") == 0)
        return;
    snprintf(origin, sizeof(origin), "%.*s%.400s", (int)(strcspn(a->url, "/") + 2), a->url,
             a->authority);
    add_header(e, "X-CSRF-Token", a->session.csrf);
    add_header(e, "Origin", origin);
}

static bool put_headers(struct exchange *e, const char *path)
{
    char authorization[CTL_SIGNED_MAX];
    add_header(e, "Accept", e->r->accept);
    add_header(e, "Expect", ""); // no waiting for "100 Continue"
    if (e->r->is_open)
        return !e->is_out_of_memory;
    if (e->c->access.app_key[0] != '\0' && !e->r->is_unsigned) {
        if (!sign(e, path, authorization))
            return false;
        add_header(e, "Authorization", authorization);
    }
    if (e->c->access.session.cookie[0] != '\0' && !e->r->is_unsigned)
        put_session(e);
    add_header(e, "x-correlator", e->a->correlator);
    if (e->idempotency_key != NULL)
        add_header(e, "Idempotency-Key", e->idempotency_key);
    if (e->r->last_event_id != NULL)
        add_header(e, "Last-Event-ID", e->r->last_event_id);
    // libcurl would name a type of its own when there is none.
    add_header(e, "Content-Type", e->r->type != NULL ? e->r->type : "");
    return !e->is_out_of_memory;
}

static void put_options(struct exchange *e, const char *url)
{
    CURL *curl = e->c->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,::1,localhost");
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, e->c->error);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, e->headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, e);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, e->a);
    if (e->c->access.ca_path[0] != '\0')
        curl_easy_setopt(curl, CURLOPT_CAINFO, e->c->access.ca_path);
    if (e->c->access.certificate[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, e->c->access.certificate);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, e->c->access.key);
    }
    if (e->r->upload != NULL) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)e->upload_len);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_upload);
        curl_easy_setopt(curl, CURLOPT_READDATA, e);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_upload);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, e);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, e);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_S);
    } else {
        if (e->r->listen != NULL) { // a silent one is no dead one
            curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
        } else if (e->r->download == NULL) {
            curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_MS);
        } else { // however long it takes, as long as something comes
            curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
            curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)ANSWER_MS / 1000);
        }
        if (e->r->type != NULL || strcmp(e->r->method, "POST") == 0) {
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)e->r->body.len);
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                             e->r->body.len > 0 ? (const char *)e->r->body.at : "");
        }
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, e->r->method);
}

static CURLcode exchange_once(struct exchange *e, const char *path, const char *url)
{
    ctl_answer_free(e->a);
    e->a->retry_after_s = -1;
    e->a->date_s = -1;
    make_token("otactl-", e->a->correlator, sizeof(e->a->correlator));
    e->headers = NULL;
    e->c->error[0] = '\0';
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (put_headers(e, path)) {
        put_options(e, url);
        code = curl_easy_perform(e->c->curl);
        curl_easy_setopt(e->c->curl, CURLOPT_HTTPHEADER, NULL);
    }
    curl_slist_free_all(e->headers);
    long status = 0;
    if (code == CURLE_OK)
        curl_easy_getinfo(e->c->curl, CURLINFO_RESPONSE_CODE, &status);
    e->a->status = (unsigned)status;
    if (e->r->upload != NULL)
        rewind(e->r->upload);
    return code;
}

static bool is_lost(CURLcode code)
{
    return code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR;
}

// Tries again what is safe to repeat: our nonce is new each time, the idempotency key is the same.
static CURLcode exchange_all(struct exchange *e, const char *path, const char *url)
{
    CURLcode code = CURLE_OK;
    uint64_t left_ms = RETRY_MAX_MS;
    for (unsigned i = 0; i < TRIES; i++) {
        code = exchange_once(e, path, url);
        const bool is_busy = code == CURLE_OK && !e->r->is_open && e->a->retry_after_s >= 0 &&
                             (e->a->status == 503 || e->a->status == 429);
        if (i + 1 == TRIES || e->has_downloaded || (!is_busy && !is_lost(code)))
            break;
        const uint64_t wait_ms = is_busy ? (uint64_t)e->a->retry_after_s * 1000 : 0;
        if (wait_ms > left_ms)
            break;
        left_ms -= wait_ms;
        ctl_pause(wait_ms);
    }
    return code;
}

static enum ctl_exit explain(const struct ctl_client *c, CURLcode code, char problem[256])
{
    const char *detail = c->error[0] != '\0' ? c->error : curl_easy_strerror(code);
    switch ((int)code) { // the few of libcurl's many that need words of their own
    case CURLE_OPERATION_TIMEDOUT:
        snprintf(problem, 256, "the server at %.120s did not answer in time", c->access.url);
        return CTL_TIMEOUT;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        snprintf(problem, 256, "the server at %.100s cannot be reached: %.100s", c->access.url,
                 detail);
        return CTL_INTERNAL;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
        snprintf(problem, 256, "no trusted TLS connection to %.100s: %.100s", c->access.url,
                 detail);
        return CTL_REFUSED;
    default:
        snprintf(problem, 256, "talking to %.100s failed: %.100s", c->access.url, detail);
        return CTL_INTERNAL;
    }
}

// The server refuses a key where no answer may be kept: it has a secret.
static bool takes_key(const struct ctl_request *r)
{
    const struct bytes path = bytes_of(r->path, r->path_w.len);
    const struct bytes end = bytes_of_text("/second-factor");
    if (r->is_reading || strcmp(r->method, "GET") == 0)
        return false;
    return path.len <= end.len || strcmp(r->method, "DELETE") == 0 ||
           !bytes_equal(bytes_slice(path, path.len - end.len, path.len), end);
}

enum ctl_exit ctl_call_quietly(struct ctl_client *c, struct ctl_request *r, struct ctl_answer *a,
                               char problem[256])
{
    char path[CTL_TARGET_MAX + CTL_URL_MAX];
    char url[3 * CTL_TARGET_MAX];
    char made_key[64];
    struct exchange e = {.c = c, .r = r, .a = a, .idempotency_key = r->idempotency_key};
    *a = (struct ctl_answer){0};
    problem[0] = '\0';
    if (e.idempotency_key == NULL && takes_key(r)) {
        make_token("otactl-", made_key, sizeof(made_key));
        e.idempotency_key = made_key;
    }
    if (r->path_w.failed || r->query_w.failed || !digest_body(&e)) {
        snprintf(problem, 256, "the request is too long, or its file cannot be read");
        return CTL_WRONG_USE;
    }
    snprintf(path, sizeof(path), "%s%.*s", c->access.prefix, (int)r->path_w.len, r->path);
    snprintf(url, sizeof(url), "%s%.*s%s%.*s", c->access.url, (int)r->path_w.len, r->path,
             r->query_w.len > 0 ? "?" : "", (int)r->query_w.len, r->query);
    const CURLcode code = exchange_all(&e, path, url);
    if (code == CURLE_WRITE_ERROR && r->listen != NULL && e.has_downloaded)
        return CTL_DONE; // who listens has heard enough
    if (code != CURLE_OK)
        return explain(c, code, problem);
    if (a->len > 0 && json_read(bytes_of(a->text, a->len), &a->json) != JSON_READ_OK)
        a->json = NULL;
    const bool is_document = a->len == 0 || a->json != NULL || strcmp(r->accept, "text/csv") == 0;
    if (ctl_exit_of_status(a->status) == CTL_DONE && !is_document) {
        snprintf(problem, 256, "the answer of %.120s is not the OTA server's", c->access.url);
        return CTL_INTERNAL;
    }
    return ctl_exit_of_status(a->status);
}

// --- saying what went wrong ---

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static void say_skew(const struct ctl_answer *a)
{
    const int64_t ahead_s = clock_utc().ms / 1000 - a->date_s;
    if (a->status != 401 || a->date_s < 0 || (ahead_s <= SKEW_MAX_S && ahead_s >= -SKEW_MAX_S))
        return;
    fprintf(stderr,
            "  clock skew: this machine's clock is %lld s %s the server's; more than %d s is "
            "refused\n  do: set the clock (timedatectl set-ntp true)\n",
            (long long)(ahead_s < 0 ? -ahead_s : ahead_s), ahead_s < 0 ? "behind" : "ahead of",
            SKEW_MAX_S);
}

static void say_answer(const struct ctl_client *c, const char *what, const struct ctl_answer *a)
{
    const json_t *detail = json_array_get(json_object_get(a->json, "details"), 0);
    const char *code = text_of(a->json, "code");
    const char *reason = text_of(detail, "reason");
    const char *field = text_of(detail, "field");
    fprintf(stderr, "otactl: %s: ", what);
    if (*code == '\0')
        fprintf(stderr, "the answer %u is not one of this server's", a->status);
    ctl_put_clean(stderr, text_of(a->json, "message"));
    fprintf(stderr, " (%u%s", a->status, *code != '\0' ? " " : "");
    ctl_put_clean(stderr, code);
    if (*reason != '\0') {
        fputs(", ", stderr);
        ctl_put_clean(stderr, reason);
    }
    if (*field != '\0') {
        fputs(", field ", stderr);
        ctl_put_clean(stderr, field);
    }
    fprintf(stderr, ", correlator %s)\n", a->correlator);
    const char *advice = ctl_advice(reason, code);
    if (advice != NULL)
        fprintf(stderr, "  do: %s\n", advice);
    else if (a->status == 401 && c->access.session.cookie[0] != '\0')
        fprintf(stderr, "  do: the session is over; log in again: otactl session open\n");
    else if (a->status == 401)
        fprintf(stderr,
                "  do: check APPKEY and APPSECRET, and that %s is the address the server calls "
                "public; otactl doctor looks closer\n",
                c->access.url);
    say_skew(a);
}

enum ctl_exit ctl_call(struct ctl_client *c, struct ctl_request *r, const char *what,
                       struct ctl_answer *a)
{
    char problem[256];
    const enum ctl_exit exit = ctl_call_quietly(c, r, a, problem);
    if (problem[0] != '\0') {
        fprintf(stderr, "otactl: %s: ", what);
        ctl_put_clean(stderr, problem);
        fputs("\n  do: check the address and that the server runs; otactl doctor looks closer\n",
              stderr);
    } else if (exit != CTL_DONE) {
        say_answer(c, what, a);
    }
    return exit;
}

// F14: texts of the interface. JSON and percent signs as jansson and curl read them; ids, times and
// signatures read only what is written the same; and the signed text does not depend on how a
// gateway writes a query.
#include "common/base/check.h"
#include "common/host/json.h"
#include "ota-server/service/api_query.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/auth_hmac.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TEXT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// What we read is what jansson reads; what jansson reads and we do not has one of our reasons.
static void json(struct bytes text)
{
    json_t *ours;
    const enum json_fault fault = json_read(text, &ours);
    json_t *theirs = text.len == 0 ? NULL
                                   : json_loadb((const char *)text.at, text.len,
                                                JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    check((fault == JSON_READ_OK) == (ours != NULL));
    if (ours != NULL) {
        check(theirs != NULL && json_equal(ours, theirs) == 1);
        char *written = json_dumps(ours, JSON_ENCODE_ANY | JSON_COMPACT);
        check(written != NULL);
        json_t *again;
        check(json_read(bytes_of_text(written), &again) == JSON_READ_OK);
        json_decref(again);
        free(written);
    } else {
        check(theirs == NULL || fault == JSON_READ_DEEP || fault == JSON_READ_MARKED);
    }
    json_decref(ours);
    json_decref(theirs);
}

static void percent(struct bytes text)
{
    char out[3 * TEXT_MAX + 1];
    struct writer w = writer_of(out, sizeof out);
    int len = 0;
    if (text.len == 0) // curl takes 0 for "up to the zero"
        return;
    char *theirs = curl_easy_unescape(NULL, (const char *)text.at, (int)text.len, &len);
    check(theirs != NULL);
    if (api_percent_decode(text, &w))
        check(bytes_equal(writer_bytes(&w), bytes_of(theirs, (size_t)len)));
    curl_free(theirs);
    w = writer_of(out, sizeof out);
    api_percent_encode(text, false, &w);
    check(!w.failed);
    theirs = curl_easy_escape(NULL, (const char *)text.at, (int)text.len);
    check(theirs != NULL && bytes_equal(writer_bytes(&w), bytes_of_text(theirs)));
    curl_free(theirs);
}

static void ids_and_times(struct bytes text)
{
    uint64_t id;
    char written[API_ID_SIZE];
    struct utc at;
    if (api_id_read(text, "crd", &id)) {
        api_id_write(written, "crd", id);
        check(bytes_equal(text, bytes_of_text(written)));
    }
    if (!api_read_time(text, &at))
        return;
    const time_t seconds = (time_t)(at.ms >= 0 ? at.ms / 1000 : (at.ms - 999) / 1000);
    struct tm tm;
    char again[40];
    struct utc same;
    check(gmtime_r(&seconds, &tm) != NULL);
    if (tm.tm_year < -1900 || tm.tm_year > 8099)
        return;
    (void)snprintf(again, sizeof again, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    check(api_read_time(bytes_of_text(again), &same) && same.ms == (int64_t)seconds * 1000);
}

static void query(struct bytes text)
{
    static const char *const fields[] = {"createdAt", NULL};
    static struct api_query q;
    struct api_page page;
    uint64_t key;
    const struct utc now = {1784894400000};
    if (api_cursor_read(text, now, &key))
        check(text.len <= API_CURSOR_MAX);
    if (api_query_read(&q, text).code != API_OK)
        return;
    check(q.count <= API_PARAMETERS_MAX);
    if (api_page_read(&q, fields, now, &page).code == API_OK)
        check(page.page >= 1 && page.per_page >= 1 && page.per_page <= API_PER_PAGE_MAX);
}

static void signature(struct bytes text)
{
    static uint8_t one[AUTH_TEXT_MAX];
    static uint8_t two[AUTH_TEXT_MAX];
    struct auth_signature s;
    const struct bytes header = api_until(text, '\n');
    const struct bytes rest = bytes_slice(text, header.len + 1, text.len);
    if (!auth_signature_read(header, &s))
        return;
    check(auth_is_app_key(s.app_key) && s.ts_s >= 0 && s.nonce.len >= AUTH_NONCE_MIN &&
          s.nonce.len <= AUTH_NONCE_MAX);
    struct auth_signed_request r = {.method = bytes_of_text("GET"),
                                    .authority = bytes_of_text("api.example.com"),
                                    .path = bytes_of_text("/cards"),
                                    .query = rest};
    struct writer w = writer_of(one, sizeof one);
    if (auth_text(&w, &r, &s) != AUTH_TEXT_OK)
        return;
    // The query as it stands in the signed text is a query, and is signed the same.
    struct bytes lines = writer_bytes(&w);
    for (unsigned i = 0; i < 4; i++)
        lines = bytes_slice(lines, api_until(lines, '\n').len + 1, lines.len);
    r.query = api_until(lines, '\n');
    struct writer again = writer_of(two, sizeof two);
    check(auth_text(&again, &r, &s) == AUTH_TEXT_OK);
    check(bytes_equal(writer_bytes(&w), writer_bytes(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static void (*const readers[])(struct bytes) = {json, percent, ids_and_times, query, signature};
    if (len == 0 || len > TEXT_MAX)
        return 0;
    readers[data[0] % 5](bytes_of(data + 1, len - 1));
    return 0;
}

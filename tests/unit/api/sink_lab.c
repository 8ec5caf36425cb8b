#include "tests/unit/api/sink_lab.h"

#include "common/base/text.h"
#include "ota-server/service/alarm.h"

#include <stdio.h>

struct lab lab;
struct answer a;
struct sinks *sinks;
static struct record record;
uint64_t card, card2;
char path[512];

struct sent sents[SENT_MAX];
size_t sent_count;
bool is_line_dead; // nothing can be sent now

static bool take_request(void *context, const struct sink_request *r)
{
    (void)context;
    if (is_line_dead)
        return false;
    assert_true(sent_count < SENT_MAX);
    struct sent *s = &sents[sent_count++];
    struct writer w = writer_of(s->headers, sizeof(s->headers));
    s->ticket = r->ticket;
    (void)snprintf(s->url, sizeof(s->url), "%s", r->url);
    for (const char *const *line = r->headers; *line != NULL; line++) {
        text_put(&w, *line);
        text_put(&w, "\n");
    }
    (void)text_end(&w);
    bytes_copy(s->body, r->body);
    s->body[r->body.len] = '\0';
    return true;
}

static bool fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    memset(to, 128, len);
    return true;
}

void open_sinks(void)
{
    struct sinks_options options = {.reader = lab.store,
                                    .turn = lab.turn,
                                    .source = "https://api.example.com",
                                    .client_key = lab.client_key,
                                    .fill = fill,
                                    .send = take_request};
    sinks = sinks_open(&options);
    assert_non_null(sinks);
    sent_count = 0;
    is_line_dead = false;
}

static void open_cards(void)
{
    card = lab_card(&lab, "89999000000000000012", &record);
    card2 =
        lab_card_of(&lab, "89999000000000000020", "001010000000003", "999700000000003", &record);
}

int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    open_cards();
    open_sinks();
    return 0;
}

int open_file(void **state)
{
    (void)state;
    lab_open_imports(&lab, "all", true);
    open_cards();
    open_sinks();
    return 0;
}

int close_all(void **state)
{
    (void)state;
    sinks_close(sinks);
    lab_close(&lab);
    return 0;
}

void work_for(int64_t ms)
{
    lab.now.utc.ms += ms;
    lab.now.instant.ms += (uint64_t)ms;
    for (unsigned i = 0; i < 8; i++) {
        if (turn_has_told(lab.turn))
            sinks_look(sinks);
        sinks_step(sinks, lab.now.utc);
        lab.now.utc.ms += 60; // looks follow one another no faster
        lab_turn(&lab);
    }
}

void work(void)
{
    work_for(0);
}

void answer_with(size_t index, unsigned status)
{
    answer_body(index, status, "");
}

void answer_body(size_t index, unsigned status, const char *body)
{
    const struct sink_answer answer = {.status = status,
                                       .problem = status == 0 ? "TIMEOUT" : "",
                                       .retry_after_s = -1,
                                       .took_ms = 5,
                                       .body = bytes_of_text(body)};
    assert_true(index < sent_count);
    sinks_answered(sinks, sents[index].ticket, &answer);
    work();
}

// A token lasts an hour, and a test days.
static void renew_token(void)
{
    static struct utc given_at;
    const int64_t age_ms = lab.now.utc.ms - given_at.ms;
    if (age_ms >= 0 && age_ms < 1800000)
        return;
    lab_client(&lab, "all", LAB_TENANT, lab.token);
    given_at = lab.now.utc;
}

void ask_as(const char *token, const char *method, const char *target, const char *body,
            unsigned status)
{
    if (token == NULL)
        renew_token();
    lab_ask(&lab,
            &(struct ask){.method = method, .target = target, .body = body, .authorization = token},
            &a);
    if (a.status != status)
        fail_msg("%s %s %s: %u %s", method, target, body != NULL ? body : "", a.status, a.body);
}

void ask(const char *method, const char *target, const char *body, unsigned status)
{
    ask_as(NULL, method, target, body, status);
}

const char *last_id(const char *prefix)
{
    static char id[API_ID_SIZE];
    api_id_write(id, prefix, lab_id(&a, prefix));
    return id;
}

const char *add_sink(const char *token, const char *url, const char *types)
{
    static char id[API_ID_SIZE];
    char body[1024];
    (void)snprintf(body, sizeof(body), "{\"sink\":\"%s\",\"types\":[%s]}", url, types);
    ask_as(token, "POST", SINKS, body, 201);
    memcpy(id, last_id("snk"), sizeof(id));
    return id;
}

const char *sink_path(const char *id, const char *after)
{
    (void)snprintf(path, sizeof(path), SINKS "/%s%s", id, after);
    return path;
}

void dirty(uint64_t which)
{
    char target[256];
    char id[API_ID_SIZE];
    api_id_write(id, "crd", which);
    (void)snprintf(target, sizeof(target), API_BASE "/cards/%s/dirty", id);
    ask("PUT", target, "{\"reason\":\"lost\"}", 200);
}

void clean(uint64_t which)
{
    char target[256];
    char id[API_ID_SIZE];
    api_id_write(id, "crd", which);
    (void)snprintf(target, sizeof(target), API_BASE "/cards/%s/dirty", id);
    ask("DELETE", target, "{\"reason\":\"found\"}", 200);
}

bool says(const char *text)
{
    return strstr(a.body, text) != NULL;
}

bool is_of_type(size_t index, const char *type)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "\"type\":\"ota.connectivity-management.v1.%s\"", type);
    return strstr(sents[index].body, text) != NULL;
}

bool has_alarm(void)
{
    bool is_raised = false;
    assert_int_equal(alarm_is_raised(lab.store, "webhook.dead", &is_raised), STORE_OK);
    return is_raised;
}

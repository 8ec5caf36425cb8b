#include "smpp/shell/control.h"

#include "common/base/json_writer.h"
#include "common/base/text.h"
#include "common/host/json.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MAX (256 * 1024)
#define QUEUE_LISTED_MAX 1000

static uint8_t answer_octets[ANSWER_MAX]; // one answer at a time: a shell's own memory

static void reply(struct http_request *r, unsigned status, const struct json_writer *j)
{
    if (!json_done(j)) {
        static const char FULL[] = "{\"error\":\"the answer is too long\"}\n";
        http_reply(r, 500, "application/json", NULL, 0, bytes_of_text(FULL));
        return;
    }
    text_put(j->out, "\n");
    http_reply(r, status, "application/json", NULL, 0, writer_bytes(j->out));
}

static void reply_error(struct http_request *r, unsigned status, const char *text)
{
    struct writer w = writer_of(answer_octets, sizeof answer_octets);
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    json_put_key(&j, "error");
    json_put_string(&j, text);
    json_end_object(&j);
    reply(r, status, &j);
}

static void put(struct json_writer *j, const char *name, uint64_t value)
{
    json_put_key(j, name);
    json_put_unsigned(j, value);
}

static void put_string(struct json_writer *j, const char *name, const char *value)
{
    json_put_key(j, name);
    json_put_string(j, value);
}

static void reply_health(struct http_request *r)
{
    http_reply(r, 200, "application/json", NULL, 0, bytes_of_text("{\"status\":\"ok\"}\n"));
}

static void reply_counters(struct http_request *r, struct links *links)
{
    const struct smsc *s = links_smsc(links);
    const struct smsc_counts *c = &s->counts;
    struct writer w = writer_of(answer_octets, sizeof answer_octets);
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    put(&j, "submitted", c->submitted);
    put(&j, "accepted", c->accepted);
    put(&j, "refused", c->refused);
    put(&j, "queueFull", c->queue_full);
    put(&j, "deliverTries", c->deliver_tries);
    put(&j, "delivered", c->delivered);
    put(&j, "temporary", c->temporary);
    put(&j, "undeliverable", c->undeliverable);
    put(&j, "expired", c->expired);
    put(&j, "receipts", c->receipts);
    put(&j, "lost", c->lost);
    put(&j, "duplicated", c->duplicated);
    put(&j, "delayed", c->delayed);
    put(&j, "reordered", c->reordered);
    put(&j, "statuses", c->statuses);
    put(&j, "cut", c->cut);
    put(&j, "droppedReceipts", c->dropped_receipts);
    put(&j, "droppedResponses", c->dropped_responses);
    put(&j, "duplicatedReceipts", c->duplicated_receipts);
    put(&j, "earlyReceipts", c->early_receipts);
    put(&j, "queued", s->queue->held);
    put(&j, "links", links_count(links));
    json_end_object(&j);
    reply(r, 200, &j);
}

static void put_link(struct json_writer *j, const struct links *links, const struct smsc_link *link,
                     uint32_t index)
{
    static const char *const TYPES[] = {[SMPP_UNBOUND] = "none",
                                        [SMPP_TX] = "transmitter",
                                        [SMPP_RX] = "receiver",
                                        [SMPP_TRX] = "transceiver"};
    json_begin_object(j);
    put(j, "link", index);
    if (link->has_account)
        put_string(j, "account", links_settings(links)->accounts[link->account].system_id);
    put_string(j, "bound", TYPES[link->session.bound_as]);
    put_string(j, "range", link->range);
    put(j, "inFlight", smpp_session_in_flight(&link->session));
    put(j, "pdusIn", link->session.counts.pdus_in);
    put(j, "pdusOut", link->session.counts.pdus_out);
    put(j, "refused", link->session.counts.refused);
    json_end_object(j);
}

static void reply_links(struct http_request *r, struct links *links)
{
    const struct smsc *s = links_smsc(links);
    struct writer w = writer_of(answer_octets, sizeof answer_octets);
    struct json_writer j = json_writer_of(&w);
    json_begin_array(&j);
    for (uint32_t i = 0; i < s->config.link_count; i++)
        if (s->config.links[i].is_used)
            put_link(&j, links, &s->config.links[i], i);
    json_end_array(&j);
    reply(r, 200, &j);
}

static void reply_queue(struct http_request *r, struct links *links)
{
    const struct smsc_queue *q = links_smsc(links)->queue;
    struct writer w = writer_of(answer_octets, sizeof answer_octets);
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    put(&j, "queued", q->held);
    json_put_key(&j, "destinations");
    json_begin_array(&j);
    unsigned listed = 0;
    for (uint32_t i = 0; i < q->message_count && listed < QUEUE_LISTED_MAX; i++) {
        const struct smsc_mailbox *box = &q->mailboxes[i];
        if (!box->is_used || box->count == 0)
            continue;
        listed++;
        json_begin_object(&j);
        put_string(&j, "number", box->destination.digits);
        put(&j, "waiting", box->count);
        put(&j, "inFlight", box->in_flight);
        put(&j, "failures", box->failures);
        json_end_object(&j);
    }
    json_end_array(&j);
    json_end_object(&j);
    reply(r, 200, &j);
}

static void put_rule(struct json_writer *j, const struct smsc_rule *rule)
{
    json_begin_object(j);
    put(j, "id", rule->id);
    put_string(j, "fault", smsc_fault_name(rule->fault));
    put_string(j, "source", rule->source);
    put_string(j, "destination", rule->destination);
    put(j, "skip", rule->skip);
    put(j, "count", rule->count);
    json_put_key(j, "probability");
    json_put_fixed(j, rule->per_million, 6);
    put(j, "value", rule->value);
    put(j, "matched", rule->matched);
    put(j, "hit", rule->hit);
    json_end_object(j);
}

static void reply_rules(struct http_request *r, struct links *links)
{
    const struct smsc_faults *faults = links_smsc(links)->faults;
    struct writer w = writer_of(answer_octets, sizeof answer_octets);
    struct json_writer j = json_writer_of(&w);
    json_begin_array(&j);
    for (uint32_t i = 0; i < faults->rule_count; i++)
        put_rule(&j, &faults->rules[i]);
    json_end_array(&j);
    reply(r, 200, &j);
}

static bool get_number(const json_t *body, const char *name, char *to)
{
    struct bytes digits;
    enum json_found found = json_get_text(body, name, &digits);
    if (found == JSON_ABSENT)
        return true;
    if (found != JSON_FOUND || digits.len >= SMSC_NUMBER_SIZE)
        return false;
    memcpy(to, digits.at, digits.len);
    return true;
}

static bool get_count(const json_t *body, const char *name, uint32_t *to)
{
    int64_t value = 0;
    enum json_found found = json_get_integer(body, name, 0, UINT32_MAX, &value);
    *to = (uint32_t)value;
    return found == JSON_FOUND || found == JSON_ABSENT;
}

// NULL, or what is wrong with the rule.
static const char *read_rule(const json_t *body, struct smsc_rule *rule)
{
    static const char *const NAMES[] = {"fault", "source", "destination", "skip",
                                        "count", "value",  "probability"};
    struct bytes fault = bytes_of(NULL, 0);
    double probability = 1;
    *rule = (struct smsc_rule){0};
    if (json_unknown(body, NAMES, sizeof NAMES / sizeof NAMES[0]) != NULL)
        return "a rule has fault, source, destination, skip, count, value and probability";
    if (json_get_text(body, "fault", &fault) == JSON_FOUND)
        rule->fault = smsc_fault_by_name(fault);
    if (rule->fault == SMSC_FAULT_NONE)
        return "fault is lose, delay, duplicate, reorder, status, drop-receipt, drop-response, "
               "cut-link, duplicate-receipt or early-receipt";
    enum json_found chance = json_get_real(body, "probability", 0, 1, &probability);
    if (chance != JSON_FOUND && chance != JSON_ABSENT)
        return "probability is a number from 0 to 1";
    rule->per_million = (uint32_t)(probability * 1e6 + 0.5);
    if (!get_number(body, "source", rule->source) ||
        !get_number(body, "destination", rule->destination))
        return "source and destination are texts of at most 20 digits";
    if (!get_count(body, "skip", &rule->skip) || !get_count(body, "count", &rule->count) ||
        !get_count(body, "value", &rule->value))
        return "skip, count and value are whole numbers from 0";
    return NULL;
}

static void add_rule(struct http_request *r, struct links *links, const json_t *body)
{
    struct smsc_faults *faults = links_smsc(links)->faults;
    struct smsc_rule rule;
    const char *wrong = read_rule(body, &rule);
    if (wrong != NULL) {
        reply_error(r, 400, wrong);
        return;
    }
    if (smsc_faults_add(faults, &rule) == 0) {
        reply_error(r, 409, "there are 64 rules already: delete some");
        return;
    }
    struct writer w = writer_of(answer_octets, sizeof answer_octets);
    struct json_writer j = json_writer_of(&w);
    put_rule(&j, &faults->rules[faults->rule_count - 1]);
    reply(r, 201, &j);
}

static void alert(struct http_request *r, struct links *links, const json_t *body)
{
    char digits[SMSC_NUMBER_SIZE] = "";
    if (!get_number(body, "number", digits) || digits[0] == '\0') {
        reply_error(r, 400, "number is a text of 1 to 20 digits");
        return;
    }
    smsc_alert(links_smsc(links), digits);
    http_reply(r, 204, NULL, NULL, 0, bytes_of(NULL, 0));
}

// The number between `prefix` and `suffix` of a path; false for another path.
static bool path_number(const char *path, const char *prefix, const char *suffix, uint64_t *number)
{
    size_t path_len = strlen(path);
    size_t prefix_len = strlen(prefix);
    size_t suffix_len = strlen(suffix);
    if (path_len <= prefix_len + suffix_len || strncmp(path, prefix, prefix_len) != 0 ||
        strcmp(path + path_len - suffix_len, suffix) != 0)
        return false;
    return text_read_decimal(bytes_of(path + prefix_len, path_len - prefix_len - suffix_len),
                             number);
}

static void get(struct http_request *r, struct links *links, const char *path)
{
    if (strcmp(path, "/healthz") == 0)
        reply_health(r);
    else if (strcmp(path, "/counters") == 0)
        reply_counters(r, links);
    else if (strcmp(path, "/links") == 0)
        reply_links(r, links);
    else if (strcmp(path, "/queue") == 0)
        reply_queue(r, links);
    else if (strcmp(path, "/rules") == 0)
        reply_rules(r, links);
    else
        reply_error(r, 404, "there are /healthz /counters /links /queue /alert /rules");
}

static void post(struct http_request *r, struct links *links, const char *path)
{
    uint64_t number;
    if (path_number(path, "/links/", "/cut", &number)) {
        smsc_cut(links_smsc(links), number < SMSC_NONE ? (uint32_t)number : SMSC_NONE);
        http_reply(r, 204, NULL, NULL, 0, bytes_of(NULL, 0));
        return;
    }
    bool is_rules = strcmp(path, "/rules") == 0;
    if (!is_rules && strcmp(path, "/alert") != 0) {
        reply_error(r, 404, "POST goes to /rules, /alert and /links/N/cut");
        return;
    }
    json_t *body = NULL;
    enum json_fault fault = json_read(http_body(r), &body);
    if (fault != JSON_READ_OK)
        reply_error(r, 400, json_fault_text(fault));
    else if (is_rules)
        add_rule(r, links, body);
    else
        alert(r, links, body);
    json_decref(body);
}

static void delete (struct http_request *r, struct links *links, const char *path)
{
    struct smsc_faults *faults = links_smsc(links)->faults;
    uint64_t id = 0;
    if (strcmp(path, "/rules") == 0) {
        faults->rule_count = 0;
    } else if (!path_number(path, "/rules/", "", &id) || id > UINT32_MAX ||
               !smsc_faults_remove(faults, (uint32_t)id)) {
        reply_error(r, 404, "there is no such rule");
        return;
    }
    http_reply(r, 204, NULL, NULL, 0, bytes_of(NULL, 0));
}

static void complete(void *context, struct http_request *r)
{
    struct links *links = context;
    const char *method = http_method(r);
    const char *path = http_path(r);
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
        get(r, links, path);
    else if (strcmp(method, "POST") == 0)
        post(r, links, path);
    else if (strcmp(method, "DELETE") == 0)
        delete (r, links, path);
    else
        reply_error(r, 405, "GET, HEAD, POST and DELETE are understood");
}

enum net_error control_open(struct loop *loop, const char *listen, struct links *links,
                            struct http **http)
{
    static const struct http_handler HANDLER = {.complete = complete};
    const struct http_limits limits = http_limits_default();
    struct net_address address;
    enum net_error result = net_resolve(listen, &address);
    return result == NET_OK ? http_open(loop, &address, &limits, &HANDLER, links, http) : result;
}

#include "sim-emulator/shell/fleet_control.h"

#include "common/base/text.h"
#include "common/host/http.h"
#include "common/host/json.h"
#include "sim-emulator/shell/slots.h"
#include "sim-emulator/shell/store.h"
#include "sim-emulator/shell/truth.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 131072
#define PAGE_MAX 500

struct fleet_control {
    struct app *app;
    struct http *http;
    uint8_t answer[ANSWER_MAX];
};

// How far a request for all cards has come.
struct walk {
    uint32_t next;
    size_t len, sent;
    uint8_t line[TRUTH_CARD_MAX + 1];
};

static void reply(struct http_request *r, unsigned status, struct bytes body)
{
    http_reply(r, status, "application/json", NULL, 0, body);
}

static void refuse(struct http_request *r, unsigned status, const char *reason)
{
    uint8_t octets[512];
    struct writer w = writer_of(octets, sizeof octets);
    struct json_writer json = json_writer_of(&w);
    json_begin_object(&json);
    json_put_key(&json, "error");
    json_put_string(&json, reason);
    json_end_object(&json);
    reply(r, status, writer_bytes(&w));
}

// --- looking ---------------------------------------------------------------------------------

static uint32_t query_number(const struct http_request *r, const char *name, uint32_t otherwise)
{
    const char *text = http_query(r, name);
    uint64_t value;
    if (text == NULL || !text_read_decimal(bytes_of_text(text), &value) || value > UINT32_MAX)
        return otherwise;
    return (uint32_t)value;
}

static void show_cards(struct fleet_control *c, struct http_request *r)
{
    uint32_t first = query_number(r, "first", 1);
    uint32_t count = query_number(r, "count", 100);
    struct writer w = writer_of(c->answer, sizeof c->answer);
    struct json_writer json = json_writer_of(&w);
    json_begin_object(&json);
    json_put_key(&json, "total");
    json_put_unsigned(&json, c->app->fleet.count);
    json_put_key(&json, "cards");
    json_begin_array(&json);
    for (uint32_t i = 0; i < count && i < PAGE_MAX && first >= 1; i++) {
        if (first - 1 >= c->app->fleet.count || i >= c->app->fleet.count - (first - 1))
            break;
        truth_card_short(c->app, first - 1 + i, &json);
    }
    json_end_array(&json);
    json_end_object(&json);
    reply(r, 200, writer_bytes(&w));
}

static void show_card(struct fleet_control *c, struct http_request *r, uint32_t number)
{
    struct writer w = writer_of(c->answer, sizeof c->answer);
    struct json_writer json = json_writer_of(&w);
    truth_card(c->app, number, &json);
    reply(r, 200, writer_bytes(&w));
}

static void show_counters(struct fleet_control *c, struct http_request *r)
{
    struct writer w = writer_of(c->answer, sizeof c->answer);
    struct json_writer json = json_writer_of(&w);
    truth_counters(c->app, &json);
    reply(r, 200, writer_bytes(&w));
}

static long pull_truth(void *context, struct http_request *r, uint8_t *to, size_t len)
{
    struct fleet_control *c = context;
    struct walk *walk = http_user(r);
    if (walk->sent == walk->len) {
        if (walk->next == c->app->fleet.count) {
            free(walk);
            http_set_user(r, NULL);
            return HTTP_PULL_END;
        }
        struct writer w = writer_of(walk->line, sizeof walk->line);
        struct json_writer json = json_writer_of(&w);
        truth_card(c->app, walk->next++, &json);
        writer_u8(&w, '\n');
        walk->len = w.len;
        walk->sent = 0;
    }
    size_t left = walk->len - walk->sent;
    size_t now = left < len ? left : len;
    memcpy(to, walk->line + walk->sent, now);
    walk->sent += now;
    return (long)now;
}

static void show_truth(struct http_request *r)
{
    struct walk *walk = calloc(1, sizeof *walk);
    if (walk == NULL) {
        refuse(r, 503, "there is not enough memory");
        return;
    }
    http_set_user(r, walk);
    http_stream(r, 200, "application/jsonl", NULL, 0, pull_truth);
}

// --- doing -----------------------------------------------------------------------------------

// {"power":..}, {"cut":..}, {"area":..} or {"imei":..} as a step of a scenario. A reason when it is
// none of them.
static const char *read_step(const struct app *app, const json_t *body, struct scenario_step *step)
{
    static const char *const names[] = {"power", "cut", "area", "imei"};
    struct bytes text;
    int64_t number;
    char word[17];
    if (json_unknown(body, names, 4) != NULL || json_object_size(body) != 1)
        return "exactly one of power, cut, area and imei is expected";
    if (json_get_text(body, "power", &text) == JSON_FOUND) {
        bool is_on = bytes_equal(text, bytes_of_text("on"));
        step->action = is_on ? SCENARIO_POWER_ON : SCENARIO_POWER_OFF;
        return is_on || bytes_equal(text, bytes_of_text("off")) ? NULL : "power is on or off";
    }
    if (json_get_integer(body, "cut", 1, UINT32_MAX, &number) == JSON_FOUND) {
        step->action = SCENARIO_CUT;
        step->value = (uint32_t)number;
        return NULL;
    }
    enum json_found imei = json_get_text(body, "imei", &text);
    if (imei == JSON_NULL_FOUND) {
        step->action = SCENARIO_NO_IMEI;
        return NULL;
    }
    bool is_text = imei == JSON_FOUND || json_get_text(body, "area", &text) == JSON_FOUND;
    if (!is_text || text.len >= sizeof word)
        return "the value is of a wrong type or out of range";
    memcpy(word, text.at, text.len);
    word[text.len] = 0;
    if (imei == JSON_FOUND) {
        step->action = SCENARIO_IMEI;
        return imei_write(word, step->imei) ? NULL : "an IMEI has 15 digits";
    }
    step->action = SCENARIO_MOVE;
    step->value = radio_area_find(&app->radio, word);
    return step->value < RADIO_AREAS_MAX ? NULL : "there is no such area";
}

// {"card":"in"} or {"card":"out"}: of a reader's slot.
static const char *move_card(const struct app *app, uint32_t number, const json_t *body)
{
    struct bytes text;
    if (app->slots == NULL)
        return "the cards are in no reader";
    if (json_object_size(body) != 1 || json_get_text(body, "card", &text) != JSON_FOUND)
        return "a card is put in or out, and nothing else at once";
    bool is_in = bytes_equal(text, bytes_of_text("in"));
    if (!is_in && !bytes_equal(text, bytes_of_text("out")))
        return "a card is put in or out";
    slots_put(app->slots, number, is_in);
    return NULL;
}

// {"give":"HEX"}: a proactive command.
static void give(struct fleet_control *c, struct http_request *r, uint32_t number,
                 const json_t *body)
{
    uint8_t octets[CARD_GIVEN_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    struct bytes text;
    if (json_object_size(body) != 1 || json_get_text(body, "give", &text) != JSON_FOUND ||
        !text_unhex(text, &w)) {
        refuse(r, 400, "give: a proactive command in hexadecimal is expected, and nothing else");
        return;
    }
    switch (fleet_give(&c->app->fleet, number, writer_bytes(&w), app_now(c->app))) {
    case CARD_GIVEN:
        app_reschedule(c->app);
        show_card(c, r, number);
        break;
    case CARD_GIVE_NONSENSE:
        refuse(r, 400, "give: D0 with command details and device identities is expected");
        break;
    case CARD_GIVE_BUSY:
        refuse(r, 409, "another command waits for the terminal");
        break;
    }
}

static const char *read_act(const struct app *app, const json_t *body, struct scenario_step *step)
{
    const char *reason = read_step(app, body, step);
    bool has_device = app->slots == NULL || app->options.has_devices;
    if (reason == NULL && !has_device && step->action != SCENARIO_CUT)
        return "there is no device around the card (--devices)";
    return reason;
}

static void act_on_card(struct fleet_control *c, struct http_request *r, uint32_t number,
                        const json_t *body)
{
    struct scenario_step step = {.at = {0}};
    if (json_object_get(body, "card") != NULL) {
        const char *refusal = move_card(c->app, number, body);
        if (refusal != NULL)
            refuse(r, 400, refusal);
        else
            show_card(c, r, number);
        return;
    }
    if (json_object_get(body, "give") != NULL) {
        give(c, r, number, body);
        return;
    }
    const char *reason = read_act(c->app, body, &step);
    if (reason != NULL) {
        refuse(r, 400, reason);
        return;
    }
    if (!fleet_act(&c->app->fleet, number, &step, app_now(c->app))) {
        refuse(r, 503, "too many power cuts wait at once");
        return;
    }
    app_reschedule(c->app);
    show_card(c, r, number);
}

static void act_on_area(struct fleet_control *c, struct http_request *r, const char *name,
                        const json_t *body)
{
    uint8_t area = radio_area_find(&c->app->radio, name);
    const json_t *list;
    if (area == RADIO_AREAS_MAX) {
        refuse(r, 404, "there is no such area");
        return;
    }
    if (json_get_array(body, "networks", &list) != JSON_FOUND) {
        refuse(r, 400, "networks: a list of PLMNs is expected, empty for none");
        return;
    }
    uint16_t networks = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *plmn = json_string_value(json_array_get(list, i));
        uint8_t network =
            plmn == NULL ? RADIO_NETWORKS_MAX : radio_network_find(&c->app->radio, plmn);
        if (network == RADIO_NETWORKS_MAX) {
            refuse(r, 400, "networks: one of them is not in the scenario");
            return;
        }
        networks |= (uint16_t)(1U << network);
    }
    if (!fleet_cover(&c->app->fleet, area, networks, app_now(c->app))) {
        refuse(r, 503, "there were too many changes of coverage");
        return;
    }
    app_reschedule(c->app);
    show_counters(c, r);
}

static void save(struct fleet_control *c, struct http_request *r)
{
    char error[CARDS_ERROR_SIZE];
    if (c->app->store == NULL)
        refuse(r, 409, "there is no file of a fleet (fleet --data)");
    else if (store_save(c->app, error))
        show_counters(c, r);
    else
        refuse(r, 500, error);
}

// --- requests --------------------------------------------------------------------------------

static uint32_t find_card(const struct app *app, const char *text)
{
    uint8_t iccid[COMMAND_ICCID_SIZE];
    if (!iccid_write(text, iccid))
        return UINT32_MAX;
    for (uint32_t i = 0; i < app->fleet.count; i++) {
        if (memcmp(app->cards.factories[i].card_iccid, iccid, sizeof iccid) == 0)
            return i;
    }
    return UINT32_MAX;
}

static const char *after(const char *path, const char *beginning)
{
    size_t len = strlen(beginning);
    return strncmp(path, beginning, len) == 0 ? path + len : NULL;
}

static void look(struct fleet_control *c, struct http_request *r, const char *path)
{
    const char *iccid = after(path, "/cards/");
    if (strcmp(path, "/counters") == 0) {
        show_counters(c, r);
    } else if (strcmp(path, "/cards") == 0) {
        show_cards(c, r);
    } else if (strcmp(path, "/truth") == 0) {
        show_truth(r);
    } else if (iccid != NULL && find_card(c->app, iccid) != UINT32_MAX) {
        show_card(c, r, find_card(c->app, iccid));
    } else {
        refuse(r, 404, "there is no such card or page");
    }
}

static void change(struct fleet_control *c, struct http_request *r, const char *path)
{
    if (strcmp(path, "/save") == 0) {
        save(c, r);
        return;
    }
    const char *iccid = after(path, "/cards/");
    const char *area = after(path, "/areas/");
    uint32_t number = iccid == NULL ? UINT32_MAX : find_card(c->app, iccid);
    if (area == NULL && number == UINT32_MAX) {
        refuse(r, 404, "there is no such card or page");
        return;
    }
    json_t *body;
    enum json_fault fault = json_read(http_body(r), &body);
    if (fault != JSON_READ_OK) {
        refuse(r, 400, json_fault_text(fault));
        return;
    }
    if (area != NULL)
        act_on_area(c, r, area, body);
    else
        act_on_card(c, r, number, body);
    json_decref(body);
}

static void complete(void *context, struct http_request *r)
{
    struct fleet_control *c = context;
    if (strcmp(http_method(r), "GET") == 0 || strcmp(http_method(r), "HEAD") == 0)
        look(c, r, http_path(r));
    else if (strcmp(http_method(r), "POST") == 0)
        change(c, r, http_path(r));
    else
        refuse(r, 405, "only GET and POST");
}

static void gone(void *context, struct http_request *r)
{
    (void)context;
    free(http_user(r));
}

enum net_error fleet_control_open(struct app *app, const char *listen,
                                  struct fleet_control **control)
{
    static const struct http_handler handler = {.complete = complete, .gone = gone};
    struct net_address address;
    enum net_error error = net_resolve(listen, &address);
    if (error != NET_OK)
        return error;
    struct fleet_control *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NET_NO_RESOURCES;
    c->app = app;
    struct http_limits limits = http_limits_default();
    error = http_open(app->loop, &address, &limits, &handler, c, &c->http);
    if (error != NET_OK) {
        free(c);
        return error;
    }
    *control = c;
    return NET_OK;
}

void fleet_control_address(const struct fleet_control *control, char text[NET_ADDRESS_TEXT_SIZE])
{
    struct net_address address;
    http_address(control->http, &address);
    net_address_format(&address, text);
}

void fleet_control_close(struct fleet_control *control)
{
    if (control == NULL)
        return;
    http_close(control->http);
    free(control);
}

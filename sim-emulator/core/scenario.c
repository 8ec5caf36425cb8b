#include "sim-emulator/core/scenario.h"

#include "common/base/check.h"
#include "common/base/text.h"

#define WORDS_MAX 32

// A line under way.
struct line {
    struct scenario *scenario;
    struct radio *radio;
    struct scenario_error *error;
    struct bytes words[WORDS_MAX];
    size_t count;
    size_t next;
    struct instant at; // of "at TIME", else 0
    bool is_timed;
};

static bool fail(struct line *l, const char *reason, struct bytes word)
{
    struct writer w = writer_of(l->error->text, sizeof l->error->text - 1);
    text_put(&w, reason);
    if (word.len > 0) {
        text_put(&w, ": ");
        writer_copy(&w, bytes_slice(word, 0, 40));
    }
    l->error->text[w.len] = 0;
    return false;
}

static bool is_word(struct bytes word, const char *text)
{
    return bytes_equal(word, bytes_of_text(text));
}

static struct bytes take(struct line *l)
{
    return l->next < l->count ? l->words[l->next++] : bytes_of(NULL, 0);
}

static bool has_more(const struct line *l)
{
    return l->next < l->count;
}

// --- words -----------------------------------------------------------------------------------

static bool copy_word(struct bytes word, char *to, size_t size)
{
    if (word.len == 0 || word.len >= size)
        return false;
    memcpy(to, word.at, word.len);
    to[word.len] = 0;
    return true;
}

static bool read_number(struct line *l, uint64_t min, uint64_t max, uint64_t *value)
{
    struct bytes word = take(l);
    if (!text_read_decimal(word, value))
        return fail(l, "a number is expected", word);
    return (*value >= min && *value <= max) || fail(l, "this number is out of range", word);
}

// 250ms, 30s, 5m, 2h, 1d
static bool read_duration(struct line *l, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    struct bytes word = take(l);
    size_t digits = 0;
    while (digits < word.len && word.at[digits] >= '0' && word.at[digits] <= '9')
        digits++;
    uint64_t value;
    if (digits > 9 || !text_read_decimal(bytes_slice(word, 0, digits), &value))
        return fail(l, "a time such as 30s or 5m is expected", word);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (is_word(bytes_slice(word, digits, word.len), units[i].unit)) {
            *ms = value * units[i].ms;
            return true;
        }
    }
    return fail(l, "a time needs one of the units ms, s, m, h, d", word);
}

static bool read_duration32(struct line *l, uint64_t divisor, uint32_t *value)
{
    uint64_t ms;
    if (!read_duration(l, &ms))
        return false;
    if (ms / divisor > UINT32_MAX)
        return fail(l, "this time is too long", bytes_of(NULL, 0));
    *value = (uint32_t)(ms / divisor);
    return true;
}

static bool read_network(struct line *l, uint8_t *network)
{
    struct bytes word = take(l);
    char plmn[PLMN_SIZE];
    *network = RADIO_NETWORKS_MAX;
    if (copy_word(word, plmn, sizeof plmn))
        *network = radio_network_find(l->radio, plmn);
    return *network < RADIO_NETWORKS_MAX || fail(l, "no such network was declared", word);
}

static bool read_area(struct line *l, uint8_t *area)
{
    struct bytes word = take(l);
    char name[sizeof l->radio->areas[0]];
    *area = RADIO_AREAS_MAX;
    if (copy_word(word, name, sizeof name))
        *area = radio_area_find(l->radio, name);
    return *area < RADIO_AREAS_MAX || fail(l, "no such area was declared", word);
}

// all, 7, or 1-100
static bool read_cards(struct line *l, struct scenario_cards *cards)
{
    struct bytes word = take(l);
    *cards = (struct scenario_cards){.first = 1, .last = UINT32_MAX};
    if (is_word(word, "all"))
        return true;
    size_t dash = 0;
    while (dash < word.len && word.at[dash] != '-')
        dash++;
    uint64_t first;
    uint64_t last;
    if (!text_read_decimal(bytes_slice(word, 0, dash), &first))
        return fail(l, "cards are named by all, 7 or 1-100", word);
    last = first;
    if (dash < word.len && !text_read_decimal(bytes_slice(word, dash + 1, word.len), &last))
        return fail(l, "cards are named by all, 7 or 1-100", word);
    if (first == 0 || last < first || last > UINT32_MAX)
        return fail(l, "cards are counted from 1, upwards", word);
    *cards = (struct scenario_cards){.first = (uint32_t)first, .last = (uint32_t)last};
    return true;
}

// --- statements ------------------------------------------------------------------------------

static bool read_technology(struct bytes word, uint8_t *technology)
{
    static const struct {
        const char *name;
        enum cat_technology technology;
    } names[] = {{"gsm", CAT_GSM}, {"umts", CAT_UTRAN}, {"lte", CAT_EUTRAN}, {"nr", CAT_NR}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (is_word(word, names[i].name)) {
            *technology = (uint8_t)names[i].technology;
            return true;
        }
    }
    return false;
}

// network PLMN [gsm|umts|lte|nr]
static bool do_network(struct line *l)
{
    struct radio_network network = {.technology = CAT_EUTRAN};
    struct bytes word = take(l);
    if (!copy_word(word, network.plmn, sizeof network.plmn) || !plmn_is_valid(network.plmn) ||
        !plmn_write(network.plmn, network.octets))
        return fail(l, "a network is named by 5 or 6 digits", word);
    if (radio_network_find(l->radio, network.plmn) != RADIO_NETWORKS_MAX)
        return fail(l, "this network was declared before", word);
    if (l->radio->network_count == RADIO_NETWORKS_MAX)
        return fail(l, "there are too many networks", word);
    if (has_more(l)) {
        word = take(l);
        if (!read_technology(word, &network.technology))
            return fail(l, "the technology is one of gsm, umts, lte, nr", word);
    }
    l->radio->networks[l->radio->network_count++] = network;
    return true;
}

static bool add_rule(struct line *l, bool is_rejecting)
{
    struct radio_rule rule = {0};
    if (!read_network(l, &rule.network))
        return false;
    struct bytes word = take(l);
    bool is_prefix = is_word(word, "any");
    if (!is_prefix)
        is_prefix = text_is_digits(word) && copy_word(word, rule.prefix, sizeof rule.prefix);
    if (!is_prefix)
        return fail(l, "an IMSI begins with up to 15 digits; or write any", word);
    uint64_t cause = 0;
    if (is_rejecting && !read_number(l, 1, UINT8_MAX, &cause))
        return false;
    rule.cause = (uint8_t)cause;
    if (l->radio->rule_count == RADIO_RULES_MAX)
        return fail(l, "there are too many rules", bytes_of(NULL, 0));
    l->radio->rules[l->radio->rule_count++] = rule;
    return true;
}

// allow NETWORK PREFIX|any
static bool do_allow(struct line *l)
{
    return add_rule(l, false);
}

// reject NETWORK PREFIX|any CAUSE
static bool do_reject(struct line *l)
{
    return add_rule(l, true);
}

// [at TIME] area NAME NETWORK...|none
static bool do_area(struct line *l)
{
    struct bytes word = take(l);
    char name[sizeof l->radio->areas[0]];
    if (!copy_word(word, name, sizeof name))
        return fail(l, "an area has a name of up to 16 letters", word);
    struct radio_change change = {.at = l->at, .area = radio_area_find(l->radio, name)};
    if (change.area == RADIO_AREAS_MAX) {
        if (l->is_timed)
            return fail(l, "no such area was declared", word);
        if (l->radio->area_count == RADIO_AREAS_MAX)
            return fail(l, "there are too many areas", word);
        change.area = l->radio->area_count++;
        memcpy(l->radio->areas[change.area], name, sizeof name);
    }
    if (!has_more(l))
        return fail(l, "say what the area receives: networks, or none", word);
    if (is_word(l->words[l->next], "none")) {
        (void)take(l);
    } else {
        while (has_more(l)) {
            uint8_t network;
            if (!read_network(l, &network))
                return false;
            change.networks |= (uint16_t)(1U << network);
        }
    }
    return radio_change_add(l->radio, &change) ||
           fail(l, "there are too many changes of coverage", bytes_of(NULL, 0));
}

// A word of a model that takes features away.
static bool drop_features(struct device_model *model, struct bytes word)
{
    static const struct {
        const char *name;
        enum cat_feature features[4];
    } lacks[] = {
        {"no-timers",
         {CAT_FEATURE_TIMER_START_STOP, CAT_FEATURE_TIMER_READ, CAT_FEATURE_TIMER_EXPIRATION,
          CAT_FEATURE_TIMER_READ}},
        {"no-events",
         {CAT_FEATURE_SET_UP_EVENT_LIST, CAT_FEATURE_EVENT_LOCATION_STATUS,
          CAT_FEATURE_EVENT_REJECTION_UTRAN, CAT_FEATURE_EVENT_REJECTION_EUTRAN}},
        {"no-polling",
         {CAT_FEATURE_POLL_INTERVAL, CAT_FEATURE_POLLING_OFF, CAT_FEATURE_POLL_INTERVAL,
          CAT_FEATURE_POLLING_OFF}},
        {"no-refresh",
         {CAT_FEATURE_REFRESH, CAT_FEATURE_REFRESH, CAT_FEATURE_REFRESH, CAT_FEATURE_REFRESH}},
        {"no-sms",
         {CAT_FEATURE_SEND_SHORT_MESSAGE, CAT_FEATURE_SEND_SHORT_MESSAGE,
          CAT_FEATURE_SEND_SHORT_MESSAGE, CAT_FEATURE_SEND_SHORT_MESSAGE}},
        {"imeisv-only",
         {CAT_FEATURE_LOCATION_AND_IMEI, CAT_FEATURE_LOCATION_AND_IMEI,
          CAT_FEATURE_LOCATION_AND_IMEI, CAT_FEATURE_LOCATION_AND_IMEI}},
        {"no-location",
         {CAT_FEATURE_LOCATION_AND_IMEI, CAT_FEATURE_TECHNOLOGY, CAT_FEATURE_IMEISV,
          CAT_FEATURE_IMEISV}},
    };
    for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
        if (!is_word(word, lacks[i].name))
            continue;
        for (size_t f = 0; f < 4; f++)
            cat_profile_set(model->profile, model->profile_len, lacks[i].features[f], false);
        return true;
    }
    return false;
}

static bool read_refresh(struct line *l, uint8_t *refresh)
{
    static const char *const names[] = {"obey", "busy", "ignore", "refuse", "mute"};
    struct bytes word = take(l);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (is_word(word, names[i])) {
            *refresh = (uint8_t)i;
            return true;
        }
    }
    return fail(l, "refresh is one of obey, busy, ignore, refuse, mute", word);
}

// A loss in per cent, per ten thousand steps of it: 0 to 100.
static bool read_loss(struct line *l, uint32_t *per_million)
{
    uint64_t percent;
    if (!read_number(l, 0, 100, &percent))
        return false;
    *per_million = (uint32_t)percent * 10000;
    return true;
}

static bool read_software(struct line *l, uint8_t *software)
{
    uint64_t version;
    if (!read_number(l, 0, 99, &version))
        return false;
    *software = (uint8_t)version;
    return true;
}

static bool read_clock(struct line *l, int64_t *clock_ms)
{
    struct bytes word = l->next < l->count ? l->words[l->next] : bytes_of(NULL, 0);
    bool is_behind = word.len > 0 && word.at[0] == '-';
    if (is_behind)
        l->words[l->next] = bytes_slice(word, 1, word.len);
    uint64_t ms;
    if (!read_duration(l, &ms))
        return false;
    *clock_ms = is_behind ? -(int64_t)ms : (int64_t)ms;
    return true;
}

static bool read_model_word(struct line *l, struct device_model *m)
{
    struct bytes word = take(l);
    const struct {
        const char *name;
        uint64_t divisor;
        uint32_t *value;
    } times[] = {{"busy", 1, &m->busy_ms},
                 {"boot", 1, &m->boot_ms},
                 {"attach", 1, &m->attach_ms},
                 {"retry", 1, &m->retry_ms},
                 {"status", 1000, &m->status_s},
                 {"restart", 1000, &m->restart_s},
                 {"on", 1000, &m->on_s},
                 {"off", 1000, &m->off_s},
                 {"timer-step", 1000, &m->timer_step_s}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (is_word(word, times[i].name))
            return read_duration32(l, times[i].divisor, times[i].value);
    }
    if (is_word(word, "refresh"))
        return read_refresh(l, &m->refresh);
    if (is_word(word, "mo-loss"))
        return read_loss(l, &m->mo_loss);
    if (is_word(word, "mt-loss"))
        return read_loss(l, &m->mt_loss);
    if (is_word(word, "software"))
        return read_software(l, &m->software);
    if (is_word(word, "clock"))
        return read_clock(l, &m->clock_ms);
    return drop_features(m, word) || fail(l, "a model has no such property", word);
}

static uint8_t find_model(const struct scenario *s, const char *name)
{
    for (uint8_t i = 0; i < s->model_count; i++) {
        if (bytes_equal(bytes_of_text(s->models[i].name), bytes_of_text(name)))
            return i;
    }
    return SCENARIO_MODELS_MAX;
}

// model NAME PROPERTY...
static bool do_model(struct line *l)
{
    struct scenario *s = l->scenario;
    struct bytes word = take(l);
    char name[sizeof s->models[0].name];
    if (!copy_word(word, name, sizeof name))
        return fail(l, "a model has a name of up to 16 letters", word);
    uint8_t number = find_model(s, name);
    if (number == SCENARIO_MODELS_MAX) {
        if (s->model_count == SCENARIO_MODELS_MAX)
            return fail(l, "there are too many models", word);
        number = s->model_count++;
        device_model_init(&s->models[number], name);
    }
    while (has_more(l)) {
        if (!read_model_word(l, &s->models[number]))
            return false;
    }
    const struct device_model *m = &s->models[number];
    if ((m->on_s == 0) != (m->off_s == 0))
        return fail(l, "a duty cycle needs both on and off", word);
    return true;
}

static bool add_step(struct line *l, const struct scenario_step *step)
{
    struct scenario *s = l->scenario;
    if (s->step_count == SCENARIO_STEPS_MAX)
        return fail(l, "there are too many steps", bytes_of(NULL, 0));
    uint16_t at = s->step_count;
    while (at > 0 && s->steps[at - 1].at.ms > step->at.ms)
        at--;
    memmove(&s->steps[at + 1], &s->steps[at], (size_t)(s->step_count - at) * sizeof s->steps[0]);
    s->steps[at] = *step;
    s->step_count++;
    return true;
}

// at TIME cards CARDS power on|off, cut N, area NAME, imei DIGITS|none
static bool do_cards_step(struct line *l, const struct scenario_cards *cards)
{
    struct scenario_step step = {.at = l->at, .cards = *cards};
    struct bytes word = take(l);
    uint64_t value = 0;
    uint8_t area = 0;
    if (is_word(word, "power")) {
        word = take(l);
        if (!is_word(word, "on") && !is_word(word, "off"))
            return fail(l, "power is on or off", word);
        step.action = is_word(word, "on") ? SCENARIO_POWER_ON : SCENARIO_POWER_OFF;
    } else if (is_word(word, "cut")) {
        step.action = SCENARIO_CUT;
        if (!read_number(l, 1, UINT32_MAX, &value))
            return false;
    } else if (is_word(word, "area")) {
        step.action = SCENARIO_MOVE;
        if (!read_area(l, &area))
            return false;
        value = area;
    } else if (is_word(word, "imei")) {
        word = take(l);
        char imei[IMEI_SIZE];
        step.action = is_word(word, "none") ? SCENARIO_NO_IMEI : SCENARIO_IMEI;
        if (step.action == SCENARIO_IMEI &&
            !(copy_word(word, imei, sizeof imei) && imei_write(imei, step.imei)))
            return fail(l, "an IMEI has 15 digits; or write none", word);
    } else {
        return fail(l, "cards can power, cut, area or imei", word);
    }
    step.value = (uint32_t)value;
    return add_step(l, &step);
}

// cards CARDS [area NAME] [model NAME]
static bool do_cards(struct line *l)
{
    struct scenario *s = l->scenario;
    struct scenario_group group = {0};
    if (!read_cards(l, &group.cards))
        return false;
    if (l->is_timed)
        return do_cards_step(l, &group.cards);
    while (has_more(l)) {
        struct bytes word = take(l);
        char name[sizeof s->models[0].name];
        if (is_word(word, "area")) {
            group.has_area = true;
            if (!read_area(l, &group.area))
                return false;
        } else if (is_word(word, "model")) {
            group.has_model = true;
            word = take(l);
            group.model =
                copy_word(word, name, sizeof name) ? find_model(s, name) : SCENARIO_MODELS_MAX;
            if (group.model == SCENARIO_MODELS_MAX)
                return fail(l, "no such model was declared", word);
        } else {
            return fail(l, "cards have an area and a model; what happens later begins with at",
                        word);
        }
    }
    if (s->group_count == SCENARIO_GROUPS_MAX)
        return fail(l, "there are too many groups of cards", bytes_of(NULL, 0));
    s->groups[s->group_count++] = group;
    return true;
}

// --- the file --------------------------------------------------------------------------------

static bool do_line(struct line *l)
{
    static const struct {
        const char *word;
        bool may_be_timed;
        bool (*run)(struct line *l);
    } statements[] = {{"network", false, do_network}, {"allow", false, do_allow},
                      {"reject", false, do_reject},   {"area", true, do_area},
                      {"model", false, do_model},     {"cards", true, do_cards}};
    if (is_word(l->words[0], "at")) {
        (void)take(l);
        uint64_t ms;
        if (!read_duration(l, &ms))
            return false;
        l->at = (struct instant){ms};
        l->is_timed = true;
    }
    struct bytes word = take(l);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (!is_word(word, statements[i].word))
            continue;
        if (l->is_timed && !statements[i].may_be_timed)
            return fail(l, "this cannot change with time", word);
        if (!statements[i].run(l))
            return false;
        return !has_more(l) || fail(l, "there is something too much", l->words[l->next]);
    }
    return fail(l, "a line begins with network, allow, reject, area, model, cards or at", word);
}

// Splits at blanks; '#' begins a comment. False when there are too many words.
static bool split(struct line *l, struct bytes text)
{
    size_t at = 0;
    while (at < text.len && text.at[at] != '#') {
        size_t start = at;
        while (at < text.len && text.at[at] != ' ' && text.at[at] != '\t' && text.at[at] != '\r' &&
               text.at[at] != '#')
            at++;
        if (at == start) {
            at++;
            continue;
        }
        if (l->count == WORDS_MAX)
            return fail(l, "this line has too many words", bytes_of(NULL, 0));
        l->words[l->count++] = bytes_of(text.at + start, at - start);
    }
    return true;
}

static void begin(struct scenario *scenario)
{
    memset(scenario, 0, sizeof *scenario);
    device_model_init(&scenario->models[0], "default");
    scenario->model_count = 1;
}

void scenario_default(struct scenario *scenario, struct radio *radio)
{
    static const char text[] = "otaria-scenario 1\nnetwork 00101 lte\narea home 00101\n";
    struct scenario_error error;
    check(scenario_read(bytes_of_text(text), scenario, radio, &error));
}

static bool do_version(struct line *l)
{
    uint64_t version;
    bool is_ours = l->count == 2 && is_word(l->words[0], "otaria-scenario") &&
                   text_read_decimal(l->words[1], &version) && version == SCENARIO_VERSION;
    return is_ours || fail(l, "the first line must be: otaria-scenario 1", bytes_of(NULL, 0));
}

bool scenario_read(struct bytes text, struct scenario *scenario, struct radio *radio,
                   struct scenario_error *error)
{
    begin(scenario);
    bool has_version = false;
    size_t at = 0;
    *error = (struct scenario_error){.line = 0};
    while (at < text.len) {
        size_t end = at;
        while (end < text.len && text.at[end] != '\n')
            end++;
        error->line++;
        struct line l = {.scenario = scenario, .radio = radio, .error = error};
        if (!split(&l, bytes_of(text.at + at, end - at)))
            return false;
        at = end + 1;
        if (l.count == 0)
            continue;
        if (!(has_version ? do_line(&l) : do_version(&l)))
            return false;
        has_version = true;
    }
    struct line whole = {.error = error};
    if (!has_version)
        return fail(&whole, "the first line must be: otaria-scenario 1", bytes_of(NULL, 0));
    return radio->area_count > 0 || fail(&whole, "no area was declared", bytes_of(NULL, 0));
}

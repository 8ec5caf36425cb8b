#include "ota-server/service/group_rules.h"

#include "common/base/text.h"
#include "common/wire/sms.h"
#include "ota-server/service/api_parameter.h"
#include "ota-server/service/api_text.h"

#define DAY_S 86400
#define STEP_MAX_S (14 * DAY_S)
#define CONCURRENCY 200 // cards of a group that are bootstrapped at once
#define CONCURRENCY_MAX 100000
#define RATE_MAX 100000 // SMS a second
#define WINDOW_MAX 1000 // SMS without an answer
#define SOURCE_NAME_MAX 11
#define CAMPAIGN_ABOVE 100 // cards
#define CAMPAIGN_ABOVE_MAX 1000000

static const char *const kic_algorithms[] = {"AES_CBC", NULL};
static const char *const kid_algorithms[] = {"AES_CMAC", NULL};
static const char *const security_levels[] = {"1639", NULL}; // [102.225 §5.1.1]
static const char *const triggers[] = {"FIRST_CONTACT", "MANUAL", "FIRST_ATTACH",
                                       "AFTER_ACTIVATION", NULL};
static const char *const roles[] = {"OPERATIONAL", "BOOTSTRAP", "TEST", NULL};
static const char *const afterwards[] = {"KEEP_AS_FALLBACK", "DELETE", NULL};

const char *const rules_members[RULES_MEMBERS_MAX] = {
    "retry", "dirty", "smsc", "authorityMode", "fourEyes", "bootstrap", "timers", "ota", NULL};
const char *const authority_names[] = {"SELF_SERVICE", "REQUEST_APPROVE", "OPERATOR_ONLY", NULL};

void rules_default(struct group_rules *r, const struct policy *installation)
{
    *r = (struct group_rules){
        .policy = *installation, .four_eyes_delete = true, .campaign_above = CAMPAIGN_ABOVE};
    r->policy.bootstrap =
        (struct bootstrap_rule){.soak_s = 3600, .deadline_s = DAY_S, .concurrency = CONCURRENCY};
}

// --- reading ---

static void read_ms(struct api_body *b, const char *name, int64_t min_s, int64_t max_s,
                    uint32_t *to_ms)
{
    const int64_t s = api_body_integer(b, name, min_s, max_s, *to_ms / 1000);
    if (s >= min_s && s <= max_s)
        *to_ms = (uint32_t)(s * 1000);
}

static void read_steps(struct api_body *b, const char *name, struct policy_steps *to)
{
    const json_t *array = api_body_array(b, name, API_OPTIONAL);
    const size_t count = json_array_size(array);
    size_t i;
    const json_t *item;
    if (array == NULL)
        return;
    bool ok = count <= POLICY_STEPS_MAX;
    json_array_foreach(array, i, item)
    {
        const json_int_t s = json_integer_value(item);
        ok = ok && json_is_integer(item) && s >= 1 && s <= STEP_MAX_S;
        if (ok)
            to->after_s[i] = (uint32_t)s;
    }
    if (ok)
        to->count = (uint8_t)count;
    else
        api_body_fail(b, api_problem_field(API_OUT_OF_RANGE, bytes_of_text(name),
                                           "At most 8 numbers of 1 to 1209600 seconds"));
}

static void read_retry(struct api_body *outer, struct policy *p)
{
    struct api_body b;
    if (!api_body_begin(outer, "retry", &b))
        return;
    read_steps(&b, "backoffSeconds", &p->retry);
    p->retry_at_contact = api_body_bool(&b, "thenNextContact", p->retry_at_contact);
    read_ms(&b, "ttlSeconds", 300, STEP_MAX_S, &p->not_after_ms);
    read_ms(&b, "smsValiditySeconds", 60, 3 * DAY_S, &p->validity_ms);
    read_ms(&b, "receiptGraceSeconds", 0, 3600, &p->receipt_margin_ms);
    read_ms(&b, "porWaitSeconds", 10, 3600, &p->por_ms);
    if (api_body_has(&b, "submitWaitSeconds"))
        api_body_fail(&b,
                      api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("submitWaitSeconds"),
                                        "It is the same for all groups of a link: submit-s of "
                                        "the server's configuration"));
    api_body_close(outer, "retry", &b);
}

static void read_dirty(struct api_body *outer, struct policy *p)
{
    static const char *const modes[] = {"AUTO", "NEEDS_OPERATOR", NULL};
    struct api_body b;
    if (!api_body_begin(outer, "dirty", &b))
        return;
    read_steps(&b, "auditBackoffSeconds", &p->audit);
    for (uint8_t i = 1; i < p->audit.count; i++) {
        if (p->audit.after_s[i] <= p->audit.after_s[i - 1])
            api_body_fail(&b, api_problem_field(API_INVALID_ARGUMENT,
                                                bytes_of_text("auditBackoffSeconds"),
                                                "Times since it became dirty, in their order"));
    }
    p->audit_at_contact = api_body_bool(&b, "auditAtContact", p->audit_at_contact);
    const int64_t days = api_body_integer(&b, "unreachableAfterDays", 1, 90, 0);
    if (days >= 1 && days <= 90)
        p->unreachable_ms = days * DAY_S * 1000;
    const int mode = api_body_enum(&b, "reconcile", API_OPTIONAL, modes);
    if (mode >= 0)
        p->operator_for_all = mode == 1;
    api_body_close(outer, "dirty", &b);
}

// "hh:mm" as minutes of the day; -1 for anything else.
int rules_minutes(struct bytes text)
{
    if (text.len != 5 || text.at[2] != ':')
        return -1;
    const uint8_t digits[] = {text.at[0], text.at[1], text.at[3], text.at[4]};
    if (!text_is_digits(bytes_of(digits, sizeof(digits))))
        return -1;
    const int hours = (text.at[0] - '0') * 10 + text.at[1] - '0';
    const int minutes = (text.at[3] - '0') * 10 + text.at[4] - '0';
    return hours < 24 && minutes < 60 ? hours * 60 + minutes : -1;
}

// Which zones there are is not for here: what was kept is read when tables have changed, too.
static bool read_quiet(struct api_body *b, struct group_rules *r)
{
    const int from = rules_minutes(api_body_text(b, "from", API_REQUIRED, 1, 5));
    const int to = rules_minutes(api_body_text(b, "to", API_REQUIRED, 1, 5));
    const struct bytes zone = api_body_text(b, "timeZone", API_OPTIONAL, 1, ZONE_NAME_MAX);
    const uint8_t i = r->policy.quiet_count;
    if (!api_body_end(b) || from < 0 || to < 0)
        return false;
    rules_zone(zone, r->zones[i]);
    r->policy.quiet[i] = (struct policy_quiet){.from_min = (uint16_t)from, .to_min = (uint16_t)to};
    return true;
}

void rules_zone(struct bytes text, char name[ZONE_NAME_MAX + 1])
{
    const struct bytes zone = text.len > 0 ? text : bytes_of_text("UTC");
    bytes_copy(name, zone);
    name[zone.len] = '\0';
}

void rules_place(struct group_rules *r, struct utc now)
{
    for (uint8_t i = 0; i < r->policy.quiet_count; i++)
        r->policy.quiet[i].place = zone_offset(r->zones[i], now);
}

static void read_route(struct api_body *b, const char *name, char to[TURN_ROUTE_SIZE])
{
    const struct bytes text = api_body_text(b, name, API_OPTIONAL, 0, TURN_ROUTE_SIZE - 1);
    if (text.at == NULL || text.len >= TURN_ROUTE_SIZE)
        return;
    bytes_copy(to, text);
    to[text.len] = '\0';
}

// Up to 20 digits, + allowed before them, or a name of up to 11 letters, digits and blanks
// [23.040 §9.1.2.5]; "": the server's own.
static bool is_source(struct bytes text)
{
    const bool has_plus = text.len > 0 && text.at[0] == '+';
    const struct bytes digits = bytes_slice(text, has_plus ? 1 : 0, text.len);
    bool is_name = !has_plus && text.len <= SOURCE_NAME_MAX;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.at[i];
        is_name = is_name && (c == ' ' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                              (c >= 'a' && c <= 'z'));
    }
    return is_name || (digits.len > 0 && text_is_digits(digits));
}

static void read_source(struct api_body *b, char to[TURN_SOURCE_SIZE])
{
    const struct bytes text =
        api_body_text(b, "sourceAddress", API_OPTIONAL, 0, TURN_SOURCE_SIZE - 1);
    if (text.at == NULL || text.len >= TURN_SOURCE_SIZE)
        return;
    if (!is_source(text)) {
        api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("sourceAddress"),
                                           "At most 20 digits, + among them, or a name of at "
                                           "most 11 letters, digits and blanks"));
        return;
    }
    bytes_copy(to, text);
    to[text.len] = '\0';
}

static void read_smsc(struct api_body *outer, struct group_rules *r)
{
    struct policy *p = &r->policy;
    struct turn_route *route = &r->route;
    struct api_body b;
    if (!api_body_begin(outer, "smsc", &b))
        return;
    read_route(&b, "primaryRoute", route->primary);
    read_route(&b, "backupRoute", route->backup);
    read_source(&b, route->source);
    route->has_no_receipts = !api_body_bool(&b, "registeredDelivery", true);
    route->rate = (uint32_t)api_body_integer(&b, "ratePerSecond", 1, RATE_MAX, 0);
    route->window = (uint32_t)api_body_integer(&b, "windowLimit", 1, WINDOW_MAX, 0);
    const json_t *array = api_body_array(&b, "quietHours", API_OPTIONAL);
    size_t i;
    const json_t *item;
    bool ok = json_array_size(array) <= POLICY_QUIET_MAX;
    if (array != NULL)
        p->quiet_count = 0;
    json_array_foreach(array, i, item)
    {
        struct api_body row;
        api_body_init(&row, item);
        ok = ok && json_is_object(item) && read_quiet(&row, r);
        p->quiet_count += ok;
    }
    if (!ok)
        api_body_fail(&b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("quietHours"),
                                            "At most 4 of from and to as hh:mm, timeZone as UTC, "
                                            "+hh:mm or a name such as Europe/Berlin"));
    api_body_close(outer, "smsc", &b);
}

static void read_four_eyes(struct api_body *outer, struct group_rules *r)
{
    struct api_body b;
    if (!api_body_begin(outer, "fourEyes", &b))
        return;
    r->four_eyes_delete = api_body_bool(&b, "delete", r->four_eyes_delete);
    r->campaign_above =
        (uint32_t)api_body_integer(&b, "campaignAbove", 1, CAMPAIGN_ABOVE_MAX, r->campaign_above);
    api_body_close(outer, "fourEyes", &b);
}

static bool read_item(const json_t *object, struct bootstrap_item *item, bool *is_enabled)
{
    struct api_body b;
    api_body_init(&b, object);
    *item = (struct bootstrap_item){.pool = api_body_id(&b, "poolId", API_OPTIONAL, "pol")};
    const bool is_of_factory = api_body_bool(&b, "factory", false);
    item->template_number = (uint8_t)api_body_integer(&b, "templateId", 1, 254, 0);
    item->rank = (uint8_t)api_body_integer(&b, "rank", 1, 255, 0);
    const int role = api_body_enum(&b, "role", API_OPTIONAL, roles);
    item->role = role < 0 ? ROLE_OPERATIONAL : (uint8_t)role;
    *is_enabled = api_body_bool(&b, "enable", false);
    // What the factory put on the card has its template, role and rank.
    const bool is_whole =
        is_of_factory ? item->pool == 0 && item->template_number == 0 && item->rank == 0 && role < 0
                      : item->pool != 0;
    return json_is_object(object) && api_body_end(&b) && is_whole;
}

static bool read_items(const json_t *array, struct bootstrap_rule *rule)
{
    unsigned marked = 0;
    unsigned of_factory = 0;
    size_t i;
    const json_t *object;
    bool ok = json_array_size(array) <= BOOTSTRAP_ITEMS_MAX;
    rule->item_count = 0;
    json_array_foreach(array, i, object)
    {
        bool is_enabled = false;
        ok = ok && read_item(object, &rule->items[i], &is_enabled);
        if (!ok)
            return false;
        of_factory += rule->items[i].pool == 0;
        rule->item_count++;
        marked += is_enabled;
        if (is_enabled)
            rule->enable = (uint8_t)i;
    }
    return ok && marked == 1 && of_factory <= 1;
}

static void read_bootstrap(struct api_body *outer, struct bootstrap_rule *rule)
{
    struct api_body b;
    if (!api_body_begin(outer, "bootstrap", &b))
        return;
    rule->is_enabled = api_body_bool(&b, "enabled", false);
    const int trigger = api_body_enum(&b, "trigger", API_OPTIONAL, triggers);
    rule->trigger = trigger < 0 ? BOOTSTRAP_FIRST_CONTACT : (uint8_t)trigger;
    rule->delay_s = (uint32_t)api_body_integer(&b, "delaySeconds", 0, 365 * DAY_S, 0);
    if (rule->delay_s != 0 && rule->trigger != BOOTSTRAP_AFTER_ACTIVATION)
        api_body_fail(&b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("delaySeconds"),
                                            "Only with the trigger AFTER_ACTIVATION"));
    rule->deletes = api_body_enum(&b, "afterwards", API_OPTIONAL, afterwards) == 1;
    rule->soak_s = (uint32_t)api_body_integer(&b, "soakSeconds", 0, 30 * DAY_S, rule->soak_s);
    rule->deadline_s =
        (uint32_t)api_body_integer(&b, "deadlineSeconds", 60, 30 * DAY_S, rule->deadline_s);
    rule->concurrency =
        (uint32_t)api_body_integer(&b, "concurrency", 1, CONCURRENCY_MAX, rule->concurrency);
    const json_t *items = api_body_array(&b, "items", API_OPTIONAL);
    if ((json_array_size(items) > 0 || rule->is_enabled) && !read_items(items, rule))
        api_body_fail(&b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("items"),
                                            "1 to 15 of poolId, templateId, role and rank, or one "
                                            "factory; exactly one with enable"));
    api_body_close(outer, "bootstrap", &b);
}

// Of six hexadecimal digits; 0 for anything else.
static uint32_t tar_of(struct bytes text)
{
    uint8_t octets[3];
    struct writer w = writer_of(octets, sizeof(octets));
    if (!text_unhex(text, &w) || w.len != sizeof(octets))
        return 0;
    return (uint32_t)octets[0] << 16 | (uint32_t)octets[1] << 8 | octets[2];
}

// Those of the card manager and of remote management are none of an applet of ours [101.220 annex
// D].
static bool is_free_tar(uint32_t tar)
{
    return tar != 0 && tar < 0xFFFFFE && tar >> 16 != 0xB0;
}

// What is weaker than MAC, ciphering and a counter that grows, both ways, has no name here.
static void read_ota(struct api_body *outer, struct policy_ota *ota)
{
    struct api_body b;
    if (!api_body_begin(outer, "ota", &b))
        return;
    *ota = (struct policy_ota){.sms_parts_max = POLICY_SMS_PARTS};
    ota->keyset_version = (uint8_t)api_body_integer(&b, "keysetVersion", 1, 15, 0);
    (void)api_body_enum(&b, "kicAlgorithm", API_OPTIONAL, kic_algorithms);
    (void)api_body_enum(&b, "kidAlgorithm", API_OPTIONAL, kid_algorithms);
    if (api_body_enum(&b, "spi", API_OPTIONAL, security_levels) == 0) {
        ota->spi1 = 0x16;
        ota->spi2 = 0x39;
    }
    const struct bytes tar = api_body_text(&b, "tar", API_OPTIONAL, 6, 6);
    ota->tar = tar_of(tar);
    if (tar.len == 6 && !is_free_tar(ota->tar))
        api_body_fail(&b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("tar"),
                                            "Six hexadecimal digits that are free for an applet"));
    const struct bytes mo_tar = api_body_text(&b, "moTar", API_OPTIONAL, 6, 6);
    if (mo_tar.len == 6 && (ota->tar == 0 || tar_of(mo_tar) != ota->tar + 1))
        api_body_fail(&b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("moTar"),
                                            "Read-only: it is the tar and one more"));
    ota->sms_parts_max =
        (uint8_t)api_body_integer(&b, "maxSmsParts", 1, SMS_PARTS_MAX, POLICY_SMS_PARTS);
    api_body_close(outer, "ota", &b);
}

// Ranges do not depend on what a card has, so defaults stand for it.
static void read_timers(struct api_body *outer, struct policy_timers *timers)
{
    const json_t *map = api_body_object(outer, "timers", API_OPTIONAL);
    struct parameters defaults;
    bool unused;
    if (map == NULL)
        return;
    *timers = (struct policy_timers){.len = 0};
    if (json_object_size(map) == 0)
        return;
    parameters_default(&defaults);
    struct writer list = writer_of(timers->list, sizeof(timers->list));
    const struct api_problem p = api_parameters_read(map, &defaults, &list, &unused);
    if (p.code != API_OK)
        api_body_fail_within(outer, "timers", p);
    else
        timers->len = (uint16_t)list.len;
}

// Members that are rules elsewhere. Kept without being followed they would promise what nothing
// does.
static void refuse_unfollowed(struct api_body *b)
{
    static const struct {
        const char *name, *why;
    } rows[] = {
        {"binding", "Not offered: this server does not bind cards to devices"},
        {"usage", "Not offered: this server does not see what cards use"},
        {"otaExemption", "Not offered: this server closes no services, so none can cut the OTA"},
        {"rulePack", "Not offered: a rule pack is that of an operator's subscriptions here"},
        {"functionMatrix", "Not offered: this server opens and closes no services"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (api_body_has(b, rows[i].name))
            api_body_fail(b, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text(rows[i].name),
                                               rows[i].why));
    }
}

void rules_read(struct api_body *b, struct group_rules *r)
{
    refuse_unfollowed(b);
    read_retry(b, &r->policy);
    read_dirty(b, &r->policy);
    read_smsc(b, r);
    const int mode = api_body_enum(b, "authorityMode", API_OPTIONAL, authority_names);
    if (mode >= 0)
        r->authority = (enum authority_mode)mode;
    read_four_eyes(b, r);
    read_bootstrap(b, &r->policy.bootstrap);
    read_timers(b, &r->policy.timers);
    read_ota(b, &r->policy.ota);
}

// --- writing ---

static void put_steps(struct json_writer *j, const char *name, const struct policy_steps *steps)
{
    api_open_array(j, name);
    for (uint8_t i = 0; i < steps->count; i++)
        json_put_unsigned(j, steps->after_s[i]);
    json_end_array(j);
}

static void put_clock(struct json_writer *j, const char *name, uint16_t minutes)
{
    const char text[] = {(char)('0' + minutes / 600),     (char)('0' + minutes / 60 % 10), ':',
                         (char)('0' + minutes % 60 / 10), (char)('0' + minutes % 10),      '\0'};
    api_put_text(j, name, text);
}

static void put_quiet(struct json_writer *j, const struct group_rules *r)
{
    api_open_array(j, "quietHours");
    for (uint8_t i = 0; i < r->policy.quiet_count; i++) {
        json_begin_object(j);
        put_clock(j, "from", r->policy.quiet[i].from_min);
        put_clock(j, "to", r->policy.quiet[i].to_min);
        api_put_text(j, "timeZone", r->zones[i]);
        json_end_object(j);
    }
    json_end_array(j);
}

static void put_bootstrap(struct json_writer *j, const struct bootstrap_rule *rule)
{
    api_open_object(j, "bootstrap");
    api_put_bool(j, "enabled", rule->is_enabled);
    api_put_text(j, "trigger", triggers[rule->trigger]);
    if (rule->delay_s != 0)
        api_put_number(j, "delaySeconds", rule->delay_s);
    api_open_array(j, "items");
    for (uint8_t i = 0; i < rule->item_count; i++) {
        const struct bootstrap_item *item = &rule->items[i];
        json_begin_object(j);
        api_put_id(j, "poolId", "pol", item->pool);
        if (item->pool == 0)
            api_put_bool(j, "factory", true);
        if (item->template_number != 0)
            api_put_number(j, "templateId", item->template_number);
        if (item->pool != 0)
            api_put_text(j, "role", roles[item->role]);
        if (item->rank != 0)
            api_put_number(j, "rank", item->rank);
        api_put_bool(j, "enable", i == rule->enable);
        json_end_object(j);
    }
    json_end_array(j);
    api_put_text(j, "afterwards", afterwards[rule->deletes]);
    api_put_number(j, "soakSeconds", rule->soak_s);
    api_put_number(j, "concurrency", rule->concurrency);
    api_put_number(j, "deadlineSeconds", rule->deadline_s);
    json_end_object(j);
}

static void put_tar(struct json_writer *j, const char *name, uint32_t tar)
{
    const uint8_t octets[] = {(uint8_t)(tar >> 16), (uint8_t)(tar >> 8), (uint8_t)tar};
    api_put_hex(j, name, bytes_of(octets, sizeof(octets)));
}

static void put_ota(struct json_writer *j, const struct policy_ota *ota)
{
    api_open_object(j, "ota");
    if (ota->keyset_version != 0)
        api_put_number(j, "keysetVersion", ota->keyset_version);
    api_put_text(j, "kicAlgorithm", kic_algorithms[0]);
    api_put_text(j, "kidAlgorithm", kid_algorithms[0]);
    if (ota->spi1 != 0)
        api_put_text(j, "spi", security_levels[0]);
    if (ota->tar != 0) {
        put_tar(j, "tar", ota->tar);
        put_tar(j, "moTar", ota->tar + 1);
    }
    api_put_number(j, "maxSmsParts", ota->sms_parts_max);
    json_end_object(j);
}

void rules_put(struct json_writer *j, const struct group_rules *r, enum clear clear)
{
    const struct policy *p = &r->policy;
    api_open_object(j, "retry");
    put_steps(j, "backoffSeconds", &p->retry);
    api_put_bool(j, "thenNextContact", p->retry_at_contact);
    api_put_number(j, "ttlSeconds", p->not_after_ms / 1000);
    api_put_number(j, "smsValiditySeconds", p->validity_ms / 1000);
    api_put_number(j, "receiptGraceSeconds", p->receipt_margin_ms / 1000);
    api_put_number(j, "porWaitSeconds", p->por_ms / 1000);
    json_end_object(j);
    api_open_object(j, "dirty");
    put_steps(j, "auditBackoffSeconds", &p->audit);
    api_put_bool(j, "auditAtContact", p->audit_at_contact);
    api_put_number(j, "unreachableAfterDays", (uint64_t)p->unreachable_ms / 1000 / DAY_S);
    api_put_text(j, "reconcile", p->operator_for_all ? "NEEDS_OPERATOR" : "AUTO");
    json_end_object(j);
    api_open_object(j, "smsc");
    if (r->route.primary[0] != '\0')
        api_put_text(j, "primaryRoute", r->route.primary);
    if (r->route.backup[0] != '\0')
        api_put_text(j, "backupRoute", r->route.backup);
    if (r->route.source[0] != '\0')
        api_put_text(j, "sourceAddress", r->route.source);
    api_put_bool(j, "registeredDelivery", !r->route.has_no_receipts);
    if (r->route.rate > 0)
        api_put_number(j, "ratePerSecond", r->route.rate);
    if (r->route.window > 0)
        api_put_number(j, "windowLimit", r->route.window);
    put_quiet(j, r);
    json_end_object(j);
    api_put_text(j, "authorityMode", authority_names[r->authority]);
    api_open_object(j, "fourEyes");
    api_put_bool(j, "delete", r->four_eyes_delete);
    api_put_number(j, "campaignAbove", r->campaign_above);
    json_end_object(j);
    put_bootstrap(j, &p->bootstrap);
    api_put_timers(j, "timers", &p->timers, clear);
    put_ota(j, &p->ota);
}

void rules_hide_supply(struct group_rules *r)
{
    r->route = (struct turn_route){.has_no_receipts = r->route.has_no_receipts};
    r->policy.bootstrap.item_count = 0;
}

// --- from the store ---

static bool see_rules(void *context, const struct document *d)
{
    json_t *root = NULL;
    if (json_read(d->body, &root) == JSON_READ_OK) {
        struct api_body b;
        api_body_init(&b, root);
        rules_read(&b, context);
    }
    json_decref(root);
    return false;
}

enum store_status rules_of(struct store *s, uint64_t group, const struct policy *installation,
                           struct group_rules *r)
{
    rules_default(r, installation);
    if (group == 0)
        return STORE_OK;
    const enum store_status status = store_document_get(s, RULES_KIND, group, see_rules, r);
    return status == STORE_NONE ? STORE_OK : status;
}

// Who supplies or inspects reads, whatever its mode says.
static bool only_reads(const json_t *enterprise)
{
    const char *kind = json_string_value(json_object_get(enterprise, "kind"));
    return kind != NULL && (strcmp(kind, "SUPPLIER") == 0 || strcmp(kind, "INSPECTOR") == 0);
}

struct own_mode {
    int mode; // -1: it says none
    enum store_status status;
};

// Without memory nobody knows, and nobody may take that for the loosest.
static struct own_mode own_mode(const struct document *enterprise)
{
    struct own_mode own = {.mode = -1, .status = STORE_OK};
    json_t *root = NULL;
    struct api_body b;
    const enum json_fault fault = json_read(enterprise->body, &root);
    if (fault == JSON_READ_NO_MEMORY)
        own.status = STORE_BUSY;
    if (fault == JSON_READ_OK) {
        api_body_init(&b, root);
        own.mode = only_reads(root)
                       ? AUTHORITY_OPERATOR_ONLY
                       : api_body_enum(&b, "authorityMode", API_OPTIONAL, authority_names);
    }
    json_decref(root);
    return own;
}

enum store_status rules_enterprise_mode(const struct document *enterprise,
                                        enum authority_mode *mode)
{
    const struct own_mode own = own_mode(enterprise);
    *mode = own.mode < 0 ? AUTHORITY_SELF_SERVICE : (enum authority_mode)own.mode;
    return own.status;
}

bool rules_are_looser(const struct group_rules *before, const struct group_rules *after)
{
    return (before->four_eyes_delete && !after->four_eyes_delete) ||
           after->campaign_above > before->campaign_above;
}

bool rules_give_away(enum authority_mode before, enum authority_mode after)
{
    return before != AUTHORITY_SELF_SERVICE && after == AUTHORITY_SELF_SERVICE;
}

static bool see_mode(void *context, const struct document *d)
{
    *(struct own_mode *)context = own_mode(d);
    return false;
}

enum store_status rules_authority(struct store *s, uint64_t enterprise, enum authority_mode group,
                                  enum authority_mode *mode, bool *by_group)
{
    struct own_mode own = {.mode = -1, .status = STORE_OK};
    const enum store_status status =
        store_document_get(s, "enterprise", enterprise, see_mode, &own);
    *by_group = own.mode < (int)group;
    *mode = *by_group ? group : (enum authority_mode)own.mode;
    return status == STORE_OK || status == STORE_NONE ? own.status : status;
}

enum store_status rules_authority_in(struct store *s, uint64_t enterprise, uint64_t group,
                                     enum authority_mode *mode, bool *by_group)
{
    const struct policy installation = {0}; // it has no mode
    struct group_rules rules;
    const enum store_status status = rules_of(s, group, &installation, &rules);
    return status == STORE_OK ? rules_authority(s, enterprise, rules.authority, mode, by_group)
                              : status;
}

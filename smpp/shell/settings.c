#include "smpp/shell/settings.h"

#include "common/host/config.h"

#include <stdio.h>

static bool fail(char error[SETTINGS_ERROR_SIZE], const struct settings *s, const char *what,
                 const char *which)
{
    (void)snprintf(error, SETTINGS_ERROR_SIZE, "%s: %s \"%s\"", s->config_path, what, which);
    return false;
}

// Copies a text of the file; false when it is too long for SMPP.
static bool take(char *to, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len >= size)
        return false;
    memcpy(to, text, len + 1);
    return true;
}

static bool read_account(struct settings *s, cfg_t *section, char error[SETTINGS_ERROR_SIZE])
{
    const char *name = cfg_title(section);
    if (s->account_count == SMSC_ACCOUNTS_MAX)
        return fail(error, s, "too many accounts at", name);
    struct smsc_account *account = &s->accounts[s->account_count++];
    *account = (struct smsc_account){.links_max = (uint16_t)cfg_getint(section, "links")};
    if (!take(account->system_id, sizeof account->system_id, name))
        return fail(error, s, "a system_id has at most 15 characters:", name);
    if (!take(account->password, sizeof account->password, cfg_getstr(section, "password")))
        return fail(error, s, "a password has at most 8 characters, in account", name);
    if (account->password[0] == '\0')
        return fail(error, s, "a password is missing in account", name);
    return true;
}

static bool read_route(struct settings *s, cfg_t *section, char error[SETTINGS_ERROR_SIZE])
{
    const char *prefix = cfg_title(section);
    const char *name = cfg_getstr(section, "account");
    if (s->route_count == SMSC_ROUTES_MAX)
        return fail(error, s, "too many routes at", prefix);
    struct smsc_route *route = &s->routes[s->route_count++];
    *route = (struct smsc_route){.is_ordered = cfg_getbool(section, "ordered")};
    if (!take(route->prefix, sizeof route->prefix, prefix))
        return fail(error, s, "a prefix has at most 20 digits:", prefix);
    for (size_t i = 0; i < s->account_count; i++) {
        route->account = (uint16_t)i;
        if (strcmp(s->accounts[i].system_id, name) == 0)
            return true;
    }
    return fail(error, s, "a route names an account that does not exist:", name);
}

static bool read_rule(struct settings *s, cfg_t *section, char error[SETTINGS_ERROR_SIZE])
{
    const char *fault = cfg_getstr(section, "fault");
    if (s->rule_count == SMSC_RULES_MAX)
        return fail(error, s, "too many rules at", fault);
    struct smsc_rule *rule = &s->rules[s->rule_count++];
    double chance = cfg_getfloat(section, "probability");
    *rule = (struct smsc_rule){
        .fault = smsc_fault_by_name(bytes_of_text(fault)),
        .skip = (uint32_t)cfg_getint(section, "skip"),
        .count = (uint32_t)cfg_getint(section, "count"),
        .value = (uint32_t)cfg_getint(section, "value"),
    };
    if (rule->fault == SMSC_FAULT_NONE)
        return fail(
            error, s,
            "a fault is lose, delay, duplicate, reorder, status, drop-receipt, drop-response, "
            "cut-link, duplicate-receipt or early-receipt, not",
            fault);
    if (!(chance >= 0 && chance <= 1))
        return fail(error, s, "a probability is from 0 to 1, in a rule", fault);
    rule->per_million = (uint32_t)(chance * 1e6 + 0.5);
    if (!take(rule->source, sizeof rule->source, cfg_getstr(section, "source")) ||
        !take(rule->destination, sizeof rule->destination, cfg_getstr(section, "destination")))
        return fail(error, s, "a number has at most 20 digits, in a rule", fault);
    return true;
}

static bool read_sections(struct settings *s, cfg_t *file, char error[SETTINGS_ERROR_SIZE])
{
    for (unsigned i = 0; i < cfg_size(file, "account"); i++)
        if (!read_account(s, cfg_getnsec(file, "account", i), error))
            return false;
    for (unsigned i = 0; i < cfg_size(file, "route"); i++)
        if (!read_route(s, cfg_getnsec(file, "route", i), error))
            return false;
    for (unsigned i = 0; i < cfg_size(file, "rule"); i++)
        if (!read_rule(s, cfg_getnsec(file, "rule", i), error))
            return false;
    if (s->account_count == 0)
        return fail(error, s, "there is no account, so nobody could bind: add",
                    "account NAME {...}");
    return true;
}

static bool read_tls(struct settings *s, cfg_t *file, char error[SETTINGS_ERROR_SIZE])
{
    if (!take(s->tls_certificate_file, SETTINGS_PATH_SIZE,
              cfg_getstr(file, "tls-certificate-file")) ||
        !take(s->tls_key_file, SETTINGS_PATH_SIZE, cfg_getstr(file, "tls-key-file")) ||
        !take(s->tls_ca_file, SETTINGS_PATH_SIZE, cfg_getstr(file, "tls-ca-file")))
        return fail(error, s, "this path is too long:", "tls-...-file");
    return s->tls_listen == NULL || s->tls_certificate_file[0] != '\0' ||
           fail(error, s, "--tls-listen needs", "tls-certificate-file");
}

static bool in_range(long value, long min, long max)
{
    return value >= min && value <= max;
}

static bool read_numbers(struct settings *s, cfg_t *file, char error[SETTINGS_ERROR_SIZE])
{
    if (!in_range(cfg_getint(file, "queue"), 1, 1000000))
        return fail(error, s, "1 to 1000000 messages can be held, see", "queue");
    if (!in_range(cfg_getint(file, "links"), 1, 1000))
        return fail(error, s, "1 to 1000 links can be held, see", "links");
    if (!in_range(cfg_getint(file, "window"), 1, SMPP_WINDOW_MAX))
        return fail(error, s, "a window has 1 to 1000 places, see", "window");
    s->queue_max = (uint32_t)cfg_getint(file, "queue");
    s->link_max = (uint32_t)cfg_getint(file, "links");
    s->window = (uint32_t)cfg_getint(file, "window");
    s->validity_s = (uint32_t)cfg_getint(file, "validity-s");
    s->retry_first_ms = (uint32_t)cfg_getint(file, "retry-first-ms");
    s->retry_max_ms = (uint32_t)cfg_getint(file, "retry-max-ms");
    s->text_receipts_only = cfg_getbool(file, "text-receipts-only");
    s->hex_in_answers = cfg_getbool(file, "hex-in-answers");
    s->hex_in_receipts = cfg_getbool(file, "hex-in-receipts");
    return true;
}

bool settings_read(struct settings *s, char error[SETTINGS_ERROR_SIZE])
{
    cfg_opt_t account[] = {CFG_STR("password", "", CFGF_NONE), CFG_INT("links", 0, CFGF_NONE),
                           CFG_END()};
    cfg_opt_t route[] = {CFG_STR("account", "", CFGF_NONE),
                         CFG_BOOL("ordered", cfg_false, CFGF_NONE), CFG_END()};
    cfg_opt_t rule[] = {CFG_STR("fault", "", CFGF_NONE),          CFG_STR("source", "", CFGF_NONE),
                        CFG_STR("destination", "", CFGF_NONE),    CFG_INT("skip", 0, CFGF_NONE),
                        CFG_INT("count", 0, CFGF_NONE),           CFG_INT("value", 0, CFGF_NONE),
                        CFG_FLOAT("probability", 1.0, CFGF_NONE), CFG_END()};
    cfg_opt_t options[] = {
        CFG_SEC("account", account, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("route", route, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("rule", rule, CFGF_MULTI),
        CFG_INT("queue", 100000, CFGF_NONE),
        CFG_INT("links", 64, CFGF_NONE),
        CFG_INT("window", 100, CFGF_NONE),
        CFG_INT("validity-s", 86400, CFGF_NONE),
        CFG_INT("retry-first-ms", 5000, CFGF_NONE),
        CFG_INT("retry-max-ms", 300000, CFGF_NONE),
        CFG_BOOL("text-receipts-only", cfg_false, CFGF_NONE),
        CFG_BOOL("hex-in-answers", cfg_false, CFGF_NONE),
        CFG_BOOL("hex-in-receipts", cfg_false, CFGF_NONE),
        CFG_STR("tls-certificate-file", "", CFGF_NONE),
        CFG_STR("tls-key-file", "", CFGF_NONE),
        CFG_STR("tls-ca-file", "", CFGF_NONE),
        CFG_END(),
    };
    if (!config_is_private(s->config_path))
        return fail(error, s,
                    "the file holds passwords: it must be there, and readable by you only; try",
                    "chmod 600");
    char reason[CONFIG_ERROR_SIZE];
    cfg_t *file = config_read(options, s->config_path, reason);
    if (file == NULL) {
        (void)snprintf(error, SETTINGS_ERROR_SIZE, "%s", reason);
        return false;
    }
    bool is_read =
        read_numbers(s, file, error) && read_sections(s, file, error) && read_tls(s, file, error);
    cfg_free(file);
    return is_read;
}

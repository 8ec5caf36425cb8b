#include "ota-server/shell/settings.h"

#include "common/base/text.h"
#include "common/host/config.h"
#include "common/host/net.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/auth_role.h"
#include "ota-server/service/import_report.h"
#include "ota-server/service/permission.h"
#include "smpp/core/rate.h"

#include <stdio.h>

#define TRAIL_MONTHS 96          // 24 months and 6 years of archive
#define TRAIL_MONTHS_ARCHIVED 24 // where those are in files
#define TRAIL_MONTHS_MIN 6
#define TRAIL_MONTHS_MAX 1200
#define OPERATION_MONTHS 96 // as the trail: they have no archive
#define CAMPAIGN_MONTHS 96
#define ALARM_MONTHS 24
#define LOCATION_MONTHS 6
#define MESSAGE_DAYS 90
#define RETIRED_KEY_DAYS 30
#define RETENTION_DAYS_MAX 3650
#define LISTEN "127.0.0.1:8080"
#define CONNECTIONS 2048
#define CONNECTIONS_MAX 16384
#define PER_ADDRESS 64
#define KEY_FILE "master.key"
#define RATE 100
#define ROUTE "main"
#define WINDOW 100
#define ENQUIRE_S 30
#define ENQUIRE_S_MAX 3600

static bool fail(char error[SERVER_SETTINGS_ERROR_SIZE], const char *what, const char *which)
{
    (void)snprintf(error, SERVER_SETTINGS_ERROR_SIZE, "%.200s \"%.120s\"", what, which);
    return false;
}

// Copies a text; false when it is too long.
static bool take(char *to, size_t size, const char *text)
{
    const size_t len = strlen(text);
    if (len >= size)
        return false;
    memcpy(to, text, len + 1);
    return true;
}

static const char *first_of(const char *asked, const char *other)
{
    return asked != NULL ? asked : other;
}

bool server_path(const struct server_settings *s, const char *name, char path[SERVER_PATH_SIZE])
{
    const int len = snprintf(path, SERVER_PATH_SIZE, "%s/%s", s->data, name);
    return len > 0 && len < SERVER_PATH_SIZE;
}

bool server_checkpoints(const struct server_settings *s, char path[SERVER_PATH_SIZE])
{
    const char *folder = s->checkpoint_folder[0] != '\0' ? s->checkpoint_folder : s->data;
    const int len = snprintf(path, SERVER_PATH_SIZE, "%s/checkpoints", folder);
    return len > 0 && len < SERVER_PATH_SIZE;
}

// The first line of a file that only its owner can read.
bool server_password_read(const char *path, char password[SERVER_PASSWORD_SIZE],
                          char error[SERVER_SETTINGS_ERROR_SIZE])
{
    char line[64] = "";
    if (!config_is_private(path))
        return fail(error,
                    "the password file must be there, and readable by you only (chmod 600):", path);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        line[0] = '\0';
    if (file != NULL)
        (void)fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    return take(password, SERVER_PASSWORD_SIZE, line) ||
           fail(error, "a password has at most 8 characters, in", path);
}

static bool read_password(struct server_smsc *v, const char *path, char *error)
{
    if (!take(v->password_file, sizeof v->password_file, path))
        return fail(error, "this path is too long:", "password-file");
    return path[0] == '\0' || server_password_read(path, v->password, error);
}

// --- links -----------------------------------------------------------------------------------

static bool read_bind(const char *word, enum smpp_bind_type *bind)
{
    static const char *const words[] = {"transmitter", "receiver", "transceiver"};
    static const enum smpp_bind_type types[] = {SMPP_TX, SMPP_RX, SMPP_TRX};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], word) == 0) {
            *bind = types[i];
            return true;
        }
    }
    return false;
}

// The route of that name, a new one where it was not named before; OUTBOX_ROUTES_MAX: too many.
static uint8_t route_of(struct server_settings *s, const char *name)
{
    unsigned i = 0;
    while (i < s->route_count && strcmp(s->routes[i].name, name) != 0)
        i++;
    if (i < s->route_count || i == OUTBOX_ROUTES_MAX)
        return (uint8_t)i;
    struct server_route *route = &s->routes[s->route_count];
    *route = (struct server_route){.backup = (uint8_t)i};
    if (!take(route->name, sizeof route->name, name))
        return OUTBOX_ROUTES_MAX;
    s->route_count++;
    return (uint8_t)i;
}

static bool read_route(struct server_settings *s, cfg_t *section, char *error)
{
    const char *name = cfg_title(section);
    const char *backup = cfg_getstr(section, "backup");
    const char *numbers = cfg_getstr(section, "numbers");
    const uint8_t index = route_of(s, name);
    if (index == OUTBOX_ROUTES_MAX)
        return fail(error, "at most 16 routes; one too many is", name);
    if (strspn(numbers, "0123456789 ") != strlen(numbers) ||
        !take(s->routes[index].numbers, sizeof s->routes[index].numbers, numbers))
        return fail(error, "numbers are beginnings in digits, separated by blanks, in route", name);
    if (backup[0] == '\0')
        return true;
    s->routes[index].backup = route_of(s, backup);
    return s->routes[index].backup != OUTBOX_ROUTES_MAX ||
           fail(error, "at most 16 routes; one too many is", backup);
}

static bool read_plmn(struct server_settings *s, cfg_t *section, char *error)
{
    const char *digits = cfg_title(section);
    const long rate = cfg_getint(section, "rate");
    if (!plmn_is_valid(digits))
        return fail(error, "a network has 5 or 6 digits, not plmn", digits);
    if (rate < 1 || rate > SMPP_RATE_MAX)
        return fail(error, "rate is 1 to 1000000 SMS a second, in plmn", digits);
    if (s->plmns.count == OUTBOX_PLMNS_MAX)
        return fail(error, "at most 64 networks; one too many is plmn", digits);
    struct outbox_plmn *v = &s->plmns.at[s->plmns.count++];
    v->rate = (uint32_t)rate;
    return take(v->digits, sizeof v->digits, digits);
}

// Every route that can be asked for needs a link, its own or its backup's.
static bool judge_routes(const struct server_settings *s, char *error)
{
    for (unsigned i = 0; i < s->route_count && s->smsc_count > 0; i++) {
        bool has_link = false;
        for (unsigned k = 0; k < s->smsc_count; k++)
            has_link =
                has_link || (s->smscs[k].bind != SMPP_RX &&
                             (s->smscs[k].route == i || s->smscs[k].route == s->routes[i].backup));
        if (!has_link)
            return fail(error, "neither it nor its backup has an smsc that sends: route",
                        s->routes[i].name);
    }
    return true;
}

static bool read_files(struct server_tls *t, cfg_t *section, const char *where, char *error)
{
    const bool is_read =
        take(t->certificate_file, SERVER_PATH_SIZE, cfg_getstr(section, "tls-certificate-file")) &&
        take(t->key_file, SERVER_PATH_SIZE, cfg_getstr(section, "tls-key-file")) &&
        take(t->ca_file, SERVER_PATH_SIZE, cfg_getstr(section, "tls-ca-file"));
    if (!is_read)
        return fail(error, "a path is too long in", where);
    return (t->certificate_file[0] == '\0') == (t->key_file[0] == '\0') ||
           fail(error, "tls-certificate-file and tls-key-file go together, in", where);
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0 ||
           strncmp(address, "localhost:", 10) == 0;
}

// Nothing leaves the machine in the clear that nobody asked for.
static bool read_tls(struct server_smsc *v, cfg_t *section, char *error)
{
    const char *word = cfg_getstr(section, "tls");
    v->has_tls = strcmp(word, "true") == 0;
    if (!v->has_tls && strcmp(word, "false") != 0 && word[0] != '\0')
        return fail(error, "tls is true or false, in smsc", v->name);
    if (word[0] == '\0' && !is_loopback(v->address))
        return fail(error, "say tls = true, or tls = false for messages in the clear, in smsc",
                    v->name);
    if (!take(v->tls_name, sizeof v->tls_name, cfg_getstr(section, "tls-name")))
        return fail(error, "tls-name is too long, in smsc", v->name);
    return read_files(&v->tls, section, v->name, error);
}

static bool judge_smsc(const struct server_smsc *v, long window, long rate, char *error)
{
    if (v->address[0] == '\0')
        return fail(error, "an SMSC needs an address, HOST:PORT:", v->name);
    if (!net_is_host_port(v->address))
        return fail(error, "an address is HOST:PORT, not", v->address);
    if (v->system_id[0] == '\0')
        return fail(error, "an SMSC needs a system-id:", v->name);
    if (window < 1 || window > SMPP_WINDOW_MAX)
        return fail(error, "a window has 1 to 1000 places, in smsc", v->name);
    if (rate < 1 || rate > 1000000)
        return fail(error, "a rate is 1 to 1000000 messages per second, in smsc", v->name);
    return true;
}

static bool read_smsc(struct server_settings *s, cfg_t *section, char *error)
{
    const char *name = cfg_title(section);
    const char *file = cfg_getstr(section, "password-file");
    const char *centre = cfg_getstr(section, "centre");
    const long window = cfg_getint(section, "window");
    const long rate = cfg_getint(section, "rate");
    const long weight = cfg_getint(section, "weight");
    const long enquire = cfg_getint(section, "enquire");
    if (s->smsc_count == OUTBOX_LINKS_MAX)
        return fail(error, "at most 16 links; one too many is smsc", name);
    struct server_smsc *v = &s->smscs[s->smsc_count++];
    *v = (struct server_smsc){.window = (uint32_t)window,
                              .rate = (uint32_t)rate,
                              .enquire_s = (uint32_t)enquire,
                              .weight = (uint8_t)weight,
                              .route = route_of(s, cfg_getstr(section, "route"))};
    if (v->route == OUTBOX_ROUTES_MAX)
        return fail(error, "at most 16 routes; one too many is in smsc", name);
    if (enquire < 1 || enquire > ENQUIRE_S_MAX)
        return fail(error, "enquire is 1 to 3600 seconds, in smsc", name);
    if (weight < 0 || weight > OUTBOX_WEIGHT_MAX)
        return fail(error, "a weight is 0 to 100, in smsc", name);
    if (!take(v->name, sizeof v->name, name) ||
        !take(v->address, sizeof v->address, cfg_getstr(section, "address")) ||
        !take(v->centre, sizeof v->centre, centre[0] == '\0' ? v->address : centre) ||
        !take(v->system_id, sizeof v->system_id, cfg_getstr(section, "system-id")) ||
        !take(v->password, sizeof v->password, cfg_getstr(section, "password")) ||
        !take(v->system_type, sizeof v->system_type, cfg_getstr(section, "system-type")) ||
        !take(v->address_range, sizeof v->address_range, cfg_getstr(section, "address-range")))
        return fail(error, "a text is too long for SMPP, in smsc", name);
    if (!read_bind(cfg_getstr(section, "bind"), &v->bind))
        return fail(error, "bind is transmitter, receiver or transceiver, in smsc", name);
    if (!read_password(v, file, error))
        return false;
    return judge_smsc(v, window, rate, error) && read_tls(v, section, error);
}

static bool read_audit_share(struct server_settings *s, cfg_t *file, char *error)
{
    const long percent = cfg_getint(file, "audit-percent");
    if (percent < 1 || percent > 100)
        return fail(error, "it is 1 to 100 percent of a link's rate:", "audit-percent");
    s->audit_percent = (uint8_t)percent;
    return true;
}

// Between two automatic audits, as all links together take them.
static bool measure_audits(struct server_settings *s)
{
    uint64_t percents_per_s = 0;
    for (unsigned i = 0; i < s->smsc_count; i++) {
        if (s->smscs[i].bind != SMPP_RX)
            percents_per_s += (uint64_t)s->smscs[i].rate * s->audit_percent;
    }
    s->audit_gap_us = percents_per_s == 0 ? 0 : (100000000u + percents_per_s - 1) / percents_per_s;
    return true;
}

// --smsc HOST:PORT: one link, instead of those of the file.
static bool ask_smsc(struct server_settings *s, char *error)
{
    if (s->smsc_asked == NULL)
        return true;
    s->smsc_count = 1;
    struct server_smsc *v = &s->smscs[0];
    *v = (struct server_smsc){.name = "smsc",
                              .bind = SMPP_TRX,
                              .window = WINDOW,
                              .rate = RATE,
                              .weight = 1,
                              .enquire_s = ENQUIRE_S};
    s->route_count = 1; // the links of the others are gone
    if (!take(v->address, sizeof v->address, s->smsc_asked) ||
        !take(v->centre, sizeof v->centre, s->smsc_asked))
        return fail(error, "an address is HOST:PORT, not", s->smsc_asked);
    if (!take(v->system_id, sizeof v->system_id, first_of(s->system_id_asked, "")))
        return fail(error, "a system_id has at most 15 characters:", s->system_id_asked);
    if (!read_password(v, first_of(s->password_file, ""), error))
        return false;
    if (!is_loopback(v->address))
        return fail(error, "an SMSC elsewhere needs TLS, or tls = false: in --config. It is",
                    v->address);
    return judge_smsc(v, WINDOW, RATE, error);
}

// --- folders ---------------------------------------------------------------------------------

static bool read_folder(struct server_settings *s, cfg_t *section, char *error)
{
    const char *name = cfg_title(section);
    const char *pool = cfg_getstr(section, "pool");
    const char *vendor = cfg_getstr(section, "vendor-profile");
    const char *tenant = cfg_getstr(section, "tenant");
    const long settle = cfg_getint(section, "settle-s");
    if (s->folder_count == SERVER_FOLDERS_MAX)
        return fail(error, "at most 16 folders; one too many is import-folder", name);
    struct server_folder *f = &s->folders[s->folder_count++];
    *f = (struct server_folder){.tenant = AUTH_OPERATOR,
                                .is_partial = cfg_getbool(section, "partial"),
                                .settle_s = (unsigned)settle,
                                .keeps_clear = cfg_getbool(section, "keep-clear")};
    if (!take(f->name, sizeof f->name, name) ||
        !take(f->path, sizeof f->path, cfg_getstr(section, "path")) ||
        !take(f->vendor, IMPORT_VENDOR_SIZE, vendor[0] != '\0' ? vendor : name))
        return fail(error, "a text is too long, in import-folder", name);
    if (f->path[0] != '/')
        return fail(error, "a folder needs a path that begins with /, in import-folder", name);
    if (tenant[0] != '\0' && !api_id_read(bytes_of_text(tenant), "ent", &f->tenant))
        return fail(error, "a tenant is ent_ and 26 characters, in import-folder", name);
    if (settle < 1 || settle > 3600)
        return fail(error, "1 to 3600 seconds are allowed for settle-s, in import-folder", name);
    if (pool[0] != '\0' && !api_id_read(bytes_of_text(pool), "pol", &f->pool))
        return fail(error, "a pool is pol_ and 26 characters, in import-folder", name);
    return true;
}

// --- the rest --------------------------------------------------------------------------------

#define DAY_S 86400L

static bool read_seconds(cfg_t *section, const char *name, long min_s, long max_s, int64_t *ms,
                         char *error)
{
    char needed[64];
    const long seconds = cfg_getint(section, name);
    (void)snprintf(needed, sizeof needed, "%ld to %ld seconds are allowed for", min_s, max_s);
    if (seconds < min_s || seconds > max_s)
        return fail(error, needed, name);
    *ms = (int64_t)seconds * 1000;
    return true;
}

static bool read_time(cfg_t *section, const char *name, long min_s, long max_s, uint32_t *ms,
                      char *error)
{
    int64_t value = 0;
    const bool is_read = read_seconds(section, name, min_s, max_s, &value, error);
    *ms = (uint32_t)value;
    return is_read;
}

static bool read_policy(struct policy *p, cfg_t *section, char *error)
{
    const long reissues = cfg_getint(section, "reissues");
    if (reissues < 0 || reissues > 100)
        return fail(error, "0 to 100 are allowed for", "reissues");
    p->reissues_max = (uint8_t)reissues;
    p->operator_for_all = cfg_getbool(section, "operator-for-all");
    return read_seconds(section, "unreachable-s", DAY_S, 90 * DAY_S, &p->unreachable_ms, error) &&
           read_time(section, "approval-s", 3600, 14 * DAY_S, &p->approval_ms, error) &&
           read_time(section, "not-after-s", 300, 14 * DAY_S, &p->not_after_ms, error) &&
           read_time(section, "submit-s", 1, 60, &p->submit_ms, error) &&
           read_time(section, "validity-s", 60, 3 * DAY_S, &p->validity_ms, error) &&
           read_time(section, "receipt-margin-s", 1, 3600, &p->receipt_margin_ms, error) &&
           read_time(section, "por-s", 10, 3600, &p->por_ms, error) &&
           read_time(section, "confirm-s", 10, 3600, &p->confirm_ms, error) &&
           read_time(section, "confirm-silent-s", 10, 3600, &p->confirm_silent_ms, error) &&
           read_time(section, "contact-delay-s", 0, 3600, &p->contact_delay_ms, error) &&
           read_time(section, "contact-gap-s", 0, DAY_S, &p->contact_gap_ms, error);
}

static bool read_log(struct server_settings *s, cfg_t *file, char *error)
{
    const char *form = first_of(s->log_form_asked, cfg_getstr(file, "log-form"));
    const char *level = first_of(s->log_level_asked, cfg_getstr(file, "log-level"));
    if (strcmp(form, "text") != 0 && strcmp(form, "json") != 0)
        return fail(error, "the log's form is text or json, not", form);
    if (!log_level_read(level, &s->log_level))
        return fail(error, "the log's level is error, warn, info or debug, not", level);
    s->log_form = form[0] == 'j' ? LOG_JSON : LOG_TEXT;
    return true;
}

static bool is_address(const char *text)
{
    const size_t len = strlen(text);
    return len >= 1 && len < OUTBOX_ADDRESS_SIZE;
}

static bool read_networks(struct server_networks *n, cfg_t *file, const char *name, char *error)
{
    for (unsigned i = 0; i < cfg_size(file, name); i++) {
        const char *text = cfg_getnstr(file, name, i);
        if (n->count == SERVER_NETWORKS_MAX)
            return fail(error, "at most 16 networks, in", name);
        if (!ip_network_read(text, &n->at[n->count++]))
            return fail(error, "a network is an address, or like 10.0.0.0/8, not", text);
    }
    return true;
}

// Months: less than half a year is what no operator may keep. 0 is for ever, which keys never stay.
static bool read_kept(unsigned *time, cfg_t *file, const char *name, char *error)
{
    const bool are_days = strstr(name, "-days") != NULL;
    const bool may_stay = strcmp(name, "retired-key-days") != 0;
    const long given = cfg_getint(file, name);
    const long least = are_days ? 1 : TRAIL_MONTHS_MIN;
    const long most = are_days ? RETENTION_DAYS_MAX : TRAIL_MONTHS_MAX;
    if (!(given == 0 && may_stay) && (given < least || given > most))
        return fail(error,
                    !are_days  ? "6 to 1200 months are allowed, or 0 for ever, for"
                    : may_stay ? "1 to 3650 days are allowed, or 0 for ever, for"
                               : "1 to 3650 days are allowed for",
                    name);
    *time = (unsigned)given;
    return true;
}

static bool read_retention(struct server_settings *s, cfg_t *file, char *error)
{
    if (!take(s->trail_archive, sizeof s->trail_archive, cfg_getstr(file, "trail-archive")))
        return fail(error, "too long:", "trail-archive");
    if (!take(s->checkpoint_folder, sizeof s->checkpoint_folder,
              cfg_getstr(file, "checkpoint-folder")))
        return fail(error, "too long:", "checkpoint-folder");
    long months = cfg_getint(file, "trail-months");
    if (months == -1)
        months = s->trail_archive[0] != '\0' ? TRAIL_MONTHS_ARCHIVED : TRAIL_MONTHS;
    if (months != 0 && (months < TRAIL_MONTHS_MIN || months > TRAIL_MONTHS_MAX))
        return fail(error, "6 to 1200 months are allowed, or 0 for ever, for", "trail-months");
    s->trail_months = (unsigned)months;
    return read_kept(&s->operation_months, file, "operation-months", error) &&
           read_kept(&s->campaign_months, file, "campaign-months", error) &&
           read_kept(&s->alarm_months, file, "alarm-months", error) &&
           read_kept(&s->location_months, file, "location-months", error) &&
           read_kept(&s->message_days, file, "message-days", error) &&
           read_kept(&s->retired_key_days, file, "retired-key-days", error);
}

static bool read_connections(struct server_settings *s, cfg_t *file, char *error)
{
    const long all = cfg_getint(file, "connections");
    const long each = cfg_getint(file, "connections-per-address");
    if (all < 1 || all > CONNECTIONS_MAX)
        return fail(error, "1 to 16384 are allowed for", "connections");
    if (each < 1 || each > all)
        return fail(error, "1 to as many as connections are allowed for",
                    "connections-per-address");
    s->connections = (unsigned)all;
    s->connections_per_address = (unsigned)each;
    return true;
}

static bool read_factor_roles(struct server_settings *s, cfg_t *file, char *error)
{
    for (unsigned i = 0; i < cfg_size(file, "second-factor-roles"); i++) {
        const char *name = cfg_getnstr(file, "second-factor-roles", i);
        unsigned role = 0;
        while (role < USER_ROLES && strcmp(user_role_names[role], name) != 0)
            role++;
        if (role == USER_ROLES)
            return fail(error, "this is no role, in second-factor-roles:", name);
        s->factor_roles |= 1u << role;
    }
    return true;
}

static bool read_people(struct server_settings *s, cfg_t *file, char *error)
{
    if (!take(s->leaked_file, sizeof s->leaked_file, cfg_getstr(file, "refused-passwords-file")))
        return fail(error, "this path is too long:", "refused-passwords-file");
    return read_factor_roles(s, file, error);
}

static bool read_sinks(struct server_sinks *o, cfg_t *section, char *error)
{
    for (unsigned i = 0; i < cfg_size(section, "sink-ports"); i++) {
        const long port = cfg_getnint(section, "sink-ports", i);
        if (port < 1 || port > UINT16_MAX || o->port_count == SERVER_SINK_PORTS_MAX)
            return fail(error, "at most 16 ports, each from 1 to 65535, in", "sink-ports");
        o->ports[o->port_count++] = (uint16_t)port;
    }
    if (!take(o->ca_file, sizeof o->ca_file, cfg_getstr(section, "sink-ca-file")))
        return fail(error, "this path is too long:", "sink-ca-file");
    if (!take(o->name_server, sizeof o->name_server, cfg_getstr(section, "name-server")))
        return fail(error, "a name server is ADDRESS:PORT, not", "name-server");
    if (!take(o->user, sizeof o->user, cfg_getstr(section, "egress-user")))
        return fail(error, "this name is too long:", "egress-user");
    return read_networks(&o->allowed, section, "sink-allow-cidrs", error);
}

// Those that may stand in the file more than once.
static bool read_sections(struct server_settings *s, cfg_t *file, char *error)
{
    static const struct {
        const char *name;
        bool (*read)(struct server_settings *s, cfg_t *section, char *error);
    } kinds[] = {{"route", read_route},
                 {"plmn", read_plmn},
                 {"smsc", read_smsc},
                 {"import-folder", read_folder}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (unsigned i = 0; i < cfg_size(file, kinds[k].name); i++) {
            if (!kinds[k].read(s, cfg_getnsec(file, kinds[k].name, i), error))
                return false;
        }
    }
    return true;
}

static bool read_all(struct server_settings *s, cfg_t *file, char *error)
{
    const char *address = first_of(s->address_asked, cfg_getstr(file, "server-address"));
    const char *key_file = first_of(s->key_file_asked, cfg_getstr(file, "master-key-file"));
    s->single_person = s->single_person || cfg_getbool(file, "single-person");
    s->is_confined = cfg_getbool(file, "confined");
    s->proxy_certificates = cfg_getbool(file, "proxy-certificates");
    s->is_clear = s->is_clear || cfg_getbool(file, "clear-identifiers");
    if (!take(s->listen, sizeof s->listen, first_of(s->listen_asked, cfg_getstr(file, "listen"))))
        return fail(error, "listen takes HOST:PORT, not", s->listen_asked);
    if (!read_files(&s->tls, file, "the configuration", error))
        return false;
    if (s->tls.certificate_file[0] == '\0' && !is_loopback(s->listen) &&
        !cfg_getbool(file, "plain-http"))
        return fail(
            error, "give a tls-certificate-file, or say plain-http = true, to listen for others at",
            s->listen);
    if (!take(s->plain_listen, sizeof s->plain_listen, cfg_getstr(file, "plain-listen")))
        return fail(error, "this address is too long:", "plain-listen");
    if (s->plain_listen[0] != '\0' && s->tls.certificate_file[0] == '\0')
        return fail(error, "it stands beside TLS: give a tls-certificate-file, or use listen for",
                    "plain-listen");
    if (!take(s->public_url, sizeof s->public_url,
              first_of(s->public_url_asked, cfg_getstr(file, "public-url"))))
        return fail(error, "the public URL is too long:", "public-url");
    if (!take(s->smdp_host, sizeof s->smdp_host, cfg_getstr(file, "smdp-host")))
        return fail(error, "the host of activation codes is too long:", "smdp-host");
    if (!is_address(address) || !take(s->address, sizeof s->address, address))
        return fail(error, "the server's address has 1 to 20 characters, not", address);
    if (key_file[0] == '\0' ? !server_path(s, KEY_FILE, s->key_file)
                            : !take(s->key_file, sizeof s->key_file, key_file))
        return fail(error, "this path is too long:", key_file);
    (void)route_of(s, ROUTE); // the first
    return read_sections(s, file, error) &&
           read_networks(&s->proxies, file, "trusted-proxies", error) &&
           read_networks(&s->metrics_from, file, "metrics-from", error) &&
           read_connections(s, file, error) && read_audit_share(s, file, error) &&
           read_retention(s, file, error) && read_people(s, file, error) &&
           read_log(s, file, error) && read_sinks(&s->sinks, cfg_getsec(file, "events"), error) &&
           read_policy(&s->policy, cfg_getsec(file, "policy"), error) && ask_smsc(s, error) &&
           judge_routes(s, error) && measure_audits(s);
}

// What libconfuse copies of a section.
static cfg_opt_t smsc_members[] = {CFG_STR("address", "", CFGF_NONE),
                                   CFG_STR("centre", "", CFGF_NONE),
                                   CFG_STR("system-id", "", CFGF_NONE),
                                   CFG_STR("password", "", CFGF_NONE),
                                   CFG_STR("password-file", "", CFGF_NONE),
                                   CFG_STR("system-type", "", CFGF_NONE),
                                   CFG_STR("address-range", "", CFGF_NONE),
                                   CFG_STR("bind", "transceiver", CFGF_NONE),
                                   CFG_INT("window", WINDOW, CFGF_NONE),
                                   CFG_INT("enquire", ENQUIRE_S, CFGF_NONE),
                                   CFG_INT("rate", RATE, CFGF_NONE),
                                   CFG_INT("weight", 1, CFGF_NONE),
                                   CFG_STR("route", ROUTE, CFGF_NONE),
                                   CFG_STR("tls", "", CFGF_NONE),
                                   CFG_STR("tls-name", "", CFGF_NONE),
                                   CFG_STR("tls-certificate-file", "", CFGF_NONE),
                                   CFG_STR("tls-key-file", "", CFGF_NONE),
                                   CFG_STR("tls-ca-file", "", CFGF_NONE),
                                   CFG_END()};
static cfg_opt_t route_members[] = {CFG_STR("numbers", "", CFGF_NONE),
                                    CFG_STR("backup", "", CFGF_NONE), CFG_END()};
static cfg_opt_t plmn_members[] = {CFG_INT("rate", 0, CFGF_NONE), CFG_END()};
static cfg_opt_t folder_members[] = {CFG_STR("path", "", CFGF_NONE),
                                     CFG_STR("vendor-profile", "", CFGF_NONE),
                                     CFG_STR("pool", "", CFGF_NONE),
                                     CFG_STR("tenant", "", CFGF_NONE),
                                     CFG_INT("settle-s", 10, CFGF_NONE),
                                     CFG_BOOL("partial", cfg_false, CFGF_NONE),
                                     CFG_BOOL("keep-clear", cfg_true, CFGF_NONE),
                                     CFG_END()};

static char nobody[] = "{}"; // libconfuse does not change its lists, and does not say so
static char loopback[] = "{127.0.0.0/8, ::1}";
static cfg_opt_t event_members[] = {CFG_INT_LIST("sink-ports", nobody, CFGF_NONE),
                                    CFG_STR_LIST("sink-allow-cidrs", nobody, CFGF_NONE),
                                    CFG_STR("sink-ca-file", "", CFGF_NONE),
                                    CFG_STR("name-server", "", CFGF_NONE),
                                    CFG_STR("egress-user", "", CFGF_NONE),
                                    CFG_END()};

bool server_settings_read(struct server_settings *s, char error[SERVER_SETTINGS_ERROR_SIZE])
{
    policy_default(&s->policy);
    const struct policy *p = &s->policy;
    cfg_opt_t policy[] = {CFG_INT("approval-s", (long)p->approval_ms / 1000, CFGF_NONE),
                          CFG_INT("not-after-s", (long)p->not_after_ms / 1000, CFGF_NONE),
                          CFG_INT("submit-s", (long)p->submit_ms / 1000, CFGF_NONE),
                          CFG_INT("validity-s", (long)p->validity_ms / 1000, CFGF_NONE),
                          CFG_INT("receipt-margin-s", (long)p->receipt_margin_ms / 1000, CFGF_NONE),
                          CFG_INT("por-s", (long)p->por_ms / 1000, CFGF_NONE),
                          CFG_INT("confirm-s", (long)p->confirm_ms / 1000, CFGF_NONE),
                          CFG_INT("confirm-silent-s", (long)p->confirm_silent_ms / 1000, CFGF_NONE),
                          CFG_INT("contact-delay-s", (long)p->contact_delay_ms / 1000, CFGF_NONE),
                          CFG_INT("contact-gap-s", (long)p->contact_gap_ms / 1000, CFGF_NONE),
                          CFG_INT("unreachable-s", (long)p->unreachable_ms / 1000, CFGF_NONE),
                          CFG_INT("reissues", p->reissues_max, CFGF_NONE),
                          CFG_BOOL("operator-for-all", cfg_false, CFGF_NONE),
                          CFG_END()};
    cfg_opt_t options[] = {
        CFG_SEC("smsc", smsc_members, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("route", route_members, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("plmn", plmn_members, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("import-folder", folder_members, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("policy", policy, CFGF_NONE),
        CFG_SEC("events", event_members, CFGF_NONE),
        CFG_STR("listen", LISTEN, CFGF_NONE),
        CFG_STR("plain-listen", "", CFGF_NONE),
        CFG_INT("connections", CONNECTIONS, CFGF_NONE),
        CFG_INT("connections-per-address", PER_ADDRESS, CFGF_NONE),
        CFG_STR("public-url", "", CFGF_NONE),
        CFG_STR("smdp-host", "", CFGF_NONE),
        CFG_STR("tls-certificate-file", "", CFGF_NONE),
        CFG_STR("tls-key-file", "", CFGF_NONE),
        CFG_STR("tls-ca-file", "", CFGF_NONE),
        CFG_BOOL("plain-http", cfg_false, CFGF_NONE),
        CFG_STR_LIST("trusted-proxies", nobody, CFGF_NONE),
        CFG_BOOL("proxy-certificates", cfg_false, CFGF_NONE),
        CFG_STR_LIST("metrics-from", loopback, CFGF_NONE),
        CFG_STR("server-address", "12345", CFGF_NONE),
        CFG_INT("audit-percent", OUTBOX_AUDIT_PERCENT, CFGF_NONE),
        CFG_STR("master-key-file", "", CFGF_NONE),
        CFG_INT("trail-months", -1, CFGF_NONE), // as the archive has it
        CFG_STR("trail-archive", "", CFGF_NONE),
        CFG_STR("checkpoint-folder", "", CFGF_NONE),
        CFG_INT("operation-months", OPERATION_MONTHS, CFGF_NONE),
        CFG_INT("campaign-months", CAMPAIGN_MONTHS, CFGF_NONE),
        CFG_INT("alarm-months", ALARM_MONTHS, CFGF_NONE),
        CFG_INT("location-months", LOCATION_MONTHS, CFGF_NONE),
        CFG_INT("message-days", MESSAGE_DAYS, CFGF_NONE),
        CFG_INT("retired-key-days", RETIRED_KEY_DAYS, CFGF_NONE),
        CFG_STR("log-level", "info", CFGF_NONE),
        CFG_STR("log-form", "text", CFGF_NONE),
        CFG_STR_LIST("second-factor-roles", nobody, CFGF_NONE),
        CFG_STR("refused-passwords-file", "", CFGF_NONE),
        CFG_BOOL("single-person", cfg_false, CFGF_NONE),
        CFG_BOOL("confined", cfg_true, CFGF_NONE),
        CFG_BOOL("clear-identifiers", cfg_false, CFGF_NONE),
        CFG_END()};
    if (s->config != NULL && !config_is_private(s->config))
        return fail(error,
                    "the file must be there, and readable by you only (chmod 600):", s->config);
    cfg_t *file =
        s->config == NULL ? config_defaults(options) : config_read(options, s->config, error);
    if (file == NULL)
        return s->config != NULL ? false : fail(error, "no memory for", "the defaults");
    const bool is_read = read_all(s, file, error);
    cfg_free(file);
    return is_read;
}

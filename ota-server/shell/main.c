// ota-server: keeps cards and their subscriptions, and commands the cards over the air.
#include "common/host/clock.h"
#include "common/host/datadir.h"
#include "common/host/entropy.h"
#include "common/host/process.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/auth_leaked.h"
#include "ota-server/service/auth_user.h"
#include "ota-server/service/client_admin.h"
#include "ota-server/service/permission.h"
#include "ota-server/shell/backup.h"
#include "ota-server/shell/body_command.h"
#include "ota-server/shell/confine.h"
#include "ota-server/shell/egress.h"
#include "ota-server/shell/front.h"
#include "ota-server/shell/memory_guard.h"
#include "ota-server/shell/rekey_command.h"
#include "ota-server/shell/server.h"
#include "ota-server/shell/server_crypto.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *argp_program_version = "ota-server " SERVER_VERSION;

static const char DOC[] =
    "Keeps SIM cards and their subscriptions, and commands the cards over the air.\v"
    "Commands:\n"
    "  init          make the data folder and a master key, once\n"
    "  client add    make an API client, and print its key and secret\n"
    "  backup        copy the database to a folder, while the server works\n"
    "  restore       take the data folder back to a backup, while it does not\n"
    "  free-downloads  let downloads leave that a restore holds, while it does not\n"
    "  import-file   write a vendor file that is kept, as it came\n"
    "  rekey         change the master key, while it does not\n"
    "  (none)        serve, until SIGTERM\n\n"
    "The first time:\n"
    "    ota-server init --data /var/lib/otaria\n"
    "    ota-server client add --data /var/lib/otaria --name ops\n"
    "    ota-server --data /var/lib/otaria --smsc 127.0.0.1:2775 \\\n"
    "        --system-id server --password-file smsc.password\n\n"
    "Keep a copy of the master key apart from the data: without it the cards' keys are lost, and "
    "with it and the data they are not secret. When the server can be used it prints one line: "
    "{\"event\":\"ready\",...} with its real address. Everything else is in the configuration "
    "file, "
    "see ota-server(1).";

enum {
    OPTION_SMSC = 256,
    OPTION_SYSTEM_ID,
    OPTION_PASSWORD_FILE,
    OPTION_ADDRESS,
    OPTION_KEY_FILE,
    OPTION_PUBLIC_URL,
    OPTION_LOG_FORM,
    OPTION_LOG_LEVEL,
    OPTION_SPEED,
    OPTION_SINGLE_PERSON,
    OPTION_BASIC,
    OPTION_CLEAR,
    OPTION_NAME,
    OPTION_SCOPES,
    OPTION_TENANT,
    OPTION_PERSON,
    OPTION_TO,
    OPTION_FROM,
    OPTION_IMPORT,
    OPTION_REASON,
};

static const struct argp_option OPTIONS[] = {
    {"data", 'd', "DIR", 0, "data folder (required)", 0},
    {"config", 'c', "FILE", 0, "SMSCs, times and limits; options win over it", 0},
    {"listen", 'l', "HOST:PORT", 0, "where the API listens; port 0 is chosen (127.0.0.1:8080)", 0},
    {"smsc", OPTION_SMSC, "HOST:PORT", 0, "the one SMSC, instead of those of the file", 0},
    {"system-id", OPTION_SYSTEM_ID, "ID", 0, "to bind with, for --smsc", 0},
    {"password-file", OPTION_PASSWORD_FILE, "FILE", 0, "its first line, for --smsc", 0},
    {"server-number", OPTION_ADDRESS, "NUMBER", 0, "sender of commands to cards (12345)", 0},
    {"server-address", OPTION_ADDRESS, "NUMBER", OPTION_ALIAS, NULL, 0},
    {"master-key-file", OPTION_KEY_FILE, "FILE", 0, "instead of DIR/master.key", 0},
    {"public-url", OPTION_PUBLIC_URL, "URL", 0, "as clients see the API (as it listens)", 0},
    {"basic", OPTION_BASIC, NULL, 0, "HTTP Basic for users, over TLS or loopback", 0},
    {"log-form", OPTION_LOG_FORM, "text|json", 0, "of the log on standard error (text)", 0},
    {"log-level", OPTION_LOG_LEVEL, "LEVEL", 0, "error, warn, info or debug (info)", 0},
    {0, 0, 0, 0, "For client add:", 1},
    {"name", OPTION_NAME, "TEXT", 0, "who it is for (required)", 1},
    {"scopes", OPTION_SCOPES, "LIST", 0, "such as cards:read,operations:audit (all)", 1},
    {"tenant", OPTION_TENANT, "ID", 0,
     "the enterprise, ent_..., whose cards it sees (the operator)", 1},
    {"person", OPTION_PERSON, "USER", 0,
     "whom it acts for: they do not approve what it asks for (nobody)", 1},
    {0, 0, 0, 0, "For backup and restore:", 2},
    {"to", OPTION_TO, "FOLDER", 0, "of the backup (required)", 2},
    {"from", OPTION_FROM, "FOLDER", 0, "of the backup (required)", 2},
    {0, 0, 0, 0, "For free-downloads:", 3},
    {"reason", OPTION_REASON, "TEXT", 0, "for the audit trail (required)", 3},
    {0, 0, 0, 0, "For import-file, with --to FILE:", 4},
    {"import", OPTION_IMPORT, "ID", 0, "imp_... (required)", 4},
    {0, 0, 0, 0, "For laboratories with test data:", 5},
    {"single-person", OPTION_SINGLE_PERSON, NULL, 0, "nothing needs a second person", 5},
    {"clear", OPTION_CLEAR, NULL, 0, "identifiers are not masked", 5},
    {"speed", OPTION_SPEED, "FACTOR", 0, "the server's clock runs so much faster (1)", 5},
    {0},
};

enum action {
    ACTION_SERVE,
    ACTION_INIT,
    ACTION_CLIENT_ADD,
    ACTION_BACKUP,
    ACTION_RESTORE,
    ACTION_FREE_DOWNLOADS,
    ACTION_REKEY,
    ACTION_IMPORT_FILE
};

struct arguments {
    struct server_settings settings;
    enum action action;
    const char *name;
    const char *scopes;
    const char *tenant_name; // as given
    const char *person;
    uint64_t tenant;
    const char *to, *from, *import, *reason;
};

static error_t parse_tenant(const char *value, struct argp_state *state)
{
    struct arguments *a = state->input;
    a->tenant_name = value;
    if (!api_id_read(bytes_of_text(value), "ent", &a->tenant))
        argp_error(state,
                   "--tenant takes the id of an enterprise, ent_ and 26 characters, not \"%s\"",
                   value);
    return 0;
}

static error_t parse_speed(const char *value, struct argp_state *state)
{
    struct arguments *a = state->input;
    char *end = NULL;
    a->settings.speed = strtod(value, &end);
    if (*value == '\0' || *end != '\0' || !(a->settings.speed >= 1 && a->settings.speed <= 10000))
        argp_error(state, "--speed takes a factor from 1 to 10000, not \"%s\"", value);
    return 0;
}

static error_t parse_word(const char *word, struct argp_state *state)
{
    struct arguments *a = state->input;
    const char *second = state->next < state->argc ? state->argv[state->next] : "";
    if (strcmp(word, "init") == 0) {
        a->action = ACTION_INIT;
    } else if (strcmp(word, "backup") == 0) {
        a->action = ACTION_BACKUP;
    } else if (strcmp(word, "restore") == 0) {
        a->action = ACTION_RESTORE;
    } else if (strcmp(word, "free-downloads") == 0) {
        a->action = ACTION_FREE_DOWNLOADS;
    } else if (strcmp(word, "rekey") == 0) {
        a->action = ACTION_REKEY;
    } else if (strcmp(word, "import-file") == 0) {
        a->action = ACTION_IMPORT_FILE;
    } else if (strcmp(word, "client") == 0 && strcmp(second, "add") == 0) {
        a->action = ACTION_CLIENT_ADD;
        state->next++;
    } else {
        argp_error(state,
                   "there is no command \"%s\": init, client add, backup, restore, free-downloads, "
                   "import-file, rekey, or none to serve",
                   word);
    }
    return 0;
}

static error_t check_all(const struct arguments *a, struct argp_state *state)
{
    if (a->settings.data == NULL)
        argp_error(state, "--data DIR is needed");
    if (a->action == ACTION_CLIENT_ADD && a->name == NULL)
        argp_error(state, "--name TEXT is needed: who is the client for?");
    if (a->action == ACTION_BACKUP && a->to == NULL)
        argp_error(state, "--to FOLDER is needed: where is the backup to be?");
    if (a->action == ACTION_RESTORE && a->from == NULL)
        argp_error(state, "--from FOLDER is needed: which backup?");
    if (a->action == ACTION_FREE_DOWNLOADS && (a->reason == NULL || a->reason[0] == '\0'))
        argp_error(state, "--reason TEXT is needed: why may they leave?");
    if (a->action == ACTION_IMPORT_FILE && (a->to == NULL || a->import == NULL))
        argp_error(state, "--import ID and --to FILE are needed: which file, and where to?");
    if (a->settings.smsc_asked != NULL && a->settings.system_id_asked == NULL)
        argp_error(state, "--smsc needs --system-id");
    return 0;
}

// Where the text of an option goes; NULL for one that is none.
static const char **text_of(struct arguments *a, int key)
{
    struct server_settings *s = &a->settings;
    switch (key) { // characters and numbers of argp
    case 'd':
        return &s->data;
    case 'c':
        return &s->config;
    case 'l':
        return &s->listen_asked;
    case OPTION_SMSC:
        return &s->smsc_asked;
    case OPTION_SYSTEM_ID:
        return &s->system_id_asked;
    case OPTION_PASSWORD_FILE:
        return &s->password_file;
    case OPTION_ADDRESS:
        return &s->address_asked;
    case OPTION_KEY_FILE:
        return &s->key_file_asked;
    case OPTION_PUBLIC_URL:
        return &s->public_url_asked;
    case OPTION_LOG_FORM:
        return &s->log_form_asked;
    case OPTION_LOG_LEVEL:
        return &s->log_level_asked;
    case OPTION_NAME:
        return &a->name;
    case OPTION_SCOPES:
        return &a->scopes;
    case OPTION_TO:
        return &a->to;
    case OPTION_FROM:
        return &a->from;
    case OPTION_IMPORT:
        return &a->import;
    case OPTION_REASON:
        return &a->reason;
    default:
        return NULL;
    }
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *a = state->input;
    const char **text = text_of(a, key);
    if (text != NULL) {
        *text = value;
        return 0;
    }
    switch (key) { // characters and numbers of argp
    case OPTION_TENANT:
        return parse_tenant(value, state);
    case OPTION_PERSON:
        a->person = value;
        return 0;
    case OPTION_SPEED:
        return parse_speed(value, state);
    case OPTION_SINGLE_PERSON:
        a->settings.single_person = true;
        return 0;
    case OPTION_BASIC:
        a->settings.has_basic = true;
        return 0;
    case OPTION_CLEAR:
        a->settings.is_clear = true;
        return 0;
    case ARGP_KEY_ARG:
        return parse_word(value, state);
    case ARGP_KEY_END:
        return check_all(a, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int fail(const char *what, const char *reason)
{
    (void)fprintf(stderr, "ota-server: %s: %s\n", what, reason);
    return EXIT_FAILURE;
}

static bool fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    entropy_fill(to, len);
    return true;
}

// Makes the database as well, so that a mistake shows now and not at the first start.
static int init(const struct server_settings *s)
{
    struct server_keys keys;
    struct server_crypto crypto;
    enum keyfile_error error = keyfile_make(s->key_file);
    if (error == KEYFILE_OK)
        error = keyfile_read(s->key_file, &keys);
    if (error != KEYFILE_OK)
        return fail(s->key_file, keyfile_error_text(error));
    if (!server_crypto_open(&crypto))
        return fail("OpenSSL", "an algorithm is missing");
    struct store *store = server_store_open(s, &keys, &crypto, false);
    store_close(store);
    server_crypto_close(&crypto);
    secret_wipe(&keys, sizeof keys);
    if (store == NULL)
        return EXIT_FAILURE;
    (void)printf("made %s\n"
                 "     %s/registry.db\n"
                 "     %s (the master key: keep a copy apart from the data)\n"
                 "next ota-server client add --data %s --name NAME\n"
                 "     ota-server --data %s\n",
                 s->data, s->data, s->key_file, s->data, s->data);
    return EXIT_SUCCESS;
}

static const char *client_status_text(enum client_status status)
{
    switch (status) {
    case CLIENT_OK:
        break;
    case CLIENT_BAD_NAME:
        return "a name has 1 to 64 characters, none of them a control character";
    case CLIENT_BAD_SCOPE:
        return "one of the scopes is unknown; ota-server(1) lists them";
    case CLIENT_FAILED:
        return "the database cannot be written";
    }
    return "";
}

static int client_add_to(struct store *store, const struct arguments *a,
                         const struct server_keys *keys)
{
    struct client_credentials made;
    struct auth_user user = {.id = 0};
    if (a->person != NULL && auth_user_named(store, bytes_of_text(a->person), &user) != STORE_OK)
        return fail(a->person, "there is no such user; otactl user list shows them");
    const struct client_new wanted = {.name = a->name,
                                      .scopes = a->scopes,
                                      .tenant = a->tenant,
                                      .person = user.id,
                                      .now = clock_utc(),
                                      .fill = fill};
    if (!enterprise_is_there(store, a->tenant))
        return fail(a->tenant_name,
                    "there is no such enterprise; otactl enterprise list shows them");
    const enum client_status status = client_add(store, &keys->client, &wanted, &made);
    if (status == CLIENT_OK)
        (void)printf("appkey=%s\nappsecret=%s\n", made.app_key, made.app_secret);
    secret_wipe(&made, sizeof made);
    if (status != CLIENT_OK)
        return fail(a->name, client_status_text(status));
    (void)fprintf(stderr, "ota-server: the secret is shown this once: keep it\n");
    return EXIT_SUCCESS;
}

static int client_add_command(const struct arguments *a, const struct server_keys *keys)
{
    struct server_crypto crypto;
    if (!server_crypto_open(&crypto))
        return fail("OpenSSL", "an algorithm is missing");
    struct store *store = server_store_open(&a->settings, keys, &crypto, false);
    if (store == NULL) {
        server_crypto_close(&crypto);
        return EXIT_FAILURE;
    }
    const int status = client_add_to(store, a, keys);
    store_close(store);
    server_crypto_close(&crypto);
    return status;
}

// Before there are threads: it writes where its settings say, and nowhere else.
static bool confine_to_folders(const struct server_settings *settings)
{
    const char *folders[3 + SERVER_FOLDERS_MAX];
    size_t count = 0;
    folders[count++] = settings->data;
    if (settings->trail_archive[0] != '\0')
        folders[count++] = settings->trail_archive;
    if (settings->checkpoint_folder[0] != '\0')
        folders[count++] = settings->checkpoint_folder;
    for (unsigned i = 0; i < settings->folder_count; i++)
        folders[count++] = settings->folders[i].path;
    return confine_writes(folders, count);
}

static int serve(const struct server_settings *settings, const struct server_keys *keys)
{
    char reason[FRONT_REASON_SIZE];
    if (settings->leaked_file[0] != '\0' && !leaked_check(settings->leaked_file)) {
        (void)fprintf(stderr,
                      "ota-server: refused-passwords-file has sorted lines that begin with the "
                      "SHA-1 of a password in hexadecimal digits, unlike \"%s\"\n",
                      settings->leaked_file);
        return SERVER_WRONG_USE;
    }
    if (settings->is_confined && !confine_to_folders(settings))
        return fail("the system", "it does not confine the server, see \"confined\"");
    const unsigned listeners = settings->plain_listen[0] != '\0' ? 2 : 1;
    if (front_files(settings->connections * listeners, reason))
        return server_run(settings, keys);
    (void)fprintf(stderr, "ota-server: %s\n", reason);
    return EXIT_FAILURE;
}

static int act(const struct arguments *a, const struct server_keys *keys)
{
    switch (a->action) {
    case ACTION_INIT:
        break;
    case ACTION_CLIENT_ADD:
        return client_add_command(a, keys);
    case ACTION_BACKUP:
        return backup_make(&a->settings, keys, a->to);
    case ACTION_RESTORE:
        return backup_restore(&a->settings, keys, a->from);
    case ACTION_FREE_DOWNLOADS:
        return backup_free_downloads(&a->settings, keys, a->reason);
    case ACTION_REKEY:
        return rekey_run(&a->settings, keys);
    case ACTION_IMPORT_FILE:
        return body_command(&a->settings, keys, a->import, a->to);
    case ACTION_SERVE:
        return serve(&a->settings, keys);
    }
    return init(&a->settings);
}

// These go on beside a server that works.
static bool is_reading(enum action action)
{
    return action == ACTION_BACKUP || action == ACTION_IMPORT_FILE;
}

static int run(struct arguments *a)
{
    struct server_keys keys = {.ota = {.len = 0}};
    a->settings.is_memory_locked = memory_guard_lock();
    a->settings.are_keys_locked = memory_guard_keep(&keys, sizeof keys);
    int lock_fd = -1;
    const enum datadir_error folder =
        is_reading(a->action) ? DATADIR_OK : datadir_open(a->settings.data, &lock_fd);
    if (folder != DATADIR_OK)
        return fail(a->settings.data, datadir_error_text(folder));
    const enum keyfile_error error =
        a->action == ACTION_INIT ? KEYFILE_OK : keyfile_read(a->settings.key_file, &keys);
    if (error != KEYFILE_OK)
        return fail(a->settings.key_file, keyfile_error_text(error));
    const int status = act(a, &keys);
    secret_wipe(&keys, sizeof keys);
    return status;
}

// Nobody else looks into its memory while there are keys.
static int run_hidden(struct arguments *a)
{
    if (!process_hide())
        return fail("the system", "it does not keep the memory from others");
    const int status = run(a);
    process_show();
    return status;
}

int main(int argc, char **argv)
{
    static struct arguments a = {
        .settings = {.speed = 1}, .scopes = "all", .tenant = AUTH_OPERATOR};
    static const struct argp ARGP = {
        OPTIONS,
        parse,
        "[init | client add | backup | restore | free-downloads | import-file | rekey]",
        DOC,
        NULL,
        NULL,
        NULL};
    char error[SERVER_SETTINGS_ERROR_SIZE];
    argp_err_exit_status = SERVER_WRONG_USE;
    (void)umask(077); // whatever it makes is for its owner
    if (argc == 2 && strcmp(argv[1], EGRESS_WORKER) == 0)
        egress_work(); // which the server starts, and nobody else
    if (argp_parse(&ARGP, argc, argv, 0, NULL, &a) != 0)
        return SERVER_WRONG_USE;
    if (!server_settings_read(&a.settings, error)) {
        (void)fprintf(stderr, "ota-server: %s\n", error);
        return SERVER_WRONG_USE;
    }
    entropy_fill(&a.settings.policy.seed, sizeof a.settings.policy.seed);
    return run_hidden(&a);
}

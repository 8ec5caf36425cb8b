// What the installation is, and what is wrong with it.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/text.h"
#include "common/host/clock.h"

#define SKEW_MAX_S 300 // the server refuses signatures beyond it
#define SKEW_GOOD_S 30

enum ctl_exit system_show_run(struct ctl_task *t)
{
    static const struct ctl_column columns[] = {{"NETWORK", "plmn"},
                                                {"SMS/s ALLOWED", "rateAllowed"},
                                                {"LAST SECOND", "sentLastSecond"},
                                                {"SENT", "sent"},
                                                {"WAITING", "waiting"},
                                                {"AUDITS IN STORE", "auditsWaitInStore"},
                                                {NULL, NULL}};
    struct ctl_request r;
    struct ctl_answer a;
    char cell[CTL_CELL_MAX];
    ctl_request_init(&r, "GET", "/system");
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE) {
        json_t *networks = json_incref(json_object_get(a.json, "networks"));
        (void)json_object_del(a.json, "networks"); // they have a table of their own
        ctl_print_object(t, &a);
        if (!ctl_has(t, OPTION_JSON) && !ctl_has(t, OPTION_QUIET) && json_array_size(networks) > 0)
            ctl_table_print(columns, networks, false, NULL);
        json_decref(networks);
        ctl_print_result(t, ctl_text_at(a.json, "version", cell));
    }
    ctl_answer_free(&a);
    return exit;
}

// What the doctor found, row by row: the first failure decides the exit code.
struct findings {
    json_t *rows;
    enum ctl_exit exit;
};

static void find(struct findings *f, const char *check, enum ctl_exit exit, const char *found,
                 const char *advice)
{
    if (f->exit == CTL_DONE)
        f->exit = exit;
    (void)json_array_append_new(f->rows, json_pack("{s:s,s:s,s:s,s:s}", "check", check, "result",
                                                   exit == CTL_DONE ? "ok" : "FAILED", "found",
                                                   found, "do", exit == CTL_DONE ? "" : advice));
}

static bool is_failed(const json_t *row)
{
    return strcmp(ctl_string_at(row, "result"), "ok") != 0;
}

static void request_open(struct ctl_request *r, const char *path)
{
    ctl_request_init(r, "GET", "");
    r->path_w.len = 0; // these two stand beside the API
    text_put(&r->path_w, path);
    r->is_open = true;
}

static bool check_reach(struct ctl_client *c, struct findings *f)
{
    struct ctl_request r;
    struct ctl_answer a;
    char problem[256];
    request_open(&r, "/healthz");
    const enum ctl_exit exit = ctl_call_quietly(c, &r, &a, problem);
    char found[128];
    snprintf(found, sizeof(found), "%s answers %u", ctl_client_url(c), a.status);
    find(f, "server", exit, problem[0] != '\0' ? problem : found,
         "check OTARIA_URL, the server's listener and the way to it");
    const bool is_reached = problem[0] == '\0';
    if (is_reached && a.date_s >= 0) {
        const int64_t ahead_s = clock_utc().ms / 1000 - a.date_s;
        const int64_t skew_s = ahead_s < 0 ? -ahead_s : ahead_s;
        snprintf(found, sizeof(found), "%lld s %s the server's", (long long)skew_s,
                 ahead_s < 0 ? "behind" : "ahead of");
        find(f, "clock here", skew_s > SKEW_MAX_S ? CTL_REFUSED : CTL_DONE,
             skew_s <= SKEW_GOOD_S ? "agrees with the server's" : found,
             "set this machine's clock (timedatectl set-ntp true)");
    }
    ctl_answer_free(&a);
    return is_reached;
}

static void check_ready(struct ctl_client *c, struct findings *f)
{
    static const struct {
        const char *name, *advice;
    } advice[] = {{"database", "look at the server's log and its disk"},
                  {"smsc", "no message centre is connected: check its address and account"},
                  {"writer", "the server takes no changes: look at its disk and log"},
                  {"keys", "the server has no master key: see its configuration"},
                  {"clock", "the server's clock is wrong: set it"},
                  {NULL, "look at the server's log"}};
    struct ctl_request r;
    struct ctl_answer a;
    char problem[256];
    size_t i = 0;
    const json_t *check = NULL;
    request_open(&r, "/readyz");
    // 503 is the answer of a server that is not ready, and names the checks too.
    const enum ctl_exit exit = ctl_call_quietly(c, &r, &a, problem);
    json_array_foreach(json_object_get(a.json, "checks"), i, check)
    {
        char name[64];
        const char *given = ctl_string_at(check, "name");
        size_t k = 0;
        while (advice[k].name != NULL && strcmp(advice[k].name, given) != 0)
            k++;
        snprintf(name, sizeof(name), "server: %.40s", given);
        const bool is_right = json_is_true(json_object_get(check, "ok"));
        find(f, name, is_right ? CTL_DONE : CTL_NOT_VERIFIED, is_right ? "" : "not ready",
             advice[k].advice);
    }
    if (i == 0)
        find(f, "server: ready", exit != CTL_DONE ? CTL_NOT_VERIFIED : CTL_DONE, problem,
             "look at the server's log");
    ctl_answer_free(&a);
}

static void check_signature(struct ctl_client *c, struct findings *f)
{
    struct ctl_request r;
    struct ctl_answer a;
    char problem[256];
    char cell[CTL_CELL_MAX];
    char found[128];
    ctl_request_init(&r, "GET", "/system");
    const enum ctl_exit exit = ctl_call_quietly(c, &r, &a, problem);
    snprintf(found, sizeof(found), "answer %u", a.status);
    if (a.status == 403) { // known, but not allowed to see this
        find(f, "credentials", CTL_DONE, "accepted", "");
    } else {
        find(f, "credentials", exit, exit == CTL_DONE ? "accepted" : found,
             a.status == 401 ? "check APPKEY and APPSECRET, and that OTARIA_URL is the server's "
                               "public address (http.public_base_url)"
                             : "look at the server's log");
    }
    if (exit == CTL_DONE) {
        snprintf(found, sizeof(found), "version %.100s", ctl_text_at(a.json, "version", cell));
        find(f, "system", CTL_DONE, found, "");
    }
    ctl_answer_free(&a);
}

static void print(struct ctl_task *t, const struct findings *f)
{
    static const struct ctl_column columns[] = {
        {"CHECK", "check"}, {"RESULT", "result"}, {"FOUND", "found"}, {"DO", "do"}, {NULL, NULL}};
    if (ctl_has(t, OPTION_JSON)) {
        json_t *document = json_pack("{s:b,s:O}", "ok", f->exit == CTL_DONE, "checks", f->rows);
        (void)json_dumpf(document, stdout, JSON_COMPACT);
        fputs("\n", stdout);
        json_decref(document);
        return;
    }
    if (!ctl_has(t, OPTION_QUIET))
        ctl_table_print(columns, f->rows, t->has_color, is_failed);
    ctl_print_result(t, f->exit == CTL_DONE ? "all is well" : "something is wrong");
}

enum ctl_exit doctor_run(struct ctl_task *t)
{
    struct findings f = {.rows = json_array()};
    enum ctl_exit exit = CTL_DONE;
    if (*t->client == NULL)
        exit = ctl_client_open(t->client, true); // says itself what is wrong
    find(&f, "configuration", exit, exit == CTL_DONE ? ctl_client_url(*t->client) : "see above",
         "set OTARIA_URL and OTARIA_CREDENTIALS");
    if (exit == CTL_DONE && check_reach(*t->client, &f)) {
        check_ready(*t->client, &f);
        check_signature(*t->client, &f);
    }
    print(t, &f);
    json_decref(f.rows);
    return f.exit;
}

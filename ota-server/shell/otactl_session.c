// A person at the command line: logging in and out, and their second factor.
//
// What a log-in gives is kept in a file that only its owner can read, and that OTARIA_CREDENTIALS
// names afterwards. Passwords and codes come from such files too, never from the command line.
#include "ota-server/shell/otactl_verbs.h"

#include "common/base/secret.h"
#include "common/base/text.h"
#include "ota-server/shell/otactl_access.h"

#define SECRET_MAX 128

struct secret_text {
    char text[SECRET_MAX + 2];
    size_t len;
};

static bool put_secret(struct json_writer *j, const char *name, const char *path)
{
    struct secret_text secret;
    const bool is_read = ctl_read_secret(path, secret.text, sizeof(secret.text), &secret.len);
    if (is_read) {
        json_put_key(j, name);
        json_put_text(j, bytes_of(secret.text, secret.len));
    }
    secret_wipe(&secret, sizeof(secret));
    return is_read;
}

static bool keep(const struct ctl_task *t, const struct ctl_answer *a, const char *path)
{
    struct secret_session session = {.cookie = ""};
    const char *csrf = ctl_string_at(a->json, "csrfToken");
    bool is_kept = false;
    if (a->cookie[0] == '\0' || *csrf == '\0' || strlen(csrf) >= sizeof(session.csrf)) {
        fputs("otactl: the answer has no session\n", stderr);
    } else {
        memcpy(session.cookie, a->cookie, sizeof(session.cookie));
        snprintf(session.csrf, sizeof(session.csrf), "%s", csrf);
        is_kept = ctl_client_keep(*t->client, &session, path);
    }
    secret_wipe(&session, sizeof(session));
    return is_kept;
}

static enum ctl_exit log_in(struct ctl_task *t, struct bytes body)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "POST", "/session");
    ctl_request_json(&r, body);
    r.is_unsigned = true; // the password shows who asks
    r.is_reading = true;  // a second log-in is another session: no key makes it the same
    enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE && !keep(t, &a, t->args[2]))
        exit = CTL_INTERNAL;
    if (exit == CTL_DONE)
        ctl_print_result(t, t->args[2]);
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit session_open_run(struct ctl_task *t)
{
    uint8_t text[12 * SECRET_MAX + 1024];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    json_put_key(&j, "username");
    json_put_string(&j, t->args[0]);
    bool is_read = put_secret(&j, "password", t->args[1]);
    if (is_read && t->arg_count == 4)
        is_read = put_secret(&j, "otp", t->args[3]);
    json_end_object(&j);
    enum ctl_exit exit = is_read ? CTL_DONE : CTL_REFUSED;
    if (is_read && !json_done(&j))
        exit = ctl_wrong(t, "a text is too long, or no UTF-8", NULL);
    if (exit == CTL_DONE)
        exit = log_in(t, writer_bytes(&w));
    secret_wipe(text, sizeof(text));
    return exit;
}

enum ctl_exit session_show_run(struct ctl_task *t)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", "/session");
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    if (exit == CTL_DONE) {
        const json_t *user = json_object_get(a.json, "user");
        ctl_print_object(t, &a);
        ctl_print_result(t, user != NULL ? ctl_string_at(user, "username")
                                         : ctl_string_at(a.json, "clientId"));
    }
    ctl_answer_free(&a);
    return exit;
}

enum ctl_exit session_close_run(struct ctl_task *t)
{
    struct ctl_request r;
    ctl_request_init(&r, "DELETE", "/session");
    r.is_reading = true; // takes no key
    return ctl_change(t, &r, "logged out");
}

// POST of the own password, or PATCH of a code: both answers hold secrets, shown this once.
static enum ctl_exit send_factor(struct ctl_task *t, const char *method, const char *member)
{
    uint8_t text[6 * SECRET_MAX + 64];
    struct writer w = writer_of(text, sizeof(text));
    struct json_writer j = json_writer_of(&w);
    struct ctl_request r;
    json_begin_object(&j);
    enum ctl_exit exit = put_secret(&j, member, t->args[1]) ? CTL_DONE : CTL_REFUSED;
    json_end_object(&j);
    if (exit == CTL_DONE && !json_done(&j))
        exit = ctl_wrong(t, "it is too long, or no UTF-8, in", t->args[1]);
    if (exit == CTL_DONE) {
        ctl_request_init(&r, method, "/users");
        ctl_request_segment(&r, t->args[0]);
        text_put(&r.path_w, "/second-factor");
        ctl_request_json(&r, writer_bytes(&w));
        r.is_reading = true; // takes no key
        exit = ctl_change(t, &r, t->args[0]);
    }
    secret_wipe(text, sizeof(text));
    return exit;
}

enum ctl_exit user_enrol_factor_run(struct ctl_task *t)
{
    return send_factor(t, "POST", "password");
}

enum ctl_exit user_prove_factor_run(struct ctl_task *t)
{
    return send_factor(t, "PATCH", "otp");
}

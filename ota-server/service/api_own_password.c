// A person sets their own password: whoever entered them knows the first one, and is to know it no
// more. The present one is asked for, so that a session that somebody else got hold of is no
// account, and wrong ones count as at the log-in.
#include "ota-server/service/api_user.h"

#include <stdlib.h>

static enum store_status note_wrong(struct api_exchange *x, struct store *store, struct utc now)
{
    (void)now;
    return api_trail(x, store, "password.refused", "user", x->client.id, NULL);
}

static void reply_wrong(struct api_exchange *x)
{
    api_refuse(x, api_problem_reason(API_PERMISSION_DENIED, "WRONG_PASSWORD",
                                     "currentPassword is another one, give that of now"));
}

static bool check_current(struct api_exchange *x, const struct auth_user *user,
                          struct bytes current)
{
    struct attempts attempts;
    if (!api_attempts_begin(x, bytes_of_text(user->username), &attempts)) {
        api_refuse_code(x, API_TOO_MANY_REQUESTS);
        return false;
    }
    const enum hashed hashed = api_hash_compare(x, user, current);
    if (hashed != HASHED_WRONG)
        return hashed == HASHED_RIGHT;
    api_attempts_wrong(x, &attempts);
    x->is_dry_run = false;
    x->is_refused = true;
    api_commit(x, note_wrong, reply_wrong);
    return false;
}

// The session in which it was set goes on; whoever has another one knew the old password.
static enum store_status keep(struct api_exchange *x, struct store *store, struct utc now)
{
    const struct auth_user *user = x->work;
    enum store_status status = auth_user_put(store, user, now);
    if (status == STORE_CONFLICT) // the present one is another by now, perhaps
        x->problem = api_problem_text(API_ABORTED, "It was changed meanwhile: try again");
    if (status == STORE_OK)
        status = auth_end_all(store, "session", user->id, x->session.id);
    return status == STORE_OK ? api_trail(x, store, "password.changed", "user", user->id, NULL)
                              : status;
}

static void reply_nothing(struct api_exchange *x)
{
    api_reply_empty(x, 204);
}

void api_own_password_post(struct api_exchange *x, uint64_t id)
{
    struct auth_user *user = calloc(1, sizeof(*user));
    x->work = user;
    const struct bytes password =
        api_body_text(&x->body, "password", API_REQUIRED, USER_PASSWORD_MIN, USER_PASSWORD_MAX);
    const struct bytes current = api_body_text(&x->body, "currentPassword", API_REQUIRED, 1, 256);
    if (bytes_equal(password, current))
        api_body_fail(&x->body, api_problem_field(API_INVALID_ARGUMENT, bytes_of_text("password"),
                                                  "It is the present one: choose another"));
    api_read_reason(x, API_OPTIONAL);
    if (user == NULL)
        api_refuse_code(x, API_UNAVAILABLE);
    if (user == NULL || !api_end_reading(x))
        return;
    const enum store_status status = auth_user_get(x->reader, id, user);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return;
    }
    if (!check_current(x, user, current) || !api_user_set_password(x, user, password))
        return;
    user->is_given = false;
    api_commit(x, keep, reply_nothing);
}

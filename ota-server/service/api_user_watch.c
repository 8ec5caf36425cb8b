// What nobody does alone to people: whoever may approve is made and unmade by two.
#include "ota-server/service/api_user.h"

#include "ota-server/service/api_handlers.h"

#define DECIDES "approvals:decide"
#define PAGE_ROWS 100

const char *const user_deeds[] = {"ENTER", "ROLE", "DELETE", "PASSWORD", "SECOND_FACTOR", NULL};

struct search {
    uint64_t caller; // person
    uint64_t seen;
    bool is_found;
};

// Locked or ended, they count: else whoever locks all others is alone.
static bool see_decider(void *context, const struct document *d)
{
    struct search *s = context;
    struct auth_user user;
    s->seen++;
    s->is_found = auth_user_read(d, &user) && user.id != s->caller && user.hash[0] != '\0' &&
                  user_role_has(user.role, DECIDES);
    return !s->is_found;
}

static enum store_status search_in(struct api_exchange *x, uint64_t enterprise, struct search *s)
{
    const struct document_filter filter = {.kind = "user", .owner = enterprise, .state = -1};
    struct store_page page = {.limit = PAGE_ROWS};
    enum store_status status = STORE_OK;
    s->seen = PAGE_ROWS;
    while (status == STORE_OK && !s->is_found && s->seen == PAGE_ROWS) {
        s->seen = 0;
        status = store_documents(x->reader, &filter, &page, see_decider, s, NULL);
        page.offset += PAGE_ROWS;
    }
    return status;
}

// The operator's people, and those of the caller's enterprise.
bool api_user_watch(struct api_exchange *x, const struct auth_user *user, enum user_watch *watch)
{
    struct search s = {.caller = api_person(x)};
    enum store_status status = STORE_OK;
    const bool is_own = x->client.is_user && x->client.id == user->id;
    *watch = USER_FREE;
    if (is_own || !user_role_has(user->role, DECIDES))
        return true;
    *watch = USER_ALONE;
    if (x->api->options.single_person)
        return true;
    status = search_in(x, AUTH_OPERATOR, &s);
    if (status == STORE_OK && !s.is_found && !api_is_operator(x))
        status = search_in(x, x->tenant, &s);
    if (status != STORE_OK) {
        api_refuse_store(x, status);
        return false;
    }
    if (s.is_found)
        *watch = USER_FOR_TWO;
    return true;
}

enum store_status api_user_trail(struct api_exchange *x, struct store *store, const char *action,
                                 uint64_t user, enum user_watch watch)
{
    return api_trail_with(x, store, action, "user", user, watch == USER_ALONE ? "alone" : "");
}

static bool read_asker(struct api_exchange *x, const char *asker, struct auth_client *out)
{
    uint64_t id = 0;
    struct auth_user user;
    if (api_id_read(bytes_of_text(asker), "cli", &id))
        return auth_client_get(x->reader, id, out) == STORE_OK && !out->is_suspended;
    if (!api_id_read(bytes_of_text(asker), "usr", &id) ||
        auth_user_get(x->reader, id, &user) != STORE_OK || !auth_user_is_active(&user, x->now.utc))
        return false;
    auth_user_as_caller(&user, out);
    return true;
}

bool api_user_asker_reaches(struct api_exchange *x, const char *asker, enum user_role role)
{
    struct auth_client caller;
    if (read_asker(x, asker, &caller) && auth_has_scope(&caller, bytes_of_text("users:write")) &&
        user_role_is_within(role, &caller))
        return true;
    api_refuse(x, api_problem_text(API_INCOMPATIBLE_STATE,
                                   "Who asked for it may not give that role any more: "
                                   "ask for it anew"));
    return false;
}

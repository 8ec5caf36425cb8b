// Tables with a row for each object of a kind.
#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/service/auth_client.h"
#include "ota-server/service/auth_user.h"
#include "ota-server/service/bootstrap_job.h"
#include "ota-server/service/group_rules.h"
#include "ota-server/service/import_report.h"
#include "ota-server/service/permission.h"
#include "ota-server/service/report_part.h"

#include <stdlib.h>

// --- groups and customers ----------------------------------------------------------------------

static enum store_status put_group(struct report_work *r, struct store *s,
                                   const struct report_note *n)
{
    uint64_t counts[CARD_STATES] = {0};
    uint64_t cards = 0;
    if (!report_has(r, n->id))
        return STORE_OK;
    const enum store_status status = report_add_group(s, n->id, counts);
    for (size_t k = 0; k < CARD_STATES; k++)
        cards += counts[k];
    if (status != STORE_OK)
        return status;
    if (!report_row(r)) {
        r->other_cards += cards;
        return STORE_OK;
    }
    report_id(r, "grp", n->id);
    for (size_t k = 0; k < 3; k++)
        report_text(r, n->texts[k]);
    report_number(r, cards);
    report_row_end(r);
    return STORE_OK;
}

static void put_other_groups(struct report_work *r)
{
    if (r->omitted == 0)
        return;
    report_last_row(r);
    report_text(r, "others");
    for (size_t k = 0; k < 3; k++)
        report_text(r, "");
    report_number(r, r->other_cards);
    report_row_end(r);
}

bool report_groups(struct report_work *r, struct store *s, struct utc now,
                   enum store_status *status)
{
    static const char *const columns[] = {"group",    "name",  "applicationField",
                                          "province", "cards", NULL};
    const struct report_listing l = {{3, "groups", "Groups and their application fields",
                                      "card groups as they stand now", columns},
                                     "group",
                                     1,
                                     report_group_texts,
                                     NULL,
                                     put_group,
                                     put_other_groups};
    return report_list(r, s, now, status, &l);
}

static enum store_status put_customer(struct report_work *r, struct store *s,
                                      const struct report_note *n)
{
    struct store_counts counts = {0};
    uint64_t cards = 0;
    const enum store_status status = store_card_counts(s, n->id, &counts);
    for (size_t k = 0; k < CARD_STATES; k++)
        cards += counts.cards_by_state[k];
    if (status != STORE_OK || !report_row(r))
        return status;
    report_id(r, "ent", n->id);
    for (size_t k = 0; k < 3; k++)
        report_text(r, n->texts[k]);
    report_number(r, cards);
    report_row_end(r);
    return STORE_OK;
}

bool report_customers(struct report_work *r, struct store *s, struct utc now,
                      enum store_status *status)
{
    static const char *const columns[] = {"enterprise", "name", "kind", "region", "cards", NULL};
    static const char *const texts[] = {"name", "kind", "region", NULL};
    const struct report_listing l = {
        {2, "customers", "Enterprises and their cards", "enterprises as they stand now", columns},
        "enterprise",
        REPORT_PAGE,
        texts,
        NULL,
        put_customer,
        NULL};
    return report_list(r, s, now, status, &l);
}

// --- bootstraps --------------------------------------------------------------------------------

static struct report_total *total_of(struct report_work *r, uint64_t group)
{
    for (size_t i = 0; i < r->total_count; i++) {
        if (r->totals[i].group == group)
            return &r->totals[i];
    }
    if (r->total_count == REPORT_TOTALS_MAX)
        return &r->others;
    struct report_total *t = &r->totals[r->total_count++];
    t->group = group;
    return t;
}

static void count_job(struct report_total *t, int64_t state)
{
    t->jobs++;
    if (state > BOOTSTRAP_NONE && state < BOOTSTRAP_STATES)
        t->by_state[state]++;
}

static void put_total(struct report_work *r, const char *name, const struct report_total *t)
{
    if (t->jobs == 0 || !report_row(r))
        return;
    if (name != NULL)
        report_text(r, name);
    else
        report_id(r, "grp", t->group);
    for (unsigned i = BOOTSTRAP_WAITING; i < BOOTSTRAP_STATES; i++)
        report_number(r, t->by_state[i]);
    report_number(r, t->jobs);
    report_row_end(r);
}

static void put_totals(struct report_work *r, struct utc now)
{
    const char *columns[BOOTSTRAP_STATES + 2] = {"group"};
    for (unsigned i = BOOTSTRAP_WAITING; i < BOOTSTRAP_STATES; i++)
        columns[i] = bootstrap_state_name((uint8_t)i);
    columns[BOOTSTRAP_STATES] = "bootstraps";
    const struct report_heading h = {1, "bootstraps-by-group",
                                     "Bootstraps that began in the time, by group and state",
                                     "bootstrap jobs", columns};
    report_open(r, &h, now);
    put_total(r, "all", &r->all);
    for (size_t i = 0; i < r->total_count; i++)
        put_total(r, NULL, &r->totals[i]);
    put_total(r, "others", &r->others);
    report_close(r);
}

bool report_bootstrap_totals(struct report_work *r, struct store *s, struct utc now,
                             enum store_status *status)
{
    bool is_last = true;
    struct report_page *p = report_page_new(NULL, NULL, status);
    if (p == NULL)
        return false;
    *status = report_read(r, s, JOB_KIND, REPORT_PAGE, p, &is_last);
    for (size_t i = 0; i < p->count; i++) {
        const struct report_note *n = &p->notes[i];
        if (!report_covers(r, n->created_at) || !report_has(r, n->parent))
            continue;
        count_job(&r->all, n->state);
        count_job(total_of(r, n->parent), n->state);
    }
    free(p);
    if (!is_last || *status != STORE_OK)
        return false;
    put_totals(r, now);
    return true;
}

static enum store_status put_bootstrap(struct report_work *r, struct store *s,
                                       const struct report_note *n)
{
    (void)s;
    if (!report_covers(r, n->created_at) || !report_has(r, n->parent) || !report_row(r))
        return STORE_OK;
    report_id(r, "job", n->id);
    report_id(r, "grp", n->parent);
    report_id(r, "crd", n->id);
    report_text(r, bootstrap_state_name((uint8_t)n->state));
    report_time(r, n->created_at);
    report_row_end(r);
    return STORE_OK;
}

bool report_bootstraps(struct report_work *r, struct store *s, struct utc now,
                       enum store_status *status)
{
    static const char *const columns[] = {"job", "group", "card", "state", "createdAt", NULL};
    const struct report_listing l = {
        {1, "bootstraps", "Bootstraps that began in the time", "bootstrap jobs", columns},
        JOB_KIND,
        REPORT_PAGE,
        NULL,
        NULL,
        put_bootstrap,
        NULL};
    return report_list(r, s, now, status, &l);
}

// --- who can write cards -----------------------------------------------------------------------

#define ESIM(name) "iot-device-management:esim-profiles:" name

// Also what leads to a command: sending again, PUSH_SERVER of a dirty card, rules that send, and
// moves of cards to a group with such rules. Force takes the scope of what is forced besides.
static const char *const writing_scopes[] = {
    "operations:download",     "operations:enable",     "operations:disable", "operations:delete",
    "operations:set-fallback", "operations:set-timers", "operations:resend",  "approvals:decide",
    "campaigns:write",         "cards:dirty",           "cards:write",        "groups:write",
    ESIM("download"),          ESIM("enable"),          ESIM("disable"),      ESIM("delete"),
    ESIM("set-fallback")};
#define WRITING_SCOPES (sizeof(writing_scopes) / sizeof(writing_scopes[0]))

#define ACTIVE "active"

static void report_set(char to[REPORT_TEXT_MAX + 1], const char *text)
{
    struct writer w = writer_of(to, REPORT_TEXT_MAX + 1);
    text_put(&w, text);
    text_end(&w);
}

static bool read_user(const struct document *d, struct report_note *n)
{
    struct auth_user u;
    bool can_write = false;
    if (!auth_user_read(d, &u))
        return false;
    for (size_t i = 0; i < WRITING_SCOPES; i++)
        can_write |= user_role_has(u.role, writing_scopes[i]);
    n->owner = u.tenant;
    report_set(n->texts[0], u.username);
    report_set(n->texts[1], user_role_names[u.role]);
    report_set(n->texts[2], u.is_locked ? "locked" : ACTIVE);
    n->numbers[0] = (uint64_t)u.expires_at.ms;
    return can_write;
}

static bool read_client(const struct document *d, struct report_note *n)
{
    struct auth_client c;
    bool can_write = false;
    if (!auth_client_read(d, &c))
        return false;
    for (size_t i = 0; i < WRITING_SCOPES; i++)
        can_write |= auth_has_scope(&c, bytes_of_text(writing_scopes[i]));
    n->owner = c.tenant;
    n->parent = 0; // whoever asked for it
    report_set(n->texts[0], c.name);
    report_set(n->texts[1], "scopes");
    report_set(n->texts[2], c.status == CLIENT_ACTIVE ? ACTIVE : "not active");
    return can_write;
}

static bool read_rule(const struct document *d, struct report_note *n)
{
    json_t *root = NULL;
    if (json_read(d->body, &root) != JSON_READ_OK)
        return false;
    const bool boots = json_is_true(json_object_get(json_object_get(root, "bootstrap"), "enabled"));
    const bool has_timers = json_object_size(json_object_get(root, "timers")) > 0;
    json_decref(root);
    report_set(n->texts[0], !has_timers ? "bootstrap of a group"
                            : boots     ? "bootstrap and timers of a group"
                                        : "timers of a group");
    report_set(n->texts[1], "rule");
    report_set(n->texts[2], ACTIVE);
    return boots || has_timers;
}

// Who approves lets a command leave.
static bool writes_or_approves(enum grant grant)
{
    return grant_writes_card(grant) || grant == GRANT_OPERATION_APPROVE;
}

static bool read_permission(const struct document *d, struct report_note *n)
{
    struct writer w = writer_of(n->texts[1], sizeof(n->texts[1]));
    for (unsigned i = 1; i < GRANTS; i++) {
        if (!writes_or_approves((enum grant)i) || ((unsigned)d->state & GRANT_BIT(i)) == 0)
            continue;
        text_put(&w, w.len > 0 ? " " : "");
        text_put(&w, grant_name((enum grant)i));
    }
    const bool writes = w.len > 0;
    (void)text_end(&w);
    report_set(n->texts[0], "people and clients of the enterprise");
    return writes;
}

// --- what they could write now ---

static const char *const modes[] = {ACTIVE, "on request", "without effect"};

static bool see_any(void *context, const struct document *d)
{
    (void)d;
    *(bool *)context = true;
    return false;
}

// Was the enterprise granted anything that leads to writing, in any group? A card that is moved may
// come under a rule that sends.
static enum store_status is_granted(struct store *s, uint64_t enterprise, bool *is)
{
    struct document_filter filter = {.kind = PERMISSION_KIND,
                                     .owner = enterprise,
                                     .state = -1,
                                     .bits = GRANT_BIT(GRANT_CARD_MOVE)};
    const struct store_page page = {.limit = 1};
    *is = false;
    for (unsigned i = 1; i < GRANTS; i++)
        filter.bits |= writes_or_approves((enum grant)i) ? GRANT_BIT(i) : 0;
    return store_documents(s, &filter, &page, see_any, is, NULL);
}

// Scopes are nothing while the enterprise is shut out, was granted nothing, or must not write at
// all.
static enum store_status judge_enterprise(struct store *s, struct report_note *n, struct utc now)
{
    bool works = true;
    bool is = false;
    bool by_group = false;
    enum authority_mode mode = AUTHORITY_SELF_SERVICE;
    enum store_status status = enterprise_works(s, n->owner, now, &works);
    if (status == STORE_OK)
        status = is_granted(s, n->owner, &is);
    if (status == STORE_OK)
        status = rules_authority(s, n->owner, AUTHORITY_SELF_SERVICE, &mode, &by_group);
    if (!works)
        report_set(n->texts[2], "enterprise shut out");
    else if (!is || mode == AUTHORITY_OPERATOR_ONLY)
        report_set(n->texts[2], "without permission");
    else
        report_set(n->texts[2], modes[mode]);
    return status;
}

static enum store_status judge_account(struct store *s, struct report_note *n, struct utc now)
{
    if (n->numbers[0] != 0 && n->numbers[0] <= (uint64_t)now.ms)
        report_set(n->texts[2], "expired");
    const bool is_active = strcmp(n->texts[2], ACTIVE) == 0;
    return is_active && n->owner != AUTH_OPERATOR ? judge_enterprise(s, n, now) : STORE_OK;
}

// What the enterprise, and the authority of it and the group, leave of a permission. Its people
// approve where it serves itself, and nowhere else.
static enum store_status judge_permission(struct store *s, struct report_note *n, struct utc now)
{
    enum authority_mode mode = AUTHORITY_SELF_SERVICE;
    bool by_group = false;
    bool works = true;
    enum store_status status = enterprise_works(s, n->owner, now, &works);
    if (status == STORE_OK && n->owner != AUTH_OPERATOR)
        status = rules_authority_in(s, n->owner, n->parent, &mode, &by_group);
    const bool only_approves = strcmp(n->texts[1], grant_name(GRANT_OPERATION_APPROVE)) == 0;
    const bool is_void = !works || (only_approves && mode != AUTHORITY_SELF_SERVICE);
    report_set(n->texts[2], is_void ? modes[AUTHORITY_OPERATOR_ONLY] : modes[mode]);
    return status;
}

// Rules are the operator's: nobody's status holds them up.
static enum store_status judge_rule(struct store *s, struct report_note *n, struct utc now)
{
    (void)s;
    (void)n;
    (void)now;
    return STORE_OK;
}

static const struct {
    const char *kind, *name, *prefix;
    bool (*read)(const struct document *d, struct report_note *n);
    enum store_status (*judge)(struct store *s, struct report_note *n, struct utc now);
} writer_parts[REPORT_WRITER_KINDS] = {
    {"user", "user", "usr", read_user, judge_account},
    {"client", "client", "cli", read_client, judge_account},
    {RULES_KIND, "rule", "grp", read_rule, judge_rule},
    {PERMISSION_KIND, "permission", NULL, read_permission, judge_permission}};

static void put_writer(struct report_work *r, const struct report_note *n)
{
    const char *prefix = writer_parts[r->part].prefix;
    struct report_writers *of = &r->writers[r->part];
    of->found++;
    if (!report_row(r))
        return;
    of->listed++;
    report_text(r, writer_parts[r->part].name);
    report_id(r, prefix, prefix != NULL ? n->id : 0);
    report_text(r, n->texts[0]);
    report_id(r, "ent", n->owner);
    report_id(r, "grp", n->parent);
    report_text(r, n->texts[1]);
    report_text(r, n->texts[2]);
    report_row_end(r);
}

// Whatever the list has no room for is counted: these rows are never left out.
static void put_writer_counts(struct report_work *r, struct utc now)
{
    static const char *const columns[] = {"kind", "found", "listed", NULL};
    const struct report_heading h = {4, "card-writers-by-kind",
                                     "Who can write cards, and how many of them are listed",
                                     "the rows of card-writers and those left out there", columns};
    report_open(r, &h, now);
    for (size_t i = 0; i < REPORT_WRITER_KINDS; i++) {
        json_begin_array(&r->j);
        report_text(r, writer_parts[i].name);
        report_number(r, r->writers[i].found);
        report_number(r, r->writers[i].listed);
        report_row_end(r);
    }
    report_close(r);
}

bool report_writers(struct report_work *r, struct store *s, struct utc now,
                    enum store_status *status)
{
    static const char *const columns[] = {"kind",  "id", "name",   "enterprise",
                                          "group", "by", "status", NULL};
    const struct report_heading h = {
        4, "card-writers", "Who can write cards",
        "accounts, clients, rules and permissions as they stand now, in this order and that of "
        "their ids",
        columns};
    bool is_last = true;
    struct report_page *p = report_page_new(NULL, NULL, status);
    if (p == NULL)
        return false;
    if (!r->is_open)
        report_open(r, &h, now);
    if (r->order.type == REPORT_CARD_WRITERS)
        r->rows_max = REPORT_WRITERS_MAX;
    p->read = writer_parts[r->part].read;
    *status = report_read(r, s, writer_parts[r->part].kind, REPORT_PAGE, p, &is_last);
    for (size_t i = 0; i < p->count && *status == STORE_OK; i++) {
        *status = writer_parts[r->part].judge(s, &p->notes[i], now);
        put_writer(r, &p->notes[i]);
    }
    free(p);
    if (*status != STORE_OK)
        return false;
    if (!is_last || ++r->part < REPORT_WRITER_KINDS) {
        r->after = is_last ? 0 : r->after;
        return false;
    }
    report_close(r);
    put_writer_counts(r, now);
    return true;
}

// --- inventory and imports ---------------------------------------------------------------------

static enum store_status put_pool(struct report_work *r, struct store *s,
                                  const struct report_note *n)
{
    uint64_t counts[4] = {0};
    const enum store_status status = store_pool_counts(s, n->id, counts);
    if (status != STORE_OK || !report_row(r))
        return status;
    report_id(r, "pol", n->id);
    report_text(r, n->texts[0]);
    report_text(r, n->texts[1]);
    for (size_t k = 0; k < 4; k++)
        report_number(r, counts[k]);
    report_row_end(r);
    return STORE_OK;
}

bool report_pools(struct report_work *r, struct store *s, struct utc now, enum store_status *status)
{
    static const char *const columns[] = {"pool",     "name",    "operator", "free",
                                          "reserved", "on card", "retired",  NULL};
    static const char *const texts[] = {"name", "operator", NULL};
    const struct report_listing l = {
        {5, "pools", "Subscriptions by pool and operator", "pools as they stand now", columns},
        "pool",
        1,
        texts,
        NULL,
        put_pool,
        NULL};
    return report_list(r, s, now, status, &l);
}

static enum store_status put_template(struct report_work *r, struct store *s,
                                      const struct report_note *n)
{
    (void)s;
    if (!report_row(r))
        return STORE_OK;
    report_number(r, n->numbers[0]);
    report_text(r, n->texts[0]);
    report_row_end(r);
    return STORE_OK;
}

bool report_templates(struct report_work *r, struct store *s, struct utc now,
                      enum store_status *status)
{
    static const char *const columns[] = {"template", "name", NULL};
    static const char *const texts[] = {"name", NULL};
    static const char *const numbers[] = {"templateId", NULL};
    const struct report_listing l = {
        {5, "templates", "Profile templates", "templates as they stand now", columns},
        "template",
        REPORT_PAGE,
        texts,
        numbers,
        put_template,
        NULL};
    return report_list(r, s, now, status, &l);
}

static enum store_status put_import(struct report_work *r, struct store *s,
                                    const struct report_note *n)
{
    (void)s;
    if (!report_covers(r, n->created_at) || !report_row(r))
        return STORE_OK;
    report_id(r, "imp", n->id);
    report_time(r, n->created_at);
    for (size_t k = 0; k < 3; k++)
        report_text(r, n->texts[k]);
    for (size_t k = 0; k < 3; k++)
        report_number(r, n->numbers[k]);
    report_row_end(r);
    return STORE_OK;
}

bool report_imports(struct report_work *r, struct store *s, struct utc now,
                    enum store_status *status)
{
    static const char *const columns[] = {"import",  "createdAt", "vendor",      "batch", "outcome",
                                          "records", "loaded",    "quarantined", NULL};
    static const char *const texts[] = {"vendor", "batch", "outcome", NULL};
    static const char *const numbers[] = {"records", "loaded", "quarantined", NULL};
    const struct report_listing l = {{5, "imports", "Files of vendors that came in the time",
                                      "imports that were ordered in the time", columns},
                                     IMPORT_KIND,
                                     REPORT_PAGE,
                                     texts,
                                     numbers,
                                     put_import,
                                     NULL};
    return report_list(r, s, now, status, &l);
}

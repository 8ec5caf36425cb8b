#include "ota-server/service/alarm.h"

#include "common/base/check.h"
#include "common/base/json_writer.h"
#include "common/base/text.h"
#include "common/host/json.h"
#include "ota-server/service/api_json.h"
#include "ota-server/service/notice.h"

#define NAME_SIZE (ALARM_KEY_SIZE + ALARM_OBJECT_SIZE + 24)
#define BODY_SIZE 1024
#define BY_SIZE 40

const char *const alarm_states[] = {"CLEARED", "OPEN", "ACKNOWLEDGED", NULL};

const char *alarm_severity_name(uint8_t severity)
{
    static const char *const NAMES[] = {"CRITICAL", "MAJOR", "MINOR"};
    check(severity <= ALARM_MINOR);
    return NAMES[severity];
}

static const struct {
    const char *key;
    uint8_t severity;
    bool ends_when_seen;
} KEYS[] = {
    {"smsc.down", ALARM_CRITICAL, false},
    {"smsc.degraded", ALARM_MAJOR, false},
    {"smsc.throttled", ALARM_MINOR, false},
    {"smsc.swallows", ALARM_MAJOR, false},
    {"por.error.rate", ALARM_MAJOR, false},
    {"dirty.growing", ALARM_MAJOR, false},
    {"rollback.rate", ALARM_MAJOR, false},
    {"security.failures", ALARM_CRITICAL, false},
    {"counter.near.max", ALARM_MAJOR, false},
    {"db.disk.low", ALARM_CRITICAL, false},
    {"db.slow.commit", ALARM_MAJOR, false},
    {"queue.growing", ALARM_MAJOR, false},
    {"reconcile.needs_operator", ALARM_MAJOR, false},
    {ALARM_CHAIN_BROKEN, ALARM_CRITICAL, false},
    {"card.nvm.error", ALARM_MINOR, true},
    {"clock.jump", ALARM_MAJOR, true},
    {"bootstrap.stalled", ALARM_MAJOR, false},
    {"fallback.storm", ALARM_CRITICAL, false},
    {"key.kcv.mismatch", ALARM_CRITICAL, true},
    {"import.rejected", ALARM_MINOR, true},
    {"audit.checkpoint.late", ALARM_MAJOR, false},
    {"approval.waiting", ALARM_MINOR, false},
    {"campaign.autopaused", ALARM_MAJOR, false},
    {ALARM_SINK_DEAD, ALARM_MAJOR, false},
    {"compliance.due", ALARM_MAJOR, false},
};

const char *alarm_key_find(struct bytes key, uint8_t *severity, bool *ends_when_seen)
{
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        if (!bytes_equal(bytes_of_text(KEYS[i].key), key))
            continue;
        *severity = KEYS[i].severity;
        *ends_when_seen = KEYS[i].ends_when_seen;
        return KEYS[i].key;
    }
    return NULL;
}

// --- as documents ----------------------------------------------------------------------------

struct alarm {
    uint64_t id, owner, version;
    uint8_t state;
    struct utc created_at;
    char key[ALARM_KEY_SIZE];
    char object[ALARM_OBJECT_SIZE];
    char first_at[UTC_TEXT_SIZE], last_at[UTC_TEXT_SIZE];
    char cleared_at[UTC_TEXT_SIZE], seen_at[UTC_TEXT_SIZE]; // "": not yet
    char seen_by[BY_SIZE];
    int64_t count;
};

static void copy(const json_t *root, const char *name, char *to, size_t size)
{
    struct bytes text = {0};
    if (json_get_text(root, name, &text) != JSON_FOUND || text.len >= size)
        text.len = 0;
    bytes_copy(to, text);
    to[text.len] = '\0';
}

static bool read_alarm(void *context, const struct document *d)
{
    struct alarm *a = context;
    json_t *root = NULL;
    *a = (struct alarm){.id = d->id,
                        .owner = d->owner,
                        .version = d->version,
                        .state = (uint8_t)d->state,
                        .created_at = d->created_at};
    if (json_read(d->body, &root) != JSON_READ_OK)
        return false;
    copy(root, "key", a->key, sizeof a->key);
    copy(root, "object", a->object, sizeof a->object);
    copy(root, "firstAt", a->first_at, sizeof a->first_at);
    copy(root, "lastAt", a->last_at, sizeof a->last_at);
    copy(root, "clearedAt", a->cleared_at, sizeof a->cleared_at);
    copy(root, "acknowledgedAt", a->seen_at, sizeof a->seen_at);
    copy(root, "acknowledgedBy", a->seen_by, sizeof a->seen_by);
    if (json_get_integer(root, "count", 1, INT64_MAX, &a->count) != JSON_FOUND)
        a->count = 1;
    json_decref(root);
    return false;
}

static void put_text(struct json_writer *j, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    json_put_key(j, name);
    json_put_string(j, text);
}

static void put_members(struct json_writer *j, const struct alarm *a)
{
    uint8_t severity = ALARM_MINOR;
    bool unused = false;
    (void)alarm_key_find(bytes_of_text(a->key), &severity, &unused);
    put_text(j, "key", a->key);
    put_text(j, "severity", alarm_severity_name(severity));
    put_text(j, "object", a->object);
    json_put_key(j, "count");
    json_put_signed(j, a->count);
    put_text(j, "firstAt", a->first_at);
    put_text(j, "lastAt", a->last_at);
    put_text(j, "clearedAt", a->cleared_at);
    put_text(j, "acknowledgedAt", a->seen_at);
    put_text(j, "acknowledgedBy", a->seen_by);
}

static void write_body(struct writer *w, const struct alarm *a)
{
    struct json_writer j = json_writer_of(w);
    json_begin_object(&j);
    put_members(&j, a);
    json_end_object(&j);
}

static enum store_status tell(struct store *s, const struct alarm *a, enum notice_kind kind,
                              struct utc now)
{
    struct notice_text n;
    notice_begin(&n, "alarm", 0, 0);
    api_put_id(&n.j, "id", "alm", a->id);
    put_members(&n.j, a);
    put_text(&n.j, "state", alarm_states[a->state]);
    return notice_end(&n, s, (struct notice){.kind = (uint8_t)kind, .at = now, .tenant = a->owner});
}

// Open ones are found by key and object; one that is over makes room for the next.
static void name_of(const struct alarm_place *at, uint64_t ended, char name[NAME_SIZE])
{
    struct writer w = writer_of(name, NAME_SIZE);
    text_put(&w, at->key);
    text_put(&w, " ");
    text_put(&w, at->object);
    if (ended != 0) {
        text_put(&w, " ");
        text_decimal(&w, ended);
    }
    (void)text_end(&w);
    check(!w.failed);
}

static enum store_status put_alarm(struct store *s, const struct alarm *a, struct utc now)
{
    uint8_t body[BODY_SIZE];
    char name[NAME_SIZE];
    struct writer w = writer_of(body, sizeof body);
    const struct alarm_place at = {.key = a->key, .object = a->object};
    write_body(&w, a);
    check(!w.failed);
    name_of(&at, a->state == ALARM_CLEARED ? a->id : 0, name);
    const struct document d = {.kind = ALARM_KIND,
                               .id = a->id,
                               .owner = a->owner,
                               .name = name,
                               .state = a->state,
                               .version = a->version,
                               .created_at = a->created_at,
                               .changed_at = now,
                               .body = writer_bytes(&w)};
    return store_document_put(s, &d);
}

// STORE_NONE: none is open there.
static enum store_status find(struct store *s, const struct alarm_place *at, struct alarm *a)
{
    char name[NAME_SIZE];
    name_of(at, 0, name);
    return store_document_named(s, ALARM_KIND, name, read_alarm, a);
}

// --- their life ------------------------------------------------------------------------------

enum store_status alarm_raise(struct store *s, const struct alarm_place *at, uint64_t id,
                              struct utc now)
{
    struct alarm a;
    const enum store_status status = find(s, at, &a);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    if (status == STORE_NONE) {
        struct writer key = writer_of(a.key, sizeof a.key);
        struct writer object = writer_of(a.object, sizeof a.object);
        a = (struct alarm){.id = id, .owner = at->owner, .state = ALARM_OPEN, .created_at = now};
        text_put(&key, at->key);
        text_put(&object, at->object);
        (void)text_end(&key);
        (void)text_end(&object);
        utc_format(now, a.first_at);
    }
    a.count++;
    utc_format(now, a.last_at);
    const enum store_status kept = put_alarm(s, &a, now);
    return kept == STORE_OK && status == STORE_NONE ? tell(s, &a, NOTICE_ALARM_RAISED, now) : kept;
}

static enum store_status end(struct store *s, struct alarm *a, struct utc now)
{
    a->state = ALARM_CLEARED;
    utc_format(now, a->cleared_at);
    const enum store_status status = put_alarm(s, a, now);
    return status == STORE_OK ? tell(s, a, NOTICE_ALARM_CLEARED, now) : status;
}

enum store_status alarm_clear(struct store *s, const struct alarm_place *at, struct utc now)
{
    struct alarm a;
    const enum store_status status = find(s, at, &a);
    return status == STORE_OK ? end(s, &a, now) : status;
}

enum store_status alarm_keep(struct store *s, const struct alarm_place *at, bool is_wanted,
                             uint64_t id, struct utc now)
{
    struct alarm a;
    const enum store_status status = find(s, at, &a);
    if (status == STORE_NONE)
        return is_wanted ? alarm_raise(s, at, id, now) : STORE_OK;
    return status == STORE_OK && !is_wanted ? end(s, &a, now) : status;
}

enum store_status alarm_is_raised(struct store *s, const char *key, bool *is_raised)
{
    char from[NAME_SIZE];
    char to[NAME_SIZE];
    const struct alarm_place any = {.key = key, .object = ""};
    name_of(&any, 0, from);
    memcpy(to, from, sizeof to);
    to[strlen(key)] = ' ' + 1; // behind every object
    const enum store_status status = store_document_between(s, ALARM_KIND, from, to, ALARM_CLEARED);
    *is_raised = status == STORE_OK;
    return status == STORE_NONE ? STORE_OK : status;
}

struct objects {
    const char *key;
    alarm_object_fn *each;
    void *context;
};

// An open one is named by its key and object.
static bool see_object(void *context, const struct document *d)
{
    const struct objects *o = context;
    const size_t len = strlen(o->key);
    if (d->name == NULL || strncmp(d->name, o->key, len) != 0 || d->name[len] != ' ')
        return true;
    return o->each(o->context, d->name + len + 1);
}

enum store_status alarm_objects(struct store *s, const char *key, alarm_object_fn *each,
                                void *context)
{
    struct objects objects = {.key = key, .each = each, .context = context};
    const struct document_filter open = {
        .kind = ALARM_KIND, .state = -1, .bits = ALARM_OPEN | ALARM_ACKNOWLEDGED};
    const struct store_page all = {.limit = UINT32_MAX};
    return store_documents(s, &open, &all, see_object, &objects, NULL);
}

enum store_status alarm_acknowledge(struct store *s, uint64_t id, const char *by, struct utc now)
{
    struct alarm a;
    uint8_t severity;
    bool ends_when_seen = false;
    const enum store_status status = store_document_get(s, ALARM_KIND, id, read_alarm, &a);
    if (status != STORE_OK)
        return status;
    if (a.state != ALARM_OPEN)
        return STORE_CONFLICT;
    a.state = ALARM_ACKNOWLEDGED;
    utc_format(now, a.seen_at);
    struct writer w = writer_of(a.seen_by, sizeof a.seen_by);
    text_put(&w, by);
    (void)text_end(&w);
    (void)alarm_key_find(bytes_of_text(a.key), &severity, &ends_when_seen);
    return ends_when_seen ? end(s, &a, now) : put_alarm(s, &a, now);
}

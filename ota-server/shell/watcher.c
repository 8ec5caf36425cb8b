#include "ota-server/shell/watcher.h"

#include "ota-server/service/agreement.h"
#include "ota-server/service/alarm.h"
#include "ota-server/service/api_json.h"
#include "ota-server/service/approval.h"
#include "ota-server/service/notice.h"
#include "ota-server/service/storm.h"
#include "ota-server/service/watch.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#define LOOK_MS 10000
#define LINKS_MS 1000
#define AGREEMENTS_MS (60 * 60 * 1000)
#define COUNT_EVERY 6 // looks between two counts of cards and approvals
#define SLOW_MS 200
#define VERY_SLOW_MS 500

#define STORMS_MAX 64 // operators whose cards fell back within a week; more are not judged

struct operator_storm {
    char name[ALARM_OBJECT_SIZE]; // "": free
    struct storm storm;
    bool is_fed; // in this look
};

// What the next turn writes.
struct news {
    struct watch_change change;
    char object[ALARM_OBJECT_SIZE]; // or "": the installation
    bool is_news;                   // not the end of what was never raised
};
_Static_assert(OUTBOX_LINKS_MAX <= WATCH_LINKS_MAX, "each link is watched");
#define NEWS_MAX (WATCH_CHANGES_MAX + STORMS_MAX + OUTBOX_LINKS_MAX)

struct watcher {
    struct watcher_options options;
    struct loop_timer timer;
    struct watch watch;
    uint64_t looks;
    uint64_t commits_slow, commits_very_slow;
    uint64_t dirty, cards, approval_ms;
    int64_t clock_ahead_ms; // wall clock less the loop's, at the last look
    struct operator_storm storms[STORMS_MAX];
    enum { SAID_NOTHING, SAID_DELIVERS, SAID_SWALLOWS } said[OUTBOX_LINKS_MAX]; // of each link
    struct news news[NEWS_MAX];
    size_t news_count;
    bool is_writing;
    bool are_gone_cleared; // alarms of links that are configured no more
    struct loop_timer link_timer;
    enum outbox_health links[OUTBOX_LINKS_MAX], told[OUTBOX_LINKS_MAX]; // now; what everybody knows
    bool is_telling;
    struct instant agreements_due; // when they are looked at next
    bool is_keeping;
};

static bool see_oldest(void *context, const struct message *m)
{
    *(int64_t *)context = m->at.ms;
    return false;
}

static bool see_approval(void *context, const struct document *d)
{
    *(int64_t *)context = d->created_at.ms;
    return false;
}

static uint64_t oldest_approval(struct watcher *w, struct utc now)
{
    const struct document_filter filter = {.kind = APPROVAL_KIND, .state = APPROVAL_OPEN};
    const struct store_page page = {.limit = 1};
    int64_t since_ms = now.ms;
    if (store_documents(w->options.reader, &filter, &page, see_approval, &since_ms, NULL) !=
        STORE_OK)
        return w->approval_ms;
    return since_ms < now.ms ? (uint64_t)(now.ms - since_ms) : 0;
}

static void count_cards(struct watcher *w)
{
    struct store_counts counts = {0};
    if (store_card_counts(w->options.reader, 0, &counts) != STORE_OK)
        return;
    w->dirty = counts.cards_by_mark[MARK_DIRTY];
    w->cards = 0;
    for (unsigned i = 0; i < CARD_STATES; i++)
        w->cards += counts.cards_by_state[i];
}

static void look_at_store(struct watcher *w, struct watch_sample *s)
{
    const struct watcher_options *o = &w->options;
    const struct utc now = o->utc(o->utc_context);
    int64_t oldest_ms = now.ms;
    if (store_outbox(o->reader, 0, 1, see_oldest, &oldest_ms) == STORE_OK && oldest_ms < now.ms)
        s->oldest_ms = (uint64_t)(now.ms - oldest_ms);
    if (w->looks++ % COUNT_EVERY == 0) {
        count_cards(w);
        w->approval_ms = oldest_approval(w, now);
    }
    s->dirty = w->dirty;
    s->cards = w->cards;
    s->approval_ms = w->approval_ms;
    s->uncovered_ms = turn_uncovered_ms(o->turn, now);
}

static void look(struct watcher *w, struct watch_sample *s)
{
    const struct watcher_options *o = &w->options;
    const struct turn_counts turn = turn_counts(o->turn);
    const struct outbox_counts outbox = outbox_counts(o->outbox);
    struct statvfs disk;
    *s = (struct watch_sample){.links = o->link_count};
    for (unsigned i = 0; i < o->link_count; i++)
        s->is_up[i] = outbox_health(o->outbox, i) >= OUTBOX_LINK_SWALLOWING;
    s->counts[WATCH_SENT] = outbox.parts_sent;
    s->counts[WATCH_THROTTLED] = outbox.throttled;
    s->counts[WATCH_PORS] = turn.pors;
    s->counts[WATCH_POR_ERRORS] = turn.por_errors;
    s->counts[WATCH_ENABLES] = turn.enables;
    s->counts[WATCH_ROLLBACKS] = turn.rollbacks;
    s->counts[WATCH_COMMITS] = turn.commits;
    s->counts[WATCH_COMMITS_SLOW] = w->commits_slow;
    s->counts[WATCH_COMMITS_VERY_SLOW] = w->commits_very_slow;
    if (statvfs(o->data, &disk) == 0) {
        s->disk_free = (uint64_t)disk.f_bavail * disk.f_frsize;
        s->disk_size = (uint64_t)disk.f_blocks * disk.f_frsize;
    }
    const int64_t ahead_ms = loop_utc(o->loop).ms - (int64_t)loop_now(o->loop).ms;
    s->clock_step_ms = ahead_ms - w->clock_ahead_ms;
    w->clock_ahead_ms = ahead_ms;
    look_at_store(w, s);
}

static enum store_status write_changes(void *context, struct store *store, struct utc now)
{
    struct watcher *w = context;
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < w->news_count && status == STORE_OK; i++) {
        struct news *n = &w->news[i];
        const struct alarm_place at = {.key = n->change.key, .object = n->object};
        status = n->change.is_raised ? alarm_raise(store, &at, turn_id(w->options.turn, now), now)
                                     : alarm_clear(store, &at, now);
        n->is_news = status != STORE_NONE;
        if (status == STORE_NONE)
            status = STORE_OK;
    }
    return status;
}

static void written(void *context, enum store_status status)
{
    struct watcher *w = context;
    w->is_writing = false;
    if (status != STORE_OK)
        return; // at the next look again
    for (size_t i = 0; i < w->news_count; i++) {
        const bool is_raised = w->news[i].change.is_raised;
        if (!w->news[i].is_news)
            continue;
        log_begin(w->options.log, is_raised ? LOG_ERROR : LOG_INFO, loop_utc(w->options.loop),
                  is_raised ? "alarm.raised" : "alarm.cleared");
        log_string(w->options.log, "alarm", w->news[i].change.key);
        if (w->news[i].object[0] != '\0')
            log_string(w->options.log, "object", w->news[i].object);
        log_end(w->options.log);
    }
    w->news_count = 0;
}

// --- storms ----------------------------------------------------------------------------------

static void judge_storm(struct watcher *w, struct operator_storm *s, uint64_t recent, uint64_t week)
{
    const enum storm_word word = storm_step(&s->storm, recent, week, loop_now(w->options.loop));
    s->is_fed = true;
    if (word == STORM_SAYS_NOTHING)
        return;
    struct news *n = &w->news[w->news_count++];
    n->change = (struct watch_change){"fallback.storm", word == STORM_RAISED, 0};
    memcpy(n->object, s->name, sizeof(n->object));
}

static void see_fallbacks(void *context, const char *operator_name, uint64_t recent, uint64_t week)
{
    struct watcher *w = context;
    const struct bytes name = bytes_of_text(operator_name);
    struct operator_storm *free_one = NULL;
    if (name.len == 0 || name.len >= ALARM_OBJECT_SIZE)
        return;
    for (size_t i = 0; i < STORMS_MAX; i++) {
        struct operator_storm *s = &w->storms[i];
        if (s->name[0] == '\0') {
            free_one = free_one == NULL ? s : free_one;
        } else if (bytes_equal(bytes_of_text(s->name), name)) {
            judge_storm(w, s, recent, week);
            return;
        }
    }
    if (free_one == NULL)
        return;
    *free_one = (struct operator_storm){0};
    memcpy(free_one->name, name.at, name.len);
    judge_storm(w, free_one, recent, week);
}

// An operator without a fallback within a week leaves when its storm is over.
static void look_for_storms(struct watcher *w)
{
    const struct watcher_options *o = &w->options;
    for (size_t i = 0; i < STORMS_MAX; i++)
        w->storms[i].is_fed = false;
    if (store_fallbacks(o->reader, o->utc(o->utc_context), see_fallbacks, w) != STORE_OK)
        return;
    for (size_t i = 0; i < STORMS_MAX; i++) {
        struct operator_storm *s = &w->storms[i];
        if (s->name[0] == '\0' || s->is_fed)
            continue;
        judge_storm(w, s, 0, 0);
        if (s->storm.is_cleared)
            s->name[0] = '\0';
    }
}

static struct bytes object_of(const struct watcher *w, unsigned link)
{
    const struct watcher_options *o = &w->options;
    return bytes_slice(bytes_of_text(o->link_name(o->link_context, link)), 0,
                       ALARM_OBJECT_SIZE - 1);
}

// Which link it is about.
static void name_link(const struct watcher *w, struct news *n)
{
    if (n->change.link == 0)
        return;
    const struct bytes name = object_of(w, n->change.link - 1);
    bytes_copy(n->object, name);
    n->object[name.len] = '\0';
}

// --- links that swallow ----------------------------------------------------------------------

// What was raised before the start is cleared by the first look.
static void judge_links(struct watcher *w)
{
    const struct watcher_options *o = &w->options;
    for (unsigned i = 0; i < o->link_count; i++) {
        const bool is_bad = outbox_verdict(o->outbox, i) != LINK_DELIVERS;
        if (w->said[i] == (is_bad ? SAID_SWALLOWS : SAID_DELIVERS))
            continue;
        struct news *n = &w->news[w->news_count++];
        n->change = (struct watch_change){"smsc.swallows", is_bad, i + 1};
        name_link(w, n);
        w->said[i] = is_bad ? SAID_SWALLOWS : SAID_DELIVERS;
    }
}

// --- links that are gone ---------------------------------------------------------------------

struct gone {
    struct watcher *w;
    const char *key;
    bool are_all; // so far
};

static bool see_gone(void *context, const char *object)
{
    struct gone *g = context;
    struct watcher *w = g->w;
    const struct bytes name = bytes_of_text(object);
    if (name.len == 0 || name.len >= ALARM_OBJECT_SIZE)
        return true;
    for (unsigned i = 0; i < w->options.link_count; i++) {
        if (bytes_equal(object_of(w, i), name))
            return true; // its own look clears it
    }
    g->are_all = w->news_count < NEWS_MAX;
    if (!g->are_all)
        return false;
    struct news *n = &w->news[w->news_count++];
    *n = (struct news){.change = {.key = g->key}};
    bytes_copy(n->object, name);
    return true;
}

// Nobody looks at a link any more that was taken out of the configuration.
static void clear_gone(struct watcher *w)
{
    static const char *const KEYS[] = {"smsc.degraded", "smsc.swallows"};
    bool are_all = true;
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0] && are_all; i++) {
        struct gone gone = {.w = w, .key = KEYS[i], .are_all = true};
        are_all =
            alarm_objects(w->options.reader, KEYS[i], see_gone, &gone) == STORE_OK && gone.are_all;
    }
    w->are_gone_cleared = are_all; // else at the next look again
}

// --- agreements ------------------------------------------------------------------------------

static enum store_status keep_agreements(void *context, struct store *store, struct utc now)
{
    const struct watcher *w = context;
    return agreements_keep(store, w->options.turn, now);
}

static void kept_agreements(void *context, enum store_status status)
{
    struct watcher *w = context;
    w->is_keeping = false;
    if (status == STORE_OK) // else at the next look again
        w->agreements_due = instant_after(loop_now(w->options.loop), AGREEMENTS_MS);
}

static void tick(void *context, struct instant now)
{
    struct watcher *w = context;
    struct watch_sample sample;
    loop_timer_set(&w->timer, instant_after(now, LOOK_MS));
    if (!w->is_keeping && now.ms >= w->agreements_due.ms)
        w->is_keeping = turn_write(w->options.turn, keep_agreements, kept_agreements, w);
    if (w->is_writing)
        return;
    if (w->news_count == 0) {
        struct watch_change changes[WATCH_CHANGES_MAX];
        look(w, &sample);
        const size_t count = watch_step(&w->watch, &sample, now, changes);
        for (size_t i = 0; i < count; i++) {
            struct news *n = &w->news[w->news_count++];
            *n = (struct news){.change = changes[i]};
            name_link(w, n);
        }
        judge_links(w);
        if (w->looks % COUNT_EVERY == 1) // counted by the minute
            look_for_storms(w);
        if (!w->are_gone_cleared)
            clear_gone(w);
    }
    if (w->news_count > 0)
        w->is_writing = turn_write(w->options.turn, write_changes, written, w);
    loop_wake(w->options.loop);
}

// --- links -----------------------------------------------------------------------------------

static enum store_status tell_links(void *context, struct store *store, struct utc now)
{
    const struct watcher *w = context;
    enum store_status status = STORE_OK;
    for (unsigned i = 0; i < w->options.link_count && status == STORE_OK; i++) {
        struct notice_text n;
        if (w->links[i] == w->told[i])
            continue;
        notice_begin(&n, "link", 0, 0);
        api_put_text(&n.j, "name", w->options.link_name(w->options.link_context, i));
        api_put_text(&n.j, "state", outbox_health_name(w->links[i]));
        status = notice_end(&n, store, (struct notice){.kind = NOTICE_LINK_CHANGED, .at = now});
    }
    return status;
}

static void told_links(void *context, enum store_status status)
{
    struct watcher *w = context;
    w->is_telling = false;
    if (status == STORE_OK)
        memcpy(w->told, w->links, sizeof w->told);
}

static void look_at_links(void *context, struct instant now)
{
    struct watcher *w = context;
    bool is_changed = false;
    loop_timer_set(&w->link_timer, instant_after(now, LINKS_MS));
    if (w->is_telling)
        return;
    for (unsigned i = 0; i < w->options.link_count; i++) {
        w->links[i] = outbox_health(w->options.outbox, i);
        is_changed |= w->links[i] != w->told[i];
    }
    if (is_changed)
        w->is_telling = turn_write(w->options.turn, tell_links, told_links, w);
    if (w->is_telling)
        loop_wake(w->options.loop);
}

struct watcher *watcher_open(const struct watcher_options *options)
{
    struct watcher *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    const bool has_timer = loop_timer_open(&w->timer, options->loop, tick, w);
    if (!has_timer || !loop_timer_open(&w->link_timer, options->loop, look_at_links, w)) {
        if (has_timer)
            loop_timer_close(&w->timer);
        free(w);
        return NULL;
    }
    const struct instant now = loop_now(options->loop);
    w->options = *options;
    // Where it would stand had it gone on from what was written last.
    w->clock_ahead_ms =
        loop_utc(options->loop).ms - (int64_t)now.ms + turn_clock_back_ms(options->turn);
    watch_init(&w->watch, now);
    loop_timer_set(&w->timer, now);
    loop_timer_set(&w->link_timer, now);
    return w;
}

void watcher_close(struct watcher *w)
{
    if (w == NULL)
        return;
    loop_timer_close(&w->timer);
    loop_timer_close(&w->link_timer);
    free(w);
}

void watcher_commit(struct watcher *w, uint64_t took_ms)
{
    w->commits_slow += took_ms > SLOW_MS;
    w->commits_very_slow += took_ms > VERY_SLOW_MS;
}

#include "ota-server/shell/watcher.h"

#include "ota-server/service/alarm.h"
#include "ota-server/service/approval.h"
#include "ota-server/service/watch.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#define LOOK_MS 10000
#define COUNT_EVERY 6 // looks between two counts of cards and approvals
#define SLOW_MS 200
#define VERY_SLOW_MS 500

struct watcher {
    struct watcher_options options;
    struct loop_timer timer;
    struct watch watch;
    uint64_t looks;
    uint64_t commits_slow, commits_very_slow;
    uint64_t dirty, cards, approval_ms;
    int64_t clock_ahead_ms; // wall clock less the loop's, at the last look
    // What the next turn writes.
    struct watch_change changes[WATCH_CHANGES_MAX];
    bool is_news[WATCH_CHANGES_MAX]; // not the end of what was never raised
    size_t change_count;
    bool is_writing;
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
        s->links_up += outbox_health(o->outbox, i) == OUTBOX_LINK_UP;
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
    for (size_t i = 0; i < w->change_count && status == STORE_OK; i++) {
        const struct alarm_place at = {.key = w->changes[i].key, .object = ""};
        status = w->changes[i].is_raised
                     ? alarm_raise(store, &at, turn_id(w->options.turn, now), now)
                     : alarm_clear(store, &at, now);
        w->is_news[i] = status != STORE_NONE;
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
    for (size_t i = 0; i < w->change_count; i++) {
        const bool is_raised = w->changes[i].is_raised;
        if (!w->is_news[i])
            continue;
        log_begin(w->options.log, is_raised ? LOG_ERROR : LOG_INFO, loop_utc(w->options.loop),
                  is_raised ? "alarm.raised" : "alarm.cleared");
        log_string(w->options.log, "alarm", w->changes[i].key);
        log_end(w->options.log);
    }
    w->change_count = 0;
}

static void tick(void *context, struct instant now)
{
    struct watcher *w = context;
    struct watch_sample sample;
    loop_timer_set(&w->timer, instant_after(now, LOOK_MS));
    if (w->is_writing)
        return;
    if (w->change_count == 0) {
        look(w, &sample);
        w->change_count = watch_step(&w->watch, &sample, now, w->changes);
    }
    if (w->change_count > 0)
        w->is_writing = turn_write(w->options.turn, write_changes, written, w);
    loop_wake(w->options.loop);
}

struct watcher *watcher_open(const struct watcher_options *options)
{
    struct watcher *w = calloc(1, sizeof *w);
    if (w == NULL || !loop_timer_open(&w->timer, options->loop, tick, w)) {
        free(w);
        return NULL;
    }
    const struct instant now = loop_now(options->loop);
    w->options = *options;
    w->clock_ahead_ms = loop_utc(options->loop).ms - (int64_t)now.ms;
    watch_init(&w->watch, now);
    loop_timer_set(&w->timer, now);
    return w;
}

void watcher_close(struct watcher *w)
{
    if (w == NULL)
        return;
    loop_timer_close(&w->timer);
    free(w);
}

void watcher_commit(struct watcher *w, uint64_t took_ms)
{
    w->commits_slow += took_ms > SLOW_MS;
    w->commits_very_slow += took_ms > VERY_SLOW_MS;
}

// The turn's start and stop: what became of the cards while the server was away.
#include "ota-server/service/alarm.h"
#include "ota-server/service/turn_part.h"
#include "ota-server/store/backup.h"
#include "ota-server/store/campaigns.h"
#include "ota-server/store/notices.h"

#include <string.h>

#define START_STEP 256
#define SPREAD_MOST_MS (2 * 86400 * INT64_C(1000))
#define CLOCK_BACK_MS (5 * 60 * 1000) // less than that is nobody's harm
#define CLOCK_BACK "clock-back" // a value of the store while cards are told: `back_ms`, `after`

struct sweep_state {
    uint64_t cards[START_STEP];
    size_t count;
};

static bool note_card(void *context, uint64_t card)
{
    struct sweep_state *s = context;
    s->cards[s->count++] = card;
    return s->count < START_STEP;
}

// One event for the cards of a list, from the one after `after` on. `note`, if any, stores in each
// transaction how far it came.
struct telling {
    struct event event;
    enum store_status (*list)(struct store *s, uint64_t after, uint32_t limit, store_id_fn *each,
                              void *context);
    uint64_t after;
    enum store_status (*note)(struct turn *t, const struct telling *what);
};

// A transaction for each step of them.
static enum store_status tell(struct turn *t, struct telling *what, struct utc now)
{
    struct sweep_state found = {.count = 0};
    enum store_status status = STORE_OK;
    do {
        found.count = 0;
        status = what->list(t->options.store, what->after, START_STEP, note_card, &found);
        if (status == STORE_OK && found.count > 0)
            status = store_begin(t->options.store);
        for (size_t i = 0; i < found.count && status == STORE_OK; i++) {
            struct task k = {.kind = TASK_EVENT, .card = found.cards[i], .event = what->event};
            if (!turn_run_guarded(t, &k, now))
                status = k.status;
            what->after = found.cards[i];
            t->send_count = 0; // packets of a start leave through the outbox
        }
        if (status == STORE_OK)
            status = turn_figures_write(t);
        if (status == STORE_OK && found.count > 0 && what->note != NULL)
            status = what->note(t, what);
        if (status == STORE_OK && found.count > 0)
            status = store_commit(t->options.store);
    } while (status == STORE_OK && found.count == START_STEP);
    if (status != STORE_OK)
        store_rollback(t->options.store);
    t->tally_count = 0;
    return status;
}

// Campaigns pause: whom they asked since the copy was made, it does not know.
static enum store_status note_restore(struct turn *t, struct utc now, int64_t age_ms)
{
    uint8_t octets[16];
    struct writer w = writer_of(octets, sizeof(octets));
    writer_u64(&w, (uint64_t)now.ms);
    writer_u64(&w, (uint64_t)age_ms);
    const struct bytes both = writer_bytes(&w);
    const enum store_status status =
        store_value_put(t->options.store, TURN_RESTORED_AT, bytes_slice(both, 0, 8));
    return status == STORE_OK
               ? store_value_put(t->options.store, TURN_RESTORED_AGE, bytes_slice(both, 8, 16))
               : status;
}

static bool note_document(void *context, const struct document *d)
{
    return note_card(context, d->id);
}

static enum store_status end_all(struct turn *t, const char *kind)
{
    const struct document_filter filter = {.kind = kind, .state = -1};
    const struct store_page page = {.limit = START_STEP};
    struct sweep_state found;
    enum store_status status;
    do {
        found.count = 0;
        status = store_documents(t->options.store, &filter, &page, note_document, &found, NULL);
        for (size_t i = 0; i < found.count && status == STORE_OK; i++)
            status = store_document_delete(t->options.store, kind, found.cards[i]);
    } while (status == STORE_OK && found.count > 0);
    return status;
}

// Who was shut out after the copy was made, it does not know: all prove anew who they are.
static enum store_status end_sessions(struct turn *t)
{
    const enum store_status status = end_all(t, "session");
    return status == STORE_OK ? end_all(t, "token") : status;
}

static bool count_card(void *context, uint64_t card)
{
    (void)card;
    ++*(uint64_t *)context;
    return true;
}

// The first audits of all cards leave a fifth of the links' share to second ones and further pages.
// Two days at most: what is left of the third is for the second attempts of the last ones.
static enum store_status spread_audits(struct turn *t, int64_t *ms)
{
    uint64_t cards = 0;
    *ms = 0;
    if (t->options.audit_gap_us == 0)
        return STORE_OK;
    const enum store_status status =
        store_all_cards(t->options.store, 0, UINT32_MAX, count_card, &cards);
    const uint64_t most = SPREAD_MOST_MS * UINT64_C(1000) / t->options.audit_gap_us;
    *ms = cards > most ? SPREAD_MOST_MS : (int64_t)(cards * t->options.audit_gap_us / 1000);
    *ms = *ms + *ms / 4 < SPREAD_MOST_MS ? *ms + *ms / 4 : SPREAD_MOST_MS;
    return status;
}

// Rows of the trail that are gone without a command that took them away: somebody must look.
static enum store_status note_missing_rows(struct turn *t, struct utc now)
{
    const struct alarm_place at = {.key = ALARM_CHAIN_BROKEN, .object = ""};
    bool is_noticed = false;
    const enum store_status status = store_restore_notice(t->options.store, now, &is_noticed);
    if (status != STORE_OK || !is_noticed)
        return status;
    return alarm_raise(t->options.store, &at, turn_id(t, now), now);
}

struct last_row {
    struct utc at;
    bool is_restore; // written by the command that put a backup back, with its own clock
};

static bool note_row(void *context, const struct trail_row *row)
{
    struct last_row *last = context;
    last->at = row->at;
    last->is_restore = strcmp(row->action, "server.restored") == 0;
    return false;
}

// Of the last row of the trail that a server wrote; 0: there is none any more.
static enum store_status last_written(struct turn *t, struct utc *at)
{
    struct trail_filter last;
    uint8_t hash[32];
    uint64_t total = 0;
    const struct store_page one = {.limit = 1};
    trail_filter_init(&last);
    enum store_status status = store_trail_head(t->options.store, &last.sequence, hash);
    struct last_row row = {.is_restore = true};
    while (status == STORE_OK && row.is_restore && last.sequence > 0) {
        row = (struct last_row){.is_restore = false};
        status = store_trail(t->options.store, &last, &one, note_row, &row, &total);
        last.sequence--;
    }
    *at = row.at;
    return status;
}

// Since the last row of the backup. Cards that were told before a crash have rows of now: then it
// is what it was at the first try.
static enum store_status find_age(struct turn *t, struct utc now, int64_t *age_ms)
{
    uint8_t octets[8];
    struct writer w = writer_of(octets, sizeof(octets));
    struct utc last = now;
    enum store_status status = store_value(t->options.store, TURN_RESTORED_AGE, &w);
    struct reader r = reader_of(writer_bytes(&w));
    *age_ms = (int64_t)reader_u64(&r);
    if (status == STORE_OK && w.len == sizeof(octets))
        return STORE_OK;
    if (status == STORE_OK || status == STORE_NONE)
        status = last_written(t, &last);
    *age_ms = now.ms - last.ms;
    return status;
}

// Which cards were spoken to after the copy was made, the copy cannot know: it holds for all.
static enum store_status restore(struct turn *t, struct utc now)
{
    struct telling all = {.event = {.type = EVENT_RESTORE}, .list = store_all_cards};
    enum store_status status = spread_audits(t, &all.event.as.restore.spread_ms);
    if (status == STORE_OK)
        status = find_age(t, now, &all.event.as.restore.age_ms);
    if (status == STORE_OK)
        status = store_begin(t->options.store);
    if (status == STORE_OK)
        status = note_missing_rows(t, now);
    if (status == STORE_OK)
        status = store_outbox_forget(t->options.store);
    if (status == STORE_OK)
        status = note_restore(t, now, all.event.as.restore.age_ms);
    if (status == STORE_OK)
        status = turn_hold_begin(t, now);
    if (status == STORE_OK)
        status = store_notices_jump(t->options.store, now);
    if (status == STORE_OK)
        status = end_sessions(t);
    if (status == STORE_OK)
        status = store_commit(t->options.store);
    if (status == STORE_OK) {
        t->was_restored = true;
        status = store_checkpoints_aside(t->options.store, now);
        return status == STORE_OK ? tell(t, &all, now) : status;
    }
    store_rollback(t->options.store);
    return status;
}

// --- a clock that went back ---

static enum store_status note_told(struct turn *t, const struct telling *what)
{
    uint8_t octets[16];
    struct writer w = writer_of(octets, sizeof(octets));
    writer_u64(&w, (uint64_t)what->event.as.back_ms);
    writer_u64(&w, what->after);
    return store_value_put(t->options.store, CLOCK_BACK, writer_bytes(&w));
}

// From here on, cards are told even if the server is killed meanwhile, and none is told twice.
static enum store_status begin_back(struct turn *t, const struct telling *what, struct utc from,
                                    struct utc now)
{
    char before[UTC_TEXT_SIZE], after[UTC_TEXT_SIZE];
    utc_format(from, before);
    utc_format(now, after);
    const struct trail_new row = {.at = now,
                                  .actor = {.kind = ACTOR_SYSTEM},
                                  .action = "server.clock_back",
                                  .object_kind = "system",
                                  .before = before,
                                  .after = after,
                                  .result = "done"};
    enum store_status status = store_begin(t->options.store);
    if (status == STORE_OK)
        status = note_told(t, what);
    if (status == STORE_OK)
        status = store_campaigns_back(t->options.store, what->event.as.back_ms);
    if (status == STORE_OK)
        status = store_trail_add(t->options.store, &row);
    if (status == STORE_OK)
        return store_commit(t->options.store);
    store_rollback(t->options.store);
    return status;
}

static enum store_status tell_back(struct turn *t, struct telling *what, struct utc now)
{
    enum store_status status = tell(t, what, now);
    if (status == STORE_OK)
        status = store_begin(t->options.store);
    if (status == STORE_OK)
        status = store_value_put(t->options.store, CLOCK_BACK, bytes_of(NULL, 0));
    if (status == STORE_OK)
        return store_commit(t->options.store);
    store_rollback(t->options.store);
    return status;
}

// Times that are stored count from the time that was. When it comes once more, they would come that
// much too late: they go back with it.
static enum store_status follow_clock(struct turn *t, struct utc now)
{
    struct telling waiting = {
        .event = {.type = EVENT_CLOCK}, .list = store_waiting, .note = note_told};
    uint8_t octets[16];
    struct writer w = writer_of(octets, sizeof(octets));
    struct utc last = now;
    enum store_status status = store_value(t->options.store, CLOCK_BACK, &w);
    if (status == STORE_OK && w.len == sizeof(octets)) { // it was killed in the middle
        struct reader r = reader_of(writer_bytes(&w));
        waiting.event.as.back_ms = (int64_t)reader_u64(&r);
        waiting.after = reader_u64(&r);
        t->clock_back_ms = waiting.event.as.back_ms;
        return tell_back(t, &waiting, now);
    }
    if (status == STORE_OK || status == STORE_NONE)
        status = last_written(t, &last);
    if (status != STORE_OK || last.ms - now.ms <= CLOCK_BACK_MS)
        return status;
    waiting.event.as.back_ms = last.ms - now.ms;
    t->clock_back_ms = waiting.event.as.back_ms;
    status = begin_back(t, &waiting, last, now);
    return status == STORE_OK ? tell_back(t, &waiting, now) : status;
}

static enum store_status set_stop(struct turn *t, const char *value)
{
    enum store_status status = store_begin(t->options.store);
    if (status == STORE_OK)
        status = store_value_put(t->options.store, "stop", bytes_of_text(value));
    if (status == STORE_OK)
        status = store_restore_done(t->options.store);
    if (status == STORE_OK)
        status = store_value_put(t->options.store, TURN_RESTORED_AGE, bytes_of(NULL, 0));
    if (status == STORE_OK)
        return store_commit(t->options.store);
    store_rollback(t->options.store);
    return status;
}

static bool note_waiting(void *context, const struct message *m)
{
    struct turn *t = context;
    t->sends[t->send_count++] = *m;
    return t->send_count < SENDS_MAX;
}

static enum store_status resend_waiting(struct turn *t)
{
    uint64_t after = 0;
    enum store_status status;
    do {
        t->send_count = 0;
        status = store_outbox(t->options.store, after, SENDS_MAX, note_waiting, t);
        for (size_t i = 0; i < t->send_count && status == STORE_OK; i++) {
            t->options.send(t->options.send_context, &t->sends[i]);
            after = t->sends[i].id;
        }
    } while (status == STORE_OK && t->send_count == SENDS_MAX);
    t->send_count = 0;
    return status;
}

static enum turn_status turn_status_of(enum store_status status)
{
    if (status == STORE_OK)
        return TURN_OK;
    return status == STORE_LOST ? TURN_STOP : TURN_RETRY;
}

enum turn_status turn_start(struct turn *t, struct utc now)
{
    char stop[16] = "";
    struct writer w = writer_of(stop, sizeof(stop) - 1);
    bool is_restored = false;
    struct telling under_way = {.event = {.type = EVENT_RESTART}, .list = store_under_way};
    enum store_status status = store_value(t->options.store, "stop", &w);
    const bool is_clean = status == STORE_NONE || strcmp(stop, "clean") == 0;
    if (status == STORE_OK || status == STORE_NONE)
        status = store_ids(t->options.store, &t->ids);
    if (status == STORE_OK)
        status = follow_clock(t, now);
    if (status == STORE_OK)
        status = store_is_restored(t->options.store, &is_restored);
    if (status == STORE_OK && is_restored)
        status = restore(t, now);
    else if (status == STORE_OK && !is_clean)
        status = tell(t, &under_way, now);
    if (status == STORE_OK)
        status = set_stop(t, "running");
    if (status == STORE_OK)
        status = resend_waiting(t);
    t->next_due = now; // look at once
    turn_want_places(t);
    t->next_sweep = now;
    t->next_checkpoint = now;
    return turn_status_of(status);
}

bool turn_was_restored(const struct turn *t)
{
    return t->was_restored;
}

int64_t turn_clock_back_ms(const struct turn *t)
{
    return t->clock_back_ms;
}

enum turn_status turn_stop(struct turn *t, struct utc now)
{
    const enum store_status status = set_stop(t, "clean");
    if (status == STORE_OK && store_checkpoint(t->options.store, now) != STORE_OK)
        t->counts.failures++;
    return turn_status_of(status);
}

// F18: the whole system, in the simulated world: server, message centre, devices and cards, with
// all faults. A short input chooses a world of one to three cards and a day; a longer one is a list
// of deeds, done to one as a story. What was promised is checked after every event, as by
// ota-world; a story that breaks it is told in the form of tests/sim/*.story.
#include "common/base/check.h"
#include "common/wire/command.h"
#include "ota-server/core/record.h"
#include "smpp/core/smsc_fault.h"
#include "tests/world/world.h"

#include <stddef.h>
#include <stdio.h>

#define SHORT_MAX 8
#define DEEDS_MAX 64
#define DAY_MS 86400000u
#define HOUR_MS 3600000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// --- deeds of octets ---------------------------------------------------------------------------

// The kinds, and of what range their fields are, as a world draws them. Those that leave a card or
// its subscriptions unlike what it was made with are left to the drawn worlds.
#define FIELDS 3
#define OF(field, least, count)                                                                    \
    {                                                                                              \
        offsetof(struct deed, field), least, count                                                 \
    }
static const struct row {
    enum deed_kind kind;
    struct {
        size_t at;
        uint32_t least, count;
    } fields[FIELDS];
} rows[] = {
    {DEED_REQUEST, {OF(what, OPERATION_DOWNLOAD, OPERATION_AUDIT), OF(subscription, 0, 5)}},
    {DEED_CANCEL, {OF(count, 0, 4)}},
    {DEED_RESEND, {OF(count, 0, 1)}},
    {DEED_PUSH, {OF(wait, 0, 1)}},
    {DEED_HAND, {OF(what, COMMAND_DOWNLOAD, COMMAND_SET_FALLBACK), OF(subscription, 0, 5)}},
    {DEED_POWER_OFF, {OF(wait, 0, 1)}},
    {DEED_POWER_ON, {OF(wait, 0, 1)}},
    {DEED_CUT, {OF(octet, 1, 1500), OF(torn, 0, 2), OF(value, 0, 256)}},
    {DEED_MOVE, {OF(what, 0, 5)}},
    {DEED_REJECT, {OF(what, 0, 1)}}, // no more
    {DEED_REJECT, {OF(what, 2, 2)}},
    {DEED_REJECT, {OF(what, 15, 1)}},
    {DEED_IMEI, {OF(value, 0, 11)}},
    {DEED_CRASH, {OF(after_ms, 0, 600000)}},
    {DEED_CRASH_ACTING, {OF(after_ms, 0, 600000)}},
    {DEED_STOP, {OF(after_ms, 0, 6 * HOUR_MS)}},
    {DEED_LINK, {OF(octet, 0, 400), OF(after_ms, 0, 6 * HOUR_MS)}},
    {DEED_FULL, {OF(after_ms, 1, 2 * HOUR_MS)}},
    {DEED_CLOCK, {OF(ahead_s, 1, 3600), OF(after_ms, 0, 600000)}},
    {DEED_CLOCK, {OF(behind_s, 1, 3600), OF(after_ms, 0, 600000)}},
    {DEED_BACKUP, {OF(wait, 0, 1)}},
    {DEED_RESTORE, {OF(after_ms, 0, 600000)}},
    {DEED_WEAK, {OF(after_ms, 1, 6 * HOUR_MS)}},
    {DEED_FLOOD, {OF(count, 1, 40)}},
    {DEED_APPROVE, {OF(value, 0, 2)}},
    {DEED_SMSC_MT, {OF(what, SMSC_FAULT_LOSE, SMSC_FAULT_CUT_LINK)}},
    {DEED_SMSC_MO, {OF(what, SMSC_FAULT_LOSE, SMSC_FAULT_CUT_LINK)}},
    {DEED_MT_LOST, {OF(wait, 0, 1)}},
    {DEED_MT_LATE, {OF(after_ms, 1, 4 * HOUR_MS)}},
    {DEED_MT_COPY, {OF(after_ms, 1, 4 * HOUR_MS)}},
    {DEED_MT_FORGED, {OF(octet, 0, 1000), OF(value, 1, 255), OF(after_ms, 1, HOUR_MS)}},
    {DEED_MT_RADIO, {OF(wait, 0, 1)}},
    {DEED_MT_DENIED, {OF(wait, 0, 1)}},
    {DEED_MO_LOST, {OF(wait, 0, 1)}},
    {DEED_MO_LATE, {OF(after_ms, 1, 4 * HOUR_MS)}},
    {DEED_MO_COPY, {OF(after_ms, 1, 4 * HOUR_MS)}},
    {DEED_MO_FORGED, {OF(octet, 0, 1000), OF(value, 1, 255), OF(after_ms, 1, HOUR_MS)}},
    {DEED_REFLECTED, {OF(after_ms, 1, HOUR_MS)}},
    {DEED_CLOG, {OF(after_ms, 60000, 12 * HOUR_MS)}},
};
#define ROWS (sizeof rows / sizeof rows[0])

// What goes with an operation, or with a command of somebody else.
static void complete(struct deed *d, uint8_t bits)
{
    if (d->kind == DEED_HAND) {
        d->ahead = 1 + bits % 3;
        d->flags = d->what == COMMAND_ENABLE ? COMMAND_FLAG_ROLLBACK : 0;
        return;
    }
    d->wait = bits >> 1 & 1;
    d->force = bits >> 2 & 1;
    d->contact = bits >> 3 & 1;
    if (d->what == OPERATION_DOWNLOAD) {
        d->subscription = 2 + d->subscription % (WORLD_SUBSCRIPTIONS - 2);
        d->flags = (bits & 1) != 0 ? COMMAND_FLAG_ENABLE | COMMAND_FLAG_ROLLBACK : 0;
    } else if (d->what == OPERATION_ENABLE || d->what == OPERATION_DISABLE) {
        d->flags = COMMAND_FLAG_ROLLBACK;
    } else if (d->what == OPERATION_SET_FALLBACK) {
        d->flags = (bits & 1) != 0 ? COMMAND_FLAG_FORCE : 0;
    } else if (d->what == OPERATION_SET_TIMERS) {
        d->attach_s = 180;
        d->auto_mode = bits >> 4 & 1 ? 2 : 0;
        d->return_s = 86400;
        d->jitter_s = 60;
        d->heartbeat_h = bits >> 5;
        d->count = 1 + bits % 5;
    }
}

static void complete_fault(struct deed *d, uint8_t bits)
{
    static const uint32_t delays_ms[] = {20000, 900000, 14400000};
    static const uint32_t codes[] = {ESME_RTHROTTLED, ESME_RMSGQFUL, ESME_RSYSERR};
    if (d->what == SMSC_FAULT_DELAY)
        d->value = delays_ms[bits % 3];
    else if (d->what == SMSC_FAULT_DUPLICATE)
        d->value = 1;
    else if (d->what == SMSC_FAULT_REORDER)
        d->value = 60000;
    else if (d->what == SMSC_FAULT_STATUS)
        d->value = codes[bits % 3];
}

// Kind, card, what goes with it, how long after the one before, and its fields.
static struct deed read_deed(struct reader *r, uint32_t cards, uint64_t before_ms)
{
    const struct row *row = &rows[reader_u8(r) % ROWS];
    struct deed d = {.kind = row->kind};
    const uint8_t card = reader_u8(r);
    const uint8_t bits = reader_u8(r);
    d.at_ms = before_ms + reader_u32(r) % DAY_MS;
    for (unsigned i = 0; i < FIELDS && row->fields[i].count > 0; i++) {
        if (row->fields[i].count > 1 || row->fields[i].least > 0)
            *(uint32_t *)((char *)&d + row->fields[i].at) =
                row->fields[i].least + reader_u32(r) % row->fields[i].count;
    }
    const bool is_global = !deed_is_of_card(d.kind) && d.kind != DEED_LINK && d.kind != DEED_REJECT;
    d.card = is_global ? 0 : card % (d.kind == DEED_LINK || d.kind == DEED_REJECT ? 3 : cards);
    if (d.kind == DEED_REQUEST || d.kind == DEED_HAND)
        complete(&d, bits);
    else if (d.kind == DEED_SMSC_MT || d.kind == DEED_SMSC_MO)
        complete_fault(&d, bits);
    return d;
}

// --- worlds ------------------------------------------------------------------------------------

static void judge(const struct world_options *options)
{
    static struct world_result result;
    world_run(options, &result);
    if (!result.is_violated)
        return;
    (void)fprintf(stderr, "%s: %s\n", result.rule, result.text);
    if (options->story != NULL) {
        story_write_head(stderr, options->story);
        for (uint32_t i = 0; i < options->story->count; i++)
            story_write_deed(stderr, &options->story->deeds[i]);
    } else {
        (void)fprintf(stderr, "repeat with: ota-world --seed %llu --cards %u --days 1\n",
                      (unsigned long long)options->seed, options->cards);
    }
    check(!result.is_violated);
}

static void tell_story(struct reader *r)
{
    struct story story = {.cards = 1 + reader_u8(r) % 3};
    const uint8_t how = reader_u8(r);
    story.is_alerted = how & 1;
    story.is_talkative = how >> 1 & 1;
    story.in_file = how >> 2 & 1;
    story.validity_s = 3600u << (how >> 3) % 5;
    story.seed = reader_u32(r);
    for (uint32_t i = 0; i < story.cards; i++)
        story.models[i] = reader_u8(r) % STORY_MODELS;
    uint64_t at_ms = 1000;
    while (r->left > 0 && story.count < DEEDS_MAX && at_ms < 2 * DAY_MS) {
        const struct deed d = read_deed(r, story.cards, at_ms);
        if (r->failed)
            break;
        story_add(&story, &d);
        at_ms = d.at_ms;
    }
    story.faults_ms = at_ms + HOUR_MS;
    judge(&(struct world_options){.story = &story});
    story_free(&story);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    if (len > SHORT_MAX) {
        tell_story(&r);
        return 0;
    }
    const uint8_t cards = reader_u8(&r);
    const uint32_t seed = reader_u32(&r);
    if (!r.failed)
        judge(&(struct world_options){.seed = seed, .cards = 1 + cards % 3, .days = 1});
    return 0;
}

#include "tests/world/deed.h"

#include "common/base/text.h"
#include "common/wire/command.h"
#include "ota-server/core/record.h"
#include "smpp/core/smsc_fault.h"

#include <stddef.h>

#define WORDS_MAX 64

static const struct {
    const char *name;
    enum deed_stage stage;
} kinds[] = {
#define DEED(NAME, name, stage) {#name, STAGE_##stage},
    DEEDS(DEED)
#undef DEED
};

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
#define FIELD(name) {#name, offsetof(struct deed, name)},
    DEED_FIELDS(FIELD)
#undef FIELD
};
#define FIELD_COUNT (sizeof fields / sizeof fields[0])

const char *deed_name(uint32_t kind)
{
    return kinds[kind].name;
}

enum deed_stage deed_stage(uint32_t kind)
{
    return kinds[kind].stage;
}

bool deed_is_of_card(uint32_t kind)
{
    switch (kind) {
    case DEED_REJECT:
    case DEED_LINK:
    case DEED_STALL:
    case DEED_HALF_OPEN:
    case DEED_HEX:
    case DEED_SWALLOW:
    case DEED_CRASH:
    case DEED_CRASH_ACTING:
    case DEED_STOP:
    case DEED_FULL:
    case DEED_CLOCK:
    case DEED_BACKUP:
    case DEED_RESTORE:
    case DEED_WEAK:
    case DEED_BUSY:
    case DEED_EIO:
    case DEED_CAMPAIGN:
    case DEED_SLEEP:
        return false;
    default: // all others
        return true;
    }
}

static uint32_t *field(struct deed *deed, size_t i)
{
    return (uint32_t *)((char *)deed + fields[i].offset);
}

// What `what` is called, or NULL where it is a number.
static const char *word(uint32_t kind, uint32_t what)
{
    static const char *const areas[] = {"home", "first", "second", "third", "hole"};
    static const char *const actions[] = {"start", "resume", "cancel"};
    static const char *const clocks[] = {"late", "no_timers", "no_status", "neither"};
    static const char *const profiles[] = {"no_messages", "no_refresh", "no_events", "imeisv"};
    static const char *const steps[] = {"check", "start", "pause", "resume", "stop"};
    static const char *const answered[] = {"all",     "refresh",     "poll", "events",
                                           "message", "information", "timer"};
    static const char *const errors[] = {"writes", "write", "sync_undone", "sync_kept"};
    switch (kind) {
    case DEED_BOOTSTRAP:
        return what < sizeof actions / sizeof actions[0] ? actions[what] : "";
    case DEED_REQUEST:
        return operation_kind_name((uint8_t)what);
    case DEED_HAND:
        return command_number_name((uint8_t)what);
    case DEED_SMSC_MT:
    case DEED_SMSC_MO:
        return what <= SMSC_FAULT_LAST ? smsc_fault_name((enum smsc_fault)what) : "";
    case DEED_TICK:
        return what < sizeof clocks / sizeof clocks[0] ? clocks[what] : "";
    case DEED_PROFILE:
        return what < sizeof profiles / sizeof profiles[0] ? profiles[what] : "";
    case DEED_ANSWERS:
        return what < sizeof answered / sizeof answered[0] ? answered[what] : "";
    case DEED_EIO:
        return what < sizeof errors / sizeof errors[0] ? errors[what] : "";
    case DEED_CAMPAIGN:
        return what < sizeof steps / sizeof steps[0] ? steps[what] : "";
    case DEED_MOVE:
        return what < sizeof areas / sizeof areas[0] ? areas[what] : "";
    default: // the others have numbers
        return NULL;
    }
}

void deed_write(struct writer *w, const struct deed *deed)
{
    struct deed copy = *deed;
    text_decimal(w, deed->at_ms);
    text_put(w, " ");
    text_put(w, deed_name(deed->kind));
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const uint32_t value = *field(&copy, i);
        const bool is_what = fields[i].offset == offsetof(struct deed, what);
        const char *name = is_what ? word(deed->kind, value) : NULL;
        if (value == 0 && (!is_what || name == NULL))
            continue;
        text_put(w, " ");
        text_put(w, fields[i].name);
        text_put(w, "=");
        if (name != NULL)
            text_put(w, name);
        else
            text_decimal(w, value);
    }
}

// --- reading -----------------------------------------------------------------------------------

static struct bytes next_word(struct bytes *line)
{
    size_t from = 0;
    while (from < line->len && line->at[from] == ' ')
        from++;
    size_t to = from;
    while (to < line->len && line->at[to] != ' ')
        to++;
    const struct bytes found = bytes_slice(*line, from, to - from);
    *line = bytes_slice(*line, to, line->len);
    return found;
}

static bool read_word(uint32_t kind, struct bytes text, uint32_t *what)
{
    for (uint32_t i = 0; i < WORDS_MAX; i++) {
        const char *name = word(kind, i);
        if (name != NULL && bytes_equal(text, bytes_of_text(name))) {
            *what = i;
            return true;
        }
    }
    return false;
}

static bool read_field(struct bytes text, struct deed *deed)
{
    size_t equals = 0;
    while (equals < text.len && text.at[equals] != '=')
        equals++;
    const struct bytes name = bytes_slice(text, 0, equals);
    const struct bytes value = bytes_slice(text, equals < text.len ? equals + 1 : equals, text.len);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (!bytes_equal(name, bytes_of_text(fields[i].name)))
            continue;
        uint64_t number;
        if (text_read_decimal(value, &number) && number <= UINT32_MAX) {
            *field(deed, i) = (uint32_t)number;
            return true;
        }
        return fields[i].offset == offsetof(struct deed, what) &&
               read_word(deed->kind, value, &deed->what);
    }
    return false;
}

bool deed_read(struct bytes line, struct deed *deed)
{
    *deed = (struct deed){.kind = DEED_KINDS};
    if (!text_read_decimal(next_word(&line), &deed->at_ms))
        return false;
    const struct bytes name = next_word(&line);
    for (uint32_t i = 0; i < DEED_KINDS; i++) {
        if (bytes_equal(name, bytes_of_text(kinds[i].name)))
            deed->kind = i;
    }
    bool ok = deed->kind != DEED_KINDS;
    for (struct bytes text = next_word(&line); ok && text.len > 0; text = next_word(&line))
        ok = read_field(text, deed);
    return ok;
}

#include "ota-server/core/kpi.h"

#include "common/base/check.h"

#define KINDS OPERATION_AUDIT // of operations: 1 to this

// What is counted besides sums of a whole figure.
enum source {
    DONE = FIGURES, // of a kind of operation
    JUDGED,         // of a kind: those that count as success or not
    ROLLED_BACK,    // switches
    SEEN,
    DIRTY,
    ON_FALLBACK,
};

struct rule {
    const char *id, *definition;
    enum kpi_form form;
    uint8_t part, whole; // enum figure or source; a duration has its figure as the part
};

#define SUCCESS                                                                                    \
    {                                                                                              \
        "operation-success-rate",                                                                  \
            "Operations that ended: done / (done + failed + rolled_back + expired + unresolved)",  \
            KPI_PERCENT, DONE, JUDGED                                                              \
    }

// clang-format off
// The first are of one kind of operation each.
static const struct rule RULES[KPI_COUNT] = {
    SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS, SUCCESS,
    {"command-delivery-rate", "Authentic answers of cards / packets that an SMSC took",
     KPI_PERCENT, FIGURE_PORS, FIGURE_PACKETS},
    {"sms-delivery-rate", "Receipts 'delivered' / messages that an SMSC took",
     KPI_PERCENT, FIGURE_RECEIPTS, FIGURE_MESSAGES},
    {"time-to-por", "From the first packet's acceptance by the SMSC to the card's first authentic answer;"
     " operations that ended, audits apart", KPI_DURATION, FIGURE_TIME_POR, 0},
    {"time-to-confirm", "From the first packet's acceptance by the SMSC to the answer to the confirmation;"
     " switches that ended", KPI_DURATION, FIGURE_TIME_CONFIRM, 0},
    {"sms-mt-per-operation", "Messages to cards / operations that ended and were sent",
     KPI_MEAN, FIGURE_SMS_MT, FIGURE_SENT},
    {"sms-mo-per-operation", "Messages from cards / operations that ended and were sent",
     KPI_MEAN, FIGURE_SMS_MO, FIGURE_SENT},
    {"bytes-mt-per-operation", "Octets of packets to cards / operations that ended and were sent",
     KPI_MEAN, FIGURE_BYTES_MT, FIGURE_SENT},
    {"bytes-mo-per-operation", "Octets of packets from cards / operations that ended and were sent",
     KPI_MEAN, FIGURE_BYTES_MO, FIGURE_SENT},
    {"template-saving", "Octets that templates saved / octets that the profiles of downloads that are done have"
     " without them", KPI_PERCENT, FIGURE_BYTES_SAVED, FIGURE_BYTES_FULL},
    {"dirty-rate", "Cards that are dirty / cards that were seen and are not retired",
     KPI_PERCENT, DIRTY, SEEN},
    {"time-to-clean", "From becoming dirty to clean", KPI_DURATION, FIGURE_TIME_CLEAN, 0},
    {"audit-success-rate", "Audits that were answered completely / audits that were asked for",
     KPI_PERCENT, FIGURE_ANSWERS, FIGURE_AUDITS},
    {"fallback-rate", "Cards on their fallback subscription / cards that were seen and are not retired",
     KPI_PERCENT, ON_FALLBACK, SEEN},
    {"return-rate", "Cards that came back from their fallback subscription by themselves / cards that went onto"
     " it by themselves", KPI_PERCENT, FIGURE_RETURNS, FIGURE_FALLBACKS},
    {"rollback-rate", "Switches that were rolled back / switches that ended done or rolled back",
     KPI_PERCENT, ROLLED_BACK, FIGURE_SWITCH},
    {"bootstrap-yield", "Bootstraps that are done / bootstraps that were started",
     KPI_PERCENT, FIGURE_JOBS_DONE, FIGURE_JOBS},
    {"bootstrap-time", "From the start of a bootstrap to its end; with the trigger FIRST_CONTACT that is"
     " the first contact", KPI_DURATION, FIGURE_JOBS_DONE, 0},
};
// clang-format on

static int64_t ended(const struct figure_sums *s, uint8_t kind, uint8_t outcome)
{
    return s->counts[FIGURE_ENDED][figure_ended(kind, outcome)];
}

static int64_t judged(const struct figure_sums *s, uint8_t kind)
{
    return ended(s, kind, OUTCOME_DONE) + ended(s, kind, OUTCOME_FAILED) +
           ended(s, kind, OUTCOME_ROLLED_BACK) + ended(s, kind, OUTCOME_EXPIRED) +
           ended(s, kind, OUTCOME_UNRESOLVED);
}

static int64_t total(const struct figure_sums *s, uint8_t figure)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < FIGURE_DETAILS; i++)
        sum += s->counts[figure][i];
    return sum;
}

static uint64_t amount(const struct figure_sums *s, const struct kpi_cards *c, uint8_t source,
                       uint8_t kind)
{
    int64_t sum = 0;
    switch (source) {
    case DONE:
        sum = ended(s, kind, OUTCOME_DONE);
        break;
    case JUDGED:
        sum = judged(s, kind);
        break;
    case ROLLED_BACK:
        sum = s->counts[FIGURE_SWITCH][OUTCOME_ROLLED_BACK];
        break;
    case SEEN:
        return c->seen;
    case DIRTY:
        return c->dirty;
    case ON_FALLBACK:
        return c->on_fallback;
    default: // octets
        sum = total(s, source);
        break;
    }
    return sum > 0 ? (uint64_t)sum : 0; // a correction may stand in an hour of its own
}

uint8_t kpi_percentile(const uint64_t classes[FIGURE_CLASSES], uint64_t count, unsigned percent)
{
    const uint64_t rank = (count * percent + 99) / 100;
    uint64_t below = 0;
    for (uint8_t i = 0; i < FIGURE_CLASSES; i++) {
        below += classes[i];
        if (below >= rank)
            return i;
    }
    return FIGURE_CLASSES - 1;
}

static void measure(const struct figure_sums *s, uint8_t figure, struct kpi *out)
{
    for (unsigned i = 0; i < FIGURE_CLASSES; i++) {
        const int64_t count = s->counts[figure][i];
        out->classes[i] = count > 0 ? (uint64_t)count : 0;
        out->count += out->classes[i];
    }
    out->has_value = out->count > 0;
    if (!out->has_value)
        return;
    out->p50 = kpi_percentile(out->classes, out->count, 50);
    out->p95 = kpi_percentile(out->classes, out->count, 95);
    out->p99 = kpi_percentile(out->classes, out->count, 99);
}

void kpi_make(const struct figure_sums *sums, const struct kpi_cards *cards, unsigned index,
              struct kpi *out)
{
    check(index < KPI_COUNT);
    const struct rule *r = &RULES[index];
    const uint8_t kind = index < KINDS ? (uint8_t)(index + 1) : OPERATION_NONE;
    *out = (struct kpi){.id = r->id,
                        .definition = r->definition,
                        .form = r->form,
                        .is_now = r->whole == SEEN,
                        .kind = kind};
    if (r->form == KPI_DURATION) {
        measure(sums, r->part, out);
        return;
    }
    out->part = amount(sums, cards, r->part, kind);
    out->whole = amount(sums, cards, r->whole, kind);
    out->has_value = out->whole > 0;
    if (out->has_value) // thousandths of a whole, tenths of a mean; to the nearest
        out->value = (int64_t)((out->part * (r->form == KPI_PERCENT ? 1000 : 10) + out->whole / 2) /
                               out->whole);
}

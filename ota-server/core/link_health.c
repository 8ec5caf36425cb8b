#include "ota-server/core/link_health.h"

#define COMPARED_MIN 20 // packets of the others
#define EXPECTED_MIN 20 // answers
#define SHORT_OF 10     // a tenth of them is too few
#define PROBES_MIN 3    // answers

struct tally {
    uint64_t sent, answered;
};

// The sample `back` places before the newest one.
static struct link_sample *sample_at(struct link_health *h, uint64_t back)
{
    return &h->samples[(h->taken - 1 - back) % LINK_SAMPLES];
}

static uint64_t count_of(const struct link_health *h)
{
    return h->taken < LINK_SAMPLES ? h->taken : LINK_SAMPLES;
}

void link_health_sent(struct link_health *h, uint64_t card, uint64_t counter, struct instant now)
{
    if (h->taken >= LINK_BURST &&
        now.ms - sample_at(h, LINK_BURST - 1)->sent.ms < LINK_BURST * LINK_SAMPLE_EVERY_MS)
        return;
    h->taken++;
    *sample_at(h, 0) = (struct link_sample){.sent = now, .card = card, .counter = counter};
}

static struct link_sample *sample_of(struct link_health *h, uint64_t card, uint64_t counter)
{
    for (uint64_t i = 0; i < count_of(h); i++) {
        struct link_sample *s = sample_at(h, i);
        if (s->card == card && s->counter == counter)
            return s;
    }
    return NULL;
}

void link_health_withdraw(struct link_health *h, uint64_t card, uint64_t counter)
{
    struct link_sample *s = sample_of(h, card, counter);
    if (s != NULL)
        s->card = 0;
}

void link_health_answered(struct link_health *h, uint64_t card, uint64_t counter)
{
    struct link_sample *s = sample_of(h, card, counter);
    if (s != NULL)
        s->is_answered = true;
}

static void add(struct tally *t, const struct link_sample *s)
{
    t->sent++;
    t->answered += s->is_answered;
}

// What is judged, and what came before it. `first` and `last`: when the former was sent.
struct view {
    struct tally own, past;
    struct instant first, last;
};

static struct view look_at(struct link_health *h, struct instant since, struct instant now)
{
    struct view v = {0};
    for (uint64_t i = 0; i < count_of(h); i++) {
        const struct link_sample *s = sample_at(h, i);
        const uint64_t age_ms = now.ms - s->sent.ms;
        if (age_ms > LINK_MEMORY_MS || s->sent.ms < since.ms)
            break;
        if (s->card == 0 || age_ms < LINK_ANSWER_MS)
            continue;
        if (v.own.sent == LINK_JUDGED) {
            add(&v.past, s);
            continue;
        }
        v.last = v.own.sent == 0 ? s->sent : v.last;
        v.first = s->sent;
        add(&v.own, s);
    }
    return v;
}

static struct tally beside_of(struct link_health links[], uint32_t beside, const struct view *v)
{
    struct tally t = {0};
    for (unsigned i = 0; beside >> i != 0 && v->own.sent > 0; i++) {
        struct link_health *h = &links[i];
        for (uint64_t k = 0; (beside >> i & 1) != 0 && k < count_of(h); k++) {
            const struct link_sample *s = sample_at(h, k);
            if (s->sent.ms < v->first.ms) // so are all behind it
                break;
            if (s->card != 0 && s->sent.ms <= v->last.ms)
                add(&t, s);
        }
    }
    return t;
}

// Both sides of "answers / packets" are multiplied by the packets of the others.
static bool falls_short(struct tally own, struct tally other)
{
    const uint64_t expected = own.sent * other.answered;
    return other.sent >= COMPARED_MIN && expected >= EXPECTED_MIN * other.sent &&
           own.answered * SHORT_OF * other.sent <= expected;
}

static bool is_back(struct tally own, struct tally other)
{
    return own.answered >= PROBES_MIN && own.answered * 2 * other.sent >= own.sent * other.answered;
}

void link_health_judge(struct link_health links[], unsigned index, uint32_t beside,
                       struct instant now)
{
    struct link_health *h = &links[index];
    const struct view v = look_at(h, h->since, now);
    const struct tally others = beside_of(links, beside, &v);
    if (h->verdict == LINK_SWALLOWS) {
        if (is_back(v.own, others))
            h->verdict = LINK_DELIVERS;
    } else if (falls_short(v.own, others)) {
        h->verdict = LINK_SWALLOWS;
        h->since = now;
    } else if (others.sent >= COMPARED_MIN) {
        h->verdict = LINK_DELIVERS;
    } else if (h->verdict == LINK_DOUBTED) {
        if (is_back(v.own, v.past))
            h->verdict = LINK_DELIVERS;
    } else if (falls_short(v.own, v.past)) {
        h->verdict = LINK_DOUBTED;
    }
}

// What the store keeps of a campaign, and the numbers that it is moved with. Any octets are a
// campaign or are refused. What is read is written within its size and reads again as the same; and
// a campaign that was read moves on whatever the numbers are, to a campaign that can be kept: it
// asks no card that does not wait, none beyond the canary or what may be open, and comes to rest.
#include "common/base/check.h"
#include "ota-server/core/campaign.h"

#include <stdlib.h>

#define MOVES_MAX 4 // scheduled, canary, running, completed

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct campaign_sight read_sight(struct reader *r)
{
    struct campaign_sight s = {.now.ms = (int64_t)reader_u32(r) * 1000};
    s.now.ms += reader_u8(r) * 4;
    const uint8_t flags = reader_u8(r);
    s.is_storm = (flags & 1) != 0;
    s.has_no_link = (flags & 2) != 0;
    s.restored_at.ms = (flags & 4) != 0 ? s.now.ms : 0;
    s.look_ended = reader_u16(r);
    s.look_failed = reader_u16(r);
    s.quarantined = reader_u8(r);
    s.counts = (struct campaign_counts){.waiting = reader_u32(r), .open = reader_u24(r)};
    s.counts.done = reader_u24(r);
    s.counts.failed = reader_u24(r);
    s.counts.rolled_back = reader_u16(r);
    return s;
}

static void keep(const struct campaign *c)
{
    static struct campaign again;
    static uint8_t octets[CAMPAIGN_OCTETS_MAX];
    static uint8_t twice[CAMPAIGN_OCTETS_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    campaign_write(&w, c);
    check(!w.failed && campaign_read(writer_bytes(&w), &again));
    struct writer v = writer_of(twice, sizeof twice);
    campaign_write(&v, &again);
    check(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
}

static void is_within(const struct campaign *c, const struct campaign_sight *s,
                      const struct campaign_move *m)
{
    const struct campaign_counts *n = &s->counts;
    check(c->state < CAMPAIGN_STATES &&
          m->is_halted == (m->is_changed && c->state == CAMPAIGN_PAUSED));
    if (m->ask == 0)
        return;
    const bool is_canary = c->state == CAMPAIGN_CANARY;
    check((is_canary || c->state == CAMPAIGN_RUNNING) && !m->is_changed);
    check(m->ask <= CAMPAIGN_ASK_MAX && m->ask <= n->waiting && m->ask + n->open <= c->open_max);
    check(!is_canary || m->ask + n->open + n->done + n->failed <= campaign_canary(c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct campaign c;
    struct campaign_move m;
    struct reader r = reader_of(bytes_of(data, len));
    const struct campaign_sight s = read_sight(&r);
    const struct bytes kept = reader_rest(&r);
    if (r.failed || !campaign_read(kept, &c))
        return 0;
    keep(&c);
    for (unsigned moves = 0;; moves++) {
        const bool was_over = campaign_is_over(c.state);
        check(moves <= MOVES_MAX);
        campaign_move(&c, &s, &m);
        is_within(&c, &s, &m);
        keep(&c);
        if (!m.is_changed)
            break;
        check(!was_over);
    }
    return 0;
}

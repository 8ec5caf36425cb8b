#include "tests/exhaust/cuts.h"

#include "applet/memory.h"
#include "common/base/check.h"
#include "common/base/prng.h"

#define SAMPLES 6

// --- the memory of a cut ---------------------------------------------------------------------

static const uint8_t *new_octets(const struct rig_log *log, unsigned k)
{
    return log->octets + log->writes[k].octets_at;
}

static const uint8_t *former_octets(const struct rig_log *log, unsigned k)
{
    return new_octets(log, k) + log->writes[k].len;
}

static void forward(struct rig *r, const struct rig_log *log, unsigned k)
{
    memcpy(r->now.nvm + log->writes[k].at, new_octets(log, k), log->writes[k].len);
}

static void back(struct rig *r, const struct rig_log *log, unsigned k)
{
    memcpy(r->now.nvm + log->writes[k].at, former_octets(log, k), log->writes[k].len);
}

static void all_back(struct rig *r, const struct rig_log *log)
{
    for (unsigned k = log->count; k > 0; k--)
        back(r, log, k - 1);
}

// --- recovery --------------------------------------------------------------------------------

static uint64_t stir(uint64_t sum, const void *octets, size_t len)
{
    const uint8_t *at = octets;
    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word = 0;
        memcpy(&word, at, 8);
        sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        sum ^= sum >> 32;
    }
    for (; len > 0; at++, len--)
        sum = (sum ^ *at) * UINT64_C(0x100000001B3);
    return sum;
}

// The card starts from the memory as it is. What it then is, as a number: state and registry.
static uint64_t recover(struct rig *r, struct applet *a, struct rig_log *log)
{
    log->count = 0;
    log->used = 0;
    r->log = log;
    r->work.holder = NULL;
    r->work.maker = NULL;
    applet_start(a, &r->port);
    r->log = NULL;
    // The octets of the present bank; a start that made no commit leaves them in the workspace.
    return stir(stir(3, a, sizeof *a), r->work.bank, 6u + a->bank_len);
}

// --- versions --------------------------------------------------------------------------------

#define VERSIONS_MAX (RIG_SNAPSHOTS_MAX + 8)

struct versions {
    bool is_step; // of a step, whose last version stands behind its last write
    unsigned count;
    unsigned at;                         // the one that was found last
    unsigned behind[RIG_WRITES_MAX + 1]; // behind each write
    struct model_card models[VERSIONS_MAX];
};

static void add_version(void *context, const struct model_card *m)
{
    struct versions *v = context;
    check(v->count < VERSIONS_MAX);
    v->models[v->count] = *m;
    v->models[v->count].committed = NULL;
    v->count++;
}

// NULL when the card is the model started from the version found last, or from a later one.
static const char *no_version(struct rig *r, const struct applet *a, struct versions *v)
{
    static struct model_card m;
    const char *first = NULL;
    for (unsigned i = v->at; i < v->count; i++) {
        m = v->models[i];
        m.committed = NULL;
        model_start(&m);
        const char *text = rig_compare(r, a, &m);
        if (text == NULL) {
            v->at = i;
            return NULL;
        }
        first = first == NULL ? text : first;
    }
    return first;
}

// The versions that the recovery itself commits, from the one found last on.
static void versions_of_start(struct versions *out, const struct versions *from)
{
    static struct model_card m;
    out->count = 0;
    out->at = 0;
    // A torn write may have become whole: the next version too; and versions from which the card
    // starts alike are not told apart.
    for (unsigned i = from->at; i < from->count && i < from->at + 4; i++) {
        m = from->models[i];
        m.committed = NULL;
        add_version(out, &m);
        m.committed = add_version;
        m.context = out;
        model_start(&m);
    }
}

// --- sweeps ----------------------------------------------------------------------------------

static void differ(struct cuts *c, const char *what, unsigned write, unsigned octet, unsigned value)
{
    if (c->differs != NULL)
        return;
    c->differs = what;
    c->write = write;
    c->octet = octet;
    c->value = value;
}

// Clean cuts behind each write: what the card then is.
static void cut_clean(struct cuts *c, struct rig *r, const struct rig_log *log,
                      struct rig_log *next, struct versions *v, uint64_t *is)
{
    struct applet a;
    for (unsigned k = 0; k <= log->count; k++) {
        if (k > 0)
            forward(r, log, k - 1);
        is[k] = recover(r, &a, next);
        c->clean++;
        // Behind the last write everything is committed.
        if (k == log->count && v->is_step)
            v->at = v->count - 1;
        const char *text = no_version(r, &a, v);
        v->behind[k] = v->at;
        if (text != NULL)
            differ(c, text, k, 0, 0);
        all_back(r, next);
    }
    all_back(r, log);
}

static unsigned octets_of(unsigned len, unsigned out[64])
{
    const unsigned few[] = {0, 1, 2, 3, len / 2, len - 1};
    unsigned count = 0;
    for (unsigned i = 0; i < sizeof few / sizeof few[0]; i++) {
        bool is_new = few[i] < len;
        for (unsigned j = 0; j < count; j++)
            is_new = is_new && out[j] != few[i];
        if (is_new)
            out[count++] = few[i];
    }
    return count;
}

// `is_small`: of a write of a few octets, or the first octet of a page, where its lock stands.
static unsigned values_of(const struct cuts *c, bool is_small, uint8_t former, uint8_t value,
                          uint8_t out[256])
{
    const bool are_all = c->torn == CUTS_ALL || (c->torn == CUTS_MANY && is_small);
    if (are_all) {
        for (unsigned i = 0; i < 256; i++)
            out[i] = (uint8_t)i;
        return 256;
    }
    const uint8_t few[SAMPLES] = {former, 0x00, 0xFF, 0xA5, 0x5A, (uint8_t)~value};
    const unsigned count = is_small || c->torn != CUTS_FEW ? SAMPLES : 4;
    memcpy(out, few, count);
    return count;
}

// A write that is torn: at this octet, which becomes this value.
struct tear {
    const struct rig_log *log;
    unsigned k;
    unsigned octet;
    uint8_t value;
};

// The card is what it was before the write, or what it is behind all of it: `is`. Puts back what
// stood there before the write.
static void judge(struct cuts *c, struct rig *r, const struct tear *t, struct rig_log *next,
                  const uint64_t is[2])
{
    struct applet a;
    const uint64_t found = recover(r, &a, next);
    c->cut++;
    if (found != is[0] && found != is[1])
        differ(c, "a torn write leaves neither version", t->k + 1, t->octet, t->value);
    all_back(r, next);
    back(r, t->log, t->k);
}

static void cut_torn(struct cuts *c, struct rig *r, const struct tear *t, struct rig_log *next,
                     const uint64_t is[2])
{
    const struct rig_log *log = t->log;
    const unsigned k = t->k;
    const unsigned octet = t->octet;
    const uint8_t value = t->value;
    const uint16_t at = log->writes[k].at;
    memcpy(r->now.nvm + at, new_octets(log, k), octet);
    r->now.nvm[at + octet] = value;
    c->torn_values += value != former_octets(log, k)[octet] && value != new_octets(log, k)[octet];
    judge(c, r, t, next, is);
}

// --- pages -----------------------------------------------------------------------------------

#define PAGE_TEARS 8

// A page as a power cut may leave it; the memory is as before its write. 0: its second half is new;
// then one value everywhere, that of a lock among them; then noise.
static void tear_page(struct rig *r, const struct rig_log *log, unsigned k, unsigned which)
{
    static const uint8_t values[] = {0x00, 0xFF, 0xA5, 0x5A};
    const unsigned len = log->writes[k].len;
    uint8_t *page = r->now.nvm + log->writes[k].at;
    if (which == 0) {
        memcpy(page + len / 2, new_octets(log, k) + len / 2, len - len / 2);
    } else if (which <= sizeof values) {
        memset(page, values[which - 1], len);
    } else {
        struct prng noise;
        prng_init(&noise, k, "noise", which);
        for (unsigned i = 0; i < len; i++)
            page[i] = (uint8_t)prng_next(&noise);
    }
}

static void cut_page(struct cuts *c, struct rig *r, const struct rig_log *log, unsigned k,
                     struct rig_log *next, const uint64_t is[2])
{
    for (unsigned i = 0; i < PAGE_TEARS && r->port.nvm_page > 1; i++) {
        const struct tear t = {log, k, log->writes[k].len, (uint8_t)i};
        tear_page(r, log, k, i);
        c->pages++;
        judge(c, r, &t, next, is);
    }
}

// The power fails again at each write of the recovery that is in c->again; the memory is as at the
// first cut.
static void cut_again(struct cuts *c, struct rig *r, struct versions *first)
{
    static uint64_t is[RIG_WRITES_MAX + 1];
    static struct versions v;
    static const uint8_t samples[] = {0x00, 0xA5};
    versions_of_start(&v, first);
    const unsigned long long before = c->clean + c->cut;
    cut_clean(c, r, &c->again, &c->ignore, &v, is);
    for (unsigned k = 0; k < c->again.count; k++) {
        const unsigned octets[2] = {0, c->again.writes[k].len - 1u};
        for (unsigned i = 0; i < 2 && octets[i] < c->again.writes[k].len; i++) {
            for (unsigned s = 0; s < sizeof samples; s++) {
                const struct tear t = {&c->again, k, octets[i], samples[s]};
                cut_torn(c, r, &t, &c->ignore, &is[k]);
            }
        }
        cut_page(c, r, &c->again, k, &c->ignore, &is[k]);
        forward(r, &c->again, k);
    }
    all_back(r, &c->again);
    c->second += c->clean + c->cut - before;
}

// After a first cut at the beginning of write k, or in its first octet; or of its page.
static void cut_twice(struct cuts *c, struct rig *r, unsigned k, struct versions *v)
{
    static const uint8_t samples[] = {0x00, 0xA5, 0x77};
    struct applet a;
    const bool is_paged = r->port.nvm_page > 1;
    // Locks of one octet with each value, of the rest one value each.
    const unsigned first = c->log.writes[k].len == 1 ? 0 : k % 3;
    const unsigned last = c->log.writes[k].len == 1 ? 2 : k % 3;
    for (unsigned i = first; i <= last; i++) {
        if (is_paged)
            tear_page(r, &c->log, k, (k + i) % PAGE_TEARS);
        else
            r->now.nvm[c->log.writes[k].at] = samples[i];
        (void)recover(r, &a, &c->again);
        all_back(r, &c->again);
        v->at = v->behind[k];
        if (c->again.count > 0)
            cut_again(c, r, v);
    }
    back(r, &c->log, k);
}

static void cut_write(struct cuts *c, struct rig *r, unsigned k, const uint64_t is[2])
{
    unsigned octets[64];
    uint8_t values[256];
    const unsigned len = c->log.writes[k].len;
    const bool is_every = c->torn != CUTS_FEW;
    const unsigned count = is_every ? len : octets_of(len, octets);
    for (unsigned i = 0; i < count; i++) {
        const unsigned octet = is_every ? i : octets[i];
        const uint8_t value = new_octets(&c->log, k)[octet];
        const bool is_small = len <= 4 || (r->port.nvm_page > 1 && octet == 0);
        const unsigned value_count =
            values_of(c, is_small, former_octets(&c->log, k)[octet], value, values);
        for (unsigned j = 0; j < value_count; j++) {
            const struct tear t = {&c->log, k, octet, values[j]};
            if (values[j] != value)
                cut_torn(c, r, &t, &c->again, is);
        }
    }
    cut_page(c, r, &c->log, k, &c->again, is);
}

void cuts_sweep(struct cuts *c, struct rig *r)
{
    static uint64_t is[RIG_WRITES_MAX + 1];
    static struct versions v;
    v.is_step = true;
    v.count = v.at = 0;
    for (unsigned i = 0; i < r->snapshot_count; i++)
        add_version(&v, &r->snapshots[i]);
    all_back(r, &c->log);
    cut_clean(c, r, &c->log, &c->again, &v, is);
    for (unsigned k = 0; k < c->log.count && c->differs == NULL; k++) {
        cut_write(c, r, k, &is[k]);
        if (c->is_twice)
            cut_twice(c, r, k, &v);
        forward(r, &c->log, k);
    }
    all_back(r, &c->log);
}

bool cuts_pick(struct cuts *c, struct rig *r, uint64_t chance)
{
    static struct versions v;
    static const uint8_t samples[] = {0x00, 0xFF, 0xA5, 0x5A, 0x77, 0x01, 0x80, 0x3C};
    v.count = v.at = 0;
    for (unsigned i = 0; i < r->snapshot_count; i++)
        add_version(&v, &r->snapshots[i]);
    all_back(r, &c->log);
    const unsigned k = (unsigned)(chance % c->log.count);
    for (unsigned i = 0; i < k; i++)
        forward(r, &c->log, i);
    const struct rig_write *w = &c->log.writes[k];
    const unsigned octet = (unsigned)(chance >> 16 & 0xFFFF) % w->len;
    const uint8_t value = samples[chance >> 32 & 7];
    if (r->port.nvm_page > 1 && (chance >> 40 & 1) != 0) {
        tear_page(r, &c->log, k, chance >> 32 & 7);
    } else {
        memcpy(r->now.nvm + w->at, new_octets(&c->log, k), octet);
        r->now.nvm[w->at + octet] = value;
    }
    (void)recover(r, &r->now.applet, &c->again);
    c->cut++;
    const char *text = no_version(r, &r->now.applet, &v);
    if (text != NULL) {
        differ(c, text, k + 1, octet, value);
        return false;
    }
    struct model_card *m = &r->now.model;
    void (*const committed)(void *, const struct model_card *) = m->committed;
    *m = v.models[v.at];
    model_start(m);
    m->committed = committed;
    m->context = r;
    return true;
}

// What is kept, and what is told from outside.
#include "tests/model/model.h"

#include "common/base/check.h"
#include "common/wire/ident.h"

#define TICK_S 300
#define STARTS_MAX 5

// --- the registry ----------------------------------------------------------------------------

uint8_t model_enabled(const struct model_card *m)
{
    for (uint8_t i = 0; i < m->factory->slot_count; i++) {
        if (m->slots[i].is_used && m->slots[i].is_enabled)
            return i;
    }
    return MODEL_NONE;
}

uint8_t model_fallback(const struct model_card *m)
{
    for (uint8_t i = 0; i < m->factory->slot_count; i++) {
        if (m->slots[i].is_used && m->slots[i].is_fallback)
            return i;
    }
    return MODEL_NONE;
}

uint8_t model_find(const struct model_card *m, const struct subscription_name *name)
{
    for (uint8_t i = 0; i < m->factory->slot_count && name->is_given; i++) {
        const struct model_slot *s = &m->slots[i];
        const bool fits = name->is_iccid
                              ? s->has_iccid && memcmp(s->iccid, name->iccid, sizeof s->iccid) == 0
                              : memcmp(s->imsi, name->imsi, sizeof s->imsi) == 0;
        if (s->is_used && fits)
            return i;
    }
    return MODEL_NONE;
}

struct subscription_name model_name(const struct model_card *m, uint8_t slot)
{
    struct subscription_name name = {.is_given = false};
    if (slot == MODEL_NONE || !m->slots[slot].is_used)
        return name;
    name.is_given = true;
    name.is_iccid = m->slots[slot].has_iccid;
    memcpy(name.iccid, m->slots[slot].iccid, sizeof name.iccid);
    memcpy(name.imsi, m->slots[slot].imsi, sizeof name.imsi);
    return name;
}

void model_enable(struct model_card *m, uint8_t slot)
{
    if (model_enabled(m) == slot)
        return;
    m->slots[model_enabled(m)].is_enabled = false;
    m->slots[slot].is_enabled = true;
    m->registry_version++;
    m->generation++;
}

static void from_factory(struct model_slot *to, const struct slot *from)
{
    *to = (struct model_slot){
        .is_used = from->state != SLOT_EMPTY,
        .is_enabled = from->state == SLOT_ENABLED,
        .is_fallback = from->is_fallback,
        .is_proven = from->is_proven,
        .has_iccid = from->has_iccid,
        .role = from->role,
        .marks = from->marks,
        .rank = from->rank,
        .template_number = from->template_number,
        .mnc_length = from->mnc_length,
        .msisdn = from->msisdn,
        .smsc = from->smsc,
    };
    memcpy(to->iccid, from->iccid, sizeof to->iccid);
    memcpy(to->imsi, from->imsi, sizeof to->imsi);
}

void model_init(struct model_card *m, const struct applet_factory *factory)
{
    memset(m, 0, sizeof *m);
    m->factory = factory;
    bool has_card_iccid = false;
    for (uint8_t i = 0; i < factory->subscription_count; i++) {
        from_factory(&m->slots[i], &factory->subscriptions[i]);
        has_card_iccid |=
            m->slots[i].has_iccid && memcmp(m->slots[i].iccid, factory->card_iccid, 10) == 0;
    }
    // Slot 1 without an ICCID of its own carries that of the card.
    if (!m->slots[0].has_iccid && !has_card_iccid) {
        m->slots[0].has_iccid = true;
        memcpy(m->slots[0].iccid, factory->card_iccid, sizeof m->slots[0].iccid);
    }
    m->registry_version = 1;
    m->preferred = model_enabled(m);
    parameters_default(&m->parameters);
    m->parameters.server_address_len = factory->server_address.len;
    memcpy(m->parameters.server_address, factory->server_address.octets,
           sizeof m->parameters.server_address);
}

void model_commit(struct model_card *m)
{
    if (!m->is_changed)
        return;
    m->is_changed = false;
    m->kept_now = m->now;
    if (m->committed != NULL)
        m->committed(m->context, m);
}

// --- starts ----------------------------------------------------------------------------------

static void forget_what_a_reset_forgets(struct model_card *m)
{
    m->state = SWITCH_STARTING;
    m->clock = m->notify = m->country_clock = (struct model_time){.is_on = false};
    m->wait = MODEL_NOTHING;
    m->is_profiled = m->has_service = m->is_country_stable = m->has_plmn = false;
    m->is_cause_final = m->has_reject = m->is_heartbeat = m->wants_refresh = false;
    m->terminal = TERMINAL_NO_SELECTION;
    m->service = m->reject = 0;
    memset(m->plmn, 0, sizeof m->plmn);
    m->tries = m->attempt = 0;
    m->sent = m->resend = 0;
    m->now = m->kept_now;
    m->terminal_on = model_enabled(m);
}

static void go_on_after(struct model_card *m)
{
    struct model_switch *o = &m->open;
    switch ((enum journal_phase)o->phase) {
    case JOURNAL_NONE:
        model_wait(m, MODEL_FIRST_STATUS, m->parameters.no_service_s);
        return;
    case JOURNAL_PREPARED:
        // The start takes the place of the REFRESH.
        model_enable(m, o->to);
        m->terminal_on = o->to;
        o->phase = JOURNAL_SWITCHED;
        o->starts = 1;
        m->state = SWITCH_PROBATION;
        model_wait(m, MODEL_ATTACH, m->parameters.attach_s);
        if (o->operation_id == 0)
            model_queue(m, NOTIFY_RECOVERED, model_name(m, o->from), model_name(m, o->to), 0);
        break;
    case JOURNAL_SWITCHED:
        o->starts++;
        m->state = SWITCH_PROBATION;
        // A fifth start without service ends the probation.
        model_wait(m, MODEL_ATTACH, o->starts >= STARTS_MAX ? 0 : m->parameters.attach_s);
        break;
    case JOURNAL_CONFIRMING:
        m->state = SWITCH_CONFIRMING;
        if (o->sendings <= m->parameters.wait_count)
            o->sendings++;
        m->attempt = o->sendings;
        m->notify = (struct model_time){.is_on = true};
        if (o->sendings <= m->parameters.wait_count)
            m->notify.min_s = m->notify.max_s = m->parameters.waits_s[o->sendings - 1];
        break;
    }
    m->is_changed = true;
}

void model_start(struct model_card *m)
{
    forget_what_a_reset_forgets(m);
    go_on_after(m);
    model_settle(m);
}

void model_profile(struct model_card *m, uint16_t terminal)
{
    m->is_profiled = true;
    m->terminal = terminal;
    model_settle(m);
}

// --- what the network and the terminal say ---------------------------------------------------

bool model_is_normal(const struct model_card *m)
{
    return m->has_service && m->service == CAT_SERVICE_NORMAL;
}

static bool is_same_country(const uint8_t *a, const uint8_t *b)
{
    return a[0] == b[0] && (a[1] & 0x0F) == (b[1] & 0x0F);
}

static void seen_in(struct model_card *m, const uint8_t *plmn)
{
    const bool is_same = m->has_plmn && memcmp(m->plmn, plmn, 3) == 0;
    const bool is_new_country = !m->has_plmn || !is_same_country(m->plmn, plmn);
    m->has_plmn = true;
    memcpy(m->plmn, plmn, 3);
    // Another network of the same country does not restart a time that runs.
    if (!is_new_country && (is_same || m->country_clock.is_on))
        return;
    m->is_country_stable = false;
    m->country_clock = (struct model_time){
        .is_on = true, .min_s = m->parameters.country_s, .max_s = m->parameters.country_s};
}

static void in_country(struct model_card *m);

static void first_service(struct model_card *m)
{
    const uint8_t on = model_enabled(m);
    if (m->terminal_on == on && !m->slots[on].is_proven && m->open.phase == JOURNAL_NONE) {
        m->slots[on].is_proven = true;
        m->is_changed = true;
    }
    if (m->is_contacted)
        return;
    m->is_contacted = true;
    const struct subscription_name none = {.is_given = false};
    model_queue(m, NOTIFY_FIRST_CONTACT, none, model_name(m, on), 0);
}

void model_location(struct model_card *m, enum cat_location_status status, const uint8_t *plmn)
{
    const bool was_normal = model_is_normal(m);
    m->has_service = true;
    m->service = (uint8_t)status;
    if (status != CAT_SERVICE_NORMAL) {
        model_feed_not_normal(m);
        model_settle(m);
        return;
    }
    m->is_cause_final = false;
    if (plmn != NULL)
        seen_in(m, plmn);
    first_service(m);
    model_feed_normal(m);
    if (!was_normal && m->is_country_stable)
        in_country(m);
    if (!was_normal && m->note_count > 0 && m->attempt == 0 && !m->notify.is_on)
        model_sending(m, 0);
    model_settle(m);
}

static bool is_digit_same(const uint8_t *a, const uint8_t *b)
{
    char x[IMEI_SIZE];
    char y[IMEI_SIZE];
    return imei_read(a, x) && imei_read(b, y) && memcmp(x, y, 14) == 0;
}

void model_imei(struct model_card *m, const uint8_t imei[COMMAND_IMEI_SIZE])
{
    static const uint8_t zeros[COMMAND_IMEI_SIZE] = {0x0A};
    char text[IMEI_SIZE];
    if (!imei_read(imei, text) || is_digit_same(imei, zeros))
        return; // unusable: unknown
    const bool was_known = m->has_imei;
    if (was_known && is_digit_same(m->imei, imei))
        return;
    m->has_imei = true;
    memcpy(m->imei, imei, sizeof m->imei);
    m->is_changed = true;
    const struct subscription_name on = model_name(m, model_enabled(m));
    if (was_known)
        model_queue(m, NOTIFY_IMEI_CHANGED, on, on, 0);
    model_settle(m);
}

// --- countries -------------------------------------------------------------------------------

// How exactly a row names this place: 2 country and network, 1 country, 0 not.
static unsigned exactness(const struct country_row *row, const uint8_t *plmn)
{
    if (!is_same_country(row->plmn, plmn))
        return 0;
    if ((row->plmn[1] >> 4) == 0x0F && row->plmn[2] == 0xFF)
        return 1;
    return memcmp(row->plmn, plmn, 3) == 0 ? 2 : 0;
}

static uint8_t slot_of(const struct model_card *m, const struct country_row *row)
{
    struct subscription_name name = {.is_given = true};
    memcpy(name.imsi, row->imsi, sizeof name.imsi);
    return model_find(m, &name);
}

bool model_forbids(const struct model_card *m, uint8_t slot)
{
    unsigned best = 0;
    bool forbids = false;
    for (uint8_t i = 0; m->has_plmn && i < m->parameters.country_count; i++) {
        const struct country_row *row = &m->parameters.countries[i];
        const unsigned exact = exactness(row, m->plmn);
        if (exact > best && slot_of(m, row) == slot) {
            best = exact;
            forbids = row->action == COUNTRY_FORBID;
        }
    }
    return forbids;
}

uint8_t model_prefers(const struct model_card *m)
{
    unsigned best = 0;
    uint8_t to = MODEL_NONE;
    for (uint8_t i = 0; m->has_plmn && i < m->parameters.country_count; i++) {
        const struct country_row *row = &m->parameters.countries[i];
        const unsigned exact = exactness(row, m->plmn);
        if (exact > best && row->action == COUNTRY_PREFER && slot_of(m, row) != MODEL_NONE) {
            best = exact;
            to = slot_of(m, row);
        }
    }
    return to != MODEL_NONE && model_forbids(m, to) ? MODEL_NONE : to;
}

// A prefer row of this place names another one: it begins to be followed where it can be.
static bool follow_country(struct model_card *m)
{
    if (!m->has_plmn || m->state != SWITCH_STABLE)
        return false;
    const uint8_t on = model_enabled(m);
    const uint8_t to = model_prefers(m);
    const bool can = (m->terminal & TERMINAL_REFRESH) != 0 &&
                     (m->terminal & TERMINAL_NO_SELECTION) == 0 && m->parameters.auto_mode != 0;
    const bool is_held = (m->slots[on].marks & SLOT_MARK_NO_DISABLE) != 0;
    if (!can || is_held || to == MODEL_NONE || to == on || m->cool[to].max_s > m->now ||
        model_switches_left(m) == 0)
        return false;
    m->wait = MODEL_JITTER_COUNTRY;
    m->clock = (struct model_time){.is_on = true, .max_s = m->parameters.jitter_max_s};
    return true;
}

static void in_country(struct model_card *m)
{
    m->is_country_stable = true;
    if (!m->has_plmn || m->state != SWITCH_STABLE || follow_country(m))
        return;
    if (m->parameters.return_on_country != 0 && m->has_country &&
        !is_same_country(m->country, m->plmn))
        model_return(m);
}

void model_country(struct model_card *m)
{
    m->country_clock.is_on = false;
    in_country(m);
    model_settle(m);
}

// --- the card's clock ------------------------------------------------------------------------

static void sooner(uint32_t *due, uint32_t at)
{
    if (at != 0 && (*due == 0 || at < *due))
        *due = at;
}

// When a prefer row that named another one in vain is looked at again: the day's switches are not
// counted any more, and it has cooled down. 0: there is no such row.
static uint32_t country_again(const struct model_card *m)
{
    const uint8_t to = model_prefers(m);
    uint32_t at = m->day_end;
    if (!m->is_country_stable || to == MODEL_NONE || to == model_enabled(m))
        return 0;
    if (m->cool[to].is_on && m->cool[to].max_s > at)
        at = m->cool[to].max_s;
    return at;
}

// When something that takes hours is due; the clock is kept meanwhile.
static bool is_due(const struct model_card *m)
{
    uint32_t due = 0;
    sooner(&due, m->back.is_on ? m->back.max_s : 0);
    sooner(&due, m->reuse.is_on ? m->reuse.max_s : 0);
    sooner(&due, m->is_heartbeat ? 0 : m->heartbeat_due);
    if (m->search.is_paused)
        sooner(&due, m->kept_now + 900);
    else if (due != 0)
        sooner(&due, m->kept_now + 3600);
    sooner(&due, m->day_end > m->now - TICK_S ? m->day_end : 0);
    const uint32_t again = country_again(m);
    sooner(&due, again > m->now - TICK_S ? again : 0);
    sooner(&due, m->resend);
    return due != 0 && due <= m->now;
}

void model_tick(struct model_card *m)
{
    m->now += TICK_S;
    if (!is_due(m))
        return;
    m->is_changed = true;
    if (m->heartbeat_due != 0 && m->heartbeat_due <= m->now)
        m->is_heartbeat = true;
    if (m->day_end != 0 && m->day_end <= m->now)
        model_day(m);
    const uint32_t again = country_again(m);
    if (again != 0 && again <= m->now && m->now < again + TICK_S)
        (void)follow_country(m);
    const bool is_back = m->back.is_on && m->back.max_s <= m->now;
    const bool is_reuse = m->reuse.is_on && m->reuse.max_s <= m->now;
    if (is_back || is_reuse)
        model_return(m);
    // What is not possible now is asked again an hour later.
    if (is_back)
        m->back.min_s = m->back.max_s = m->now + 3600;
    if (is_reuse)
        m->reuse.min_s = m->reuse.max_s = m->now + 3600;
    if (m->resend != 0 && m->resend <= m->now && m->note_count > 0)
        model_sending(m, 0);
    model_settle(m);
}

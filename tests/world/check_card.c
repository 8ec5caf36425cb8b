// What must hold on every card after every event, and what may travel to one.
#include "common/base/check.h"
#include "common/wire/secured.h"
#include "tests/model/model.h"
#include "tests/world/world.h"

// --- the registry ----------------------------------------------------------------------------

// Two slots, of which the second is used.
static void check_identities(struct world *w, uint32_t card, const struct image *image, uint8_t k,
                             uint8_t i)
{
    const struct slot *s = &image->slots[i];
    const struct slot *t = &image->slots[k];
    if (t->state == SLOT_EMPTY)
        return;
    if (memcmp(s->imsi, t->imsi, sizeof s->imsi) == 0)
        world_violate(w, "identity_once", card, "slots %u and %u share an IMSI", k, i);
    if (s->has_iccid && t->has_iccid && memcmp(s->iccid, t->iccid, sizeof s->iccid) == 0)
        world_violate(w, "identity_once", card, "slots %u and %u share an ICCID", k, i);
}

static void check_registry(struct world *w, uint32_t card, const struct image *image)
{
    unsigned enabled = 0;
    unsigned fallbacks = 0;
    for (uint8_t i = 0; i < image->slot_count; i++) {
        const struct slot *s = &image->slots[i];
        enabled += s->state == SLOT_ENABLED;
        fallbacks += s->state != SLOT_EMPTY && s->is_fallback;
        for (uint8_t k = 0; k < i && s->state != SLOT_EMPTY; k++)
            check_identities(w, card, image, k, i);
    }
    if (enabled != 1)
        world_violate(w, "one_enabled", card, "%u subscriptions are enabled", enabled);
    if (fallbacks != 1)
        world_violate(w, "one_fallback", card, "%u subscriptions are the fallback", fallbacks);
}

// The registry is one committed version: the same version number, the same content.
static void check_version(struct world *w, uint32_t card, const struct image *before,
                          const struct image *after)
{
    struct audit_slot a[COMMAND_SLOTS_MAX];
    struct audit_slot b[COMMAND_SLOTS_MAX];
    uint8_t ours[COMMAND_HASH_SIZE];
    uint8_t theirs[COMMAND_HASH_SIZE];
    // NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): padding that differs costs time only
    const bool is_same = memcmp(before->slots, after->slots, sizeof before->slots) == 0;
    if (after->registry_version < before->registry_version)
        world_violate(w, "version_grows", card, "REGV %u became %u", before->registry_version,
                      after->registry_version);
    if (is_same || after->registry_version != before->registry_version)
        return;
    const uint8_t before_count = image_audit_slots(before, a);
    const uint8_t after_count = image_audit_slots(after, b);
    check(state_hash(&w->cipher, a, before_count, ours) &&
          state_hash(&w->cipher, b, after_count, theirs));
    if (memcmp(ours, theirs, sizeof ours) != 0)
        world_violate(w, "one_version", card, "two registries have REGV %u",
                      after->registry_version);
}

static void check_counters(struct world *w, uint32_t card, const struct applet_dump *before,
                           const struct applet_dump *after)
{
    const struct image *a = &before->image;
    const struct image *b = &after->image;
    const bool fell =
        after->mt_counter < before->mt_counter || after->mo_counter < before->mo_counter ||
        b->notify_sequence < a->notify_sequence ||
        b->operation_id_highest < a->operation_id_highest || b->last_counter < a->last_counter ||
        b->configuration_version < a->configuration_version;
    if (fell)
        world_violate(w, "counters_grow", card, "a counter went down: MT %llu to %llu",
                      (unsigned long long)before->mt_counter,
                      (unsigned long long)after->mt_counter);
}

// What the card accepted was sent: nobody but the server can make a packet.
static void check_accepted(struct world *w, uint32_t card, const struct applet_dump *now)
{
    const struct truth *t = &w->truths[card];
    bool is_sent = now->mt_counter == 0;
    for (uint32_t i = t->packet_count; i > 0 && !is_sent; i--)
        is_sent = t->counters[i - 1] == now->mt_counter;
    if (!is_sent && !hand_sent(w, card, now->mt_counter))
        world_violate(w, "was_sent", card, "the card accepted the counter %llu, never sent",
                      (unsigned long long)now->mt_counter);
}

// --- subscriptions -----------------------------------------------------------------------------

// Only DELETE takes a subscription out of its slot.
static void check_removals(struct world *w, uint32_t card, const struct image *before,
                           const struct image *after)
{
    for (uint8_t i = 0; i < before->slot_count; i++) {
        const struct slot *was = &before->slots[i];
        const struct slot *is = &after->slots[i];
        if (was->state == SLOT_EMPTY ||
            (is->state != SLOT_EMPTY && memcmp(was->imsi, is->imsi, sizeof was->imsi) == 0))
            continue;
        bool is_ordered = false;
        for (uint8_t k = 0; k < after->outcome_count; k++) {
            const struct outcome *o = &after->outcomes[k];
            is_ordered |= o->command == COMMAND_DELETE && o->code == RESULT_OK &&
                          image_outcome(before, o->operation_id) == NULL;
        }
        if (!is_ordered)
            world_violate(w, "only_delete", card, "slot %u lost its subscription", i + 1);
    }
}

// --- notifications ---------------------------------------------------------------------------

static bool is_pending(const struct image *image, uint32_t sequence)
{
    for (uint8_t i = 0; i < image->pending_count; i++) {
        if (image->pending[i].sequence == sequence)
            return true;
    }
    return false;
}

static unsigned merged(const struct image *image)
{
    unsigned sum = 0;
    for (uint8_t i = 0; i < image->pending_count; i++)
        sum += image->pending[i].coalesced;
    return sum;
}

static bool was_confirmed(const struct truth *t, uint32_t sequence)
{
    for (uint32_t i = 0; i < t->confirm_count; i++) {
        if (t->confirms[i] == sequence)
            return true;
    }
    return false;
}

// A new address of the server that nobody confirmed in time, or that another takes the place of, is
// given up: the old one counts, and nothing is tried that its notification does not tell of. When,
// the model says.
static bool is_address_given_up(const struct image *before, const struct image *after)
{
    const struct parameters *a = &before->parameters;
    const struct parameters *b = &after->parameters;
    const struct bytes was = bytes_of(a->server_address, a->server_address_len);
    const struct bytes is = bytes_of(b->server_address, b->server_address_len);
    bool is_told = after->address_new.len == 0;
    for (uint8_t i = 0; i < after->pending_count; i++)
        is_told |= after->pending[i].cause == NOTIFY_ADDRESS_CHECK;
    return is_told && bytes_equal(was, is);
}

// The outcome of a commanded switch takes the place of an earlier word on it.
static bool is_superseded(const struct pending *p, const struct image *after)
{
    bool is_so = false;
    for (uint8_t i = 0; i < after->pending_count && p->operation_id != 0; i++)
        is_so |= after->pending[i].operation_id == p->operation_id &&
                 after->pending[i].sequence > p->sequence;
    return is_so;
}

// What was merged into a new one is known before it is told for the first time. Of a card that went
// back the server may have told another one with its number.
static void note_merged(struct truth *t, const struct image *before, const struct image *after)
{
    for (uint8_t i = 0; i < after->pending_count; i++) {
        const struct pending *p = &after->pending[i];
        const bool is_new = p->sequence > before->notify_sequence && !t->was_rotten;
        if (is_new && p->coalesced > 0 && t->merge_count < WORLD_MERGES_MAX)
            t->merges[t->merge_count++] = (struct merge){p->sequence, p->coalesced};
    }
}

// New numbers that no notification has: merged at once, or superseded.
static uint32_t numbers_skipped(const struct image *before, const struct image *after)
{
    uint32_t used = 0;
    for (uint8_t i = 0; i < after->pending_count; i++)
        used += after->pending[i].sequence > before->notify_sequence;
    return after->notify_sequence - before->notify_sequence - used;
}

// A notification ends with a CONFIRM that names it, and in no other way; older automatic ones are
// merged into a later one, which counts each of them; ENABLED ends when the switch is rolled back,
// ADDRESS_CHECK with its address.
static void check_notifications(struct world *w, uint32_t card, const struct image *before,
                                const struct image *after)
{
    struct truth *t = &w->truths[card];
    unsigned least = merged(before);
    unsigned more = numbers_skipped(before, after);
    for (uint8_t i = 0; i < before->pending_count; i++) {
        const struct pending *p = &before->pending[i];
        const bool may_merge = p->operation_id == 0 && p->cause != NOTIFY_ADDRESS_CHECK;
        const bool is_given_up =
            p->cause == NOTIFY_ADDRESS_CHECK && is_address_given_up(before, after);
        if (is_pending(after, p->sequence))
            continue;
        if (was_confirmed(t, p->sequence) || is_given_up) { // its CONFIRM may be under way only
            least -= p->coalesced;
            more += p->coalesced + may_merge;
        } else if (may_merge) {
            least++;
        } else if (!is_superseded(p, after)) {
            world_violate(w, "kept_till_confirmed", card, "notification %u (%s) is gone",
                          p->sequence, notify_cause_name(p->cause));
        }
    }
    note_merged(t, before, after);
    const bool is_full = least > UINT8_MAX; // counts end there
    if (!is_full && (merged(after) < least || merged(after) > least + more))
        world_violate(w, "kept_till_confirmed", card, "%u were merged, and %u are counted", least,
                      merged(after));
}

// --- all of it -------------------------------------------------------------------------------

static void look_for_rare(struct probes *p, const struct image *before, const struct image *after)
{
    const bool is_full = before->outcome_count == IMAGE_OUTCOMES_MAX;
    const bool is_kept = !is_full || image_outcome(after, before->outcomes[0].operation_id) != NULL;
    probes_card(p, PROBE_RESULT_FORGOTTEN, !is_kept);
    probes_card(p, PROBE_MERGED, merged(after) > merged(before));
    probes_card(p, PROBE_CAP_IN_A_SEARCH,
                after->is_capped && !before->is_capped && after->search.is_open);
}

// At most an hour, which the card may take half as long again for where timers do not come. A card
// that is off counts nothing, and starts with nothing of it; nor does one that nobody tells that
// time passes.
#define DEAF_MS (95 * 60000ull)
#define MISLED 8 // times as long: STATUS comes every 240 s and counts as 30

static void check_deaf(struct world *w, uint32_t card)
{
    struct truth *t = &w->truths[card];
    const struct applet *a = &w->devices[card].card.applet;
    const struct device_model *timeless = &w->scenario.models[STORY_MODELS + WORLD_CLOCK_NONE];
    const bool is_on =
        w->devices[card].state == DEVICE_RUNNING && w->devices[card].model != timeless;
    const bool goes_on = t->is_deaf && a->is_locked && a->lock_doublings == t->deaf_doublings;
    if (!is_on || !goes_on)
        t->deaf_since = w->now;
    else if (w->now.ms - t->deaf_since.ms > DEAF_MS * (w->people[card].is_misled ? MISLED : 1))
        world_violate(w, "hears_again", card, "it has been deaf for %llu min",
                      (unsigned long long)(w->now.ms - t->deaf_since.ms) / 60000);
    const bool is_switching = t->is_known && t->dump.image.journal.phase != JOURNAL_NONE;
    probes_card(&w->result.probes, PROBE_DEAF_IN_A_SWITCH,
                a->is_locked && !t->is_deaf && is_switching);
    t->is_deaf = a->is_locked;
    t->deaf_doublings = a->lock_doublings;
}

// A switch in a device that is seldom on, or keeps time badly.
static void note_switch(struct world *w, uint32_t card, const struct image *before,
                        const struct image *now)
{
    const struct device_model *clocks = &w->scenario.models[STORY_MODELS];
    const struct device_model *model = w->devices[card].model;
    struct probes *p = &w->result.probes;
    if (image_enabled(before) == image_enabled(now))
        return;
    const bool is_undone =
        before->journal.phase != JOURNAL_NONE && now->journal.phase == JOURNAL_NONE;
    p->duties += is_undone && w->people[card].on_ms != 0;
    p->flaps += w->people[card].flap_in_ms != 0;
    if (model >= clocks && model < clocks + WORLD_CLOCKS)
        p->clocks[model - clocks]++;
    else if (model >= clocks + WORLD_CLOCKS && model < clocks + WORLD_CLOCKS + WORLD_PROFILES)
        p->profiles[model - clocks - WORLD_CLOCKS]++;
}

static void note_imei(struct world *w, uint32_t card, const struct image *before,
                      const struct image *now)
{
    const struct device_model *imeisv =
        &w->scenario.models[STORY_MODELS + WORLD_CLOCKS + WORLD_PROFILES - 1];
    const bool is_new = now->has_imei && (!before->has_imei ||
                                          memcmp(before->imei, now->imei, sizeof now->imei) != 0);
    probes_shape(&w->result.probes, PROBE_IMEISV, is_new && w->devices[card].model == imeisv);
}

static void check_card(struct world *w, uint32_t card)
{
    struct truth *t = &w->truths[card];
    struct card *c = &w->devices[card].card;
    struct applet_dump now;
    check_deaf(w, card);
    check_limits(w, card);
    check_patience(w, card);
    const bool is_waiting = t->is_rotten && w->devices[card].state != DEVICE_RUNNING;
    if (c->nvm.written == t->nvm_written || c->nvm.is_cut || c->nvm.written == 0 || is_waiting)
        return;
    t->nvm_written = c->nvm.written;
    const struct applet_port port = card_port(c);
    const bool fails = c->nvm.faults != NULL && c->nvm.faults->error_at != 0;
    const bool is_readable = applet_dump(&c->applet, &port, &now);
    if (!is_readable && t->is_rotten && fails)
        return; // neither bank is good, and it cannot be made anew before the memory recovers
    if (!is_readable) {
        world_violate(w, "readable", card, "the card's memory cannot be read");
        return;
    }
    t->was_rotten |= t->is_rotten;
    const bool went_back = t->is_rotten && rot_check(w, card, &t->dump, &now);
    if (went_back) {
        outcome_forget(w, card, &now.image);
        t->merge_count = 0;
        t->daybook.day = 0; // its clock went back as well
        t->switch_times.count = 0;
    }
    const struct applet_dump *before = t->is_known && !went_back ? &t->dump : &now;
    check_registry(w, card, &now.image);
    check_version(w, card, &before->image, &now.image);
    check_counters(w, card, before, &now);
    if (before->mt_counter != now.mt_counter)
        check_accepted(w, card, &now);
    check_removals(w, card, &before->image, &now.image);
    check_notifications(w, card, &before->image, &now.image);
    outcome_look(w, card, &before->image, &now.image);
    hand_tempt(w, card, &before->image, &now.image);
    trouble_tempt(w, card, &before->image, &now.image);
    look_for_rare(&w->result.probes, &before->image, &now.image);
    note_switch(w, card, &before->image, &now.image);
    note_imei(w, card, &before->image, &now.image);
    check_switches(w, card, &before->image, &now.image);
    if (before->image.registry_version != now.image.registry_version)
        world_note(w, "registry", "card=%u version=%u enabled=%u fallback=%u", card,
                   now.image.registry_version, image_enabled(&now.image) + 1u,
                   image_fallback(&now.image) + 1u);
    mirror_card(w, card, &before->image, &now.image);
    t->dump = now;
    t->is_known = true;
    check_limits(w, card);
    check_patience(w, card);
    w->cards_changed |= UINT64_C(1) << card;
}

void check_cards(struct world *w)
{
    for (uint32_t i = 0; w->cards_touched != 0; i++) {
        if ((w->cards_touched >> i & 1) != 0 && i < w->cards)
            check_card(w, i);
        w->cards_touched &= ~(UINT64_C(1) << i);
    }
}

// --- packets to cards ------------------------------------------------------------------------

static uint64_t hash_of(struct bytes octets)
{
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < octets.len; i++)
        hash = (hash ^ octets.at[i]) * 0x100000001B3u;
    return hash;
}

static void note_counter(struct world *w, uint32_t card, uint64_t counter, struct bytes packet)
{
    struct truth *t = &w->truths[card];
    const uint64_t hash = hash_of(packet);
    for (uint32_t i = t->packet_count; i > 0; i--) {
        if (t->counters[i - 1] != counter)
            continue;
        if (t->hashes[i - 1] == hash)
            return;
        world_violate(w, "counter_once", card, "two packets share the counter %llu",
                      (unsigned long long)counter);
        return;
    }
    const bool is_lower = t->packet_count > 0 && t->counters[t->packet_count - 1] > counter;
    if (is_lower)
        world_violate(w, "wire_grows", card, "counter %llu after %llu on the wire",
                      (unsigned long long)counter,
                      (unsigned long long)t->counters[t->packet_count - 1]);
    const uint64_t days = w->now.ms / 86400000;
    if (t->packet_count >= WORLD_PACKETS_SURE + days * WORLD_PACKETS_A_DAY) {
        world_violate(w, "no_storm", card, "%u packets in %u days", t->packet_count,
                      (unsigned)days);
        return;
    }
    check(t->packet_count < WORLD_PACKETS_MAX);
    t->counters[t->packet_count] = counter;
    t->operations[t->packet_count] = t->sending_counter == counter ? t->sending : 0;
    t->hashes[t->packet_count++] = hash;
}

void check_send(struct world *w, const struct message *message)
{
    struct truth *t = &w->truths[card_of(w, message->card)];
    t->sending = message->operation;
    t->sending_counter = message->counter;
}

// Did somebody else's command run behind it? What it did may not be there any more, and a person
// who sees that has it done again.
static bool is_undone_by_hand(const struct truth *t, uint32_t operation_id)
{
    bool is_behind = false;
    for (uint32_t i = 0; i < t->run_count; i++) {
        const struct run *run = &t->runs[i];
        if (is_behind && run->code == RESULT_OK && outcome_run(t, run->operation_id) == NULL)
            return true;
        is_behind |= run->operation_id == operation_id;
    }
    return false;
}

// The `i`-th packet to the card was of an operation that ran. A clone that was on since says that
// it did not. Of timers no audit tells where the card keeps the result no more, because others than
// this server, or it before a backup was put back, commanded it since: what is not kept the
// registry decides, which says nothing of timers, and they are written once more.
static bool may_run_again(const struct world *w, uint32_t card, const struct command *c, uint32_t i)
{
    const struct truth *t = &w->truths[card];
    const bool is_denied = identity_is_cloned(w, card) && i < t->clone_packets;
    const bool is_kept = image_outcome(&t->dump.image, t->ids[i]) != NULL;
    const bool was_commanded = t->packets_unknown > 0 || t->hand_count > 0;
    if (c->number == COMMAND_CONFIGURE)
        return is_denied || (!is_kept && was_commanded);
    return is_denied || is_undone_by_hand(t, t->ids[i]);
}

// One intention of the server is one operation of the card: it gets another id only when nothing
// ran under the one before.
static void check_intention(struct world *w, uint32_t card, const struct command *c)
{
    struct truth *t = &w->truths[card];
    const uint32_t at = t->packet_count - 1;
    t->ids[at] = command_is_state_changing(c->number) ? c->operation_id : 0;
    if (t->ids[at] != 0 && (c->number != COMMAND_CONFIGURE || c->configure.writes.len > 0)) {
        t->change_counter = t->counters[at];
        t->changed = w->now;
    }
    t->commands[at] = c->number;
    if (c->number == COMMAND_CONFIRM)
        t->sequences[at] = c->confirm.sequence;
    if (t->sequences[at] > t->confirmed)
        t->confirmed = t->sequences[at];
    check_job_packet(w, card, c, t->operations[at]);
    if (c->number == COMMAND_AUDIT)
        t->audit_counter = t->counters[at];
    if (c->number == COMMAND_AUDIT && c->audit.first_slot == 1 && t->is_known) {
        t->audit_version = t->dump.image.registry_version;
        t->asked = w->now;
    }
    for (uint32_t i = 0; i < at && t->ids[at] != 0 && t->operations[at] != 0; i++) {
        const struct run *run = t->operations[i] == t->operations[at] && t->ids[i] != t->ids[at]
                                    ? outcome_run(t, t->ids[i])
                                    : NULL;
        if (run != NULL && !run->is_lost && run->code == RESULT_OK && !may_run_again(w, card, c, i))
            world_violate(w, "one_intention", card, "operation %u ran, and is sent again as %u",
                          t->ids[i], t->ids[at]);
    }
}

static bool open_for(struct world *w, uint32_t card, struct bytes packet, struct writer *buffer,
                     struct secured_packet *p)
{
    const struct applet_factory *f = &w->people[card].factory;
    const struct secured_keys keys = {.kic = &f->kic, .kid = &f->kid, .cmac_len = 8};
    return secured_command_shape(packet, p) == SECURED_OK &&
           secured_decipher(p, &keys, &w->cipher, buffer) == SECURED_OK &&
           secured_verify(p, &keys, &w->cipher) == SECURED_OK && p->tar == f->tar;
}

static void note_digest(const struct world *w, struct truth *t, struct bytes data)
{
    uint8_t whole[CIPHER_SHA256_SIZE];
    check(w->cipher.sha256(w->cipher.context, &data, 1, whole));
    memcpy(t->digests[t->packet_count - 1], whole, COMMAND_HASH_SIZE);
}

// No message centre may keep it beyond the time of its operation. What confirms a switch has none.
static void check_time_left(struct world *w, uint32_t card, const struct command *c,
                            uint64_t counter)
{
    const struct truth *t = &w->truths[card];
    struct operation o;
    uint64_t unused;
    if (t->sending_counter != counter || t->sending == 0 || c->number == COMMAND_CONFIRM ||
        store_operation_get(w->server.store, t->sending, &o, &unused) != STORE_OK)
        return;
    if (o.not_after.ms != 0 && w->tapped_until.ms > o.not_after.ms)
        world_violate(w, "in_time", card, "%s may come %lld ms behind the end of its operation",
                      command_number_name(c->number),
                      (long long)(w->tapped_until.ms - o.not_after.ms));
}

static void check_whole_packet(struct world *w, uint32_t card, struct bytes packet)
{
    uint8_t octets[SMS_PACKET_MAX];
    struct writer buffer = writer_of(octets, sizeof octets);
    struct secured_packet p;
    struct command c;
    bool is_right = open_for(w, card, packet, &buffer, &p);
    struct truth *t = &w->truths[card];
    if (!is_right || model_read(p.data, &c) != COMMAND_READ_OK) {
        world_violate(w, "packet", card, "a packet that its card cannot take");
        return;
    }
    world_note(w, "packet", "card=%u counter=%llu command=%s id=%u", card,
               (unsigned long long)p.cntr, command_number_name(c.number), c.operation_id);
    const uint32_t packets = t->packet_count;
    note_counter(w, card, p.cntr, packet);
    if (t->packet_count > packets) {
        note_digest(w, t, p.data);
        check_intention(w, card, &c);
    }
    check_time_left(w, card, &c, p.cntr);
    if (c.number == COMMAND_CONFIRM)
        check_confirmed(w, card, c.confirm.sequence);
}

void check_confirmed(struct world *w, uint32_t card, uint32_t sequence)
{
    struct truth *t = &w->truths[card];
    if (!was_confirmed(t, sequence))
        t->confirms[t->confirm_count++] = sequence;
}

// Whose keys it is made with: those of the card whose number this is, or of one that spoke from it.
// A registry from a backup may know one as another's that has left it since.
static uint32_t addressee(struct world *w, uint32_t owner, uint64_t number, struct bytes packet)
{
    uint8_t octets[SMS_PACKET_MAX];
    struct secured_packet p;
    const bool may_move = w->has_swapped || w->server.was_put_back;
    for (uint32_t i = 0; i < w->cards && may_move; i++) {
        struct writer buffer = writer_of(octets, sizeof octets);
        if ((identity_spoke_from(w, i, number) || check_is_forgotten(w, i)) &&
            open_for(w, i, packet, &buffer, &p))
            return i;
    }
    return owner;
}

void check_packet(struct world *w, uint32_t card, uint64_t number, struct bytes user_data)
{
    static const struct sms_address server = {.digit_count = 2, .type = PHONE_INTERNATIONAL};
    struct sms_packet packet;
    switch (sms_join(&w->people[card].tap, &server, user_data, w->now, &packet)) {
    case SMS_JOIN_COMPLETE:
        check_whole_packet(w, addressee(w, card, number, packet.octets), packet.octets);
        break;
    case SMS_JOIN_WAITING:
    case SMS_JOIN_DUPLICATE:
        break;
    case SMS_JOIN_REFUSED:
        world_violate(w, "packet", card, "a message that is no part of a packet");
        break;
    }
}

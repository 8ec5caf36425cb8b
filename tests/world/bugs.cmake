# Bugs that the simulated world must find: the rule that does, the text, which stands once in the source, and what it
# becomes. Whoever changes the text moves the bug along. Each rule has one.

planted_bug(audit_clears_a_notification applet/commands.c RULE as_the_model
    TEXT [==[
    if (is_good && c.number == COMMAND_AUDIT) {
        complete(t, o);
        return;
]==]
    BECOMES [==[
    if (is_good && c.number == COMMAND_AUDIT) {
        t->image->pending_count = 0;
        t->is_changed = true;
        complete(t, o);
        return;
]==])

planted_bug(done_on_a_receipt ota-server/core/rules.c RULE no_silent_difference
    TEXT [==[
GO(S | T, IN_DELIVERED, DELIVERED, NONE, NONE)]==]
    BECOMES [==[
END(S | T, IN_DELIVERED, DONE, NONE, NONE, NONE)]==])

planted_bug(counter_kept_on_retry ota-server/core/plan.c RULE counter_once
    TEXT [==[
    r->mt_counter++;
]==]
    BECOMES [==[
    r->mt_counter += o == NULL || o->attempts == 0;
]==])

planted_bug(silence_clears_doubt ota-server/core/plan.c RULE no_silent_difference
    TEXT [==[
        return;
    audit_unanswered(w);
]==]
    BECOMES [==[
        return;
    audit_unanswered(w);
    work_clear_dirty(w, "silence");
    operation_input(w, &r->audit.operation, IN_EXPIRED);
]==])

planted_bug(accepts_older_counter applet/packet.c RULE check
    TEXT [==[
    if (p->cntr <= a->mt_counter)]==]
    BECOMES [==[
    if (p->cntr + 3 <= a->mt_counter)]==])

planted_bug(no_kept_answer applet/commands.c RULE as_the_model
    TEXT [==[
    if (is_stored)
        image_remember(t->image, o);]==]
    BECOMES [==[
    if (is_stored && o->code != RESULT_OK)
        image_remember(t->image, o);]==])

planted_bug(enables_without_disabling applet/registry.c RULE check
    TEXT [==[
        m->slots[former].state = SLOT_DISABLED;
    m->slots[slot_index].state = SLOT_ENABLED;]==]
    BECOMES [==[
        m->slots[former].state = SLOT_ENABLED;
    m->slots[slot_index].state = SLOT_ENABLED;]==])

planted_bug(start_takes_the_lower_number applet/memory.c RULE as_the_model
    TEXT [==[
        return (int32_t)(f[1].number - f[0].number) > 0 ? 1 : 0;]==]
    BECOMES [==[
        return (int32_t)(f[1].number - f[0].number) < 0 ? 1 : 0;]==])

planted_bug(counters_in_one_copy applet/memory.c RULE counters_grow
    TEXT [==[
    uint8_t other = a->counters_bank ^ 1;]==]
    BECOMES [==[
    uint8_t other = a->counters_bank;]==])

planted_bug(counter_only_in_memory applet/packet.c RULE as_the_model
    TEXT [==[
    if (has_digest && memory_count(a, port, p.cntr, a->mo_counter, digest)) {]==]
    BECOMES [==[
    a->mt_counter = p.cntr;
    if (has_digest) {]==])

planted_bug(mo_counter_only_in_memory applet/toolkit.c RULE counters_grow
    TEXT [==[
        !memory_count(a, port, a->mt_counter, a->mo_counter + 1, a->packet_digest))]==]
    BECOMES [==[
        ++a->mo_counter == 0)]==])

planted_bug(notification_dropped_after_its_waits applet/notify.c RULE as_the_model
    TEXT [==[
    a->resend_s = a->now_s + NOTIFY_RESEND_S;]==]
    BECOMES [==[
    a->resend_s = a->now_s + NOTIFY_RESEND_S;
    t->image->pending_count = 0;
    t->is_changed = true;]==])

planted_bug(mac_not_verified applet/packet.c RULE refused_does_nothing
    TEXT [==[
    const enum secured_result opened = secured_open(p, &keys, port->cipher, buffer);
]==]
    BECOMES [==[
    const enum secured_result opened = secured_decipher(p, &keys, port->cipher, buffer);
]==])

planted_bug(wrong_mac_stops_a_clock applet/packet.c RULE refused_does_nothing
    TEXT [==[
    a->failures_in_row++;]==]
    BECOMES [==[
    a->failures_in_row++;
    clock_stop(a, CLOCK_NOTIFY);]==])

planted_bug(old_counter_called_too_high applet/packet.c RULE refused_does_nothing
    TEXT [==[
        return SECURED_STATUS_CNTR_LOW;]==]
    BECOMES [==[
        return SECURED_STATUS_CNTR_HIGH;]==])

planted_bug(audit_tells_the_wrong_preferred applet/answers.c RULE as_the_model
    TEXT [==[
(uint8_t)(m->preferred + 1);]==]
    BECOMES [==[
(uint8_t)m->preferred;]==])

planted_bug(answer_without_its_flag applet/answers.c RULE as_the_model
    TEXT [==[
        .replayed = o->is_replayed,]==]
    BECOMES [==[
        .replayed = false,]==])

planted_bug(configured_return_is_not_planned applet/commands.c RULE as_the_model
    TEXT [==[
    if (p->return_s != former->return_s && m->is_automatic)]==]
    BECOMES [==[
    if (p->return_s < former->return_s && m->is_automatic)]==])

planted_bug(answers_before_the_mac applet/packet.c RULE mac_first
    TEXT [==[
    if (status != SECURED_STATUS_OK)
        return fail(a, port, &answer);
]==]
    BECOMES [==[
    if (status == SECURED_STATUS_CHECK_FAILED) {
        a->answer = answer;
        return PACKET_ANSWER;
    }
    if (status != SECURED_STATUS_OK)
        return fail(a, port, &answer);
]==])

planted_bug(tar_not_compared applet/packet.c RULE refused_does_nothing SEED 103
    TEXT [==[
    if (p->tar != port->factory->tar)
]==]
    BECOMES [==[
    if ((p->tar & ~1u) != (port->factory->tar & ~1u) && p->tar != port->factory->tar + 1)
]==])

planted_bug(delete_keeps_the_version applet/registry.c RULE one_version
    TEXT [==[
    m->registry_version++;
    image_forget(m, slot_index);
    if (m->preferred == slot_index)]==]
    BECOMES [==[
    image_forget(m, slot_index);
    if (m->preferred == slot_index)]==])

planted_bug(two_fallbacks applet/registry.c RULE check
    TEXT [==[
    m->slots[former].is_fallback = false;
]==]
    BECOMES [==[
]==])

planted_bug(no_fallback applet/registry.c RULE check
    TEXT [==[
    m->slots[slot_index].is_fallback = true;
]==]
    BECOMES [==[
]==])

planted_bug(confirm_ends_another applet/commands.c RULE kept_till_confirmed
    TEXT [==[
    notify_remove(t, index);
    if (p.cause == NOTIFY_ADDRESS_CHECK]==]
    BECOMES [==[
    m->pending_count = 0;
    t->is_changed = true;
    if (p.cause == NOTIFY_ADDRESS_CHECK]==])

planted_bug(merged_without_count applet/notify.c RULE as_the_model
    TEXT [==[
    *coalesced = add_counts(m->pending[oldest].coalesced, 1);
]==]
    BECOMES [==[
    *coalesced = 0;
]==])

planted_bug(switch_not_told applet/switching.c RULE no_silent_difference
    TEXT [==[
    report(t, cause_of(m->journal.reason));
    settle(t, m->journal.reason);
    close_journal(t);
    const struct search none]==]
    BECOMES [==[
    settle(t, m->journal.reason);
    close_journal(t);
    const struct search none]==])

planted_bug(download_takes_a_used_slot applet/commands.c RULE only_delete SEED 1
    TEXT [==[
        if (m->slots[i].state == SLOT_EMPTY)
            return i;]==]
    BECOMES [==[
        if (m->slots[i].state != SLOT_ENABLED)
            return i;]==])

planted_bug(audit_never_again ota-server/core/plan.c RULE convergence
    TEXT [==[
    if (r->dirty_since.ms != 0)
        soonest(w, r->next_audit_at);]==]
    BECOMES [==[
    if (r->dirty_since.ms != 0 && r->dirty_attempts == 0)
        soonest(w, r->next_audit_at);]==])

planted_bug(sent_without_cause ota-server/core/plan.c RULE every_command_has_a_cause
    TEXT [==[
    note_sent(w, s, a->operation.is_automatic ? "dirty" : "request");
]==]
    BECOMES [==[
]==])

# Counter and id say whose answer it is: without one of them the other does.
planted_bug(any_answer_taken ota-server/core/answer.c STORY
    TEXT [==[
    if (r->flight.kind == FLIGHT_NONE || r->flight.counter != p->counter) {
        answer_late(w, p);
        return;
    }
    switch ((enum flight_kind)r->flight.kind) {
    case FLIGHT_OPERATION:
        answer_operation(w, p);
        break;]==]
    BECOMES [==[
    if (r->flight.kind == FLIGHT_NONE) {
        answer_late(w, p);
        return;
    }
    struct event_por any = *p;
    any.result.operation_id = r->open.card_operation_id;
    any.result.command = r->flight.command;
    switch ((enum flight_kind)r->flight.kind) {
    case FLIGHT_OPERATION:
        answer_operation(w, &any);
        break;]==])

planted_bug(trail_not_chained ota-server/store/trail.c RULE trail
    TEXT [==[
    memcpy(s->head.hash, r.hash, sizeof(r.hash));
]==]
    BECOMES [==[
    memcpy(s->head.hash, r.hash, sizeof(r.hash) - 1);
]==])

planted_bug(ids_not_stored ota-server/core/record_octets.c RULE outcome_is_true
    TEXT [==[
    word(k, &r->operation_id_last);
]==]
    BECOMES [==[
]==])

planted_bug(goes_on_without_a_sync ota-server/service/turn.c RULE turn SEED 23
    TEXT [==[
    return status == STORE_LOST ? TURN_STOP : TURN_RETRY;
}

bool turn_has_told]==]
    BECOMES [==[
    return TURN_RETRY;
}

bool turn_has_told]==])

planted_bug(sync_taken_for_a_write ota-server/store/driver.c RULE turn SEED 23
    TEXT [==[
            return STORE_LOST;
        return code == SQLITE_IOERR_WRITE]==]
    BECOMES [==[
            return STORE_FULL;
        return code == SQLITE_IOERR_WRITE]==])

planted_bug(sends_before_it_commits ota-server/service/turn.c RULE every_command_has_a_cause
    TEXT [==[
        t->counts.commits++;
        status = store_commit(t->options.store);
]==]
    BECOMES [==[
        for (size_t i = 0; i < t->send_count; i++)
            t->options.send(t->options.send_context, &t->sends[i]);
        t->send_count = 0;
        t->counts.commits++;
        status = store_commit(t->options.store);
]==])

planted_bug(trail_row_apart ota-server/service/turn_save.c RULE fold
    TEXT [==[
    if (status == STORE_OK)
        status = save_trail(t, e);
]==]
    BECOMES [==[
    static struct decision held;
    static struct event held_event;
    static const struct turn *owner;
    const struct decision whole = *d;
    *d = held;
    if (status == STORE_OK && owner == t)
        status = save_trail(t, &held_event);
    *d = whole;
    held = whole;
    held_event = *e;
    owner = t;
]==])

planted_bug(counter_reused_after_a_crash ota-server/core/decide.c RULE counter_once
    TEXT [==[
    if (r->has_open)
        operation_input(w, &r->open, IN_RESTART);
    flight_clear(w);
]==]
    BECOMES [==[
    if (r->has_open)
        operation_input(w, &r->open, IN_RESTART);
    if (r->flight.kind != FLIGHT_NONE)
        r->mt_counter = r->flight.counter - 1;
    flight_clear(w);
]==])

planted_bug(mark_taken_off_without_a_row ota-server/core/work.c RULE fold
    TEXT [==[
    work_trail(w, "card.unmarked", 0, card_mark_name(mark), "", why);
]==]
    BECOMES [==[
    (void)why;
]==])

planted_bug(row_tells_another_after ota-server/core/work.c RULE fold
    TEXT [==[
card_state_name(r->state), card_state_name(next), "contact");]==]
    BECOMES [==[
card_state_name(r->state), card_state_name(r->state), "contact");]==])

planted_bug(step_of_a_bootstrap_without_a_row ota-server/core/bootstrap.c RULE fold
    TEXT [==[
    work_trail(w, "card.bootstrap", r->open.id, name(&r->bootstrap), "CONFIRMING", "enabled");
]==]
    BECOMES [==[
]==])

planted_bug(switch_of_a_card_without_a_row ota-server/core/mirror.c RULE slots_are_told
    TEXT [==[
    if (is_unchanged(w->before, w->r))
        return;
]==]
    BECOMES [==[
    if (is_unchanged(w->before, w->r) || w->e->type == EVENT_NOTIFY)
        return;
]==])

planted_bug(preferred_without_a_row ota-server/core/mirror.c RULE slots_are_told
    TEXT [==[
    bool is_kept = before->slot_count == after->slot_count && before->preferred == after->preferred;]==]
    BECOMES [==[
    bool is_kept = before->slot_count == after->slot_count;]==])

planted_bug(row_of_the_first_slot_alone ota-server/service/turn_save.c RULE slots_are_told
    TEXT [==[
    while (left != 0 && status == STORE_OK) {
        left = slots_tell(]==]
    BECOMES [==[
    left &= 0 - left;
    while (left != 0 && status == STORE_OK) {
        left = slots_tell(]==])

planted_bug(row_tells_another_slot_before ota-server/service/slots_tell.c RULE slots_are_told
    TEXT [==[
    put_slot(before, a == NULL ? &empty : a, b == NULL ? &empty : b, false);]==]
    BECOMES [==[
    put_slot(before, b == NULL ? &empty : b, a == NULL ? &empty : a, false);]==])

planted_bug(one_of_two_at_once_not_refused ota-server/core/request.c RULE double_click
    TEXT [==[
q->refuse_if_busy && has_state_changing(r))]==]
    BECOMES [==[
q->refuse_if_busy && r->last_contact_at.ms == 0 && has_state_changing(r))]==])

planted_bug(timeout_without_doubt ota-server/core/rules.c RULE outcome_is_true
    TEXT [==[
    GO(D, IN_TIMEOUT, UNKNOWN, POR_MISSING_BUT_DELIVERED, NONE),]==]
    BECOMES [==[
    END(D, IN_TIMEOUT, FAILED, OTA_TIMEOUT, NONE, NONE),]==])

planted_bug(deletes_the_fallback applet/commands.c RULE check
    TEXT [==[
    if (s->is_fallback)
        return RESULT_IS_FALLBACK;
]==]
    BECOMES [==[
]==])

planted_bug(deletes_the_enabled applet/commands.c RULE check SEED 12
    TEXT [==[
    if (s->state == SLOT_ENABLED)
        return RESULT_IS_ENABLED;
]==]
    BECOMES [==[
]==])

planted_bug(confirms_what_is_rolled_back applet/commands.c RULE as_the_model SEED 164
    TEXT [==[
    if (is_being_rolled_back(m, &p)) {]==]
    BECOMES [==[
    if (false) {]==])

planted_bug(old_ids_run_again applet/commands.c RULE as_the_model
    TEXT [==[
        if (o->operation_id > t->image->operation_id_highest)
            return true;]==]
    BECOMES [==[
        if (o->operation_id != 0)
            return true;]==])

planted_bug(runs_on_each_retry applet/commands.c RULE runs_once
    TEXT [==[
    *o = *stored;
    o->is_replayed = true;
    return false;]==]
    BECOMES [==[
    return true;]==])

# What card and server decode alike, and only a second decoder finds.
planted_bug(rank_of_the_role common/wire/command.c RULE as_the_model
    TEXT [==[
    d->rank = field_u8(f, FIELD_RANK);]==]
    BECOMES [==[
    d->rank = field_u8(f, FIELD_ROLE);]==])

planted_bug(installs_twice applet/commands.c RULE as_the_model
    TEXT [==[
    else if (is_installed(m, &c->download))
        o->code = RESULT_ALREADY_INSTALLED;
]==]
    BECOMES [==[
]==])

planted_bug(old_notification_taken ota-server/core/notify.c RULE counters_grow
    TEXT [==[
    if (e->mo_counter <= r->mo_counter) { // merely old: dropped and counted]==]
    BECOMES [==[
    if (e->mo_counter + 3 <= r->mo_counter) {]==])

planted_bug(given_up_without_doubt ota-server/core/operation.c RULE doubt
    TEXT [==[
        if (o->may_still_arrive && operation_is_state_changing(o->kind))
            work_dirty(w, DIRTY_POR_TIMEOUT, id);
]==]
    BECOMES [==[
]==])

planted_bug(given_up_without_mark ota-server/core/operation.c RULE doubt
    TEXT [==[
        o->may_still_arrive = is_given_up && o->may_have_run;
]==]
    BECOMES [==[
        o->may_still_arrive = is_given_up && o->may_have_run;
        if (o->may_still_arrive)
            work_dirty(w, DIRTY_POR_TIMEOUT, id);
        o->may_still_arrive = false;
]==])

planted_bug(asked_once_a_week_after_a_contact ota-server/core/work.c STORY
    TEXT [==[
        audit_next(w); // no longer once in a week
]==]
    BECOMES [==[
]==])

planted_bug(restart_without_doubt ota-server/core/rules.c RULE outcome_is_true
    TEXT [==[
    GO(S | T | D | W | C, IN_RESTART, UNKNOWN, SERVER_RESTART_WITH_OPEN_OP, NONE),]==]
    BECOMES [==[
    END(S | T | D | W | C, IN_RESTART, FAILED, OTA_TIMEOUT, NONE, NONE),]==])

planted_bug(automatic_never_confirmed ota-server/core/notify.c RULE convergence
    TEXT [==[
    struct record *r = w->r;
    for (uint8_t i = 0; i < r->confirm_count; i++) {]==]
    BECOMES [==[
    struct record *r = w->r;
    if (n->operation_id == 0 && n->cause != NOTIFY_FIRST_CONTACT)
        return;
    for (uint8_t i = 0; i < r->confirm_count; i++) {]==])

planted_bug(rollback_forgotten applet/guards.c RULE as_the_model
    TEXT [==[
    return t->image->journal.phase == JOURNAL_SWITCHED;]==]
    BECOMES [==[
    return false;]==])

planted_bug(audit_overtaken_by_a_confirm ota-server/core/audit.c STORY
    TEXT [==[
    return is_before || is_older;]==]
    BECOMES [==[
    return is_before;]==])

# --- sessions, outbox, store, turn ---

planted_bug(lost_requests_forgotten smpp/core/session.c RULE convergence SEED 8
    TEXT [==[
    if (s->window.used > 0)
        return give_up_oldest(s, event);
    if (s->close_told)]==]
    BECOMES [==[
    if (s->close_told)]==])

planted_bug(silence_is_no_end smpp/core/session.c RULE time_goes_on
    TEXT [==[
    if (oldest == NULL || !instant_is_due(oldest->due, s->now))
        return false;
    s->counts.timed_out++;]==]
    BECOMES [==[
    if (oldest == NULL || !instant_is_due(oldest->due, s->now) || oldest->tag != 0)
        return false;
    s->counts.timed_out++;]==])

planted_bug(response_of_another ota-server/service/outbox_links.c RULE convergence
    TEXT [==[
    const bool is_same = p->generation == tag >> 32 && p->phase != PACKET_FREE;]==]
    BECOMES [==[
    p = &o->packets[(index + 1) % 2];
    part = &p->parts[number];
    const bool is_same = p->phase != PACKET_FREE;]==])

planted_bug(store_asked_at_once ota-server/service/outbox_join.c RULE time_goes_on SEED 221
    TEXT [==[
        if (instant_is_due(o->read_at, o->now))]==]
    BECOMES [==[
        if (o->now.ms != 0)]==])

planted_bug(wake_not_stored ota-server/store/cards.c RULE convergence
    TEXT [==[
    bind_number(&q, 8, r->wake_at.ms);]==]
    BECOMES [==[
    bind_number(&q, 8, 0);]==])

planted_bug(trail_head_kept_on_rollback ota-server/store/store.c RULE trail
    TEXT [==[
    s->is_writing = false;
    s->head = s->head_begun;]==]
    BECOMES [==[
    s->is_writing = false;]==])

planted_bug(start_not_kept_is_forgotten applet/start.c STORY
    TEXT [==[
    a->is_late = !is_done;]==]
    BECOMES [==[
    a->is_late = false && is_done;]==])

# --- bootstraps and their pools ---

planted_bug(reservation_not_stored ota-server/service/bootstrap_job.c RULE pool_once
    TEXT [==[
    if (status == STORE_OK)
        take(p, item, &found);
]==]
    BECOMES [==[
    if (status == STORE_OK) {
        take(p, item, &found);
        (void)store_subscription_release(s, found.id, r->card, false, at);
    }
]==])

planted_bug(reservation_kept_when_too_few ota-server/service/bootstrap_job.c STORY
    TEXT [==[
    for (; p->count > 0 && status == STORE_OK; p->count--) { // all or none]==]
    BECOMES [==[
    for (; false; p->count--) {]==])

planted_bug(step_asked_again ota-server/core/record_octets.c RULE no_storm SEED 3
    TEXT [==[
    number(k, &b->operation);
]==]
    BECOMES [==[
]==])

planted_bug(soak_skipped ota-server/core/bootstrap.c RULE soak
    TEXT [==[
    go(w, BOOTSTRAP_SOAKING, "confirmed");]==]
    BECOMES [==[
    go(w, BOOTSTRAP_FINISHING, "confirmed");]==])

planted_bug(finished_before_the_confirmation ota-server/core/bootstrap.c RULE soak
    TEXT [==[
    r->bootstrap.state = BOOTSTRAP_CONFIRMING;]==]
    BECOMES [==[
    r->bootstrap.state = BOOTSTRAP_FINISHING;]==])

planted_bug(deleted_before_the_fallback_moved ota-server/core/bootstrap.c RULE convergence
    TEXT [==[
    if (!fallback->fact.is_fallback)
        ask_for]==]
    BECOMES [==[
    if (!b->deletes && !fallback->fact.is_fallback)
        ask_for]==])

planted_bug(deleted_item_sent_again ota-server/core/bootstrap.c STORY
    TEXT [==[
        if (b->items[i].subscription == 0) {]==]
    BECOMES [==[
        if (false) {]==])

planted_bug(deleted_late_kept ota-server/core/bootstrap.c STORY
    TEXT [==[
        forget_item(&w->r->bootstrap, w->d->settled[i].deleted);]==]
    BECOMES [==[
        (void)w->d->settled[i].deleted;]==])

planted_bug(pool_gives_after_a_restore ota-server/service/turn_hold.c STORY
    TEXT [==[
    *is_on = t->hold.is_on;]==]
    BECOMES [==[
    *is_on = false;]==])

planted_bug(found_on_a_card_not_adopted ota-server/core/audit.c STORY
    TEXT [==[
    if (c->find != NULL && ]==]
    BECOMES [==[
    if (c->find == NULL && ]==])

planted_bug(promise_not_taken_back ota-server/service/turn_hold.c STORY
    TEXT [==[
    if (status == STORE_NONE || row.card != d->next.card)]==]
    BECOMES [==[
    if (status == STORE_NONE)]==])

# --- what a card does by itself ---

planted_bug(cooling_ignored applet/select.c RULE as_the_model
    TEXT [==[
    bool is_cooling = m->dues.cool[slot] > now && !is_set(m->search.failed, slot);]==]
    BECOMES [==[
    bool is_cooling = false;]==])

planted_bug(pause_not_doubled applet/select.c RULE as_the_model
    TEXT [==[
    for (uint8_t i = 0; i < n && pause < max; i++)
        pause *= 2;]==]
    BECOMES [==[
]==])

planted_bug(rank_ignored applet/select.c RULE as_the_model
    TEXT [==[
    return m->slots[slot].rank * 256u + slot;]==]
    BECOMES [==[
    return slot;]==])

planted_bug(failed_tried_again applet/select.c RULE as_the_model
    TEXT [==[
        s.tried = with(s.tried, failed);
]==]
    BECOMES [==[
]==])

planted_bug(rolled_back_to_the_fallback applet/switching.c RULE as_the_model
    TEXT [==[
    open_journal(t, REASON_ROLLBACK, j->to, j->from);]==]
    BECOMES [==[
    open_journal(t, REASON_ROLLBACK, j->to, image_fallback(t->image));]==])

planted_bug(returns_not_doubled applet/switching.c RULE as_the_model
    TEXT [==[
        m->return_doublings++;]==]
    BECOMES [==[
        (void)m;]==])

planted_bug(switches_not_counted applet/switching.c RULE as_the_model
    TEXT [==[
        m->switches++;]==]
    BECOMES [==[
        (void)m;]==])

planted_bug(return_not_planned applet/switching.c RULE as_the_model
    TEXT [==[
        d->back = t->a->now_s + select_return_s(m, t->port->random(t->port->context));]==]
    BECOMES [==[
        (void)d;]==])

# --- what only a rare race shows ---

planted_bug(new_id_on_retry ota-server/core/plan.c STORY
    TEXT [==[
    if (o->card_operation_id == 0)
        o->card_operation_id]==]
    BECOMES [==[
        o->card_operation_id]==])

planted_bug(nonce_not_compared ota-server/core/audit.c STORY
    TEXT [==[
    const bool is_ours = a->is_open && memcmp(a->nonce, p->answer.nonce, sizeof(a->nonce)) == 0;]==]
    BECOMES [==[
    const bool is_ours = a->is_open;]==])

planted_bug(audits_in_one_place ota-server/core/plan.c STORY
    TEXT [==[
    const uint8_t turn = is_told ? 0 : r->audit_turn % targets.count;]==]
    BECOMES [==[
    const uint8_t turn = is_told ? 0 : r->audit_turn % 1;]==])

planted_bug(outdated_audit_taken ota-server/core/audit.c STORY
    TEXT [==[
    if (!is_ours || p->counter < r->changed_counter) {]==]
    BECOMES [==[
    if (!is_ours) {]==]
    ALSO [==[
is_later_answered(r, p->counter);]==]
    ALSO_BECOMES [==[
(is_later_answered(r, p->counter) && false);]==])

planted_bug(overtaken_audit_taken ota-server/core/audit.c STORY
    TEXT [==[
    return is_before || is_older;]==]
    BECOMES [==[
    return is_older;]==])

planted_bug(window_place_never_freed smpp/core/session.c STORY
    TEXT [==[
    event->tag = oldest->tag;
    smpp_window_remove(&s->window, oldest);]==]
    BECOMES [==[
    event->tag = oldest->tag;
    oldest->due = INSTANT_NEVER;]==])

# --- campaigns ---

planted_bug(campaign_rate_ignored ota-server/core/campaign.c RULE campaign_rate CAMPAIGN
    TEXT [==[
    c->credit = spent < c->credit ? c->credit - (uint32_t)spent : 0;]==]
    BECOMES [==[
    (void)spent;]==])

planted_bug(campaign_opens_any_number ota-server/core/campaign.c RULE campaign_open CAMPAIGN
    TEXT [==[
    room = lesser(room, n->open >= c->open_max ? 0 : c->open_max - n->open);
]==]
    BECOMES [==[
]==])

planted_bug(campaign_canary_not_awaited ota-server/core/campaign.c RULE campaign CAMPAIGN SEED 6
    TEXT [==[
    if (n->open > 0 || asked < canary) {]==]
    BECOMES [==[
    if (asked < canary) {]==])

planted_bug(campaign_notes_the_end_only ota-server/service/turn_campaign.c RULE campaign CAMPAIGN
    TEXT [==[
    if (row.step == step && row.reason == reason)
        return STORE_OK;
]==]
    BECOMES [==[
    if (o->status != STATUS_ENDED || (row.step == step && row.reason == reason))
        return STORE_OK;
]==])

planted_bug(campaign_failures_not_noted ota-server/service/turn_campaign.c RULE campaign CAMPAIGN
    TEXT [==[
    if (row.step == step && row.reason == reason)
        return STORE_OK;
]==]
    BECOMES [==[
    if (row.reason > CAMPAIGN_FAILURE || (row.step == step && row.reason == reason))
        return STORE_OK;
]==])

# --- floods and clocks ---

planted_bug(deaf_for_good applet/toolkit.c RULE hears_again
    TEXT [==[
        if (use == CLOCK_LOCK) {
            a->is_locked = false;]==]
    BECOMES [==[
        if (use == CLOCK_LOCK) {
            a->is_locked = true;]==])

planted_bug(clock_back_ignored ota-server/service/turn_start.c RULE convergence SEED 568
    TEXT [==[
    if (status != STORE_OK || last.ms - now.ms <= CLOCK_BACK_MS)]==]
    BECOMES [==[
    if (status != STORE_OK || last.ms != 0)]==])

planted_bug(confirm_takes_the_deadline ota-server/core/plan.c STORY
    TEXT [==[
        if (o != NULL && o->status == STATUS_CONFIRMING)
            o->deadline = r->flight.deadline;]==]
    BECOMES [==[
        if (o != NULL)
            o->deadline = r->flight.deadline;]==])

planted_bug(deleted_late_and_shown ota-server/core/operation.c STORY
    TEXT [==[
        const bool is_shown = is_deleted && record_slot_of(r, r->late[i].subscription) != NULL;]==]
    BECOMES [==[
        const bool is_shown = false;]==])

planted_bug(queued_past_its_time ota-server/core/plan.c RULE progress
    TEXT [==[
        if (utc_is_due(waits_until(o), w->now))
            operation_input(w, o, IN_EXPIRED);
        if (r->queue_len == len)]==]
    BECOMES [==[
        if (utc_is_due(waits_until(o), w->now) && i > 0)
            operation_input(w, o, IN_EXPIRED);
        if (r->queue_len == len)]==])

planted_bug(open_past_its_time ota-server/core/plan.c RULE progress
    TEXT [==[
        if (utc_is_due(o->not_after, w->now))
            operation_input(w, o, IN_EXPIRED);
        return;]==]
    BECOMES [==[
        return;]==])

# --- cards that are not who they seem to be ---

planted_bug(heard_by_its_number ota-server/service/turn_message.c RULE heard_itself
    TEXT [==[
    struct turn_answer unused = {0};
    t->counts.received++;]==]
    BECOMES [==[
    struct turn_answer unused = {0};
    (void)store_card_by_number(t->options.store, m->number, &card);
    t->counts.received++;]==])

planted_bug(older_registry_in_a_repeat ota-server/core/notify.c RULE clone_is_noticed
    TEXT [==[
    compare_state(w, n->registry_version, n->has_hash, n->state_hash, n->has_hash);
]==]
    BECOMES [==[
]==])

# As it was: a number that was handled, and comes again after damage, tells of a later change than the mirror shows.
planted_bug(newer_registry_in_a_repeat ota-server/core/notify.c STORY
    TEXT [==[
    compare_state(w, n->registry_version, n->has_hash, n->state_hash, n->has_hash);
]==]
    BECOMES [==[
    if (r->has_registry_version && n->registry_version < r->registry_version)
        work_dirty(w, DIRTY_CARD_RESET_SUSPECTED, 0);
]==])

planted_bug(nobody_asked_about_a_clone ota-server/core/audit.c STORY
    TEXT [==[
        found->needs_operator |= r->resets_suspected > 0;
]==]
    BECOMES [==[
]==])

planted_bug(rejected_after_it_ran ota-server/core/operation.c STORY
    TEXT [==[
           ((input == IN_SUBMIT_REJECTED || ]==]
    BECOMES [==[
           ((]==])

planted_bug(address_not_read ota-server/core/notify.c STORY
    TEXT [==[
    if (n->cause == NOTIFY_ADDRESS_CHECK)]==]
    BECOMES [==[
    if (false)]==])

planted_bug(reading_without_a_place_forgotten ota-server/core/timers.c STORY
    TEXT [==[
    if (timers_are_idle(r) || !utc_is_due(r->timers_due, w->now) || (is_full && !is_waiting))
        return;]==]
    BECOMES [==[
    if (is_full && !is_waiting)
        r->timers_due.ms = 0;
    if (timers_are_idle(r) || !utc_is_due(r->timers_due, w->now) || (is_full && !is_waiting))
        return;]==])

# --- backups and rot ---

planted_bug(restore_keeps_counters ota-server/core/decide.c RULE restore_is_noticed
    TEXT [==[
    r->mt_counter += jump_over(r, w->e->as.restore.age_ms);
    r->operation_id_last += COUNTER_JUMP;]==]
    BECOMES [==[
    r->mt_counter += jump_over(r, w->e->as.restore.age_ms) * 0;
    r->operation_id_last += COUNTER_JUMP;]==])

planted_bug(restored_as_far_as_a_doubt ota-server/core/decide.c RULE wire_grows
    TEXT [==[
    return r->mt_counter + jump < COUNTER_LAST ? jump : COUNTER_JUMP;]==]
    BECOMES [==[
    return r->mt_counter + jump > COUNTER_LAST ? jump : COUNTER_JUMP;]==])

planted_bug(restore_without_doubt ota-server/core/decide.c RULE restore_is_noticed
    TEXT [==[
    doubt_waiting(w);
    work_dirty(w, DIRTY_RESTORE_FROM_BACKUP, 0);]==]
    BECOMES [==[
    doubt_waiting(w);]==])

planted_bug(rot_not_told applet/start.c RULE rot_is_told
    TEXT [==[
    if (is_damaged)
        restore_note(t);]==]
    BECOMES [==[
    if (is_damaged)
        (void)restore_note;]==])

planted_bug(damage_overwritten_untold applet/memory.c STORY
    TEXT [==[
    const uint8_t seal = is_rotten(&f, is_older, port->nvm_page) ? SEAL : 0;]==]
    BECOMES [==[
    const uint8_t seal = 0 * is_older;]==])

planted_bug(waiting_over_a_restore ota-server/core/decide.c STORY
    TEXT [==[
    doubt_waiting(w);
    work_dirty(]==]
    BECOMES [==[
    (void)doubt_waiting;
    work_dirty(]==])

planted_bug(address_confirmed_after_it_was_read ota-server/core/timers.c STORY
    TEXT [==[
    if (w->r->level >= 2)
        w->r->timers_due = w->now;]==]
    BECOMES [==[
    if (w->r->level >= 2 && !(w->r->has_open && w->r->open.kind == OPERATION_READ_TIMERS))
        w->r->timers_due = w->now;]==])

planted_bug(decided_by_a_doubt ota-server/core/work.c STORY
    TEXT [==[
        r->dirty_attempts = 0;
        r->reissues = 0;
        r->next_audit_at = work_first_audit(w);]==]
    BECOMES [==[
        r->dirty_attempts = 0;
        r->reissues = 0;
        r->needs_operator = false;
        r->next_audit_at = work_first_audit(w);]==])

planted_bug(merged_more_than_an_octet applet/notify.c STORY
    TEXT [==[
    return (uint8_t)(a + b < 255 ? a + b : 255);]==]
    BECOMES [==[
    return (uint8_t)(a + b);]==])

planted_bug(switch_told_late_at_level_1 ota-server/core/notify.c STORY
    TEXT [==[
    if ((kind == SEQUENCE_BETWEEN && !n->has_hash && is_switch) || is_past)]==]
    BECOMES [==[
    if (is_past && !is_switch)]==])

planted_bug(began_anew_with_one_count applet/memory.c STORY
    TEXT [==[
        catch_up(a, a->mt_counter + 1);
]==]
    BECOMES [==[
]==])

# --- what a check of the product, or a rule that looks earlier, hides otherwise ---

planted_bug(two_enabled_and_sound applet/registry.c RULE one_enabled
    TEXT [==[
        m->slots[former].state = SLOT_DISABLED;
]==]
    BECOMES [==[
        m->slots[former].state = SLOT_ENABLED;
]==]
    ALSO [==[
    return enabled == 1 && fallback == 1 && is_preferred;]==]
    ALSO_BECOMES [==[
    return fallback == 1 && is_preferred;]==])

planted_bug(two_fallbacks_and_sound applet/registry.c RULE one_fallback
    TEXT [==[
    m->slots[former].is_fallback = false;
]==]
    BECOMES [==[
]==]
    ALSO [==[
    return enabled == 1 && fallback == 1 && is_preferred;]==]
    ALSO_BECOMES [==[
    return enabled == 1 && is_preferred;]==])

planted_bug(one_imsi_twice_and_sound applet/registry.c RULE identity_once
    TEXT [==[
    m->slots[slot_index].state = SLOT_ENABLED;
    m->registry_version++;]==]
    BECOMES [==[
    m->slots[slot_index].state = SLOT_ENABLED;
    memcpy(m->slots[slot_index].imsi, m->slots[former].imsi, sizeof m->slots[former].imsi);
    m->registry_version++;]==]
    ALSO [==[
    if (memcmp(a->imsi, b->imsi, sizeof a->imsi) == 0)
        return true;
]==]
    ALSO_BECOMES [==[
]==])

planted_bug(one_iccid_twice_and_sound applet/registry.c RULE identity_once
    TEXT [==[
    m->slots[slot_index].state = SLOT_ENABLED;
    m->registry_version++;]==]
    BECOMES [==[
    m->slots[slot_index].state = SLOT_ENABLED;
    m->slots[slot_index].has_iccid = true;
    memcpy(m->slots[slot_index].iccid, m->slots[former].iccid, sizeof m->slots[former].iccid);
    m->registry_version++;]==]
    ALSO [==[
    return a->has_iccid && b->has_iccid && memcmp(]==]
    ALSO_BECOMES [==[
    return a == b && memcmp(]==])

planted_bug(version_falls applet/registry.c RULE version_grows
    TEXT [==[
    m->registry_version++;
    m->generation++;]==]
    BECOMES [==[
    m->registry_version--;
    m->generation++;]==])

planted_bug(counts_one_more applet/packet.c RULE was_sent
    TEXT [==[
    if (has_digest && memory_count(a, port, p.cntr, a->mo_counter, digest)) {]==]
    BECOMES [==[
    if (has_digest && memory_count(a, port, p.cntr + 1, a->mo_counter, digest)) {]==])

planted_bug(bank_cut_short applet/memory.c RULE readable
    TEXT [==[
    a->bank_len = (uint16_t)w.len;]==]
    BECOMES [==[
    a->bank_len = (uint16_t)(w.len - 1);]==])

planted_bug(next_one_during_a_switch ota-server/core/plan.c RULE one_open
    TEXT [==[
    if (r->has_open) {
        if (r->open.status != STATUS_QUEUED)]==]
    BECOMES [==[
    if (r->has_open && r->open.status != STATUS_SWITCHING) {
        if (r->open.status != STATUS_QUEUED)]==])

planted_bug(keys_swapped ota-server/core/message.c RULE packet
    TEXT [==[
    return (struct secured_keys){.kic = &keys->kic, .kid = &keys->kid, .cmac_len = keys->cmac_len};]==]
    BECOMES [==[
    return (struct secured_keys){.kic = &keys->kid, .kid = &keys->kic, .cmac_len = keys->cmac_len};]==])

planted_bug(audits_count_backwards ota-server/core/plan.c RULE wire_grows
    TEXT [==[
    r->mt_counter++;
]==]
    BECOMES [==[
    r->mt_counter += 3;
]==]
    ALSO [==[
                       .counter = r->mt_counter,
                       .operation =]==]
    ALSO_BECOMES [==[
                       .counter = r->mt_counter - (kind == FLIGHT_AUDIT && r->mt_counter > 3 ? 4 : 0),
                       .operation =]==])

planted_bug(number_of_nobody ota-server/core/plan.c RULE address
    TEXT [==[
    s->subscription = slot->subscription;
    memcpy(s->number, slot->number, sizeof(s->number));
]==]
    BECOMES [==[
    s->subscription = slot->subscription;
    memcpy(s->number, slot->number, sizeof(s->number));
    s->number[4] = '0';
]==])

planted_bug(last_item_first ota-server/core/bootstrap.c RULE as_the_rule
    TEXT [==[
    for (uint8_t i = 0; i < b->item_count; i++) {
        if (record_slot_of(r, b->items[i].subscription) != NULL) {]==]
    BECOMES [==[
    for (uint8_t i = b->item_count; i-- > 0;) {
        if (record_slot_of(r, b->items[i].subscription) != NULL) {]==])

planted_bug(new_database_refused ota-server/service/turn_start.c RULE turn
    TEXT [==[
    if (status == STORE_OK || status == STORE_NONE)
        status = store_ids(]==]
    BECOMES [==[
    if (status == STORE_OK)
        status = store_ids(]==])

planted_bug(no_queue_is_an_error ota-server/service/turn_places.c RULE turn
    TEXT [==[
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status turn_run_places(]==]
    BECOMES [==[
    return status;
}

enum store_status turn_run_places(]==])

planted_bug(campaign_counts_the_eligible ota-server/core/campaign.c CAMPAIGN RULE campaign_frozen
    TEXT [==[
    c->state = next;
    c->why = ]==]
    BECOMES [==[
    c->state = next;
    c->targeted -= is_resumed;
    c->why = ]==])

planted_bug(campaign_asks_in_a_pause ota-server/service/campaign_run.c CAMPAIGN RULE campaign_waits
    TEXT [==[
    if (!m.is_changed)
        return m.ask]==]
    BECOMES [==[
    m.ask += before == CAMPAIGN_PAUSED;
    if (!m.is_changed)
        return m.ask]==]
    ALSO [==[
store_campaign_put(v->store, c, is_due ? now : (struct utc){0});]==]
    ALSO_BECOMES [==[
store_campaign_put(v->store, c, is_due ? now : utc_after(now, 1000));]==])

# --- the transport ---

planted_bug(silence_is_never_missed smpp/core/session.c RULE silence_is_noticed
    TEXT [==[
    if (s->enquire_sequence != 0)
        s->misses++;]==]
    BECOMES [==[
    if (s->enquire_sequence == 0)
        s->misses++;]==])

# --- what the world's own checkers once took for a violation ---

planted_bug(killed_after_a_clock_back tests/world/check_server.c STORY
    TEXT [==[
        t->audited_ms = is_back || is_past ? ]==]
    BECOMES [==[
        t->audited_ms = is_back ? ]==])

planted_bug(soaked_unheard tests/world/check_job.c STORY
    TEXT [==[
 && !is_soaked(w, in_use_ms) && !is_soaked(w, t->believed_ms);]==]
    BECOMES [==[
 && !is_soaked(w, in_use_ms);]==])

# --- what the server must know of a card once all agrees ---

planted_bug(imei_not_taken ota-server/core/notify.c RULE convergence
    TEXT [==[
    memcpy(r->imei, imei, sizeof(r->imei));]==]
    BECOMES [==[
    (void)imei;]==])

planted_bug(imei_not_audited ota-server/core/audit.c RULE convergence SEED 372
    TEXT [==[
        (void)note_imei(r, a->imei);]==]
    BECOMES [==[
        (void)0;]==])

planted_bug(preferred_after_its_deletion ota-server/core/mirror.c RULE convergence SEED 76
    TEXT [==[
    if (r->preferred == s->subscription)
        r->preferred = 0;
]==]
    BECOMES [==[
]==])

planted_bug(preferred_not_audited ota-server/core/audit.c RULE convergence
    TEXT [==[
            r->preferred = r->slots[i].subscription;]==]
    BECOMES [==[
            r->preferred = r->preferred + 0;]==])

planted_bug(highest_operation_not_audited ota-server/core/audit.c RULE convergence
    TEXT [==[
        r->operation_id_last = a->operation_id_highest + COUNTER_JUMP;]==]
    BECOMES [==[
        r->operation_id_last += 0;]==])

planted_bug(sequence_not_moved_on ota-server/core/notify.c RULE convergence
    TEXT [==[
        r->notify_sequence = sequence;
        return SEQUENCE_NEW;]==]
    BECOMES [==[
        r->notify_sequence += r->notify_sequence == 0;
        return SEQUENCE_NEW;]==])

# --- the trail, joined with what passed ---

planted_bug(cause_of_another_packet ota-server/core/plan.c RULE every_command_has_a_cause
    TEXT [==[
    text_decimal(&t, s->counter);]==]
    BECOMES [==[
    text_decimal(&t, s->counter - (s->command == COMMAND_CONFIRM));]==])

planted_bug(notified_without_a_row ota-server/core/notify.c RULE notified_is_told
    TEXT [==[
    note_notified(w, n);
]==]
    BECOMES [==[
    if (n->cause != NOTIFY_ROTATED)
        note_notified(w, n);
]==])

planted_bug(merged_untold ota-server/core/notify.c RULE notified_is_told
    TEXT [==[
        text_put(&t, ", merged ");]==]
    BECOMES [==[
        text_put(&t, ", mixed ");]==])

planted_bug(enabled_dropped_at_a_start applet/notify.c RULE kept_till_confirmed
    TEXT [==[
    clock_set(t->a, CLOCK_NOTIFY, is_over ? 0 : m->parameters.waits_s[m->journal.attempt - 1]);]==]
    BECOMES [==[
    clock_set(t->a, CLOCK_NOTIFY, is_over ? 0 : m->parameters.waits_s[m->journal.attempt - 1]);
    m->pending_count = 0;]==])

planted_bug(count_of_an_earlier_word_lost applet/notify.c RULE as_the_model SEED 2024
    TEXT [==[
        coalesced = add_counts(coalesced, m->pending[i - 1].coalesced);
]==]
    BECOMES [==[
]==])

planted_bug(two_dropped_and_one_counted applet/notify.c RULE kept_till_confirmed
    TEXT [==[
    *coalesced = add_counts(m->pending[oldest].coalesced, 1);
    drop(m, oldest);]==]
    BECOMES [==[
    *coalesced = add_counts(m->pending[oldest].coalesced, 1);
    drop(m, oldest);
    oldest = oldest_automatic(m);
    if (oldest < IMAGE_PENDING_MAX)
        drop(m, oldest);]==])

# --- a stopwatch and a count for switches ---

planted_bug(probation_for_ever applet/switching.c RULE ends_in_time
    TEXT [==[
    wait_for(t, WAIT_ATTACH, t->image->parameters.attach_s);]==]
    BECOMES [==[
    wait_for(t, WAIT_ATTACH, t->image->parameters.attach_s * 8u);]==])

planted_bug(tenth_start_without_service applet/guards.c RULE ends_in_time
    TEXT [==[
#define STARTS_MAX 5]==]
    BECOMES [==[
#define STARTS_MAX 10]==])

planted_bug(half_a_day applet/switching.c RULE few_switches
    TEXT [==[
        m->dues.day = t->a->now_s + DAY_S;]==]
    BECOMES [==[
        m->dues.day = t->a->now_s + DAY_S / 2;]==])

planted_bug(day_without_a_cap applet/select.c RULE few_switches
    TEXT [==[
    return used + count <= m->parameters.switches_per_day;]==]
    BECOMES [==[
    return used + count <= UINT8_MAX;]==])

# --- what is open, and what stays so ---

planted_bug(next_one_and_none_ended ota-server/core/operation.c RULE one_open
    TEXT [==[
    if (w->d->ended_count < DECISION_ENDED_MAX)
        w->d->ended[w->d->ended_count++] = *o;
]==]
    BECOMES [==[
]==])

planted_bug(unresolved_without_doubt ota-server/core/operation.c RULE doubt
    TEXT [==[
    if (o->may_have_run && (o->may_still_arrive || o->outcome == OUTCOME_UNRESOLVED))
        note_late(r, o);]==]
    BECOMES [==[
    if (o->may_have_run && (o->may_still_arrive || o->outcome == OUTCOME_UNRESOLVED))
        note_late(r, o);
    if (o->outcome == OUTCOME_UNRESOLVED)
        work_clear_dirty(w, "unresolved");]==])

planted_bug(unresolved_never_asked ota-server/core/plan.c RULE convergence
    TEXT [==[
    for (uint8_t i = 0; i < r->late_count && lookup == 0; i++)
        lookup = r->late[i].card_operation_id;
]==]
    BECOMES [==[
]==])

planted_bug(unresolved_one_asked_only ota-server/core/audit.c RULE convergence SEED 22
    TEXT [==[
(is_unknown || has_more_to_ask(r, a))) {]==]
    BECOMES [==[
(is_unknown || (has_more_to_ask(r, a) && false))) {]==])

planted_bug(hash_not_compared ota-server/core/answer.c RULE no_silent_difference
    TEXT [==[
                   memcmp(ours, hash, sizeof(ours)) != 0;]==]
    BECOMES [==[
                   memcmp(ours, ours, sizeof(ours)) != 0;]==])

planted_bug(preferred_though_it_moved_on ota-server/core/operation.c RULE convergence SEED 2069
    TEXT [==[
    if (slot->fact.state == SLOT_ENABLED) // as the card does: it may have moved on since
]==]
    BECOMES [==[
]==])

# --- terminals that answer wrongly, and cards that are gone for ever ---

planted_bug(garbage_is_done applet/toolkit.c RULE as_the_model SEED 60
    TEXT [==[
        r.result = CAT_DATA_NOT_UNDERSTOOD;]==]
    BECOMES [==[
        r.result = CAT_DONE;]==])

planted_bug(a_command_is_never_given_up applet/toolkit.c RULE is_served
    TEXT [==[
        if (a->command_s >= LOST_S) {]==]
    BECOMES [==[
        if (a->command_s == UINT16_MAX) {]==])

planted_bug(refused_events_awaited applet/toolkit.c RULE sees_service
    TEXT [==[
        if (!cat_result_is_done(r->result))
            a->terminal = (uint16_t)(a->terminal & ~TERMINAL_EVENTS);]==]
    BECOMES [==[
]==])

planted_bug(silence_is_an_answer ota-server/core/plan.c RULE gone_is_true
    TEXT [==[
    if (!is_audit || !r->audit.is_open)
        return;]==]
    BECOMES [==[
    if (!is_audit || !r->audit.is_open)
        return;
    operation_input(w, &r->audit.operation, IN_DONE);
    return;]==])

planted_bug(never_out_of_reach ota-server/core/plan.c RULE gone_is_told
    TEXT [==[
    if (r->dirty_since.ms == 0 || record_has_mark(r, MARK_UNREACHABLE))
        return (struct utc){0};]==]
    BECOMES [==[
    if (r->last_contact_at.ms != 0 || record_has_mark(r, MARK_UNREACHABLE))
        return (struct utc){0};]==])

# --- what cards had service, and what a packet was sent for ---

planted_bug(first_contact_proves_nothing ota-server/core/notify.c RULE convergence
    TEXT [==[
    if (served != NULL)
        served->fact.is_proven = true;]==]
    BECOMES [==[
    if (served != NULL)
        served->fact.is_proven |= false;]==])

planted_bug(two_in_one_slot ota-server/core/mirror.c STORY
    TEXT [==[
    if (former != NULL) {]==]
    BECOMES [==[
    if (former != NULL && r->slot_count == 0) {]==])

planted_bug(sent_for_a_person ota-server/core/plan.c RULE every_command_has_a_cause
    TEXT [==[
    note_sent(w, s, actor_kind_name(o->actor.kind));]==]
    BECOMES [==[
    note_sent(w, s, actor_kind_name(ACTOR_USER));]==])

planted_bug(always_out_of_doubt ota-server/core/plan.c RULE every_command_has_a_cause
    TEXT [==[
    note_sent(w, s, a->operation.is_automatic ? "dirty" : "request");]==]
    BECOMES [==[
    note_sent(w, s, "dirty");]==])

planted_bug(asked_without_a_row ota-server/core/bootstrap.c RULE every_command_has_a_cause
    TEXT [==[
    work_trail(w, "operation.requested", o->id, "", operation_kind_name(o->kind), "bootstrap");
]==]
    BECOMES [==[
]==])

# --- what a card does by itself, and when ---

planted_bug(row_not_asked_again applet/switching.c RULE as_the_model
    TEXT [==[
    if (is_prefer_due(t))
]==]
    BECOMES [==[
    if (is_prefer_due(t) && t->a->state != SWITCH_STABLE)
]==])

planted_bug(outage_waits_for_ever applet/rules.c RULE acts_in_time
    TEXT [==[
ROW(SUSPECT, CLOCK, IF(has_candidate), DO(begin_plan), SWITCHING, "the outage lasted too long"),
ROW(SUSPECT, CLOCK, IF(is_exhausted), DO(pause), BACKOFF, "nothing to switch to"),]==]
    BECOMES [==[
ROW(SUSPECT, CLOCK, IF(has_candidate), NOTHING, SUSPECT, "the outage lasted too long"),
ROW(SUSPECT, CLOCK, IF(is_exhausted), NOTHING, SUSPECT, "nothing to switch to"),]==])

planted_bug(pause_for_ever applet/rules.c RULE acts_in_time
    TEXT [==[
ROW(BACKOFF, CLOCK, IF(has_candidate), DO(begin_plan), SWITCHING, "new rounds"),
ROW(BACKOFF, CLOCK, ALWAYS, DO(pause), BACKOFF, "still nothing to try"),]==]
    BECOMES [==[
ROW(BACKOFF, CLOCK, ALWAYS, NOTHING, BACKOFF, "still nothing to try"),]==])

planted_bug(return_put_off applet/switching.c RULE acts_in_time
    TEXT [==[
        turn_feed(t, EVENT_RETURN);
        // Not possible now: asked again an hour later.]==]
    BECOMES [==[
        turn_feed(t, EVENT_DAY);
        // Not possible now: asked again an hour later.]==])

planted_bug(heart_stands_still applet/switching.c RULE acts_in_time
    TEXT [==[
        a->is_heartbeat_due = true;]==]
    BECOMES [==[
        a->is_heartbeat_due |= false;]==])

planted_bug(heartbeat_lost_by_a_start applet/switching.c RULE acts_in_time SEED 80
    TEXT [==[
    if (d->heartbeat != 0 && d->heartbeat <= a->now_s)
        a->is_heartbeat_due = true;]==]
    BECOMES [==[
    if (d->heartbeat != 0 && d->heartbeat <= a->now_s) {
        a->is_heartbeat_due = true;
        switching_heartbeat_left(t);
    }]==])

planted_bug(counts_by_status_in_time tests/world/check_patience.c RULE acts_in_time SEED 10145
    TEXT [==[
(w->people[card].is_misled ? MISLED : 1);]==]
    BECOMES [==[
(w->people[card].is_misled ? 1 : 1);]==])

# --- packets, with nothing of the product's but its ciphers ---

planted_bug(half_of_the_mac common/wire/secured.c RULE refused_does_nothing
    TEXT [==[
!secret_equal(expected, p->check.at, p->check_len))]==]
    BECOMES [==[
!secret_equal(expected, p->check.at, p->check_len / 2))]==])

planted_bug(any_mac_answered common/wire/secured.c RULE mac_first
    TEXT [==[
        result = SECURED_CHECK;
    secret_wipe(expected, sizeof expected);]==]
    BECOMES [==[
        result = SECURED_OK;
    secret_wipe(expected, sizeof expected);]==])

planted_bug(joined_without_the_last common/wire/sms_join.c RULE convergence
    TEXT [==[
    const unsigned all = (1u << set->total) - 1u;
    return set->have == all ? finish(set, out) : SMS_JOIN_WAITING;]==]
    BECOMES [==[
    const unsigned all = (1u << (set->total - 1u)) - 1u;
    return set->have == all ? finish(set, out) : SMS_JOIN_WAITING;]==])

planted_bug(forbidden_in_mode_1 applet/select.c STORY
    TEXT [==[
        select_is_forbidden(m, slot, plmn))
        return false;
    if (m->parameters.auto_mode == 1)]==]
    BECOMES [==[
        (m->parameters.auto_mode != 1 && select_is_forbidden(m, slot, plmn)))
        return false;
    if (m->parameters.auto_mode == 1)]==])

planted_bug(half_a_probation applet/switching.c RULE as_the_model
    TEXT [==[
    wait_for(t, WAIT_ATTACH, t->image->parameters.attach_s);]==]
    BECOMES [==[
    wait_for(t, WAIT_ATTACH, t->image->parameters.attach_s / 2);]==])

# --- how operations end ---

planted_bug(audit_outcomes_swapped ota-server/core/audit_resolve.c RULE outcome_is_true
    TEXT [==[
        return IN_AUDIT_DONE;
    case ENDING_LEFT:
        return IN_AUDIT_ROLLED_BACK;]==]
    BECOMES [==[
        return IN_AUDIT_ROLLED_BACK;
    case ENDING_LEFT:
        return IN_AUDIT_DONE;]==])

planted_bug(done_where_it_is_enabled ota-server/core/audit_resolve.c RULE as_the_registry
    TEXT [==[
    if (a->preferred_slot != target->fact.slot)
        return ENDING_LEFT;
    return is_newly_preferred(w, a, target) ? ENDING_KEPT : ending_of_preferred(w, target);]==]
    BECOMES [==[
    if (a->preferred_slot == UINT8_MAX)
        return ending_of_preferred(w, target);
    return target->fact.state == SLOT_ENABLED ? ENDING_KEPT : ENDING_LEFT;]==])

planted_bug(done_when_told ota-server/core/rules.c RULE outcome_is_true
    TEXT [==[
    GO(OPEN_POR | W | C, IN_ENABLED, CONFIRMING, NONE, CONFIRM),]==]
    BECOMES [==[
    END(OPEN_POR | W | C, IN_ENABLED, DONE, NONE, NONE, CONFIRM),]==])

planted_bug(result_of_audit_mistaken ota-server/core/audit_resolve.c RULE outcome_is_true
    TEXT [==[
        o->result = o->has_result ? a->lookup_code : RESULT_OK;]==]
    BECOMES [==[
        o->result = o->has_result ? RESULT_OK_UNCHANGED : RESULT_OK;]==])

planted_bug(result_of_another_taken ota-server/core/audit_resolve.c RULE as_the_registry
    TEXT [==[
    const bool is_ours = !is_anothers(r, a);]==]
    BECOMES [==[
    const bool is_ours = !is_anothers(r, a) || a->lookup != LOOKUP_NOT_ASKED;]==])

planted_bug(packet_outlives_its_operation ota-server/core/plan.c STORY
    TEXT [==[
    return reachable(r) == NULL || is_too_late(w, o) ? HOLD_OTA_UNREACHABLE : HOLD_NONE;]==]
    BECOMES [==[
    return reachable(r) == NULL ? HOLD_OTA_UNREACHABLE : HOLD_NONE;]==])

planted_bug(valid_for_a_minute_at_least ota-server/service/outbox_links.c STORY
    TEXT [==[
    const uint32_t seconds = ms < 1000 ? 1 : (uint32_t)(ms / 1000);]==]
    BECOMES [==[
    const uint32_t seconds = ms < 60000 ? 60 : (uint32_t)(ms / 1000);]==])

# --- what is kept, and what waits ---

planted_bug(accepted_and_not_written ota-server/service/turn.c RULE is_kept
    TEXT [==[
        const enum store_status own = status == STORE_OK ? k->status : status;]==]
    BECOMES [==[
        const enum store_status own = k->status;]==])

planted_bug(not_woken_for_a_retry ota-server/core/plan.c RULE waits_for_nothing
    TEXT [==[
            soonest(w, r->open.not_before);]==]
    BECOMES [==[
            (void)0;]==])

planted_bug(result_of_an_earlier_packet ota-server/core/plan.c RULE outcome_is_true SEED 1141
    TEXT [==[
    o->has_result = false; // it was that of an earlier packet
]==]
    BECOMES [==[
]==])

# --- what the server decides: found by the model of the registry alone ---

planted_bug(confirmation_refused_unheard ota-server/core/answer.c RULE as_the_registry
    TEXT [==[
    if (input != IN_COUNTER)
        return;
]==]
    BECOMES [==[
    if (input != IN_COUNTER || !was_repeated)
        return;
]==])

planted_bug(switch_has_a_minute_less ota-server/core/operation.c RULE as_the_registry
    TEXT [==[
parameters_waits_sum_s(p) + 120u) * 1000u;]==]
    BECOMES [==[
parameters_waits_sum_s(p) + 60u) * 1000u;]==])

planted_bug(gap_closed_by_time ota-server/core/plan.c RULE as_the_registry
    TEXT [==[
        if (r->gap_sequences > 0)
            work_dirty(w, DIRTY_NOTIFY_GAP, 0);
]==]
    BECOMES [==[
]==])

planted_bug(merged_is_no_gap ota-server/core/notify.c RULE as_the_registry
    TEXT [==[
    if (n->coalesced > 0)
        work_dirty(w, DIRTY_NOTIFY_GAP, 0);
]==]
    BECOMES [==[
]==])

planted_bug(another_device_is_no_doubt ota-server/core/notify.c RULE as_the_registry
    TEXT [==[
note_imei(r, n->imei) && was_known)]==]
    BECOMES [==[
note_imei(r, n->imei) && was_known && false)]==])

planted_bug(busy_card_asked_after_a_minute ota-server/core/operation.c RULE as_the_registry
    TEXT [==[
#define BUSY_RETRY_MS (15 * MINUTE_MS)]==]
    BECOMES [==[
#define BUSY_RETRY_MS MINUTE_MS]==])

planted_bug(confirmed_and_not_preferred ota-server/core/mirror.c RULE as_the_registry
    TEXT [==[
        if (por->result.code == RESULT_OK_UNCHANGED && target != NULL)]==]
    BECOMES [==[
        if (por->result.code == RESULT_OK && target != NULL)]==])

planted_bug(no_notification_is_no_answer ota-server/core/rules.c RULE as_the_registry
    TEXT [==[
GO(W, IN_TIMEOUT, UNKNOWN, SWITCH_NO_NOTIFY, NONE)]==]
    BECOMES [==[
GO(W, IN_TIMEOUT, UNKNOWN, POR_TIMEOUT, NONE)]==])

planted_bug(retried_in_one_step ota-server/core/operation.c RULE as_the_registry
    TEXT [==[
steps->after_s[o->retries++] * 1000);]==]
    BECOMES [==[
steps->after_s[0] * 1000);]==])

planted_bug(waits_for_no_notification ota-server/core/audit_resolve.c RULE as_the_registry
    TEXT [==[
DAY_MS + 1000 * (int64_t)]==]
    BECOMES [==[
0 * DAY_MS + 1000 * (int64_t)]==])

planted_bug(numbers_gone_in_each_answer ota-server/core/work.c RULE as_the_registry SEED 325
    TEXT [==[
    if (r->reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms == 0) {]==]
    BECOMES [==[
    if (r->reasons[DIRTY_RESTORE_FROM_BACKUP].since.ms <= w->now.ms) {]==])

planted_bug(excused_by_another_packet ota-server/core/answer.c RULE as_the_registry SEED 151
    TEXT [==[
r->flight.counter == p->counter && r->flight.is_repeated]==]
    BECOMES [==[
r->flight.is_repeated]==])

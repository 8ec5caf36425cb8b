// The message centre, and connections without sockets: octets are carried between two sessions.
#include "common/base/check.h"
#include "tests/world/world.h"

#include <stdio.h>

#define ENQUIRE_MS 600000
#define RESPONSE_MS 10000

static const struct smsc_account accounts[] = {
    {.system_id = "server", .password = "secret1"},
    {.system_id = "network", .password = "secret2"},
};
static const struct smsc_route routes[] = {
    {.prefix = "12345", .account = 0, .is_ordered = false},
    {.prefix = "999", .account = 1, .is_ordered = true},
};

// Where there is time, links are asked seldom.
static uint32_t enquire_ms(const struct world *w)
{
    return ENQUIRE_MS << w->calm;
}

static struct smpp_session_config memory_of(const struct world *w, struct connection *c,
                                            enum smpp_role role)
{
    const unsigned side = role == SMPP_ESME ? 0 : c->far_side;
    return (struct smpp_session_config){.role = role,
                                        .connection = c->index * 65536 + c->opened,
                                        .enquire_ms = enquire_ms(w),
                                        .response_ms = RESPONSE_MS,
                                        .window = c->window[side],
                                        .window_size = WORLD_WINDOW,
                                        .owed = c->owed[side],
                                        .owed_size = WORLD_WINDOW,
                                        .input = c->input[side],
                                        .input_size = sizeof c->input[side],
                                        .output = c->output[side],
                                        .output_size = sizeof c->output[side]};
}

void centre_open(struct world *w)
{
    w->queue = (struct smsc_queue){.messages = w->messages,
                                   .mailboxes = w->mailboxes,
                                   .buckets = w->buckets,
                                   .timers = w->timers,
                                   .message_count = 512,
                                   .timer_count = 4 * 512};
    smsc_queue_init(&w->queue);
    smsc_faults_init(&w->faults, w->options.seed);
    const struct smsc_config config = {
        .accounts = accounts,
        .account_count = 2,
        .routes = routes,
        .route_count = 2,
        .links = w->links,
        .link_count = 2 * WORLD_CONNECTIONS,
        .validity_s = w->validity_s,
        .retry_max_ms = w->retry_max_ms,
        .session = {.enquire_ms = enquire_ms(w), .response_ms = RESPONSE_MS}};
    smsc_init(&w->smsc, &config, &w->queue, &w->faults);
    smsc_tick(&w->smsc, w->now, world_utc(w));
    for (uint32_t i = 0; i < WORLD_CONNECTIONS; i++) {
        w->connections[i].index = i;
        w->connections[i].far_side = 1;
        w->connections[i].ghost = SMSC_NONE;
    }
}

static void end_ghost(struct world *w, struct connection *c)
{
    if (c->ghost != SMSC_NONE)
        smsc_link_gone(&w->smsc, c->ghost);
    c->ghost = SMSC_NONE;
}

// The message centre does not know that the connection is gone, and keeps its side of it.
static void leave_ghost(struct world *w, struct connection *c)
{
    end_ghost(w, c);
    c->ghost = c->link;
    c->ghost_lost = c->lost;
    c->far_side = c->far_side == 1 ? 2 : 1;
}

void centre_calm(struct world *w)
{
    for (uint32_t i = 0; i < WORLD_CONNECTIONS; i++) {
        if (!instant_is_due(w->connections[i].away_until, w->now))
            agenda_add(&w->agenda, w->now, HAPPENS_CONNECT, i, 0);
        w->connections[i].away_until = w->connections[i].stalled_until = w->now;
        if (w->connections[i].is_half_open)
            centre_cut(w, i);
        end_ghost(w, &w->connections[i]);
    }
    while (w->faults.rule_count > 0)
        check(smsc_faults_remove(&w->faults, w->faults.rules[0].id));
}

// --- connections -----------------------------------------------------------------------------

static bool is_of_server(uint32_t connection)
{
    return connection != WORLD_NETWORK_CONNECTION;
}

// Nobody reads or writes on this side of it.
static bool is_asleep(const struct world *w, const struct connection *c)
{
    return is_of_server(c->index) && w->server.is_asleep;
}

static void handle(struct world *w, struct connection *c)
{
    struct smpp_event event;
    while (smpp_session_next(&c->session, &event)) {
        if (event.type == SMPP_EVENT_BOUND)
            c->is_bound = true;
        if (event.type == SMPP_EVENT_CLOSED)
            c->is_bound = false;
        if (is_of_server(c->index))
            server_event(w, c->index, &event);
        else
            network_event(w, &event);
    }
}

void centre_connect(struct world *w, uint32_t connection)
{
    struct connection *c = &w->connections[connection];
    if (c->is_open || (is_of_server(connection) && !server_is_awake(w)) ||
        !instant_is_due(c->away_until, w->now))
        return;
    c->opened++;
    c->cut_after = 0;
    c->is_half_open = c->is_ended = false;
    c->stalled_until = w->now;
    const struct smpp_session_config ours = memory_of(w, c, SMPP_ESME);
    const struct smpp_session_config theirs = memory_of(w, c, SMPP_SMSC);
    smpp_session_init(&c->session, &ours, w->now);
    c->link = smsc_link_open(&w->smsc, &theirs);
    check(c->link != SMSC_NONE);
    c->is_open = true;
    c->is_bound = false;
    const bool is_server = is_of_server(connection);
    const struct smpp_bind bind = {.system_id = bytes_of_text(is_server ? "server" : "network"),
                                   .password = bytes_of_text(is_server ? "secret1" : "secret2"),
                                   .interface_version = 0x34};
    check(smpp_session_bind(&c->session, SMPP_TRX, &bind) == SMPP_SEND_OK);
    world_note(w, "connected", "link=%u", connection);
}

// How long until it is made again, when nothing else says so: made of the time, so that it needs no
// place in a story.
static uint64_t away_ms(const struct world *w, const struct connection *c)
{
    struct prng p;
    if (c->away_ms != 0)
        return c->away_ms;
    prng_init(&p, w->options.seed + w->now.ms, "reconnect", c->index);
    return 1000 + prng_below(&p, 60000);
}

static void close_connection(struct world *w, struct connection *c)
{
    if (c->is_half_open && c->link != SMSC_NONE)
        leave_ghost(w, c);
    else if (c->link != SMSC_NONE)
        smsc_link_gone(&w->smsc, c->link);
    c->is_open = false;
    c->is_bound = false;
    world_note(w, "cut_off", "link=%u", c->index);
    agenda_add(&w->agenda, instant_after(w->now, away_ms(w, c)), HAPPENS_CONNECT, c->index, 0);
    c->away_until = instant_after(w->now, c->away_ms);
    c->away_ms = 0;
}

// It ends while the server sleeps, which has still to see it.
static void end_unseen(struct world *w, struct connection *c)
{
    if (c->is_half_open && c->link != SMSC_NONE)
        leave_ghost(w, c);
    else if (c->link != SMSC_NONE)
        smsc_link_gone(&w->smsc, c->link);
    c->link = SMSC_NONE;
    c->is_half_open = c->is_ended = true;
}

void centre_cut(struct world *w, uint32_t connection)
{
    struct connection *c = &w->connections[connection];
    if (!c->is_open)
        return;
    if (is_asleep(w, c)) {
        end_unseen(w, c);
        return;
    }
    smpp_session_disconnected(&c->session);
    handle(w, c);
    close_connection(w, c);
}

void centre_cut_for(struct world *w, uint32_t connection, uint32_t away_ms)
{
    w->connections[connection].away_ms = w->connections[connection].is_open ? away_ms : 0;
    centre_cut(w, connection);
}

void centre_cut_after(struct world *w, uint32_t connection, uint32_t octets)
{
    w->connections[connection].cut_after = octets;
    w->connections[connection].stall_ms = 0;
}

void centre_stall(struct world *w, uint32_t connection, uint32_t octets, uint32_t for_ms)
{
    w->connections[connection].cut_after = octets;
    w->connections[connection].stall_ms = for_ms;
}

void centre_lose(struct world *w, uint32_t connection, enum half_open who)
{
    struct connection *c = &w->connections[connection];
    if (!c->is_open || c->is_half_open)
        return;
    c->is_half_open = true;
    c->lost = w->now;
    world_note(w, "half_open", "link=%u who=%d", connection, who);
    if (who == HALF_OPEN_NEAR) {
        smsc_link_gone(&w->smsc, c->link);
        c->link = SMSC_NONE;
    } else if (who == HALF_OPEN_FAR) {
        centre_cut(w, connection);
    }
}

// Silence is noticed after two enquire_link, each with its time, that began when something was
// heard last.
static void check_noticed(struct world *w, struct instant lost, const char *who)
{
    if (w->now.ms > lost.ms + 3ull * enquire_ms(w))
        world_violate(w, "silence_is_noticed", 0, "%s believes that it has a connection", who);
}

// What one side of a connection that is lost has to send goes nowhere. False: it knows.
static bool lose_far(struct world *w, uint32_t link, struct instant lost)
{
    struct smpp_session *theirs = smsc_session(&w->smsc, link);
    const bool stays = smsc_link_handle(&w->smsc, link);
    smsc_pump(&w->smsc);
    smpp_session_written(theirs, smpp_session_output(theirs).len);
    if (!stays) {
        smsc_link_gone(&w->smsc, link);
        probes_met(&w->result.probes, PROBE_SILENCE_FAR);
        return false;
    }
    check_noticed(w, lost, "the message centre");
    return true;
}

static bool lose(struct world *w, struct connection *c)
{
    const size_t len = smpp_session_output(&c->session).len;
    smpp_session_written(&c->session, len);
    if (c->link != SMSC_NONE && !lose_far(w, c->link, c->lost))
        c->link = SMSC_NONE;
    handle(w, c);
    if (c->session.state != SMPP_STATE_CLOSED) {
        check_noticed(w, c->lost, is_of_server(c->index) ? "the server" : "the network");
        return len > 0;
    }
    probes_met(&w->result.probes, PROBE_SILENCE_NEAR);
    close_connection(w, c);
    return true;
}

// As much of it as the connection still carries.
static size_t carry_one_way(struct world *w, struct connection *c, struct smpp_session *from,
                            struct smpp_session *to)
{
    struct bytes octets = smpp_session_output(from);
    if (!instant_is_due(c->stalled_until, w->now)) {
        if (octets.len > 0)
            probes_met(&w->result.probes, PROBE_STALLED);
        return 0;
    }
    if (c->cut_after != 0)
        octets = bytes_slice(octets, 0, c->cut_after - 1);
    const size_t len = smpp_session_receive(to, octets);
    smpp_session_written(from, len);
    if (c->cut_after != 0)
        c->cut_after -= (uint32_t)len;
    return len;
}

// Nothing moves; the message centre may lose its patience.
static void wait_asleep(struct world *w, struct connection *c)
{
    if (c->link == SMSC_NONE)
        return;
    if (c->is_half_open) {
        if (!lose_far(w, c->link, c->lost))
            c->link = SMSC_NONE;
        return;
    }
    const bool stays = smsc_link_handle(&w->smsc, c->link);
    smsc_pump(&w->smsc);
    if (!stays)
        end_unseen(w, c);
}

// Silence counts for it from now on.
void centre_wake(struct world *w)
{
    for (uint32_t i = 0; i < WORLD_NETWORK_CONNECTION; i++) {
        struct connection *c = &w->connections[i];
        c->lost = w->now;
        if (c->is_open && c->is_ended)
            centre_cut(w, i);
        centre_connect(w, i);
    }
}

// Carries octets both ways once. True when something moved.
static bool carry(struct world *w, struct connection *c)
{
    if (c->ghost != SMSC_NONE && !lose_far(w, c->ghost, c->ghost_lost))
        c->ghost = SMSC_NONE;
    if (!c->is_open)
        return false;
    if (is_asleep(w, c)) {
        wait_asleep(w, c);
        return false;
    }
    if (c->is_half_open)
        return lose(w, c);
    struct smpp_session *theirs = smsc_session(&w->smsc, c->link);
    const size_t there = carry_one_way(w, c, &c->session, theirs);
    const bool stays = smsc_link_handle(&w->smsc, c->link);
    smsc_pump(&w->smsc);
    const size_t back = carry_one_way(w, c, theirs, &c->session);
    handle(w, c);
    if (c->cut_after == 1 && c->stall_ms != 0) { // in mid PDU
        c->stalled_until = instant_after(w->now, c->stall_ms);
        c->cut_after = c->stall_ms = 0;
        world_note(w, "stalled", "link=%u", c->index);
    }
    if (c->cut_after == 1 && stays) { // the same
        centre_cut(w, c->index);
        return true;
    }
    if (!stays) {
        smpp_session_disconnected(&c->session);
        handle(w, c);
    }
    if (c->session.state == SMPP_STATE_CLOSED)
        close_connection(w, c);
    return there > 0 || back > 0;
}

void centre_tick(struct world *w)
{
    smsc_tick(&w->smsc, w->now, world_utc(w));
    if (instant_is_due(w->hex_until, w->now))
        w->smsc.config.hex_in_answers = w->smsc.config.hex_in_receipts = false;
    if (server_is_awake(w))
        outbox_tick(w->server.outbox, w->now);
    for (uint32_t i = 0; i < WORLD_CONNECTIONS; i++) {
        if (w->connections[i].is_open && !is_asleep(w, &w->connections[i])) {
            smpp_session_tick(&w->connections[i].session, w->now);
            handle(w, &w->connections[i]);
        }
    }
}

// Octets that the server and the network have to send.
static size_t waiting(const struct world *w)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < WORLD_CONNECTIONS; i++) {
        if (w->connections[i].is_open)
            sum += smpp_session_output(&w->connections[i].session).len;
    }
    return sum;
}

void centre_settle(struct world *w)
{
    centre_tick(w);
    bool moves = true;
    for (unsigned i = 0; moves; i++) {
        check(i < 100000); // it comes to rest
        moves = false;
        for (uint32_t k = 0; k < WORLD_CONNECTIONS; k++)
            moves |= carry(w, &w->connections[k]);
        const size_t before = waiting(w);
        server_step(w);
        moves |= waiting(w) > before;
    }
    fate_sweep(w);
}

struct instant centre_deadline(const struct world *w)
{
    struct instant due = smsc_deadline(&w->smsc);
    for (uint32_t i = 0; i < WORLD_CONNECTIONS; i++) {
        const struct connection *c = &w->connections[i];
        if (c->is_open && !is_asleep(w, c))
            due = instant_earlier(due, smpp_session_deadline(&c->session));
        if (c->is_open && !instant_is_due(c->stalled_until, w->now))
            due = instant_earlier(due, c->stalled_until);
    }
    return due;
}

bool centre_has_from(const struct world *w, uint32_t card)
{
    for (uint32_t i = 0; i < w->queue.message_count; i++) {
        const struct smsc_message *m = &w->queue.messages[i];
        if (m->id == 0 || m->mailbox == SMSC_NONE ||
            mirror_is_outdated(w, card, bytes_of(m->short_message, m->short_message_len)))
            continue;
        for (unsigned s = 0; s < WORLD_SUBSCRIPTIONS; s++) {
            if (strcmp(m->source.digits, w->people[card].numbers[s]) == 0)
                return true;
        }
        if (w->has_swapped && identity_spoke_from(w, card, radio_identity(m->source.digits)))
            return true;
    }
    return false;
}

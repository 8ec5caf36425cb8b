#include "ota-server/shell/links.h"

#include "common/base/secret.h"
#include "ota-server/service/metric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct link {
    struct server_links *all;
    unsigned index;
    struct esme *esme;
    struct tls *tls; // NULL: plain
    char password[SERVER_PASSWORD_SIZE];
};

struct server_links {
    struct loop *loop;
    const struct server_settings *settings;
    struct outbox *outbox;
    struct link links[OUTBOX_LINKS_MAX];
    unsigned count;
};

// Every word of a link is heard at the turn's time, and brings about the turn's end.
static struct outbox *hear(const struct link *v)
{
    struct outbox *o = v->all->outbox;
    outbox_tick(o, loop_now(v->all->loop));
    loop_wake(v->all->loop);
    return o;
}

static void on_bound(void *context, struct esme *e)
{
    (void)e;
    (void)hear(context);
}

static void on_request(void *context, struct esme *e, const struct smpp_event *event)
{
    const struct link *v = context;
    (void)e;
    outbox_request(hear(v), v->index, event->handle, &event->pdu);
}

static void on_response(void *context, struct esme *e, uint64_t tag, const struct smpp_pdu *pdu)
{
    const struct link *v = context;
    (void)e;
    outbox_response(hear(v), v->index, tag, pdu);
}

static void on_unknown(void *context, struct esme *e, uint64_t tag)
{
    const struct link *v = context;
    (void)e;
    outbox_unknown(hear(v), v->index, tag);
}

static const struct esme_handler HANDLER = {
    .bound = on_bound, .request = on_request, .response = on_response, .unknown = on_unknown};

static struct tls_options tls_of(const struct server_smsc *s)
{
    return (struct tls_options){.certificate_file = s->tls.certificate_file,
                                .key_file = s->tls.key_file,
                                .ca_file = s->tls.ca_file};
}

static bool open_tls(struct link *v, const struct server_smsc *s, char error[TLS_REASON_SIZE])
{
    const struct tls_options options = tls_of(s);
    if (s->has_tls)
        v->tls = tls_open(&options, error);
    return v->tls != NULL || !s->has_tls;
}

bool server_links_reload(struct server_links *l, unsigned index,
                         char error[SERVER_SETTINGS_ERROR_SIZE])
{
    const struct server_smsc *s = &l->settings->smscs[index];
    const struct tls_options options = tls_of(s);
    struct link *v = &l->links[index];
    char password[SERVER_PASSWORD_SIZE];
    bool ok = true;
    if (s->password_file[0] != '\0') {
        ok = server_password_read(s->password_file, password, error);
        if (ok)
            memcpy(v->password, password, sizeof v->password);
        secret_wipe(password, sizeof password);
    }
    return ok && (v->tls == NULL || tls_reload(v->tls, &options, error));
}

static bool open_link(struct server_links *l, struct net *net, struct log *log,
                      char error[TLS_REASON_SIZE])
{
    const struct server_smsc *s = &l->settings->smscs[l->count];
    struct link *v = &l->links[l->count];
    *v = (struct link){.all = l, .index = l->count};
    memcpy(v->password, s->password, sizeof v->password);
    if (!open_tls(v, s, error))
        return false;
    const struct esme_config config = {.address = s->address,
                                       .system_id = s->system_id,
                                       .password = v->password,
                                       .system_type = s->system_type,
                                       .address_range = s->address_range,
                                       .type = s->bind,
                                       .window = s->window,
                                       .enquire_ms = s->enquire_s * 1000,
                                       .response_ms = l->settings->policy.submit_ms,
                                       .seed = l->settings->policy.seed + l->count,
                                       .tls = v->tls,
                                       .tls_name = s->tls_name};
    v->esme = esme_open(l->loop, net, &config, &HANDLER, v, log);
    l->count += v->esme != NULL;
    return v->esme != NULL;
}

bool server_links_open(const struct server_links_options *o, struct server_links **links,
                       char error[TLS_REASON_SIZE])
{
    struct server_links *l = calloc(1, sizeof *l);
    *links = l;
    (void)snprintf(error, TLS_REASON_SIZE, "not enough memory");
    if (l == NULL)
        return false;
    l->loop = o->loop;
    l->settings = o->settings;
    for (unsigned i = 0; i < o->settings->smsc_count; i++) {
        if (!open_link(l, o->net, o->log, error))
            return false;
    }
    return true;
}

void server_links_attach(struct server_links *l, struct outbox *outbox)
{
    l->outbox = outbox;
}

static size_t room(void *context, unsigned link)
{
    const struct server_links *l = context;
    return link < l->count ? esme_room(l->links[link].esme) : 0;
}

static bool is_bound(void *context, unsigned link)
{
    const struct server_links *l = context;
    return link < l->count && esme_is_bound(l->links[link].esme);
}

static enum smpp_send send_pdu(void *context, unsigned link, const struct smpp_pdu *pdu,
                               uint64_t tag)
{
    const struct server_links *l = context;
    return esme_send(l->links[link].esme, pdu, tag);
}

static void answer(void *context, unsigned link, uint64_t handle, uint32_t status)
{
    const struct server_links *l = context;
    esme_accept(l->links[link].esme, handle, status);
}

struct outbox_port server_links_port(struct server_links *l)
{
    return (struct outbox_port){
        .context = l, .is_bound = is_bound, .room = room, .send = send_pdu, .answer = answer};
}

void server_links_unbind(struct server_links *l)
{
    for (unsigned i = 0; i < l->count; i++)
        esme_unbind(l->links[i].esme);
}

unsigned server_links_bound(const struct server_links *l)
{
    unsigned bound = 0;
    for (unsigned i = 0; i < l->count; i++)
        bound += esme_is_bound(l->links[i].esme);
    return bound;
}

void server_links_close(struct server_links *l)
{
    for (unsigned i = 0; i < l->count; i++)
        esme_close(l->links[i].esme);
    for (unsigned i = 0; i < OUTBOX_LINKS_MAX; i++)
        tls_close(l->links[i].tls);
    free(l);
}

static void put_number(struct json_writer *j, const char *name, uint64_t value)
{
    json_put_key(j, name);
    json_put_unsigned(j, value);
}

static void put_link(const struct server_links *l, unsigned index, struct json_writer *j)
{
    const struct server_smsc *s = &l->settings->smscs[index];
    const struct esme *e = l->links[index].esme;
    const struct outbox_link_counts c = outbox_link_counts(l->outbox, index);
    json_begin_object(j);
    json_put_key(j, "name");
    json_put_string(j, s->name);
    json_put_key(j, "state");
    json_put_string(j, outbox_health_name(outbox_health(l->outbox, index)));
    json_put_key(j, "route");
    json_put_string(j, l->settings->routes[s->route].name);
    put_number(j, "weight", s->weight);
    json_put_key(j, "tls");
    json_put_bool(j, s->has_tls);
    put_number(j, "window", s->window);
    put_number(j, "windowFree", esme_room(e));
    put_number(j, "ratePerSecond", outbox_rate(l->outbox, index));
    put_number(j, "rateAllowed", s->rate);
    put_number(j, "timesBound", esme_times_bound(e));
    put_number(j, "sent", c.sent);
    put_number(j, "accepted", c.accepted);
    put_number(j, "refused", c.refused);
    put_number(j, "throttled", c.throttled);
    put_number(j, "unanswered", c.unanswered);
    json_end_object(j);
}

static void put_network(const struct server_links *l, unsigned index, struct json_writer *j)
{
    const struct outbox_plmn *n = &l->settings->plmns.at[index];
    const struct outbox_plmn_counts c = outbox_plmn_counts(l->outbox, index);
    json_begin_object(j);
    json_put_key(j, "plmn");
    json_put_string(j, n->digits);
    put_number(j, "rateAllowed", n->rate);
    put_number(j, "sentLastSecond", c.sent_last_second);
    put_number(j, "sent", c.sent);
    put_number(j, "waiting", c.waiting);
    json_put_key(j, "auditsWaitInStore");
    json_put_bool(j, c.has_more);
    json_end_object(j);
}

void server_links_put(const struct server_links *l, struct json_writer *j)
{
    const struct outbox_counts c = outbox_counts(l->outbox);
    json_put_key(j, "links");
    json_begin_array(j);
    for (unsigned i = 0; i < l->count; i++)
        put_link(l, i, j);
    json_end_array(j);
    json_put_key(j, "networks");
    json_begin_array(j);
    for (unsigned i = 0; i < l->settings->plmns.count; i++)
        put_network(l, i, j);
    json_end_array(j);
    json_put_key(j, "outbox");
    json_begin_object(j);
    put_number(j, "packets", c.packets);
    put_number(j, "packetsHeld", c.packets_held);
    put_number(j, "overflows", c.overflows);
    put_number(j, "partsSent", c.parts_sent);
    put_number(j, "partsAccepted", c.parts_accepted);
    put_number(j, "partsRepeated", c.parts_repeated);
    put_number(j, "partsRefused", c.parts_refused);
    put_number(j, "throttled", c.throttled);
    put_number(j, "receipts", c.receipts);
    put_number(j, "receiptsUnknown", c.receipts_unknown);
    put_number(j, "messages", c.messages);
    put_number(j, "partsReceived", c.parts_received);
    put_number(j, "partsDuplicate", c.parts_duplicate);
    put_number(j, "partsPutBack", c.parts_put_back);
    put_number(j, "joinsHeld", c.joins_held);
    put_number(j, "joinsGivenUp", c.joins_given_up);
    put_number(j, "noPacket", c.no_packet);
    json_end_object(j);
}

// One family a count, one value a link.
static void put_each_link(const struct server_links *l, struct writer *w)
{
    static const char *const FAMILIES[][3] = {
        {"link_bound", "gauge", "Links that are bound."},
        {"link_silent", "gauge", "Links that are bound and answer nothing."},
        {"link_swallowing", "gauge", "Links that accept what they do not deliver."},
        {"link_rate", "gauge", "Messages a second that the link may send now."},
        {"link_sent_total", "counter", "submit_sm over the link, repeated ones included."},
        {"link_refused_total", "counter", "Of these, refused by the SMSC."},
        {"link_unanswered_total", "counter", "Of these, without an answer."},
    };
    for (unsigned f = 0; f < sizeof FAMILIES / sizeof FAMILIES[0]; f++) {
        metric_family(w, FAMILIES[f][0], FAMILIES[f][1], FAMILIES[f][2]);
        for (unsigned i = 0; i < l->count; i++) {
            const struct outbox_link_counts c = outbox_link_counts(l->outbox, i);
            const enum outbox_health health = outbox_health(l->outbox, i);
            const uint64_t values[] = {health != OUTBOX_LINK_DOWN,
                                       health == OUTBOX_LINK_SILENT,
                                       health == OUTBOX_LINK_SWALLOWING,
                                       outbox_rate(l->outbox, i),
                                       c.sent,
                                       c.refused,
                                       c.unanswered};
            metric_value(w, FAMILIES[f][0], "link", l->settings->smscs[i].name, values[f]);
        }
    }
}

static void put_each_network(const struct server_links *l, struct writer *w)
{
    static const char *const FAMILIES[][3] = {
        {"plmn_rate_allowed", "gauge", "SMS a second that the network may be sent."},
        {"plmn_waiting", "gauge", "Packets in memory that wait to leave for the network."},
        {"plmn_sent_total", "counter", "submit_sm for cards in the network."},
    };
    const struct outbox_plmns *networks = &l->settings->plmns;
    uint64_t values[OUTBOX_PLMNS_MAX][sizeof FAMILIES / sizeof FAMILIES[0]];
    for (unsigned i = 0; i < networks->count; i++) {
        const struct outbox_plmn_counts c = outbox_plmn_counts(l->outbox, i);
        values[i][0] = networks->at[i].rate;
        values[i][1] = c.waiting;
        values[i][2] = c.sent;
    }
    for (unsigned f = 0; networks->count > 0 && f < sizeof FAMILIES / sizeof FAMILIES[0]; f++) {
        metric_family(w, FAMILIES[f][0], FAMILIES[f][1], FAMILIES[f][2]);
        for (unsigned i = 0; i < networks->count; i++)
            metric_value(w, FAMILIES[f][0], "plmn", networks->at[i].digits, values[i][f]);
    }
}

void server_links_metrics(const struct server_links *l, struct writer *w)
{
    const struct outbox_counts c = outbox_counts(l->outbox);
    put_each_link(l, w);
    put_each_network(l, w);
    const struct {
        const char *name, *help;
        uint64_t count;
    } counters[] = {
        {"parts_sent_total", "submit_sm, repeated ones included.", c.parts_sent},
        {"parts_repeated_total", "submit_sm without an answer, sent again.", c.parts_repeated},
        {"parts_refused_total", "submit_sm that the SMSC refused.", c.parts_refused},
        {"parts_throttled_total", "Of these: for want of room.", c.throttled},
        {"parts_received_total", "Parts of messages from cards.", c.parts_received},
        {"parts_put_back_total", "Parts left with the SMSC for later.", c.parts_put_back},
        {"joins_given_up_total", "Messages of which parts did not come.", c.joins_given_up},
        {"messages_no_packet_total", "Messages that are no secured packet.", c.no_packet},
        {"receipts_total", "Receipts that belong to a packet.", c.receipts},
        {"receipts_unknown_total", "Receipts that belong to none.", c.receipts_unknown},
    };
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        metric_put(w, counters[i].name, "counter", counters[i].help, counters[i].count);
    metric_put(w, "outbox_audits", "gauge", "Automatic audits in memory: on their way, or waiting.",
               c.audits_held);
}

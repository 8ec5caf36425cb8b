#include "tests/unit/outbox/fake_links.h"

#include "tests/unit/outbox/fake_turn.h"

struct fake_links fake_links;

static void copy_view(char *to, size_t size, struct bytes view)
{
    const size_t len = view.len < size ? view.len : size - 1;
    memcpy(to, view.at, len);
    to[len] = '\0';
}

static bool is_bound(void *context, unsigned link)
{
    (void)context;
    return !fake_links.is_down[link];
}

static size_t room(void *context, unsigned link)
{
    (void)context;
    return fake_links.is_down[link] ? 0 : fake_links.room[link];
}

static enum smpp_send send_pdu(void *context, unsigned link, const struct smpp_pdu *pdu,
                               uint64_t tag)
{
    const struct smpp_message *m = &pdu->message;
    (void)context;
    if (fake_links.refuses_numbers)
        return SMPP_SEND_INVALID;
    struct fake_sent *s = &fake_links.sent[fake_links.sent_count++];
    *s = (struct fake_sent){.link = link,
                            .tag = tag,
                            .source_ton = m->source.ton,
                            .source_npi = m->source.npi,
                            .destination_ton = m->destination.ton,
                            .destination_npi = m->destination.npi,
                            .esm_class = m->esm_class,
                            .protocol_id = m->protocol_id,
                            .data_coding = m->data_coding,
                            .registered_delivery = m->registered_delivery,
                            .user_data_len = m->short_message.len};
    copy_view(s->source, sizeof s->source, m->source.digits);
    copy_view(s->destination, sizeof s->destination, m->destination.digits);
    copy_view(s->validity, sizeof s->validity, m->validity_period);
    memcpy(s->user_data, m->short_message.at, m->short_message.len);
    fake_links.room[link]--;
    return SMPP_SEND_OK;
}

static void answer(void *context, unsigned link, uint64_t handle, uint32_t status)
{
    (void)context;
    fake_links.answers[fake_links.answer_count++] = (struct fake_answer){link, handle, status};
}

static struct utc utc_at(void *context, struct instant at)
{
    (void)context;
    return (struct utc){(int64_t)(at.ms - FAKE_START) * fake_links.speed};
}

static struct instant instant_of(void *context, struct utc at)
{
    (void)context;
    return (struct instant){FAKE_START + (uint64_t)(at.ms / fake_links.speed)};
}

struct outbox_options fake_options(unsigned links)
{
    struct outbox_options options = {
        .port = {.is_bound = is_bound, .room = room, .send = send_pdu, .answer = answer},
        .clock = {.utc = utc_at, .instant_of = instant_of},
        .link_count = links,
        .address = "12345",
    };
    fake_links = (struct fake_links){.speed = 1};
    for (unsigned i = 0; i < links; i++) {
        options.links[i] =
            (struct outbox_link){.smsc = "a", .sends = true, .rate = 100000, .weight = 1};
        fake_links.room[i] = 10;
    }
    return options;
}

struct outbox *fake_outbox(unsigned links)
{
    const struct outbox_options options = fake_options(links);
    fake_reset();
    return outbox_open(&options, (struct instant){FAKE_START});
}

void fake_respond(struct outbox *o, size_t index, uint32_t status, const char *message_id)
{
    const struct fake_sent *s = &fake_links.sent[index];
    const struct smpp_pdu pdu = {.command = SMPP_SUBMIT_SM_RESP,
                                 .status = status,
                                 .id = {.message_id = bytes_of_text(message_id)}};
    fake_links.room[s->link]++;
    outbox_response(o, s->link, s->tag, &pdu);
}

uint32_t fake_answer_of(uint64_t handle)
{
    for (size_t i = fake_links.answer_count; i-- > 0;) {
        if (fake_links.answers[i].handle == handle)
            return fake_links.answers[i].status;
    }
    return FAKE_OPEN;
}

void fake_turn_end(struct outbox *o)
{
    fake_run();
    outbox_step(o);
    fake_run();
    fake_run(); // events that the first one's commits brought
}

void fake_deliver(struct outbox *o, unsigned link, uint64_t handle, const char *number,
                  struct bytes user_data)
{
    const struct smpp_pdu pdu = {
        .command = SMPP_DELIVER_SM,
        .message = {.source = {1, 1, bytes_of_text(number)},
                    .destination = {0, 1, bytes_of_text("12345")},
                    .esm_class = 0x40,
                    .protocol_id = 0x7F,
                    .data_coding = 0xF6,
                    .short_message = user_data},
    };
    outbox_request(o, link, handle, &pdu);
}

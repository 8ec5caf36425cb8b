// F8: any command bodies, behind right security, between events, resets and clocks that run out, to
// the applet and to the reference model of the card: after each step registry, answers,
// notifications, state and clocks are the model's. Keys of a DOWNLOAD are wrapped here, so that
// what lies behind their check value is reached.
//
// A step is an octet: an event of the exhaustive checker, or what follows is a command: what is
// made right in it, how long it is, and its octets.
#include "common/base/check.h"
#include "common/wire/keywrap.h"
#include "tests/exhaust/rig.h"

#include <stdio.h>

#define STEPS_MAX 64
#define ID_MAX 0x7FFFFFFF // the rig counts on

static struct rig rig;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void step(uint8_t event)
{
    if (!rig_apply(&rig, event) || rig.differs == NULL)
        return;
    (void)fprintf(stderr, "%s: %s\n", rig_event_name(event), rig.differs);
    check(rig.differs == NULL);
}

static bool opens(const struct command *c)
{
    struct network_keys keys;
    return c->number != COMMAND_DOWNLOAD ||
           keywrap_open(&rig.cipher, &rig.factory.kik, c->operation_id, &c->download, &keys) ==
               KEYWRAP_OK;
}

static void wrap(struct command *c, struct keywrap_block *block)
{
    struct network_keys keys = {.k = {.len = 16, .octets = {1}}, .op = {.len = 16, .octets = {2}}};
    if (c->download.wrapped_keys.len >= 48)
        keys.op.len = 32;
    if (c->download.wrapped_keys.len == 64)
        keys.k.len = 32;
    check(keywrap_seal(&rig.cipher, &rig.factory.kik, c->operation_id, &keys, c->download.imsi,
                       block) == KEYWRAP_OK);
    c->download.wrapped_keys = bytes_of(block->octets, block->len);
    memcpy(c->download.check, block->check, sizeof block->check);
}

// `what`: bit 0 a new operation id; bit 1 right keys; bit 2 the card's template; bit 3 the name of
// one of the subscriptions that the checker knows.
static void mend(struct command *c, uint8_t what, struct keywrap_block *block)
{
    const uint8_t imsi[COMMAND_IMSI_SIZE] = {
        8, 0x09, 0x10, 0x10, 0, 0, 0, 0, (uint8_t)((1 + (what >> 4) % 3) << 4)};
    if ((what & 1) != 0 && command_is_state_changing(c->number))
        c->operation_id = rig.now.operation_id + 1;
    if ((what & 4) != 0)
        c->download.template_number = 1;
    if ((what & 8) != 0) {
        memcpy(c->download.imsi, imsi, sizeof imsi);
        c->target.is_given = true;
        c->target.is_iccid = false;
        memcpy(c->target.imsi, imsi, sizeof imsi);
    }
    if (c->number == COMMAND_DOWNLOAD && (what & 2) != 0)
        wrap(c, block);
}

static void command(struct reader *r)
{
    struct command c;
    struct keywrap_block block;
    uint8_t octets[COMMAND_BODY_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    const uint8_t what = reader_u8(r);
    const uint8_t len = reader_u8(r);
    const struct bytes body = reader_bytes(r, len < r->left ? len : r->left);
    rig.body = body;
    rig.are_body_keys_good = false;
    if (command_read(body, &c) == COMMAND_READ_OK) {
        mend(&c, what, &block);
        command_write(&w, &c);
        if (w.failed || c.operation_id > ID_MAX)
            return;
        rig.body = writer_bytes(&w);
        rig.are_body_keys_good = opens(&c);
    }
    if (rig.body.len <= RIG_BODY_MAX)
        step(RIG_BODY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(bytes_of(data, size));
    check(rig_open(&rig, false, false));
    step(reader_u8(&r) % 2 == 0 ? RIG_SETUP_SHORT : RIG_SETUP_LONG);
    for (unsigned i = 0; i < STEPS_MAX && r.left > 0; i++) {
        const uint8_t event = reader_u8(&r);
        if (event < 2 * RIG_EVENTS)
            step(event % RIG_EVENTS);
        else
            command(&r);
    }
    rig_close(&rig, false);
    return 0;
}

#include "sim-emulator/core/card.h"

#include "common/base/check.h"
#include "sim-emulator/core/card_call.h"
#include "sim-emulator/core/kept_answer.h"

#define CHANNEL_MASK 0x03 // of the class

_Static_assert(CARD_ANSWER_AT + KEPT_ANSWER_LEN <= NVM_LEN_MAX, "the areas fit the memory");
_Static_assert(CARD_ANSWER_AT % NVM_PAGE_LEN == 0, "the kept answer begins a page");
_Static_assert(CARD_STORE_AT % NVM_PAGE_LEN == 0, "the store begins a page");

// --- the applet's port -----------------------------------------------------------------------

static bool port_read(void *context, size_t offset, void *to, size_t len)
{
    const struct card *card = context;
    check(offset <= CARD_APPLET_LEN && len <= CARD_APPLET_LEN - offset);
    nvm_read(&card->nvm, CARD_APPLET_AT + (uint32_t)offset, to, len);
    return true;
}

static bool port_write(void *context, size_t offset, const void *from, size_t len)
{
    struct card *card = context;
    check(offset <= CARD_APPLET_LEN && len <= CARD_APPLET_LEN - offset);
    return nvm_write(&card->nvm, CARD_APPLET_AT + (uint32_t)offset, from, len) == NVM_OK;
}

static uint32_t port_random(void *context)
{
    const struct card *card = context;
    return card->shop->random(card->shop->random_context);
}

struct sms_joiner *call_joiner(struct card_shop *shop, const void *owner, bool wanted)
{
    size_t free_one = CARD_JOINERS;
    for (size_t i = 0; i < CARD_JOINERS; i++) {
        if (shop->joiner_owner[i] == owner) {
            if (!wanted)
                shop->joiner_owner[i] = NULL;
            return &shop->joiners[i];
        }
        if (shop->joiner_owner[i] == NULL)
            free_one = i;
    }
    if (!wanted || free_one == CARD_JOINERS)
        return NULL;
    shop->joiner_owner[free_one] = owner;
    sms_joiner_init(&shop->joiners[free_one]);
    return &shop->joiners[free_one];
}

static struct sms_joiner *port_joiner(void *context, bool wanted)
{
    struct card *card = context;
    return call_joiner(card->shop, card, wanted);
}

// What a reset, or the end of the card, gives back.
static void give_back(struct card *card)
{
    (void)call_joiner(card->shop, card, false);
    (void)call_joiner(card->shop, &card->remote, false);
    outbox_drop(card);
    card->remote = (struct card_remote){.can_send = false};
}

struct applet_port card_port(struct card *card)
{
    return (struct applet_port){
        .context = card,
        .nvm_read = port_read,
        .nvm_write = port_write,
        .nvm_size = card->applet_len,
        .nvm_page = card->applet_page,
        .random = port_random,
        .joiner = port_joiner,
        .cipher = card->shop->cipher,
        .factory = card->factory,
        .work = &card->shop->work,
        .talkative = card->shop->is_talkative,
    };
}

bool card_subscription(struct card *card, struct applet_subscription *out)
{
    struct applet_port port = card_port(card);
    return applet_subscription(&card->applet, &port, out);
}

// --- files of the enabled subscription -------------------------------------------------------

const struct card_product *call_product(const struct card *card)
{
    return card->shop->product != NULL ? card->shop->product : &card_product_standard;
}

static struct uicc_store store_of(struct card *card)
{
    return (struct uicc_store){.nvm = &card->nvm, .offset = CARD_STORE_AT};
}

struct uicc_pin_store call_pin_store(struct card *card)
{
    return (struct uicc_pin_store){.store = store_of(card),
                                   .at = offsetof(struct uicc_layout, pins),
                                   .factory = &call_product(card)->pins};
}

struct uicc_files card_files(struct card *card, const struct applet_port *port)
{
    return (struct uicc_files){.store = store_of(card),
                               .applet = &card->applet,
                               .port = port,
                               .overrides = card->overrides,
                               .generation = (uint8_t)card->generation,
                               .slot_index = card->slot_index,
                               .owner = card->owner,
                               .is_plain = card->is_plain};
}

// After a reset, and when the applet enabled another subscription.
static void mount_subscription(struct card *card, const struct applet_port *port)
{
    struct applet_subscription view;
    if (!applet_subscription(&card->applet, port, &view))
        return;
    const struct card_product *product = call_product(card);
    card->generation = view.generation;
    card->slot_index = view.slot_index;
    memcpy(card->owner, view.slot.imsi, sizeof card->owner);
    card->overrides = (struct uicc_overrides){.count = 0};
    for (size_t i = 0; i < product->template_count; i++) {
        if (product->templates[i].number == view.slot.template_number)
            card->overrides = product->templates[i].overrides;
    }
    secret_wipe(&view.slot.keys, sizeof view.slot.keys);
    struct uicc_files files = card_files(card, port);
    uicc_files_mount(&files);
}

// --- life ------------------------------------------------------------------------------------

void card_init(struct card *card, struct card_shop *shop, const struct applet_factory *factory)
{
    *card = (struct card){.shop = shop, .factory = factory};
    nvm_init(&card->nvm, &shop->pool);
    card_limit(card, CARD_APPLET_LEN, 1);
}

void card_limit(struct card *card, uint16_t applet_len, uint8_t page)
{
    check(applet_len <= CARD_APPLET_LEN && page > 0);
    card->applet_len = applet_len;
    card->applet_page = page;
}

void card_release(struct card *card)
{
    give_back(card);
    nvm_release(&card->nvm);
}

static void reset_state(struct card *card)
{
    for (size_t i = 0; i < CARD_CHANNELS; i++)
        card->channels[i] = (struct card_channel){.is_open = i == 0};
    struct uicc_store store = store_of(card);
    uicc_store_mount(&store);
    struct uicc_pin_store pins = call_pin_store(card);
    uicc_pins_mount(&card->pins, &pins);
    struct applet_port port = card_port(card);
    struct uicc_files files = card_files(card, &port);
    uicc_files_look(&files);
    card->is_plain = files.is_plain;
}

void card_atr(const struct card *card, struct writer *atr)
{
    // T=0, clock stop, classes A to C, then the historical octets [102.221 §6.3]: card service
    // data, capabilities, and as pre-issuing data a name, so that no tool takes it for another
    // card.
    static const uint8_t answer[] = {0x3B, 0x9F, 0x96, 0x80, 0x1F, 0x87, 0x80, 0x31,
                                     0xE0, 0x73, 0xFE, 0x21, 0x1B, 0x67, 0x4F, 0x54,
                                     0x41, 0x52, 0x49, 0x41, 0x01, 0x91};
    (void)card;
    writer_copy(atr, bytes_of(answer, sizeof answer));
}

static void tell(struct card *card, struct bytes command, struct bytes response, uint16_t sw)
{
    const struct card_shop *shop = card->shop;
    struct card_seen seen = {.card = card, .command = command, .response = response, .sw = sw};
    if (shop->seen != NULL)
        shop->seen(shop->seen_context, &seen);
}

void card_reset(struct card *card, struct writer *atr)
{
    nvm_power_on(&card->nvm);
    give_back(card);
    card->is_powered = true;
    reset_state(card);
    struct applet_port port = card_port(card);
    applet_start(&card->applet, &port);
    mount_subscription(card, &port);
    const size_t before = atr->len;
    if (card->nvm.is_cut)
        card->is_powered = false;
    else
        card_atr(card, atr);
    tell(card, bytes_of(NULL, 0), bytes_slice(writer_bytes(atr), before, SIZE_MAX),
         card->is_powered ? SW_OK : CARD_MUTE);
}

void card_power_off(struct card *card)
{
    card->is_powered = false;
}

// --- the table of commands -------------------------------------------------------------------

struct command_row {
    uint8_t cla; // without the logical channel
    uint8_t ins;
    bool is_basic;     // only on the basic channel
    bool may_announce; // 91 xx may take the place of 90 00
    uint16_t (*run)(struct call *call);
};

// The most frequent ones first.
static const struct command_row commands[] = {
    {0x00, INS_SELECT, false, true, call_select},
    {0x00, INS_READ_BINARY, false, true, call_read_binary},
    {0x80, INS_STATUS, false, true, call_status},
    {0x00, INS_UPDATE_BINARY, false, true, call_update_binary},
    {0x00, INS_READ_RECORD, false, true, call_read_record},
    {0x00, INS_UPDATE_RECORD, false, true, call_update_record},
    {0x00, INS_AUTHENTICATE, false, true, call_authenticate},
    {0x80, INS_ENVELOPE, true, true, call_envelope},
    {0x80, INS_FETCH, true, false, call_fetch}, // TERMINAL RESPONSE comes first
    {0x80, INS_TERMINAL_RESPONSE, true, true, call_terminal_response},
    {0x80, INS_TERMINAL_PROFILE, true, true, call_terminal_profile},
    {0x80, INS_TERMINAL_CAPABILITY, true, true, call_terminal_capability},
    {0x00, INS_SEARCH_RECORD, false, true, call_search_record},
    {0x80, INS_INCREASE, false, true, call_increase},
    {0x00, INS_VERIFY_PIN, false, true, call_verify},
    {0x00, INS_CHANGE_PIN, false, true, call_change},
    {0x00, INS_DISABLE_PIN, false, true, call_disable},
    {0x00, INS_ENABLE_PIN, false, true, call_enable},
    {0x00, INS_UNBLOCK_PIN, false, true, call_unblock},
    {0x00, INS_ACTIVATE_FILE, false, true, call_activate},
    {0x00, INS_DEACTIVATE_FILE, false, true, call_deactivate},
    {0x00, INS_CREATE_FILE, false, true, call_create},
    {0x00, INS_DELETE, false, true, call_delete},
    {0x80, INS_RESIZE_FILE, false, true, call_resize},
    {0x00, INS_MANAGE_CHANNEL, false, true, call_manage_channel},
    {0x00, INS_GET_CHALLENGE, false, true, call_get_challenge},
};

static uint16_t with_announcement(struct call *call, uint16_t sw)
{
    if (sw != SW_OK || call->card->nvm.is_cut)
        return sw;
    size_t waiting = call_waiting(call);
    return waiting == 0 ? SW_OK : (uint16_t)(SW_OK_PROACTIVE | (waiting & 0xFF));
}

// The channel of an interindustry class [102.221 §10.1.1]: SW_OK, or what is wrong with the class.
static uint16_t class_read(struct call *call, uint8_t *cla)
{
    uint8_t octet = call->apdu.cla;
    if ((octet & 0x50) == 0x40)
        return SW_CHANNEL_NOT_SUPPORTED; // channels 4 to 19
    if ((octet & 0x70) != 0)
        return SW_CLA_NOT_SUPPORTED;
    *cla = octet & 0x80;
    if ((octet & 0x0C) != 0)
        return SW_SECURE_MESSAGING_NOT_SUPPORTED;
    call->channel = &call->card->channels[octet & CHANNEL_MASK];
    return call->channel->is_open ? SW_OK : SW_CHANNEL_NOT_SUPPORTED;
}

static uint16_t run(struct call *call)
{
    if (call->apdu.cla == CLA_GSM)
        return with_announcement(call, call_gsm(call));
    uint8_t cla;
    uint16_t sw = class_read(call, &cla);
    if (sw != SW_OK)
        return sw;
    bool is_of_other_class = false;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command_row *row = &commands[i];
        if (row->ins != call->apdu.ins)
            continue;
        is_of_other_class = row->cla != cla;
        if (is_of_other_class)
            continue;
        if (row->is_basic && (call->apdu.cla & CHANNEL_MASK) != 0)
            return SW_CHANNEL_NOT_SUPPORTED;
        sw = row->run(call);
        return row->may_announce ? with_announcement(call, sw) : sw;
    }
    return is_of_other_class ? SW_CLA_NOT_SUPPORTED : SW_INS_NOT_SUPPORTED;
}

static uint16_t execute(struct card *card, struct bytes command, struct writer *response,
                        bool is_exact)
{
    struct call call;
    call.card = card;
    call.port = card_port(card);
    call.response = response;
    call.channel = &card->channels[0];
    call.pins = &card->pins;
    call.granted = 0;
    call.changes = NULL;
    call.is_exact = is_exact;
    if (apdu_read(command, &call.apdu) != APDU_OK)
        return SW_WRONG_LENGTH;
    if (card->generation != applet_generation(&card->applet))
        mount_subscription(card, &call.port);
    call.files = card_files(card, &call.port);
    size_t before = response->len;
    uint16_t sw = run(&call);
    card->is_plain = call.files.is_plain;
    if (card->nvm.is_cut) {
        card->is_powered = false;
        response->len = before;
        return CARD_MUTE;
    }
    return sw;
}

static uint16_t exchange(struct card *card, struct bytes command, struct writer *response,
                         bool is_exact)
{
    if (!card->is_powered)
        return CARD_MUTE;
    const size_t before = response->len;
    uint16_t sw = execute(card, command, response, is_exact);
    tell(card, command, bytes_slice(writer_bytes(response), before, SIZE_MAX), sw);
    return sw;
}

uint16_t card_exchange(struct card *card, struct bytes command, struct writer *response)
{
    return exchange(card, command, response, false);
}

// --- T=0 -------------------------------------------------------------------------------------

// The length of more octets, in the words of the class.
static uint16_t more(uint8_t cla, size_t len)
{
    return (uint16_t)((cla == CLA_GSM ? SW_GSM_RESPONSE : SW_DATA_AVAILABLE) | (len & 0xFF));
}

static bool is_warning(uint16_t sw)
{
    return (sw & 0xFE00) == SW_WARNING; // 62 xx and 63 xx
}

// Of the channel that the octets came on. A terminal that did not ask for them by their length
// learns it.
static uint16_t get_response(const struct card *card, struct card_t0 *t0, const struct apdu *apdu,
                             struct writer *response)
{
    if (!card->channels[apdu->cla & CHANNEL_MASK].is_open)
        return SW_CHANNEL_NOT_SUPPORTED;
    if (apdu->p1 != 0 || apdu->p2 != 0)
        return SW_WRONG_P1_P2;
    if (apdu->data.len != 0)
        return SW_WRONG_LENGTH;
    if (t0->len == 0 || t0->channel != (apdu->cla & CHANNEL_MASK))
        return SW_CONDITIONS;
    if (apdu->le > t0->len) // class A0: 67 xx [51.011 §9.4.6]
        return (uint16_t)((apdu->cla == CLA_GSM ? SW_WRONG_LENGTH : SW_WRONG_LE) |
                          (t0->len & 0xFF));
    writer_copy(response, bytes_of(t0->octets, apdu->le));
    t0->len -= apdu->le;
    memmove(t0->octets, t0->octets + apdu->le, t0->len);
    return t0->len > 0 ? more(apdu->cla, t0->len) : t0->sw;
}

// What the command did, when there are octets to fetch.
static uint16_t keep_waiting(struct card_t0 *t0, const struct apdu *apdu, size_t len, uint16_t sw)
{
    t0->len = len;
    t0->channel = apdu->cla & CHANNEL_MASK;
    // A warning is told first: a terminal that gets one behind its octets would ask for more
    // [102.221 §7.3.1.1.4].
    t0->sw = is_warning(sw) ? (uint16_t)SW_OK : sw;
    return is_warning(sw) ? sw : more(apdu->cla, len);
}

uint16_t card_t0_exchange(struct card *card, struct card_t0 *t0, struct bytes command,
                          struct writer *response)
{
    struct apdu apdu;
    uint8_t header[5] = {0};
    // There is a P3 in every command of T=0: in one of case 1 it is 00 [102.221 §7.3.1.1.1].
    if (command.len == sizeof header - 1) {
        memcpy(header, command.at, command.len);
        command = bytes_of(header, sizeof header);
    }
    bool is_read = apdu_read(command, &apdu) == APDU_OK;
    if (!card->is_powered)
        return CARD_MUTE;
    if (is_read && apdu.ins == INS_GET_RESPONSE &&
        // Class 80 too: terminals send it after an ENVELOPE, and cards take it.
        ((apdu.cla & ~0x83) == 0x00 || apdu.cla == CLA_GSM))
        return get_response(card, t0, &apdu, response);
    struct writer w = writer_of(t0->octets, sizeof t0->octets);
    t0->len = 0;
    uint16_t sw = exchange(card, command, &w, true);
    if (w.len == 0)
        return sw;
    if (is_read && apdu.data.len > 0)
        return keep_waiting(t0, &apdu, w.len, sw);
    // A command that only reads gives its octets at once.
    writer_copy(response, writer_bytes(&w));
    return sw;
}

#include "sim-emulator/core/card.h"

#include "common/base/check.h"
#include "common/wire/tlv.h"

_Static_assert(CARD_APPLET_AT + CARD_APPLET_LEN <= NVM_LEN_MAX, "the areas fit the memory");

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

static struct sms_joiner *port_joiner(void *context, bool wanted)
{
    struct card *card = context;
    struct card_shop *shop = card->shop;
    size_t free_one = CARD_JOINERS;
    for (size_t i = 0; i < CARD_JOINERS; i++) {
        if (shop->joiner_owner[i] == card) {
            if (!wanted)
                shop->joiner_owner[i] = NULL;
            return &shop->joiners[i];
        }
        if (shop->joiner_owner[i] == NULL)
            free_one = i;
    }
    if (!wanted || free_one == CARD_JOINERS)
        return NULL;
    shop->joiner_owner[free_one] = card;
    sms_joiner_init(&shop->joiners[free_one]);
    return &shop->joiners[free_one];
}

struct applet_port card_port(struct card *card)
{
    return (struct applet_port){
        .context = card,
        .nvm_read = port_read,
        .nvm_write = port_write,
        .nvm_size = CARD_APPLET_LEN,
        .nvm_page = 1,
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

// --- life ------------------------------------------------------------------------------------

void card_init(struct card *card, struct card_shop *shop, const struct applet_factory *factory)
{
    *card = (struct card){.shop = shop, .factory = factory};
    nvm_init(&card->nvm, &shop->pool);
}

void card_release(struct card *card)
{
    (void)port_joiner(card, false);
    nvm_release(&card->nvm);
}

void card_atr(const struct card *card, struct writer *atr)
{
    // T=0, clock stop, classes A to C, then the historical octets [102.221 §6.3].
    static const uint8_t answer[] = {0x3B, 0x9F, 0x96, 0x80, 0x1F, 0x87, 0x80, 0x31,
                                     0xE0, 0x73, 0xFE, 0x21, 0x1B, 0x67, 0x4A, 0x4C,
                                     0x75, 0x30, 0x34, 0x05, 0x4B, 0xA9};
    (void)card;
    writer_copy(atr, bytes_of(answer, sizeof answer));
}

void card_reset(struct card *card, struct writer *atr)
{
    nvm_power_on(&card->nvm);
    (void)port_joiner(card, false);
    card->is_powered = true;
    card->folder = FILE_MF;
    card->file = NULL;
    card->record = 0;
    struct applet_port port = card_port(card);
    applet_start(&card->applet, &port);
    if (card->nvm.is_cut)
        card->is_powered = false;
    else
        card_atr(card, atr);
}

void card_power_off(struct card *card)
{
    card->is_powered = false;
}

// --- commands --------------------------------------------------------------------------------

// One command under way.
struct call {
    struct card *card;
    struct applet_port port;
    struct apdu apdu;
    struct writer *response;
};

static struct file_source source_of(const struct call *call, struct applet_subscription *view)
{
    struct card *card = call->card;
    return (struct file_source){
        .subscription = view,
        .factory = card->factory,
        .store = {.nvm = &card->nvm, .offset = CARD_STORE_AT, .len = FILE_STORE_LEN},
        .generation = applet_generation(&card->applet),
    };
}

static void describe(const struct call *call, const struct card_file *file)
{
    if ((call->apdu.p2 & 0x0C) != 0x0C)
        file_parameters(file, call->response);
}

static uint16_t take_selected(const struct call *call, const struct card_file *file)
{
    if (file == NULL)
        return SW_FILE_NOT_FOUND;
    struct card *card = call->card;
    card->record = 0;
    if (file->kind == FILE_FOLDER) {
        card->folder = file->identifier;
        card->file = NULL;
    } else {
        card->folder = file->folder;
        card->file = file;
    }
    describe(call, file);
    return SW_OK;
}

// From a folder: what lies in it, the folder itself, its parent, the MF, the ADF [102.221 §8.4.1].
static const struct card_file *reach(uint16_t folder, uint16_t identifier)
{
    if (identifier == FILE_MF)
        return file_find(0, FILE_MF);
    if (identifier == FILE_ADF)
        return file_find(FILE_MF, FILE_ADF);
    return file_find(folder, identifier);
}

static const struct card_file *walk(uint16_t folder, struct bytes path)
{
    const struct card_file *file = NULL;
    struct reader r = reader_of(path);
    while (r.left > 0) {
        uint16_t identifier = reader_u16(&r);
        if (r.failed)
            return NULL;
        file = reach(folder, identifier);
        if (file == NULL)
            return NULL;
        // Only the last one may be an EF.
        if (file->kind != FILE_FOLDER && r.left > 0)
            return NULL;
        folder = file->identifier;
    }
    return file;
}

static uint16_t do_select(struct call *call)
{
    struct bytes data = call->apdu.data;
    switch (call->apdu.p1) {
    case 0x00:
        if (data.len == 0)
            return take_selected(call, file_find(0, FILE_MF));
        return data.len == 2 ? take_selected(call, walk(call->card->folder, data))
                             : SW_WRONG_LENGTH;
    case 0x04: {
        // A name may be given by its beginning [102.221 §11.1.1.2]; the RID and application code
        // are the least.
        struct bytes aid = file_application();
        bool is_ours = data.len >= 7 && data.len <= aid.len &&
                       bytes_equal(data, bytes_slice(aid, 0, data.len));
        return take_selected(call, is_ours ? file_find(FILE_MF, FILE_ADF) : NULL);
    }
    case 0x08:
        return take_selected(call, walk(FILE_MF, data));
    case 0x09:
        return take_selected(call, walk(call->card->folder, data));
    default: // octets
        return SW_WRONG_P1_P2;
    }
}

static uint16_t do_status(struct call *call)
{
    const struct card *card = call->card;
    const struct card_file *folder = file_find(card->folder == FILE_MF ? 0 : FILE_MF, card->folder);
    if (call->apdu.p1 > 2)
        return SW_WRONG_P1_P2;
    if (call->apdu.p2 == 0x00)
        file_parameters(folder, call->response);
    else if (call->apdu.p2 == 0x01)
        tlv_write(call->response, 0x84, file_application());
    else if (call->apdu.p2 != 0x0C)
        return SW_WRONG_P1_P2;
    // 01 and 02 tell that the application starts or ends; only polling counts time.
    if (call->apdu.p1 == 0)
        applet_status(&call->card->applet, &call->port);
    return SW_OK;
}

// The file that a command on octets means, and where in it [102.221 §11.1.3].
static uint16_t target_binary(const struct call *call, const struct card_file **file,
                              size_t *offset)
{
    struct card *card = call->card;
    if ((call->apdu.p1 & 0x80) != 0) {
        *file = file_find_short(card->folder, call->apdu.p1 & 0x1F);
        *offset = call->apdu.p2;
        if (*file == NULL)
            return SW_FILE_NOT_FOUND;
        card->file = *file;
        card->record = 0;
    } else {
        *file = card->file;
        *offset = (size_t)call->apdu.p1 << 8 | call->apdu.p2;
    }
    if (*file == NULL)
        return SW_NO_EF_SELECTED;
    if ((*file)->kind != FILE_TRANSPARENT)
        return SW_STRUCTURE_MISMATCH;
    return *offset < (*file)->size ? SW_OK : SW_WRONG_OFFSET;
}

static uint16_t target_record(const struct call *call, const struct card_file **file,
                              size_t *offset)
{
    struct card *card = call->card;
    uint8_t short_identifier = call->apdu.p2 >> 3;
    if (short_identifier != 0) {
        *file = file_find_short(card->folder, short_identifier);
        if (*file == NULL)
            return SW_FILE_NOT_FOUND;
        card->file = *file;
        card->record = 0;
    } else {
        *file = card->file;
    }
    if (*file == NULL)
        return SW_NO_EF_SELECTED;
    if ((*file)->kind != FILE_LINEAR)
        return SW_STRUCTURE_MISMATCH;
    unsigned count = (*file)->size / (*file)->record_len;
    unsigned record = call->apdu.p1;
    switch (call->apdu.p2 & 0x07) {
    case 0x02: // next
        record = card->record + 1U;
        card->record = (uint8_t)(record <= count ? record : card->record);
        break;
    case 0x03: // previous; from nowhere it is the last one
        record = card->record == 0 ? count : card->record - 1U;
        card->record = (uint8_t)(record >= 1 ? record : card->record);
        break;
    case 0x04: // absolute, or the current one with 00
        record = record == 0 ? card->record : record;
        break;
    default: // octets
        return SW_WRONG_P1_P2;
    }
    if (record == 0 || record > count)
        return SW_RECORD_NOT_FOUND;
    *offset = (size_t)(record - 1) * (*file)->record_len;
    return SW_OK;
}

static uint16_t read_out(struct call *call, const struct card_file *file, size_t offset, size_t len)
{
    struct applet_subscription view;
    struct file_source source = source_of(call, &view);
    if (file_is_view(file) && !applet_subscription(&call->card->applet, &call->port, &view))
        return SW_MEMORY_FAILURE;
    uint8_t octets[CARD_RESPONSE_MAX];
    file_read(file, &source, offset, octets, len);
    writer_copy(call->response, bytes_of(octets, len));
    secret_wipe(&view.slot.keys, sizeof view.slot.keys);
    if (file->identifier == FILE_IMSI)
        applet_imsi_read(&call->card->applet, &call->port);
    return SW_OK;
}

static uint16_t do_read_binary(struct call *call)
{
    const struct card_file *file;
    size_t offset;
    uint16_t sw = target_binary(call, &file, &offset);
    if (sw != SW_OK)
        return sw;
    size_t left = file->size - offset;
    size_t len = call->apdu.le;
    // Le 00 takes what there is, up to 256 octets; any other Le is exact.
    if (len == APDU_LE_MAX)
        len = left < APDU_LE_MAX ? left : APDU_LE_MAX;
    if (len > left)
        return (uint16_t)(SW_WRONG_LE | (left & 0xFF));
    return read_out(call, file, offset, len);
}

static uint16_t do_read_record(struct call *call)
{
    const struct card_file *file;
    size_t offset;
    uint16_t sw = target_record(call, &file, &offset);
    if (sw != SW_OK)
        return sw;
    if (call->apdu.le != APDU_LE_MAX && call->apdu.le != file->record_len)
        return (uint16_t)(SW_WRONG_LE | file->record_len);
    return read_out(call, file, offset, file->record_len);
}

// Where the terminal is, as it writes it into the location files: the last octet is the update
// status, the PLMN stands behind the temporary identity [31.102 §4.2.17, §4.2.91].
static void tell_location(const struct call *call, const struct card_file *file)
{
    size_t plmn_at = file->identifier == FILE_LOCI ? 4 : 12;
    if (file->identifier != FILE_LOCI && file->identifier != FILE_EPSLOCI)
        return;
    struct file_source source = source_of(call, NULL);
    uint8_t content[18];
    file_read(file, &source, 0, content, file->size);
    uint8_t status = content[file->size - 1] & 0x07;
    enum cat_location_status service = CAT_SERVICE_NONE; // 1 not updated
    if (status == 0)
        service = CAT_SERVICE_NORMAL;
    else if (status == 2 || status == 3)
        service = CAT_SERVICE_LIMITED;
    applet_location(&call->card->applet, &call->port, service,
                    status == 1 ? NULL : content + plmn_at);
}

static uint16_t write_in(const struct call *call, const struct card_file *file, size_t offset)
{
    struct file_source source = source_of(call, NULL);
    switch (file_update(file, &source, offset, call->apdu.data)) {
    case FILE_UPDATED:
        tell_location(call, file);
        return SW_OK;
    case FILE_NOT_ALLOWED:
        return SW_SECURITY_STATUS;
    case FILE_MEMORY:
        return SW_MEMORY_FAILURE;
    case FILE_POWER_CUT:
        return CARD_MUTE;
    }
    return SW_TECHNICAL_PROBLEM;
}

static uint16_t do_update_binary(struct call *call)
{
    const struct card_file *file;
    size_t offset;
    uint16_t sw = target_binary(call, &file, &offset);
    if (sw != SW_OK)
        return sw;
    if (call->apdu.data.len == 0 || call->apdu.data.len > file->size - offset)
        return SW_WRONG_LENGTH;
    return write_in(call, file, offset);
}

static uint16_t do_update_record(struct call *call)
{
    const struct card_file *file;
    size_t offset;
    uint16_t sw = target_record(call, &file, &offset);
    if (sw != SW_OK)
        return sw;
    if (call->apdu.data.len != file->record_len)
        return SW_WRONG_LENGTH;
    return write_in(call, file, offset);
}

// PIN1 and the universal PIN are disabled, ADM1 is blocked: nothing is ever to be typed.
static uint16_t do_verify(struct call *call)
{
    uint8_t reference = call->apdu.p2;
    if (call->apdu.p1 != 0)
        return SW_WRONG_P1_P2;
    if (reference != 0x01 && reference != 0x11 && reference != 0x0A)
        return SW_REFERENCE_NOT_FOUND;
    if (reference == 0x0A)
        return call->apdu.data.len == 0 ? SW_PIN_TRIES : SW_PIN_BLOCKED;
    if (call->apdu.data.len == 0)
        return SW_PIN_TRIES | 3;
    return call->apdu.data.len == 8 ? SW_DATA_INVALIDATED : SW_WRONG_LENGTH;
}

static void write_counted(struct writer *w, const void *octets, uint8_t len)
{
    writer_u8(w, len);
    writer_copy(w, bytes_of(octets, len));
}

static uint16_t answer_3g(struct writer *w, enum usim_result result, const struct usim_answer *a)
{
    switch (result) {
    case USIM_OK:
        writer_u8(w, 0xDB);
        write_counted(w, a->keys.res, sizeof a->keys.res);
        write_counted(w, a->keys.ck, sizeof a->keys.ck);
        write_counted(w, a->keys.ik, sizeof a->keys.ik);
        write_counted(w, a->kc, sizeof a->kc);
        return SW_OK;
    case USIM_OUT_OF_RANGE:
        writer_u8(w, 0xDC);
        write_counted(w, a->auts, sizeof a->auts);
        return SW_OK;
    case USIM_MAC_WRONG:
        return SW_AUTHENTICATION_MAC;
    case USIM_FAULT:
        return SW_MEMORY_FAILURE;
    }
    return SW_TECHNICAL_PROBLEM;
}

static uint16_t do_authenticate(struct call *call)
{
    struct card *card = call->card;
    bool is_3g = call->apdu.p2 == 0x81;
    if (call->apdu.p1 != 0 || (!is_3g && call->apdu.p2 != 0x80))
        return SW_WRONG_P1_P2;
    if (card->folder != FILE_ADF)
        return SW_CONDITIONS;
    struct reader r = reader_of(call->apdu.data);
    bool is_shaped = reader_u8(&r) == MILENAGE_RAND_LEN;
    const uint8_t *rand = reader_bytes(&r, MILENAGE_RAND_LEN).at;
    is_shaped = is_shaped && (!is_3g || reader_u8(&r) == USIM_AUTN_LEN);
    const uint8_t *autn = is_3g ? reader_bytes(&r, USIM_AUTN_LEN).at : NULL;
    if (!is_shaped || !reader_done(&r))
        return SW_WRONG_DATA;

    struct applet_subscription view;
    if (!applet_subscription(&card->applet, &call->port, &view))
        return SW_MEMORY_FAILURE;
    struct usim usim = {.cipher = card->shop->cipher,
                        .nvm = &card->nvm,
                        .offset = CARD_SQN_AT + view.slot_index * (uint32_t)USIM_NVM_LEN};
    struct usim_answer answer;
    uint16_t sw;
    if (is_3g) {
        enum usim_result result = usim_own(&usim, view.slot.imsi);
        if (result == USIM_OK)
            result = usim_authenticate(&usim, &view.slot.keys, rand, autn, &answer);
        sw = answer_3g(call->response, result, &answer);
    } else {
        sw = SW_MEMORY_FAILURE;
        if (usim_authenticate_gsm(&usim, &view.slot.keys, rand, &answer) == USIM_OK) {
            write_counted(call->response, answer.sres, sizeof answer.sres);
            write_counted(call->response, answer.kc, sizeof answer.kc);
            sw = SW_OK;
        }
    }
    secret_wipe(&view.slot.keys, sizeof view.slot.keys);
    secret_wipe(&answer, sizeof answer);
    return sw;
}

static uint16_t do_terminal_profile(struct call *call)
{
    applet_profile(&call->card->applet, &call->port, call->apdu.data);
    return SW_OK;
}

static uint16_t do_envelope(struct call *call)
{
    enum cat_envelope kind;
    struct cat_message message;
    enum cat_error error = cat_read_envelope(call->apdu.data, &kind, &message);
    if (error == CAT_UNKNOWN)
        return SW_OK; // nobody on this card asked for it
    if (error != CAT_OK)
        return SW_WRONG_DATA;
    if (kind != CAT_SMS_PP_DOWNLOAD) {
        applet_event(&call->card->applet, &call->port, kind, &message);
        return SW_OK;
    }
    switch (applet_sms(&call->card->applet, &call->port, message.tpdu, call->response)) {
    case APPLET_SMS_ACCEPTED:
    case APPLET_SMS_REPORT:
    case APPLET_SMS_NOT_MINE: // of an application that is not there: nothing to repeat
        break;
    }
    return SW_OK;
}

static uint16_t do_fetch(struct call *call)
{
    if (!applet_fetch(&call->card->applet, &call->port, call->response))
        return SW_CONDITIONS;
    return SW_OK;
}

static uint16_t do_terminal_response(struct call *call)
{
    applet_terminal_response(&call->card->applet, &call->port, call->apdu.data);
    return SW_OK;
}

// --- the table of commands -------------------------------------------------------------------

struct command_row {
    uint8_t cla; // without the logical channel, of which there is one
    uint8_t ins;
    bool may_announce; // 91 xx may take the place of 90 00
    uint16_t (*run)(struct call *call);
};

static const struct command_row commands[] = {
    {0x00, INS_SELECT, true, do_select},
    {0x80, INS_STATUS, true, do_status},
    {0x00, INS_READ_BINARY, true, do_read_binary},
    {0x00, INS_READ_RECORD, true, do_read_record},
    {0x00, INS_UPDATE_BINARY, true, do_update_binary},
    {0x00, INS_UPDATE_RECORD, true, do_update_record},
    {0x00, INS_VERIFY_PIN, true, do_verify},
    {0x00, INS_AUTHENTICATE, true, do_authenticate},
    {0x80, INS_TERMINAL_PROFILE, true, do_terminal_profile},
    {0x80, INS_ENVELOPE, true, do_envelope},
    {0x80, INS_FETCH, false, do_fetch}, // TERMINAL RESPONSE comes first
    {0x80, INS_TERMINAL_RESPONSE, true, do_terminal_response},
};

static uint16_t run(struct call *call)
{
    bool is_known_class = false;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        is_known_class = is_known_class || commands[i].cla == call->apdu.cla;
        if (commands[i].ins != call->apdu.ins || commands[i].cla != call->apdu.cla)
            continue;
        uint16_t sw = commands[i].run(call);
        if (sw != SW_OK || !commands[i].may_announce || call->card->nvm.is_cut)
            return sw;
        size_t waiting = applet_pending(&call->card->applet, &call->port);
        return waiting == 0 ? SW_OK : (uint16_t)(SW_OK_PROACTIVE | (waiting & 0xFF));
    }
    if (is_known_class)
        return SW_INS_NOT_SUPPORTED;
    return (call->apdu.cla & 0x70) == 0 && (call->apdu.cla & 0x03) != 0 ? SW_CHANNEL_NOT_SUPPORTED
                                                                        : SW_CLA_NOT_SUPPORTED;
}

static uint16_t exchange(struct card *card, struct bytes command, struct writer *response)
{
    struct call call = {.card = card, .port = card_port(card), .response = response};
    if (apdu_read(command, &call.apdu) != APDU_OK)
        return SW_WRONG_LENGTH;
    size_t before = response->len;
    uint16_t sw = run(&call);
    if (card->nvm.is_cut) {
        card->is_powered = false;
        response->len = before;
        return CARD_MUTE;
    }
    return sw;
}

uint16_t card_exchange(struct card *card, struct bytes command, struct writer *response)
{
    if (!card->is_powered)
        return CARD_MUTE;
    const size_t before = response->len;
    uint16_t sw = exchange(card, command, response);
    struct card_shop *shop = card->shop;
    if (shop->seen != NULL) {
        struct bytes answer = bytes_slice(writer_bytes(response), before, SIZE_MAX);
        struct card_seen seen = {.card = card, .command = command, .response = answer, .sw = sw};
        shop->seen(shop->seen_context, &seen);
    }
    return sw;
}

// --- T=0 -------------------------------------------------------------------------------------

static uint16_t get_response(struct card_t0 *t0, size_t wanted, struct writer *response)
{
    if (t0->len == 0)
        return SW_CONDITIONS;
    if (wanted != t0->len)
        return (uint16_t)(SW_WRONG_LE | (t0->len & 0xFF));
    writer_copy(response, bytes_of(t0->octets, t0->len));
    t0->len = 0;
    return t0->sw;
}

uint16_t card_t0_exchange(struct card *card, struct card_t0 *t0, struct bytes command,
                          struct writer *response)
{
    struct apdu apdu;
    bool is_read = apdu_read(command, &apdu) == APDU_OK;
    if (!card->is_powered)
        return CARD_MUTE;
    if (is_read && apdu.ins == INS_GET_RESPONSE)
        return get_response(t0, apdu.le, response);
    struct writer w = writer_of(t0->octets, sizeof t0->octets);
    t0->len = 0;
    uint16_t sw = card_exchange(card, command, &w);
    if (w.len == 0)
        return sw;
    if (is_read && apdu.data.len == 0) {
        // A command that only reads gives its octets at once.
        writer_copy(response, writer_bytes(&w));
        return sw;
    }
    t0->len = w.len;
    t0->sw = sw;
    return (uint16_t)(SW_DATA_AVAILABLE | (w.len & 0xFF));
}

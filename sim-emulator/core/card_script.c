// Scripts of remote management [102.226 §5, §7]: commands on files, one after the other, until one
// fails.
#include "sim-emulator/core/card_call.h"

#include "common/base/check.h"
#include "common/wire/remote.h"

// A script at work: where it is in the files, and what GET RESPONSE would give.
struct script {
    struct call call;
    struct card_channel channel;
    struct uicc_pins pins;
    enum remote_format format;
    uint8_t waiting[CARD_RESPONSE_MAX];
    size_t waiting_len;
};

static uint16_t (*command_of(uint8_t cla, uint8_t ins))(struct call *call)
{
    // The commands of remote file management [102.226 §7.1].
    static const struct {
        uint8_t cla;
        uint8_t ins;
        uint16_t (*run)(struct call *call);
    } commands[] = {
        {0x00, INS_SELECT, call_select},
        {0x00, INS_READ_BINARY, call_read_binary},
        {0x00, INS_UPDATE_BINARY, call_update_binary},
        {0x00, INS_READ_RECORD, call_read_record},
        {0x00, INS_UPDATE_RECORD, call_update_record},
        {0x00, INS_SEARCH_RECORD, call_search_record},
        {0x80, INS_INCREASE, call_increase},
        {0x00, INS_VERIFY_PIN, call_verify},
        {0x00, INS_CHANGE_PIN, call_change},
        {0x00, INS_DISABLE_PIN, call_disable},
        {0x00, INS_ENABLE_PIN, call_enable},
        {0x00, INS_UNBLOCK_PIN, call_unblock},
        {0x00, INS_DEACTIVATE_FILE, call_deactivate},
        {0x00, INS_ACTIVATE_FILE, call_activate},
        {0x00, INS_CREATE_FILE, call_create},
        {0x00, INS_DELETE, call_delete},
        {0x80, INS_RESIZE_FILE, call_resize},
    };
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (commands[i].cla == cla && commands[i].ins == ins)
            return commands[i].run;
    }
    return NULL;
}

// P3 00 of a reading command asks for everything to the end of the file.
static uint16_t read_to_the_end(struct call *call)
{
    uint16_t sw = SW_OK;
    for (bool is_first = true; sw == SW_OK; is_first = false) {
        size_t before = call->response->len;
        call->apdu.le = APDU_LE_MAX;
        sw = call_read_binary(call);
        size_t len = call->response->len - before;
        if (!is_first && sw == SW_WRONG_OFFSET)
            return SW_OK;
        if (sw != SW_OK || len < APDU_LE_MAX || (call->apdu.p1 & 0x80) != 0)
            return sw;
        size_t offset = ((size_t)call->apdu.p1 << 8 | call->apdu.p2) + len;
        call->apdu.p1 = (uint8_t)(offset >> 8);
        call->apdu.p2 = (uint8_t)offset;
    }
    return sw;
}

static uint16_t get_response(struct script *s)
{
    size_t len = s->call.apdu.le;
    if (s->waiting_len == 0)
        return SW_CONDITIONS;
    if (len == APDU_LE_MAX)
        len = s->waiting_len;
    if (len > s->waiting_len)
        return (uint16_t)(SW_WRONG_LE | (s->waiting_len & 0xFF));
    writer_copy(s->call.response, bytes_of(s->waiting, len));
    s->waiting_len = 0;
    return SW_OK;
}

static uint16_t execute(struct script *s, const struct apdu *apdu, struct writer *response)
{
    s->call.apdu = *apdu;
    s->call.response = response;
    if (apdu->cla == 0x00 && apdu->ins == INS_GET_RESPONSE)
        return get_response(s);
    s->waiting_len = 0;
    // Selection by name would leave the files that this TAR stands for.
    if (apdu->ins == INS_SELECT && apdu->p1 == 0x04)
        return SW_FUNCTION_NOT_SUPPORTED;
    uint16_t (*run)(struct call * call) = command_of(apdu->cla, apdu->ins);
    if (run == NULL)
        return SW_INS_NOT_SUPPORTED;
    if (run == call_read_binary && apdu->le == APDU_LE_MAX)
        return read_to_the_end(&s->call);
    size_t before = response->len;
    uint16_t sw = run(&s->call);
    size_t len = response->len - before;
    // As in T=0, the answer to a command with data waits for GET RESPONSE.
    bool waits = s->format == REMOTE_COMPACT && apdu->data.len > 0 && len > 0;
    if (!waits)
        return sw;
    check(len <= sizeof s->waiting);
    memcpy(s->waiting, response->at + before, len);
    s->waiting_len = len;
    response->len = before;
    return (uint16_t)(SW_DATA_AVAILABLE | (len & 0xFF));
}

static bool is_good(uint16_t sw)
{
    uint16_t class = sw & 0xFF00;
    return sw == SW_OK || class == SW_DATA_AVAILABLE || class == SW_WARNING;
}

void remote_run(struct call *call, const struct product_target *target, struct bytes octets,
                struct writer *answer)
{
    struct remote_script script = remote_open(octets);
    const struct uicc_pin_store pins = call_pin_store(call->card);
    struct script s = {.call = *call, .format = script.format};
    s.channel = (struct card_channel){
        .is_open = true, .application = target->folder, .folder = target->folder};
    s.call.channel = &s.channel;
    uicc_pins_mount(&s.pins, &pins);
    s.call.pins = &s.pins;
    s.call.granted = target->granted;
    struct card_changes changes = {.mode = target->refresh};
    s.call.changes = &changes;
    s.call.is_exact = false;
    struct remote_answer out = remote_answer_begin(answer, script.format);
    struct remote_item item;
    bool goes_on = true;
    while (goes_on && remote_next(&script, &item)) {
        uint8_t data[SMS_PACKET_MAX];
        struct writer response = writer_of(data, sizeof data);
        // Immediate and error actions, and chaining, are not done: they are passed over.
        if (item.kind != REMOTE_COMMAND)
            continue;
        uint16_t sw = execute(&s, &item.apdu, &response);
        if (response.failed && sw == SW_OK)
            sw = SW_MORE_DATA; // longer than what can be sent
        goes_on = is_good(sw) && !call->card->nvm.is_cut;
        remote_answer_add(&out, sw, writer_bytes(&response));
    }
    if (goes_on && script.error != REMOTE_OK)
        remote_answer_bad_format(&out, script.error);
    remote_answer_end(&out);
    uicc_pins_adopt(call->pins, &pins);
    call->files = s.call.files;
    if (changes.mode != TARGET_NO_REFRESH && (changes.len > 0 || changes.is_more))
        outbox_refresh(call, &changes);
}

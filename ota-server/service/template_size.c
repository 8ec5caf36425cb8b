#include "ota-server/service/template_size.h"

#include "common/wire/sms.h"
#include "ota-server/core/message.h"

#include <stdlib.h>

#define UPDATE_MAX 255 // octets of one UPDATE BINARY [102.221 §11.1.4]
#define APDU_HEADER 5
// Of a command packet, before what is ciphered, and the ciphered part of the header: counter,
// padding counter, checksum of 8 [102.225 §5.1].
#define PACKET_CLEAR 10
#define PACKET_SECRET 14

static const struct {
    const char *name;
    size_t len;
} placeholders[TEMPLATE_PLACEHOLDERS] = {
    {"ICCID", 10},  // EF.ICCID [102.221 §13.2]
    {"IMSI", 9},    // EF.IMSI [31.102 §4.2.2]
    {"ACC", 2},     // EF.ACC [31.102 §4.2.15]
    {"MSISDN", 14}, // EF.MSISDN without the name [31.102 §4.2.26]
    {"SMSC", 12},   // service centre address of EF.SMSP [31.102 §4.2.27]
    {"MNC_LENGTH", 1},
};

const char *template_placeholder_name(unsigned index)
{
    return placeholders[index].name;
}

// The placeholder that `text` begins with, as far as the closing brace; -1 for none.
static int placeholder_at(struct bytes text, size_t *len)
{
    for (int i = 0; i < TEMPLATE_PLACEHOLDERS; i++) {
        const size_t name_len = strlen(placeholders[i].name);
        if (text.len >= name_len + 2 && text.at[0] == '{' && text.at[name_len + 1] == '}' &&
            memcmp(text.at + 1, placeholders[i].name, name_len) == 0) {
            *len = name_len + 2;
            return i;
        }
    }
    return -1;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

// Octets of the content once it is filled in; false when it has no such form.
static bool measure(struct bytes content, size_t *octets, unsigned *set)
{
    *octets = 0;
    *set = 0;
    for (size_t at = 0; at < content.len;) {
        size_t len = 2;
        const int found = placeholder_at(bytes_slice(content, at, content.len), &len);
        if (found >= 0) {
            *set |= 1u << found;
            *octets += placeholders[found].len;
        } else if (at + 1 < content.len && is_hex(content.at[at]) && is_hex(content.at[at + 1])) {
            (*octets)++;
        } else {
            return false;
        }
        at += len;
    }
    return true;
}

bool template_content_check(struct bytes content)
{
    size_t octets;
    unsigned set;
    return measure(content, &octets, &set);
}

unsigned template_placeholders(struct bytes content)
{
    size_t octets;
    unsigned set;
    return measure(content, &octets, &set) ? set : 0;
}

// One SELECT by path, and as many UPDATE BINARY as the content needs.
static size_t file_octets(const json_t *file)
{
    struct bytes content = {0};
    size_t octets = 0;
    unsigned set = 0;
    const size_t path_len = json_string_length(json_object_get(file, "fileId")) / 2;
    if (json_get_text(file, "content", &content) != JSON_FOUND || !measure(content, &octets, &set))
        return 0;
    const size_t updates = (octets + UPDATE_MAX - 1) / UPDATE_MAX;
    return APDU_HEADER + path_len + updates * APDU_HEADER + octets;
}

static size_t sms_of(size_t packet_len)
{
    const struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    return sms_cut_count(&cut, packet_len);
}

static void measure_full(const json_t *files, struct template_sizes *out)
{
    size_t script = 0;
    size_t i;
    const json_t *file;
    json_array_foreach(files, i, file)
    {
        script += file_octets(file);
    }
    const size_t block = CIPHER_AES_BLOCK;
    out->full_octets = PACKET_CLEAR + (PACKET_SECRET + script + block - 1) / block * block;
    out->full_sms = sms_of(out->full_octets);
}

static bool fill_plan(uint8_t number, const struct template_values *v, struct download_plan *p)
{
    p->template_number = number;
    p->has_mnc_length = true;
    p->mnc_length = v->mnc_length;
    p->has_iccid = v->iccid[0] != '\0';
    memcpy(p->number, v->msisdn, sizeof(p->number));
    memcpy(p->smsc, v->smsc, sizeof(p->smsc));
    return imsi_write(v->imsi, p->imsi) && (!p->has_iccid || iccid_write(v->iccid, p->iccid));
}

// Only lengths count here, so every key is zero.
static bool measure_command(uint8_t number, const struct template_values *values,
                            const struct cipher *cipher, struct template_sizes *out)
{
    const struct secret_key zero = {.len = 16};
    const struct card_keys keys = {.version = 1,
                                   .kic = zero,
                                   .kid = zero,
                                   .kik = zero,
                                   .spi1 = 0x16,
                                   .spi2 = 0x39,
                                   .cmac_len = 8};
    const struct network_keys network = {.k = zero, .op = zero};
    const struct send send = {
        .command = COMMAND_DOWNLOAD, .kind = FLIGHT_OPERATION, .operation_id = 1, .operation = 1};
    uint8_t packet[MESSAGE_SCRATCH];
    struct writer w = writer_of(packet, sizeof(packet));
    struct record *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return false;
    r->has_open = true;
    r->open.id = send.operation;
    const bool ok = fill_plan(number, values, &r->open.download) &&
                    message_build(cipher, &keys, r, &send, &network, &w) == MESSAGE_OK;
    free(r);
    out->command_octets = w.len;
    out->command_sms = sms_of(w.len);
    return ok;
}

bool template_sizes_find(const json_t *files, uint8_t number, const struct template_values *values,
                         const struct cipher *cipher, struct template_sizes *out)
{
    measure_full(files, out);
    return measure_command(number, values, cipher, out);
}

size_t template_full_octets(struct bytes body)
{
    struct template_sizes sizes = {0};
    json_t *root = NULL;
    if (json_read(body, &root) == JSON_READ_OK)
        measure_full(json_object_get(root, "files"), &sizes);
    json_decref(root);
    return sizes.full_octets;
}

uint64_t template_saved(const struct template_sizes *sizes)
{
    if (sizes->command_octets >= sizes->full_octets)
        return 0;
    return 1000 - (uint64_t)sizes->command_octets * 1000 / sizes->full_octets;
}

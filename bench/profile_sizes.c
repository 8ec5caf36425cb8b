// How many octets and short messages a profile takes: as one DOWNLOAD, by what it carries; and what
// the templates of a card product (its file is the argument) spare. Markdown tables.
#include "common/base/check.h"
#include "common/wire/command.h"
#include "common/wire/secured.h"
#include "sim-emulator/core/product_read.h"

#include <stdio.h>

#define SPI1 0x16
#define AES_SET 0x12
#define CHECK_LEN 8
#define TEXT_MAX 65536

static const uint8_t number[7] = {0x91, 0x99, 0x99, 0x00, 0x00, 0x10, 0xF0};
static const uint8_t plmns[15];
static uint8_t keys[COMMAND_KEYS_MAX];

struct carried {
    const char *what;
    size_t keys_len;
    bool has_smsc, has_msisdn, has_iccid, has_mnc, has_plmns;
};

static size_t messages(size_t packet_len)
{
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    return sms_cut_count(&cut, packet_len);
}

static void download_row(const struct carried *c)
{
    struct command command = {.number = COMMAND_DOWNLOAD, .operation_id = 1};
    struct command_download *d = &command.download;
    d->template_number = 1;
    d->imsi[0] = 8;
    d->imsi[1] = 0x09;
    d->wrapped_keys = bytes_of(keys, c->keys_len);
    d->iccid.is_iccid = true;
    d->iccid.is_given = c->has_iccid;
    d->smsc = bytes_of(number, c->has_smsc ? sizeof number : 0);
    d->msisdn = bytes_of(number, c->has_msisdn ? sizeof number : 0);
    d->plmns = bytes_of(plmns, c->has_plmns ? sizeof plmns : 0);
    d->has_mnc_length = c->has_mnc;
    d->mnc_length = 2;
    uint8_t body[COMMAND_BODY_MAX];
    struct writer w = writer_of(body, sizeof body);
    command_write(&w, &command);
    check(!w.failed);
    size_t packet = secured_command_len(SPI1, AES_SET, AES_SET, CHECK_LEN, w.len);
    (void)printf("| %s | %zu | %zu | %zu |\n", c->what, w.len, packet, messages(packet));
}

static void template_row(const struct product_template *t)
{
    size_t content = 0;
    size_t commands = 0;
    for (size_t i = 0; i < t->overrides.count; i++) {
        content += t->overrides.at[i].content.len;
        // By remote management of files: SELECT with 2 octets, UPDATE with its content.
        commands += 5 + 2 + 5 + t->overrides.at[i].content.len;
    }
    size_t packet = secured_command_len(SPI1, AES_SET, AES_SET, CHECK_LEN, commands);
    (void)printf("| %u | %zu | %zu | %zu |\n", t->number, t->overrides.count, content,
                 messages(packet));
}

int main(int argc, char **argv)
{
    static const struct carried rows[] = {
        {"Milenage; the rest from the template", 32, false, false, false, false, false},
        {"and its service centre", 32, true, false, false, false, false},
        {"and its number", 32, true, true, false, false, false},
        {"and its ICCID", 32, true, true, true, false, false},
        {"and the length of its MNC", 32, true, true, true, true, false},
        {"and three home networks", 32, true, true, true, true, true},
        {"TUAK with K of 128 bits; the rest from the template", 48, false, false, false, false,
         false},
        {"TUAK with K of 256 bits; the rest from the template", 64, false, false, false, false,
         false},
        {"TUAK with K of 256 bits and all of the above", 64, true, true, true, true, true},
    };
    static uint8_t text[TEXT_MAX];
    static struct product_image image;
    (void)printf("| DOWNLOAD | octets | packet | messages |\n|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        download_row(&rows[i]);
    if (argc != 2)
        return 0;
    FILE *file = fopen(argv[1], "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "profile-sizes: cannot read %s\n", argv[1]);
        return 1;
    }
    size_t len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    struct product_error error;
    if (!product_read(bytes_of(text, len), &image, &error)) {
        (void)fprintf(stderr, "%s:%u:%u: %s\n", argv[1], error.line, error.column, error.reason);
        return 1;
    }
    (void)printf(
        "\n| template | files | octets | messages to send them instead |\n|---|---|---|---|\n");
    for (size_t i = 0; i < image.product.template_count; i++)
        template_row(&image.product.templates[i]);
    return 0;
}

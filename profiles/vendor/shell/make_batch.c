#include "profiles/vendor/shell/make_batch.h"

#include "common/base/prng.h"
#include "common/base/text.h"

#include <inttypes.h>
#include <string.h>

#define LINE_SIZE 1024
#define KEY_SIZE 16
#define POOL_OFFSET MAKE_COUNT_MAX

struct making {
    const struct make_options *o;
    void *stream;
    struct prng prng;
    struct writer line;
    char text[LINE_SIZE];
    char separator;
    bool is_failed;
};

static void put(struct making *m, const char *text)
{
    if (m->line.len > 0)
        writer_u8(&m->line, (uint8_t)m->separator);
    text_put(&m->line, text);
}

static void put_octets(struct making *m, const uint8_t *octets, size_t len)
{
    if (m->line.len > 0)
        writer_u8(&m->line, (uint8_t)m->separator);
    text_hex_upper(&m->line, bytes_of(octets, len));
}

// A prefix and a serial number of `digits` digits.
static void put_number(struct making *m, const char *prefix, uint64_t serial, int digits)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%s%0*" PRIu64, prefix, digits, serial);
    put(m, text);
}

// 89999, 14 digits of serial number, and the check digit [E.118 Annex B].
static void put_iccid(struct making *m, uint64_t serial)
{
    char text[32];
    unsigned sum = 0;
    (void)snprintf(text, sizeof text, "89999%014" PRIu64, serial);
    for (size_t i = 0; i < 19; i++) {
        unsigned digit = (unsigned)(text[18 - i] - '0');
        unsigned doubled = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += i % 2 == 0 ? doubled : digit;
    }
    text[19] = (char)('0' + (10 - sum % 10) % 10);
    text[20] = '\0';
    put(m, text);
}

static void draw(struct making *m, uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        octets[i] = (uint8_t)prng_below(&m->prng, 256);
}

static void draw_digits(struct making *m, char text[9])
{
    (void)snprintf(text, 9, "%08u", (unsigned)prng_below(&m->prng, 100000000));
}

static bool check_value(const struct make_options *o, const struct secret_key *key, uint8_t kcv[3])
{
    uint8_t ones[CIPHER_AES_BLOCK];
    uint8_t block[CIPHER_AES_BLOCK];
    memset(ones, 1, sizeof ones);
    bool good = o->cipher->aes_block(o->cipher->context, key, ones, block);
    memcpy(kcv, block, 3);
    return good;
}

static void put_enciphered(struct making *m, const struct secret_key *transport, uint8_t *octets)
{
    static const uint8_t iv[CIPHER_AES_BLOCK] = {0};
    const struct cipher *c = m->o->cipher;
    m->is_failed =
        m->is_failed || !c->cbc_encrypt(c->context, CIPHER_AES, transport, iv, octets, KEY_SIZE);
    put_octets(m, octets, KEY_SIZE);
}

static void put_key(struct making *m, const struct secret_key *transport, uint8_t kcv[3])
{
    struct secret_key key = {.len = KEY_SIZE};
    draw(m, key.octets, KEY_SIZE);
    if (kcv != NULL)
        m->is_failed = m->is_failed || !check_value(m->o, &key, kcv);
    put_enciphered(m, transport, key.octets);
}

static void put_adm(struct making *m)
{
    uint8_t block[KEY_SIZE] = {[8] = 0x80};
    char digits[9];
    draw_digits(m, digits);
    memcpy(block, digits, 8);
    put_enciphered(m, &m->o->transport_ota, block);
}

static void end_line(struct making *m)
{
    writer_u8(&m->line, '\n');
    m->is_failed = m->is_failed || m->line.failed ||
                   !m->o->digest->add(m->stream, writer_bytes(&m->line)) ||
                   fwrite(m->text, 1, m->line.len, m->o->to) != m->line.len;
    m->line = writer_of(m->text, sizeof m->text);
}

static void make_card(struct making *m, uint64_t serial)
{
    char digits[9];
    uint8_t kcv[9];
    char acc[5];
    prng_init(&m->prng, m->o->seed, "card", serial);
    put_iccid(m, serial);
    put_number(m, "99970", serial, 10);
    put_number(m, "999", serial, 10);
    (void)snprintf(acc, sizeof acc, "%04X", 1U << serial % 10);
    put(m, acc);
    put(m, "0000");
    draw_digits(m, digits);
    put(m, digits);
    put_adm(m);
    put_key(m, &m->o->transport_auc, NULL);
    put_key(m, &m->o->transport_auc, NULL);
    put_number(m, "00101", serial, 10);
    put_key(m, &m->o->transport_auc, NULL);
    put_key(m, &m->o->transport_auc, NULL);
    put_key(m, &m->o->transport_ota, kcv);
    put_key(m, &m->o->transport_ota, kcv + 3);
    put_key(m, &m->o->transport_ota, kcv + 6);
    put_octets(m, kcv, sizeof kcv);
    end_line(m);
}

static void make_subscription(struct making *m, uint64_t serial)
{
    prng_init(&m->prng, m->o->seed, "pool", serial);
    put_iccid(m, serial + POOL_OFFSET);
    put_number(m, "00101", serial + POOL_OFFSET, 10);
    put_number(m, "999", serial + POOL_OFFSET, 10);
    put_key(m, &m->o->transport_auc, NULL);
    put_key(m, &m->o->transport_auc, NULL);
    end_line(m);
}

static bool start(struct making *m, const struct make_options *o, char separator)
{
    *m = (struct making){.o = o, .separator = separator};
    m->line = writer_of(m->text, sizeof m->text);
    m->stream = o->digest->open();
    return m->stream != NULL;
}

// The trailer, and whether all went well.
static bool finish(struct making *m, const char *prefix)
{
    uint8_t digest[CIPHER_SHA256_SIZE];
    char hex[2 * CIPHER_SHA256_SIZE + 1];
    struct writer out = writer_of(hex, sizeof hex);
    bool good = !m->is_failed && m->o->digest->finish(m->stream, digest);
    if (good) {
        text_hex(&out, bytes_of(digest, sizeof digest));
        good = fprintf(m->o->to, "%sRecords: %" PRIu64 "\n%sSHA256-DATA: %s\n", prefix, m->o->count,
                       prefix, text_end(&out)) > 0;
    }
    m->o->digest->close(m->stream);
    return good && fflush(m->o->to) == 0;
}

bool make_cards(const struct make_options *o)
{
    struct making m;
    uint8_t auc[3];
    uint8_t ota[3];
    if (!check_value(o, &o->transport_auc, auc) || !check_value(o, &o->transport_ota, ota) ||
        !start(&m, o, ' '))
        return false;
    m.is_failed =
        fprintf(o->to,
                "* Fictional cards of the test networks 999-70 and 001-01, seed %" PRIu64 "\n"
                "File-Version: 3.2\nCustomer: %s\nBatch: %s\nQuantity: %" PRIu64 "\n"
                "Card-Type: UICC-M2M-240K\nProduced: 20260101T000000Z\nOutput-Target: OTA+AUC\n"
                "Transport-Key-AUC: 07 AES128-CBC IV=0 KCV=%02X%02X%02X\n"
                "Transport-Key-OTA: 12 AES128-CBC IV=0 KCV=%02X%02X%02X\n"
                "OTA-Keyset: KVN=01 KIC-ALG=AES-CBC KID-ALG=AES-CMAC CNTR=0000000000\n"
                "OTA-Security: SPI=1639 MSL=16\n"
                "Applet-SM: AID=F0000000015344FF49FF8900534D0100 TAR=534D01 VER=2.4.0 SLOTS=8 "
                "TEMPLATES=01,02\n"
                "Bootstrap: SLOT=1 STATE=ENABLED FALLBACK=YES\n"
                "Operational: SLOT=2 STATE=DISABLED FALLBACK=NO\n"
                "ICCID-Format: 20D LUHN\n"
                "Start-IMSI1: 99970%010" PRIu64 "\nStart-IMSI2: 00101%010" PRIu64 "\n"
                "Var_Out: ICCID/IMSI1/MSISDN1/ACC/PIN1/PUK1/ADM1/KI1/OPC1/IMSI2/KI2/OPC2/KIC1/KID1/"
                "KIK1/KCV\n"
                "Encrypted: KI1=07 OPC1=07 KI2=07 OPC2=07 ADM1=12 KIC1=12 KID1=12 KIK1=12\n*DATA\n",
                o->seed, o->customer, o->batch, o->count, auc[0], auc[1], auc[2], ota[0], ota[1],
                ota[2], o->first, o->first) < 0;
    for (uint64_t i = 0; i < o->count && !m.is_failed; i++)
        make_card(&m, o->first + i);
    m.is_failed = m.is_failed || fputs("*END\n", o->to) < 0;
    return finish(&m, "");
}

bool make_pool(const struct make_options *o)
{
    struct making m;
    uint8_t auc[3];
    if (!check_value(o, &o->transport_auc, auc) || !start(&m, o, ','))
        return false;
    m.is_failed = fprintf(o->to,
                          "#Kind: POOL\n#File-Version: 3.2\n#Customer: %s\n"
                          "#Operator: TEST-001-01\n#Batch: %s\n#Quantity: %" PRIu64 "\n"
                          "#ICCID-Format: 20D LUHN\n"
                          "#Transport-Key-AUC: 07 AES128-CBC IV=0 KCV=%02X%02X%02X\n"
                          "#Encrypted: ki=07 opc=07\niccid,imsi,msisdn,ki,opc\n",
                          o->customer, o->batch, o->count, auc[0], auc[1], auc[2]) < 0;
    for (uint64_t i = 0; i < o->count && !m.is_failed; i++)
        make_subscription(&m, o->first + i);
    return finish(&m, "#");
}

// vendor-make: the program around make_batch.h.
#include "common/base/text.h"
#include "common/host/cipher_openssl.h"
#include "profiles/vendor/shell/digest_host.h"
#include "profiles/vendor/shell/make_batch.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>

const char *argp_program_version = "vendor-make (otaria) 0.1.0";

static const char doc[] =
    "Writes a vendor file of fictional cards (layout varout), or of subscriptions for a pool (CSV)."
    "\vTest networks 999-70 and 001-01 only. All keys follow from the seed, and unless given the "
    "transport keys are published ones: 07 (AUC) 00112233445566778899AABBCCDDEEFF, check value "
    "3544E0; 12 (OTA) 0F1E2D3C4B5A69788796A5B4C3D2E1F0, check value 8F93D8. Never load such a file "
    "where real cards are served. The matching vendor profile is "
    "profiles/vendor/samples/alder.json.";

enum {
    OPTION_AUC = 256,
    OPTION_OTA,
};

static const struct argp_option options[] = {
    {"count", 'n', "N", 0, "number of records (default 1000)", 0},
    {"pool", 'p', NULL, 0, "subscriptions for a pool instead of cards", 0},
    {"batch", 'b', "ID", 0, "batch id (default DEMO001)", 0},
    {"customer", 'c', "NAME", 0, "customer (default NORDWIND-IOT)", 0},
    {"seed", 's', "N", 0, "where all keys and codes come from (default 1)", 0},
    {"first", 'f', "N", 0, "serial number of the first record (default 1)", 0},
    {"output", 'o', "FILE", 0, "file to write (default: standard output)", 0},
    {"transport-auc", OPTION_AUC, "HEX", 0, "transport key 07", 0},
    {"transport-ota", OPTION_OTA, "HEX", 0, "transport key 12", 0},
    {0},
};

struct arguments {
    struct make_options make;
    const char *output;
    bool is_pool;
};

static uint64_t number_of(struct argp_state *state, const char *text, uint64_t min)
{
    uint64_t number = 0;
    if (!text_read_decimal(bytes_of_text(text), &number) || number < min)
        argp_error(state, "expected a number from %u: %s", (unsigned)min, text);
    return number;
}

static struct secret_key key_of(struct argp_state *state, const char *text)
{
    struct secret_key key = {.len = 16};
    struct writer out = writer_of(key.octets, 16);
    if (!text_unhex(bytes_of_text(text), &out) || out.len != 16)
        argp_error(state, "a transport key has 32 hexadecimal digits");
    return key;
}

static const char *word_of(struct argp_state *state, const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > 63)
        argp_error(state, "expected 1 to 63 characters");
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x21 || text[i] > 0x7E)
            argp_error(state, "expected printable characters without spaces");
    return text;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case 'n':
        a->make.count = number_of(state, text, 1);
        return 0;
    case 'p':
        a->is_pool = true;
        return 0;
    case 'b':
        a->make.batch = word_of(state, text);
        return 0;
    case 'c':
        a->make.customer = word_of(state, text);
        return 0;
    case 's':
        a->make.seed = number_of(state, text, 0);
        return 0;
    case 'f':
        a->make.first = number_of(state, text, 1);
        return 0;
    case 'o':
        a->output = text;
        return 0;
    case OPTION_AUC:
        a->make.transport_auc = key_of(state, text);
        return 0;
    case OPTION_OTA:
        a->make.transport_ota = key_of(state, text);
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (a->make.count >= MAKE_COUNT_MAX || a->make.first >= MAKE_COUNT_MAX - a->make.count)
            argp_error(state, "serial numbers end before %llu", MAKE_COUNT_MAX);
        return 0;
    default: // argp's own keys
        return ARGP_ERR_UNKNOWN;
    }
}

static int write_file(struct arguments *a)
{
    a->make.to = a->output != NULL ? fopen(a->output, "wb") : stdout;
    if (a->make.to == NULL) {
        (void)fprintf(stderr, "vendor-make: %s: %s\n", a->output, strerror(errno));
        return EXIT_FAILURE;
    }
    bool good = a->is_pool ? make_pool(&a->make) : make_cards(&a->make);
    if (a->output != NULL && fclose(a->make.to) != 0)
        good = false;
    if (!good)
        (void)fprintf(stderr, "vendor-make: writing failed\n");
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const uint8_t auc[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                    0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF};
    static const uint8_t ota[16] = {0x0F, 0x1E, 0x2D, 0x3C, 0x4B, 0x5A, 0x69, 0x78,
                                    0x87, 0x96, 0xA5, 0xB4, 0xC3, 0xD2, 0xE1, 0xF0};
    const struct argp argp = {.options = options, .parser = parse, .doc = doc};
    struct cipher cipher;
    struct arguments a = {.make = {.cipher = &cipher,
                                   .digest = &vendor_digest_host,
                                   .seed = 1,
                                   .first = 1,
                                   .count = 1000,
                                   .batch = "DEMO001",
                                   .customer = "NORDWIND-IOT",
                                   .transport_auc = secret_key_of(bytes_of(auc, sizeof auc)),
                                   .transport_ota = secret_key_of(bytes_of(ota, sizeof ota))}};
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!cipher_openssl_open(&cipher)) {
        (void)fprintf(stderr, "vendor-make: OpenSSL lacks AES\n");
        return EXIT_FAILURE;
    }
    int status = write_file(&a);
    cipher_openssl_close(&cipher);
    return status;
}

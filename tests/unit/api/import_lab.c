#include "tests/unit/api/import_lab.h"

#include "common/base/text.h"
#include "ota-server/shell/server_crypto.h"
#include "profiles/vendor/shell/digest_host.h"
#include "profiles/vendor/shell/make_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct lab lab;
struct answer a;
char import_id[31];

void ask(const char *method, const char *target, const char *body)
{
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
}

bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

const char *read_sample(const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t len = fread(text, 1, sizeof(text) - 1, file);
    assert_int_equal(fclose(file), 0);
    text[len] = '\0';
    return text;
}

void import_text(const char *query, const char *key, const char *text)
{
    char target[256];
    struct writer w = writer_of(target, sizeof(target));
    text_put(&w, BASE "/batch-imports?vendorProfile=alder");
    text_put(&w, query);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = text_end(&w),
                          .type = "text/plain",
                          .body = text,
                          .key = key},
            &a);
}

void import_sample(const char *query, const char *key)
{
    import_text(query, key, read_sample("tests/samples/alder-0000717.out"));
}

void read_import(const char *part, const char *accept)
{
    char target[256];
    const char *id = strstr(import_id, "imp_");
    struct writer w = writer_of(target, sizeof(target));
    text_put(&w, BASE "/batch-imports/");
    text_put(&w, id != NULL ? id : "none");
    text_put(&w, part);
    lab_ask(&lab, &(struct ask){.method = "GET", .target = text_end(&w), .accept = accept}, &a);
}

void run_import(void)
{
    const char *id = strstr(a.body, "imp_");
    assert_int_equal(a.status, 202);
    assert_non_null(id);
    memcpy(import_id, id, sizeof(import_id) - 1);
    lab_run_imports(&lab);
    read_import("", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"status\":\"ENDED\""));
}

void load_transport_keys(void)
{
    ask("POST", BASE "/transport-keys",
        "{\"index\":7,\"algorithm\":\"AES128-CBC\",\"components\":["
        "\"00112233445566778899AABBCCDDEEFF\",\"00000000000000000000000000000000\"]}");
    assert_int_equal(a.status, 201);
    assert_false(has("0011"));
    ask("POST", BASE "/transport-keys",
        "{\"index\":12,\"algorithm\":\"AES128-CBC\",\"components\":["
        "\"0F1E2D3C4B5A69788796A5B4C3D2E1F0\",\"00000000000000000000000000000000\"]}");
    assert_int_equal(a.status, 201);
}

const char *make_batch(const char *name, uint64_t count, uint64_t seed)
{
    static char path[] = "/tmp/otaria-batch-XXXXXX";
    struct server_crypto crypto;
    static const uint8_t auc[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                    0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF};
    static const uint8_t ota[16] = {0x0F, 0x1E, 0x2D, 0x3C, 0x4B, 0x5A, 0x69, 0x78,
                                    0x87, 0x96, 0xA5, 0xB4, 0xC3, 0xD2, 0xE1, 0xF0};
    assert_true(server_crypto_open(&crypto));
    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    const struct make_options options = {.cipher = crypto.store.cipher,
                                         .digest = &vendor_digest_host,
                                         .to = fdopen(fd, "wb"),
                                         .seed = seed,
                                         .first = 1,
                                         .count = count,
                                         .batch = name,
                                         .customer = "NORDWIND-IOT",
                                         .transport_auc = secret_key_of(bytes_of(auc, 16)),
                                         .transport_ota = secret_key_of(bytes_of(ota, 16))};
    assert_non_null(options.to);
    assert_true(make_cards(&options));
    assert_int_equal(fclose(options.to), 0);
    server_crypto_close(&crypto);
    return path;
}

void order(const char *file, const char *query, const char *key)
{
    import_text(query, key, read_sample(file));
}

void open_prepared(bool single_person)
{
    lab_open_imports(&lab, "all", single_person);
    ask("POST", BASE "/vendor-profiles", read_sample("profiles/vendor/samples/alder.json"));
    assert_int_equal(a.status, 201);
    load_transport_keys();
}

void step_once(void)
{
    assert_true(import_jobs_wait(lab.imports));
    api_step(lab.api);
    lab_turn(&lab);
}

#include "common/base/text.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>

#define BASE "/connectivity-management/v1"

static struct lab lab;
static struct answer a;

static void ask(const char *method, const char *target, const char *body)
{
    lab_ask(&lab, &(struct ask){.method = method, .target = target, .body = body}, &a);
}

static bool has(const char *text)
{
    return strstr(a.body, text) != NULL;
}

static const char *read_sample(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t len = fread(text, 1, sizeof(text) - 1, file);
    assert_int_equal(fclose(file), 0);
    text[len] = '\0';
    return text;
}

static void import_sample(const char *query, const char *key)
{
    char target[256];
    struct writer w = writer_of(target, sizeof(target));
    text_put(&w, BASE "/batch-imports?vendorProfile=alder");
    text_put(&w, query);
    lab_ask(&lab,
            &(struct ask){.method = "POST",
                          .target = text_end(&w),
                          .type = "text/plain",
                          .body = read_sample("tests/samples/alder-0000717.out"),
                          .key = key},
            &a);
}

static void load_transport_keys(void)
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

static void a_vendor_file_is_tried_loaded_and_known_again(void **state)
{
    (void)state;
    lab_open(&lab, "all", true);
    import_sample("", "imp-0000717");
    assert_int_equal(a.status, 404);
    ask("POST", BASE "/vendor-profiles", read_sample("profiles/vendor/samples/alder.json"));
    assert_int_equal(a.status, 201);
    import_sample("", "imp-0000718");
    assert_int_equal(a.status, 202);
    assert_true(has("\"outcome\":\"REFUSED\"") && has("IMP-110"));
    load_transport_keys();
    import_sample("&dryRun=true", "imp-0000719");
    assert_true(has("\"outcome\":\"DRY_RUN_OK\""));
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":0"));
    import_sample("", "imp-0000720");
    assert_int_equal(a.status, 202);
    assert_true(has("\"outcome\":\"IMPORTED\"") && has("\"loaded\":3"));
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":3") && has("\"state\":\"IMPORTED\""));
    import_sample("", "imp-0000721");
    assert_true(has("\"outcome\":\"ALREADY_IMPORTED\"") && has("\"firstImportId\":\"imp_"));
    ask("GET", BASE "/batch-imports", NULL);
    assert_true(has("\"totalCount\":4"));
    ask("POST", BASE "/batch-imports?vendorProfile=alder", NULL);
    assert_int_equal(a.status, 400); // without a key
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vendor_file_is_tried_loaded_and_known_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

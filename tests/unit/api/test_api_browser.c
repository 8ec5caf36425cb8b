// What answers tell a browser that shows them.
#include "ota-server/service/api_exchange.h"
#include "tests/unit/api/api_lab.h"

static struct lab lab;
static struct answer a;

static int open_all(void **state)
{
    (void)state;
    lab_open(&lab, "cards:read", true);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static bool has_header(const char *text)
{
    return strstr(a.headers, text) != NULL;
}

// Nothing is rendered, framed, sniffed, kept or told on, whatever the answer.
static void each_answer_says_what_a_browser_may_do_with_it(void **state)
{
    (void)state;
    static const struct ask asks[] = {
        {.method = "GET", .target = API_BASE "/cards"},
        {.method = "GET", .target = API_BASE "/cards", .authorization = ""},
        {.method = "GET", .target = "/nothing"},
        {.method = "OPTIONS", .target = API_BASE "/cards"},
        {.method = "GET", .target = "/healthz"},
        {.method = "GET", .target = "/docs/"},
    };
    static const unsigned statuses[] = {200, 401, 404, 204, 200, 200};
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        lab_ask(&lab, &asks[i], &a);
        assert_int_equal(a.status, statuses[i]);
        assert_true(has_header("Cache-Control: no-store\n"));
        assert_true(has_header("X-Content-Type-Options: nosniff\n"));
        assert_true(has_header("Referrer-Policy: no-referrer\n"));
        assert_true(has_header("Strict-Transport-Security: max-age=31536000; includeSubDomains\n"));
        assert_true(has_header("Content-Security-Policy: default-src 'none'; "));
        assert_true(has_header("object-src 'none'; base-uri 'none'; form-action 'none'; "
                               "frame-ancestors 'none'\n"));
        assert_false(has_header("Access-Control-"));
    }
    assert_true(has_header("Content-Type: text/html; charset=utf-8\n"));
}

// What it kept goes with the session [Clear Site Data §3.1].
static void a_log_out_clears_what_a_browser_kept(void **state)
{
    (void)state;
    struct door berta;
    lab_user(&lab, "berta", ROLE_SUPPORT, LAB_TENANT, &berta);
    lab_ask_as(&lab, &berta, "GET", API_BASE "/session", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_false(has_header("Clear-Site-Data"));
    lab_ask_as(&lab, &berta, "DELETE", API_BASE "/session", NULL, &a);
    assert_int_equal(a.status, 204);
    assert_true(has_header("Clear-Site-Data: \"cache\", \"cookies\", \"storage\"\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_answer_says_what_a_browser_may_do_with_it),
        TEST(a_log_out_clears_what_a_browser_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

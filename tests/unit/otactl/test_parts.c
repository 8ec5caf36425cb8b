#include "ota-server/shell/otactl_exit.h"
#include "ota-server/shell/otactl_script.h"
#include "ota-server/shell/otactl_sign.h"
#include "tests/lib/cmocka_all.h"

// --- signing: the two published test values ---

static const char secret[] = "example-appsecret-not-a-real-one-0123456789";

static void digest(const char *body, uint8_t out[32])
{
    struct sha256 *s = sha256_open();
    assert_non_null(s);
    assert_true(sha256_add(s, bytes_of_text(body)));
    assert_true(sha256_finish(s, out));
    sha256_close(s);
}

static void expect_header(const struct auth_signed_request *request, const char *nonce,
                          const char *expected)
{
    const struct ctl_signer s = {crypto_open(), bytes_of_text("AAAAABBBBBCCCCC12345"),
                                 bytes_of_text(secret)};
    char header[CTL_SIGNED_MAX];
    assert_non_null(s.crypto);
    assert_true(ctl_sign(&s, request, (struct utc){1784894400999}, bytes_of_text(nonce), header));
    assert_string_equal(header, expected);
    crypto_close(s.crypto);
}

static void the_published_post_is_signed_as_published(void **state)
{
    (void)state;
    struct auth_signed_request r = {
        .method = bytes_of_text("POST"),
        .authority = bytes_of_text("api.example.com"),
        .path = bytes_of_text("/iot-sim-fraud-prevention/v0.1/bind"),
        .content_type = bytes_of_text("application/json"),
        .correlator = bytes_of_text("demo-0001"),
        .has_body = true,
    };
    digest("{\"device\":{\"phoneNumber\":\"+9990000000001\"},\"bindType\":\"IMEIBIND\"}",
           r.body_sha256);
    expect_header(
        &r, "9f2c4e7ab1d05583",
        "OTA1-HMAC-SHA256 appKey=AAAAABBBBBCCCCC12345,ts=1784894400,nonce=9f2c4e7ab1d05583,"
        "signature=c5d6fe3e1df6f8850050df2fea2555c6728e379982717a1bd04bc365c6ebcabd");
}

static void the_published_get_is_signed_as_published(void **state)
{
    (void)state;
    struct auth_signed_request r = {
        .method = bytes_of_text("GET"),
        .authority = bytes_of_text("api.example.com"),
        .path = bytes_of_text("/connectivity-management/v1/cards"),
        .query = bytes_of_text("page=2&mark=DIRTY&label=a%20b"),
    };
    digest("", r.body_sha256);
    expect_header(
        &r, "9f2c4e7ab1d05584",
        "OTA1-HMAC-SHA256 appKey=AAAAABBBBBCCCCC12345,ts=1784894400,nonce=9f2c4e7ab1d05584,"
        "signature=3644a73d0286efe16b4733464ebbcdfff6305e0287dde3282307433336e1ef85");
}

static void a_path_that_leaves_its_folder_is_not_signed(void **state)
{
    (void)state;
    const struct auth_signed_request r = {.path = bytes_of_text("/cards/../keys")};
    const struct ctl_signer s = {crypto_open(), bytes_of_text("k"), bytes_of_text(secret)};
    char header[CTL_SIGNED_MAX];
    assert_non_null(s.crypto);
    assert_false(ctl_sign(&s, &r, (struct utc){1784894400000}, bytes_of_text("n"), header));
    crypto_close(s.crypto);
}

// --- exit codes ---

static void every_status_has_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        enum ctl_exit exit;
    } rows[] = {{200, 0}, {202, 0}, {299, 0}, {300, 1}, {400, 2}, {401, 4}, {403, 4},
                {404, 3}, {405, 2}, {409, 4}, {412, 4}, {413, 2}, {415, 2}, {422, 4},
                {429, 4}, {499, 2}, {500, 1}, {502, 1}, {503, 5}, {504, 5}, {0, 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(ctl_exit_of_status(rows[i].status), rows[i].exit);
}

static void every_outcome_has_its_exit_code(void **state)
{
    (void)state;
    assert_int_equal(ctl_exit_of_operation("done", ""), 0);
    assert_int_equal(ctl_exit_of_operation("rolled_back", "ROLLED_BACK"), 6);
    assert_int_equal(ctl_exit_of_operation("refused", "REFUSED_AT_SEND"), 4);
    assert_int_equal(ctl_exit_of_operation("expired", NULL), 5);
    assert_int_equal(ctl_exit_of_operation("cancelled", NULL), 4);
    assert_int_equal(ctl_exit_of_operation("unresolved", "OTA_TIMEOUT"), 5);
    assert_int_equal(ctl_exit_of_operation("failed", "CARD_REFUSED"), 6);
    assert_int_equal(ctl_exit_of_operation("failed", "POR_ERROR"), 6);
    assert_int_equal(ctl_exit_of_operation("failed", "DELIVERY_EXPIRED"), 5);
    assert_int_equal(ctl_exit_of_operation("failed", "INTERNAL"), 1);
    assert_int_equal(ctl_exit_of_operation("something new", NULL), 1);
    assert_int_equal(ctl_exit_of_import("IMPORTED"), 0);
    assert_int_equal(ctl_exit_of_import("ALREADY_IMPORTED"), 0);
    assert_int_equal(ctl_exit_of_import("DRY_RUN_OK"), 0);
    assert_int_equal(ctl_exit_of_import("IMPORTED_IN_PART"), 8);
    assert_int_equal(ctl_exit_of_import("REFUSED"), 4);
    assert_int_equal(ctl_exit_of_import("DRY_RUN_FINDINGS"), 4);
}

static void several_results_make_one(void **state)
{
    (void)state;
    struct ctl_tally t = {0};
    assert_int_equal(ctl_tally_exit(&t), CTL_DONE);
    ctl_tally_add(&t, CTL_NOT_FOUND);
    ctl_tally_add(&t, CTL_REFUSED);
    assert_int_equal(ctl_tally_exit(&t), CTL_NOT_FOUND);
    ctl_tally_add(&t, CTL_DONE);
    assert_int_equal(ctl_tally_exit(&t), CTL_IN_PART);
}

static void a_reason_says_more_than_a_code(void **state)
{
    (void)state;
    assert_non_null(strstr(ctl_advice("CARD_DIRTY", "ABORTED"), "--if-dirty wait"));
    assert_non_null(ctl_advice("SOMETHING_NEW", "NOT_FOUND"));
    assert_null(ctl_advice("", ""));
    assert_null(ctl_advice(NULL, NULL));
}

// --- several commands in one text ---

static void commands_are_cut_at_semicolons_and_lines(void **state)
{
    (void)state;
    char text[] = " card show a;;\n# nothing; here\nop  list --reason='two; words' \"\"\n exit";
    struct ctl_script s = {text};
    struct ctl_command c;
    assert_int_equal(ctl_script_next(&s, &c), CTL_SCRIPT_COMMAND);
    assert_int_equal(c.count, 4);
    assert_string_equal(c.words[1], "card");
    assert_string_equal(c.words[3], "a");
    assert_null(c.words[4]);
    assert_int_equal(ctl_script_next(&s, &c), CTL_SCRIPT_COMMAND);
    assert_int_equal(c.count, 5);
    assert_string_equal(c.words[3], "--reason=two; words");
    assert_string_equal(c.words[4], "");
    assert_int_equal(ctl_script_next(&s, &c), CTL_SCRIPT_COMMAND);
    assert_string_equal(c.words[1], "exit");
    assert_int_equal(ctl_script_next(&s, &c), CTL_SCRIPT_END);
}

static void a_backslash_keeps_the_next_character(void **state)
{
    (void)state;
    char text[] = "a\\;b \"c\\\"d\" 'e\\f' g\\";
    struct ctl_script s = {text};
    struct ctl_command c;
    assert_int_equal(ctl_script_next(&s, &c), CTL_SCRIPT_COMMAND);
    assert_int_equal(c.count, 5);
    assert_string_equal(c.words[1], "a;b");
    assert_string_equal(c.words[2], "c\"d");
    assert_string_equal(c.words[3], "e\\f");
    assert_string_equal(c.words[4], "g\\");
}

static void a_quote_that_stays_open_is_an_error(void **state)
{
    (void)state;
    char text[] = "card show 'a; exit";
    struct ctl_script s = {text};
    struct ctl_command c;
    assert_int_equal(ctl_script_next(&s, &c), CTL_SCRIPT_OPEN_QUOTE);
}

static void more_words_than_the_limit_are_an_error(void **state)
{
    (void)state;
    for (size_t words = CTL_WORDS_MAX - 1; words <= CTL_WORDS_MAX; words++) {
        char text[2 * CTL_WORDS_MAX + 1];
        for (size_t i = 0; i < words; i++)
            memcpy(text + 2 * i, "w ", 2);
        text[2 * words] = '\0';
        struct ctl_script s = {text};
        struct ctl_command c;
        assert_int_equal(ctl_script_next(&s, &c),
                         words < CTL_WORDS_MAX ? CTL_SCRIPT_COMMAND : CTL_SCRIPT_TOO_LONG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_post_is_signed_as_published),
        cmocka_unit_test(the_published_get_is_signed_as_published),
        cmocka_unit_test(a_path_that_leaves_its_folder_is_not_signed),
        cmocka_unit_test(every_status_has_its_exit_code),
        cmocka_unit_test(every_outcome_has_its_exit_code),
        cmocka_unit_test(several_results_make_one),
        cmocka_unit_test(a_reason_says_more_than_a_code),
        cmocka_unit_test(commands_are_cut_at_semicolons_and_lines),
        cmocka_unit_test(a_backslash_keeps_the_next_character),
        cmocka_unit_test(a_quote_that_stays_open_is_an_error),
        cmocka_unit_test(more_words_than_the_limit_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

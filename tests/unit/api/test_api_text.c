#include "common/base/check.h"
#include "common/base/text.h"
#include "ota-server/service/api_query.h"
#include "ota-server/service/api_route.h"
#include "ota-server/service/api_text.h"
#include "tests/lib/cmocka_all.h"

static void a_correlator_may_have_these_octets_only(void **state)
{
    (void)state;
    assert_true(api_is_correlator(bytes_of_text("")));
    assert_true(api_is_correlator(bytes_of_text("aZ09-_:;./<>{}")));
    assert_false(api_is_correlator(bytes_of_text("a b")));
    assert_false(api_is_correlator(bytes_of_text("a%20")));
    assert_false(api_is_correlator(bytes_of_text("a,b")));
    assert_false(api_is_correlator(bytes_of("a\0b", 3)));
    assert_false(api_is_correlator(bytes_of_text("\xC3\xA9")));
    char text[257];
    memset(text, 'x', sizeof(text));
    assert_true(api_is_correlator(bytes_of(text, 256)));
    assert_false(api_is_correlator(bytes_of(text, 257)));
}

static void an_idempotency_key_has_8_to_64_octets(void **state)
{
    (void)state;
    char text[65];
    memset(text, 'k', sizeof(text));
    assert_false(api_is_idempotency_key(bytes_of(text, 7)));
    assert_true(api_is_idempotency_key(bytes_of(text, 8)));
    assert_true(api_is_idempotency_key(bytes_of(text, 64)));
    assert_false(api_is_idempotency_key(bytes_of(text, 65)));
    assert_true(api_is_idempotency_key(bytes_of_text("aZ09._:-")));
    assert_false(api_is_idempotency_key(bytes_of_text("aaaaaaa/")));
}

// The time of the example in the ULID specification, 01ARZ3NDEKTSV4RRFFQ69G5FAV.
static void an_id_is_a_ulid_with_a_prefix(void **state)
{
    (void)state;
    const uint64_t id = (uint64_t)0x01563E3AB5D3 << 20 | 5;
    uint64_t again = 0;
    char text[API_ID_SIZE];
    api_id_write(text, "crd", id);
    assert_int_equal(strlen(text), 30);
    assert_memory_equal(text, "crd_01ARZ3NDEK", 14);
    assert_true(api_id_read(bytes_of_text(text), "crd", &again));
    assert_true(again == id);
    api_id_write(text, "op", UINT64_MAX >> 1);
    assert_int_equal(strlen(text), 29);
    assert_true(api_id_read(bytes_of_text(text), "op", &again));
    assert_true(again == UINT64_MAX >> 1);
}

static void a_mistyped_or_foreign_id_is_none(void **state)
{
    (void)state;
    uint64_t id = 0;
    char text[API_ID_SIZE];
    api_id_write(text, "crd", 1);
    assert_false(api_id_read(bytes_of_text(text), "sub", &id));
    assert_false(api_id_read(bytes_of(text, 29), "crd", &id));
    for (size_t i = 4; i < 30; i++) {
        const char right = text[i];
        text[i] = right == '7' ? '8' : '7';
        assert_false(api_id_read(bytes_of_text(text), "crd", &id));
        text[i] = 'I'; // not in the alphabet
        assert_false(api_id_read(bytes_of_text(text), "crd", &id));
        text[i] = right;
    }
}

static void a_uuid_shows_version_and_variant(void **state)
{
    (void)state;
    uint8_t entropy[16];
    memset(entropy, 0xFF, sizeof(entropy));
    char text[API_UUID_SIZE];
    api_uuid_make(text, entropy);
    assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

static int64_t ms_of(const char *text)
{
    struct utc at = {-1};
    return api_read_time(bytes_of_text(text), &at) ? at.ms : -1;
}

static void a_date_time_needs_a_zone_and_a_real_day(void **state)
{
    (void)state;
    assert_int_equal(ms_of("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(ms_of("2026-07-24T12:00:00.000Z"), 1784894400000); // `date -ud` agrees
    assert_int_equal(ms_of("2026-07-24T14:00:00.25+02:00"), 1784894400250);
    assert_int_equal(ms_of("2026-07-24T10:30:00.1239-01:30"), 1784894400123);
    assert_int_equal(ms_of("2024-02-29T00:00:00Z"), 1709164800000);
    assert_int_equal(ms_of("2023-02-29T00:00:00Z"), -1);
    assert_int_equal(ms_of("2026-07-24T12:00:00"), -1);
    assert_int_equal(ms_of("2026-13-01T12:00:00Z"), -1);
    assert_int_equal(ms_of("2026-00-01T12:00:00Z"), -1);
    assert_int_equal(ms_of("2026-07-24T24:00:00Z"), -1);
    assert_int_equal(ms_of("2026-07-24T12:00:00.Z"), -1);
    assert_int_equal(ms_of("2026-07-24 12:00:00Z"), -1);
    assert_int_equal(ms_of("2026-07-24T12:00:00ZZ"), -1);
    assert_int_equal(ms_of("2026-07-24T12:00:00+2"), -1);
}

// [RFC 4648 §3.5, §10]
static void octets_have_one_text_in_base64(void **state)
{
    (void)state;
    static const char *const right[] = {"Zg==", "Zg", "Zm8=", "Zm8", "Zm9v", "Zm9vYmE="};
    static const char *const octets[] = {"f", "f", "fo", "fo", "foo", "fooba"};
    static const char *const wrong[] = {"Z",   "Zh==", "Zg=",      "Zg===", "=",      "Zm9vY",
                                        "Zm9", "Zm9=", "Zg==Zg==", "Zm 8",  "Zg==\n", "Z==="};
    uint8_t out[16];
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        struct writer w = writer_of(out, sizeof(out));
        assert_true(api_base64_read(bytes_of_text(right[i]), &w));
        assert_true(bytes_equal(writer_bytes(&w), bytes_of_text(octets[i])));
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct writer w = writer_of(out, sizeof(out));
        assert_false(api_base64_read(bytes_of_text(wrong[i]), &w));
    }
    struct writer w = writer_of(out, sizeof(out));
    assert_true(api_binary_read(bytes_of_text(":Zm9v:"), &w) && w.len == 3);
    assert_false(api_binary_read(bytes_of_text(":"), &w));
    assert_false(api_binary_read(bytes_of_text("Zm9v"), &w));
}

static void a_query_is_strict(void **state)
{
    (void)state;
    struct api_query q;
    struct bytes value;
    assert_int_equal(api_query_read(&q, bytes_of_text("a=1&b=x%20y&c")).code, API_OK);
    assert_true(api_query_take(&q, "b", &value));
    assert_true(bytes_equal(value, bytes_of_text("x y")));
    assert_true(api_query_take(&q, "c", &value));
    assert_int_equal(value.len, 0);
    const struct api_problem unknown = api_query_end(&q);
    assert_int_equal(unknown.code, API_INVALID_ARGUMENT);
    assert_string_equal(unknown.message, "Unknown query parameter: a");
    assert_true(api_query_take(&q, "a", &value));
    assert_int_equal(api_query_end(&q).code, API_OK);
    assert_int_equal(api_query_read(&q, bytes_of_text("a=1&%61=2")).code, API_INVALID_ARGUMENT);
    assert_int_equal(api_query_read(&q, bytes_of_text("a=%4")).code, API_INVALID_ARGUMENT);
}

static struct api_problem read_page(const char *raw, struct api_page *page)
{
    static const char *const fields[] = {"createdAt", "state", NULL};
    struct api_query q;
    const struct api_problem p = api_query_read(&q, bytes_of_text(raw));
    assert_int_equal(p.code, API_OK);
    return api_page_read(&q, fields, (struct utc){5000000}, page);
}

static void pages_have_bounds(void **state)
{
    (void)state;
    struct api_page page;
    assert_int_equal(read_page("", &page).code, API_OK);
    assert_int_equal(page.page, 1);
    assert_int_equal(page.per_page, 20);
    assert_int_equal(read_page("page=100&perPage=100&sort=-state", &page).code, API_OK);
    assert_int_equal(api_page_offset(&page), 9900);
    assert_int_equal(page.sort, 1);
    assert_true(page.is_descending);
    static const char *const bad[] = {"page=0",    "perPage=0",  "perPage=101", "page=-1",
                                      "page=1x",   "sort=other", "sort=-",      "page=501",
                                      "cursor=00", "cursor=zz",  "perPage=1e1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(read_page(bad[i], &page).code, API_INVALID_ARGUMENT);
    assert_int_equal(read_page("page=500", &page).code, API_OK);
}

static void a_cursor_lasts_an_hour(void **state)
{
    (void)state;
    char text[API_CURSOR_MAX + 1];
    struct writer w = writer_of(text, sizeof(text));
    api_cursor_write(&w, 0x0123456789ABCDEF, (struct utc){1000});
    const struct bytes cursor = writer_bytes(&w);
    uint64_t key = 0;
    assert_true(api_cursor_read(cursor, (struct utc){1000}, &key));
    assert_true(key == 0x0123456789ABCDEF);
    assert_true(api_cursor_read(cursor, (struct utc){3601000}, &key));
    assert_false(api_cursor_read(cursor, (struct utc){3601001}, &key));
    assert_false(api_cursor_read(cursor, (struct utc){999}, &key));
}

static void links_name_the_neighbours(void **state)
{
    (void)state;
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));
    const struct api_page page = {.page = 2, .per_page = 20};
    const struct api_total total = {.count = 41};
    api_page_headers(&w, bytes_of_text("https://a/c"), bytes_of_text("page=2&label=x"), &page,
                     &total);
    assert_string_equal(text_end(&w), "X-Total-Count: 41\nX-Total-Pages: 3\n"
                                      "Link: <https://a/c?label=x&page=3>; rel=\"next\", "
                                      "<https://a/c?label=x&page=1>; rel=\"prev\", "
                                      "<https://a/c?label=x&page=1>; rel=\"first\", "
                                      "<https://a/c?label=x&page=3>; rel=\"last\"\n");
}

static void an_empty_list_has_one_link_to_itself(void **state)
{
    (void)state;
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));
    const struct api_page page = {.page = 1, .per_page = 20};
    const struct api_total total = {0};
    api_page_headers(&w, bytes_of_text("u"), bytes_of_text(""), &page, &total);
    assert_string_equal(text_end(&w),
                        "X-Total-Count: 0\nX-Total-Pages: 0\n"
                        "Link: <u?page=1>; rel=\"first\", <u?page=1>; rel=\"last\"\n");
}

static void paths_match_by_segment(void **state)
{
    (void)state;
    struct api_match m;
    assert_true(
        api_path_matches("/cards/*/operations", bytes_of_text("/cards/crd_1/operations"), &m));
    assert_int_equal(m.count, 1);
    assert_true(bytes_equal(m.captures[0], bytes_of_text("crd_1")));
    assert_true(api_path_matches("/cards", bytes_of_text("/cards"), &m));
    assert_false(api_path_matches("/cards", bytes_of_text("/cards/"), &m));
    assert_false(api_path_matches("/cards", bytes_of_text("/card"), &m));
    assert_false(api_path_matches("/cards/*", bytes_of_text("/cards/"), &m));
    assert_false(api_path_matches("/cards/*", bytes_of_text("/cards"), &m));
    assert_false(api_path_matches("/cards/*", bytes_of_text("/cards/a/b"), &m));
    assert_false(api_path_matches("/cards/*", bytes_of_text(""), &m));
}

static void allow_names_what_the_path_takes(void **state)
{
    (void)state;
    char text[128];
    struct writer w = writer_of(text, sizeof(text));
    api_allow_write(&w, API_GET | API_PATCH);
    assert_string_equal(text_end(&w), "GET, HEAD, PATCH, OPTIONS");
    assert_int_equal(api_method_of(bytes_of_text("TRACE")), 0);
    assert_int_equal(api_method_of(bytes_of_text("get")), 0);
    assert_int_equal(api_method_of(bytes_of_text("DELETE")), API_DELETE);
}

static void accept_is_honoured(void **state)
{
    (void)state;
    const char *json = "application/json";
    assert_true(api_accepts(bytes_of_text(""), json));
    assert_true(api_accepts(bytes_of_text("*/*"), json));
    assert_true(api_accepts(bytes_of_text("text/html, application/*;q=0.5"), json));
    assert_true(api_accepts(bytes_of_text("Application/JSON; charset=utf-8"), json));
    assert_false(api_accepts(bytes_of_text("text/html"), json));
    assert_false(api_accepts(bytes_of_text("application/json;q=0"), json));
    assert_false(api_accepts(bytes_of_text("application/json; q=0.000"), json));
    assert_true(api_accepts(bytes_of_text("application/json;q=0.001"), json));
}

static void content_types_may_say_utf_8(void **state)
{
    (void)state;
    assert_true(api_is_type(bytes_of_text("application/json"), "application/json"));
    assert_true(api_is_type(bytes_of_text("application/JSON; charset=UTF-8"), "application/json"));
    assert_false(
        api_is_type(bytes_of_text("application/json; charset=latin1"), "application/json"));
    assert_false(api_is_type(bytes_of_text("application/jsonp"), "application/json"));
    assert_false(api_is_type(bytes_of_text(""), "application/json"));
}

static void a_problem_is_clean_and_has_the_code_of_its_table(void **state)
{
    (void)state;
    const struct api_problem p =
        api_problem_field(API_INVALID_ARGUMENT, bytes_of("a\n\x80z", 4), "Unknown member");
    assert_string_equal(p.field, "az");
    assert_string_equal(p.message, "Unknown member: az");
    assert_int_equal(api_code_status(API_BODY_TOO_LARGE), 413);
    assert_string_equal(api_code_wire(API_BODY_TOO_LARGE), "INVALID_ARGUMENT");
    assert_int_equal(api_code_status(API_RULE_PACK_VIOLATION), 422);
    assert_int_equal(api_code_status(API_OK), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_correlator_may_have_these_octets_only),
        cmocka_unit_test(an_idempotency_key_has_8_to_64_octets),
        cmocka_unit_test(an_id_is_a_ulid_with_a_prefix),
        cmocka_unit_test(a_uuid_shows_version_and_variant),
        cmocka_unit_test(a_date_time_needs_a_zone_and_a_real_day),
        cmocka_unit_test(a_mistyped_or_foreign_id_is_none),
        cmocka_unit_test(octets_have_one_text_in_base64),
        cmocka_unit_test(a_query_is_strict),
        cmocka_unit_test(pages_have_bounds),
        cmocka_unit_test(a_cursor_lasts_an_hour),
        cmocka_unit_test(links_name_the_neighbours),
        cmocka_unit_test(an_empty_list_has_one_link_to_itself),
        cmocka_unit_test(paths_match_by_segment),
        cmocka_unit_test(allow_names_what_the_path_takes),
        cmocka_unit_test(accept_is_honoured),
        cmocka_unit_test(content_types_may_say_utf_8),
        cmocka_unit_test(a_problem_is_clean_and_has_the_code_of_its_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/lib/cmocka_all.h"

#include "common/host/json.h"
#include "tests/unit/server/faulty_memory.h"

#include <string.h>

static enum json_fault fault_of(const char *text)
{
    json_t *root;
    enum json_fault fault = json_read(bytes_of_text(text), &root);
    json_decref(root);
    return fault;
}

static void what_the_interfaces_refuse_is_refused_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum json_fault fault;
    } cases[] = {
        {"", JSON_READ_EMPTY},
        {"\xEF\xBB\xBF{}", JSON_READ_MARKED},
        {"{\"a\":\"\xC3\"}", JSON_READ_ENCODING},
        {"{\"a\":\"\xED\xA0\x80\"}", JSON_READ_ENCODING},
        {"{\"a\":1,\"a\":2}", JSON_READ_DUPLICATE},
        {"{\"a\":1} x", JSON_READ_SYNTAX},
        {"{\"a\":1e999}", JSON_READ_SYNTAX},
        {"{\"a\":NaN}", JSON_READ_SYNTAX},
        {"{\"a\":\"\\u0000\"}", JSON_READ_SYNTAX},
        {"{'a':1}", JSON_READ_SYNTAX},
        {"{\"a\":1,}", JSON_READ_SYNTAX},
        {"// hi\n{}", JSON_READ_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(fault_of(cases[i].text), cases[i].fault);
}

static void a_value_may_be_sixteen_deep_and_not_seventeen(void **state)
{
    (void)state;
    assert_int_equal(fault_of("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"), JSON_READ_OK);
    assert_int_equal(fault_of("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), JSON_READ_DEEP);
    assert_int_equal(fault_of("[\"[[[[[[[[[[[[[[[[[[\\\"[[\"]"), JSON_READ_OK); // only text
}

static void a_getter_tells_absent_from_null_from_wrong(void **state)
{
    (void)state;
    json_t *root;
    assert_int_equal(
        json_read(bytes_of_text("{\"text\":\"abc\",\"ten\":10,\"half\":0.5,\"no\":false,"
                                "\"list\":[],\"in\":{},\"null\":null}"),
                  &root),
        JSON_READ_OK);
    struct bytes text;
    assert_int_equal(json_get_text(root, "text", &text), JSON_FOUND);
    assert_true(bytes_equal(text, bytes_of_text("abc")));
    assert_int_equal(json_get_text(root, "ten", &text), JSON_WRONG);
    assert_int_equal(json_get_text(root, "nobody", &text), JSON_ABSENT);
    assert_int_equal(json_get_text(root, "null", &text), JSON_NULL_FOUND);
    int64_t number;
    assert_int_equal(json_get_integer(root, "ten", 10, 10, &number), JSON_FOUND);
    assert_int_equal(number, 10);
    assert_int_equal(json_get_integer(root, "ten", 11, 20, &number), JSON_WRONG);
    assert_int_equal(json_get_integer(root, "ten", 0, 9, &number), JSON_WRONG);
    assert_int_equal(json_get_integer(root, "half", 0, 9, &number), JSON_WRONG);
    double real;
    assert_int_equal(json_get_real(root, "half", 0, 1, &real), JSON_FOUND);
    assert_int_equal(json_get_real(root, "ten", 0, 1, &real), JSON_WRONG);
    bool truth = true;
    assert_int_equal(json_get_bool(root, "no", &truth), JSON_FOUND);
    assert_false(truth);
    const json_t *inner;
    assert_int_equal(json_get_object(root, "in", &inner), JSON_FOUND);
    assert_int_equal(json_get_object(root, "list", &inner), JSON_WRONG);
    assert_int_equal(json_get_array(root, "list", &inner), JSON_FOUND);
    json_decref(root);
}

static void an_unknown_member_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b"};
    json_t *root;
    assert_int_equal(json_read(bytes_of_text("{\"b\":1,\"c\":2}"), &root), JSON_READ_OK);
    assert_string_equal(json_unknown(root, names, 2), "c");
    assert_int_equal(json_object_del(root, "c"), 0);
    assert_null(json_unknown(root, names, 2));
    json_decref(root);
}

// At each allocation, once and from there on: tokens that are longer than what the reader has for
// them at first, and need it doubled several times. The address sanitizer sees what is written
// beyond.
static void memory_that_is_refused_is_told_and_harms_nothing(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a name of "
        "sixteen\":[1,2.5,true,null,{}],\"b\":\"0123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789\",\"c\":12345678901234567}";
    for (unsigned lasts = 0; lasts < 2; lasts++) {
        unsigned refused = 0;
        bool was_hit = true;
        for (uint32_t at = 1; was_hit; at++) {
            json_t *root = NULL;
            faulty_memory_set(at, lasts == 1);
            const enum json_fault fault = json_read(bytes_of_text(text), &root);
            was_hit = faulty_memory_was_hit();
            faulty_memory_set(0, false);
            assert_int_equal(fault, was_hit ? JSON_READ_NO_MEMORY : JSON_READ_OK);
            assert_true((root == NULL) == was_hit);
            json_decref(root);
            refused += was_hit;
        }
        assert_true(refused > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_interfaces_refuse_is_refused_with_its_reason),
        cmocka_unit_test(a_value_may_be_sixteen_deep_and_not_seventeen),
        cmocka_unit_test(a_getter_tells_absent_from_null_from_wrong),
        cmocka_unit_test(an_unknown_member_is_named),
        cmocka_unit_test(memory_that_is_refused_is_told_and_harms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

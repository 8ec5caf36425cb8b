// What otactl shows of an answer in a cell of its tables.
#include "ota-server/shell/otactl_show.h"
#include "tests/lib/cmocka_all.h"

static void expect_cell(const char *json, const char *expected)
{
    json_t *root = json_loads(json, 0, NULL);
    char cell[CTL_CELL_MAX];
    assert_non_null(root);
    assert_string_equal(ctl_text_at(root, "list", cell), expected);
    json_decref(root);
}

static void a_link_is_shown_with_its_state(void **state)
{
    (void)state;
    expect_cell(
        "{\"list\":[{\"name\":\"east\",\"state\":\"bound\",\"sent\":3},"
        "{\"name\":\"west\",\"state\":\"down\"},{\"name\":\"south\",\"state\":\"silent\"}]}",
        "east=bound west=down south=silent");
}

static void what_has_no_state_is_shown_by_its_name_alone(void **state)
{
    (void)state;
    expect_cell("{\"list\":[{\"mark\":\"DIRTY\",\"reasons\":[\"por_timeout\"]},"
                "{\"mark\":\"BLOCKED\"}]}",
                "DIRTY BLOCKED");
    expect_cell("{\"list\":[\"a\",{\"slot\":1,\"state\":\"EMPTY\"}]}",
                "a {\"slot\":1,\"state\":\"EMPTY\"}");
}

// 734 characters of scopes were once cut at 511.
static void a_long_value_is_shown_whole(void **state)
{
    (void)state;
    static char json[2 * CTL_CELL_MAX];
    static char expected[2 * CTL_CELL_MAX];
    const size_t len = CTL_CELL_MAX - 1;
    for (size_t shorter = 0; shorter < 2; shorter++) {
        const int text_len = (int)(len - 1 - shorter);
        (void)snprintf(json, sizeof(json), "{\"list\":\"%0*d\"}", text_len, 7);
        (void)snprintf(expected, sizeof(expected), "%0*d", text_len, 7);
        expect_cell(json, expected);
    }
}

static void a_value_that_has_no_room_says_that_it_is_cut(void **state)
{
    (void)state;
    static char json[2 * CTL_CELL_MAX];
    char cell[CTL_CELL_MAX];
    (void)snprintf(json, sizeof(json), "{\"list\":[\"%0*d\",\"x\"]}", CTL_CELL_MAX, 7);
    json_t *root = json_loads(json, 0, NULL);
    (void)ctl_text_at(root, "list", cell);
    assert_int_equal(strlen(cell), CTL_CELL_MAX - 1);
    assert_string_equal(cell + CTL_CELL_MAX - 5, "0...");
    json_decref(root);
    // A letter of two octets, of which the cell had room for one.
    (void)snprintf(json, sizeof(json), "{\"list\":\"%0*d\303\266\303\266\303\266\"}",
                   CTL_CELL_MAX - 5, 7);
    root = json_loads(json, 0, NULL);
    (void)ctl_text_at(root, "list", cell);
    assert_string_equal(cell + CTL_CELL_MAX - 6, "7...");
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_shown_with_its_state),
        cmocka_unit_test(what_has_no_state_is_shown_by_its_name_alone),
        cmocka_unit_test(a_long_value_is_shown_whole),
        cmocka_unit_test(a_value_that_has_no_room_says_that_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

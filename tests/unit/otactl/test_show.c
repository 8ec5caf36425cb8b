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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_shown_with_its_state),
        cmocka_unit_test(what_has_no_state_is_shown_by_its_name_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

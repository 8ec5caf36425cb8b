// What otactl says of requests that wait for a second person.
#include "tests/unit/otactl/stage.h"

#include "tests/lib/cmocka_all.h"

#define USER "usr_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"
#define APPROVAL "apr_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"

static int open_stage(void **state)
{
    static struct stage s;
    stage_open(&s);
    *state = &s;
    return 0;
}

static int close_stage(void **state)
{
    stage_close(*state);
    return 0;
}

static void of_what_waits_for_a_second_person_the_approval_is_the_result(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 202, "{\"id\":\"" APPROVAL "\",\"state\":\"OPEN\"}");
    stage_run(s, "user|delete|" USER, "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->requests[0].line, "DELETE /users/" USER);
    assert_string_equal(stage_result(s), APPROVAL);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(of_what_waits_for_a_second_person_the_approval_is_the_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

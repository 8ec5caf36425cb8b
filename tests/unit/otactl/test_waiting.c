// What otactl says of requests that wait for a second person, and of reasons.
#include "tests/unit/otactl/stage.h"

#include "tests/lib/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USER "usr_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"
#define IMPORT "imp_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"
#define OTHER "imp_01JZ8Q4M7Y2K9T3W5X6A7B8C9E"
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

static void an_update_is_judged_and_then_applied(void **state)
{
    struct stage *s = *state;
    char file[] = "/tmp/otaria-update-XXXXXX";
    char command[160];
    const int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    stage_reply(s, 202, "{\"id\":\"" IMPORT "\",\"status\":\"UPLOADED\"}");
    stage_reply(s, 200,
                "{\"id\":\"" IMPORT "\",\"status\":\"ENDED\",\"outcome\":\"DRY_RUN_OK\","
                "\"update\":true,\"changed\":2,\"loaded\":2,\"unchanged\":1}");
    (void)snprintf(command, sizeof(command), "import|run|%s|--vendor-profile|alder|--update", file);
    stage_run(s, command, "");
    assert_int_equal(unlink(file), 0);
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->requests[0].line, "POST /batch-imports?vendorProfile=alder&update=true");
    assert_string_equal(stage_result(s), IMPORT " DRY_RUN_OK loaded=2 unchanged=1 quarantined=0 "
                                                "warnings=0 changed=2");
    assert_non_null(strstr(s->err, "do: otactl import apply " IMPORT " --reason TEXT"));
}

static void applying_an_update_gives_the_approval_it_waits_for(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 202, "{\"id\":\"" APPROVAL "\",\"state\":\"OPEN\",\"targetCount\":2}");
    stage_run(s, "import|apply|" IMPORT "|--reason|keys corrected", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->requests[0].line, "POST /batch-imports/" IMPORT "/apply");
    assert_string_equal(s->requests[0].body, "{\"reason\":\"keys corrected\"}");
    assert_string_equal(stage_result(s), APPROVAL);
}

static void where_nobody_is_asked_applying_is_followed(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 202, "{\"id\":\"" OTHER "\",\"status\":\"UPLOADED\"}");
    stage_reply(s, 200,
                "{\"id\":\"" OTHER "\",\"status\":\"ENDED\",\"outcome\":\"IMPORTED\","
                "\"update\":true,\"changed\":2,\"loaded\":2}");
    stage_run(s, "import|apply|" IMPORT "|--reason|keys corrected", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->requests[1].line, "GET /batch-imports/" OTHER);
    assert_non_null(strstr(stage_result(s), OTHER " IMPORTED"));
}

static void why_an_update_is_applied_is_asked_for(void **state)
{
    struct stage *s = *state;
    stage_run(s, "import|apply|" IMPORT, "");
    assert_int_equal(s->exit, 2);
    assert_int_equal(s->request_count, 0);
    assert_non_null(strstr(s->err, "--reason"));
}

static void what_goes_away_goes_with_a_reason(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 204, "");
    stage_run(s, "client|drop-secret|cli_1|2|--reason|leaked", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->requests[0].line, "DELETE /api-clients/cli_1/secrets/2");
    assert_string_equal(s->requests[0].body, "{\"reason\":\"leaked\"}");
    stage_reply(s, 204, "");
    stage_run(s, "pool|delete|pol_1", "");
    assert_string_equal(s->requests[0].line, "DELETE /subscription-pools/pol_1");
    assert_string_equal(s->requests[0].body, "");
}

// The body is the file: the reason stands in the query.
static void what_comes_comes_with_a_reason(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 202, "{\"id\":\"" IMPORT "\",\"status\":\"CHECKING\"}");
    stage_reply(s, 200, "{\"id\":\"" IMPORT "\",\"status\":\"ENDED\",\"outcome\":\"IMPORTED\"}");
    stage_run(s, "import|run|-|--vendor-profile|alder|--reason|July order", "*HEADER\n*END\n");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->requests[0].line,
                        "POST /batch-imports?vendorProfile=alder&reason=July%20order");
    assert_string_equal(s->requests[0].body, "*HEADER\n*END\n");
    stage_reply(s, 202, "{\"id\":\"" IMPORT "\"}");
    stage_run(s, "import|cancel|" IMPORT "|--reason|wrong file", "");
    assert_string_equal(s->requests[0].line, "POST /batch-imports/" IMPORT "/cancel");
    assert_string_equal(s->requests[0].body, "{\"reason\":\"wrong file\"}");
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(an_update_is_judged_and_then_applied),
        ON_STAGE(applying_an_update_gives_the_approval_it_waits_for),
        ON_STAGE(where_nobody_is_asked_applying_is_followed),
        ON_STAGE(why_an_update_is_applied_is_asked_for),
        ON_STAGE(what_goes_away_goes_with_a_reason),
        ON_STAGE(what_comes_comes_with_a_reason),
        ON_STAGE(of_what_waits_for_a_second_person_the_approval_is_the_result),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

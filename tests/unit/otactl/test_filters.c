// What otactl asks for when a list is to have only what fits, and tables in what it shows.
#include "tests/unit/otactl/stage.h"

#include "tests/lib/cmocka_all.h"

#define CARD_A "crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"

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

static void each_list_has_the_filters_of_the_interface(void **state)
{
    struct stage *s = *state;
    static const struct {
        const char *line, *request;
    } lists[] = {
        {"card|list|--open-operation|false|--heard-since|2026-07-01T00:00:00Z|--heard-until|"
         "2026-07-02T00:00:00+08:00",
         "GET /cards?openOperation=false&lastContactAt.gte=2026-07-01T00%3A00%3A00Z&"
         "lastContactAt.lte=2026-07-02T00%3A00%3A00%2B08%3A00&perPage=100"},
        {"permission|list|--enterprise|ent_1|--group|grp_2|--operation|card.read",
         "GET /permissions?groupId=grp_2&enterpriseId=ent_1&operation=card.read&perPage=100"},
        {"subscription|list|--card|" CARD_A "|--state|ON_CARD",
         "GET /subscriptions?state=ON_CARD&cardId=" CARD_A "&perPage=100"},
        {"delivery|list|--sink|snk_3|--state|DEAD",
         "GET /event-deliveries?state=DEAD&sinkId=snk_3&perPage=100"},
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        stage_reply(s, 200, "{\"items\":[],\"pagination\":{\"totalCount\":0}}");
        stage_run(s, lists[i].line, "");
        assert_int_equal(s->exit, 0);
        assert_string_equal(s->requests[0].line, lists[i].request);
    }
}

// What happened last is what --limit leaves.
static void what_came_in_time_is_listed_newest_first(void **state)
{
    struct stage *s = *state;
    static const struct {
        const char *line, *request;
    } lists[] = {
        {"import|list|--limit|3", "GET /batch-imports?sort=-createdAt&perPage=3"},
        {"campaign|list|--state|PAUSED", "GET /campaigns?state=PAUSED&sort=-createdAt&perPage=100"},
        {"report|list", "GET /reports?sort=-createdAt&perPage=100"},
        {"alarm|list", "GET /alarms?sort=-createdAt&perPage=100"},
        {"approval|list", "GET /approvals?sort=-createdAt&perPage=100"},
        {"upload|list", "GET /uploads?sort=-createdAt&perPage=100"},
        {"alarm|list|--sort|createdAt", "GET /alarms?sort=createdAt&perPage=100"},
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        stage_reply(s, 200, "{\"items\":[],\"pagination\":{\"totalCount\":0}}");
        stage_run(s, lists[i].line, "");
        assert_int_equal(s->exit, 0);
        assert_string_equal(s->requests[0].line, lists[i].request);
    }
}

// Not all that the server knows of the card.
static void the_parameters_that_were_asked_for_are_shown(void **state)
{
    struct stage *s = *state;
    static const char operation[] =
        "{\"id\":\"op_01JZ8Q4M7Y2K9T3W5X6A7B8C9D\",\"type\":\"read-timers\","
        "\"status\":\"ENDED\",\"outcome\":\"done\",\"cardId\":\"" CARD_A "\"}";
    stage_reply(s, 202, operation);
    stage_reply(s, 200, operation);
    stage_reply(s, 200,
                "{\"level\":2,\"known\":{\"T_REFRESH\":50,\"T_ATTACH\":240},\"desired\":{\"T_"
                "ATTACH\":241}}");
    stage_run(s, "config|get|" CARD_A "|T_REFRESH|--wait", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->requests[0].line, "POST /cards/" CARD_A "/operations");
    assert_string_equal(s->requests[0].body,
                        "{\"type\":\"read-timers\",\"names\":[\"T_REFRESH\"]}");
    assert_string_equal(s->requests[2].line, "GET /cards/" CARD_A "/parameters");
    assert_non_null(strstr(s->out, "T_REFRESH  50\n"));
    assert_null(strstr(s->out, "T_ATTACH"));
    assert_null(strstr(s->out, "level"));
}

static void networks_with_a_rate_are_a_table(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200,
                "{\"version\":\"1.0\",\"networks\":[{\"plmn\":\"26201\",\"rateAllowed\":50,"
                "\"sentLastSecond\":49,\"sent\":1234,\"waiting\":17,"
                "\"auditsWaitInStore\":true}]}");
    stage_run(s, "system|show", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(stage_result(s), "1.0");
    static const char *const columns[] = {"NETWORK", "26201", "50", "49", "1234", "17", "true"};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        assert_non_null(strstr(s->out, columns[i]));
    assert_null(strstr(s->out, "plmn"));
}

static void ids_are_asked_for_where_a_value_is_one(void **state)
{
    struct stage *s = *state;
    stage_reply(
        s, 200,
        "{\"items\":[{\"id\":\"tpl_A\",\"templateId\":7},{\"id\":\"tpl_B\",\"templateId\":254}],"
        "\"pagination\":{\"totalCount\":2}}");
    stage_run(s, "--ids=@template", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->out, "tpl_A\ntpl_B\n");
    assert_string_equal(s->requests[0].line, "GET /profile-templates?perPage=100");
    stage_run(s, "--ids=@template.templateId", "");
    assert_string_equal(s->out, "7\n254\n");
    stage_run(s, "--ids=now", "");
    assert_string_equal(s->out, "now\n");
    assert_int_equal(s->request_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_list_has_the_filters_of_the_interface, open_stage,
                                        close_stage),
        cmocka_unit_test_setup_teardown(what_came_in_time_is_listed_newest_first, open_stage,
                                        close_stage),
        cmocka_unit_test_setup_teardown(the_parameters_that_were_asked_for_are_shown, open_stage,
                                        close_stage),
        cmocka_unit_test_setup_teardown(ids_are_asked_for_where_a_value_is_one, open_stage,
                                        close_stage),
        cmocka_unit_test_setup_teardown(networks_with_a_rate_are_a_table, open_stage, close_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

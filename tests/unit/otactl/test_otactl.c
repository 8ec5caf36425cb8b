#include "tests/unit/otactl/stage.h"

#include "common/base/text.h"
#include "tests/lib/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CARD_A "crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9A"
#define CARD_B "crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9B"
#define SUB "sub_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"
#define OP "op_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"
#define IMP "imp_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"
#define QUEUED "{\"id\":\"" OP "\",\"type\":\"enable\",\"status\":\"QUEUED\"}"
#define DONE "{\"id\":\"" OP "\",\"type\":\"enable\",\"status\":\"ENDED\",\"outcome\":\"done\"}"
#define NONE "{\"items\":[],\"pagination\":{\"page\":1,\"totalCount\":0}}"

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

static void expect_request(const struct stage *s, size_t at, const char *line, const char *body)
{
    assert_true(at < s->request_count);
    assert_string_equal(s->requests[at].line, line);
    assert_string_equal(s->requests[at].body, body);
    assert_true(s->requests[at].is_signed);
}

static void expect_error(const struct stage *s, const char *part)
{
    if (strstr(s->err, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, s->err);
}

// --- naming and showing ---

static void a_card_is_asked_for_by_its_id_and_its_json_is_unchanged(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{ \"id\":\"" CARD_A "\",  \"new\":1.50 }");
    stage_run(s, "card|show|" CARD_A "|--json", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->out, "{ \"id\":\"" CARD_A "\",  \"new\":1.50 }\n");
    assert_string_equal(s->err, "");
    assert_int_equal(s->request_count, 1);
    expect_request(s, 0, "GET /cards/" CARD_A, "");
}

static void a_card_is_found_by_a_number_that_stays_out_of_the_path(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"items\":[{\"id\":\"" CARD_A "\"}]}");
    stage_reply(s, 200, "{\"id\":\"" CARD_A "\",\"state\":\"OPERATIONAL\"}");
    stage_run(s, "card|show|--iccid|8988211000000000019", "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "POST /cards/search", "{\"iccid\":\"8988211000000000019\"}");
    assert_string_equal(s->requests[0].key, "");
    expect_request(s, 1, "GET /cards/" CARD_A, "");
    assert_string_equal(stage_result(s), CARD_A " OPERATIONAL");
}

static void a_number_that_no_card_has_is_not_found(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, NONE);
    stage_run(s, "card|show|--imsi=999700000000001", "");
    assert_int_equal(s->exit, 3);
    assert_string_equal(s->out, "");
    expect_error(s, "nothing has this imsi");
}

static void control_characters_of_the_server_do_not_reach_the_terminal(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"id\":\"" CARD_A "\",\"note\":\"a\\u001b[31mb\\u009bc\"}");
    stage_run(s, "card|show|" CARD_A, "");
    assert_int_equal(s->exit, 0);
    assert_non_null(strstr(s->out, "a?[31mb??c"));
    assert_null(strchr(s->out, '\033'));
}

static void ids_from_standard_input_make_one_array_and_one_exit_code(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"id\":\"" CARD_A "\"}");
    stage_reply(s, 404, "{\"status\":404,\"code\":\"NOT_FOUND\",\"message\":\"No such object\"}");
    stage_run(s, "card|show|-|--json", CARD_A " more words\n\n" CARD_B "\n");
    assert_int_equal(s->exit, 8);
    assert_string_equal(s->out, "[{\"id\":\"" CARD_A "\"},\n{\"status\":404,\"code\":\"NOT_FOUND\","
                                "\"message\":\"No such object\"}]\n");
    expect_request(s, 1, "GET /cards/" CARD_B, "");
}

static void the_two_views_of_a_card_stand_side_by_side(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200,
                "{\"serverView\":{\"slots\":[{\"slot\":1,\"role\":\"BOOTSTRAP\",\"state\":"
                "\"DISABLED\",\"fallback\":true}]},\"cardView\":{\"slots\":[{\"slot\":1,\"state\":"
                "\"ENABLED\"}]},\"differences\":[{\"slot\":1,\"field\":\"state\"}],\"inSync\":"
                "false}");
    stage_run(s, "sub|list|" CARD_A, "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "GET /cards/" CARD_A "/subscriptions", "");
    assert_non_null(strstr(s->out, "DISABLED  ENABLED  yes       state"));
    assert_string_equal(stage_result(s), "1 differences");
}

// --- lists ---

static void a_list_is_read_page_by_page(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200,
                "{\"items\":[{\"id\":\"" CARD_A "\"}],\"pagination\":{\"page\":1,\"totalCount\":2,"
                "\"nextCursor\":\"c/1\"}}");
    stage_reply(s, 200, "{\"items\":[{\"id\":\"" CARD_B "\"}],\"pagination\":{\"totalCount\":2}}");
    stage_run(s, "card|list|--mark|DIRTY|--label|a b|-q", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->out, CARD_A "\n" CARD_B "\n");
    assert_int_equal(s->request_count, 2);
    expect_request(s, 0, "GET /cards?mark=DIRTY&label=a%20b&perPage=100", "");
    expect_request(s, 1, "GET /cards?mark=DIRTY&label=a%20b&cursor=c%2F1&perPage=100", "");
}

static void several_pages_become_one_document(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"items\":[{\"id\":\"a\"}],\"pagination\":{\"totalCount\":3}}");
    stage_reply(s, 200,
                "{\"items\":[{\"id\":\"b\"},{\"id\":\"c\"}],\"pagination\":{\"totalCount\":3}}");
    stage_run(s, "op|list|--json|--limit=2", "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "GET /operations?perPage=2", "");
    expect_request(s, 1, "GET /operations?page=2&perPage=2", "");
    assert_string_equal(s->out, "{\"items\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"pagination\":{\"page"
                                "\":1,\"perPage\":2,\"totalCount\":3,\"totalPages\":1,"
                                "\"totalIsEstimate\":false}}\n");
}

static void a_search_carries_its_page_in_the_body(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, NONE);
    stage_run(s, "card|search|0019|--match|suffix", "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "POST /cards/search",
                   "{\"any\":\"0019\",\"match\":\"SUFFIX\",\"page\":1,\"perPage\":100}");
    assert_string_equal(s->out, "0 cards\n");
}

static void a_search_for_a_subscription_carries_its_page_in_the_query(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, NONE);
    stage_run(s, "subscription|search|--imsi|999700000000001", "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "POST /subscriptions/search?perPage=100",
                   "{\"imsi\":\"999700000000001\"}");
}

// --- operations ---

static void a_download_says_everything_it_was_told(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 202, QUEUED);
    stage_run(s,
              "sub|download|" CARD_A "|--pool|pol_01|--enable|now|--set-fallback|--no-rollback|"
              "--if-dirty|wait|--reason|roll-out \"north\"|--ttl=600|--template=7",
              "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "POST /cards/" CARD_A "/operations",
                   "{\"type\":\"download\",\"ttlSeconds\":600,\"ifDirty\":\"WAIT\",\"reason\":"
                   "\"roll-out \\\"north\\\"\",\"poolId\":\"pol_01\",\"enable\":\"NOW\","
                   "\"setFallback\":true,\"rollbackAllowed\":false,\"templateId\":7}");
    assert_true(strlen(s->requests[0].key) >= 8);
    assert_string_equal(s->out, OP " QUEUED\n");
}

static void an_operation_is_followed_to_its_end_in_silence(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"items\":[{\"id\":\"" SUB "\"}]}");
    stage_reply(s, 202, QUEUED);
    stage_reply(s, 200, QUEUED);
    stage_reply(s, 200, DONE);
    stage_run(s,
              "sub|enable|" CARD_A "|--sub-iccid|8988211000000000027|--wait|"
              "--idempotency-key|order-4711",
              "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "POST /subscriptions/search", "{\"iccid\":\"8988211000000000027\"}");
    expect_request(s, 1, "POST /cards/" CARD_A "/operations",
                   "{\"type\":\"enable\",\"subscriptionId\":\"" SUB "\"}");
    assert_string_equal(s->requests[1].key, "order-4711");
    expect_request(s, 2, "GET /operations/" OP, "");
    assert_string_equal(s->out, OP " done\n");
    assert_string_equal(s->err, ""); // no progress: it is no terminal
}

static void a_subscription_is_barred_and_allowed(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"id\":\"" SUB "\",\"fallbackEligible\":false}");
    stage_run(s, "subscription|bar|" SUB "|--reason|contract 88", "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "PATCH /subscriptions/" SUB,
                   "{\"fallbackEligible\":false,\"reason\":\"contract 88\"}");
    stage_reply(s, 200, "{\"id\":\"" SUB "\",\"fallbackEligible\":true}");
    stage_run(s, "subscription|allow|" SUB, "");
    expect_request(s, 0, "PATCH /subscriptions/" SUB, "{\"fallbackEligible\":true}");
    stage_reply(s, 200, "{\"id\":\"" SUB "\",\"state\":\"RETIRED\"}");
    stage_run(s, "subscription|retire|" SUB, "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "PATCH /subscriptions/" SUB, "{\"state\":\"RETIRED\"}");
}

static void a_card_that_refuses_is_exit_code_6(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 202, QUEUED);
    stage_reply(s, 200,
                "{\"id\":\"" OP "\",\"type\":\"delete\",\"status\":\"ENDED\",\"outcome\":"
                "\"failed\",\"failureCode\":\"CARD_REFUSED\",\"cardResult\":\"IS_ENABLED\","
                "\"stateCertain\":false}");
    stage_run(s, "sub|delete|" CARD_A "|--subscription|" SUB "|--wait=60", "");
    assert_int_equal(s->exit, 6);
    assert_string_equal(s->out, OP " failed CARD_REFUSED IS_ENABLED\n");
    expect_error(s, "otactl card audit");
    expect_error(s, "in doubt");
}

static void waiting_ends_with_exit_code_5(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, QUEUED);
    stage_run(s, "op|wait|" OP "|--wait=0", "");
    assert_int_equal(s->exit, 5);
    assert_string_equal(s->out, OP " QUEUED\n");
    expect_error(s, "otactl op wait " OP " goes on waiting");
}

static void a_dry_run_asks_for_one(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"dryRun\":true,\"wouldAnswer\":202,\"estimate\":{\"sms\":3}}");
    stage_run(s,
              "config|set|" CARD_A "|T_RETURN=3600|NOTIFY_WAITS=60,120|SERVER_ADDR=12346|"
              "--dry-run|--wait",
              "");
    assert_int_equal(s->exit, 0);
    assert_int_equal(s->request_count, 1);
    expect_request(s, 0, "POST /cards/" CARD_A "/operations?dryRun=true",
                   "{\"type\":\"set-timers\",\"parameters\":{\"T_RETURN\":3600,\"NOTIFY_WAITS\":"
                   "[60,120],\"SERVER_ADDR\":\"12346\"}}");
    assert_string_equal(stage_result(s), "dry run: it would be accepted");
}

static void actions_have_no_body(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, DONE);
    stage_run(s, "op|cancel|" OP, "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "POST /operations/" OP "/cancel", "");
    assert_string_equal(stage_result(s), OP " cancelled");
    stage_run(s, "card|retire|" CARD_A "|--reason|scrapped", "");
    expect_request(s, 0, "PATCH /cards/" CARD_A, "{\"state\":\"RETIRED\",\"reason\":\"scrapped\"}");
    stage_run(s, "dirty|resolve|" CARD_A "|--decision|push-server|--reason|x", "");
    expect_request(s, 0, "POST /dirty-cards/" CARD_A "/resolve",
                   "{\"decision\":\"PUSH_SERVER\",\"reason\":\"x\"}");
}

// --- refusals ---

static void a_refusal_says_why_and_what_to_do(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 409,
                "{\"status\":409,\"code\":\"ABORTED\",\"message\":\"The card is dirty\","
                "\"details\":[{\"field\":\"cardId\",\"reason\":\"CARD_DIRTY\"}]}");
    stage_run(s, "card|audit|" CARD_A, "");
    assert_int_equal(s->exit, 4);
    assert_string_equal(s->out, "");
    expect_error(s, "otactl: card audit: The card is dirty (409 ABORTED, CARD_DIRTY, field cardId");
    expect_error(s, "do: its state is in doubt: queue behind the audit with --if-dirty wait");
}

static void wrong_values_and_defects_have_their_codes(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 400, "{\"status\":400,\"code\":\"INVALID_ARGUMENT\",\"message\":\"sort\"}");
    stage_run(s, "card|list|--sort|x", "");
    assert_int_equal(s->exit, 2);
    s->replies[0].status = 500;
    stage_run(s, "card|list", "");
    assert_int_equal(s->exit, 1);
    s->replies[0] = (struct stage_reply){200, "<html>not JSON</html>", NULL, NULL};
    stage_run(s, "dirty|summary", "");
    assert_int_equal(s->exit, 1);
    expect_error(s, "is not the OTA server's");
}

static void a_busy_server_is_asked_again_with_the_same_key(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 503, "{\"status\":503,\"code\":\"UNAVAILABLE\",\"message\":\"busy\"}");
    stage_reply(s, 202, QUEUED);
    stage_run(s, "op|resend|" OP, "");
    assert_int_equal(s->exit, 0);
    assert_int_equal(s->request_count, 2);
    assert_string_equal(s->requests[0].key, s->requests[1].key);
    assert_true(s->requests[1].is_signed);
}

static void a_server_that_stays_busy_is_a_time_out(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 503, "{\"status\":503,\"code\":\"UNAVAILABLE\",\"message\":\"busy\"}");
    stage_run(s, "pool|list", "");
    assert_int_equal(s->exit, 5);
    assert_int_equal(s->request_count, 4);
}

static void a_wrong_clock_is_named_as_the_reason(void **state)
{
    struct stage *s = *state;
    s->replies[s->reply_count++] = (struct stage_reply){
        401,
        "{\"status\":401,\"code\":\"UNAUTHENTICATED\",\"message\":\"Request not authenticated\"}",
        NULL, "Thu, 01 Jan 2015 00:00:00 GMT"};
    stage_run(s, "system|show", "");
    assert_int_equal(s->exit, 4);
    expect_error(s, "clock skew: this machine's clock is ");
    expect_error(s, "ahead of the server's");
}

static void a_server_that_is_not_there_is_named(void **state)
{
    struct stage *s = *state;
    http_close(s->http); // its port is free now
    s->http = NULL;
    stage_run(s, "card|list", "");
    assert_int_equal(s->exit, 1);
    expect_error(s, s->authority);
    expect_error(s, "cannot be reached");
    stage_run(s, "doctor", "");
    assert_int_equal(s->exit, 1);
    assert_string_equal(stage_result(s), "something is wrong");
}

static void credentials_that_others_can_read_are_refused(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, NONE);
    assert_int_equal(chmod(s->credentials, 0640), 0);
    stage_run(s, "card|list", "");
    assert_int_equal(s->exit, 4);
    assert_int_equal(s->request_count, 0);
    expect_error(s, "can be read by others (mode 640)");
    assert_null(strstr(s->err, STAGE_SECRET));
}

static void wrong_use_is_exit_code_2_and_asks_nothing(void **state)
{
    struct stage *s = *state;
    static const char *const commands[] = {
        "card|show",
        "card|show|op_01JZ8Q4M7Y2K9T3W5X6A7B8C9D",
        "card|show|crd_../x",
        "card|fly",
        "plane|list",
        "card|list|--nonsense",
        "card|list|extra",
        "card|list|--limit=many",
        "card|retire|" CARD_A,
        "sub|download|" CARD_A,
        "sub|download|" CARD_A "|--pool|p|--set-fallback",
        "sub|enable|" CARD_A,
        "sub|enable|" CARD_A "|--subscription|" SUB "|--force",
        "config|set|" CARD_A,
        "config|set|" CARD_A "|NAME",
        "config|set|" CARD_A "|NAME=1,x",
        "import|run|/dev/null",
        "trail|show|x",
        "--cmd|card 'list",
        "--json",
    };
    stage_reply(s, 500, NULL);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        stage_run(s, commands[i], "");
        if (s->exit != 2 || s->request_count != 0 || s->err_len == 0)
            fail_msg("%s: exit %d, %zu requests", commands[i], s->exit, s->request_count);
    }
}

// --- imports ---

static void an_import_sends_the_file_and_prints_the_report(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 202, "{\"id\":\"" IMP "\",\"status\":\"CHECKING\"}");
    stage_reply(s, 200, "{\"id\":\"" IMP "\",\"status\":\"LOADING\"}");
    stage_reply(s, 200,
                "{\"id\":\"" IMP "\",\"status\":\"ENDED\",\"outcome\":\"IMPORTED_IN_PART\","
                "\"loaded\":2,\"quarantined\":1,\"byCode\":{\"IMP-201\":1}}");
    stage_reply(s, 200,
                "{\"items\":[{\"code\":\"IMP-201\",\"level\":\"R\",\"line\":27,\"field\":"
                "\"ICCID\",\"text\":\"check digit is 8, expected 9\"}],\"pagination\":{"
                "\"totalCount\":1}}");
    stage_run(s, "import|run|-|--vendor-profile|alder|--partial", "*HEADER\nline\n*END\n");
    assert_int_equal(s->exit, 8);
    expect_request(s, 0, "POST /batch-imports?vendorProfile=alder&partial=true",
                   "*HEADER\nline\n*END\n");
    assert_true(strlen(s->requests[0].key) >= 8);
    expect_request(s, 3, "GET /batch-imports/" IMP "/report?perPage=100", "");
    assert_non_null(strstr(s->out, "IMP-201  R      27    ICCID  check digit is 8, expected 9"));
    assert_string_equal(stage_result(s), IMP " IMPORTED_IN_PART loaded=2 unchanged=0 "
                                             "quarantined=1 warnings=0");
    expect_error(s, "otactl import quarantine " IMP);
}

static void a_dry_run_with_findings_is_exit_code_4(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 202, "{\"id\":\"" IMP "\",\"status\":\"CHECKING\"}");
    stage_reply(s, 200,
                "{\"id\":\"" IMP "\",\"status\":\"ENDED\",\"outcome\":\"DRY_RUN_FINDINGS\"}");
    stage_run(s, "import|run|-|--vendor-profile|alder|--dry-run|--json", "x");
    assert_int_equal(s->exit, 4);
    expect_request(s, 0, "POST /batch-imports?vendorProfile=alder&dryRun=true", "x");
    assert_string_equal(s->out, "{\"id\":\"" IMP
                                "\",\"status\":\"ENDED\",\"outcome\":\"DRY_RUN_FINDINGS\"}\n");
}

static void a_component_that_others_can_read_is_not_sent(void **state)
{
    struct stage *s = *state;
    char command[256];
    char path[] = "/tmp/otactl-component-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "000102030405060708090A0B0C0D0E0F\n", 33), 33);
    snprintf(command, sizeof(command), "transport-key|add|--index|7|%s|%s", path, path);
    stage_reply(s, 201, "{\"index\":7}");
    stage_run(s, command, "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "POST /transport-keys",
                   "{\"index\":7,\"algorithm\":\"AES128-CBC\",\"components\":["
                   "\"000102030405060708090A0B0C0D0E0F\",\"000102030405060708090A0B0C0D0E0F\"]}");
    assert_string_equal(stage_result(s), "transport key 7");
    assert_int_equal(fchmod(fd, 0604), 0);
    stage_run(s, command, "");
    assert_int_equal(s->exit, 4);
    assert_int_equal(s->request_count, 0);
    close(fd);
    unlink(path);
}

// --- the rest ---

static void a_broken_chain_is_exit_code_7(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"ok\":false,\"firstBadSequence\":12,\"problem\":\"HASH\"}");
    stage_run(s, "trail|verify|--first|1|--last|20", "");
    assert_int_equal(s->exit, 7);
    expect_request(s, 0, "POST /audit-trail/verify", "{\"fromSequence\":1,\"toSequence\":20}");
    assert_string_equal(stage_result(s), "NOT verified: HASH at row 12");
    s->replies[0].body = "{\"ok\":true,\"checked\":20,\"headHash\":\"ab\"}";
    stage_run(s, "trail|verify", "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "POST /audit-trail/verify", "{}");
    assert_string_equal(stage_result(s), "verified 20 rows, head ab");
}

static void a_long_trail_is_waited_for(void **state)
{
    struct stage *s = *state;
    static const char ended[] =
        "{\"id\":\"vrf_01JZ8Q4M7Y2K9T3W5X6A7B8C9D\",\"status\":\"ENDED\",\"checked\":50003,"
        "\"verdict\":{\"ok\":true,\"checked\":50003,\"headHash\":\"cd\"}}";
    stage_reply(s, 202,
                "{\"id\":\"vrf_01JZ8Q4M7Y2K9T3W5X6A7B8C9D\",\"status\":\"RUNNING\","
                "\"checked\":0}");
    stage_reply(s, 200, ended);
    stage_run(s, "trail|verify", "");
    assert_int_equal(s->exit, 0);
    assert_int_equal(s->request_count, 2);
    expect_request(s, 0, "POST /audit-trail/verify", "{}");
    expect_request(s, 1, "GET /audit-trail/verifications/vrf_01JZ8Q4M7Y2K9T3W5X6A7B8C9D", "");
    assert_string_equal(stage_result(s), "verified 50003 rows, head cd");
    s->replies[1].body = "{\"status\":\"ENDED\",\"verdict\":{\"ok\":false,"
                         "\"firstBadSequence\":40001,\"problem\":\"GAP\"}}";
    stage_run(s, "trail|verify", "");
    assert_int_equal(s->exit, 7);
    assert_string_equal(stage_result(s), "NOT verified: GAP at row 40001");
    s->replies[1].body = "{\"status\":\"ENDED\",\"failure\":\"UNREADABLE\"}";
    stage_run(s, "trail|verify", "");
    assert_int_equal(s->exit, 1);
    s->replies[0] = (struct stage_reply){200, ended, NULL, NULL};
    stage_run(s, "trail|show|vrf_01JZ8Q4M7Y2K9T3W5X6A7B8C9D", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(stage_result(s), "verified 50003 rows, head cd");
}

static void the_doctor_looks_at_everything(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"status\":\"ok\"}");
    stage_reply(s, 200, "{\"checks\":[{\"name\":\"database\",\"ok\":true}]}");
    stage_reply(s, 200, "{\"version\":\"0.1.0\"}");
    stage_run(s, "doctor", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->requests[0].line, "GET /healthz");
    assert_string_equal(s->requests[1].line, "GET /readyz");
    expect_request(s, 2, "GET /system", "");
    assert_string_equal(stage_result(s), "all is well");
    s->replies[1] =
        (struct stage_reply){503, "{\"checks\":[{\"name\":\"smsc\",\"ok\":false}]}", "0", NULL};
    stage_run(s, "doctor|--json", "");
    assert_int_equal(s->exit, 7);
    assert_non_null(strstr(s->out, "\"check\":\"server: smsc\",\"result\":\"FAILED\""));
}

static void several_commands_stop_at_exit_or_at_the_first_failure(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"id\":\"" CARD_A "\"}");
    stage_run(s, "--json|--cmd|card show " CARD_A "; exit; card show " CARD_B, "");
    assert_int_equal(s->exit, 0);
    assert_int_equal(s->request_count, 1);
    assert_string_equal(s->out, "{\"id\":\"" CARD_A "\"}\n");
    s->replies[0] =
        (struct stage_reply){404, "{\"code\":\"NOT_FOUND\",\"message\":\"\"}", NULL, NULL};
    stage_run(s, "--script|-", "# both\ncard show " CARD_A "\ncard show " CARD_B "\n");
    assert_int_equal(s->exit, 3);
    assert_int_equal(s->request_count, 1);
    expect_error(s, "stopped at command 1 (card), exit code 3");
}

static void every_verb_explains_itself_with_an_example(void **state)
{
    struct stage *s = *state;
    static char words[STAGE_TEXT_MAX];
    stage_run(s, "--words", "");
    assert_int_equal(s->exit, 0);
    memcpy(words, s->out, sizeof(words));
    unsigned count = 0;
    for (char *line = words; *line != '\0'; line += strcspn(line, "\n") + 1) {
        char noun[64];
        char verb[64];
        char command[160];
        char example[160];
        assert_int_equal(sscanf(line, "%63s %63s", noun, verb), 2);
        const bool is_alone = strcmp(verb, "-") == 0;
        snprintf(command, sizeof(command), "%s%s%s|--help", noun, is_alone ? "" : "|",
                 is_alone ? "" : verb);
        snprintf(example, sizeof(example), "%s%s%s", noun, is_alone ? "" : " ",
                 is_alone ? "" : verb);
        stage_run(s, command, "");
        assert_int_equal(s->exit, 0);
        const char *shown = strstr(s->out, "Example:");
        if (shown == NULL || strstr(shown, example) == NULL)
            fail_msg("%s has no example", example);
        count++;
    }
    assert_true(count >= 45);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, open_stage, close_stage)

static void a_move_of_many_cards_is_shown(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "{\"id\":\"mov_01JR8Q4M7Y2K9T3W5X6A7B8C9D\",\"status\":\"ENDED\"}");
    stage_run(s, "card|move-show|mov_01JR8Q4M7Y2K9T3W5X6A7B8C9D", "");
    assert_int_equal(s->exit, 0);
    expect_request(s, 0, "GET /cards/moves/mov_01JR8Q4M7Y2K9T3W5X6A7B8C9D", "");
}

// --- events ---

#define EVENT(id) "id: " id "\nevent: alarm.raised\ndata: {}\n\n"

static void a_stream_that_broke_off_is_opened_again_after_growing_pauses(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "retry: 40\n\n" EVENT("7"));
    for (int i = 0; i < 3; i++)
        s->replies[s->reply_count++] = (struct stage_reply){.status = 503};
    stage_reply(s, 200, ": only a comment\n\n");
    stage_reply(s, 200, EVENT("8"));
    stage_run(s, "event|follow|--count|2|--quiet", "");
    assert_int_equal(s->exit, 0);
    assert_string_equal(s->out, "7 alarm.raised\n8 alarm.raised\n");
    assert_int_equal(s->request_count, 6);
    assert_string_equal(s->requests[0].last, "");
    static const uint64_t pauses_ms[] = {0, 40, 80, 160, 320, 40};
    for (size_t i = 1; i < 6; i++) {
        assert_string_equal(s->requests[i].last, "7");
        assert_true(s->requests[i].at.ms - s->requests[i - 1].at.ms >= pauses_ms[i]);
    }
}

static void a_stream_that_is_refused_ends(void **state)
{
    struct stage *s = *state;
    stage_reply(s, 200, "retry: 1\n" EVENT("7"));
    stage_reply(s, 403, "{\"status\":403,\"code\":\"PERMISSION_DENIED\",\"message\":\"No\"}");
    stage_run(s, "event|follow", "");
    assert_int_equal(s->exit, 4);
    assert_int_equal(s->request_count, 2);
    expect_error(s, "PERMISSION_DENIED");
}

static void a_stream_that_never_was_is_not_waited_for(void **state)
{
    struct stage *s = *state;
    s->replies[s->reply_count++] = (struct stage_reply){.status = 503};
    stage_run(s, "event|follow", "");
    assert_int_equal(s->exit, 5);
    assert_int_equal(s->request_count, 1);
}

static void what_is_no_event_or_number_of_events_is_not_asked_for(void **state)
{
    static const char *const commands[] = {"event|follow|--count|0", "event|follow|--count|-1",
                                           "event|follow|--after|x",
                                           "event|follow|--after|100000000000000000000000"};
    struct stage *s = *state;
    stage_reply(s, 200, EVENT("7"));
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        stage_run(s, commands[i], "");
        assert_int_equal(s->exit, 2);
    }
    assert_int_equal(s->request_count, 0);
    expect_error(s, "--after takes a number, not: 100000000000000000000000");
    stage_run(s, "event|follow|--after|12345678901234567890|--count|1", "");
    assert_string_equal(s->requests[0].last, "12345678901234567890");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(a_card_is_asked_for_by_its_id_and_its_json_is_unchanged),
        ON_STAGE(a_card_is_found_by_a_number_that_stays_out_of_the_path),
        ON_STAGE(a_number_that_no_card_has_is_not_found),
        ON_STAGE(control_characters_of_the_server_do_not_reach_the_terminal),
        ON_STAGE(ids_from_standard_input_make_one_array_and_one_exit_code),
        ON_STAGE(the_two_views_of_a_card_stand_side_by_side),
        ON_STAGE(a_list_is_read_page_by_page),
        ON_STAGE(several_pages_become_one_document),
        ON_STAGE(a_search_carries_its_page_in_the_body),
        ON_STAGE(a_search_for_a_subscription_carries_its_page_in_the_query),
        ON_STAGE(a_download_says_everything_it_was_told),
        ON_STAGE(an_operation_is_followed_to_its_end_in_silence),
        ON_STAGE(a_subscription_is_barred_and_allowed),
        ON_STAGE(a_card_that_refuses_is_exit_code_6),
        ON_STAGE(waiting_ends_with_exit_code_5),
        ON_STAGE(a_dry_run_asks_for_one),
        ON_STAGE(actions_have_no_body),
        ON_STAGE(a_refusal_says_why_and_what_to_do),
        ON_STAGE(wrong_values_and_defects_have_their_codes),
        ON_STAGE(a_busy_server_is_asked_again_with_the_same_key),
        ON_STAGE(a_server_that_stays_busy_is_a_time_out),
        ON_STAGE(a_wrong_clock_is_named_as_the_reason),
        ON_STAGE(a_server_that_is_not_there_is_named),
        ON_STAGE(credentials_that_others_can_read_are_refused),
        ON_STAGE(wrong_use_is_exit_code_2_and_asks_nothing),
        ON_STAGE(an_import_sends_the_file_and_prints_the_report),
        ON_STAGE(a_dry_run_with_findings_is_exit_code_4),
        ON_STAGE(a_component_that_others_can_read_is_not_sent),
        ON_STAGE(a_broken_chain_is_exit_code_7),
        ON_STAGE(a_long_trail_is_waited_for),
        ON_STAGE(the_doctor_looks_at_everything),
        ON_STAGE(several_commands_stop_at_exit_or_at_the_first_failure),
        ON_STAGE(every_verb_explains_itself_with_an_example),
        ON_STAGE(a_move_of_many_cards_is_shown),
        ON_STAGE(a_stream_that_broke_off_is_opened_again_after_growing_pauses),
        ON_STAGE(a_stream_that_is_refused_ends),
        ON_STAGE(a_stream_that_never_was_is_not_waited_for),
        ON_STAGE(what_is_no_event_or_number_of_events_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

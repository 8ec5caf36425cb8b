// What rows of the trail say of an operation.
#include "tests/lib/cmocka_all.h"

#include "common/base/text.h"
#include "common/wire/parameter.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/operation_tell.h"

#define SUBSCRIPTION 0x1122334455667788

static char text[OPERATION_TELL_SIZE];

// Put together: `before`, the id, `after`.
static const char *with_id(const char *before, const char *prefix, uint64_t id, const char *after)
{
    static char whole[OPERATION_TELL_SIZE];
    char name[API_ID_SIZE];
    struct writer w = writer_of(whole, sizeof(whole));
    api_id_write(name, prefix, id);
    text_put(&w, before);
    text_put(&w, name);
    text_put(&w, after);
    return text_end(&w);
}

static void a_download_is_told_with_what_it_puts_on_the_card_and_without_identifiers(void **state)
{
    (void)state;
    struct operation o = {.kind = OPERATION_DOWNLOAD,
                          .subscription = SUBSCRIPTION,
                          .flags = COMMAND_FLAG_ENABLE | COMMAND_FLAG_ROLLBACK,
                          .download = {.template_number = 1,
                                       .has_role = true,
                                       .role = ROLE_BOOTSTRAP,
                                       .imsi = {8, 0x49, 6, 0, 0, 0x21, 0x43, 0x65, 0x87},
                                       .number = "+4915112345678",
                                       .smsc = "+4917099999"}};
    assert_string_equal(
        operation_tell(&o, text),
        with_id("download subscriptionId=", "sub", SUBSCRIPTION,
                ", templateId=1, enable=NOW, rollbackAllowed=true, role=BOOTSTRAP"));
    o.flags = COMMAND_FLAG_SET_FALLBACK;
    o.download.has_role = false;
    o.download.has_rank = o.download.has_marks = true;
    o.download.rank = 255;
    o.download.marks = SLOT_MARK_NO_DELETE;
    assert_string_equal(
        operation_tell_command(&o, "DOWNLOAD", text),
        with_id("DOWNLOAD subscriptionId=", "sub", SUBSCRIPTION,
                ", templateId=1, enable=LATER, setFallback=true, rollbackAllowed=false, "
                "rank=255, noDisable=false, noDelete=true"));
}

static void the_conditions_are_of_the_request_and_not_of_the_command(void **state)
{
    (void)state;
    struct operation o = {.kind = OPERATION_DELETE,
                          .subscription = SUBSCRIPTION,
                          .created_at = {1790000000000},
                          .not_before = {1790000000001}, // 2026-09-21T14:13:20.001Z
                          .wait_until_clean = true,
                          .force = true};
    assert_string_equal(operation_tell(&o, text),
                        with_id("delete subscriptionId=", "sub", SUBSCRIPTION,
                                ", when=2026-09-21T14:13:20.001Z, ifDirty=WAIT, force=true"));
    assert_string_equal(operation_tell_command(&o, "DELETE", text),
                        with_id("DELETE subscriptionId=", "sub", SUBSCRIPTION, ""));
    assert_string_equal(operation_tell_command(&o, "DELETE, counter 7", text),
                        with_id("DELETE, counter 7, subscriptionId=", "sub", SUBSCRIPTION, ""));
    o = (struct operation){.kind = OPERATION_AUDIT, .at_next_contact = true, .campaign = 7};
    assert_string_equal(operation_tell(&o, text),
                        with_id("audit when=NEXT_CONTACT, campaignId=", "cmp", 7, ""));
    o = (struct operation){.kind = OPERATION_AUDIT};
    assert_string_equal(operation_tell(&o, text), "audit");
}

static void parameters_are_told_in_the_units_of_the_api(void **state)
{
    (void)state;
    struct operation o = {.kind = OPERATION_SET_TIMERS};
    struct writer list = writer_of(o.list, sizeof(o.list));
    static const uint8_t values[] = {
        PARAMETER_T_REFRESH, 1, 50,               //
        PARAMETER_BACKOFF_BASE, 1, 2,             // min
        PARAMETER_NOTIFY_WAITS, 4, 0, 60, 0, 120, //
        // 262, any network, an IMSI, FORBID; 460 00, PREFER
        PARAMETER_COUNTRY_TABLE, 26, 0x62, 0xF2, 0xFF, 8, 0x29, 0x26, 0x10, 0x32, 0x54, 0x76, 0x98,
        0x10, 2, 0x64, 0xF0, 0x00, 8, 0x49, 0x06, 0x10, 0x32, 0x54, 0x76, 0x98, 0x10, 1, //
        PARAMETER_SERVER_ADDR, 8, 0x91, 0x68, 0x31, 0x08, 0x10, 0x32, 0x54, 0xF6};
    writer_copy(&list, bytes_of(values, sizeof(values)));
    o.list_len = (uint16_t)list.len;
    assert_string_equal(operation_tell(&o, text),
                        "set-timers BACKOFF_BASE=120, NOTIFY_WAITS=[60 120], "
                        "COUNTRY_TABLE=[262=FORBID 46000=PREFER], T_REFRESH=50, "
                        "SERVER_ADDR=86*******3456");
    o = (struct operation){.kind = OPERATION_READ_TIMERS,
                           .list_len = 2,
                           .list = {PARAMETER_T_ATTACH, PARAMETER_T_COOL}};
    assert_string_equal(operation_tell_command(&o, "CONFIGURE", text),
                        "CONFIGURE names=[T_ATTACH T_COOL]");
    o = (struct operation){.kind = OPERATION_READ_TIMERS, .list_len = 1, .list = {READ_ALL}};
    assert_string_equal(operation_tell_command(&o, "CONFIGURE", text), "CONFIGURE");
}

// All parameters take more than a row holds.
static void what_does_not_fit_is_left_out_whole_and_three_dots_say_so(void **state)
{
    (void)state;
    struct operation o = {.kind = OPERATION_SET_TIMERS};
    struct writer list = writer_of(o.list, sizeof(o.list));
    struct parameters p;
    parameters_default(&p);
    for (uint8_t number = 1; number < PARAMETER_SERVER_ADDR; number++) {
        if (number == PARAMETER_COUNTRY_TABLE)
            continue;
        assert_true(parameter_write(&list, &p, number));
    }
    o.list_len = (uint16_t)list.len;
    const char *told = operation_tell(&o, text);
    assert_memory_equal(told, "set-timers POLL_PERIOD=", 23);
    assert_true(strlen(told) < OPERATION_TELL_SIZE);
    assert_null(strstr(told, "..."));
    p.country_count = 12;
    for (uint8_t i = 0; i < p.country_count; i++)
        p.countries[i] = (struct country_row){
            {0x64, (uint8_t)(i % 10 << 4), 0x10}, {8, 0x49, 6}, COUNTRY_FORBID};
    assert_true(parameter_write(&list, &p, PARAMETER_COUNTRY_TABLE));
    o.list_len = (uint16_t)list.len;
    told = operation_tell(&o, text);
    assert_string_equal(told + strlen(told) - 5, ", ...");
    assert_true(strlen(told) < OPERATION_TELL_SIZE);
    assert_non_null(strstr(told, "460011=FORBID], T_COUNTRY="));
    assert_null(strstr(told, "T_REFRESH"));
}

static void an_end_is_told_with_why(void **state)
{
    (void)state;
    char end[OPERATION_END_SIZE];
    struct operation o = {.outcome = OUTCOME_FAILED,
                          .failure = FAILURE_CARD_REFUSED,
                          .has_result = true,
                          .result = RESULT_TEMPLATE_UNKNOWN};
    assert_string_equal(operation_tell_end(&o, end), "failed CARD_REFUSED TEMPLATE_UNKNOWN");
    o = (struct operation){.outcome = OUTCOME_DONE, .has_result = true, .result = RESULT_OK};
    assert_string_equal(operation_tell_end(&o, end), "done OK");
    o = (struct operation){.outcome = OUTCOME_EXPIRED, .failure = FAILURE_CARD_UNREACHABLE};
    assert_string_equal(operation_tell_end(&o, end), "expired CARD_UNREACHABLE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_download_is_told_with_what_it_puts_on_the_card_and_without_identifiers),
        cmocka_unit_test(the_conditions_are_of_the_request_and_not_of_the_command),
        cmocka_unit_test(parameters_are_told_in_the_units_of_the_api),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole_and_three_dots_say_so),
        cmocka_unit_test(an_end_is_told_with_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// What an audit and a CONFIGURE answer [applet-protocol §4].
#include "tests/unit/applet/bench_card.h"

#include "applet/commands.h"
#include "tests/lib/cmocka_all.h"

static struct bench_card card;

static int setup(void **state)
{
    (void)state;
    bench_init(&card);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_close(&card);
    return 0;
}

// The answer to an audit that looks up this operation.
static struct audit_answer look_up(uint32_t operation_id)
{
    struct command c = bench_audit(&card);
    c.audit.has_lookup = true;
    c.audit.lookup_operation_id = operation_id;
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_OK);
    struct audit_answer a;
    assert_true(audit_answer_read(s->result.data, &a));
    return a;
}

// The answer from this slot on, of the image that is in the workspace.
static void page(uint8_t first_slot, struct audit_answer *out)
{
    uint8_t octets[COMMAND_RESULT_MAX];
    const struct applet_answer answer = {.outcome = {.command = COMMAND_AUDIT},
                                         .audit = {.first_slot = first_slot}};
    assert_true(memory_load(&card.applet, &card.port));
    struct writer w = writer_of(octets, sizeof octets);
    struct result r;
    commands_write(&w, &card.applet, &card.port, &answer, COMMAND_RESULT_MAX);
    assert_true(result_read(writer_bytes(&w), &r) && audit_answer_read(r.data, out));
}

static void an_operation_that_is_looked_up_was_stored_or_never_seen_or_not_kept(void **state)
{
    (void)state;
    // 0 is not above the highest of a card that has seen none.
    assert_int_equal(look_up(0).lookup, LOOKUP_NOT_STORED);
    struct command c = bench_target(&card, COMMAND_DELETE, 9, 0);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_NOT_FOUND);
    struct audit_answer a = look_up(c.operation_id);
    assert_int_equal(a.lookup, LOOKUP_STORED);
    assert_int_equal(a.lookup_operation_id, c.operation_id);
    assert_int_equal(a.lookup_code, RESULT_NOT_FOUND);
    assert_int_equal(a.operation_id_highest, c.operation_id);
    a = look_up(c.operation_id + 1);
    assert_int_equal(a.lookup, LOOKUP_NEVER_SEEN);
    assert_int_equal(a.lookup_operation_id, c.operation_id + 1);
}

// [applet-protocol §4]: the head of an audit, with what the bench's card and terminal are.
static void card_and_terminal_are_told(void **state)
{
    (void)state;
    struct audit_answer a = look_up(1);
    assert_memory_equal(a.card_iccid, card.factory.card_iccid, sizeof a.card_iccid);
    assert_memory_equal(a.applet_version, ((uint8_t[]){2, 4, 7}), 3);
    assert_int_equal(a.level, 2);
    assert_int_equal(a.slot_count, 4);
    assert_int_equal(a.terminal, TERMINAL_EVENTS | TERMINAL_TIMERS | TERMINAL_POLLING |
                                     TERMINAL_REFRESH | TERMINAL_SEND_SMS | TERMINAL_LOCATION |
                                     TERMINAL_REJECTION);
    assert_false(a.has_imei);
    const uint8_t imei[] = {0x3A, 0x65, 0x04, 0x22, 0x10, 0x32, 0x54, 0x76};
    card.has_imei = true;
    memcpy(card.imei, imei, sizeof imei);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    a = look_up(1);
    assert_true(a.has_imei);
    assert_memory_equal(a.imei, imei, sizeof imei);
}

static void the_templates_are_told(void **state)
{
    (void)state;
    struct audit_answer a = look_up(1);
    assert_int_equal(a.template_count, 2);
    assert_int_equal(a.templates[0], 1);
    assert_int_equal(a.templates[1], 2);
    struct applet_template many[COMMAND_TEMPLATES_MAX] = {{.number = 11}};
    for (uint8_t i = 0; i < COMMAND_TEMPLATES_MAX; i++)
        many[i].number = (uint8_t)(11 + i);
    card.factory.templates = many;
    card.factory.template_count = COMMAND_TEMPLATES_MAX;
    a = look_up(1);
    assert_int_equal(a.template_count, 8);
    for (uint8_t i = 0; i < 8; i++)
        assert_int_equal(a.templates[i], 11 + i);
}

static void the_preferred_slot_is_told_from_1(void **state)
{
    (void)state;
    struct audit_answer a;
    assert_int_equal(look_up(1).preferred_slot, 1);
    bench_settle_on(&card, 2);
    assert_int_equal(look_up(1).preferred_slot, 2);
    card.work.image.preferred = IMAGE_NO_SLOT;
    page(1, &a);
    assert_int_equal(a.preferred_slot, 0);
}

static void a_full_memory_has_no_octet_left(void **state)
{
    (void)state;
    struct audit_answer a = look_up(1);
    assert_true(a.free_memory > 0);
    assert_true(memory_load(&card.applet, &card.port));
    const size_t capacity = memory_capacity(&card.port);
    const size_t need = image_need(&card.work.image, card.work.bank, capacity);
    assert_int_equal(a.free_memory, capacity - need);
    // The same image in smaller memories, down to one that it does not fit.
    page(1, &a);
    while (a.free_memory > 0) {
        uint16_t before = a.free_memory;
        card.port.nvm_size--;
        page(1, &a);
        assert_true(a.free_memory <= before && before - a.free_memory <= 1);
    }
    card.port.nvm_size -= 100;
    page(1, &a);
    assert_int_equal(a.free_memory, 0);
}

static void all_parameters_are_read_in_order(void **state)
{
    (void)state;
    const uint8_t all[] = {0xFF};
    struct command c = bench_configure(&card, bytes_of(NULL, 0), bytes_of(all, 1));
    const struct sent *s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OK);
    struct reader r = reader_of(s->result.data);
    assert_int_equal(reader_u16(&r), 0); // the version of the configuration
    for (uint8_t number = 1; number <= PARAMETER_LAST; number++) {
        assert_int_equal(reader_u8(&r), number);
        reader_skip(&r, reader_u8(&r));
    }
    assert_false(r.failed);
    assert_int_equal(r.left, 0);
}

static void only_what_was_done_has_data(void **state)
{
    (void)state;
    const uint8_t range[] = {PARAMETER_AUTO_MODE, 1, 3};
    struct command c = bench_configure(&card, bytes_of(range, sizeof range), bytes_of(NULL, 0));
    const struct sent *s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OUT_OF_RANGE);
    assert_int_equal(s->result.data.len, 0);
    bench_enable(&card, 2);
    bench_service(&card, CAT_SERVICE_NORMAL);
    const struct applet_dump d = bench_dump(&card);
    c = bench_confirm(&card, d.image.pending[0].sequence, d.image.pending[0].operation_id);
    s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OK);
    assert_int_equal(s->result.data.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_operation_that_is_looked_up_was_stored_or_never_seen_or_not_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(card_and_terminal_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(the_templates_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(the_preferred_slot_is_told_from_1, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_memory_has_no_octet_left, setup, teardown),
        cmocka_unit_test_setup_teardown(only_what_was_done_has_data, setup, teardown),
        cmocka_unit_test_setup_teardown(all_parameters_are_read_in_order, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

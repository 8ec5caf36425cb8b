// What commands change besides what they name, and what they leave as it was.
#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
#include "applet/toolkit.h"
#include "common/wire/keywrap.h"
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
    bench_check(&card);
    bench_close(&card);
    return 0;
}

static struct image *opened(void)
{
    assert_true(memory_load(&card.applet, &card.port));
    memory_release(&card.port);
    return &card.work.image;
}

static void keep(void)
{
    assert_int_equal(memory_commit(&card.applet, &card.port), MEMORY_OK);
}

static uint8_t code_of(struct command c)
{
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    return s->result.code;
}

static void set(uint8_t number, uint8_t len, uint32_t value)
{
    uint8_t list[6] = {number, len};
    for (uint8_t i = 0; i < len; i++)
        list[2 + i] = (uint8_t)(value >> (8 * (len - 1 - i)));
    bench_set(&card, list, 2u + len);
}

// --- slots ---

// Marks of what was tried belong to what is in the slot.
static void a_slot_that_empties_or_fills_has_no_part_in_an_outage(void **state)
{
    (void)state;
    bench_install(&card, 3, 0);
    for (unsigned i = 0; i < 2; i++) {
        struct image *m = opened();
        m->search.tried = 0xFFFF;
        m->search.failed = 0xFFFF;
        for (uint8_t slot = 0; slot < 4; slot++)
            m->dues.cool[slot] = 90000;
        keep();
        const uint32_t version = bench_dump(&card).image.registry_version;
        assert_int_equal(code_of(i == 0 ? bench_target(&card, COMMAND_DELETE, 3, 0)
                                        : bench_download(&card, 3, 0)),
                         RESULT_OK);
        const struct applet_dump d = bench_dump(&card);
        assert_int_equal(d.image.search.tried, 0xFFFB);
        assert_int_equal(d.image.search.failed, 0xFFFB);
        assert_int_equal(d.image.dues.cool[1], 90000);
        assert_int_equal(d.image.dues.cool[2], 0);
        assert_int_equal(d.image.dues.cool[3], 90000);
        assert_int_equal(d.image.registry_version, version + 1);
    }
}

static void go_away_from(uint8_t preferred)
{
    struct image *m = opened();
    m->preferred = preferred;
    m->is_automatic = true;
    m->return_doublings = 2;
    m->dues.back = 80000;
    m->dues.reuse = 90000;
    keep();
}

static void without_a_preferred_subscription_nobody_returns(void **state)
{
    (void)state;
    bench_install(&card, 3, 0);
    bench_install(&card, 4, 0);
    go_away_from(2);
    assert_int_equal(code_of(bench_target(&card, COMMAND_DELETE, 4, 0)), RESULT_OK);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.preferred, 2);
    assert_int_equal(d.image.dues.back, 80000);
    assert_int_equal(d.image.dues.reuse, 90000);
    assert_int_equal(code_of(bench_target(&card, COMMAND_DELETE, 3, 0)), RESULT_OK);
    d = bench_dump(&card);
    assert_int_equal(d.image.preferred, IMAGE_NO_SLOT);
    assert_int_equal(d.image.dues.back, 0);
    assert_int_equal(d.image.dues.reuse, 0);
}

static void enabling_the_enabled_one_makes_it_preferred(void **state)
{
    (void)state;
    go_away_from(1);
    const uint32_t version = bench_dump(&card).image.registry_version;
    struct command c = bench_target(&card, COMMAND_ENABLE, 1, 0);
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_OK_UNCHANGED);
    assert_memory_equal(s->result.data.at, "\x01\x01", 2);
    const struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.preferred, 0);
    assert_false(d.image.is_automatic);
    assert_int_equal(d.image.return_doublings, 0);
    assert_int_equal(d.image.dues.back, 0);
    assert_int_equal(d.image.dues.reuse, 0);
    assert_int_equal(d.image.registry_version, version);
}

static void results_name_the_slots(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    const struct sent *s = bench_command(&card, &c);
    assert_memory_equal(s->result.data.at, "\x03\x01", 2); // slot 3, one is free
    c = bench_target(&card, COMMAND_SET_FALLBACK, 3, COMMAND_FLAG_FORCE);
    const uint32_t version = bench_dump(&card).image.registry_version;
    s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OK);
    assert_memory_equal(s->result.data.at, "\x01\x03", 2);
    assert_int_equal(s->result.registry_version, version + 1);
    c = bench_target(&card, COMMAND_SET_FALLBACK, 3, 0);
    s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OK_UNCHANGED);
    assert_memory_equal(s->result.data.at, "\x03\x03", 2);
    assert_int_equal(s->result.registry_version, version + 1);
    c = bench_target(&card, COMMAND_SET_FALLBACK, 2, 0);
    s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_NOT_PROVEN);
    assert_int_equal(s->result.data.len, 0);
    c = bench_target(&card, COMMAND_DELETE, 2, 0);
    s = bench_command(&card, &c);
    assert_memory_equal(s->result.data.at, "\x02\x02", 2);
    c = bench_target(&card, COMMAND_ENABLE, 3, COMMAND_FLAG_ROLLBACK);
    s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OK_PENDING);
    assert_memory_equal(s->result.data.at, "\x01\x03", 2);
}

static void a_template_that_the_factory_does_not_count_is_none(void **state)
{
    (void)state;
    card.factory.template_count = 1;
    struct command c = bench_download(&card, 3, 0);
    c.download.template_number = 2;
    assert_int_equal(code_of(c), RESULT_TEMPLATE_UNKNOWN);
}

static void what_a_download_leaves_out_comes_from_its_template(void **state)
{
    (void)state;
    card.templates[1].smsc = (struct dialling){.len = 4, .octets = {0x91, 0x94, 0x71, 0x00}};
    struct command c = bench_download(&card, 3, 0);
    c.download.template_number = 2;
    assert_int_equal(code_of(c), RESULT_OK);
    const struct slot s = bench_dump(&card).image.slots[2];
    assert_int_equal(s.template_number, 2);
    assert_int_equal(s.smsc.len, 4);
    assert_memory_equal(s.smsc.octets, "\x91\x94\x71\x00", 4);
    assert_int_equal(s.msisdn.len, 0);
    assert_false(s.has_iccid);
}

// Any slot may be the first that is free.
static void a_download_fills_the_first_free_slot(void **state)
{
    (void)state;
    bench_settle_on(&card, 2);
    assert_int_equal(code_of(bench_target(&card, COMMAND_SET_FALLBACK, 2, 0)), RESULT_OK);
    assert_int_equal(code_of(bench_target(&card, COMMAND_DELETE, 1, 0)), RESULT_OK);
    struct command c = bench_download(&card, 3, 0);
    const struct sent *s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OK);
    assert_memory_equal(s->result.data.at, "\x01\x02", 2);
}

// Guards of ENABLE are for a download that enables.
static void a_terminal_that_cannot_refresh_can_download(void **state)
{
    (void)state;
    card.applet.terminal = (uint16_t)(card.applet.terminal & ~TERMINAL_REFRESH);
    assert_int_equal(code_of(bench_download(&card, 3, COMMAND_FLAG_ENABLE)),
                     RESULT_TERMINAL_INCAPABLE);
    assert_int_equal(bench_dump(&card).image.slots[2].state, SLOT_EMPTY);
    assert_int_equal(code_of(bench_download(&card, 3, 0)), RESULT_OK);
}

// Only a download that says so takes the attribute, once it is confirmed.
static void a_download_that_is_enabled_leaves_the_fallback_attribute(void **state)
{
    (void)state;
    assert_int_equal(code_of(bench_download(&card, 3, COMMAND_FLAG_ENABLE)), RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
    const struct applet_dump d = bench_dump(&card);
    assert_int_equal(image_enabled(&d.image), 2);
    assert_int_equal(d.image.preferred, 2);
    assert_int_equal(image_fallback(&d.image), 0);
}

// --- memory ---

// A download whose key block has so many octets.
static struct command download_with(uint8_t block_len)
{
    static struct keywrap_block block;
    struct network_keys keys = {.k = {.len = block_len == 64 ? 32 : 16},
                                .op = {.len = block_len == 32 ? 16 : 32}};
    struct command c = bench_download(&card, 3, 0);
    assert_int_equal(keywrap_seal(&card.cipher, &card.factory.kik, c.operation_id, &keys,
                                  c.download.imsi, &block),
                     KEYWRAP_OK);
    assert_int_equal(block.len, block_len);
    c.download.wrapped_keys = bytes_of(block.octets, block.len);
    memcpy(c.download.check, block.check, sizeof c.download.check);
    return c;
}

static void begin_with_free(size_t octets)
{
    bench_close(&card);
    bench_init(&card);
    // Of a bank are taken 61 besides slots, 63 and 53 of the two subscriptions, 6 of the address,
    // and 387 for what comes and goes; the counters take 60, the head of a bank 12.
    card.port.nvm_size = 60 + 2 * (12 + 61 + 63 + 53 + 6 + 387 + octets);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    bench_confirm_all(&card);
}

// A slot takes 21 octets besides its two keys.
static void a_download_needs_room_for_its_slot_and_its_keys(void **state)
{
    (void)state;
    static const uint8_t blocks[] = {32, 48, 64};
    for (size_t i = 0; i < sizeof blocks; i++) {
        begin_with_free(21u + blocks[i] - 1u);
        assert_int_equal(code_of(download_with(blocks[i])), RESULT_NO_MEMORY);
        assert_int_equal(bench_dump(&card).image.slots[2].state, SLOT_EMPTY);
        begin_with_free(21u + blocks[i]);
        assert_int_equal(code_of(download_with(blocks[i])), RESULT_OK);
    }
}

// --- times ---

static void only_a_new_value_is_counted_from_now(void **state)
{
    (void)state;
    set(PARAMETER_HEARTBEAT, 2, 5);
    bench_timer(&card, CLOCK_SLOW);
    go_away_from(1);
    set(PARAMETER_T_RETURN, 4, 7200);
    set(PARAMETER_REUSE_LIMIT, 2, 3);
    struct image was = bench_dump(&card).image;
    assert_int_equal(was.dues.heartbeat, 5 * 3600); // the tick came later
    assert_int_equal(was.dues.reuse, 300 + 3 * 86400);
    // Two hours, by a tenth more or less, and doubled twice.
    assert_true(was.dues.back >= 300 + 4 * 6480 && was.dues.back <= 300 + 4 * 7920);
    bench_timer(&card, CLOCK_SLOW);
    card.applet.poll_period_s = 77;
    set(PARAMETER_HEARTBEAT, 2, 5);
    set(PARAMETER_REUSE_LIMIT, 2, 3);
    set(PARAMETER_T_RETURN, 4, 7200);
    const struct image is = bench_dump(&card).image;
    assert_int_equal(is.dues.heartbeat, was.dues.heartbeat);
    assert_int_equal(is.dues.reuse, was.dues.reuse);
    assert_int_equal(is.dues.back, was.dues.back);
    assert_int_equal(card.applet.poll_period_s, 77); // as the terminal granted it
    assert_int_equal(is.configuration_version, was.configuration_version + 3);
}

static void where_nobody_went_by_itself_nobody_is_to_return(void **state)
{
    (void)state;
    set(PARAMETER_T_RETURN, 4, 7200);
    set(PARAMETER_REUSE_LIMIT, 2, 3);
    assert_int_equal(bench_dump(&card).image.dues.back, 0);
    assert_int_equal(bench_dump(&card).image.dues.reuse, 0);
}

// The table may be another one: the country is looked at once more.
static void a_country_is_seen_anew_after_a_configuration(void **state)
{
    (void)state;
    bench_run_out(&card, CLOCK_COUNTRY);
    assert_true(card.applet.is_country_stable);
    set(PARAMETER_T_COUNTRY, 2, 240);
    assert_false(card.applet.is_country_stable);
    assert_int_equal(card.applet.clocks[CLOCK_COUNTRY].left_s, 240);
    clock_stop(&card.applet, CLOCK_COUNTRY);
    card.applet.has_plmn = false;
    set(PARAMETER_T_COUNTRY, 2, 120);
    assert_false(clock_is_on(&card.applet, CLOCK_COUNTRY));
}

// --- addresses ---

static const uint8_t address[] = {PARAMETER_SERVER_ADDR, 4, 0x91, 0x94, 0x71, 0x00};

static void a_new_address_needs_room_for_its_check(void **state)
{
    (void)state;
    struct image *m = opened();
    m->pending_count = 4;
    for (uint8_t i = 0; i < 4; i++)
        m->pending[i] = (struct pending){
            .cause = NOTIFY_ROLLED_BACK, .sequence = i + 2u, .operation_id = i + 1u};
    m->notify_sequence = 5;
    keep();
    struct command c = bench_configure(&card, bytes_of(address, sizeof address), bytes_of(NULL, 0));
    assert_int_equal(code_of(c), RESULT_NO_MEMORY);
    assert_int_equal(bench_dump(&card).image.address_new.len, 0);
    assert_int_equal(bench_dump(&card).image.configuration_version, 0);
    set(PARAMETER_AUTO_MODE, 1, 1); // what moves no address needs none
}

static void a_confirmed_address_is_another_configuration(void **state)
{
    (void)state;
    bench_set(&card, address, sizeof address);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.configuration_version, 1);
    assert_int_equal(d.image.address_new.len, 4);
    assert_int_equal(d.image.parameters.server_address_len, 4);
    assert_memory_equal(d.image.parameters.server_address, "\x91\x21\x43\x65", 4);
    // A confirmation of something else leaves it on trial.
    applet_rejection(&card.applet, &card.port, NULL, 15);
    assert_int_equal(code_of(bench_confirm(&card, 99, 0)), RESULT_CONFIRM_UNKNOWN);
    assert_int_equal(code_of(bench_confirm(&card, d.image.pending[0].sequence, 7)),
                     RESULT_CONFIRM_UNKNOWN);
    assert_int_equal(bench_dump(&card).image.address_new.len, 4);
    assert_int_equal(code_of(bench_confirm(&card, d.image.pending[0].sequence, 0)), RESULT_OK);
    d = bench_dump(&card);
    assert_int_equal(d.image.configuration_version, 2);
    assert_int_equal(d.image.address_new.len, 0);
    assert_memory_equal(d.image.parameters.server_address, address + 2, 4);
}

// A check whose address is gone confirms nothing.
static void a_check_without_an_address_changes_no_configuration(void **state)
{
    (void)state;
    bench_set(&card, address, sizeof address);
    struct image *m = opened();
    m->address_new.len = 0;
    keep();
    const uint32_t sequence = bench_dump(&card).image.pending[0].sequence;
    assert_int_equal(code_of(bench_confirm(&card, sequence, 0)), RESULT_OK);
    const struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.configuration_version, 1);
    assert_memory_equal(d.image.parameters.server_address, "\x91\x21\x43\x65", 4);
}

// --- confirmations ---

// ENABLED of a switch that is over: it makes the subscription preferred only where that is enabled.
static void a_late_confirmation_prefers_what_is_enabled(void **state)
{
    (void)state;
    for (uint8_t enabled = 0; enabled < 2; enabled++) {
        struct image *m = opened();
        m->preferred = IMAGE_NO_SLOT;
        m->pending_count = 1;
        m->pending[0] = (struct pending){.cause = NOTIFY_ENABLED,
                                         .sequence = ++m->notify_sequence,
                                         .operation_id = 40u + enabled,
                                         .set_fallback = enabled == 1,
                                         .to = image_name(m, enabled == 0 ? 0 : 1)};
        const uint32_t sequence = m->notify_sequence;
        keep();
        assert_int_equal(code_of(bench_confirm(&card, sequence, 40u + enabled)), RESULT_OK);
        const struct applet_dump d = bench_dump(&card);
        assert_int_equal(d.image.pending_count, 0);
        assert_int_equal(d.image.preferred, enabled == 0 ? 0 : IMAGE_NO_SLOT);
        assert_int_equal(image_fallback(&d.image), enabled);
        assert_int_equal(d.state, SWITCH_STABLE);
    }
}

// The attribute moves to what is there and does not have it, and to nothing else.
static void a_late_confirmation_moves_no_attribute_that_cannot_move(void **state)
{
    (void)state;
    const struct subscription_name names[] = {image_name(opened(), 0), bench_name(9)};
    for (size_t i = 0; i < 2; i++) {
        struct image *m = opened();
        m->pending_count = 1;
        m->pending[0] = (struct pending){.cause = NOTIFY_ENABLED,
                                         .sequence = ++m->notify_sequence,
                                         .operation_id = 50,
                                         .set_fallback = true,
                                         .to = names[i]};
        const uint32_t sequence = m->notify_sequence;
        keep();
        assert_int_equal(code_of(bench_confirm(&card, sequence, 50)), RESULT_OK);
        const struct applet_dump d = bench_dump(&card);
        assert_int_equal(image_fallback(&d.image), 0);
        assert_int_equal(d.image.registry_version, 1);
    }
}

// A confirmation of an older ENABLED, while another switch waits for its own.
static void only_its_own_confirmation_ends_a_switch(void **state)
{
    (void)state;
    bench_enable(&card, 2);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    struct image *m = opened();
    m->pending[1] = m->pending[0];
    m->pending[0].sequence = 1;
    m->pending[0].operation_id = 70;
    m->pending_count = 2;
    keep();
    assert_int_equal(code_of(bench_confirm(&card, 1, 70)), RESULT_OK);
    assert_int_equal(card.applet.state, SWITCH_CONFIRMING);
    const struct applet_dump d = bench_dump(&card);
    assert_int_equal(
        code_of(bench_confirm(&card, d.image.pending[0].sequence, d.image.pending[0].operation_id)),
        RESULT_OK);
    assert_int_equal(card.applet.state, SWITCH_STABLE);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_slot_that_empties_or_fills_has_no_part_in_an_outage),
        T(without_a_preferred_subscription_nobody_returns),
        T(enabling_the_enabled_one_makes_it_preferred),
        T(results_name_the_slots),
        T(a_template_that_the_factory_does_not_count_is_none),
        T(what_a_download_leaves_out_comes_from_its_template),
        T(a_download_fills_the_first_free_slot),
        T(a_terminal_that_cannot_refresh_can_download),
        T(a_download_that_is_enabled_leaves_the_fallback_attribute),
        T(a_download_needs_room_for_its_slot_and_its_keys),
        T(only_a_new_value_is_counted_from_now),
        T(where_nobody_went_by_itself_nobody_is_to_return),
        T(a_country_is_seen_anew_after_a_configuration),
        T(a_new_address_needs_room_for_its_check),
        T(a_confirmed_address_is_another_configuration),
        T(a_check_without_an_address_changes_no_configuration),
        T(a_late_confirmation_prefers_what_is_enabled),
        T(a_late_confirmation_moves_no_attribute_that_cannot_move),
        T(only_its_own_confirmation_ends_a_switch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

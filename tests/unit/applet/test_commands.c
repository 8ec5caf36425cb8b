#include "tests/unit/applet/bench_card.h"

#include "applet/clocks.h"
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
    bench_check(&card);
    bench_close(&card);
    return 0;
}

static uint8_t code_of(struct command c)
{
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->status, 0);
    return s->result.code;
}

// A refusal changes nothing but the stored result: the registry is the same.
static void refused(struct command c, enum result_code code)
{
    struct applet_dump before = bench_dump(&card);
    assert_int_equal(code_of(c), code);
    struct applet_dump after = bench_dump(&card);
    assert_int_equal(after.image.registry_version, before.image.registry_version);
    assert_memory_equal(after.image.slots, before.image.slots, sizeof after.image.slots);
    assert_memory_equal(&after.image.parameters, &before.image.parameters,
                        sizeof after.image.parameters);
}

static void a_download_fills_a_slot(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    const struct sent *s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OK);
    struct result_pair pair;
    assert_true(result_pair_read(s->result.data, &pair));
    assert_int_equal(pair.first, 3);
    assert_int_equal(pair.second, 1);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(d.image.slots[2].state, SLOT_DISABLED);
    assert_int_equal(d.image.slots[2].rank, 5); // from the template
    assert_false(d.image.slots[2].is_proven);
    assert_int_equal(s->result.registry_version, d.image.registry_version);
}

static void a_download_is_refused_by_the_first_guard_that_fails(void **state)
{
    (void)state;
    // Each breaks one guard and, if it can, all that come after it.
    struct command c = bench_download(&card, 2, COMMAND_FLAG_SET_FALLBACK);
    c.download.template_number = 9;
    refused(c, RESULT_TEMPLATE_UNKNOWN);
    c = bench_download(&card, 2, COMMAND_FLAG_SET_FALLBACK);
    refused(c, RESULT_BAD_DATA);
    c = bench_download(&card, 2, 0);
    c.download.check[0] ^= 1;
    refused(c, RESULT_ALREADY_INSTALLED);
    c = bench_download(&card, 3, 0);
    c.download.check[0] ^= 1;
    refused(c, RESULT_KEY_CHECK_FAILED);
    assert_int_equal(code_of(bench_download(&card, 3, 0)), RESULT_OK);
    assert_int_equal(code_of(bench_download(&card, 4, 0)), RESULT_OK);
    c = bench_download(&card, 5, 0);
    c.download.check[0] ^= 1;
    refused(c, RESULT_NO_FREE_SLOT);
}

static void a_download_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    bench_close(&card);
    bench_init(&card);
    card.port.nvm_size = applet_nvm_size(2, 1);
    card.factory.slot_count = 4;
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    uint8_t code = RESULT_OK;
    uint8_t n = 3;
    for (; n < 5 && code == RESULT_OK; n++)
        code = code_of(bench_download(&card, n, 0));
    assert_int_equal(code, RESULT_NO_MEMORY);
}

static void enabling_runs_its_guards_in_order(void **state)
{
    (void)state;
    refused(bench_target(&card, COMMAND_ENABLE, 9, COMMAND_FLAG_ROLLBACK), RESULT_NOT_FOUND);
    struct command c = bench_target(&card, COMMAND_ENABLE, 1, COMMAND_FLAG_ROLLBACK);
    assert_int_equal(code_of(c), RESULT_OK_UNCHANGED);
    bench_close(&card);
    bench_init(&card);
    card.subscriptions[0].marks = SLOT_MARK_NO_DISABLE;
    cat_profile_set(card.profile, sizeof card.profile, CAT_FEATURE_REFRESH, false);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    refused(bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK), RESULT_POLICY_FORBIDS);
}

static void a_terminal_without_refresh_cannot_switch(void **state)
{
    (void)state;
    cat_profile_set(card.profile, sizeof card.profile, CAT_FEATURE_REFRESH, false);
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    refused(bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK),
            RESULT_TERMINAL_INCAPABLE);
    refused(bench_download(&card, 3, COMMAND_FLAG_ENABLE), RESULT_TERMINAL_INCAPABLE);
}

static void deleting_runs_its_guards_and_erases_the_keys(void **state)
{
    (void)state;
    refused(bench_target(&card, COMMAND_DELETE, 9, 0), RESULT_NOT_FOUND);
    refused(bench_target(&card, COMMAND_DELETE, 1, 0), RESULT_IS_ENABLED);
    assert_int_equal(code_of(bench_target(&card, COMMAND_SET_FALLBACK, 2, COMMAND_FLAG_FORCE)),
                     RESULT_OK);
    refused(bench_target(&card, COMMAND_DELETE, 2, 0), RESULT_IS_FALLBACK);
    struct command c = bench_download(&card, 3, 0);
    c.download.has_marks = true;
    c.download.marks = SLOT_MARK_NO_DELETE;
    assert_int_equal(code_of(c), RESULT_OK);
    refused(bench_target(&card, COMMAND_DELETE, 3, 0), RESULT_POLICY_FORBIDS);
    assert_int_equal(code_of(bench_download(&card, 4, 0)), RESULT_OK);
    assert_int_equal(code_of(bench_target(&card, COMMAND_DELETE, 4, 0)), RESULT_OK);
    // OPc of subscription 4 was 2C 2D 2E ...; nothing of it is left in either bank.
    const uint8_t k[] = {0x2C, 0x2D, 0x2E, 0x2F, 0x30, 0x31, 0x32, 0x33};
    for (size_t i = 0; i + sizeof k <= sizeof card.nvm; i++)
        assert_memory_not_equal(card.nvm + i, k, sizeof k);
}

static void the_fallback_attribute_moves_to_a_proven_subscription(void **state)
{
    (void)state;
    refused(bench_target(&card, COMMAND_SET_FALLBACK, 9, 0), RESULT_NOT_FOUND);
    assert_int_equal(code_of(bench_target(&card, COMMAND_SET_FALLBACK, 1, 0)), RESULT_OK_UNCHANGED);
    refused(bench_target(&card, COMMAND_SET_FALLBACK, 2, 0), RESULT_NOT_PROVEN);
    assert_int_equal(code_of(bench_target(&card, COMMAND_SET_FALLBACK, 2, COMMAND_FLAG_FORCE)),
                     RESULT_OK);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(image_fallback(&d.image), 1);
}

static void an_audit_shows_the_registry(void **state)
{
    (void)state;
    struct command c = bench_audit(&card);
    c.audit.has_lookup = true;
    c.audit.lookup_operation_id = 77;
    const struct sent *s = bench_command(&card, &c);
    struct audit_answer a;
    assert_true(audit_answer_read(s->result.data, &a));
    assert_memory_equal(a.nonce, c.audit.nonce, sizeof a.nonce);
    assert_memory_equal(a.applet_version, ((uint8_t[]){2, 4, 7}), 3);
    assert_int_equal(a.slot_count_here, 2);
    assert_int_equal(a.slots[0].state, SLOT_ENABLED);
    assert_true(a.slots[0].is_fallback && a.slots[0].is_proven);
    assert_int_equal(a.slots[1].slot, 2);
    assert_int_equal(a.lookup, LOOKUP_NEVER_SEEN);
    assert_int_equal(a.mt_counter, card.counter);
    assert_int_equal(a.switch_state, SWITCH_STABLE);
    assert_true(a.has_plmn);
    assert_memory_equal(a.plmn, card.plmn, sizeof a.plmn);
    assert_false(s->result.more);
}

// With little room the slots come page by page, and each page but the last says that there is more.
static void an_audit_without_the_room_says_that_there_is_more(void **state)
{
    (void)state;
    bench_install(&card, 3, 0);
    bench_install(&card, 4, 0);
    assert_true(memory_load(&card.applet, &card.port));
    uint8_t next = 1;
    unsigned pages = 0;
    while (next <= 4 && pages < 4) {
        const struct applet_answer answer = {.outcome = {.command = COMMAND_AUDIT},
                                             .audit = {.first_slot = next}};
        uint8_t octets[COMMAND_RESULT_MAX];
        struct writer w = writer_of(octets, sizeof octets);
        struct result r;
        struct audit_answer a;
        commands_write(&w, &card.applet, &card.port, &answer, 160);
        assert_true(w.len <= 160);
        assert_true(result_read(writer_bytes(&w), &r) && audit_answer_read(r.data, &a));
        assert_true(a.slot_count_here >= 1 && a.slots[0].slot == next);
        next = (uint8_t)(next + a.slot_count_here);
        assert_int_equal(r.more, next <= 4);
        pages++;
    }
    assert_int_equal(next, 5);
    assert_true(pages >= 2);
}

static void parameters_are_written_all_or_none(void **state)
{
    (void)state;
    const uint8_t unknown[] = {PARAMETER_T_ATTACH, 2, 0, 90, 0x7F, 1, 0};
    const uint8_t range[] = {PARAMETER_T_ATTACH, 2, 0, 90, PARAMETER_AUTO_MODE, 1, 3};
    const uint8_t good[] = {PARAMETER_T_ATTACH, 2, 0, 90};
    const struct bytes none = {0};
    refused(bench_configure(&card, bytes_of(unknown, sizeof unknown), none),
            RESULT_UNKNOWN_PARAMETER);
    refused(bench_configure(&card, bytes_of(range, sizeof range), none), RESULT_OUT_OF_RANGE);
    const uint8_t hole[] = {PARAMETER_SERVER_ADDR, 3, 0x81, 0xF1, 0x32}; // a digit behind the end
    refused(bench_configure(&card, bytes_of(hole, sizeof hole), none), RESULT_OUT_OF_RANGE);
    struct command c = bench_configure(&card, bytes_of(good, sizeof good), none);
    const struct sent *s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OK);
    const uint8_t expected[] = {0, 1, PARAMETER_T_ATTACH, 2, 0, 90};
    assert_true(bytes_equal(s->result.data, bytes_of(expected, sizeof expected)));
}

static void a_card_of_level_1_does_not_know_configure(void **state)
{
    (void)state;
    card.factory.level = 1;
    const uint8_t all[] = {0xFF};
    refused(bench_configure(&card, bytes_of(NULL, 0), bytes_of(all, 1)), RESULT_UNKNOWN_COMMAND);
    for (uint8_t number = COMMAND_CONFIGURE; number <= 7; number++) { // nor a broken one
        const uint8_t broken[] = {0x80, 0xE2, 0x91, number, 1, 0xFF};
        const struct sent *s = bench_packet(&card, bytes_of(broken, sizeof broken), 0x16, 0x39,
                                            card.factory.tar, ++card.counter);
        assert_int_equal(s->result.code, RESULT_UNKNOWN_COMMAND);
    }
    struct command c = bench_audit(&card);
    assert_false(bench_command(&card, &c)->result.has_hash);
}

static bool (*sha256)(void *context, const struct bytes *parts, size_t count,
                      uint8_t digest[CIPHER_SHA256_SIZE]);
static unsigned hashes_left;

static bool sha256_for_a_while(void *context, const struct bytes *parts, size_t count,
                               uint8_t digest[CIPHER_SHA256_SIZE])
{
    if (hashes_left == 0)
        return false;
    hashes_left--;
    return sha256(context, parts, count, digest);
}

static void what_no_digest_could_be_made_of_can_be_tried_again(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_DELETE, 2, 0);
    sha256 = card.cipher.sha256;
    card.cipher.sha256 = sha256_for_a_while;
    hashes_left = 1; // that of the packet
    assert_int_equal(code_of(c), RESULT_NVM_ERROR);
    card.cipher.sha256 = sha256;
    const struct sent *s = bench_command(&card, &c);
    assert_int_equal(s->result.code, RESULT_OK);
    assert_false(s->result.replayed);
}

// By the first four octets of its SHA-256.
static void an_operation_is_known_by_the_digest_of_its_command(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_DELETE, 9, 0);
    uint8_t octets[COMMAND_BODY_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    command_write(&w, &c);
    const struct bytes data = writer_bytes(&w);
    uint8_t whole[CIPHER_SHA256_SIZE];
    assert_true(card.cipher.sha256(card.cipher.context, &data, 1, whole));
    assert_int_equal(code_of(c), RESULT_NOT_FOUND);
    const struct applet_dump d = bench_dump(&card);
    assert_memory_equal(d.image.outcomes[d.image.outcome_count - 1].digest, whole, 4);
}

static void an_operation_runs_once(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    assert_int_equal(code_of(c), RESULT_OK);
    uint32_t version = bench_dump(&card).image.registry_version;
    const struct sent *s = bench_command(&card, &c); // same id, new counter
    assert_int_equal(s->result.code, RESULT_OK);
    assert_true(s->result.replayed);
    assert_int_equal(bench_dump(&card).image.registry_version, version);
    c.download.template_number = 2;
    refused(c, RESULT_OPID_REUSED);
}

static void only_the_last_eight_results_are_kept(void **state)
{
    (void)state;
    struct command first = bench_target(&card, COMMAND_DELETE, 9, 0);
    assert_int_equal(code_of(first), RESULT_NOT_FOUND);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(code_of(bench_target(&card, COMMAND_DELETE, 9, 0)), RESULT_NOT_FOUND);
    assert_true(bench_command(&card, &first)->result.replayed);
    assert_int_equal(code_of(bench_target(&card, COMMAND_DELETE, 9, 0)), RESULT_NOT_FOUND);
    refused(first, RESULT_OPID_EXPIRED);
}

static void an_open_switch_refuses_changes_and_keeps_nothing_of_them(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK);
    assert_int_equal(code_of(c), RESULT_OK_PENDING);
    struct command d = bench_download(&card, 3, 0);
    refused(d, RESULT_BUSY_SWITCHING);
    struct command audit = bench_audit(&card);
    assert_int_equal(code_of(audit), RESULT_OK);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    struct applet_dump dump = bench_dump(&card);
    uint32_t sequence = dump.image.journal.sequence;
    assert_int_equal(code_of(bench_confirm(&card, sequence, c.operation_id)), RESULT_OK);
    assert_int_equal(code_of(d), RESULT_OK); // the same operation id
}

static void a_confirmation_names_what_is_pending(void **state)
{
    (void)state;
    assert_int_equal(code_of(bench_confirm(&card, 99, 0)), RESULT_CONFIRM_UNKNOWN);
}

static void nonsense_is_bad_format(void **state)
{
    (void)state;
    const uint8_t nonsense[] = {0x80, 0xE2, 0x91, 0x01, 0x02, 0xFF, 0xFF};
    const struct sent *s = bench_packet(&card, bytes_of(nonsense, sizeof nonsense), 0x16, 0x39,
                                        0xB00010, ++card.counter);
    assert_int_equal(s->result.code, RESULT_BAD_FORMAT);
}

static void downloading_with_enable_and_fallback_takes_effect_when_confirmed(void **state)
{
    (void)state;
    struct command c = bench_download(
        &card, 3, COMMAND_FLAG_ENABLE | COMMAND_FLAG_SET_FALLBACK | COMMAND_FLAG_ROLLBACK);
    assert_int_equal(code_of(c), RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(image_enabled(&d.image), 2);
    assert_int_equal(image_fallback(&d.image), 0);
    assert_int_equal(code_of(bench_confirm(&card, d.image.journal.sequence, c.operation_id)),
                     RESULT_OK);
    d = bench_dump(&card);
    assert_int_equal(image_fallback(&d.image), 2);
    struct applet_subscription view;
    assert_true(applet_subscription(&card.applet, &card.port, &view));
    assert_int_equal(view.slot_index, 2);
    assert_int_equal(view.slot.keys.k.octets[0], 21);
    assert_int_equal(view.slot.keys.op.octets[0], 33);
}

// [applet-protocol §3]: b2 is a flag of DOWNLOAD.
static void an_enable_takes_no_fallback_attribute(void **state)
{
    (void)state;
    struct command c =
        bench_target(&card, COMMAND_ENABLE, 2, COMMAND_FLAG_ROLLBACK | COMMAND_FLAG_SET_FALLBACK);
    assert_int_equal(code_of(c), RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE);
    bench_service(&card, CAT_SERVICE_NORMAL);
    struct applet_dump d = bench_dump(&card);
    assert_int_equal(code_of(bench_confirm(&card, d.image.journal.sequence, c.operation_id)),
                     RESULT_OK);
    d = bench_dump(&card);
    assert_int_equal(image_enabled(&d.image), 1);
    assert_int_equal(image_fallback(&d.image), 0);
}

static void a_command_in_several_messages_is_joined(void **state)
{
    (void)state;
    uint8_t list[2 + 10 * 13] = {PARAMETER_COUNTRY_TABLE, 10 * 13};
    for (unsigned row = 0; row < 10; row++) {
        uint8_t *at = list + 2 + row * 13;
        memcpy(at, (uint8_t[]){0x62, 0xF2, (uint8_t)(0x10 * row)}, 3);
        bench_imsi(2, at + 3);
        at[12] = COUNTRY_FORBID;
    }
    struct command c = bench_configure(&card, bytes_of(list, sizeof list), bytes_of(NULL, 0));
    const struct sent *s = bench_command(&card, &c);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_OK);
    assert_int_equal(bench_dump(&card).image.parameters.country_count, 10);
    assert_false(card.applet.is_joining);
}

static void a_memory_of_pages_keeps_the_registry(void **state)
{
    (void)state;
    bench_close(&card);
    bench_init(&card);
    card.port.nvm_page = 64;
    bench_boot(&card);
    bench_service(&card, CAT_SERVICE_NORMAL);
    assert_int_equal(code_of(bench_download(&card, 3, 0)), RESULT_OK);
    bench_boot(&card);
    assert_int_equal(bench_dump(&card).image.slots[2].state, SLOT_DISABLED);
    assert_int_equal(bench_dump(&card).mt_counter, card.counter);
}

// --- security ---

static void an_identical_packet_gets_the_same_answer_and_runs_nothing(void **state)
{
    (void)state;
    struct command c = bench_download(&card, 3, 0);
    const struct sent first = *bench_command(&card, &c);
    uint32_t commits = card.applet.bank_number;
    const struct sent *again = bench_again(&card);
    assert_non_null(again);
    assert_memory_equal(again->data, first.data, sizeof first.data);
    assert_int_equal(again->counter, first.counter);
    assert_int_equal(card.applet.bank_number, commits);
}

static void a_counter_that_is_not_higher_is_refused(void **state)
{
    (void)state;
    struct command c = bench_audit(&card);
    uint8_t octets[100];
    struct writer w = writer_of(octets, sizeof octets);
    command_write(&w, &c);
    const struct sent *s =
        bench_packet(&card, writer_bytes(&w), 0x16, 0x39, 0xB00010, card.counter);
    assert_int_equal(s->status, 0x02);
    s = bench_packet(&card, writer_bytes(&w), 0x1E, 0x39, 0xB00010, card.counter + 2);
    assert_int_equal(s->status, 0x03);
    s = bench_packet(&card, writer_bytes(&w), 0x1E, 0x39, 0xB00010, card.counter + 1);
    assert_int_equal(s->status, 0x00);
    s = bench_packet(&card, writer_bytes(&w), 0x16, 0x39, 0xB00010, UINT64_C(0xFFFFFFFFFF));
    assert_int_equal(s->status, 0x00);
    s = bench_packet(&card, writer_bytes(&w), 0x16, 0x39, 0xB00010, 77);
    assert_int_equal(s->status, 0x04);
    // The same packet is answered again; another one under the last counter is not taken.
    s = bench_packet(&card, writer_bytes(&w), 0x16, 0x39, 0xB00010, UINT64_C(0xFFFFFFFFFF));
    assert_int_equal(s->status, 0x00);
    octets[w.len - 1] ^= 1;
    s = bench_packet(&card, writer_bytes(&w), 0x16, 0x39, 0xB00010, UINT64_C(0xFFFFFFFFFF));
    assert_int_equal(s->status, 0x04);
}

static void another_tar_and_a_low_level_are_named_after_a_right_mac(void **state)
{
    (void)state;
    const uint8_t data[] = {0};
    uint64_t counter = card.counter + 1;
    struct bytes d = bytes_of(data, 1);
    assert_int_equal(bench_packet(&card, d, 0x16, 0x39, 0xB00099, counter)->status, 0x09);
    // The TAR of the card's own messages is never accepted.
    assert_int_equal(bench_packet(&card, d, 0x16, 0x39, 0xB00011, counter)->status, 0x09);
    assert_int_equal(bench_packet(&card, d, 0x12, 0x39, 0xB00010, counter)->status, 0x0A);
    assert_int_equal(bench_packet(&card, d, 0x06, 0x39, 0xB00010, counter)->status, 0x0A);
    assert_int_equal(bench_packet(&card, d, 0x0E, 0x39, 0xB00010, counter)->status, 0x0A);
    assert_int_equal(card.applet.mt_counter, card.counter);
}

static void a_wrong_mac_draws_no_answer_and_sixteen_make_the_card_deaf(void **state)
{
    (void)state;
    struct command c = bench_audit(&card);
    struct secret_key right = card.factory.kid;
    card.factory.kid.octets[0] ^= 1;
    struct secret_key wrong = card.factory.kid;
    for (unsigned i = 0; i < 16; i++) {
        uint8_t octets[100];
        struct writer w = writer_of(octets, sizeof octets);
        command_write(&w, &c);
        card.factory.kid = wrong;
        // The packet is made with the wrong key and taken with the right one.
        struct bench_card *b = &card;
        unsigned before = b->sent_count;
        struct applet_factory for_card = b->factory;
        for_card.kid = right;
        b->port.factory = &for_card;
        (void)bench_packet(b, writer_bytes(&w), 0x16, 0x39, 0xB00010, b->counter + 1);
        b->port.factory = &b->factory;
        assert_int_equal(b->sent_count, before);
    }
    card.factory.kid = right;
    assert_true(card.applet.is_locked);
    assert_null(bench_command(&card, &c));
    bench_run_out(&card, CLOCK_LOCK);
    assert_non_null(bench_command(&card, &c));
    assert_int_equal(bench_dump(&card).image.security_failures, 16);
}

// The bench opens answers as 39 asks for them: checksum and ciphering.
static void an_answer_that_was_asked_for_unsecured_is_refused_and_secured(void **state)
{
    (void)state;
    const uint8_t data[] = {0};
    static const uint8_t unsecured[] = {0x21, 0x29, 0x31, 0x25, 0x35, 0x01, 0x61};
    for (size_t i = 0; i < sizeof unsecured; i++) {
        const struct sent *s =
            bench_packet(&card, bytes_of(data, 1), 0x16, unsecured[i], 0xB00010, card.counter + 1);
        assert_non_null(s);
        assert_int_equal(s->status, 0x0A);
        s = bench_packet(&card, bytes_of(data, 1), 0x16, unsecured[i], 0xB00099, card.counter + 1);
        assert_int_equal(s->status, 0x09);
    }
    assert_int_equal(card.applet.mt_counter, card.counter);
}

static void a_download_brings_its_own_home_networks(void **state)
{
    (void)state;
    static const uint8_t list[10] = {0x00, 0xF1, 0x10, 0x40, 0x00, 0x62, 0xF2, 0x10, 0x80, 0x80};
    struct command c = bench_download(&card, 3, COMMAND_FLAG_ENABLE);
    c.download.plmns = bytes_of(list, sizeof list);
    assert_int_equal(bench_command(&card, &c)->result.code, RESULT_OK_PENDING);
    bench_run_out(&card, CLOCK_STATE); // T_REFRESH
    bench_boot(&card);
    static struct applet_subscription s;
    assert_true(applet_subscription(&card.applet, &card.port, &s));
    assert_int_equal(s.slot_index, 2);
    assert_int_equal(s.slot.plmns_len, sizeof list);
    assert_memory_equal(s.slot.plmns, list, sizeof list);
    // Another subscription in the same place does not inherit them.
    assert_int_equal(bench_dump(&card).image.slots[1].plmns_len, 0);
}

static void an_answer_in_the_report_is_secured_too(void **state)
{
    (void)state;
    struct command c = bench_target(&card, COMMAND_DELETE, 9, 0);
    uint8_t octets[100];
    struct writer w = writer_of(octets, sizeof octets);
    command_write(&w, &c);
    const struct sent *s =
        bench_packet(&card, writer_bytes(&w), 0x16, 0x19, 0xB00010, ++card.counter);
    assert_non_null(s);
    assert_int_equal(s->result.code, RESULT_NOT_FOUND);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_download_fills_a_slot),
        T(a_download_is_refused_by_the_first_guard_that_fails),
        T(a_download_that_does_not_fit_is_refused),
        T(enabling_runs_its_guards_in_order),
        T(a_terminal_without_refresh_cannot_switch),
        T(deleting_runs_its_guards_and_erases_the_keys),
        T(the_fallback_attribute_moves_to_a_proven_subscription),
        T(an_audit_shows_the_registry),
        T(an_audit_without_the_room_says_that_there_is_more),
        T(parameters_are_written_all_or_none),
        T(a_card_of_level_1_does_not_know_configure),
        T(what_no_digest_could_be_made_of_can_be_tried_again),
        T(an_operation_is_known_by_the_digest_of_its_command),
        T(an_operation_runs_once),
        T(only_the_last_eight_results_are_kept),
        T(an_open_switch_refuses_changes_and_keeps_nothing_of_them),
        T(a_confirmation_names_what_is_pending),
        T(nonsense_is_bad_format),
        T(downloading_with_enable_and_fallback_takes_effect_when_confirmed),
        T(an_enable_takes_no_fallback_attribute),
        T(a_command_in_several_messages_is_joined),
        T(a_memory_of_pages_keeps_the_registry),
        T(an_identical_packet_gets_the_same_answer_and_runs_nothing),
        T(a_counter_that_is_not_higher_is_refused),
        T(another_tar_and_a_low_level_are_named_after_a_right_mac),
        T(a_wrong_mac_draws_no_answer_and_sixteen_make_the_card_deaf),
        T(an_answer_in_the_report_is_secured_too),
        T(an_answer_that_was_asked_for_unsecured_is_refused_and_secured),
        T(a_download_brings_its_own_home_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "common/wire/tlv.h"
#include "tests/unit/wire/octets.h"

static void lengths_at_every_edge_are_written_short_and_read_back(void **state)
{
    (void)state;
    static const uint8_t value[65536];
    static uint8_t out[65536 + 8];
    const struct {
        size_t len;
        const char *head;
    } edges[] = {
        {0, "0400"},         {1, "0401"},         {126, "047E"},     {127, "047F"},
        {128, "048180"},     {255, "0481FF"},     {256, "04820100"}, {257, "04820101"},
        {65534, "0482FFFE"}, {65535, "0482FFFF"},
    };
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        struct writer w = writer_of(out, sizeof out);
        tlv_write(&w, 0x04, bytes_of(value, edges[i].len));
        assert_false(w.failed);
        assert_int_equal(w.len, tlv_size(0x04, edges[i].len));
        assert_octets(bytes_of(out, w.len - edges[i].len), edges[i].head);

        struct reader r = reader_of(writer_bytes(&w));
        struct tlv object;
        assert_true(tlv_next(&r, &object));
        assert_int_equal(object.value.len, edges[i].len);
        assert_true(reader_done(&r));

        struct writer nested = writer_of(out, sizeof out);
        const struct tlv_mark mark = tlv_open(&nested, 0x04);
        writer_fill(&nested, 0xA5, edges[i].len);
        tlv_close(&nested, mark);
        assert_false(nested.failed);
        assert_int_equal(nested.len, tlv_size(0x04, edges[i].len));
        assert_octets(bytes_of(out, nested.len - edges[i].len), edges[i].head);
        if (edges[i].len > 0)
            assert_int_equal(out[nested.len - 1], 0xA5);
    }
    struct writer w = writer_of(out, sizeof out);
    tlv_write(&w, 0x04, bytes_of(value, 65536));
    assert_true(w.failed);
    w = writer_of(out, sizeof out);
    const struct tlv_mark mark = tlv_open(&w, 0x04);
    writer_fill(&w, 0, 65536);
    tlv_close(&w, mark);
    assert_true(w.failed);
}

static void lengths_that_are_not_the_shortest_are_read(void **state)
{
    (void)state;
    const struct octets o = hex("04 8102 A1A2 04 820001 B1");
    struct reader r = reader_of(view(&o));
    struct tlv object;
    assert_true(tlv_next(&r, &object));
    assert_octets(object.value, "A1A2");
    assert_true(tlv_next(&r, &object));
    assert_octets(object.value, "B1");
    assert_false(tlv_next(&r, &object));
    assert_false(r.failed);
}

static void what_is_no_object_fails_the_reader(void **state)
{
    (void)state;
    const char *bad[] = {"04",     "0401",       "0480",     "0483000001AA", "048101",
                         "048200", "0482000100", "1F",       "1F8101 00",    "9F70",
                         "04FF00", "5F8101",     "04 02 AA", "1F 80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct octets o = hex(bad[i]);
        if (strcmp(bad[i], "0482000100") == 0)
            o.len--; // one octet short of its length
        struct reader r = reader_of(view(&o));
        struct tlv object;
        assert_false(tlv_next(&r, &object));
        assert_true(r.failed);
    }
}

static void tags_of_two_octets_are_one_number(void **state)
{
    (void)state;
    const struct octets o = hex("E3 0A 4F 02 A000 9F70 01 3F 53 00");
    struct bytes template;
    struct bytes value;
    assert_true(tlv_find(view(&o), 0xE3, &template));
    assert_true(tlv_find(template, 0x9F70, &value));
    assert_octets(value, "3F");
    assert_true(tlv_find(template, 0x53, &value));
    assert_int_equal(value.len, 0);
    assert_false(tlv_find(template, 0x70, &value));
    uint8_t out[8];
    struct writer w = writer_of(out, sizeof out);
    tlv_write(&w, 0x9F70, bytes_of("\x3F", 1));
    assert_octets(writer_bytes(&w), "9F70013F");
}

static void nested_objects_move_when_a_length_grows(void **state)
{
    (void)state;
    uint8_t out[300];
    struct writer w = writer_of(out, sizeof out);
    const struct tlv_mark outer = tlv_open(&w, 0xD0);
    tlv_write(&w, 0x81, bytes_of("\x01\x13\x00", 3));
    const struct tlv_mark inner = tlv_open(&w, 0x8B);
    writer_fill(&w, 0x55, 128);
    tlv_close(&w, inner);
    tlv_close(&w, outer);
    assert_false(w.failed);
    assert_octets(bytes_of(out, 11), "D08188 8103011300 8B8180");
    assert_int_equal(w.len, 3 + 5 + 3 + 128);
    assert_int_equal(out[w.len - 1], 0x55);

    struct writer full = writer_of(out, 130);
    const struct tlv_mark mark = tlv_open(&full, 0xD0);
    writer_fill(&full, 0, 128);
    assert_false(full.failed);
    tlv_close(&full, mark); // the length needs one octet more than there is
    assert_true(full.failed);
}

static void comprehension_tags_are_masked_and_found_either_way(void **state)
{
    (void)state;
    const struct octets o = hex("8103010300 02028182 0402011E");
    struct reader r = reader_of(view(&o));
    struct tlv object;
    struct bytes value;
    assert_true(ctlv_next(&r, &object));
    assert_int_equal(object.tag, 0x01);
    assert_true(object.comprehension);
    assert_true(ctlv_next(&r, &object));
    assert_int_equal(object.tag, 0x02);
    assert_false(object.comprehension);
    assert_true(ctlv_find(view(&o), 0x04, &value));
    assert_octets(value, "011E");
    assert_false(ctlv_find(view(&o), 0x05, &value));
    const char *reserved[] = {"0001AA", "7F010001AA", "8001AA", "FF01AA"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        const struct octets bad = hex(reserved[i]);
        r = reader_of(view(&bad));
        assert_false(ctlv_next(&r, &object));
        assert_true(r.failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_at_every_edge_are_written_short_and_read_back),
        cmocka_unit_test(lengths_that_are_not_the_shortest_are_read),
        cmocka_unit_test(what_is_no_object_fails_the_reader),
        cmocka_unit_test(tags_of_two_octets_are_one_number),
        cmocka_unit_test(nested_objects_move_when_a_length_grows),
        cmocka_unit_test(comprehension_tags_are_masked_and_found_either_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// The card's files against a second, simpler idea of them: plain arrays that are moved about.
// Random commands on files of every structure, with resets; every status word and octet is
// foretold.
#include "tests/unit/sim/apdu_lab.h"

#include "common/base/prng.h"

#define STEPS 40000
#define RECORDS_MAX 10

// What a file is to the model.
struct model {
    const char *select; // from the ADF
    char structure;     // 't'ransparent, 'l'inear, 'c'yclic
    unsigned len;       // of the file, or of a record
    unsigned count;     // of records
    uint8_t first;      // default: the first octet of each record, then the rest
    uint8_t rest;
    bool may_update;
    uint8_t octets[RECORDS_MAX][176];
};

static struct model models[] = {
    {.select = "00A4080C047FFF6F05",
     .structure = 't',
     .len = 6,
     .count = 1,
     .first = 0xFF,
     .rest = 0xFF,
     .may_update = true},
    {.select = "00A4080C047FFF6F7B",
     .structure = 't',
     .len = 12,
     .count = 1,
     .first = 0xFF,
     .rest = 0xFF,
     .may_update = true},
    {.select = "00A4080C047FFF6FC4",
     .structure = 't',
     .len = 128,
     .count = 1,
     .first = 0xFF,
     .rest = 0xFF,
     .may_update = true},
    {.select = "00A4080C047FFF6F08",
     .structure = 't',
     .len = 33,
     .count = 1,
     .first = 0x07,
     .rest = 0xFF,
     .may_update = true},
    {.select = "00A4080C047FFF6F31",
     .structure = 't',
     .len = 1,
     .count = 1,
     .first = 0x0A,
     .rest = 0xFF,
     .may_update = false},
    {.select = "00A4080C047FFF6F3C",
     .structure = 'l',
     .len = 176,
     .count = 10,
     .first = 0x00,
     .rest = 0xFF,
     .may_update = true},
    {.select = "00A4080C067FFF5F3A4F3A",
     .structure = 'l',
     .len = 28,
     .count = 10,
     .first = 0xFF,
     .rest = 0xFF,
     .may_update = true},
    {.select = "00A4080C047FFF6F39",
     .structure = 'c',
     .len = 3,
     .count = 5,
     .first = 0x00,
     .rest = 0x00,
     .may_update = false},
};
#define MODELS (sizeof models / sizeof models[0])

static struct prng prng;
static struct model *current;
static unsigned pointer; // record pointer, 0 = not set

static unsigned draw(unsigned bound)
{
    return (unsigned)prng_below(&prng, bound);
}

static uint16_t exchange(const uint8_t *head, const uint8_t *data, unsigned len, unsigned le)
{
    struct apdu apdu = {.cla = head[0],
                        .ins = head[1],
                        .p1 = head[2],
                        .p2 = head[3],
                        .data = bytes_of(data, len),
                        .le = (uint16_t)le};
    uint8_t octets[300];
    struct writer w = writer_of(octets, sizeof octets);
    apdu_write(&w, &apdu);
    answer = writer_of(answer_octets, sizeof answer_octets);
    return card_exchange(card, writer_bytes(&w), &answer);
}

static void assert_octets(uint16_t sw, uint16_t expected_sw, const uint8_t *expected, unsigned len)
{
    assert_int_equal(sw, expected_sw);
    assert_int_equal(answer.len, expected_sw == SW_OK ? len : 0);
    if (expected_sw == SW_OK && len > 0)
        assert_memory_equal(answer_octets, expected, len);
}

static void select_one(void)
{
    current = &models[draw(MODELS)];
    pointer = 0;
    assert_int_equal(send(current->select), SW_OK);
}

static void read_binary(void)
{
    unsigned offset = draw(current->len + 3);
    unsigned le = 1 + draw(256);
    const uint8_t head[] = {0x00, 0xB0, (uint8_t)(offset >> 8), (uint8_t)offset};
    uint16_t sw = exchange(head, NULL, 0, le);
    if (current->structure != 't') {
        assert_octets(sw, SW_STRUCTURE_MISMATCH, NULL, 0);
    } else if (offset >= current->len) {
        assert_octets(sw, SW_WRONG_OFFSET, NULL, 0);
    } else {
        unsigned left = current->len - offset;
        bool is_all = le == 256;
        uint16_t wrong = (uint16_t)(SW_WRONG_LE | left);
        assert_octets(sw, le > left && !is_all ? wrong : SW_OK, current->octets[0] + offset,
                      is_all ? left : le);
    }
}

static void update_binary(void)
{
    unsigned offset = draw(current->len + 2);
    unsigned len = 1 + draw(draw(2) == 0 ? 4 : 200);
    uint8_t data[256];
    for (unsigned i = 0; i < len; i++)
        data[i] = (uint8_t)draw(256);
    const uint8_t head[] = {0x00, 0xD6, (uint8_t)(offset >> 8), (uint8_t)offset};
    uint16_t sw = exchange(head, data, len, 0);
    if (current->structure != 't')
        assert_int_equal(sw, SW_STRUCTURE_MISMATCH);
    else if (!current->may_update)
        assert_int_equal(sw, SW_SECURITY_STATUS);
    else if (offset >= current->len)
        assert_int_equal(sw, SW_WRONG_OFFSET);
    else if (len > current->len - offset)
        assert_int_equal(sw, SW_WRONG_LENGTH);
    else {
        assert_int_equal(sw, SW_OK);
        memcpy(current->octets[0] + offset, data, len);
    }
}

// Which record a mode means; 0: none. Modes 2 next, 3 previous, 4 absolute or current.
static unsigned record_of(unsigned p1, unsigned mode)
{
    bool turns = current->structure == 'c';
    unsigned record = mode == 4 ? (p1 == 0 ? pointer : p1) : 0;
    if (mode == 2)
        record = turns ? pointer % current->count + 1 : pointer + 1;
    if (mode == 3 && pointer == 0)
        record = current->count;
    else if (mode == 3)
        record = pointer == 1 && turns ? current->count : pointer - 1;
    return record > current->count ? 0 : record;
}

static void read_record(void)
{
    unsigned mode = 2 + draw(3);
    unsigned p1 = mode == 4 ? draw(current->count + 3) : 0;
    unsigned le = draw(3) == 0 ? 1 + draw(256) : current->len;
    const uint8_t head[] = {0x00, 0xB2, (uint8_t)p1, (uint8_t)mode};
    uint16_t sw = exchange(head, NULL, 0, le);
    if (current->structure == 't') {
        assert_octets(sw, SW_STRUCTURE_MISMATCH, NULL, 0);
        return;
    }
    unsigned record = record_of(p1, mode);
    if (record == 0) {
        assert_octets(sw, SW_RECORD_NOT_FOUND, NULL, 0);
    } else if (le != current->len && le != 256) {
        assert_octets(sw, (uint16_t)(SW_WRONG_LE | current->len), NULL, 0);
    } else {
        assert_octets(sw, SW_OK, current->octets[record - 1], current->len);
        pointer = mode == 4 ? pointer : record;
    }
}

static void update_record(void)
{
    unsigned mode = 2 + draw(3);
    unsigned p1 = mode == 4 ? draw(current->count + 2) : 0;
    unsigned len = draw(4) == 0 ? 1 + draw(200) : current->len;
    uint8_t data[256];
    for (unsigned i = 0; i < len; i++)
        data[i] = (uint8_t)draw(4);
    const uint8_t head[] = {0x00, 0xDC, (uint8_t)p1, (uint8_t)mode};
    uint16_t sw = exchange(head, data, len, 0);
    if (current->structure == 't') {
        assert_int_equal(sw, SW_STRUCTURE_MISMATCH);
        return;
    }
    if (!current->may_update) {
        assert_int_equal(sw, SW_SECURITY_STATUS);
        return;
    }
    unsigned record = record_of(p1, mode);
    if (record == 0) {
        assert_int_equal(sw, SW_RECORD_NOT_FOUND);
    } else if (len != current->len) {
        assert_int_equal(sw, SW_WRONG_LENGTH);
    } else {
        assert_int_equal(sw, SW_OK);
        memcpy(current->octets[record - 1], data, len);
        pointer = mode == 4 ? pointer : record;
    }
}

static void search(void)
{
    unsigned len = 1 + draw(2);
    unsigned p1 = 1 + draw(current->count);
    bool is_backward = draw(2) == 0;
    uint8_t string[2] = {(uint8_t)draw(4), (uint8_t)draw(4)};
    const uint8_t head[] = {0x00, 0xA2, (uint8_t)p1, (uint8_t)(is_backward ? 5 : 4)};
    uint16_t sw = exchange(head, string, len, 256);
    if (current->structure == 't') {
        assert_octets(sw, SW_STRUCTURE_MISMATCH, NULL, 0);
        return;
    }
    uint8_t found[RECORDS_MAX];
    unsigned count = 0;
    for (int record = (int)p1; record >= 1 && record <= (int)current->count;
         record += is_backward ? -1 : 1) {
        for (unsigned at = 0; at + len <= current->len; at++) {
            if (memcmp(current->octets[record - 1] + at, string, len) == 0) {
                found[count++] = (uint8_t)record;
                break;
            }
        }
    }
    assert_octets(sw, count == 0 ? SW_END_OF_FILE : SW_OK, found, count);
    if (count > 0)
        pointer = found[0];
}

static void increase(void)
{
    unsigned value = draw(3) == 0 ? draw(1U << 24) : draw(300);
    uint8_t data[] = {(uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    const uint8_t head[] = {0x80, 0x32, 0x00, 0x00};
    uint16_t sw = exchange(head, data, 3, 256);
    if (current->structure != 'c') {
        assert_octets(sw, SW_STRUCTURE_MISMATCH, NULL, 0);
        return;
    }
    const uint8_t *first = current->octets[0];
    unsigned long sum =
        ((unsigned long)first[0] << 16 | (unsigned)first[1] << 8 | first[2]) + value;
    if (sum > 0xFFFFFF) {
        assert_octets(sw, SW_MAX_VALUE, NULL, 0);
        return;
    }
    // The oldest falls out, everything else moves one down.
    for (unsigned i = current->count - 1; i > 0; i--)
        memcpy(current->octets[i], current->octets[i - 1], 3);
    current->octets[0][0] = (uint8_t)(sum >> 16);
    current->octets[0][1] = (uint8_t)(sum >> 8);
    current->octets[0][2] = (uint8_t)sum;
    uint8_t expected[6];
    memcpy(expected, current->octets[0], 3);
    memcpy(expected + 3, data, 3);
    assert_octets(sw, SW_OK, expected, 6);
    pointer = 1;
}

static void restart(void)
{
    reset_card();
    assert_int_equal(send(SELECT_USIM), SW_OK);
    select_one();
}

static void files_are_what_a_simpler_model_says(void **state)
{
    (void)state;
    static void (*const acts[])(void) = {select_one,    read_binary, update_binary, read_record,
                                         update_record, search,      increase};
    prng_init(&prng, 4, "card-model", 0);
    for (size_t i = 0; i < MODELS; i++) {
        for (unsigned r = 0; r < models[i].count; r++) {
            memset(models[i].octets[r], models[i].rest, models[i].len);
            models[i].octets[r][0] = models[i].first;
        }
    }
    restart();
    for (unsigned step = 0; step < STEPS; step++) {
        if (draw(500) == 0)
            restart();
        else
            acts[draw(sizeof acts / sizeof acts[0])]();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {CARD_TEST(files_are_what_a_simpler_model_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

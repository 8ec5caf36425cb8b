// Administration, PINs and channels against a second, simpler idea of them. Random commands in the
// classes of the UICC and of the SIM, with resets; every status word and octet is foretold.
#include "tests/unit/sim/apdu_lab.h"

#include "common/base/prng.h"

#define SEEDS 12
#define STEPS 5000
#define SIZE_MAX_OF_FILE 240

static struct prng prng;

static unsigned draw(unsigned bound)
{
    return (unsigned)prng_below(&prng, bound);
}

// How often something was done, so that the test is not about refusals only.
enum { GIVEN, CREATED, DELETED, EMPTIED, TOGGLED, RESIZED, READ, WRITTEN, OPENED, KINDS };
static unsigned done[KINDS];

// --- PINs ------------------------------------------------------------------------------------

enum { PIN1, PIN2, ADM, UNIVERSAL, PINS };
static const char *const words[] = {"31323334FFFFFFFF", "35363738FFFFFFFF", "30303030FFFFFFFF",
                                    "3838383838383838", "3132333435363738", "3837363534333231"};
#define WORDS (sizeof words / sizeof words[0])
static const uint8_t references[PINS] = {0x01, 0x81, 0x0A, 0x11};

static struct {
    unsigned word; // index of its value
    unsigned tries;
    unsigned unblocks;
    bool is_enabled;
    bool is_replaced; // by the universal one, while disabled
    bool is_given;
} pins[PINS];
static const unsigned unblock_words[] = {4, 5};

static bool is_open(unsigned pin)
{
    if (pins[pin].is_enabled)
        return pins[pin].is_given;
    return (pin == PIN1 || pin == PIN2) && (!pins[pin].is_replaced || pins[UNIVERSAL].is_given);
}

// What trying a PIN that must be enabled, or disabled, is answered; SW_OK: it was right.
static uint16_t try_pin(unsigned pin, unsigned word, bool must_be_enabled)
{
    if (pins[pin].tries == 0)
        return SW_PIN_BLOCKED;
    if (pins[pin].is_enabled != must_be_enabled)
        return SW_DATA_INVALIDATED;
    if (pins[pin].word != word) {
        pins[pin].is_given = false;
        pins[pin].tries--;
        return (uint16_t)(SW_PIN_TRIES | pins[pin].tries);
    }
    pins[pin].tries = 3;
    pins[pin].is_given = true;
    return SW_OK;
}

static uint16_t unblock(unsigned pin, unsigned word, unsigned new_word)
{
    if (pins[pin].unblocks == 0)
        return SW_PIN_BLOCKED;
    if (word != unblock_words[pin]) {
        pins[pin].unblocks--;
        return (uint16_t)(SW_PIN_TRIES | pins[pin].unblocks);
    }
    pins[pin].unblocks = 10;
    pins[pin].tries = 3;
    pins[pin].word = new_word;
    pins[pin].is_enabled = true;
    pins[pin].is_replaced = false;
    pins[pin].is_given = true;
    return SW_OK;
}

// The same in the words of the older class [51.011 §9.4].
static uint16_t in_gsm(uint16_t sw)
{
    if (sw == SW_PIN_TRIES || sw == SW_PIN_BLOCKED)
        return 0x9840;
    if ((sw & 0xFFF0) == SW_PIN_TRIES)
        return 0x9804;
    return sw == SW_DATA_INVALIDATED ? 0x9808 : sw;
}

// The right one most of the time, and when it is the last try: what is blocked stays so.
static unsigned draw_word(unsigned right, unsigned tries)
{
    return draw(4) == 0 && (tries > 1 || draw(8) == 0) ? draw(WORDS) : right;
}

static void one_pin(void)
{
    enum { VERIFY, CHANGE, DISABLE, REPLACE, ENABLE, UNBLOCK, ACTS };
    static const char *const heads[ACTS] = {"002000", "002400", "002600",
                                            "002691", "002800", "002C00"};
    unsigned act = draw(12) < 8 ? VERIFY : draw(ACTS);
    unsigned pin = draw(PINS);
    bool is_first = pin == PIN1;
    bool is_gsm = (pin == PIN1 || pin == PIN2) && act != REPLACE && draw(3) == 0 &&
                  ((act != DISABLE && act != ENABLE) || is_first);
    bool has_unblocking = act == UNBLOCK && pin <= PIN2;
    unsigned word = draw_word(has_unblocking ? unblock_words[pin] : pins[pin].word,
                              has_unblocking ? pins[pin].unblocks : pins[pin].tries);
    unsigned new_word = draw(3);
    bool is_impossible = (pin == ADM && act >= DISABLE) || (pin == UNIVERSAL && act == REPLACE) ||
                         (pin > PIN2 && act == UNBLOCK);
    uint16_t expected;
    if (is_impossible)
        expected = SW_REFERENCE_NOT_FOUND;
    else if (act == UNBLOCK)
        expected = unblock(pin, word, new_word);
    else
        expected = try_pin(pin, word, act != ENABLE);
    if (expected == SW_OK && act == CHANGE)
        pins[pin].word = new_word;
    if (expected == SW_OK && (act == DISABLE || act == REPLACE || act == ENABLE)) {
        pins[pin].is_enabled = act == ENABLE;
        // Disabling it once more says nothing of the universal one.
        pins[pin].is_replaced = act == REPLACE || (act == DISABLE && pins[pin].is_replaced);
    }
    bool has_two = act == CHANGE || act == UNBLOCK;
    char apdu[80];
    unsigned number = references[pin];
    if (is_gsm)
        number = is_first ? (act == UNBLOCK ? 0x00 : 0x01) : 0x02;
    (void)snprintf(apdu, sizeof apdu, "%s%s%02X%s%s%s", is_gsm ? "A0" : "00", heads[act] + 2,
                   number, has_two ? "10" : "08", words[word], has_two ? words[new_word] : "");
    assert_int_equal(send(apdu), is_gsm ? in_gsm(expected) : expected);
    done[GIVEN] += expected == SW_OK;
}

static void ask_tries(void)
{
    unsigned pin = draw(PINS);
    bool of_unblocking = draw(2) == 0;
    char apdu[16];
    (void)snprintf(apdu, sizeof apdu, "00%s00%02X00", of_unblocking ? "2C" : "20", references[pin]);
    uint16_t expected =
        (uint16_t)(SW_PIN_TRIES | (of_unblocking ? pins[pin].unblocks : pins[pin].tries));
    if (of_unblocking && pin > PIN2)
        expected = SW_REFERENCE_NOT_FOUND;
    assert_int_equal(send(apdu), expected);
}

// --- files and channels ----------------------------------------------------------------------

#define FOLDER 0x7F66
#define ROOT 0x3F00
static struct file {
    uint16_t folder;
    uint16_t identifier;
    bool is_there;
    bool is_active;
    unsigned rule; // 1: read always, 3: read with PIN1; everything else with ADM1
    unsigned record_len;
    unsigned size;
    uint8_t octets[SIZE_MAX_OF_FILE];
} files[] = {{.folder = ROOT, .identifier = 0x2F90},   {.folder = ROOT, .identifier = 0x2F91},
             {.folder = ROOT, .identifier = 0x2F92},   {.folder = FOLDER, .identifier = 0x6F01},
             {.folder = FOLDER, .identifier = 0x6F02}, {.folder = FOLDER, .identifier = 0x6F03}};
#define FILES (sizeof files / sizeof files[0])
static bool has_folder;

static struct {
    bool is_open;
    uint16_t folder;
    struct file *file;
} channels[4];
static unsigned at; // the channel of the command under way

static struct file *draw_file(void)
{
    return &files[draw(FILES)];
}

static bool is_here(const struct file *file)
{
    return file->is_there && file->folder == channels[at].folder;
}

// A command on the channel: its instruction to Lc, then an identifier, then the rest.
static uint16_t send_named(const char *head, unsigned identifier, const char *rest)
{
    char apdu[80];
    (void)snprintf(apdu, sizeof apdu, "%02X%s%04X%s", at, head, identifier, rest);
    return send(apdu);
}

static void create_folder(void)
{
    uint16_t expected = SW_OK;
    if (!is_open(ADM))
        expected = SW_SECURITY_STATUS;
    else if (channels[at].folder == ROOT && has_folder)
        expected = SW_FILE_EXISTS;
    if (channels[at].folder != ROOT)
        return;
    assert_int_equal(send_named("E0000012 6210 82027821 8302", FOLDER, "8A0105 8B032F0606"),
                     expected);
    if (expected == SW_OK) {
        has_folder = true;
        channels[at].folder = FOLDER;
        channels[at].file = NULL;
    }
}

static void create_file(void)
{
    struct file *file = draw_file();
    if (file->folder != channels[at].folder)
        return;
    unsigned rule = draw(2) == 0 ? 1 : 3;
    unsigned record_len = draw(2) == 0 ? 0 : 1 + draw(20);
    unsigned size = record_len == 0 ? 1 + draw(SIZE_MAX_OF_FILE) : record_len * (1 + draw(10));
    unsigned fill = draw(256);
    char apdu[100];
    size_t len = (size_t)snprintf(apdu, sizeof apdu, "%02XE00000", at);
    if (record_len == 0)
        len += (size_t)snprintf(apdu + len, sizeof apdu - len, "1D 621B 82024121");
    else
        len +=
            (size_t)snprintf(apdu + len, sizeof apdu - len, "1F 621D 8204422100%02X", record_len);
    (void)snprintf(apdu + len, sizeof apdu - len,
                   "8302%04X 8A0105 8B032F06%02X 8002%04X 8800 A503C101%02X", file->identifier,
                   rule, size, fill);
    uint16_t expected = SW_OK;
    if (!is_open(ADM))
        expected = SW_SECURITY_STATUS;
    else if (file->is_there)
        expected = SW_FILE_EXISTS;
    assert_int_equal(send(apdu), expected);
    if (expected != SW_OK)
        return;
    done[CREATED]++;
    file->is_there = true;
    file->is_active = true;
    file->rule = rule;
    file->record_len = record_len;
    file->size = size;
    memset(file->octets, (int)fill, sizeof file->octets);
    channels[at].file = file;
}

static void delete_file(void)
{
    struct file *file = draw_file();
    uint16_t expected = is_here(file) ? SW_OK : SW_FILE_NOT_FOUND;
    if (is_here(file) && !is_open(ADM))
        expected = SW_SECURITY_STATUS;
    assert_int_equal(send_named("E4000002", file->identifier, ""), expected);
    if (expected != SW_OK)
        return;
    done[DELETED]++;
    file->is_there = false;
    for (unsigned i = 0; i < 4; i++)
        channels[i].file = channels[i].file == file ? NULL : channels[i].file;
}

static void delete_folder(void)
{
    uint16_t expected = SW_OK;
    if (channels[at].folder != ROOT || !has_folder)
        expected = SW_FILE_NOT_FOUND;
    else if (!is_open(ADM))
        expected = SW_SECURITY_STATUS;
    for (unsigned i = 0; i < FILES && expected == SW_OK; i++) {
        if (files[i].folder == FOLDER && files[i].is_there)
            expected = SW_CONDITIONS;
    }
    assert_int_equal(send_named("E4000002", FOLDER, ""), expected);
    if (expected != SW_OK)
        return;
    done[EMPTIED]++;
    has_folder = false;
    for (unsigned i = 0; i < 4; i++) {
        if (channels[i].folder == FOLDER) {
            channels[i].folder = ROOT;
            channels[i].file = NULL;
        }
    }
}

static void set_active(void)
{
    struct file *file = draw_file();
    bool is_active = draw(3) > 0;
    uint16_t expected = is_here(file) ? SW_OK : SW_FILE_NOT_FOUND;
    if (is_here(file) && !is_open(ADM))
        expected = SW_SECURITY_STATUS;
    assert_int_equal(send_named(is_active ? "44000002" : "04000002", file->identifier, ""),
                     expected);
    if (expected != SW_OK)
        return;
    done[TOGGLED]++;
    file->is_active = is_active;
    channels[at].file = file;
}

static void resize(void)
{
    struct file *file = draw_file();
    unsigned unit = file->record_len == 0 ? 1 : file->record_len;
    unsigned size = unit * (1 + draw(SIZE_MAX_OF_FILE / unit > 11 ? 10 : SIZE_MAX_OF_FILE / unit));
    uint16_t expected = SW_OK;
    if (!is_here(file))
        expected = SW_FILE_NOT_FOUND;
    else if (!file->is_active)
        expected = SW_DATA_INVALIDATED;
    else if (!is_open(ADM))
        expected = SW_SECURITY_STATUS;
    char apdu[60];
    (void)snprintf(apdu, sizeof apdu, "%02XD400000A 6208 8302%04X 8002%04X", 0x80 | at,
                   file->identifier, size);
    assert_int_equal(send(apdu), expected);
    if (expected != SW_OK)
        return;
    done[RESIZED]++;
    if (size > file->size)
        memset(file->octets + file->size, 0xFF, size - file->size);
    file->size = size;
    channels[at].file = file;
}

static void select_something(void)
{
    bool is_gsm = at == 0 && draw(3) == 0;
    struct file *file = draw(4) == 0 ? NULL : draw_file();
    uint16_t identifier = draw(2) == 0 ? ROOT : FOLDER;
    bool is_found = identifier == ROOT || has_folder;
    if (file != NULL) {
        identifier = file->identifier;
        is_found = is_here(file);
    }
    char apdu[40];
    (void)snprintf(apdu, sizeof apdu, "%02XA400%02X02%04X", is_gsm ? 0xA0 : at,
                   is_gsm ? 0x00 : 0x0C, identifier);
    uint16_t sw = send(apdu);
    if (is_gsm)
        assert_int_equal(sw & 0xFF00, is_found ? 0x9F00 : 0x9400);
    else if (is_found && file != NULL && !file->is_active)
        assert_int_equal(sw, SW_FILE_INVALIDATED);
    else
        assert_int_equal(sw, is_found ? SW_OK : SW_FILE_NOT_FOUND);
    if (is_found) {
        channels[at].folder = file != NULL ? channels[at].folder : identifier;
        channels[at].file = file;
    }
}

// SW_OK, or why the current file cannot be used so.
static uint16_t may_use(const struct file *file, bool has_records, bool writes)
{
    if (file == NULL)
        return SW_NO_EF_SELECTED;
    if ((file->record_len != 0) != has_records)
        return SW_STRUCTURE_MISMATCH;
    if (!file->is_active)
        return SW_DATA_INVALIDATED;
    bool is_allowed = writes ? is_open(ADM) : file->rule == 1 || is_open(PIN1);
    return is_allowed ? SW_OK : SW_SECURITY_STATUS;
}

static uint16_t use_in_gsm(uint16_t sw)
{
    switch (sw) {
    case SW_NO_EF_SELECTED:
        return 0x9400;
    case SW_STRUCTURE_MISMATCH:
        return 0x9408;
    case SW_DATA_INVALIDATED:
        return 0x9810;
    case SW_SECURITY_STATUS:
        return 0x9804;
    default: // octets
        return sw;
    }
}

static void read_it(void)
{
    const struct file *file = channels[at].file;
    bool is_gsm = at == 0 && draw(3) == 0;
    bool has_records = file != NULL && draw(8) > 0 ? file->record_len != 0 : draw(2) == 0;
    uint16_t expected = may_use(file, has_records, false);
    char apdu[40];
    unsigned from = 0;
    unsigned len = 1;
    if (expected == SW_OK) {
        len = has_records ? file->record_len : 1 + draw(file->size);
        from = has_records ? draw(file->size / len) * len : draw(file->size - len + 1);
    }
    unsigned place = has_records ? (from / len + 1) << 8 | 0x04 : from;
    (void)snprintf(apdu, sizeof apdu, "%02X%s%04X%02X", is_gsm ? 0xA0 : at,
                   has_records ? "B2" : "B0", place, len);
    assert_int_equal(send(apdu), is_gsm ? use_in_gsm(expected) : expected);
    if (expected == SW_OK) {
        done[READ]++;
        assert_int_equal(answer.len, len);
        assert_memory_equal(answer_octets, file->octets + from, len);
    }
}

static void write_it(void)
{
    struct file *file = channels[at].file;
    bool is_gsm = at == 0 && draw(3) == 0;
    bool has_records = file != NULL && file->record_len != 0;
    uint16_t expected = may_use(file, has_records, true);
    unsigned from = 0;
    unsigned len = 1;
    if (expected == SW_OK) {
        len = has_records ? file->record_len : 1 + draw(file->size < 30 ? file->size : 30);
        from = has_records ? draw(file->size / len) * len : draw(file->size - len + 1);
    }
    char apdu[120];
    uint8_t octets[30];
    unsigned place = has_records ? (from / len + 1) << 8 | 0x04 : from;
    size_t end = (size_t)snprintf(apdu, sizeof apdu, "%02X%s%04X%02X", is_gsm ? 0xA0 : at,
                                  has_records ? "DC" : "D6", place, len);
    for (unsigned i = 0; i < len; i++) {
        octets[i] = (uint8_t)draw(256);
        end += (size_t)snprintf(apdu + end, sizeof apdu - end, "%02X", octets[i]);
    }
    assert_int_equal(send(apdu), is_gsm ? use_in_gsm(expected) : expected);
    if (expected != SW_OK)
        return;
    done[WRITTEN]++;
    memcpy(file->octets + from, octets, len);
}

static void open_channel(void)
{
    unsigned wanted = draw(4);
    unsigned number = wanted;
    for (unsigned i = 1; i < 4 && number == 0; i++)
        number = channels[i].is_open ? 0 : i;
    bool is_possible = number != 0 && !channels[number].is_open;
    char apdu[16];
    (void)snprintf(apdu, sizeof apdu, "%02X7000%02X%02X", at, wanted, wanted == 0);
    assert_int_equal(send(apdu), is_possible ? SW_OK : SW_FUNCTION_NOT_SUPPORTED);
    if (!is_possible)
        return;
    if (wanted == 0)
        assert_int_equal(answer_octets[0], number);
    done[OPENED]++;
    channels[number].is_open = true;
    channels[number].folder = at == 0 ? ROOT : channels[at].folder;
    channels[number].file = NULL;
}

static void close_channel(void)
{
    unsigned number = 1 + draw(3);
    assert_int_equal(send_named("70", 0x8000 | number, "00"),
                     channels[number].is_open ? SW_OK : SW_CHANNEL_NOT_SUPPORTED);
    channels[number].is_open = false;
}

static void restart(void)
{
    reset_card();
    for (unsigned i = 0; i < 4; i++) {
        channels[i].is_open = i == 0;
        channels[i].folder = ROOT;
        channels[i].file = NULL;
    }
    for (unsigned i = 0; i < PINS; i++)
        pins[i].is_given = false;
}

static void give_adm(void)
{
    char apdu[40];
    if (pins[ADM].tries == 0)
        return;
    (void)snprintf(apdu, sizeof apdu, "0020000A08%s", words[pins[ADM].word]);
    assert_int_equal(send(apdu), try_pin(ADM, pins[ADM].word, true));
}

static void begin(uint64_t seed)
{
    static const unsigned first[PINS] = {0, 1, 3, 2};
    prng_init(&prng, seed, "administration", 0);
    for (unsigned i = 0; i < PINS; i++) {
        pins[i].word = first[i];
        pins[i].tries = 3;
        pins[i].unblocks = 10;
        pins[i].is_enabled = i == PIN2 || i == ADM;
        pins[i].is_replaced = false;
    }
    for (unsigned i = 0; i < FILES; i++)
        files[i].is_there = false;
    has_folder = false;
    restart();
}

static void administration_is_what_a_simpler_model_says(void **state)
{
    static void (*const acts[])(void) = {
        one_pin,          ask_tries,  create_folder, create_file,      delete_file,  delete_folder,
        set_active,       set_active, resize,        read_it,          read_it,      write_it,
        write_it,         read_it,    write_it,      select_something, open_channel, close_channel,
        select_something, give_adm,   give_adm,      create_file,      one_pin};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        for (unsigned step = 0; step < STEPS; step++) {
            at = draw(4);
            if (draw(300) == 0) {
                restart();
            } else if (channels[at].is_open) {
                acts[draw(sizeof acts / sizeof acts[0])]();
            } else {
                assert_int_equal(send_named("B0", 0, "01"), SW_CHANNEL_NOT_SUPPORTED);
            }
        }
        (void)close_card(state);
        (void)open_card(state);
    }
    for (unsigned i = 0; i < KINDS; i++)
        assert_true(done[i] > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {CARD_TEST(administration_is_what_a_simpler_model_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sim-emulator/shell/options.h"

#include "common/base/text.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

const char *argp_program_version = "sim-emulator 0.1.0";

static const char about_fleet[] =
    "Emulates SIM cards with their devices and radio networks: plays the radio network behind an "
    "SMSC. It binds as ESME for the numbers "
    "of its cards, hands each deliver_sm to the card's device (answering ESME_ROK, or a temporary "
    "error while the device is absent) and submits the cards' own messages as submit_sm."
    "\vExamples:\n"
    "  sim-emulator fleet --count 100 --smsc 127.0.0.1:2775 --system-id radio --password-file pw\n"
    "  sim-emulator fleet --cards alder.out --vendor-profile alder.json --transport-keys keys.txt "
    "\\\n"
    "      --smsc 127.0.0.1:2775 --system-id radio --password-file pw --scenario outage.txt "
    "--speed 60 \\\n"
    "      --control 127.0.0.1:0 --data ./fleet\n\n"
    "When it is ready it prints one line of JSON with its addresses. SIGTERM ends it. With --data "
    "the cards' memories outlive the program, however it ends.\n\n"
    "Control, over HTTP with JSON:\n"
    "  GET  /counters            what happened so far\n"
    "  GET  /cards?first=1&count=100   short state of each card\n"
    "  GET  /cards/ICCID         registry and state of one card, without keys\n"
    "  GET  /truth               the same of all cards, one JSON object a line\n"
    "  POST /cards/ICCID         {\"power\":\"on\"|\"off\"}, {\"cut\":N}, {\"area\":\"NAME\"},\n"
    "                            {\"imei\":\"15 digits\"|null}\n"
    "  POST /areas/NAME          {\"networks\":[\"26201\"]}: what the area receives from now on\n"
    "  POST /save                write the file in the --data folder anew, to the disk\n\n"
    "The transport-key file has one key a line: INDEX auc|ota HEX, and may be read by its owner "
    "only. The scenario language is in docs/scenarios.md.";

static const char about_reader[] =
    "Puts emulated cards into PC/SC readers: each is an ICC of vsmartcard's vpcd, the reader "
    "driver "
    "of pcscd. By default cards connect to the vpcd of this machine, the first one to the given "
    "port, the next one to the port after it. With --listen it is the other way round, and no port "
    "of vpcd is open: its reader is then configured with DEVICENAME HOST:0xPORT, the port in "
    "hexadecimal.\n\n"
    "The user of the reader is the card's terminal, unless --devices puts a device around each "
    "card: then the device starts the card, attaches to the network of the scenario, and serves "
    "the card's toolkit, and the reader's user shares the card with it."
    "\vExamples:\n"
    "  sim-emulator reader --count 1\n"
    "  sim-emulator reader --count 2 --listen 127.0.0.1:36864 --data ./cards\n"
    "  sim-emulator reader --cards alder.out --vendor-profile alder.json --transport-keys keys.txt "
    "\\\n"
    "      --devices --scenario world.txt --control 127.0.0.1:0\n\n"
    "When it is ready it prints one line of JSON with its addresses. SIGTERM ends it. "
    "docs/interop.md tells how pySim, opensc and Wireshark work with it.";

static const char about_conform[] =
    "Judges the applet of a card by the protocol document (docs/applet-protocol.md), not by how "
    "ours "
    "is made: a card of this program, or any that can be reached over TCP with vpcd's protocol or "
    "in "
    "a PC/SC reader. The program is server, network and terminal at once, and its clock runs as "
    "fast "
    "as the card answers. The card needs the default parameters, two free slots, and the keys of "
    "the first card of --cards, or of --count 1 with --seed and --batch.\n\n"
    "WARNING: the card's subscriptions are switched, others are downloaded and deleted, and its "
    "counters move on."
    "\vExamples:\n"
    "  sim-emulator conform --count 1 --junit report.xml --html report.html\n"
    "  sim-emulator conform --cards mine.out --vendor-profile mine.json --transport-keys keys.txt "
    "\\\n"
    "      --pcsc \"ACS\" --junit new.xml --compare old.xml\n\n"
    "Ends with 0 when no case failed, 7 when one did, 3 when there is no card.";

static const char about_shell[] =
    "Cards in the hand of a tester: APDUs in hexadecimal with decoded answers, secured packets, "
    "power, coverage, IMEI, time that passes when told to, power cuts at any octet written, and "
    "what the card holds. Interactive on a terminal; else commands are read from --cmd, a file, or "
    "standard input. The first error ends a script, with its place."
    "\vExamples:\n"
    "  sim-emulator shell --count 1\n"
    "  sim-emulator shell --count 1 --cmd \"reset; apdu 00A40004022FE2; apdu 00B000000A = 9000; "
    "exit\"\n"
    "  sim-emulator shell --count 1 --scenario world.txt story.sim\n\n"
    "Ends with 0, the code of `exit`, or: 2 wrong use, 3 not found, 6 the card is mute, 7 another "
    "answer than was expected.";

enum {
    KEY_CARDS = 1000,
    KEY_POOL,
    KEY_PROFILE,
    KEY_TRANSPORT,
    KEY_COUNT,
    KEY_BATCH,
    KEY_SMSC,
    KEY_SYSTEM_ID,
    KEY_PASSWORD,
    KEY_RANGE,
    KEY_SERVER,
    KEY_SCENARIO,
    KEY_SPEED,
    KEY_CONTROL,
    KEY_DATA,
    KEY_SEED,
    KEY_SPREAD,
    KEY_REPORTS,
    KEY_TALKATIVE,
    KEY_VPCD,
    KEY_LISTEN,
    KEY_DEVICES,
    KEY_PRODUCT,
    KEY_TERMINAL,
    KEY_GSMTAP,
    KEY_PCAPNG,
    KEY_TRACE,
    KEY_TCP,
    KEY_PCSC,
    KEY_CARD_KEYS,
    KEY_JUNIT,
    KEY_HTML,
    KEY_COMPARE,
    KEY_LIST,
    KEY_CASE,
    KEY_COMMAND,
};

// clang-format off
// Of every command.
static const struct argp_option common_table[] = {
    {NULL, 0, NULL, 0, "Cards", 1},
    {"cards", KEY_CARDS, "FILE", 0, "vendor output file with the cards", 0},
    {"pool", KEY_POOL, "FILE", 0, "vendor file with further subscriptions that the networks know", 0},
    {"vendor-profile", KEY_PROFILE, "FILE", 0, "how to read these files (JSON)", 0},
    {"transport-keys", KEY_TRANSPORT, "FILE", 0, "keys of their encrypted fields", 0},
    {"count", KEY_COUNT, "N", 0, "instead of a file: N generated cards with keys made of --seed", 0},
    {"batch", KEY_BATCH, "DIGITS", 0, "batch of generated cards, up to 5 digits (default 1)", 0},
    {"product", KEY_PRODUCT, "FILE", 0,
     "what the cards have in common: PINs, files of templates, keys for remote management", 0},
    {"server-number", KEY_SERVER, "DIGITS", 0,
     "where the cards send their messages (default 12345)", 0},
    {"talkative", KEY_TALKATIVE, NULL, 0, "cards answer bad packets with unsecured errors", 0},
    {NULL, 0, NULL, 0, "World", 3},
    {"scenario", KEY_SCENARIO, "FILE", 0, "networks, areas, devices, and what happens when", 0},
    {"speed", KEY_SPEED, "FACTOR", 0, "how much faster than real time the clock runs (default 1)", 0},
    {"seed", KEY_SEED, "N", 0, "for everything that is left to chance (default 1)", 0},
    {NULL, 0, NULL, 0, "Running", 4},
    {"control", KEY_CONTROL, "HOST:PORT", 0, "HTTP control; port 0 lets the system choose", 0},
    {"data", KEY_DATA, "DIR", 0, "keep the cards' memories here, so that a restart continues", 0},
    {NULL, 0, NULL, 0, "Traces, without keys", 5},
    {"gsmtap", KEY_GSMTAP, "HOST:PORT", 0, "send every exchange with a card as GSMTAP (usual port 4729)", 0},
    {"pcapng", KEY_PCAPNG, "FILE", 0, "write the same into a capture file", 0},
    {"trace", KEY_TRACE, "FILE", 0, "write a readable trace, decoded", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const struct argp_option fleet_table[] = {
    {NULL, 0, NULL, 0, "SMSC", 2},
    {"smsc", KEY_SMSC, "HOST:PORT[,...]", 0, "where to bind; without it there are no messages", 0},
    {"system-id", KEY_SYSTEM_ID, "NAME", 0, "name to bind with (default radio)", 0},
    {"password-file", KEY_PASSWORD, "FILE", 0, "password to bind with: the file's first line", 0},
    {"address-range", KEY_RANGE, "PATTERN", 0,
     "address_range of the bind (default: ^ and the common beginning of all numbers)", 0},
    {"reports", KEY_REPORTS, NULL, 0, "send the user data of delivery reports back as messages", 0},
    {NULL, 0, NULL, 0, "World", 3},
    {"spread", KEY_SPREAD, "SECONDS", 0, "devices are switched on over this time (default 10)", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const struct argp_option reader_table[] = {
    {NULL, 0, NULL, 0, "Reader", 2},
    {"vpcd", KEY_VPCD, "HOST:PORT", 0, "where vpcd listens (default 127.0.0.1:35963)", 0},
    {"listen", KEY_LISTEN, "HOST:PORT", 0, "listen for vpcd here instead, and on the ports after it", 0},
    {"profile", KEY_TERMINAL, "HEX", 0,
     "the most that a TERMINAL PROFILE may claim, for users that claim what they cannot do", 0},
    {"devices", KEY_DEVICES, NULL, 0, "each card is in a device, which the reader's user shares", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const struct argp_option conform_table[] = {
    {NULL, 0, NULL, 0, "The card that is judged (default: one of this program)", 2},
    {"tcp", KEY_TCP, "HOST:PORT", 0, "a card that listens there, with vpcd's protocol", 0},
    {"listen", KEY_LISTEN, "HOST:PORT", 0, "listen for a card that connects, as to vpcd", 0},
    {"pcsc", KEY_PCSC, "READER", 0, "the card in the PC/SC reader whose name begins so", 0},
    {"card-keys", KEY_CARD_KEYS, "FILE", 0, "its keys, TAR and server number, instead of --cards or --count", 0},
    {NULL, 0, NULL, 0, "Cases and reports", 6},
    {"list", KEY_LIST, NULL, 0, "list the cases and the clauses that they judge", 0},
    {"case", KEY_CASE, "NAME", 0, "only cases whose name begins so; up to 16 times", 0},
    {"junit", KEY_JUNIT, "FILE", 0, "report as JUnit XML", 0},
    {"html", KEY_HTML, "FILE", 0, "report as HTML", 0},
    {"compare", KEY_COMPARE, "OLD.xml", 0, "tell what is different from an earlier JUnit report", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const struct argp_option shell_table[] = {
    {NULL, 0, NULL, 0, "Shell", 2},
    {"cmd", KEY_COMMAND, "COMMANDS", 0, "runs these, with ; between them", 0},
    {NULL, 0, NULL, 0, NULL, 0},
};
// clang-format on

static uint64_t number_of(struct argp_state *state, const char *text, uint64_t max)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || value > max)
        argp_error(state, "%s: a number from 0 to %llu is expected", text, (unsigned long long)max);
    return value;
}

static void split_smsc(struct options *o, char *text, struct argp_state *state)
{
    while (*text != 0) {
        if (o->smsc_count == OPTIONS_SMSC_MAX)
            argp_error(state, "at most %d SMSC addresses", OPTIONS_SMSC_MAX);
        o->smsc[o->smsc_count++] = text;
        text += strcspn(text, ",");
        if (*text == ',')
            *text++ = 0;
    }
}

static void read_speed(struct options *o, const char *text, struct argp_state *state)
{
    char *end;
    o->speed = strtod(text, &end);
    if (*end != 0 || !(o->speed >= 0.001 && o->speed <= 1e6))
        argp_error(state, "%s: the speed is a factor from 0.001 to 1000000", text);
}

static void check_cards(const struct options *o, struct argp_state *state)
{
    if (o->card_keys != NULL) {
        if (o->cards != NULL || o->count != 0)
            argp_error(state, "either --card-keys, or --cards or --count");
        return;
    }
    if ((o->cards == NULL) == (o->count == 0))
        argp_error(state, "give the cards: either --cards or --count");
    bool has_files = o->cards != NULL || o->pool != NULL;
    if (has_files && o->vendor_profile == NULL)
        argp_error(state, "vendor files need --vendor-profile");
    size_t digits = strspn(o->server_number, "0123456789");
    if (digits == 0 || digits > 20 || o->server_number[digits] != 0)
        argp_error(state, "--server-number has up to 20 digits");
    if (strlen(o->batch) > 5 || strspn(o->batch, "0123456789") != strlen(o->batch))
        argp_error(state, "--batch has up to 5 digits");
}

static error_t read_common(int key, char *text, struct argp_state *state)
{
    struct options *o = state->input;
    if (key == ARGP_KEY_END && o->is_list)
        return 0; // needs no card
    const struct {
        int key;
        const char **value;
    } texts[] = {{KEY_CARDS, &o->cards},
                 {KEY_POOL, &o->pool},
                 {KEY_PROFILE, &o->vendor_profile},
                 {KEY_TRANSPORT, &o->transport_keys},
                 {KEY_BATCH, &o->batch},
                 {KEY_PRODUCT, &o->product},
                 {KEY_SCENARIO, &o->scenario},
                 {KEY_CONTROL, &o->control},
                 {KEY_DATA, &o->data},
                 {KEY_SERVER, &o->server_number},
                 {KEY_GSMTAP, &o->gsmtap},
                 {KEY_PCAPNG, &o->pcapng},
                 {KEY_TRACE, &o->trace}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].key == key) {
            *texts[i].value = text;
            return 0;
        }
    }
    switch (key) {
    case KEY_COUNT:
        o->count = (uint32_t)number_of(state, text, 999999);
        return 0;
    case KEY_SPEED:
        read_speed(o, text, state);
        return 0;
    case KEY_SEED:
        o->seed = number_of(state, text, UINT64_MAX);
        return 0;
    case KEY_TALKATIVE:
        o->is_talkative = true;
        return 0;
    case ARGP_KEY_END:
        check_cards(o, state);
        return 0;
    default: // octets, argp's own keys
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp common = {common_table, read_common, NULL, NULL, NULL, NULL, NULL};
static const struct argp_child children[] = {{&common, 0, NULL, 0}, {NULL, 0, NULL, 0}};

static error_t read_fleet(int key, char *text, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        return 0;
    case KEY_SYSTEM_ID:
        o->system_id = text;
        return 0;
    case KEY_PASSWORD:
        o->password_file = text;
        return 0;
    case KEY_RANGE:
        o->address_range = text;
        return 0;
    case KEY_SMSC:
        split_smsc(o, text, state);
        return 0;
    case KEY_SPREAD:
        o->spread_ms = (uint32_t)number_of(state, text, 86400) * 1000;
        return 0;
    case KEY_REPORTS:
        o->reports = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: there is no such argument", text);
        return 0;
    default: // octets, argp's own keys
        return ARGP_ERR_UNKNOWN;
    }
}

static void read_profile(struct options *o, const char *text, struct argp_state *state)
{
    struct writer w = writer_of(o->profile, sizeof o->profile);
    if (!text_unhex(bytes_of_text(text), &w) || w.len == 0)
        argp_error(state, "--profile: 1 to %d octets in hexadecimal", OPTIONS_PROFILE_MAX);
    o->profile_len = (uint8_t)w.len;
}

static error_t read_reader(int key, char *text, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        return 0;
    case KEY_VPCD:
        o->vpcd = text;
        return 0;
    case KEY_LISTEN:
        o->listen = text;
        return 0;
    case KEY_DEVICES:
        o->has_devices = true;
        return 0;
    case KEY_TERMINAL:
        read_profile(o, text, state);
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: there is no such argument", text);
        return 0;
    case ARGP_KEY_END:
        if (o->vpcd != NULL && o->listen != NULL)
            argp_error(state, "either --vpcd or --listen");
        return 0;
    default: // octets, argp's own keys
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t read_conform(int key, char *text, struct argp_state *state)
{
    struct options *o = state->input;
    const struct {
        int key;
        const char **value;
    } texts[] = {{KEY_TCP, &o->tcp},        {KEY_LISTEN, &o->listen},
                 {KEY_PCSC, &o->pcsc},      {KEY_CARD_KEYS, &o->card_keys},
                 {KEY_JUNIT, &o->junit},    {KEY_HTML, &o->html},
                 {KEY_COMPARE, &o->compare}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].key == key) {
            *texts[i].value = text;
            return 0;
        }
    }
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        return 0;
    case KEY_LIST:
        o->is_list = true;
        return 0;
    case KEY_CASE:
        if (o->case_count == OPTIONS_CASES_MAX)
            argp_error(state, "at most %d cases by name", OPTIONS_CASES_MAX);
        o->cases[o->case_count++] = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "%s: there is no such argument", text);
        return 0;
    case ARGP_KEY_END:
        if ((o->tcp != NULL) + (o->listen != NULL) + (o->pcsc != NULL) > 1)
            argp_error(state, "one card: --tcp, --listen or --pcsc");
        if (o->card_keys != NULL && o->tcp == NULL && o->listen == NULL && o->pcsc == NULL)
            argp_error(state, "--card-keys are of a card behind --tcp, --listen or --pcsc");
        return 0;
    default: // octets, argp's own keys
        return ARGP_ERR_UNKNOWN;
    }
}

static void read_options(struct options *options, const struct argp *argp, int argc, char **argv)
{
    *options = (struct options){.batch = "1",
                                .system_id = "radio",
                                .server_number = "12345",
                                .speed = 1,
                                .seed = 1,
                                .spread_ms = 10000};
    argp_err_exit_status = 2;
    (void)argp_parse(argp, argc, argv, 0, NULL, options);
}

// The name of the command stands first in usage and errors.
void options_read_fleet(struct options *options, int argc, char **argv)
{
    static const struct argp argp = {fleet_table, read_fleet, "",  about_fleet,
                                     children,    NULL,       NULL};
    static char name[] = "sim-emulator fleet";
    argv[0] = name;
    read_options(options, &argp, argc, argv);
}

void options_read_reader(struct options *options, int argc, char **argv)
{
    static const struct argp argp = {reader_table, read_reader, "",  about_reader,
                                     children,     NULL,        NULL};
    static char name[] = "sim-emulator reader";
    argv[0] = name;
    read_options(options, &argp, argc, argv);
}

void options_read_conform(struct options *options, int argc, char **argv)
{
    static const struct argp argp = {conform_table, read_conform, "",  about_conform,
                                     children,      NULL,         NULL};
    static char name[] = "sim-emulator conform";
    argv[0] = name;
    read_options(options, &argp, argc, argv);
}

static error_t read_shell(int key, char *text, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        return 0;
    case KEY_COMMAND:
        o->command = text;
        return 0;
    case ARGP_KEY_ARG:
        if (o->script != NULL || o->command != NULL)
            argp_error(state, "%s: one script, or --cmd", text);
        o->script = text;
        return 0;
    default: // octets, argp's own keys
        return ARGP_ERR_UNKNOWN;
    }
}

void options_read_shell(struct options *options, int argc, char **argv)
{
    static const struct argp argp = {shell_table, read_shell, "[SCRIPT]", about_shell,
                                     children,    NULL,       NULL};
    static char name[] = "sim-emulator shell";
    argv[0] = name;
    read_options(options, &argp, argc, argv);
}

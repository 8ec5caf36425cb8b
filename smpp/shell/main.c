// smsc-sim: an SMSC for tests. Real SMPP 3.4, store and forward, receipts, and faults on purpose.
#include "common/host/entropy.h"
#include "common/host/log.h"
#include "common/host/loop.h"
#include "common/host/net.h"
#include "common/host/ready.h"
#include "smpp/shell/control.h"
#include "smpp/shell/links.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNBIND_MS 5000

const char *argp_program_version = "smsc-sim 0.1.0";

static const char DOC[] =
    "An SMSC for tests: SMPP 3.4, store and forward, receipts, and faults made on purpose.\v"
    "The configuration file names who may bind, where numbers go, and rules for faults:\n\n"
    "    account \"server\"  { password = \"secret1\" }\n"
    "    account \"network\" { password = \"secret2\" }\n"
    "    route \"12345\" { account = \"server\" }\n"
    "    route \"999\"   { account = \"network\" ordered = true }\n"
    "    rule { fault = \"lose\" destination = \"999\" skip = 3 count = 1 }\n"
    "    queue = 100000\n\n"
    "A link whose bind names an address_range takes those numbers without a route. The file must "
    "be "
    "readable by its owner only. Rules can be set at run time over --control, see "
    "smsc-sim(1).\n\n"
    "Example:\n"
    "    smsc-sim --config smsc.conf --listen 127.0.0.1:0 --control 127.0.0.1:0\n\n"
    "When it can be used it prints one line: {\"event\":\"ready\",...} with its real addresses. "
    "SIGTERM unbinds everyone and ends it.";

enum {
    OPTION_CONTROL = 256,
    OPTION_TLS_LISTEN,
    OPTION_PCAP,
    OPTION_SEED,
    OPTION_SPEED,
    OPTION_VERBOSE,
};

static const struct argp_option OPTIONS[] = {
    {"config", 'c', "FILE", 0, "accounts, routes, rules and limits (required)", 0},
    {"listen", 'l', "HOST:PORT", 0, "where ESMEs connect; port 0 is chosen (127.0.0.1:2775)", 0},
    {"tls-listen", OPTION_TLS_LISTEN, "HOST:PORT", 0,
     "where they connect with TLS, too; certificates are in FILE (none)", 0},
    {"control", OPTION_CONTROL, "HOST:PORT", 0, "HTTP control interface (default: none)", 0},
    {"pcap", OPTION_PCAP, "FILE", 0, "write all SMPP traffic as a capture file", 0},
    {"seed", OPTION_SEED, "N", 0, "for faults with a probability, to repeat a run", 0},
    {"speed", OPTION_SPEED, "FACTOR", 0,
     "the clock of validity and retries runs so much faster (default 1)", 0},
    {"verbose", OPTION_VERBOSE, NULL, 0, "log every connection", 0},
    {0},
};

struct arguments {
    struct settings settings;
    bool is_verbose;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *a = state->input;
    char *end = NULL;
    switch (key) { // characters and numbers of argp
    case 'c':
        a->settings.config_path = value;
        return 0;
    case 'l':
        a->settings.listen = value;
        return 0;
    case OPTION_TLS_LISTEN:
        a->settings.tls_listen = value;
        return 0;
    case OPTION_CONTROL:
        a->settings.control = value;
        return 0;
    case OPTION_PCAP:
        a->settings.pcap_path = value;
        return 0;
    case OPTION_SEED:
        a->settings.seed = strtoull(value, &end, 10);
        if (*value == '\0' || *end != '\0')
            argp_error(state, "--seed takes a number, not \"%s\"", value);
        return 0;
    case OPTION_SPEED:
        a->settings.speed = strtod(value, &end);
        if (*value == '\0' || *end != '\0' ||
            !(a->settings.speed >= 1 && a->settings.speed <= 10000))
            argp_error(state, "--speed takes a factor from 1 to 10000, not \"%s\"", value);
        return 0;
    case OPTION_VERBOSE:
        a->is_verbose = true;
        return 0;
    case ARGP_KEY_END:
        if (a->settings.config_path == NULL)
            argp_error(state, "--config FILE is needed: it says who may bind");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct program {
    struct loop *loop;
    struct links *links;
    struct http *http;
    struct log log;
    FILE *pcap;
    struct loop_turn_end turn_end;
    struct loop_timer unbind_timer;
    bool is_stopping;
};

static void asked_to_stop(void *context)
{
    struct program *p = context;
    p->is_stopping = true;
    links_unbind_all(p->links);
    loop_timer_set(&p->unbind_timer, instant_after(loop_now(p->loop), UNBIND_MS));
}

static void unbind_took_too_long(void *context, struct instant now)
{
    (void)now;
    loop_stop(((struct program *)context)->loop);
}

static void turn_end(void *context, struct instant now)
{
    struct program *p = context;
    (void)now;
    if (p->pcap != NULL)
        (void)fflush(p->pcap);
    if (p->is_stopping && links_count(p->links) == 0)
        loop_stop(p->loop);
}

static bool say_ready(const struct program *p)
{
    char smpp[NET_ADDRESS_TEXT_SIZE];
    char smpps[NET_ADDRESS_TEXT_SIZE];
    char control[NET_ADDRESS_TEXT_SIZE];
    struct net_address address;
    links_address(p->links, smpp);
    struct ready_item items[3] = {{"smpp", smpp}};
    size_t count = 1;
    if (links_tls_address(p->links, smpps))
        items[count++] = (struct ready_item){"smpps", smpps};
    if (p->http != NULL) {
        http_address(p->http, &address);
        net_address_format(&address, control);
        items[count++] = (struct ready_item){"control", control};
    }
    return ready_say(STDOUT_FILENO, "smsc-sim", items, count);
}

static int fail(const char *reason)
{
    (void)fprintf(stderr, "smsc-sim: %s\n", reason);
    return EXIT_FAILURE;
}

static int run(struct program *p, const struct arguments *a)
{
    static char error[SETTINGS_ERROR_SIZE];
    if (a->settings.pcap_path != NULL) {
        p->pcap = pcap_open(a->settings.pcap_path);
        if (p->pcap == NULL)
            return fail("the capture file cannot be written: is its folder there?");
    }
    p->links = links_open(p->loop, &a->settings, &p->log, p->pcap, error);
    if (p->links == NULL)
        return fail(error);
    if (a->settings.control != NULL) {
        enum net_error result = control_open(p->loop, a->settings.control, p->links, &p->http);
        if (result != NET_OK) {
            (void)snprintf(error, sizeof error, "cannot listen on %s: %s", a->settings.control,
                           net_error_name(result));
            return fail(error);
        }
    }
    p->turn_end = (struct loop_turn_end){.end = turn_end, .context = p};
    loop_turn_end_add(p->loop, &p->turn_end);
    loop_on_signal(p->loop, asked_to_stop, p);
    if (!loop_timer_open(&p->unbind_timer, p->loop, unbind_took_too_long, p) || !say_ready(p))
        return fail("standard output is closed");
    loop_run(p->loop);
    return EXIT_SUCCESS;
}

static void stop(struct program *p)
{
    loop_timer_close(&p->unbind_timer);
    if (p->turn_end.end != NULL)
        loop_turn_end_remove(p->loop, &p->turn_end);
    if (p->http != NULL)
        http_close(p->http);
    if (p->links != NULL)
        links_close(p->links);
    if (p->pcap != NULL)
        (void)fclose(p->pcap);
    loop_close(p->loop);
}

// An address that nobody has is wrong use, one that is taken is not.
static bool can_be_heard(const char *address)
{
    struct net_address unused;
    if (address == NULL || net_resolve(address, &unused) != NET_BAD_ADDRESS)
        return true;
    (void)fprintf(stderr, "smsc-sim: cannot listen on %s: %s\n", address,
                  net_error_name(NET_BAD_ADDRESS));
    return false;
}

int main(int argc, char **argv)
{
    static struct arguments a = {.settings = {.listen = "127.0.0.1:2775", .speed = 1}};
    static const struct argp ARGP = {OPTIONS, parse, NULL, DOC, NULL, NULL, NULL};
    char error[SETTINGS_ERROR_SIZE];
    entropy_fill(&a.settings.seed, sizeof a.settings.seed);
    argp_err_exit_status = 2;
    if (argp_parse(&ARGP, argc, argv, 0, NULL, &a) != 0)
        return 2;
    if (!settings_read(&a.settings, error)) {
        (void)fail(error);
        return 2;
    }
    if (!can_be_heard(a.settings.listen) || !can_be_heard(a.settings.control))
        return 2;
    static struct program p;
    p.loop = loop_open();
    if (p.loop == NULL)
        return fail("the system gives no event loop");
    log_init(&p.log, STDERR_FILENO, LOG_TEXT, a.is_verbose ? LOG_DEBUG : LOG_WARN);
    int status = run(&p, &a);
    stop(&p);
    return status;
}

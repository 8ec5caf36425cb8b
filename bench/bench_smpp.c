// SMPP round trips per second over loopback: our server and client, the floor, libsmpp34, and
// node-smpp when it is installed, interleaved in one run.
//
//     bench_smpp [milliseconds per measurement, 1000] [repeats, 3] [folder with node_modules/smpp]
//                [links and window to measure alone, such as 4,10]
// The folder may be "-" for none.
#include "bench/smpp_bench.h"

#include "common/base/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPEATS_MAX 15
#define NODE_SCRIPT "bench/smpp_node.js"

static const char *node_folder;

static void become_node(const char *role, const char *a, const char *b)
{
    check(chdir(node_folder) == 0);
    (void)execlp("node", "node", getenv("BENCH_NODE_SCRIPT"), role, a, b, (char *)NULL);
    _exit(127);
}

static void node_serve(int port_fd)
{
    check(dup2(port_fd, STDOUT_FILENO) >= 0);
    become_node("serve", "0", "0");
}

// Runs the client as a process of its own, which prints how many round trips it made.
static uint64_t node_drive(uint16_t port, const struct bench_load *load)
{
    int ends[2];
    check(pipe(ends) == 0);
    const pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        char where[16];
        char what[64];
        (void)snprintf(where, sizeof where, "%u", (unsigned)port);
        (void)snprintf(what, sizeof what, "%u,%u,%u", load->links, load->window, load->ms);
        check(dup2(ends[1], STDOUT_FILENO) >= 0);
        become_node("drive", where, what);
    }
    (void)close(ends[1]);
    char text[32] = "";
    const ssize_t got = read(ends[0], text, sizeof text - 1);
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0);
    return got > 0 ? strtoull(text, NULL, 10) : 0;
}

static const struct bench_rival node = {"node-smpp", node_serve, node_drive};

struct figure {
    double per_s;
    double server_us; // CPU of the server per message
};

static double cpu_us(const struct rusage *use)
{
    return (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) * 1e6 +
           (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec);
}

static struct figure measure(const struct bench_rival *server, const struct bench_rival *client,
                             const struct bench_load *load)
{
    int ends[2];
    check(pipe(ends) == 0);
    const pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(ends[0]);
        server->serve(ends[1]);
        _exit(0);
    }
    (void)close(ends[1]);
    uint16_t port = 0;
    check(read(ends[0], &port, sizeof port) == sizeof port);
    const uint64_t done = client->drive(port, load);
    struct rusage use;
    (void)kill(child, SIGKILL);
    check(wait4(child, NULL, 0, &use) == child);
    (void)close(ends[0]);
    return (struct figure){.per_s = (double)done * 1000 / load->ms,
                           .server_us = done > 0 ? cpu_us(&use) / (double)done : 0};
}

static int by_rate(const void *a, const void *b)
{
    const double x = ((const struct figure *)a)->per_s;
    const double y = ((const struct figure *)b)->per_s;
    return (x > y) - (x < y);
}

struct pair {
    const char *name;
    const struct bench_rival *server, *client;
    struct figure figures[REPEATS_MAX];
};

static void compare(struct pair *pairs, size_t count, const struct bench_load *load, unsigned runs)
{
    for (unsigned run = 0; run < runs; run++)
        for (size_t i = 0; i < count; i++)
            pairs[i].figures[run] = measure(pairs[i].server, pairs[i].client, load);
    double ours = 0;
    for (size_t i = 0; i < count; i++) {
        struct figure *f = pairs[i].figures;
        qsort(f, runs, sizeof *f, by_rate);
        const double median = f[runs / 2].per_s;
        ours = i == 0 ? median : ours;
        (void)printf("%u link%s window %-3u  %-24s %10.0f/s  (%.0f .. %.0f)  server %6.2f us  "
                     "ours is %.2f of it\n",
                     load->links, load->links == 1 ? " " : "s", load->window, pairs[i].name, median,
                     f[0].per_s, f[runs - 1].per_s, f[runs / 2].server_us,
                     median > 0 ? ours / median : 0);
    }
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static const unsigned loads[][2] = {{1, 1}, {1, 10}, {1, 100}, {4, 1}, {4, 10}, {4, 100}};
    const unsigned ms = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;
    const unsigned runs = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 3;
    if (ms == 0 || runs == 0 || runs > REPEATS_MAX) {
        (void)fprintf(stderr, "usage: bench_smpp [ms] [repeats 1..%d] [folder]\n", REPEATS_MAX);
        return 2;
    }
    static struct pair pairs[] = {
        {.name = "ours", .server = &bench_ours, .client = &bench_ours},
        {.name = "floor", .server = &bench_floor, .client = &bench_floor},
        {.name = "libsmpp34 pair", .server = &bench_library, .client = &bench_library},
        {.name = "node-smpp server, ours", .server = &node, .client = &bench_ours},
        {.name = "ours, node-smpp client", .server = &bench_ours, .client = &node}};
    size_t count = 3;
    if (argc > 3 && argv[3][0] != '-') {
        char script[4096];
        check(realpath(NODE_SCRIPT, script) != NULL && setenv("BENCH_NODE_SCRIPT", script, 1) == 0);
        node_folder = argv[3];
        count = sizeof pairs / sizeof pairs[0];
    }
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        const struct bench_load load = {.links = loads[i][0], .window = loads[i][1], .ms = ms};
        char name[32];
        (void)snprintf(name, sizeof name, "%u,%u", load.links, load.window);
        if (argc > 4 && strcmp(argv[4], name) != 0)
            continue;
        compare(pairs, count, &load, runs);
    }
    return 0;
}

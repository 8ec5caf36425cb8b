#include "ota-server/shell/checks.h"

#include <stdio.h>

static bool fail(const char *what, const char *reason)
{
    (void)fprintf(stderr, "ota-server: %s: %s\n", what, reason);
    return false;
}

bool server_checks_open(const struct server_checks_options *options, struct server_checks *c)
{
    struct trail_checks_options threads = {
        .turn = options->turn, .wake = options->wake, .wake_context = options->wake_context};
    for (unsigned i = 0; i < TRAIL_CHECK_THREADS; i++) {
        if (!server_crypto_open(&c->crypto[i]))
            return fail("OpenSSL", "an algorithm is missing");
        c->readers[i] = server_store_open(options->settings, options->keys, &c->crypto[i], true);
        if (c->readers[i] == NULL)
            return false;
        threads.readers[i] = c->readers[i];
    }
    c->checks = trail_checks_open(&threads);
    if (c->checks == NULL)
        return fail("the system", "it gives no thread");
    return trail_checks_recover(c->checks, options->reader) == STORE_OK ||
           fail(options->settings->data, store_problem(options->reader));
}

void server_checks_close(struct server_checks *c)
{
    trail_checks_close(c->checks);
    for (unsigned i = 0; i < TRAIL_CHECK_THREADS; i++) {
        store_close(c->readers[i]);
        server_crypto_close(&c->crypto[i]);
    }
}

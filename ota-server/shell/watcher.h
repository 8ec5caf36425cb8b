// Looks at the installation every 10 seconds, and raises and clears the alarms of watch.h; and at
// its links each second, to tell of those that change.
#pragma once

#include "common/host/log.h"
#include "common/host/loop.h"
#include "ota-server/service/outbox.h"

struct watcher;

struct watcher_options {
    struct loop *loop;
    struct log *log;
    struct turn *turn;
    struct store *reader;
    const struct outbox *outbox;
    unsigned link_count;
    const char *(*link_name)(void *context, unsigned link);
    void *link_context;
    const char *data; // folder whose disk must have room
    // The server's clock.
    struct utc (*utc)(void *context);
    void *utc_context;
};

// NULL when there is no memory.
struct watcher *watcher_open(const struct watcher_options *options) MUST_USE;
void watcher_close(struct watcher *w); // NULL: nothing
// A commit took so long.
void watcher_commit(struct watcher *w, uint64_t took_ms);

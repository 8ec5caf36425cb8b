// sim-emulator reader: cards in PC/SC readers.
#include "common/host/ready.h"
#include "sim-emulator/shell/commands.h"
#include "sim-emulator/shell/fleet_control.h"
#include "sim-emulator/shell/memory_files.h"
#include "sim-emulator/shell/slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_WRONG_USE 2

struct reading_app {
    struct app app;
    struct memory_files *memories;
};

static void turn_ends(void *context, struct instant now)
{
    (void)now;
    app_end_turn(context);
}

static bool open_all(struct reading_app *r)
{
    struct app *app = &r->app;
    char error[CARDS_ERROR_SIZE];
    // All of a memory may be written, its tables included.
    if (!app_open(app, NVM_PAGES))
        return false;
    if (app->fleet.count == 0 || app->fleet.count > OPTIONS_READERS_MAX)
        return app_fail("a PC/SC service takes 1 to 16 readers, a card in each");
    if (app->options.data != NULL) {
        if (!app_lock_data(app))
            return false;
        r->memories = memory_files_open(app, error);
        if (r->memories == NULL)
            return app_fail(error);
    }
    app->turn_end = (struct loop_turn_end){.end = turn_ends, .context = app};
    loop_turn_end_add(app->loop, &app->turn_end);
    app->slots = slots_open(app, error);
    if (app->slots == NULL)
        return app_fail(error);
    if (app->options.control != NULL) {
        enum net_error failed = fleet_control_open(app, app->options.control, &app->control);
        if (failed != NET_OK) {
            (void)fprintf(stderr, "sim-emulator: %s: %s\n", app->options.control,
                          net_error_name(failed));
            return false;
        }
    }
    return true;
}

static bool close_all(struct reading_app *r)
{
    struct app *app = &r->app;
    fleet_control_close(app->control);
    if (app->turn_end.end != NULL)
        loop_turn_end_remove(app->loop, &app->turn_end);
    bool ok = memory_files_close(r->memories) || app_fail("the disk did not take the memories");
    slots_close(app->slots);
    return app_close(app) && ok;
}

static bool say_ready(struct app *app)
{
    char count[16];
    char address[NET_ADDRESS_TEXT_SIZE];
    char control[NET_ADDRESS_TEXT_SIZE];
    (void)snprintf(count, sizeof count, "%u", app->fleet.count);
    slots_address(app->slots, address);
    struct ready_item items[3] = {{"cards", count},
                                  {app->options.listen != NULL ? "listen" : "vpcd", address}};
    size_t item_count = 2;
    if (app->control != NULL) {
        fleet_control_address(app->control, control);
        items[item_count++] = (struct ready_item){"control", control};
    }
    return ready_say(STDOUT_FILENO, "sim-emulator", items, item_count);
}

int reader_main(int argc, char **argv)
{
    static struct reading_app r = {.app = {.lock_fd = -1}};
    struct app *app = &r.app;
    options_read_reader(&app->options, argc, argv);
    if (!open_all(&r)) {
        (void)close_all(&r);
        return EXIT_WRONG_USE;
    }
    app->real_start = loop_now(app->loop);
    app->is_open = true;
    if (app->options.has_devices)
        fleet_start(&app->fleet, app->virtual_start, 0);
    app_reschedule(app);
    bool ok = say_ready(app);
    if (ok)
        loop_run(app->loop);
    ok = close_all(&r) && ok;
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

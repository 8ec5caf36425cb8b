// sim-emulator fleet: a fleet of emulated cards behind an SMSC.
#include "sim-emulator/shell/commands.h"

#include "common/host/clock.h"
#include "common/host/ready.h"
#include "sim-emulator/shell/air.h"
#include "sim-emulator/shell/fleet_control.h"
#include "sim-emulator/shell/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_WRONG_USE 2
// Pages per card that the pool has room for. Memory that no card writes to is never touched.
#define PAGES_PER_CARD 96
#define ENDING_MS 5000

static void card_sends(void *context, const struct fleet_message *message)
{
    struct app *app = context;
    air_send(app->air, message);
}

static void card_stepped(void *context, uint32_t device)
{
    store_note(context, device);
}

// --- opening ---------------------------------------------------------------------------------

static bool open_data(struct app *app)
{
    char error[CARDS_ERROR_SIZE];
    if (app->options.data == NULL)
        return true;
    return app_lock_data(app) && (store_open(app, error) || app_fail(error));
}

static void turn_ends(void *context, struct instant now)
{
    (void)now;
    struct app *app = context;
    // First the cards' memories, then what the world learns.
    if (!store_turn(app))
        loop_stop(app->loop);
    air_turn(app->air);
    app_end_turn(app);
}

static bool open_all(struct app *app)
{
    char error[CARDS_ERROR_SIZE];
    if (!app_open(app, PAGES_PER_CARD))
        return false;
    app->fleet.mo = card_sends;
    app->fleet.stepped = card_stepped;
    app->fleet.context = app;
    if (!open_data(app))
        return false;
    app->turn_end = (struct loop_turn_end){.end = turn_ends, .context = app};
    loop_turn_end_add(app->loop, &app->turn_end);
    app->air = air_open(app, error);
    if (app->air == NULL)
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

// --- the end ---------------------------------------------------------------------------------

static void asked_to_end(void *context)
{
    struct app *app = context;
    loop_stop(app->loop);
}

// Links get a moment to unbind.
static void end_links(struct app *app)
{
    struct instant until = instant_after(clock_instant(), ENDING_MS);
    air_unbind(app->air);
    while (!air_is_down(app->air) && !instant_is_due(until, clock_instant())) {
        loop_wake(app->loop);
        loop_turn(app->loop);
    }
}

static bool close_all(struct app *app)
{
    fleet_control_close(app->control);
    if (app->turn_end.end != NULL)
        loop_turn_end_remove(app->loop, &app->turn_end);
    air_close(app->air);
    store_close(app->store);
    return app_close(app);
}

static bool say_ready(struct app *app)
{
    char count[16];
    char control[NET_ADDRESS_TEXT_SIZE] = "";
    (void)snprintf(count, sizeof count, "%u", app->fleet.count);
    struct ready_item items[2] = {{"cards", count}};
    size_t item_count = 1;
    if (app->control != NULL) {
        fleet_control_address(app->control, control);
        items[item_count++] = (struct ready_item){"control", control};
    }
    return ready_say(STDOUT_FILENO, "sim-emulator", items, item_count);
}

int fleet_main(int argc, char **argv)
{
    static struct app app = {.lock_fd = -1};
    char error[CARDS_ERROR_SIZE];
    options_read_fleet(&app.options, argc, argv);
    if (!open_all(&app)) {
        (void)close_all(&app);
        return EXIT_WRONG_USE;
    }
    app.real_start = loop_now(app.loop);
    app.is_open = true;
    loop_on_signal(app.loop, asked_to_end, &app);
    fleet_start(&app.fleet, app.virtual_start, app.options.spread_ms);
    app_reschedule(&app);
    bool ok = say_ready(&app);
    if (ok)
        loop_run(app.loop);
    end_links(&app);
    if (app.options.data != NULL && !store_save(&app, error))
        ok = app_fail(error);
    ok = close_all(&app) && ok;
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

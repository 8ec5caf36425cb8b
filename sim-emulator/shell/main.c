// sim-emulator fleet: a fleet of emulated cards behind an SMSC.
#include "common/host/cipher_openssl.h"
#include "common/host/clock.h"
#include "common/host/datadir.h"
#include "common/host/ready.h"
#include "sim-emulator/shell/air.h"
#include "sim-emulator/shell/fleet_control.h"
#include "sim-emulator/shell/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_WRONG_USE 2
#define SCENARIO_TEXT_MAX (1U << 20)
// Pages per card that the pool has room for. Memory that no card writes to is never touched.
#define PAGES_PER_CARD 96
// Devices per turn: a turn stays short, so that links and control are served in between.
#define DEVICES_PER_TURN 2000
#define ENDING_MS 5000

struct instant app_now(struct app *app)
{
    uint64_t real = loop_now(app->loop).ms - app->real_start.ms;
    return instant_after(app->virtual_start, (uint64_t)((double)real * app->options.speed));
}

void app_reschedule(struct app *app)
{
    loop_wake(app->loop);
}

// Only at a turn's end: a deadline that is past would fire again in the same turn, whose `now`
// stands still.
static void set_timer(struct app *app)
{
    struct instant due = fleet_deadline(&app->fleet);
    if (due.ms == INSTANT_NEVER.ms) {
        loop_timer_set(&app->timer, INSTANT_NEVER);
        return;
    }
    double ahead = 0;
    if (due.ms > app->virtual_start.ms)
        ahead = (double)(due.ms - app->virtual_start.ms) / app->options.speed;
    // Rounded up: a timer that is early would come again at once.
    loop_timer_set(&app->timer, instant_after(app->real_start, (uint64_t)ahead + 1));
}

static void fleet_is_due(void *context, struct instant now)
{
    (void)now;
    struct app *app = context;
    (void)fleet_step(&app->fleet, app_now(app), DEVICES_PER_TURN);
    loop_wake(app->loop);
}

static void card_sends(void *context, const struct fleet_message *message)
{
    struct app *app = context;
    air_send(app->air, message);
}

static void card_stepped(void *context, uint32_t device)
{
    store_note(context, device);
}

static uint32_t draw(void *context)
{
    struct app *app = context;
    return (uint32_t)prng_next(&app->random);
}

// --- opening ---------------------------------------------------------------------------------

static bool fail(const char *reason)
{
    (void)fprintf(stderr, "sim-emulator: %s\n", reason);
    return false;
}

static bool open_scenario(struct app *app)
{
    const char *path = app->options.scenario;
    if (path == NULL) {
        scenario_default(&app->scenario, &app->radio);
        return true;
    }
    FILE *file = fopen(path, "rb");
    char *text = malloc(SCENARIO_TEXT_MAX);
    struct scenario_error error;
    bool ok = file != NULL && text != NULL;
    if (ok) {
        size_t len = fread(text, 1, SCENARIO_TEXT_MAX, file);
        ok = scenario_read(bytes_of(text, len), &app->scenario, &app->radio, &error);
        if (!ok)
            (void)fprintf(stderr, "sim-emulator: %s:%u: %s\n", path, error.line, error.text);
    } else {
        (void)fprintf(stderr, "sim-emulator: %s: cannot be read\n", path);
    }
    free(text);
    if (file != NULL)
        (void)fclose(file);
    return ok;
}

static bool open_fleet(struct app *app)
{
    uint32_t count = app->cards.count;
    uint32_t page_count = count * PAGES_PER_CARD + 2;
    app->devices = calloc(count, sizeof *app->devices);
    app->heap = calloc(count, sizeof *app->heap);
    app->places = calloc(count, sizeof *app->places);
    app->pages = calloc(page_count, sizeof *app->pages);
    if (app->devices == NULL || app->heap == NULL || app->places == NULL || app->pages == NULL)
        return fail("there is not enough memory for the devices");
    nvm_pool_init(&app->shop.pool, app->pages, page_count);
    app->shop.cipher = &app->cipher;
    app->shop.random = draw;
    app->shop.random_context = app;
    app->shop.is_talkative = app->options.is_talkative;
    prng_init(&app->random, app->options.seed, "applet", 0);
    for (uint32_t i = 0; i < count; i++)
        device_init(&app->devices[i], &app->shop, &app->cards.factories[i],
                    &app->scenario.models[0]);
    struct fleet_config config = {.devices = app->devices,
                                  .count = count,
                                  .heap = app->heap,
                                  .places = app->places,
                                  .radio = &app->radio,
                                  .scenario = &app->scenario,
                                  .start = clock_utc(),
                                  .seed = app->options.seed};
    fleet_init(&app->fleet, &config);
    app->fleet.mo = card_sends;
    app->fleet.stepped = card_stepped;
    app->fleet.context = app;
    return true;
}

static bool open_data(struct app *app)
{
    char error[CARDS_ERROR_SIZE];
    if (app->options.data == NULL)
        return true;
    enum datadir_error failed = datadir_open(app->options.data, &app->lock_fd);
    if (failed != DATADIR_OK) {
        (void)fprintf(stderr, "sim-emulator: %s: %s\n", app->options.data,
                      datadir_error_text(failed));
        return false;
    }
    return store_open(app, error) || fail(error);
}

static void turn_ends(void *context, struct instant now)
{
    (void)now;
    struct app *app = context;
    // First the cards' memories, then what the world learns.
    if (!store_turn(app))
        loop_stop(app->loop);
    air_turn(app->air);
    set_timer(app);
}

static bool open_all(struct app *app)
{
    char error[CARDS_ERROR_SIZE];
    if (!cipher_openssl_open(&app->cipher))
        return fail("OpenSSL lacks AES or SHA-256");
    radio_init(&app->radio, &app->cipher, app->options.seed);
    if (!cards_open(&app->cards, &app->options, &app->cipher, error) ||
        !cards_fill_radio(&app->cards, &app->radio, error))
        return fail(error);
    if (!open_scenario(app) || !open_fleet(app) || !open_data(app))
        return false;
    app->loop = loop_open();
    if (app->loop == NULL || !loop_timer_open(&app->timer, app->loop, fleet_is_due, app))
        return fail("the system refuses an event loop");
    app->turn_end = (struct loop_turn_end){.end = turn_ends, .context = app};
    loop_turn_end_add(app->loop, &app->turn_end);
    app->net = net_open(app->loop);
    if (app->net == NULL)
        return fail("there is not enough memory");
    app->air = air_open(app, error);
    if (app->air == NULL)
        return fail(error);
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

static void close_all(struct app *app)
{
    fleet_control_close(app->control);
    if (app->net != NULL)
        net_close_all(app->net);
    if (app->turn_end.end != NULL)
        loop_turn_end_remove(app->loop, &app->turn_end);
    air_close(app->air);
    loop_timer_close(&app->timer);
    if (app->loop != NULL)
        loop_close(app->loop);
    store_close(app->store);
    cards_empty_radio(&app->radio);
    cards_close(&app->cards);
    if (app->pages != NULL)
        secret_wipe(app->pages, app->shop.pool.fresh * sizeof *app->pages);
    free(app->devices);
    free(app->heap);
    free(app->places);
    free(app->pages);
    cipher_openssl_close(&app->cipher);
    if (app->lock_fd >= 0)
        (void)close(app->lock_fd);
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

int main(int argc, char **argv)
{
    static struct app app = {.lock_fd = -1};
    char error[CARDS_ERROR_SIZE];
    options_read(&app.options, argc, argv);
    log_init(&app.log, STDERR_FILENO, LOG_TEXT, LOG_INFO);
    if (!open_all(&app)) {
        close_all(&app);
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
        ok = fail(error);
    close_all(&app);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

#include "sim-emulator/shell/app.h"

#include "common/host/cipher_openssl.h"
#include "common/host/clock.h"
#include "common/host/datadir.h"
#include "sim-emulator/shell/tape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCENARIO_TEXT_MAX (1U << 20)
#define PRODUCT_TEXT_MAX (1U << 20)
// Devices per turn: a turn stays short, so that links and control are served in between.
#define DEVICES_PER_TURN 2000

struct instant app_now(struct app *app)
{
    uint64_t real = loop_now(app->loop).ms - app->real_start.ms;
    return instant_after(app->virtual_start, (uint64_t)((double)real * app->options.speed));
}

struct instant app_clock(struct app *app)
{
    return app->is_open ? app_now(app) : app->virtual_start;
}

void app_reschedule(struct app *app)
{
    loop_wake(app->loop);
}

void app_end_turn(struct app *app)
{
    // A trace is read while it grows.
    (void)tape_flush(app->tape);
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

static uint32_t draw(void *context)
{
    struct app *app = context;
    return (uint32_t)prng_next(&app->random);
}

bool app_fail(const char *reason)
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

static bool read_product(struct app *app, FILE *file)
{
    struct product_error error;
    char *text = malloc(PRODUCT_TEXT_MAX);
    app->product = calloc(1, sizeof *app->product);
    if (text == NULL || app->product == NULL) {
        free(text);
        return app_fail("there is not enough memory for the product");
    }
    size_t len = fread(text, 1, PRODUCT_TEXT_MAX, file);
    bool ok = product_read(bytes_of(text, len), app->product, &error);
    if (!ok)
        (void)fprintf(stderr, "sim-emulator: %s:%u:%u: %s\n", app->options.product, error.line,
                      error.column, error.reason);
    secret_wipe(text, PRODUCT_TEXT_MAX);
    free(text);
    app->shop.product = &app->product->product;
    return ok;
}

static bool open_product(struct app *app)
{
    if (app->options.product == NULL)
        return true;
    FILE *file = fopen(app->options.product, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "sim-emulator: %s: cannot be read\n", app->options.product);
        return false;
    }
    bool ok = read_product(app, file);
    (void)fclose(file);
    return ok;
}

static bool open_fleet(struct app *app, uint32_t pages_per_card)
{
    uint32_t count = app->cards.count;
    uint32_t page_count = count * pages_per_card + 2;
    app->devices = calloc(count, sizeof *app->devices);
    app->heap = calloc(count, sizeof *app->heap);
    app->places = calloc(count, sizeof *app->places);
    app->pages = calloc(page_count, sizeof *app->pages);
    if (app->devices == NULL || app->heap == NULL || app->places == NULL || app->pages == NULL)
        return app_fail("there is not enough memory for the devices");
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
    return true;
}

bool app_open(struct app *app, uint32_t pages_per_card)
{
    char error[CARDS_ERROR_SIZE];
    log_init(&app->log, STDERR_FILENO, LOG_TEXT, LOG_INFO);
    if (!cipher_openssl_open(&app->cipher))
        return app_fail("OpenSSL lacks AES or SHA-256");
    radio_init(&app->radio, &app->cipher, app->options.seed);
    if (!cards_open(&app->cards, &app->options, &app->cipher, error) ||
        !cards_fill_radio(&app->cards, &app->radio, error))
        return app_fail(error);
    if (!open_scenario(app) || !open_product(app) || !open_fleet(app, pages_per_card))
        return false;
    app->loop = loop_open();
    if (app->loop == NULL || !loop_timer_open(&app->timer, app->loop, fleet_is_due, app))
        return app_fail("the system refuses an event loop");
    app->net = net_open(app->loop);
    if (app->net == NULL)
        return app_fail("there is not enough memory");
    app->tape = tape_open(app, error);
    return app->tape != NULL || error[0] == 0 || app_fail(error);
}

bool app_close(struct app *app)
{
    bool ok = tape_close(app->tape) || app_fail("the disk did not take the trace");
    if (app->net != NULL)
        net_close_all(app->net);
    loop_timer_close(&app->timer);
    if (app->loop != NULL)
        loop_close(app->loop);
    cards_empty_radio(&app->radio);
    cards_close(&app->cards);
    if (app->pages != NULL)
        secret_wipe(app->pages, app->shop.pool.fresh * sizeof *app->pages);
    if (app->product != NULL)
        secret_wipe(app->product, sizeof *app->product);
    free(app->product);
    free(app->devices);
    free(app->heap);
    free(app->places);
    free(app->pages);
    cipher_openssl_close(&app->cipher);
    if (app->lock_fd >= 0)
        (void)close(app->lock_fd);
    return ok;
}

bool app_lock_data(struct app *app)
{
    enum datadir_error failed = datadir_open(app->options.data, &app->lock_fd);
    if (failed == DATADIR_OK)
        return true;
    (void)fprintf(stderr, "sim-emulator: %s: %s\n", app->options.data, datadir_error_text(failed));
    return false;
}

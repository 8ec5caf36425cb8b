#include "sim-emulator/shell/shell.h"

#include "sim-emulator/shell/commands.h"
#include "sim-emulator/shell/memory_files.h"

#include <editline/readline.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_WRONG_USE 2
#define LINE_SIZE 4096
#define OCTETS_MAX 600

// --- what is told ----------------------------------------------------------------------------

static void see(void *context, const struct card_seen *seen)
{
    struct shell *s = context;
    if (s->recorded != NULL)
        s->recorded(s->recorder, seen);
    uint8_t octets[2][OCTETS_MAX];
    struct writer command = writer_of(octets[0], OCTETS_MAX);
    struct writer response = writer_of(octets[1], OCTETS_MAX);
    const struct device *device =
        (const struct device *)((const char *)seen->card - offsetof(struct device, card));
    struct story *story = &s->stories[device - s->app.devices];
    story_blank(story, seen, &command, &response);
    struct card_seen blanked = {.card = seen->card,
                                .command = writer_bytes(&command),
                                .response = writer_bytes(&response),
                                .sw = seen->sw};
    // Told or not, so that the answer to a packet that was not is understood.
    struct writer w = writer_of(s->text, sizeof s->text);
    story_tell(story, &blanked, s->now, &w);
    if (s->is_telling)
        (void)fwrite(w.at, 1, w.len, stdout);
}

static void tell_action(void *context, const struct device *device,
                        const struct device_action *action)
{
    const struct shell *s = context;
    static const char *const names[] = {"attached", "detached", "rejected", "message", "refreshed"};
    (void)printf("%llu card %u: %s", (unsigned long long)s->now.ms, device->number + 1,
                 names[action->kind]);
    if (action->kind == DEVICE_ATTACHED || action->kind == DEVICE_DETACHED)
        (void)printf(" %s", action->network == DEVICE_NO_NETWORK
                                ? ""
                                : s->app.radio.networks[action->network].plmn);
    if (action->kind == DEVICE_REJECTED)
        (void)printf(", cause %u", action->cause);
    (void)printf("\n");
}

// --- lines -----------------------------------------------------------------------------------

// One command, without its `;`. The code that ends a script, or SHELL_DONE.
static enum shell_code run_command(struct shell *s, char *text)
{
    char *words[SHELL_WORDS_MAX + 1];
    size_t count = 0;
    for (char *at = text; *at != 0;) {
        at += strspn(at, " \t\r\n");
        if (*at == 0)
            break;
        if (count > SHELL_WORDS_MAX) {
            (void)snprintf(s->reason, sizeof s->reason, "at most %d words", SHELL_WORDS_MAX);
            return SHELL_WRONG_USE;
        }
        words[count++] = at;
        at += strcspn(at, " \t\r\n");
        if (*at != 0)
            *at++ = 0;
    }
    return count == 0 ? SHELL_DONE : shell_do(s, words, count);
}

// `place` is FILE:LINE. The first code that is not SHELL_DONE.
static enum shell_code run_line(struct shell *s, char *line, const char *place)
{
    line[strcspn(line, "#")] = 0;
    unsigned number = 0;
    while (line != NULL && !s->is_ending) {
        char *end = strchr(line, ';');
        if (end != NULL)
            *end = 0;
        number++;
        enum shell_code code = run_command(s, line);
        (void)fflush(stdout);
        if (code != SHELL_DONE) {
            (void)fprintf(stderr, "%s:%u: %s\n", place, number, s->reason);
            return code;
        }
        line = end == NULL ? NULL : end + 1;
    }
    return SHELL_DONE;
}

static enum shell_code run_file(struct shell *s, FILE *file, const char *name)
{
    char line[LINE_SIZE];
    char place[300];
    enum shell_code code = SHELL_DONE;
    for (unsigned number = 1; code == SHELL_DONE && !s->is_ending; number++) {
        if (fgets(line, sizeof line, file) == NULL)
            break;
        (void)snprintf(place, sizeof place, "%s:%u", name, number);
        if (strchr(line, '\n') == NULL && strlen(line) + 1 == sizeof line) {
            (void)fprintf(stderr, "%s: the line is too long\n", place);
            return SHELL_WRONG_USE;
        }
        code = run_line(s, line, place);
    }
    return code;
}

// Errors are told and the next line is asked for.
static void run_by_hand(struct shell *s)
{
    (void)printf("%u card(s); help tells the commands.\n", s->app.fleet.count);
    while (!s->is_ending) {
        char *line = readline("sim> ");
        if (line == NULL)
            break;
        if (*line != 0)
            (void)add_history(line);
        (void)run_line(s, line, "line");
        free(line);
    }
}

static int run_all(struct shell *s)
{
    const struct options *o = &s->app.options;
    char line[LINE_SIZE];
    enum shell_code code = SHELL_DONE;
    if (o->command != NULL) {
        if (strlen(o->command) >= sizeof line)
            return SHELL_WRONG_USE;
        (void)snprintf(line, sizeof line, "%s", o->command);
        code = run_line(s, line, "--cmd");
    } else if (o->script != NULL) {
        FILE *file = fopen(o->script, "r");
        if (file == NULL) {
            (void)fprintf(stderr, "sim-emulator: %s: cannot be read\n", o->script);
            return SHELL_NOT_FOUND;
        }
        code = run_file(s, file, o->script);
        (void)fclose(file);
    } else if (isatty(STDIN_FILENO)) {
        run_by_hand(s);
    } else {
        code = run_file(s, stdin, "stdin");
    }
    return code != SHELL_DONE ? (int)code : s->exit_code;
}

// --- all -------------------------------------------------------------------------------------

static bool open_all(struct shell *s, struct memory_files **memories)
{
    struct app *app = &s->app;
    char error[CARDS_ERROR_SIZE];
    if (!app_open(app, NVM_PAGES))
        return false;
    if (app->fleet.count == 0)
        return app_fail("there is no card");
    if (app->options.data != NULL) {
        *memories = app_lock_data(app) ? memory_files_open(app, error) : NULL;
        if (*memories == NULL)
            return app->lock_fd < 0 ? false : app_fail(error);
    }
    s->stories = calloc(app->fleet.count, sizeof *s->stories);
    if (s->stories == NULL)
        return app_fail("there is not enough memory");
    for (uint32_t i = 0; i < app->fleet.count; i++)
        story_init(&s->stories[i]);
    s->recorded = app->shop.seen;
    s->recorder = app->shop.seen_context;
    app->shop.seen = see;
    app->shop.seen_context = s;
    app->fleet.acted = tell_action;
    app->fleet.context = s;
    return true;
}

int shell_main(int argc, char **argv)
{
    static struct shell s = {.app = {.lock_fd = -1}};
    struct memory_files *memories = NULL;
    options_read_shell(&s.app.options, argc, argv);
    int code = open_all(&s, &memories) ? run_all(&s) : EXIT_WRONG_USE;
    bool ok = memory_files_close(memories);
    if (s.stories != NULL)
        secret_wipe(s.stories, s.app.fleet.count * sizeof *s.stories);
    free(s.stories);
    s.app.shop.seen = NULL;
    return app_close(&s.app) && ok ? code : EXIT_FAILURE;
}

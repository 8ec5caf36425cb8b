// otactl: the OTA server from the command line, over its public API.
#include "ota-server/shell/otactl_script.h"
#include "ota-server/shell/otactl_task.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define SCRIPT_MAX ((size_t)1 << 20)
#define IDS_MAX "100" // that a shell offers
#define IDS_S 2       // that somebody waits for them

const char *argp_program_version = "otactl 0.1.0";

static const char DOC[] =
    "The OTA server from the command line.\v"
    "Address and credentials come from OTARIA_URL, OTARIA_APPKEY and OTARIA_APPSECRET, or from the "
    "file that OTARIA_CREDENTIALS names (lines url=, appkey=, appsecret=; mode 600).\n\n"
    "Examples:\n"
    "    otactl card show --iccid 8988211000000000019\n"
    "    otactl card list --mark DIRTY -q | otactl card audit - --wait\n"
    "    otactl --cmd \"card list; dirty summary; exit\"\n\n"
    "\"otactl --list\" names all commands, \"otactl NOUN VERB --help\" explains one. Exit codes: 0 "
    "done, 1 internal error or not reachable, 2 wrong use, 3 not found, 4 refused, 5 time-out, 6 "
    "the card answered an error, 7 verification failed, 8 done in part.";

enum {
    KEY_JSON = 256,
    KEY_NO_COLOR,
    KEY_CMD,
    KEY_SCRIPT,
    KEY_LIST,
    KEY_WORDS,
    KEY_IDS,
    KEY_EXAMPLES,
};

static const struct argp_option OPTIONS[] = {
    {"json", KEY_JSON, NULL, 0, "print the server's JSON, unchanged", 0},
    {"quiet", 'q', NULL, 0, "print the result only", 0},
    {"no-color", KEY_NO_COLOR, NULL, 0, "no colour on a terminal (as with NO_COLOR)", 0},
    {"cmd", KEY_CMD, "COMMANDS", 0, "several commands separated by \";\", such as \"a; b; exit\"",
     0},
    {"script", KEY_SCRIPT, "FILE", 0, "commands from a file, or - for standard input", 0},
    {"list", KEY_LIST, NULL, 0, "name all commands", 0},
    {"words", KEY_WORDS, NULL, OPTION_HIDDEN, "for shell completion", 0},
    {"ids", KEY_IDS, "VALUES", OPTION_HIDDEN, "those of a word of --words, with the ids", 0},
    {"examples", KEY_EXAMPLES, NULL, OPTION_HIDDEN, "one of each command", 0},
    {0},
};

struct program {
    const char *option[CTL_OPTION_COUNT]; // given before the command: for all commands
    const char *commands, *script;
    char *ids;
    const char *key; // that lists print
    int first;       // of the command's words
    struct ctl_client *client;
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct program *p = state->input;
    switch (key) { // letters and numbers of argp
    case KEY_JSON:
        p->option[OPTION_JSON] = "";
        return 0;
    case 'q':
        p->option[OPTION_QUIET] = "";
        return 0;
    case KEY_NO_COLOR:
        p->option[OPTION_NO_COLOR] = "";
        return 0;
    case KEY_CMD:
        p->commands = value;
        return 0;
    case KEY_SCRIPT:
        p->script = value;
        return 0;
    case KEY_LIST:
        ctl_help_print();
        exit(CTL_DONE);
    case KEY_WORDS:
        ctl_verbs_print();
        exit(CTL_DONE);
    case KEY_IDS:
        p->ids = value;
        return 0;
    case KEY_EXAMPLES:
        ctl_examples_print();
        exit(CTL_DONE);
    case ARGP_KEY_ARGS:
        p->first = state->next;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if ((p->first != 0) + (p->commands != NULL) + (p->script != NULL) + (p->ids != NULL) != 1)
            argp_error(state, "give one command, --cmd or --script");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

// `argv` begins with the program's name.
static enum ctl_exit run(struct program *p, int argc, char **argv)
{
    struct ctl_task t = {.client = &p->client, .key = p->key};
    memcpy(t.option, p->option, sizeof(t.option));
    ctl_task_parse(&t, argc, argv);
    const char *no_color = getenv("NO_COLOR");
    t.has_color = isatty(STDOUT_FILENO) && !ctl_has(&t, OPTION_NO_COLOR) &&
                  (no_color == NULL || *no_color == '\0');
    t.shows_progress = isatty(STDERR_FILENO) && !ctl_has(&t, OPTION_QUIET);
    const enum ctl_exit exit = t.verb->run(&t);
    free(t.args);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "otactl: the output cannot be written\n");
        return CTL_INTERNAL;
    }
    return exit;
}

// Stops at the first command that does not end with 0, and answers its exit code.
static enum ctl_exit run_script(struct program *p, char *text, char *name)
{
    struct ctl_script script = {text};
    struct ctl_command c;
    unsigned number = 0;
    enum ctl_exit exit = CTL_DONE;
    while (exit == CTL_DONE) {
        const enum ctl_script_status status = ctl_script_next(&script, &c);
        number++;
        if (status == CTL_SCRIPT_END)
            break;
        if (status != CTL_SCRIPT_COMMAND) {
            fprintf(stderr, "otactl: command %u: %s\n", number,
                    status == CTL_SCRIPT_OPEN_QUOTE ? "a quote is not closed" : "too many words");
            return CTL_WRONG_USE;
        }
        if (c.count == 2 && strcmp(c.words[1], "exit") == 0)
            break;
        c.words[0] = name;
        exit = run(p, c.count, c.words);
        if (exit != CTL_DONE)
            fprintf(stderr, "otactl: stopped at command %u (%s), exit code %d\n", number,
                    c.words[1], (int)exit);
    }
    return exit;
}

static enum ctl_exit run_text(struct program *p, char *name)
{
    size_t len = 0;
    char *text = NULL;
    if (p->script == NULL) {
        text = strdup(p->commands);
    } else {
        text = ctl_read_file(p->script, SCRIPT_MAX, &len);
        if (text != NULL)
            text[len] = '\0';
    }
    if (text == NULL)
        return CTL_WRONG_USE;
    const enum ctl_exit exit = run_script(p, text, name);
    free(text);
    return exit;
}

static void give_up(int number)
{
    (void)number;
    _exit(CTL_TIMEOUT); // what there is was written
}

// What is before the next `end`, which is cut off; NULL at the end.
static char *take_until(char **rest, char end)
{
    char *first = *rest;
    char *at = first != NULL ? strchr(first, end) : NULL;
    *rest = at != NULL ? at + 1 : NULL;
    if (at != NULL)
        *at = '\0';
    return first;
}

// Of "done|failed|@group|@template.templateId" the words, and what the lists have.
static enum ctl_exit print_ids(struct program *p, char *name)
{
    enum ctl_exit exit = CTL_DONE;
    char *rest = p->ids;
    signal(SIGALRM, give_up);
    alarm(IDS_S);
    for (char *word = take_until(&rest, '|'); word != NULL; word = take_until(&rest, '|')) {
        if (word[0] != '@') {
            puts(word);
            (void)fflush(stdout);
            continue;
        }
        char *member = word + 1;
        char list[] = "list", quiet[] = "-q", limit[] = "--limit=" IDS_MAX;
        char *argv[] = {name, take_until(&member, '.'), list, quiet, limit, NULL};
        p->key = member;
        const enum ctl_exit one = run(p, 5, argv);
        exit = one != CTL_DONE ? one : exit;
    }
    return exit;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {OPTIONS, parse, "NOUN VERB ...", DOC, NULL, NULL, NULL};
    struct program p = {.client = NULL};
    argp_err_exit_status = CTL_WRONG_USE;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &p) != 0)
        return CTL_INTERNAL;
    enum ctl_exit exit = CTL_DONE;
    if (p.ids != NULL)
        exit = print_ids(&p, argv[0]);
    else if (p.first == 0)
        exit = run_text(&p, argv[0]);
    else
        exit = run(&p, argc - p.first + 1, argv + p.first - 1);
    ctl_client_close(p.client);
    return exit;
}

#include "ota-server/shell/otactl_options.h"

#include "common/base/check.h"

#include <stdlib.h>

#define KEY_FIRST 256 // of options without a letter

static const struct {
    const char *name, *argument;
    uint64_t groups;
    const char *parameter, *text;
} options[] = {
#define X(id, name, argument, groups, parameter, text) {name, argument, groups, parameter, text},
    CTL_OPTIONS(X)
#undef X
};

const char *ctl_option_parameter(enum ctl_option option)
{
    return options[option].parameter;
}

const char *ctl_option_name(enum ctl_option option)
{
    return options[option].name;
}

bool ctl_verb_takes(const struct ctl_verb *verb, enum ctl_option option)
{
    return options[option].groups == 0 || (options[option].groups & verb->groups) != 0;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct ctl_task *t = state->input;
    if (key >= KEY_FIRST && key < KEY_FIRST + CTL_OPTION_COUNT) {
        t->option[key - KEY_FIRST] = value != NULL ? value : "";
        return 0;
    }
    switch (key) { // letters and numbers of argp
    case 'q':
        t->option[OPTION_QUIET] = "";
        return 0;
    case ARGP_KEY_ARG:
        if (t->arg_count == t->verb->arguments_max)
            argp_error(state, "\"%s\" is one argument too many", value);
        t->args[t->arg_count++] = value;
        return 0;
    case ARGP_KEY_END:
        if (t->arg_count < t->verb->arguments_min)
            argp_error(state, t->arg_count == 0 ? "%s is missing" : "%s: one is not enough",
                       t->verb->arguments);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void parse_verb(struct ctl_task *t, int argc, char **argv)
{
    struct argp_option list[CTL_OPTION_COUNT + 1] = {0};
    size_t count = 0;
    for (size_t i = 0; i < CTL_OPTION_COUNT; i++) {
        if (!ctl_verb_takes(t->verb, (enum ctl_option)i))
            continue;
        list[count++] = (struct argp_option){
            .name = options[i].name,
            .key = i == OPTION_QUIET ? 'q' : KEY_FIRST + (int)i,
            .arg = options[i].argument,
            .flags = i == OPTION_WAIT ? OPTION_ARG_OPTIONAL : 0,
            .doc = options[i].text,
            .group = options[i].groups == 0 ? 1 : 0,
        };
    }
    char name[64];
    char doc[1024];
    snprintf(name, sizeof(name), "otactl %s%s%s", t->verb->noun, t->verb->verb != NULL ? " " : "",
             t->verb->verb != NULL ? t->verb->verb : "");
    snprintf(doc, sizeof(doc), "%s\vExample:\n    otactl %s", t->verb->summary, t->verb->example);
    const struct argp argp = {list, parse, t->verb->arguments, doc, NULL, NULL, NULL};
    t->args = calloc((size_t)argc + 1, sizeof(*t->args));
    check(t->args != NULL);
    char *first = argv[0];
    argv[0] = name;
    const error_t error = argp_parse(&argp, argc, argv, 0, NULL, t);
    argv[0] = first;
    if (error != 0)
        exit(CTL_INTERNAL);
}

static void say_verbs(const char *noun)
{
    fprintf(stderr, "otactl: %s takes:", noun);
    for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++) {
        if (strcmp(v->noun, noun) == 0)
            fprintf(stderr, " %s", v->verb);
    }
    fputs("\n", stderr);
}

static void say_nouns(const char *given)
{
    fprintf(stderr, "otactl: there is no \"%s\"; there are:", given);
    const char *last = "";
    for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++) {
        if (strcmp(v->noun, last) != 0)
            fprintf(stderr, " %s", v->noun);
        last = v->noun;
    }
    fputs("\n", stderr);
}

void ctl_task_parse(struct ctl_task *t, int argc, char **argv)
{
    bool knows_noun = false;
    for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++) {
        if (argc < 2 || strcmp(v->noun, argv[1]) != 0)
            continue;
        knows_noun = true;
        const int words = v->verb == NULL ? 1 : 2;
        if (v->verb != NULL && (argc < 3 || strcmp(v->verb, argv[2]) != 0))
            continue;
        t->verb = v;
        parse_verb(t, argc - words, argv + words);
        return;
    }
    if (!knows_noun) {
        say_nouns(argc < 2 ? "" : argv[1]);
        exit(CTL_WRONG_USE);
    }
    say_verbs(argv[1]);
    exit(argc > 2 && strcmp(argv[2], "--help") == 0 ? CTL_DONE : CTL_WRONG_USE);
}

bool ctl_option_takes_value(enum ctl_option option)
{
    return options[option].argument != NULL;
}

void ctl_examples_print(void)
{
    for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++)
        printf("otactl %s\n", v->example);
}

void ctl_help_print(void)
{
    for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++)
        printf("  %-13s %-12s %s\n", v->noun, v->verb != NULL ? v->verb : "", v->summary);
}

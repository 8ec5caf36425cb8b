#include "ota-server/shell/otactl_script.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_end(char c)
{
    return c == '\0' || c == '\n' || c == ';';
}

// Moves the word's characters to its front, without quotes and backslashes. The zero is put by the
// caller, who looks at the character behind the word first.
static char *take_word(char **at, char **end)
{
    char *from = *at;
    char *to = *at;
    char quote = '\0';
    while (*from != '\0' && (quote != '\0' || (!is_space(*from) && !is_end(*from)))) {
        if (*from == '\\' && quote != '\'' && from[1] != '\0') {
            from++;
            *to++ = *from++;
        } else if (quote == '\0' && (*from == '\'' || *from == '"')) {
            quote = *from++;
        } else if (quote != '\0' && *from == quote) {
            quote = '\0';
            from++;
        } else {
            *to++ = *from++;
        }
    }
    *at = from;
    *end = to;
    return quote == '\0' ? to : NULL;
}

static enum ctl_script_status take_command(struct ctl_script *s, struct ctl_command *c)
{
    for (;;) {
        while (is_space(*s->at))
            s->at++;
        if (*s->at == '#')
            s->at += strcspn(s->at, "\n");
        if (is_end(*s->at)) {
            s->at += *s->at != '\0';
            return CTL_SCRIPT_COMMAND;
        }
        if (c->count == CTL_WORDS_MAX)
            return CTL_SCRIPT_TOO_LONG;
        char *end = NULL;
        char *word = s->at;
        if (take_word(&s->at, &end) == NULL)
            return CTL_SCRIPT_OPEN_QUOTE;
        const char behind = *s->at;
        *end = '\0';
        c->words[c->count++] = word;
        if (is_end(behind)) {
            s->at += behind != '\0';
            return CTL_SCRIPT_COMMAND;
        }
        s->at++;
    }
}

enum ctl_script_status ctl_script_next(struct ctl_script *s, struct ctl_command *c)
{
    while (*s->at != '\0') {
        c->count = 1;
        const enum ctl_script_status status = take_command(s, c);
        c->words[c->count] = NULL;
        if (status != CTL_SCRIPT_COMMAND || c->count > 1)
            return status;
    }
    return CTL_SCRIPT_END;
}

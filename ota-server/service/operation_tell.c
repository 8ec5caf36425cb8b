#include "ota-server/service/operation_tell.h"

#include "common/base/text.h"
#include "ota-server/service/api_parameter.h"
#include "ota-server/service/api_text.h"

#define VALUE_SIZE 320 // a table of sixteen networks takes most

struct telling {
    struct writer to;
    bool has_member, is_full;
};

static struct telling telling_of(char text[OPERATION_TELL_SIZE], const char *word)
{
    // "ENABLE, counter 7" goes on as it began.
    struct telling t = {.to = writer_of(text, OPERATION_TELL_SIZE),
                        .has_member = strchr(word, ',') != NULL};
    text_put(&t.to, word);
    return t;
}

static void put(struct telling *t, const char *name, const char *value)
{
    static const char dots[] = ", ...";
    const size_t len = strlen(name) + strlen(value) + 3; // ", " and "="
    if (value[0] == '\0' || t->is_full)
        return;
    t->is_full = t->to.len + len + sizeof(dots) > OPERATION_TELL_SIZE;
    text_put(&t->to, t->is_full ? dots : t->has_member ? ", " : " ");
    t->has_member = true;
    if (t->is_full)
        return;
    text_put(&t->to, name);
    text_put(&t->to, "=");
    text_put(&t->to, value);
}

static void put_id(struct telling *t, const char *name, const char *prefix, uint64_t id)
{
    char text[API_ID_SIZE] = "";
    if (id != 0)
        api_id_write(text, prefix, id);
    put(t, name, text);
}

static void put_number(struct telling *t, const char *name, uint64_t value)
{
    char text[24];
    struct writer w = writer_of(text, sizeof(text));
    text_decimal(&w, value);
    put(t, name, text_end(&w));
}

static void put_bool(struct telling *t, const char *name, bool value)
{
    put(t, name, value ? "true" : "false");
}

// For what says nothing when it is not so.
static void put_if(struct telling *t, const char *name, bool value)
{
    put(t, name, value ? "true" : "");
}

static void put_download(struct telling *t, const struct operation *o)
{
    const struct download_plan *d = &o->download;
    put_number(t, "templateId", d->template_number);
    put(t, "enable", (o->flags & COMMAND_FLAG_ENABLE) != 0 ? "NOW" : "LATER");
    put_if(t, "setFallback", (o->flags & COMMAND_FLAG_SET_FALLBACK) != 0);
    put_bool(t, "rollbackAllowed", (o->flags & COMMAND_FLAG_ROLLBACK) != 0);
    put(t, "role", d->has_role && d->role <= ROLE_TEST ? slot_role_name(d->role) : "");
    if (d->has_rank)
        put_number(t, "rank", d->rank);
    if (!d->has_marks)
        return;
    put_bool(t, "noDisable", (d->marks & SLOT_MARK_NO_DISABLE) != 0);
    put_bool(t, "noDelete", (d->marks & SLOT_MARK_NO_DELETE) != 0);
}

static void put_values(struct telling *t, const struct operation *o)
{
    struct parameters values;
    struct policy_timers wanted = {.len = o->list_len};
    parameters_default(&values);
    memcpy(wanted.list, o->list, o->list_len);
    if (parameters_apply(&values, bytes_of(o->list, o->list_len), NULL) != PARAMETER_OK)
        return;
    for (uint8_t number = 1; number <= PARAMETER_LAST; number++) {
        char text[VALUE_SIZE];
        struct writer w = writer_of(text, sizeof(text));
        if ((timers_named(&wanted) >> number & 1) == 0)
            continue;
        api_parameter_tell(&w, &values, number);
        put(t, parameter_name(number), text_end(&w));
    }
}

static void put_names(struct telling *t, const struct operation *o)
{
    char text[VALUE_SIZE];
    struct writer w = writer_of(text, sizeof(text));
    for (uint16_t i = 0; i < o->list_len && parameter_name(o->list[i]) != NULL; i++) {
        text_put(&w, i == 0 ? "[" : " ");
        text_put(&w, parameter_name(o->list[i]));
    }
    text_put(&w, w.len > 0 ? "]" : "");
    put(t, "names", text_end(&w)); // nothing for all
}

static void put_order(struct telling *t, const struct operation *o)
{
    put_id(t, "subscriptionId", "sub", o->subscription);
    switch ((enum operation_kind)o->kind) {
    case OPERATION_DOWNLOAD:
        put_download(t, o);
        break;
    case OPERATION_ENABLE:
        put_bool(t, "rollbackAllowed", (o->flags & COMMAND_FLAG_ROLLBACK) != 0);
        break;
    case OPERATION_SET_FALLBACK:
        put_if(t, "allowUnproven", (o->flags & COMMAND_FLAG_FORCE) != 0);
        break;
    case OPERATION_SET_TIMERS:
        put_values(t, o);
        break;
    case OPERATION_READ_TIMERS:
        put_names(t, o);
        break;
    case OPERATION_AUDIT:
        if (o->lookup != 0)
            put_number(t, "cardOperationId", o->lookup);
        break;
    case OPERATION_DISABLE:
    case OPERATION_DELETE:
    case OPERATION_NONE:
        break;
    }
}

const char *operation_tell_command(const struct operation *o, const char *command,
                                   char text[OPERATION_TELL_SIZE])
{
    struct telling t = telling_of(text, command);
    put_order(&t, o);
    return text_end(&t.to);
}

const char *operation_tell(const struct operation *o, char text[OPERATION_TELL_SIZE])
{
    struct telling t = telling_of(text, operation_kind_name(o->kind));
    char when[UTC_TEXT_SIZE] = "";
    put_order(&t, o);
    if (o->not_before.ms > o->created_at.ms)
        utc_format(o->not_before, when);
    put(&t, "when", o->at_next_contact ? "NEXT_CONTACT" : when);
    put(&t, "ifDirty", o->wait_until_clean ? "WAIT" : "");
    put_if(&t, "force", o->force);
    put_id(&t, "campaignId", "cmp", o->campaign);
    put_id(&t, "retryOf", "op", o->retry_of);
    return text_end(&t.to);
}

const char *operation_tell_end(const struct operation *o, char text[OPERATION_END_SIZE])
{
    const char *const words[] = {operation_outcome_name(o->outcome),
                                 operation_failure_name(o->failure),
                                 o->has_result ? result_code_name(o->result) : ""};
    struct writer w = writer_of(text, OPERATION_END_SIZE);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        text_put(&w, w.len > 0 && words[i][0] != '\0' ? " " : "");
        text_put(&w, words[i]);
    }
    return text_end(&w);
}

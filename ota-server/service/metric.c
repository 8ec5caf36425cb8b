#include "ota-server/service/metric.h"

#include "common/base/text.h"

static void put_label(struct writer *w, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\' || *value == '\n')
            writer_u8(w, '\\');
        writer_u8(w, (uint8_t)(*value == '\n' ? 'n' : *value));
    }
}

void metric_value(struct writer *w, const char *name, const char *label, const char *value,
                  uint64_t number)
{
    text_put(w, "otaria_");
    text_put(w, name);
    if (label != NULL) {
        text_put(w, "{");
        text_put(w, label);
        text_put(w, "=\"");
        put_label(w, value);
        text_put(w, "\"}");
    }
    text_put(w, " ");
    text_decimal(w, number);
    text_put(w, "\n");
}

void metric_family(struct writer *w, const char *name, const char *type, const char *help)
{
    text_put(w, "# HELP otaria_");
    text_put(w, name);
    text_put(w, " ");
    text_put(w, help);
    text_put(w, "\n# TYPE otaria_");
    text_put(w, name);
    text_put(w, " ");
    text_put(w, type);
    text_put(w, "\n");
}

void metric_put(struct writer *w, const char *name, const char *type, const char *help,
                uint64_t number)
{
    metric_family(w, name, type, help);
    metric_value(w, name, NULL, NULL, number);
}

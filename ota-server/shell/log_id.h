// Objects of the server in its log: named as the API names them.
#pragma once

#include "common/host/log.h"
#include "ota-server/service/api_text.h"

static inline void log_id(struct log *log, const char *name, const char *prefix, uint64_t id)
{
    char text[API_ID_SIZE];
    api_id_write(text, prefix, id);
    log_string(log, name, text);
}

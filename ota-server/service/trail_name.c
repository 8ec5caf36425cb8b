#include "ota-server/service/trail_name.h"

// A person is named as the actor of each of their rows is; what they are called is in no id.
static const struct {
    const char *kind, *prefix;
} kinds[] = {
    {"alarm", "alm"},     {"approval", "apr"}, {"bootstrap-job", "job"},  {"campaign", "cmp"},
    {"card-move", "mov"}, {"client", "cli"},   {"enterprise", "ent"},     {"event-sink", "snk"},
    {"group", "grp"},     {"import", "imp"},   {"permission", "rec"},     {"pool", "pol"},
    {"report", "rpt"},    {"tariff", "rec"},   {"template", "tpl"},       {"trail-check", "vrf"},
    {"upload", "upl"},    {"user", "usr"},     {"vendor-profile", "rec"}, {"transport-key", "rec"}};

bool trail_name(const char *kind, uint64_t id, char text[API_ID_SIZE])
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (bytes_equal(bytes_of_text(kinds[i].kind), bytes_of_text(kind))) {
            api_id_write(text, kinds[i].prefix, id);
            return true;
        }
    }
    return false;
}

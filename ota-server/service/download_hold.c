#include "ota-server/service/download_hold.h"

#define HELD "downloads_held"

enum store_status download_hold_since(struct store *s, struct utc *since)
{
    uint8_t octets[8];
    struct writer w = writer_of(octets, sizeof(octets));
    const enum store_status status = store_value(s, HELD, &w);
    since->ms = 0;
    if (status == STORE_OK && w.len == sizeof(octets)) {
        struct reader r = reader_of(writer_bytes(&w));
        since->ms = (int64_t)reader_u64(&r);
    }
    return status == STORE_NONE ? STORE_OK : status;
}

enum store_status download_hold_begin(struct store *s, struct utc now)
{
    uint8_t octets[8];
    struct writer w = writer_of(octets, sizeof(octets));
    writer_u64(&w, (uint64_t)now.ms);
    return store_value_put(s, HELD, writer_bytes(&w));
}

enum store_status download_hold_end(struct store *s, const char *reason, struct utc now)
{
    const struct trail_new row = {.at = now,
                                  .actor = {.kind = ACTOR_SYSTEM},
                                  .action = "server.downloads_freed",
                                  .object_kind = "system",
                                  .reason = reason,
                                  .result = "done"};
    const enum store_status status = store_value_put(s, HELD, bytes_of(NULL, 0));
    return status == STORE_OK ? store_trail_add(s, &row) : status;
}

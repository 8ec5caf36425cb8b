#include "common/host/ready.h"

#include "common/base/json_writer.h"

#include <unistd.h>

#define LINE_MAX_LEN 2048

bool ready_say(int fd, const char *program, const struct ready_item *items, size_t item_count)
{
    uint8_t line[LINE_MAX_LEN];
    struct writer w = writer_of(line, sizeof line);
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    json_put_key(&j, "event");
    json_put_string(&j, "ready");
    json_put_key(&j, "program");
    json_put_string(&j, program);
    json_put_key(&j, "pid");
    json_put_unsigned(&j, (uint64_t)getpid());
    for (size_t i = 0; i < item_count; i++) {
        json_put_key(&j, items[i].name);
        json_put_string(&j, items[i].value);
    }
    json_end_object(&j);
    writer_u8(&w, '\n');
    return json_done(&j) && write(fd, w.at, w.len) == (ssize_t)w.len;
}

// What the server's process for requests and the server say to each other: any octets, on both
// sides. What is read is whole and within its bounds, and means the same when it is written again.
#include "common/base/check.h"
#include "ota-server/shell/egress_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t again[2 * EGRESS_ANSWER_MAX];

static void read_answer(struct bytes message)
{
    struct egress_answer a;
    struct writer w = writer_of(again, sizeof(again));
    if (!egress_answer_read(message, &a))
        return;
    check((a.problem == POST_ANSWERED) == (a.status != 0) && a.status <= 999);
    check(a.body.len <= POST_ANSWER_MAX && a.problem <= POST_BROKEN);
    egress_answer_write(&w, &a);
    check(bytes_equal(writer_bytes(&w), message));
}

static void read_request(struct bytes message)
{
    static struct egress_request q;
    struct writer w = writer_of(again, sizeof(again));
    if (!egress_request_read(message, &q))
        return;
    check(q.post.answer_max <= POST_ANSWER_MAX && q.post.body.len <= message.len);
    egress_request_write(&w, q.id, &q.post);
    check(bytes_equal(writer_bytes(&w), message));
}

static void read_settings(struct bytes message)
{
    static struct egress_settings s;
    struct writer w = writer_of(again, sizeof(again));
    if (!egress_settings_read(message, &s))
        return;
    check(s.at_once > 0 && s.allowed_count <= EGRESS_NETWORKS_MAX);
    egress_settings_write(&w, &s);
    check(bytes_equal(writer_bytes(&w), message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes message = bytes_of(data, size);
    check(!egress_ready_read(message) || size == 1);
    read_answer(message);
    read_request(message);
    read_settings(message);
    return 0;
}

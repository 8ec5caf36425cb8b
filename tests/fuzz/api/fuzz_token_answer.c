// What token endpoints of others answer: any octets. What is taken may stand in a header.
#include "common/base/check.h"
#include "ota-server/service/sink_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct utc now = {1784894400000};
    struct secret_token token = {0};
    if (!token_answer_read(bytes_of(data, size), now, &token)) {
        check(token.len == 0 && token.until.ms == 0);
        return 0;
    }
    check(token.len > 0 && token.len <= SINK_TOKEN_MAX);
    check(sink_is_token(bytes_of(token.text, token.len)));
    check(token.until.ms > now.ms && token.until.ms <= now.ms + TOKEN_LIFE_MAX_S * 1000ll);
    return 0;
}

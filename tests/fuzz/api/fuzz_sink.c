// Addresses of event sinks against libcurl's own reader: what we take for one host and port, what
// sends it must take for the same. The other way round we may refuse more.
#include "common/base/check.h"
#include "ota-server/service/sink_url.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(struct bytes ours, const char *theirs)
{
    const size_t len = strlen(theirs);
    const bool is_bracketed = len > 1 && theirs[0] == '[';
    const struct bytes bare = bytes_of(theirs + is_bracketed, len - 2 * (size_t)is_bracketed);
    if (bare.len != ours.len)
        return false;
    for (size_t i = 0; i < bare.len; i++) {
        if ((bare.at[i] | 0x20) != (ours.at[i] | 0x20))
            return false;
    }
    return true;
}

static void compare(const char *text, const struct sink_url *url)
{
    CURLU *u = curl_url();
    char *host = NULL;
    char *port = NULL;
    char *user = NULL;
    char *fragment = NULL;
    check(u != NULL);
    // An IPv6 address that is none is refused by both when an address is made of it.
    const CURLUcode code = curl_url_set(u, CURLUPART_URL, text, CURLU_PATH_AS_IS);
    if (code == CURLUE_OK) {
        check(curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK);
        check(curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
        check(curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
        check(curl_url_get(u, CURLUPART_FRAGMENT, &fragment, 0) == CURLUE_NO_FRAGMENT);
        check(is_same(url->host, host) || strchr(host, ':') != NULL);
        check(strtoul(port, NULL, 10) == url->port);
    } else {
        check(code == CURLUE_BAD_IPV6 && url->is_literal);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sink_url url;
    char text[SINK_URL_MAX + 1];
    const struct bytes all = bytes_of(data, size);
    if (sink_url_read(all, &url) != SINK_OK)
        return 0;
    check(size <= SINK_URL_MAX && memchr(data, '\0', size) == NULL);
    check(url.host.len > 0 && url.port > 0);
    check(url.rest.len == 0 || url.rest.at[0] == '/' || url.rest.at[0] == '?');
    memcpy(text, data, size);
    text[size] = '\0';
    compare(text, &url);
    // Every address is below itself, unless its path has dots or a query.
    const bool is_plain = memchr(data, '?', size) == NULL && memchr(data, '.', 1) == NULL;
    if (is_plain && url.rest.len <= 1)
        check(sink_url_is_below(all, all));
    return 0;
}

// Where clients see this server: what the public URL says, and what a request says about it.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"

static struct bytes host_part(const char *url)
{
    struct bytes text = bytes_of_text(url);
    const size_t scheme = api_until(text, ':').len + 3; // "://"
    return bytes_slice(text, scheme, text.len);
}

struct bytes api_prefix(const struct api *api)
{
    const struct bytes rest = host_part(api->options.public_url);
    return bytes_slice(rest, api_until(rest, '/').len, rest.len);
}

struct bytes api_authority(const struct api *api, char text[API_URL_MAX])
{
    const struct bytes rest = host_part(api->options.public_url);
    struct bytes host = api_until(rest, '/');
    const char *default_port = strncmp(api->options.public_url, "https", 5) == 0 ? ":443" : ":80";
    const size_t port_len = strlen(default_port);
    if (host.len > port_len && memcmp(host.at + host.len - port_len, default_port, port_len) == 0)
        host.len -= port_len;
    for (size_t i = 0; i < host.len && i < API_URL_MAX; i++)
        text[i] = (char)(host.at[i] >= 'A' && host.at[i] <= 'Z' ? host.at[i] + 32 : host.at[i]);
    return bytes_of(text, host.len < API_URL_MAX ? host.len : API_URL_MAX);
}

bool api_is_host(const struct api *api, struct bytes host)
{
    char text[API_URL_MAX];
    const char *own = api->options.smdp_host;
    const struct bytes wanted =
        own != NULL ? bytes_of_text(own) : api_until(api_authority(api, text), ':');
    bool is_equal = host.len > 0 && host.len == wanted.len;
    for (size_t i = 0; i < host.len && is_equal; i++) {
        const uint8_t a = host.at[i];
        const uint8_t b = wanted.at[i];
        is_equal = (a >= 'A' && a <= 'Z' ? a + 32 : a) == (b >= 'A' && b <= 'Z' ? b + 32 : b);
    }
    return is_equal;
}

struct bytes api_local_path(const struct api *api, struct bytes path)
{
    const struct bytes prefix = api_prefix(api);
    if (prefix.len > 0 && path.len > prefix.len && memcmp(path.at, prefix.at, prefix.len) == 0 &&
        path.at[prefix.len] == '/')
        return bytes_slice(path, prefix.len, path.len);
    return path;
}

bool api_is_secure(const struct api *api)
{
    return strncmp(api->options.public_url, "https:", 6) == 0;
}

bool api_is_loopback(const struct api_exchange *x)
{
    const char *peer = x->request->peer;
    return strncmp(peer, "127.", 4) == 0 || strncmp(peer, "[::1]", 5) == 0 ||
           strcmp(peer, "::1") == 0;
}

bool api_origin_is_ours(const struct api_exchange *x, bool may_lack)
{
    char text[API_URL_MAX + 16];
    char host[API_URL_MAX];
    struct writer w = writer_of(text, sizeof(text));
    text_put(&w, api_is_secure(x->api) ? "https://" : "http://");
    writer_copy(&w, api_authority(x->api, host));
    const struct bytes own = writer_bytes(&w);
    const struct bytes origin = x->request->origin;
    const struct bytes referer = x->request->referer;
    if (origin.len > 0)
        return bytes_equal(origin, own);
    if (referer.len > 0)
        return referer.len > own.len && referer.at[own.len] == '/' &&
               bytes_equal(bytes_slice(referer, 0, own.len), own);
    return may_lack;
}

// Finding the handler of a path, and what the other headers of a request allow. Pure.
#pragma once

#include "ota-server/service/api_error.h"

#define API_CAPTURES_MAX 2

enum api_method {
    API_GET = 1 << 0,
    API_POST = 1 << 1,
    API_PUT = 1 << 2,
    API_PATCH = 1 << 3,
    API_DELETE = 1 << 4,
    API_HEAD = 1 << 5,
    API_OPTIONS = 1 << 6,
};

// 0 for a method that no path takes.
unsigned api_method_of(struct bytes name);
// "GET, HEAD, POST, OPTIONS" for a set of methods: HEAD goes with GET, OPTIONS with everything.
void api_allow_write(struct writer *w, unsigned methods);

struct api_match {
    struct bytes captures[API_CAPTURES_MAX]; // what stood in place of each "*"
    size_t count;
};

// Does `path` have the segments of `pattern`? A segment "*" takes any segment that is not empty.
bool api_path_matches(const char *pattern, struct bytes path, struct api_match *match);

// Does an Accept header take `type`? An absent (empty) header takes everything [RFC 9110 §12.5.1].
bool api_accepts(struct bytes accept, const char *type);
// Is a Content-Type of media type `type`, with no parameter but charset=utf-8?
bool api_is_type(struct bytes content_type, const char *type);

// TLS of an HTTP listener, as libmicrohttpd has it: with GnuTLS. What http.h needs of it; programs
// only make and close it.
//
// Promises: TLS 1.2 and 1.3, ciphers with authentication of their own only, no old key exchange. A
// client's certificate is asked for when there is a CA, and judged; a request with one that is not
// believed is the caller's to refuse. Never: demands a certificate; who has none may prove itself
// otherwise.
#pragma once

#include "common/host/tls.h"

#define HTTP_NAME_SIZE 256

struct MHD_Connection;
struct MHD_OptionItem;
struct http_tls;

struct http_certificate {
    bool is_there;
    bool is_believed; // of the CA, in time, and for clients
    uint8_t sha256[32];
    char subject[HTTP_NAME_SIZE]; // distinguished names [RFC 4514]; "" when too long
    char issuer[HTTP_NAME_SIZE];
    char reason[TLS_REASON_SIZE]; // why it is not believed, for a log
};

// `ca_file` "": nobody is asked for a certificate. NULL, with a reason that names the file.
struct http_tls *http_tls_open(const struct tls_options *options,
                               char reason[TLS_REASON_SIZE]) MUST_USE;
// For the connections that come from now on: reads the files anew. False, with a reason: what there
// was stays. What is replaced is kept until the end, for the connections that have it.
bool http_tls_reload(struct http_tls *t, const struct tls_options *options,
                     char reason[TLS_REASON_SIZE]) MUST_USE;
void http_tls_close(struct http_tls *t); // NULL: nothing

#define HTTP_TLS_ITEMS 5
// What the daemon must be told, at most HTTP_TLS_ITEMS, ended as it wants it. `t` must outlive the
// daemon.
void http_tls_items(const struct http_tls *t, struct MHD_OptionItem *items);
// Before the handshake of a connection: it has what was loaded last.
void http_tls_begin(const struct http_tls *t, struct MHD_Connection *connection);
// What stands in a certificate [RFC 5280] that somebody else judged: believed, unless it is none.
void http_certificate_of(struct bytes der, struct http_certificate *out);
// What the peer of an established connection showed; nothing without TLS.
void http_certificate_read(struct MHD_Connection *connection, struct http_certificate *out);

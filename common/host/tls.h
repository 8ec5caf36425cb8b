// TLS 1.2 and 1.3 [RFC 5246, RFC 8446] over connected sockets, with OpenSSL. For net.h; programs
// only make contexts.
//
// Promises: nothing older than TLS 1.2, only ciphers with authentication of their own, no
// renegotiation, no compression. Who connects verifies chain, time and name of whom it meets; who
// listens and has a CA takes nobody without a certificate of it. Never: goes on after a refusal,
// logs or prints a key.
#pragma once

#include "common/base/bytes.h"

#include <sys/types.h>

#define TLS_REASON_SIZE 200

struct tls;         // certificates and rules: one for many connections
struct tls_session; // one connection

struct tls_options {
    bool is_server;
    const char *certificate_file; // PEM, with what stands between it and the CA; "" for none
    const char *key_file;         // PEM, readable by its owner only
    // PEM: whom to trust. Who connects and has none: the system's. Who listens and has none: asks
    // for no certificate.
    const char *ca_file;
};

// NULL, with a reason that names the file.
struct tls *tls_open(const struct tls_options *options, char reason[TLS_REASON_SIZE]) MUST_USE;
// For the connections that are opened from now on: reads the files anew. False, with a reason:
// what there was stays.
bool tls_reload(struct tls *t, const struct tls_options *options,
                char reason[TLS_REASON_SIZE]) MUST_USE;
void tls_close(struct tls *t); // NULL: nothing

enum tls_status {
    TLS_OK = 0,
    TLS_WAIT_READ, // when more came
    TLS_WAIT_WRITE,
    TLS_ENDED,  // orderly, by the peer
    TLS_FAILED, // for good: tls_session_reason()
};

// Of a connected socket, which stays the caller's. `name` is who must be met: a host name or an
// address; NULL for who listens. NULL when there is no memory.
struct tls_session *tls_session_open(struct tls *t, int fd, const char *name) MUST_USE;
void tls_session_close(struct tls_session *s); // NULL: nothing
enum tls_status tls_handshake(struct tls_session *s) MUST_USE;
enum tls_status tls_read(struct tls_session *s, uint8_t *to, size_t len, size_t *got) MUST_USE;
enum tls_status tls_write(struct tls_session *s, struct bytes octets, size_t *gone) MUST_USE;
// Octets that are deciphered and were not read: the socket does not tell of them.
bool tls_has_pending(const struct tls_session *s);
// Says that nothing more is sent.
void tls_finish(struct tls_session *s);
// Why it failed, in words for a log.
const char *tls_session_reason(const struct tls_session *s);

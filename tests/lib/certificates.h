// Certificates for tests, made by the test: P-256 keys, files FOLDER/NAME.crt and FOLDER/NAME.key.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct certificate_wish {
    const char *name;     // of the files, and its common name
    const char *issuer;   // name of the one that signs; NULL: itself, as a CA
    const char *host;     // "DNS:..." or "IP:..." it is for; NULL: none
    int64_t from_s, to_s; // valid, seconds from now; both 0: from an hour ago, for a day
};

// Makes the folder, whose name ends in XXXXXX, and all in it; stops the test when one cannot be
// made.
void certificates_make(char *folder, const struct certificate_wish *wishes, size_t count);
void certificates_remove(const char *folder, const struct certificate_wish *wishes, size_t count);

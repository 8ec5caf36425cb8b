#include "common/host/password.h"

#include "common/host/memory.h"

#include <argon2.h>

// Second choice of [RFC 9106 §4], with less memory: 19 MiB, two passes, one lane.
#define MEMORY_KIB 19456
#define PASSES 2
#define LANES 1
#define HASH_LEN 32

bool password_hash(struct bytes password, const uint8_t salt[PASSWORD_SALT_SIZE],
                   char hash[PASSWORD_HASH_SIZE])
{
    return argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password.at, password.len, salt,
                                 PASSWORD_SALT_SIZE, HASH_LEN, hash,
                                 PASSWORD_HASH_SIZE) == ARGON2_OK;
}

bool password_fits(struct bytes password, const char *hash)
{
    const int code = argon2id_verify(hash, password.at, password.len);
    if (code == ARGON2_MEMORY_ALLOCATION_ERROR)
        memory_failed();
    return code == ARGON2_OK;
}

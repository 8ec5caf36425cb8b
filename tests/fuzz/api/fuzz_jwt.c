// Assertions of strangers: any octets are judged, none are right.
#include "common/base/check.h"
#include "ota-server/service/auth_jwt.h"

static const char jwks[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
                           "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                           "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char client[JWT_CLIENT_MAX + 1];
    char jti[JWT_JTI_MAX + 1];
    json_t *keys = NULL;
    check(json_read(bytes_of(jwks, sizeof(jwks) - 1), &keys) == JSON_READ_OK);
    const struct jwt_expected expected = {.client = client,
                                          .audiences = {"https://a", "https://b"},
                                          .now = {1300819370000},
                                          .jwks = keys};
    jwt_client(bytes_of(data, size), client);
    // Whoever finds an input that passes has broken P-256.
    check(!jwt_check(bytes_of(data, size), &expected, jti));
    json_decref(keys);
    return 0;
}

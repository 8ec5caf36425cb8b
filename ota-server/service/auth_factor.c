#include "ota-server/service/auth_factor.h"

#include "common/base/text.h"
#include "ota-server/service/api_text.h"

#define FORM 1
#define PLAIN_SIZE (3 + 8 + 8 + TOTP_SECRET_SIZE + FACTOR_CODES * CRYPTO_SHA256_SIZE)
#define SEALED_SIZE (CRYPTO_NONCE_SIZE + PLAIN_SIZE + CRYPTO_TAG_SIZE)
#define LETTERS 24     // of a recovery code, without its dashes
#define OLD_LETTERS 16 // of those that were made before

// --- as a document ---

// All have the same length, so that it does not tell how many codes are left.
static void write_plain(struct writer *w, const struct auth_factor *f)
{
    writer_u8(w, FORM);
    writer_u8(w, f->is_active ? 1 : 0);
    writer_u8(w, f->code_count);
    writer_u64(w, (uint64_t)f->since.ms);
    writer_u64(w, f->last_step);
    writer_copy(w, bytes_of(f->secret.octets, TOTP_SECRET_SIZE));
    writer_copy(w, bytes_of(f->codes, sizeof(f->codes)));
}

static bool read_plain(struct bytes plain, struct auth_factor *f)
{
    struct reader r = reader_of(plain);
    const uint8_t form = reader_u8(&r);
    f->is_active = reader_u8(&r) == 1;
    f->code_count = reader_u8(&r);
    f->since.ms = (int64_t)reader_u64(&r);
    f->last_step = reader_u64(&r);
    const struct bytes secret = reader_bytes(&r, TOTP_SECRET_SIZE);
    const struct bytes codes = reader_bytes(&r, sizeof(f->codes));
    if (r.failed || form != FORM || f->code_count > FACTOR_CODES || plain.len != PLAIN_SIZE)
        return false;
    f->secret = secret_key_of(secret);
    memcpy(f->codes, codes.at, codes.len);
    return true;
}

struct opened {
    uint64_t version;
    uint8_t octets[SEALED_SIZE];
    size_t len;
};

static bool see_sealed(void *context, const struct document *d)
{
    struct opened *o = context;
    struct writer w = writer_of(o->octets, sizeof(o->octets));
    o->version = d->version;
    o->len = text_unhex(d->body, &w) ? w.len : 0;
    return false;
}

enum store_status auth_factor_get(const struct factor_safe *safe, struct store *s, uint64_t user,
                                  struct auth_factor *out)
{
    struct opened o = {.len = 0};
    char place[API_ID_SIZE];
    uint8_t plain[PLAIN_SIZE];
    struct writer w = writer_of(plain, sizeof(plain));
    const enum store_status status = store_document_get(s, FACTOR_KIND, user, see_sealed, &o);
    if (status != STORE_OK)
        return status;
    *out = (struct auth_factor){.user = user, .version = o.version};
    api_id_write(place, "usr", user);
    const bool is_read =
        o.len == SEALED_SIZE &&
        crypto_unseal(safe->crypto, safe->key, o.octets, bytes_of_text(place),
                      bytes_of(o.octets + CRYPTO_NONCE_SIZE, o.len - CRYPTO_NONCE_SIZE), &w) &&
        read_plain(writer_bytes(&w), out);
    secret_wipe(plain, sizeof(plain));
    return is_read ? STORE_OK : STORE_KEYS;
}

enum store_status auth_factor_put(const struct factor_safe *safe, struct store *s,
                                  const struct auth_factor *factor,
                                  const uint8_t nonce[CRYPTO_NONCE_SIZE], struct utc now)
{
    uint8_t plain[PLAIN_SIZE];
    uint8_t sealed[SEALED_SIZE];
    char hex[2 * SEALED_SIZE];
    char place[API_ID_SIZE];
    struct writer p = writer_of(plain, sizeof(plain));
    struct writer w = writer_of(sealed, sizeof(sealed));
    struct writer h = writer_of(hex, sizeof(hex));
    api_id_write(place, "usr", factor->user);
    write_plain(&p, factor);
    writer_copy(&w, bytes_of(nonce, CRYPTO_NONCE_SIZE));
    const bool is_sealed =
        crypto_seal(safe->crypto, safe->key, nonce, bytes_of_text(place), writer_bytes(&p), &w);
    secret_wipe(plain, sizeof(plain));
    if (!is_sealed)
        return STORE_FAILED;
    text_hex(&h, writer_bytes(&w));
    const struct document d = {.kind = FACTOR_KIND,
                               .id = factor->user,
                               .name = place,
                               .created_at = now,
                               .changed_at = now,
                               .version = factor->version,
                               .body = writer_bytes(&h)};
    return store_document_put(s, &d);
}

enum store_status auth_factor_drop(struct store *s, uint64_t user)
{
    const enum store_status status = store_document_delete(s, FACTOR_KIND, user);
    return status == STORE_NONE ? STORE_OK : status;
}

// --- proofs ---

// All three are made, whichever fits.
static bool is_code(struct auth_factor *f, struct bytes text, struct utc now)
{
    const uint64_t step = totp_step(now);
    uint64_t found = 0;
    for (uint64_t at = step > 0 ? step - 1 : 0; at <= step + 1; at++) {
        char code[TOTP_CODE_SIZE];
        if (!totp_code(bytes_of(f->secret.octets, f->secret.len), at, TOTP_DIGITS, code))
            return false;
        if (secret_equal(code, text.at, TOTP_DIGITS) && at > f->last_step)
            found = at;
        secret_wipe(code, sizeof(code));
    }
    if (found > 0)
        f->last_step = found;
    return found > 0;
}

// The letters of a code as it may have been typed, and how many they are; 0 for what is none.
static size_t read_letters(struct bytes text, char letters[LETTERS])
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char c = (char)text.at[i];
        if (c == '-' || c == ' ')
            continue;
        if (count == LETTERS)
            return 0;
        letters[count++] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return count == LETTERS || count == OLD_LETTERS ? count : 0;
}

static bool digest_of(struct bytes octets, uint8_t digest[CRYPTO_SHA256_SIZE])
{
    struct sha256 *s = sha256_open();
    const bool ok = s != NULL && sha256_add(s, octets) && sha256_finish(s, digest);
    sha256_close(s);
    return ok;
}

static bool is_recovery(struct auth_factor *f, struct bytes text)
{
    char letters[LETTERS];
    uint8_t digest[CRYPTO_SHA256_SIZE];
    size_t found = FACTOR_CODES;
    const size_t count = read_letters(text, letters);
    if (count == 0 || !digest_of(bytes_of(letters, count), digest))
        return false;
    for (size_t i = 0; i < f->code_count; i++) {
        if (secret_equal(f->codes[i], digest, sizeof(digest)))
            found = i;
    }
    if (found == FACTOR_CODES)
        return false;
    f->code_count--;
    memcpy(f->codes[found], f->codes[f->code_count], sizeof(f->codes[found]));
    memset(f->codes[f->code_count], 0, sizeof(f->codes[f->code_count]));
    return true;
}

enum factor_proof auth_factor_use(struct auth_factor *factor, struct bytes text, struct utc now)
{
    if (text.len == TOTP_DIGITS)
        return is_code(factor, text, now) ? FACTOR_CODE : FACTOR_WRONG;
    return is_recovery(factor, text) ? FACTOR_RECOVERY : FACTOR_WRONG;
}

bool auth_factor_recode(struct auth_factor *factor,
                        const uint8_t entropy[FACTOR_CODES * FACTOR_CODE_OCTETS],
                        char texts[FACTOR_CODES][FACTOR_CODE_SIZE])
{
    for (size_t i = 0; i < FACTOR_CODES; i++) {
        char letters[LETTERS];
        struct writer w = writer_of(letters, sizeof(letters));
        struct writer t = writer_of(texts[i], FACTOR_CODE_SIZE);
        base32_put(&w, bytes_of(entropy + i * FACTOR_CODE_OCTETS, FACTOR_CODE_OCTETS));
        for (size_t k = 0; k < LETTERS; k += 4) {
            text_put(&t, k > 0 ? "-" : "");
            writer_copy(&t, bytes_of(letters + k, 4));
        }
        (void)text_end(&t);
        if (!digest_of(writer_bytes(&w), factor->codes[i]))
            return false;
    }
    factor->code_count = FACTOR_CODES;
    return true;
}

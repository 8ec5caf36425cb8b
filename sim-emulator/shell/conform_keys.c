#include "sim-emulator/shell/conform_keys.h"

#include "common/base/text.h"
#include "common/host/config.h"

#include <stdio.h>
#include <string.h>

static bool octets_of(cfg_t *config, const char *name, struct writer *w)
{
    const char *text = cfg_getstr(config, name);
    return text_unhex(bytes_of(text, strlen(text)), w) && !w->failed;
}

static bool read_key(cfg_t *config, const char *name, struct secret_key *key)
{
    struct writer w = writer_of(key->octets, sizeof key->octets);
    bool is_right = octets_of(config, name, &w) && (w.len == 16 || w.len == 24 || w.len == 32);
    key->len = is_right ? (uint8_t)w.len : 0;
    return is_right;
}

// The option that is wrong, or NULL.
static const char *take(cfg_t *config, struct trial_card *card)
{
    uint8_t tar[3];
    struct writer w = writer_of(tar, sizeof tar);
    long version = cfg_getint(config, "key-set");
    if (!read_key(config, "kic", &card->kic))
        return "kic";
    if (!read_key(config, "kid", &card->kid))
        return "kid";
    if (!read_key(config, "kik", &card->kik))
        return "kik";
    if (version < 1 || version > 15)
        return "key-set";
    card->key_version = (uint8_t)version;
    if (!octets_of(config, "tar", &w) || w.len != sizeof tar)
        return "tar";
    card->tar = (uint32_t)tar[0] << 16 | (uint32_t)tar[1] << 8 | tar[2];
    if (!phone_of_text(cfg_getstr(config, "server-number"), &card->server))
        return "server-number";
    card->server.type = PHONE_INTERNATIONAL;
    return NULL;
}

// libconfuse gives its memory back as it is: the keys in it are overwritten before.
static void forget(cfg_t *config)
{
    static const char *const names[] = {"kic", "kid", "kik"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *text = cfg_getstr(config, names[i]);
        secret_wipe(text, strlen(text));
    }
    (void)cfg_free(config);
}

bool conform_keys_read(const char *path, struct trial_card *card, char error[CONFORM_ERROR_SIZE])
{
    cfg_opt_t options[] = {CFG_STR("kic", "", CFGF_NONE),
                           CFG_STR("kid", "", CFGF_NONE),
                           CFG_STR("kik", "", CFGF_NONE),
                           CFG_INT("key-set", 1, CFGF_NONE),
                           CFG_STR("tar", "534D01", CFGF_NONE),
                           CFG_STR("server-number", "12345", CFGF_NONE),
                           CFG_END()};
    char reason[CONFIG_ERROR_SIZE];
    memset(card, 0, sizeof *card);
    if (!config_is_private(path)) {
        (void)snprintf(error, CONFORM_ERROR_SIZE,
                       "%.80s: cannot be read, or others than its owner can read it (chmod 600)",
                       path);
        return false;
    }
    cfg_t *config = config_read(options, path, reason);
    if (config == NULL) {
        (void)snprintf(error, CONFORM_ERROR_SIZE, "%.*s", CONFORM_ERROR_SIZE - 1, reason);
        return false;
    }
    const char *wrong = take(config, card);
    forget(config);
    if (wrong != NULL) {
        (void)snprintf(error, CONFORM_ERROR_SIZE, "%.120s: %s is missing or wrong", path, wrong);
        secret_wipe(card, sizeof *card);
    }
    return wrong == NULL;
}

#include "sim-emulator/core/radio.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "sim-emulator/core/usim.h"

void radio_init(struct radio *radio, const struct cipher *cipher, uint64_t seed)
{
    memset(radio, 0, sizeof *radio);
    radio->cipher = cipher;
    prng_init(&radio->random, seed, "radio", 0);
}

uint64_t radio_identity(const char *digits)
{
    struct bytes text = bytes_of_text(digits);
    uint64_t value;
    if (text.len == 0 || text.len > 18 || !text_is_digits(text) || !text_read_decimal(text, &value))
        return 0;
    uint64_t front = 1;
    for (size_t i = 0; i < text.len; i++)
        front *= 10;
    return front + value;
}

void radio_digits(uint64_t identity, char digits[RADIO_DIGITS_SIZE])
{
    char text[RADIO_DIGITS_SIZE + 1];
    struct writer w = writer_of(text, sizeof text);
    text_decimal(&w, identity);
    (void)text_end(&w);
    // Without the 1 in front.
    memcpy(digits, text + 1, w.len - 1);
}

// --- the register ----------------------------------------------------------------------------

static uint64_t spread(uint64_t value)
{
    value ^= value >> 33;
    value *= 0xFF51AFD7ED558CCDU;
    value ^= value >> 29;
    return value;
}

static uint64_t key_of(const struct radio *radio, const uint32_t *index, uint32_t number)
{
    const struct radio_subscriber *s = &radio->subscribers[number];
    return index == radio->by_imsi ? s->imsi : s->msisdn;
}

// The place in the index where this key is, or is to be put.
static uint32_t place_of(const struct radio *radio, const uint32_t *index, uint64_t key)
{
    uint32_t mask = radio->index_len - 1;
    uint32_t at = (uint32_t)spread(key) & mask;
    while (index[at] != 0 && key_of(radio, index, index[at] - 1) != key)
        at = (at + 1) & mask;
    return at;
}

static bool is_taken(const struct radio *radio, const uint32_t *index, uint64_t key)
{
    return key != 0 && radio->index_len != 0 && index[place_of(radio, index, key)] != 0;
}

static struct radio_subscriber *find(struct radio *radio, const uint32_t *index, uint64_t key)
{
    if (!is_taken(radio, index, key))
        return NULL;
    return &radio->subscribers[index[place_of(radio, index, key)] - 1];
}

struct radio_subscriber *radio_by_imsi(struct radio *radio, uint64_t imsi)
{
    return find(radio, radio->by_imsi, imsi);
}

struct radio_subscriber *radio_by_msisdn(struct radio *radio, uint64_t msisdn)
{
    return find(radio, radio->by_msisdn, msisdn);
}

enum radio_add radio_subscriber_add(struct radio *radio, const char *imsi, const char *msisdn,
                                    const struct network_keys *keys)
{
    struct radio_subscriber s = {.imsi = radio_identity(imsi),
                                 .msisdn = msisdn == NULL ? 0 : radio_identity(msisdn),
                                 .device = RADIO_NOBODY};
    if (!aka_has_algorithm(keys))
        return RADIO_KEYS;
    if (radio->subscriber_count == radio->subscriber_max)
        return RADIO_FULL;
    if (is_taken(radio, radio->by_imsi, s.imsi) || is_taken(radio, radio->by_msisdn, s.msisdn))
        return RADIO_TWICE;
    s.keys = *keys;
    radio->by_imsi[place_of(radio, radio->by_imsi, s.imsi)] = radio->subscriber_count + 1;
    if (s.msisdn != 0)
        radio->by_msisdn[place_of(radio, radio->by_msisdn, s.msisdn)] = radio->subscriber_count + 1;
    radio->subscribers[radio->subscriber_count++] = s;
    return RADIO_ADDED;
}

// --- coverage --------------------------------------------------------------------------------

uint8_t radio_network_find(const struct radio *radio, const char *plmn)
{
    for (uint8_t i = 0; i < radio->network_count; i++) {
        if (bytes_equal(bytes_of_text(radio->networks[i].plmn), bytes_of_text(plmn)))
            return i;
    }
    return RADIO_NETWORKS_MAX;
}

uint8_t radio_area_find(const struct radio *radio, const char *name)
{
    for (uint8_t i = 0; i < radio->area_count; i++) {
        if (bytes_equal(bytes_of_text(radio->areas[i]), bytes_of_text(name)))
            return i;
    }
    return RADIO_AREAS_MAX;
}

uint16_t radio_coverage(const struct radio *radio, uint8_t area, struct instant now)
{
    uint16_t networks = 0;
    for (uint16_t i = 0; i < radio->change_count && radio->changes[i].at.ms <= now.ms; i++) {
        if (radio->changes[i].area == area)
            networks = radio->changes[i].networks;
    }
    return networks;
}

struct instant radio_next_change(const struct radio *radio, uint8_t area, struct instant now)
{
    for (uint16_t i = 0; i < radio->change_count; i++) {
        if (radio->changes[i].area == area && radio->changes[i].at.ms > now.ms)
            return radio->changes[i].at;
    }
    return INSTANT_NEVER;
}

bool radio_change_add(struct radio *radio, const struct radio_change *change)
{
    if (radio->change_count == RADIO_CHANGES_MAX)
        return false;
    uint16_t at = radio->change_count;
    while (at > 0 && radio->changes[at - 1].at.ms > change->at.ms)
        at--;
    memmove(&radio->changes[at + 1], &radio->changes[at],
            (size_t)(radio->change_count - at) * sizeof radio->changes[0]);
    radio->changes[at] = *change;
    radio->change_count++;
    return true;
}

// --- admission and authentication ------------------------------------------------------------

uint8_t radio_admission(struct radio *radio, uint8_t network, uint64_t imsi)
{
    char digits[RADIO_DIGITS_SIZE];
    radio_digits(imsi, digits);
    bool has_rules = false;
    size_t longest = 0;
    uint8_t cause = RADIO_CAUSE_PLMN_NOT_ALLOWED;
    for (uint16_t i = 0; i < radio->rule_count; i++) {
        const struct radio_rule *rule = &radio->rules[i];
        if (rule->network != network)
            continue;
        has_rules = true;
        struct bytes prefix = bytes_of_text(rule->prefix);
        // Of two rules for one prefix the later one counts.
        if (prefix.len >= longest &&
            bytes_equal(prefix, bytes_slice(bytes_of_text(digits), 0, prefix.len))) {
            longest = prefix.len;
            cause = rule->cause;
        }
    }
    if (has_rules && cause != 0)
        return cause;
    return radio_by_imsi(radio, imsi) == NULL ? RADIO_CAUSE_UNKNOWN_IMSI : 0;
}

static struct aka aka_of(const struct radio *radio, const struct radio_subscriber *subscriber)
{
    return (struct aka){
        .cipher = radio->cipher, .keys = &subscriber->keys, .options = AKA_TUAK_OPTIONS};
}

bool radio_challenge_make(struct radio *radio, struct radio_subscriber *subscriber,
                          struct radio_challenge *out)
{
    static const uint8_t amf[AKA_AMF_LEN] = {0x80, 0x00}; // separation bit [33.401 §6.1.1]
    struct aka aka = aka_of(radio, subscriber);
    struct writer w = writer_of(out->rand, sizeof out->rand);
    writer_u64(&w, prng_next(&radio->random));
    writer_u64(&w, prng_next(&radio->random));
    uint8_t sqn[AKA_SQN_LEN];
    subscriber->seq++;
    usim_sqn_write(subscriber->seq * USIM_INDEXES, sqn);

    struct milenage_challenge challenge = {.rand = out->rand, .sqn = sqn, .amf = amf};
    struct aka_keys keys;
    bool ok = aka_f1(&aka, &challenge, out->autn + AKA_SQN_LEN + AKA_AMF_LEN) &&
              aka_f2345(&aka, out->rand, &keys);
    for (size_t i = 0; ok && i < AKA_SQN_LEN; i++)
        out->autn[i] = sqn[i] ^ keys.ak[i];
    memcpy(out->autn + AKA_SQN_LEN, amf, sizeof amf);
    if (ok) {
        memcpy(out->xres, keys.res, sizeof out->xres);
        out->xres_len = keys.res_len;
    }
    secret_wipe(&keys, sizeof keys);
    return ok;
}

bool radio_resynchronise(struct radio *radio, struct radio_subscriber *subscriber,
                         const struct radio_challenge *challenge, const uint8_t auts[14])
{
    static const uint8_t amf[AKA_AMF_LEN] = {0, 0};
    struct aka aka = aka_of(radio, subscriber);
    uint8_t sqn[AKA_SQN_LEN];
    bool ok = aka_f5_star(&aka, challenge->rand, sqn);
    for (size_t i = 0; i < sizeof sqn; i++)
        sqn[i] = ok ? sqn[i] ^ auts[i] : 0;
    struct milenage_challenge covered = {.rand = challenge->rand, .sqn = sqn, .amf = amf};
    uint8_t mac_s[AKA_MAC_LEN];
    ok = ok && aka_f1_star(&aka, &covered, mac_s) &&
         secret_equal(mac_s, auts + AKA_SQN_LEN, AKA_MAC_LEN);
    if (ok)
        subscriber->seq = usim_sqn_read(sqn) / USIM_INDEXES;
    return ok;
}

#include "sim-emulator/core/usim.h"

// One copy of a sequence number: SEQ in 6 octets, CRC-16. An index has two of them, the older of
// which is overwritten.
#define COPY_LEN 8
#define SEQ_LEN 6
#define ENTRY_LEN (2 * COPY_LEN)

uint64_t usim_sqn_read(const uint8_t octets[AKA_SQN_LEN])
{
    uint64_t sqn = 0;
    for (size_t i = 0; i < AKA_SQN_LEN; i++)
        sqn = sqn << 8 | octets[i];
    return sqn;
}

void usim_sqn_write(uint64_t sqn, uint8_t octets[AKA_SQN_LEN])
{
    for (size_t i = 0; i < AKA_SQN_LEN; i++)
        octets[i] = (uint8_t)(sqn >> (8 * (AKA_SQN_LEN - 1 - i)));
}

bool usim_seq_is_fresh(uint64_t seq, uint64_t last_of_index, uint64_t highest)
{
    // The difference is signed: most indexes are behind the highest.
    int64_t difference = (int64_t)(seq - highest);
    return seq > last_of_index && difference <= (int64_t)USIM_SEQ_DELTA &&
           -difference <= (int64_t)USIM_AGE_LIMIT;
}

// SEQ of a copy, or 0 when it holds none. An erased one is not worth its check sum.
static uint64_t copy_read(const uint8_t copy[COPY_LEN])
{
    if (copy[0] == NVM_ERASED && copy[SEQ_LEN] == NVM_ERASED)
        return 0;
    return nvm_is_sealed(copy, SEQ_LEN) ? usim_sqn_read(copy) : 0;
}

static uint64_t entry_read(const uint8_t entry[ENTRY_LEN])
{
    uint64_t first = copy_read(entry);
    uint64_t second = copy_read(entry + COPY_LEN);
    return first > second ? first : second;
}

static struct nvm_area array_area(const struct usim *usim)
{
    return (struct nvm_area){.nvm = usim->nvm, .offset = usim->offset, .len = USIM_NVM_LEN};
}

enum usim_result usim_own(struct usim *usim, const uint8_t owner[USIM_OWNER_LEN])
{
    struct nvm_area area = array_area(usim);
    enum nvm_result result = nvm_area_take(&area, bytes_of(owner, USIM_OWNER_LEN));
    return result == NVM_OK ? USIM_OK : USIM_FAULT;
}

enum usim_result usim_sqn_commit(struct usim *usim, uint64_t sqn)
{
    uint32_t at = usim->offset + NVM_AREA_HEAD + (uint32_t)(sqn % USIM_INDEXES) * ENTRY_LEN;
    uint8_t entry[ENTRY_LEN];
    nvm_read(usim->nvm, at, entry, sizeof entry);
    bool second_is_older = copy_read(entry + COPY_LEN) < copy_read(entry);
    uint8_t copy[COPY_LEN];
    usim_sqn_write(sqn / USIM_INDEXES, copy);
    nvm_seal(copy, SEQ_LEN);
    at += second_is_older ? COPY_LEN : 0;
    return nvm_write(usim->nvm, at, copy, sizeof copy) == NVM_OK ? USIM_OK : USIM_FAULT;
}

// The last SEQ of index `index`, and the SQN with the highest SEQ of all.
static uint64_t array_read(const struct usim *usim, unsigned index, uint64_t *highest)
{
    uint8_t entries[USIM_INDEXES * ENTRY_LEN];
    nvm_read(usim->nvm, usim->offset + NVM_AREA_HEAD, entries, sizeof entries);
    uint64_t last = 0;
    *highest = 0;
    for (unsigned i = 0; i < USIM_INDEXES; i++) {
        uint64_t seq = entry_read(entries + (size_t)i * ENTRY_LEN);
        if (seq > *highest / USIM_INDEXES)
            *highest = seq * USIM_INDEXES + i;
        if (i == index)
            last = seq;
    }
    return last;
}

static struct aka aka_of(const struct usim *usim, const struct network_keys *keys)
{
    return (struct aka){.cipher = usim->cipher, .keys = keys, .options = usim->tuak};
}

static enum usim_result resynchronise(const struct aka *aka, const uint8_t *rand, uint64_t highest,
                                      struct usim_answer *answer)
{
    static const uint8_t amf[AKA_AMF_LEN] = {0, 0};
    uint8_t sqn_ms[AKA_SQN_LEN];
    usim_sqn_write(highest, sqn_ms);
    struct milenage_challenge challenge = {.rand = rand, .sqn = sqn_ms, .amf = amf};
    uint8_t ak[AKA_SQN_LEN];
    if (!aka_f1_star(aka, &challenge, answer->auts + AKA_SQN_LEN) || !aka_f5_star(aka, rand, ak))
        return USIM_FAULT;
    for (size_t i = 0; i < AKA_SQN_LEN; i++)
        answer->auts[i] = sqn_ms[i] ^ ak[i];
    return USIM_OUT_OF_RANGE;
}

enum usim_result usim_authenticate(struct usim *usim, const struct network_keys *keys,
                                   const uint8_t rand[AKA_RAND_LEN],
                                   const uint8_t autn[USIM_AUTN_LEN], struct usim_answer *answer)
{
    struct aka aka = aka_of(usim, keys);
    if (!aka_has_algorithm(keys) || !aka_f2345(&aka, rand, &answer->keys))
        return USIM_FAULT;
    uint8_t sqn_octets[AKA_SQN_LEN];
    for (size_t i = 0; i < AKA_SQN_LEN; i++)
        sqn_octets[i] = autn[i] ^ answer->keys.ak[i];
    struct milenage_challenge challenge = {
        .rand = rand, .sqn = sqn_octets, .amf = autn + AKA_SQN_LEN};
    uint8_t mac[AKA_MAC_LEN];
    if (!aka_f1(&aka, &challenge, mac))
        return USIM_FAULT;
    if (!secret_equal(mac, autn + AKA_SQN_LEN + AKA_AMF_LEN, AKA_MAC_LEN))
        return USIM_MAC_WRONG;

    uint64_t sqn = usim_sqn_read(sqn_octets);
    uint64_t highest;
    uint64_t last = array_read(usim, (unsigned)(sqn % USIM_INDEXES), &highest);
    if (!usim_seq_is_fresh(sqn / USIM_INDEXES, last, highest / USIM_INDEXES))
        return resynchronise(&aka, rand, highest, answer);
    if (usim_sqn_commit(usim, sqn) != USIM_OK)
        return USIM_FAULT;
    aka_gsm(&answer->keys, answer->kc, answer->sres);
    return USIM_OK;
}

enum usim_result usim_authenticate_gsm(const struct usim *usim, const struct network_keys *keys,
                                       const uint8_t rand[AKA_RAND_LEN], struct usim_answer *answer)
{
    struct aka aka = aka_of(usim, keys);
    if (!aka_has_algorithm(keys) || !aka_f2345(&aka, rand, &answer->keys))
        return USIM_FAULT;
    aka_gsm(&answer->keys, answer->kc, answer->sres);
    return USIM_OK;
}

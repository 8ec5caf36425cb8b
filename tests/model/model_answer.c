// What an answer says, octet by octet, against what the model would say now.
#include "common/wire/cipher.h"
#include "tests/model/model.h"

// As the protocol defines it: over the records of the used slots, *proven* being clear.
bool model_hash(const struct model_card *m, const struct cipher *cipher,
                uint8_t hash[COMMAND_HASH_SIZE])
{
    uint8_t octets[IMAGE_SLOTS_MAX * 26];
    uint8_t whole[CIPHER_SHA256_SIZE];
    struct writer w = writer_of(octets, sizeof octets);
    for (uint8_t i = 0; i < m->factory->slot_count; i++) {
        const struct model_slot *s = &m->slots[i];
        if (!s->is_used)
            continue;
        writer_u8(&w, (uint8_t)(i + 1));
        writer_u8(&w, (uint8_t)((s->is_enabled ? 2 : 1) | s->role << 2 | s->is_fallback << 4));
        writer_u8(&w, s->marks);
        writer_u8(&w, s->rank);
        writer_u8(&w, s->template_number);
        writer_copy(&w, bytes_of(s->imsi, sizeof s->imsi));
        if (s->has_iccid)
            writer_copy(&w, bytes_of(s->iccid, sizeof s->iccid));
    }
    const struct bytes part = writer_bytes(&w);
    if (w.failed || !cipher->sha256(cipher->context, &part, 1, whole))
        return false;
    memcpy(hash, whole, COMMAND_HASH_SIZE);
    return true;
}

static bool is_slot_same(const struct audit_slot *t, uint8_t number, const struct model_slot *s)
{
    return t->slot == number && t->state == (s->is_enabled ? 2 : 1) && t->role == s->role &&
           t->is_fallback == s->is_fallback && t->is_proven == s->is_proven &&
           t->marks == s->marks && t->rank == s->rank && t->template_number == s->template_number &&
           memcmp(t->imsi, s->imsi, sizeof s->imsi) == 0 && t->has_iccid == s->has_iccid &&
           (!s->has_iccid || memcmp(t->iccid, s->iccid, sizeof s->iccid) == 0);
}

// Those from the asked one on, in order; a page that is full says that there are more.
static const char *slots_differ(const struct model_card *m, const struct audit_answer *a,
                                const struct model_answer *e, bool has_more)
{
    unsigned here = 0;
    unsigned left = 0;
    for (uint8_t i = 0; i < m->factory->slot_count; i++) {
        const struct model_slot *s = &m->slots[i];
        if (!s->is_used || i + 1 < e->audit.first_slot)
            continue;
        if (here >= a->slot_count_here)
            left++;
        else if (!is_slot_same(&a->slots[here++], (uint8_t)(i + 1), s))
            return "slots of an audit";
    }
    return here != a->slot_count_here || has_more != (left > 0) ? "which slots an audit has" : NULL;
}

static const char *lookup_differs(const struct audit_answer *a, const struct model_answer *e)
{
    const bool has_code = e->lookup == LOOKUP_STORED;
    const bool is_same =
        a->lookup == e->lookup && (!has_code || a->lookup_code == e->lookup_code) &&
        (!e->audit.has_lookup || a->lookup_operation_id == e->audit.lookup_operation_id);
    return is_same ? NULL : "look-up of an audit";
}

// Of the card, whatever it went through.
static bool is_card_same(const struct model_card *m, const struct audit_answer *a)
{
    const struct applet_factory *f = m->factory;
    bool is_same = memcmp(a->card_iccid, f->card_iccid, sizeof a->card_iccid) == 0 &&
                   memcmp(a->applet_version, f->version, sizeof a->applet_version) == 0 &&
                   a->level == f->level && a->slot_count == f->slot_count &&
                   a->template_count == f->template_count && a->terminal == m->terminal &&
                   a->has_plmn == m->has_plmn && a->has_imei == m->has_imei &&
                   (!m->has_plmn || memcmp(a->plmn, m->plmn, sizeof a->plmn) == 0) &&
                   (!m->has_imei || memcmp(a->imei, m->imei, sizeof a->imei) == 0);
    for (uint8_t i = 0; i < f->template_count && is_same; i++)
        is_same = a->templates[i] == f->templates[i].number;
    return is_same;
}

static const char *audit_differs(const struct model_card *m, const struct model_answer *e,
                                 const struct result *result)
{
    struct audit_answer a;
    memset(&a, 0, sizeof a);
    if (!audit_answer_read(result->data, &a))
        return "form of an audit";
    if (memcmp(a.nonce, e->audit.nonce, sizeof a.nonce) != 0)
        return "nonce of an audit";
    if (a.mt_counter != m->mt_counter || a.mo_counter != m->mo_counter ||
        a.operation_id_highest != m->operation_id_highest ||
        a.configuration_version != m->configuration_version || a.switch_state != m->state ||
        a.journal_phase != m->open.phase ||
        a.preferred_slot != (m->preferred == MODEL_NONE ? 0 : m->preferred + 1))
        return "head of an audit";
    if (!is_card_same(m, &a))
        return "card of an audit";
    const char *text = lookup_differs(&a, e);
    return text != NULL ? text : slots_differ(m, &a, e, result->more);
}

// Of CONFIGURE: the version, then the values that were written or asked for.
static const char *values_differ(const struct model_card *m, const struct model_answer *e,
                                 struct bytes data)
{
    uint8_t octets[COMMAND_RESULT_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u16(&w, (uint16_t)m->configuration_version);
    for (uint8_t n = 1; n <= PARAMETER_LAST; n++) {
        if ((e->told >> n & 1) != 0 && !parameter_write(&w, &m->parameters, n))
            return "a parameter that cannot be read";
    }
    return bytes_equal(writer_bytes(&w), data) ? NULL : "parameters of a result";
}

static const char *data_differs(const struct model_card *m, const struct model_answer *e,
                                const struct result *result)
{
    struct result_pair pair;
    if (e->has_audit)
        return audit_differs(m, e, result);
    if (e->has_pair)
        return !result_pair_read(result->data, &pair) || pair.first != e->first ||
                       pair.second != e->second
                   ? "data of a result"
                   : NULL;
    if (e->command == COMMAND_CONFIGURE && e->code == RESULT_OK)
        return values_differ(m, e, result->data);
    return result->data.len > 0 ? "data where there is none" : NULL;
}

const char *model_answer_differs(const struct model_card *m, const struct model_answer *e,
                                 struct bytes data, const struct cipher *cipher)
{
    struct result result;
    uint8_t hash[COMMAND_HASH_SIZE];
    if (!result_read(data, &result))
        return "form of an answer";
    if (result.command != e->command || result.code != e->code)
        return "result";
    if (result.operation_id != e->operation_id || result.replayed != e->is_replayed ||
        result.registry_version != e->registry_version)
        return "operation or version of a result";
    if (result.has_hash != (m->factory->level >= 2))
        return "whether a result has a state hash";
    // A result that is repeated has the hash of its time.
    const bool is_now = result.has_hash && e->registry_version == m->registry_version;
    if (is_now &&
        (!model_hash(m, cipher, hash) || memcmp(hash, result.state_hash, sizeof hash) != 0))
        return "state hash of a result";
    return data_differs(m, e, &result);
}

#include "smpp/core/smsc_fault.h"

#define COPIES_MAX 16

void smsc_faults_init(struct smsc_faults *f, uint64_t seed)
{
    *f = (struct smsc_faults){0};
    prng_init(&f->chance, seed, "smsc-faults", 0);
}

uint32_t smsc_faults_add(struct smsc_faults *f, const struct smsc_rule *rule)
{
    if (f->rule_count == SMSC_RULES_MAX)
        return 0;
    struct smsc_rule *to = &f->rules[f->rule_count++];
    *to = *rule;
    to->id = ++f->last_id;
    to->matched = to->hit = 0;
    return to->id;
}

bool smsc_faults_remove(struct smsc_faults *f, uint32_t id)
{
    for (uint32_t i = 0; i < f->rule_count; i++) {
        if (f->rules[i].id != id)
            continue;
        for (uint32_t j = i + 1; j < f->rule_count; j++)
            f->rules[j - 1] = f->rules[j];
        f->rule_count--;
        return true;
    }
    return false;
}

static bool has_prefix(const char *digits, const char *prefix)
{
    size_t len = strlen(prefix);
    return bytes_equal(bytes_slice(bytes_of_text(digits), 0, len), bytes_of(prefix, len));
}

static bool hits(struct smsc_rule *rule, struct prng *chance)
{
    uint32_t place = rule->matched++;
    if (place < rule->skip || (rule->count > 0 && rule->hit >= rule->count))
        return false;
    // Drawn for every candidate, so that turning a count does not shift the draws of the others.
    if (!prng_chance(chance, rule->per_million))
        return false;
    rule->hit++;
    return true;
}

static uint32_t copies(uint32_t so_far, uint32_t more)
{
    return more < COPIES_MAX - so_far ? so_far + more : COPIES_MAX;
}

static void apply(struct smsc_verdict *v, const struct smsc_rule *rule)
{
    switch (rule->fault) {
    case SMSC_FAULT_NONE:
        break;
    case SMSC_FAULT_LOSE:
        v->is_lost = true;
        break;
    case SMSC_FAULT_DELAY:
        v->delay_ms += rule->value;
        break;
    case SMSC_FAULT_DUPLICATE:
        v->copies = copies(v->copies, rule->value);
        break;
    case SMSC_FAULT_REORDER:
        v->is_reordered = true;
        v->reorder_ms = rule->value;
        break;
    case SMSC_FAULT_STATUS:
        v->status = rule->value;
        break;
    case SMSC_FAULT_DROP_RECEIPT:
        v->drops_receipt = true;
        break;
    case SMSC_FAULT_DROP_RESPONSE:
        v->drops_response = true;
        break;
    case SMSC_FAULT_CUT_LINK:
        v->cuts_link = true;
        break;
    case SMSC_FAULT_DUPLICATE_RECEIPT:
        v->receipt_copies = copies(v->receipt_copies, rule->value);
        break;
    case SMSC_FAULT_EARLY_RECEIPT:
        v->receipt_is_early = true;
        break;
    }
}

struct smsc_verdict smsc_faults_judge(struct smsc_faults *f, const char *source,
                                      const char *destination)
{
    struct smsc_verdict verdict = {.status = ESME_ROK};
    for (uint32_t i = 0; i < f->rule_count; i++) {
        struct smsc_rule *rule = &f->rules[i];
        if (has_prefix(source, rule->source) && has_prefix(destination, rule->destination) &&
            hits(rule, &f->chance))
            apply(&verdict, rule);
    }
    return verdict;
}

static const char *const NAMES[] = {
    [SMSC_FAULT_NONE] = "none",
    [SMSC_FAULT_LOSE] = "lose",
    [SMSC_FAULT_DELAY] = "delay",
    [SMSC_FAULT_DUPLICATE] = "duplicate",
    [SMSC_FAULT_REORDER] = "reorder",
    [SMSC_FAULT_STATUS] = "status",
    [SMSC_FAULT_DROP_RECEIPT] = "drop-receipt",
    [SMSC_FAULT_DROP_RESPONSE] = "drop-response",
    [SMSC_FAULT_CUT_LINK] = "cut-link",
    [SMSC_FAULT_DUPLICATE_RECEIPT] = "duplicate-receipt",
    [SMSC_FAULT_EARLY_RECEIPT] = "early-receipt",
};

const char *smsc_fault_name(enum smsc_fault fault)
{
    return NAMES[fault];
}

enum smsc_fault smsc_fault_by_name(struct bytes name)
{
    for (int i = SMSC_FAULT_LOSE; i <= SMSC_FAULT_LAST; i++)
        if (bytes_equal(name, bytes_of_text(NAMES[i])))
            return (enum smsc_fault)i;
    return SMSC_FAULT_NONE;
}

// Subscriptions on cards and in pools.
#include "ota-server/store/driver.h"

#include "common/base/check.h"
#include "common/wire/ident.h"

#include <stdio.h>

const char *subscription_state_name(uint8_t state)
{
    static const char *const names[] = {"FREE", "RESERVED", "ON_CARD", "RETIRED"};
    return state < sizeof(names) / sizeof(names[0]) ? names[state] : "?";
}

enum store_status store_subscription_put(struct store *s, const struct subscription *v)
{
    const struct download_plan *p = &v->plan;
    char iccid[ICCID_SIZE] = "";
    char imsi[IMSI_SIZE];
    if (!imsi_read(p->imsi, imsi) || (p->has_iccid && !iccid_read(p->iccid, iccid)))
        return STORE_FAILED;
    s->has_filled |= v->pool != 0 && v->state == SUBSCRIPTION_FREE;
    struct query q = query_of(s, STATEMENT_SUBSCRIPTION_PUT);
    bind_number(&q, 1, (int64_t)v->id);
    bind_number(&q, 2, (int64_t)v->tenant);
    bind_number(&q, 3, (int64_t)v->pool);
    bind_number(&q, 4, (int64_t)v->card);
    bind_number(&q, 5, v->slot);
    bind_number(&q, 6, v->state);
    bind_text(&q, 7, iccid);
    bind_text(&q, 8, imsi);
    bind_text(&q, 9, p->number);
    bind_text(&q, 10, p->smsc);
    bind_number(&q, 11, p->template_number);
    bind_number(&q, 12, p->has_mnc_length ? p->mnc_length : 0);
    bind_number(&q, 13, p->role | (p->has_role ? 0x100 : 0));
    bind_number(&q, 14, p->rank | (p->has_rank ? 0x100 : 0));
    bind_number(&q, 15, p->marks | (p->has_marks ? 0x100 : 0));
    bind_text(&q, 16, v->operator_name);
    bind_text(&q, 17, v->rule_pack);
    bind_number(&q, 18, v->has_keys);
    bind_number(&q, 19, v->created_at.ms);
    bind_number(&q, 20, (int64_t)v->import);
    bind_number(&q, 21, v->changed_at.ms);
    bind_number(&q, 22, p->is_barred);
    return query_run(&q);
}

static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from);
}

static void read_row(const struct query *q, struct subscription *v)
{
    struct download_plan *p = &v->plan;
    memset(v, 0, sizeof(*v));
    v->id = (uint64_t)column_number(q, 0);
    v->tenant = (uint64_t)column_number(q, 1);
    v->pool = (uint64_t)column_number(q, 2);
    v->card = (uint64_t)column_number(q, 3);
    v->slot = (uint8_t)column_number(q, 4);
    v->state = (uint8_t)column_number(q, 5);
    p->has_iccid = iccid_write(column_text(q, 6), p->iccid);
    if (!imsi_write(column_text(q, 7), p->imsi))
        memset(p->imsi, 0xFF, sizeof(p->imsi));
    copy_text(p->number, sizeof(p->number), column_text(q, 8));
    copy_text(p->smsc, sizeof(p->smsc), column_text(q, 9));
    p->template_number = (uint8_t)column_number(q, 10);
    p->mnc_length = (uint8_t)column_number(q, 11);
    p->has_mnc_length = p->mnc_length != 0;
    p->role = (uint8_t)column_number(q, 12);
    p->has_role = (column_number(q, 12) & 0x100) != 0;
    p->rank = (uint8_t)column_number(q, 13);
    p->has_rank = (column_number(q, 13) & 0x100) != 0;
    p->marks = (uint8_t)column_number(q, 14);
    p->has_marks = (column_number(q, 14) & 0x100) != 0;
    copy_text(v->operator_name, sizeof(v->operator_name), column_text(q, 15));
    copy_text(v->rule_pack, sizeof(v->rule_pack), column_text(q, 16));
    v->has_keys = column_number(q, 17) != 0;
    v->created_at.ms = column_number(q, 18);
    v->import = (uint64_t)column_number(q, 19);
    v->version = (uint64_t)column_number(q, 20);
    v->changed_at.ms = column_number(q, 21);
    p->is_barred = column_number(q, 22) != 0;
}

// With the length of its keys, which is no part of its row.
static enum store_status one(struct query *q, struct subscription *out)
{
    struct store *s = q->s;
    const enum store_status status = query_step(q);
    if (status == STORE_OK)
        read_row(q, out);
    query_end(q);
    return status == STORE_OK && out->has_keys
               ? store_network_keys_len(s, out->plan.imsi, &out->plan.keys_len)
               : status;
}

enum store_status store_subscription_get(struct store *s, uint64_t id, struct subscription *out)
{
    struct query q = query_of(s, STATEMENT_SUBSCRIPTION_GET);
    bind_number(&q, 1, (int64_t)id);
    return one(&q, out);
}

enum store_status store_subscription_by_imsi(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                             struct subscription *out)
{
    char text[IMSI_SIZE];
    if (!imsi_read(imsi, text))
        return STORE_NONE;
    struct query q = query_of(s, STATEMENT_SUBSCRIPTION_BY_IMSI);
    bind_text(&q, 1, text);
    return one(&q, out);
}

enum store_status store_number_next(struct store *s, enum store_number what, const char *from,
                                    char next[STORE_NUMBER_SIZE])
{
    static const enum statement statements[] = {[STORE_ICCID] = STATEMENT_NEXT_ICCID,
                                                [STORE_IMSI] = STATEMENT_NEXT_IMSI,
                                                [STORE_MSISDN] = STATEMENT_NEXT_MSISDN};
    struct query q = query_of(s, statements[what]);
    bind_text(&q, 1, from);
    const enum store_status status = query_step(&q);
    next[0] = '\0';
    if (status == STORE_OK)
        copy_text(next, STORE_NUMBER_SIZE, column_text(&q, 0));
    query_end(&q);
    return status == STORE_OK && next[0] == '\0' ? STORE_NONE : status;
}

enum store_status store_pool_reserve(struct store *s, uint64_t pool, bool is_for_fallback,
                                     uint64_t card, struct utc at, struct subscription *out)
{
    struct query q = query_of(s, STATEMENT_POOL_RESERVE);
    bind_number(&q, 1, (int64_t)pool);
    bind_number(&q, 2, (int64_t)card);
    bind_number(&q, 3, at.ms);
    bind_number(&q, 4, !is_for_fallback);
    return one(&q, out);
}

enum store_status store_pool_free(struct store *s, uint64_t pool, bool is_for_fallback,
                                  struct subscription *out)
{
    struct query q = query_of(s, STATEMENT_POOL_FREE);
    bind_number(&q, 1, (int64_t)pool);
    bind_number(&q, 2, !is_for_fallback);
    return one(&q, out);
}

enum store_status store_subscription_release(struct store *s, uint64_t id, uint64_t card,
                                             bool was_on_card, struct utc at)
{
    s->has_filled = true;
    struct query q = query_of(s, STATEMENT_SUBSCRIPTION_RELEASE);
    bind_number(&q, 1, (int64_t)id);
    bind_number(&q, 2, (int64_t)card);
    bind_number(&q, 3, was_on_card ? SUBSCRIPTION_RETIRED : SUBSCRIPTION_FREE);
    bind_number(&q, 4, at.ms);
    return query_run(&q);
}

// The statement that finds what was asked for without looking at everything.
static enum statement list_of(const struct subscription_filter *f, bool is_count)
{
    if (f->card != 0)
        return is_count ? STATEMENT_SUBSCRIPTIONS_COUNT_OF_CARD : STATEMENT_SUBSCRIPTIONS_OF_CARD;
    if (f->pool != 0)
        return is_count ? STATEMENT_SUBSCRIPTIONS_COUNT_OF_POOL : STATEMENT_SUBSCRIPTIONS_OF_POOL;
    if (f->search != NULL)
        return is_count ? STATEMENT_SUBSCRIPTIONS_COUNT_NAMED : STATEMENT_SUBSCRIPTIONS_NAMED;
    if (f->tenant != 0)
        return is_count ? STATEMENT_SUBSCRIPTIONS_COUNT_OF_TENANT
                        : STATEMENT_SUBSCRIPTIONS_OF_TENANT;
    return is_count ? STATEMENT_SUBSCRIPTIONS_COUNT : STATEMENT_SUBSCRIPTIONS;
}

enum store_status store_subscriptions(struct store *s, const struct subscription_filter *f,
                                      const struct store_page *page, store_subscription_fn *each,
                                      void *context, uint64_t *total)
{
    char high[NUMBER_TEXT_SIZE + 4] = "";
    char without[ICCID_SIZE] = ""; // its check digit
    check(f->grants == 0 || f->card != 0 || f->search != NULL);
    const char *search = f->search == NULL ? "" : f->search;
    snprintf(high, sizeof(high), "%s:", search);
    if (strlen(search) == ICCID_SIZE - 1)
        snprintf(without, sizeof(without), "%.*s", ICCID_SIZE - 2, search);
    for (int is_count = 0; is_count <= (total != NULL); is_count++) {
        struct query q = query_of(s, list_of(f, is_count != 0));
        bind_number(&q, 1, (int64_t)f->tenant);
        bind_number(&q, 2, (int64_t)f->pool);
        bind_number(&q, 3, (int64_t)f->card);
        bind_number(&q, 4, f->state);
        bind_text(&q, 5, search);
        bind_text(&q, 6, high);
        bind_page(&q, 7, page);
        bind_text(&q, 9, without);
        bind_number(&q, 10, f->grants);
        enum store_status status = query_step(&q);
        if (is_count && status == STORE_OK)
            *total = (uint64_t)column_number(&q, 0);
        while (!is_count && status == STORE_OK) {
            struct subscription row;
            read_row(&q, &row);
            if (!each(context, &row))
                break;
            status = query_step(&q);
        }
        query_end(&q);
        if (status != STORE_OK && status != STORE_NONE)
            return status;
    }
    return STORE_OK;
}

enum store_status store_pool_counts(struct store *s, uint64_t pool, uint64_t counts[4])
{
    memset(counts, 0, 4 * sizeof(counts[0]));
    struct query q = query_of(s, STATEMENT_POOL_COUNTS);
    bind_number(&q, 1, (int64_t)pool);
    enum store_status status = query_step(&q);
    while (status == STORE_OK) {
        counts[column_number(&q, 0) & 3] = (uint64_t)column_number(&q, 1);
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

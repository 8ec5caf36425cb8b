// Packets of cards in parts. A part whose others do not come soon is kept in the store and
// answered, so that an SMSC may bring the next one.
#include "common/base/check.h"
#include "ota-server/service/outbox_part.h"

#include <stdlib.h>

#define JOINS_MAX 4096
#define HOLD_MS 500     // for the other parts to come, before a part is kept
#define DONE_MS 3600000 // parts of a packet may come again

bool outbox_join_open(struct outbox *o)
{
    struct outbox_options *options = &o->options;
    if (options->joins_max == 0)
        options->joins_max = JOINS_MAX;
    check(options->joins_max < OUTBOX_NONE);
    uint32_t buckets = 1;
    while (buckets < options->joins_max)
        buckets *= 2;
    o->join_mask = buckets - 1;
    o->joins_at = INSTANT_NEVER;
    o->joins = calloc(options->joins_max, sizeof o->joins[0]);
    o->join_buckets = calloc(buckets, sizeof o->join_buckets[0]);
    if (o->joins == NULL || o->join_buckets == NULL)
        return false;
    memset(o->join_buckets, 0xFF, buckets * sizeof o->join_buckets[0]);
    o->join_free = OUTBOX_NONE;
    for (uint32_t i = options->joins_max; i-- > 0;) {
        o->joins[i].next = o->join_free;
        o->join_free = (uint16_t)i;
    }
    return true;
}

// --- sets of parts ---------------------------------------------------------------------------

static struct join *find_join(struct outbox *o, uint64_t key)
{
    for (uint16_t i = o->join_buckets[key & o->join_mask]; i != OUTBOX_NONE; i = o->joins[i].next) {
        if (o->joins[i].key == key)
            return &o->joins[i];
    }
    return NULL;
}

static void look_by(struct join *j, struct instant at)
{
    j->answer_by = instant_earlier(j->answer_by, at);
    j->outbox->joins_at = instant_earlier(j->outbox->joins_at, at);
}

static struct join *new_join(struct outbox *o, uint64_t key, const char *number, uint8_t total)
{
    if (o->join_free == OUTBOX_NONE)
        return NULL;
    const uint16_t index = o->join_free;
    struct join *j = &o->joins[index];
    uint16_t *bucket = &o->join_buckets[key & o->join_mask];
    o->join_free = j->next;
    memset(j, 0, offsetof(struct join, joiner));
    sms_joiner_init(&j->joiner);
    memcpy(j->number, number, strlen(number) + 1);
    j->is_used = true;
    j->outbox = o;
    j->key = key;
    j->total = total;
    j->next = *bucket;
    *bucket = index;
    j->answer_by = INSTANT_NEVER;
    j->until = instant_after(o->now, SMS_JOIN_MS);
    o->joins_at = instant_earlier(o->joins_at, j->until);
    o->counts.joins_held++;
    return j;
}

static void free_join(struct join *j)
{
    struct outbox *o = j->outbox;
    uint16_t *at = &o->join_buckets[j->key & o->join_mask];
    const uint16_t index = (uint16_t)(j - o->joins);
    check(!j->is_keeping);
    while (*at != index)
        at = &o->joins[*at].next;
    *at = j->next;
    j->is_used = false;
    j->next = o->join_free;
    o->join_free = index;
    o->counts.joins_held--;
}

static bool has(uint8_t parts, unsigned index)
{
    return (parts >> index & 1) != 0;
}

static void put_back(struct join *j, unsigned index)
{
    struct outbox *o = j->outbox;
    o->counts.parts_put_back += j->owed[index].is_held;
    outbox_answer(o, &j->owed[index], OUTBOX_PUT_BACK);
}

static bool is_whole(const struct join *j)
{
    bool is_whole = true;
    for (unsigned i = 0; i < j->total; i++)
        is_whole = is_whole && j->hashes[i] != 0;
    return is_whole;
}

static enum sms_join join_one(struct join *j, unsigned index, struct sms_packet *packet)
{
    // The joiner holds one set: its key has the sender in it.
    static const struct sms_address sender = {0};
    const struct bytes user_data = bytes_of(j->user_data[index], j->lens[index]);
    return sms_join(&j->joiner, &sender, user_data, j->outbox->now, packet);
}

// Joins those that are here; a whole packet waits for the step.
static void begin_again(struct join *j)
{
    struct sms_packet unused;
    sms_joiner_init(&j->joiner);
    for (unsigned i = 0; i < j->total && !is_whole(j); i++) {
        if (j->hashes[i] != 0)
            (void)join_one(j, i, &unused);
    }
}

// What is not in the store stays with the SMSC, and is as if it had not come; what is, is tried
// again.
static void give_back(struct join *j)
{
    struct outbox *o = j->outbox;
    for (unsigned i = 0; i < j->total; i++) {
        put_back(j, i);
        if (!has(j->kept | j->keeping, i))
            j->hashes[i] = 0;
    }
    j->is_complete = false;
    if (j->kept == 0 && !j->is_keeping) {
        free_join(j);
        return;
    }
    j->until = instant_after(o->now, SMS_JOIN_MS);
    begin_again(j);
    look_by(j, instant_after(o->now, HOLD_MS));
}

// --- whole packets ---------------------------------------------------------------------------

static bool is_done(const struct outbox *o, uint64_t hash)
{
    for (unsigned i = 0; i < OUTBOX_DONE_MAX; i++) {
        if (o->done[i].hash == hash && !instant_is_due(o->done[i].until, o->now))
            return true;
    }
    return false;
}

// The packet is safe: its parts may be answered, and those that are answered already are known
// when they come again.
static void join_done(void *context, enum store_status status)
{
    struct join *j = context;
    struct outbox *o = j->outbox;
    if (status != STORE_OK) {
        give_back(j);
        return;
    }
    for (unsigned i = 0; i < j->total; i++) {
        if (!j->owed[i].is_held) {
            o->done[o->done_next] =
                (struct done_part){j->hashes[i], instant_after(o->now, DONE_MS)};
            o->done_next = (o->done_next + 1) % OUTBOX_DONE_MAX;
        }
        outbox_answer(o, &j->owed[i], ESME_ROK);
    }
    free_join(j);
}

static void complete(struct join *j, const struct sms_packet *packet)
{
    struct outbox *o = j->outbox;
    struct turn_message message;
    if (!outbox_message(packet, j->number, j->total, &message)) {
        o->counts.no_packet++;
        join_done(j, STORE_OK);
        return;
    }
    j->is_complete = turn_receive(o->options.turn, &message, join_done, j);
    if (j->is_complete)
        o->counts.messages++;
    else
        give_back(j);
}

static void join_part(struct join *j, unsigned index)
{
    struct sms_packet packet;
    switch (join_one(j, index, &packet)) {
    case SMS_JOIN_COMPLETE:
        complete(j, &packet);
        break;
    case SMS_JOIN_DUPLICATE:
    case SMS_JOIN_WAITING:
        break;
    case SMS_JOIN_REFUSED: // all parts, and no packet or two in them: it will not get better
        j->outbox->counts.no_packet++;
        join_done(j, STORE_OK);
        break;
    }
}

// All parts are here: the turn did not take the packet when they came.
static void join_again(struct join *j)
{
    const unsigned total = j->total;
    sms_joiner_init(&j->joiner);
    for (unsigned i = 0; i < total; i++)
        join_part(j, i); // the last one completes it
}

// --- keeping parts ---------------------------------------------------------------------------

static enum store_status keep(void *context, struct store *store, struct utc now)
{
    struct join *j = context;
    enum store_status status = STORE_OK;
    j->keeping = 0;
    for (unsigned i = 0; i < j->total && status == STORE_OK; i++) {
        if (j->hashes[i] == 0 || has(j->kept, i))
            continue;
        status =
            store_message_part_put(store, j->number, bytes_of(j->user_data[i], j->lens[i]), now);
        j->keeping |= (uint8_t)(1u << i);
    }
    return status;
}

static void kept(void *context, enum store_status status)
{
    struct join *j = context;
    struct outbox *o = j->outbox;
    const uint8_t parts = j->keeping;
    j->is_keeping = false;
    j->keeping = 0;
    if (status == STORE_OK)
        j->kept |= parts;
    for (unsigned i = 0; i < j->total; i++) {
        if (status != STORE_OK)
            put_back(j, i); // its octets stay in memory for the others
        else if (has(parts, i))
            outbox_answer(o, &j->owed[i], ESME_ROK);
    }
    o->joins_at = instant_earlier(o->joins_at, instant_earlier(j->answer_by, j->until));
}

static void begin_keeping(struct join *j)
{
    bool is_all_kept = true;
    for (unsigned i = 0; i < j->total; i++)
        is_all_kept = is_all_kept && (j->hashes[i] == 0 || has(j->kept, i));
    if (is_all_kept)
        return;
    j->is_keeping = turn_write_repeatable(j->outbox->options.turn, keep, kept, j);
    for (unsigned i = 0; i < j->total && !j->is_keeping; i++)
        put_back(j, i);
}

// --- a part ----------------------------------------------------------------------------------

static uint64_t key_of(const char *number, const struct sms_part *part)
{
    const uint8_t names[4] = {part->is_wide, (uint8_t)(part->reference >> 8),
                              (uint8_t)part->reference, part->total};
    return outbox_hash(outbox_hash(OUTBOX_HASH, bytes_of_text(number)),
                       bytes_of(names, sizeof names));
}

static void hold(struct join *j, unsigned index, struct owed *owed)
{
    put_back(j, index); // an earlier copy of the same part
    j->owed[index] = *owed;
    look_by(j, instant_after(j->outbox->now, HOLD_MS));
}

// The set in which the part has its place, new if it must be; NULL when there is no room, or a new
// message comes under the name of an unfinished one.
static struct join *place_of(struct outbox *o, const char *number, const struct sms_part *part,
                             uint64_t hash)
{
    const uint64_t key = key_of(number, part);
    struct join *j = find_join(o, key);
    if (j == NULL)
        return new_join(o, key, number, part->total);
    const uint64_t there = j->hashes[part->number - 1u];
    return there == 0 || there == hash ? j : NULL;
}

static void put(struct join *j, unsigned index, struct bytes user_data, uint64_t hash)
{
    j->hashes[index] = hash;
    j->lens[index] = (uint8_t)user_data.len;
    bytes_copy(j->user_data[index], user_data);
}

static uint64_t hash_of(const char *number, struct bytes user_data)
{
    return outbox_hash(outbox_hash(OUTBOX_HASH, bytes_of_text(number)), user_data);
}

void outbox_take_part(struct outbox *o, struct owed *owed, const char *number,
                      const struct sms_part *part, struct bytes user_data)
{
    const uint64_t hash = hash_of(number, user_data);
    const unsigned index = part->number - 1u;
    struct join *j = is_done(o, hash) ? NULL : place_of(o, number, part, hash);
    const bool is_repeat = j == NULL ? is_done(o, hash) : j->hashes[index] == hash;
    o->counts.parts_received++;
    o->counts.parts_duplicate += is_repeat;
    if (is_repeat && (j == NULL || has(j->kept, index))) {
        outbox_answer(o, owed, ESME_ROK);
    } else if (j == NULL) {
        o->counts.parts_put_back++;
        outbox_answer(o, owed, OUTBOX_PUT_BACK);
    } else {
        hold(j, index, owed);
        if (is_repeat)
            return;
        put(j, index, user_data, hash);
        join_part(j, index);
    }
}

// --- those of an earlier start ---------------------------------------------------------------

static void restore_part(void *context, const char *number, struct bytes user_data)
{
    struct outbox *o = context;
    struct sms_part part;
    const bool is_part = user_data.len <= SMS_USER_DATA_MAX && sms_read_part(user_data, &part) &&
                         part.total > 1 && part.total <= SMS_PARTS_MAX;
    if (!is_part)
        return;
    const uint64_t hash = hash_of(number, user_data);
    struct join *j = place_of(o, number, &part, hash);
    if (j == NULL || j->hashes[part.number - 1u] == hash)
        return;
    put(j, part.number - 1u, user_data, hash);
    j->kept |= (uint8_t)(1u << (part.number - 1u));
    begin_again(j);
    look_by(j, o->now);
}

static enum store_status read_parts(void *context, struct store *store, struct utc now)
{
    return store_message_parts(store, utc_after(now, -DONE_MS), restore_part, context);
}

static void parts_read(void *context, enum store_status status)
{
    struct outbox *o = context;
    o->is_reading_parts = false;
    o->has_kept_parts = status == STORE_OK;
    if (!o->has_kept_parts)
        o->read_at = instant_after(o->now, OUTBOX_AGAIN_MS);
}

// --- time ------------------------------------------------------------------------------------

static void look_at(struct join *j)
{
    struct outbox *o = j->outbox;
    if (instant_is_due(j->answer_by, o->now) && !j->is_keeping) {
        j->answer_by = INSTANT_NEVER;
        if (is_whole(j)) {
            join_again(j);
            return;
        }
        begin_keeping(j);
    }
    if (instant_is_due(j->until, o->now) && !j->is_keeping) {
        for (unsigned i = 0; i < j->total; i++)
            put_back(j, i);
        o->counts.joins_given_up++;
        free_join(j);
    }
}

void outbox_join_step(struct outbox *o)
{
    if (!o->has_kept_parts && !o->is_reading_parts) {
        if (instant_is_due(o->read_at, o->now))
            o->is_reading_parts = turn_write(o->options.turn, read_parts, parts_read, o);
        else
            o->deadline = instant_earlier(o->deadline, o->read_at);
    }
    if (instant_is_due(o->joins_at, o->now)) {
        o->joins_at = INSTANT_NEVER;
        for (uint32_t i = 0; i < o->options.joins_max; i++) {
            struct join *j = &o->joins[i];
            if (j->is_used && !j->is_complete)
                look_at(j);
            if (j->is_used && !j->is_complete && !j->is_keeping)
                o->joins_at = instant_earlier(o->joins_at, instant_earlier(j->answer_by, j->until));
        }
    }
    o->deadline = instant_earlier(o->deadline, o->joins_at);
}

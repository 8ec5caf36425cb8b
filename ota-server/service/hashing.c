#include "ota-server/service/hashing.h"

#include "common/base/check.h"
#include "common/base/secret.h"
#include "common/host/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum place_state { PLACE_FREE, PLACE_WAITING, PLACE_RUNNING, PLACE_DONE };

struct place {
    uint8_t state; // enum place_state
    uint64_t number;
    struct hashing_order order; // its octets are those below
    uint8_t password[HASHING_OCTETS];
    uint8_t salt[PASSWORD_SALT_SIZE];
    struct hashing_result result;
};

struct hashing {
    struct hashing_options options;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t moved; // any of what follows
    bool is_closing;
    uint64_t number;
    // Under the mutex; password, salt and result of the one under way are the thread's.
    struct place places[HASHING_PLACES];
};

// --- on the thread ---------------------------------------------------------------------------

static void run(struct place *p)
{
    const uint64_t before = memory_failures();
    struct hashing_result *r = &p->result;
    if (p->order.hash != NULL) {
        r->is_right = password_fits(p->order.password, r->hash);
        r->is_failed = memory_failures() != before;
    } else {
        r->is_right = password_hash(p->order.password, p->salt, r->hash);
        r->is_failed = !r->is_right;
    }
    secret_wipe(p->password, sizeof(p->password));
}

// The one with the lowest number in this state; NULL: none.
static struct place *first_in(struct hashing *h, enum place_state state)
{
    struct place *found = NULL;
    for (unsigned i = 0; i < HASHING_PLACES; i++) {
        struct place *p = &h->places[i];
        if (p->state == state && (found == NULL || p->number < found->number))
            found = p;
    }
    return found;
}

static void *work(void *context)
{
    struct hashing *h = context;
    (void)pthread_mutex_lock(&h->mutex);
    while (!h->is_closing) {
        struct place *p = first_in(h, PLACE_WAITING);
        if (p == NULL) {
            (void)pthread_cond_wait(&h->moved, &h->mutex);
            continue;
        }
        p->state = PLACE_RUNNING;
        (void)pthread_mutex_unlock(&h->mutex);
        run(p);
        (void)pthread_mutex_lock(&h->mutex);
        p->state = PLACE_DONE;
        (void)pthread_cond_broadcast(&h->moved);
        h->options.wake(h->options.wake_context);
    }
    (void)pthread_mutex_unlock(&h->mutex);
    return NULL;
}

// --- orders ------------------------------------------------------------------------------------

static void free_place(struct place *p)
{
    secret_wipe(p, sizeof(*p));
}

static void fill(struct hashing *h, struct place *p, const struct hashing_order *order)
{
    *p = (struct place){.state = PLACE_WAITING, .number = ++h->number, .order = *order};
    bytes_copy(p->password, order->password);
    p->order.password.at = p->password;
    if (order->salt != NULL)
        memcpy(p->salt, order->salt, sizeof(p->salt));
    if (order->hash != NULL)
        memcpy(p->result.hash, order->hash, strlen(order->hash) + 1);
}

bool hashing_give(struct hashing *h, const struct hashing_order *order)
{
    check(order->password.len <= HASHING_OCTETS && (order->hash != NULL) != (order->salt != NULL));
    check(order->hash == NULL || strlen(order->hash) < PASSWORD_HASH_SIZE);
    struct place *room = NULL;
    unsigned same = 0;
    (void)pthread_mutex_lock(&h->mutex);
    for (unsigned i = 0; i < HASHING_PLACES; i++) {
        struct place *p = &h->places[i];
        if (p->state == PLACE_FREE)
            room = p;
        else
            same += p->order.asker == order->asker;
    }
    const bool may = room != NULL && same < HASHING_EACH;
    if (may)
        fill(h, room, order);
    (void)pthread_cond_broadcast(&h->moved);
    (void)pthread_mutex_unlock(&h->mutex);
    return may;
}

void hashing_drop(struct hashing *h, const void *context)
{
    (void)pthread_mutex_lock(&h->mutex);
    for (unsigned i = 0; i < HASHING_PLACES; i++) {
        struct place *p = &h->places[i];
        if (p->order.context != context)
            continue;
        p->order.done = NULL;
        if (p->state == PLACE_WAITING)
            free_place(p);
    }
    (void)pthread_mutex_unlock(&h->mutex);
}

// Takes what was done first out of its place; false: nothing is.
static bool take_done(struct hashing *h, struct hashing_order *order, struct hashing_result *result)
{
    (void)pthread_mutex_lock(&h->mutex);
    struct place *p = first_in(h, PLACE_DONE);
    if (p != NULL) {
        *order = p->order;
        *result = p->result;
        free_place(p);
    }
    (void)pthread_mutex_unlock(&h->mutex);
    return p != NULL;
}

void hashing_step(struct hashing *h)
{
    struct hashing_order order;
    struct hashing_result result;
    while (take_done(h, &order, &result)) {
        if (order.done != NULL)
            order.done(order.context, &result);
        secret_wipe(&result, sizeof(result));
    }
}

bool hashing_wait(struct hashing *h)
{
    (void)pthread_mutex_lock(&h->mutex);
    while (first_in(h, PLACE_DONE) == NULL &&
           (first_in(h, PLACE_WAITING) != NULL || first_in(h, PLACE_RUNNING) != NULL))
        (void)pthread_cond_wait(&h->moved, &h->mutex);
    const bool is_done = first_in(h, PLACE_DONE) != NULL;
    (void)pthread_mutex_unlock(&h->mutex);
    return is_done;
}

// --- opening and closing -----------------------------------------------------------------------

struct hashing *hashing_open(const struct hashing_options *options)
{
    struct hashing *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return NULL;
    h->options = *options;
    if (pthread_mutex_init(&h->mutex, NULL) != 0 || pthread_cond_init(&h->moved, NULL) != 0 ||
        pthread_create(&h->thread, NULL, work, h) != 0) {
        free(h);
        return NULL;
    }
    return h;
}

void hashing_close(struct hashing *h)
{
    if (h == NULL)
        return;
    (void)pthread_mutex_lock(&h->mutex);
    h->is_closing = true;
    (void)pthread_cond_broadcast(&h->moved);
    (void)pthread_mutex_unlock(&h->mutex);
    (void)pthread_join(h->thread, NULL);
    (void)pthread_cond_destroy(&h->moved);
    (void)pthread_mutex_destroy(&h->mutex);
    for (unsigned i = 0; i < HASHING_PLACES; i++)
        free_place(&h->places[i]);
    free(h);
}

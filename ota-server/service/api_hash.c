// Passwords of requests, hashed beside the loop: the exchange waits meanwhile, and what asked runs
// again with the result. Where there is no thread, they are hashed on the spot.
#include "common/host/ip.h"
#include "ota-server/service/api_exchange.h"

#include <stdlib.h>

// Of an address: of IPv6 its network of 64 bits, all of which one customer has [RFC 6177 §2].
uint64_t api_peer_key(const struct api_exchange *x)
{
    struct ip ip;
    const struct bytes peer = bytes_of_text(x->request->peer);
    if (!ip_read(peer, &ip) || ip_is_v4(&ip))
        return api_correlator_hash(peer);
    return api_correlator_hash(bytes_of(ip.at, sizeof(ip.at) / 2));
}

static void resume(void *context, const struct hashing_result *result)
{
    struct api_exchange *x = context;
    struct api_hashed *h = &x->hashed;
    h->is_waiting = false;
    if (x->close_work != NULL && x->work != NULL)
        x->close_work(x->work);
    x->close_work = NULL;
    free(x->work);
    x->work = NULL;
    x->problem = api_problem_of(API_OK);
    x->failures = store_failures(x->reader); // all is read again
    api_start_answer(x);
    if (result->is_failed) {
        api_refuse_code(x, API_UNAVAILABLE);
        return;
    }
    char *kept = h->is_making ? h->made : h->compared;
    h->is_right = h->is_making ? h->is_right : result->is_right;
    memcpy(kept, result->hash, sizeof(result->hash));
    if (h->is_admitted)
        x->route->handle(x);
    else if (api_admit(x))
        api_run(x);
}

// False: refused, before x is admitted with x->problem.
static void wait_for(struct api_exchange *x, struct hashing_order order)
{
    order.asker = api_peer_key(x);
    order.done = resume;
    order.context = x;
    x->hashed.is_making = order.hash == NULL;
    x->hashed.is_waiting = hashing_give(x->api->hashing, &order);
    if (x->hashed.is_waiting)
        return;
    if (x->hashed.is_admitted)
        api_refuse_code(x, API_UNAVAILABLE);
    else
        x->problem = api_problem_of(API_UNAVAILABLE);
}

enum hashed api_hash_compare(struct api_exchange *x, const struct auth_user *user,
                             struct bytes password)
{
    const char *hash = auth_user_hash(user);
    const bool has_hash = user != NULL && user->hash[0] != '\0';
    bool is_right = false;
    if (strcmp(x->hashed.compared, hash) == 0) {
        is_right = x->hashed.is_right;
    } else if (x->api->hashing != NULL) {
        wait_for(x, (struct hashing_order){.password = password, .hash = hash});
        return HASHED_LATER;
    } else {
        is_right = password_fits(password, hash);
    }
    return is_right && has_hash ? HASHED_RIGHT : HASHED_WRONG;
}

bool api_hash_make(struct api_exchange *x, struct bytes password, char hash[PASSWORD_HASH_SIZE])
{
    uint8_t salt[PASSWORD_SALT_SIZE];
    if (x->hashed.made[0] != '\0') {
        memcpy(hash, x->hashed.made, sizeof(x->hashed.made));
        return true;
    }
    const bool has_salt = x->api->options.fill(x->api->options.fill_context, salt, sizeof(salt));
    if (has_salt && x->api->hashing != NULL) {
        wait_for(x, (struct hashing_order){.password = password, .salt = salt});
        return false;
    }
    if (has_salt && password_hash(password, salt, hash))
        return true;
    api_refuse_code(x, API_UNAVAILABLE);
    return false;
}

void api_hash_end(struct api *api)
{
    hashing_close(api->hashing);
    api->hashing = NULL;
    for (struct api_exchange *x = api->in_work, *next = NULL; x != NULL; x = next) {
        next = x->next;
        if (!x->hashed.is_waiting)
            continue;
        x->hashed.is_waiting = false;
        api_start_answer(x);
        api_refuse_code(x, API_UNAVAILABLE);
    }
}

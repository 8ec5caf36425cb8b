#include "sim-emulator/core/nvm.h"

#include "common/base/check.h"

#define NO_PAGE 0

void nvm_pool_init(struct nvm_pool *pool, struct nvm_page *pages, uint32_t page_count)
{
    check(page_count >= 2);
    *pool = (struct nvm_pool){.pages = pages, .page_count = page_count, .fresh = 1};
}

static uint32_t page_take(struct nvm_pool *pool)
{
    uint32_t page = pool->freed;
    if (page != NO_PAGE)
        pool->freed = pool->pages[page].next;
    else if (pool->fresh < pool->page_count)
        page = pool->fresh++;
    else
        return NO_PAGE;
    pool->used++;
    return page;
}

static void page_give_back(struct nvm_pool *pool, uint32_t page)
{
    pool->pages[page].next = pool->freed;
    pool->freed = page;
    pool->used--;
}

bool nvm_may_fail(const struct nvm_faults *faults)
{
    const bool is_over = !faults->error_stays && faults->written >= faults->error_at;
    return faults->cut_at != 0 || (faults->error_at != 0 && !is_over);
}

static void forget_near(const struct nvm *nvm)
{
    if (nvm->pool->near_of == nvm)
        nvm->pool->near_of = NULL;
}

void nvm_init(struct nvm *nvm, struct nvm_pool *pool)
{
    *nvm = (struct nvm){.pool = pool, .first = NO_PAGE};
    forget_near(nvm);
}

void nvm_release(struct nvm *nvm)
{
    while (nvm->first != NO_PAGE) {
        uint32_t page = nvm->first;
        nvm->first = nvm->pool->pages[page].next;
        page_give_back(nvm->pool, page);
    }
    forget_near(nvm);
}

static uint32_t page_after(const struct nvm *nvm, uint32_t page)
{
    return page == NO_PAGE ? nvm->first : nvm->pool->pages[page].next;
}

// The last page whose number is lower than this, or NO_PAGE.
static uint32_t page_before(const struct nvm *nvm, uint32_t number)
{
    struct nvm_pool *pool = nvm->pool;
    uint32_t before = NO_PAGE;
    if (pool->near_of == nvm && pool->near != NO_PAGE && pool->pages[pool->near].number < number)
        before = pool->near;
    for (;;) {
        uint32_t next = page_after(nvm, before);
        if (next == NO_PAGE || pool->pages[next].number >= number)
            break;
        before = next;
    }
    pool->near_of = nvm;
    pool->near = before;
    return before;
}

// The page with this number, or NO_PAGE if nothing was ever written there.
static uint32_t page_find(const struct nvm *nvm, uint32_t number)
{
    uint32_t page = page_after(nvm, page_before(nvm, number));
    return page != NO_PAGE && nvm->pool->pages[page].number == number ? page : NO_PAGE;
}

static void link_to(struct nvm *nvm, uint32_t before, uint32_t page)
{
    if (before == NO_PAGE)
        nvm->first = page;
    else
        nvm->pool->pages[before].next = page;
}

// The same, taken from the pool if it is not there; NO_PAGE when the pool is empty.
static uint32_t page_need(struct nvm *nvm, uint32_t number)
{
    uint32_t before = page_before(nvm, number);
    uint32_t next = page_after(nvm, before);
    if (next != NO_PAGE && nvm->pool->pages[next].number == number)
        return next;
    uint32_t page = page_take(nvm->pool);
    if (page == NO_PAGE)
        return NO_PAGE;
    struct nvm_page *made = &nvm->pool->pages[page];
    memset(made->octets, NVM_ERASED, sizeof made->octets);
    made->next = next;
    made->number = (uint16_t)number;
    link_to(nvm, before, page);
    return page;
}

static void page_drop(struct nvm *nvm, uint32_t number)
{
    uint32_t before = page_before(nvm, number);
    uint32_t page = page_after(nvm, before);
    link_to(nvm, before, nvm->pool->pages[page].next);
    page_give_back(nvm->pool, page);
}

static size_t length_in_page(uint32_t offset, size_t len)
{
    size_t room = NVM_PAGE_LEN - offset % NVM_PAGE_LEN;
    return len < room ? len : room;
}

static void check_range(uint32_t offset, size_t len)
{
    check(len <= NVM_LEN_MAX && offset <= NVM_LEN_MAX - len);
}

void nvm_read(const struct nvm *nvm, uint32_t offset, void *to, size_t len)
{
    check_range(offset, len);
    uint8_t *at = to;
    while (len > 0) {
        size_t here = length_in_page(offset, len);
        uint32_t page = page_find(nvm, offset / NVM_PAGE_LEN);
        if (page == NO_PAGE)
            memset(at, NVM_ERASED, here);
        else
            memcpy(at, nvm->pool->pages[page].octets + offset % NVM_PAGE_LEN, here);
        at += here;
        offset += (uint32_t)here;
        len -= here;
    }
}

static void reflect(const struct nvm *nvm, uint32_t offset, const uint8_t *cells, size_t len)
{
    if (nvm->mirror != NULL)
        memcpy(nvm->mirror + offset, cells, len);
}

// One cell. The plan is asked for every octet, so that a test reaches each of them.
static enum nvm_result write_octet(struct nvm *nvm, uint8_t *cell, uint8_t value)
{
    struct nvm_faults *faults = nvm->faults;
    faults->written++;
    if (faults->cut_at != 0 && faults->written >= faults->cut_at) {
        if (faults->is_torn)
            *cell = faults->torn_value;
        nvm->is_cut = true;
        faults->cut_at = 0; // once
        return NVM_CUT;
    }
    bool fails =
        faults->error_at != 0 && (faults->written == faults->error_at ||
                                  (faults->error_stays && faults->written > faults->error_at));
    if (fails)
        return NVM_FAILED;
    *cell = value;
    return NVM_OK;
}

// `from` NULL: writes NVM_ERASED.
static enum nvm_result write_in_page(struct nvm *nvm, uint32_t offset, const uint8_t *from,
                                     size_t len)
{
    uint32_t page = page_need(nvm, offset / NVM_PAGE_LEN);
    if (page == NO_PAGE)
        return NVM_FAILED;
    uint8_t *cells = nvm->pool->pages[page].octets + offset % NVM_PAGE_LEN;
    nvm->written += (uint32_t)len;
    if (nvm->faults == NULL) {
        if (from == NULL)
            memset(cells, NVM_ERASED, len);
        else
            memcpy(cells, from, len);
        reflect(nvm, offset, cells, len);
        return NVM_OK;
    }
    for (size_t i = 0; i < len; i++) {
        enum nvm_result result = write_octet(nvm, &cells[i], from == NULL ? NVM_ERASED : from[i]);
        reflect(nvm, offset + (uint32_t)i, &cells[i], 1);
        if (result != NVM_OK)
            return result;
    }
    return NVM_OK;
}

enum nvm_result nvm_write(struct nvm *nvm, uint32_t offset, const void *from, size_t len)
{
    check_range(offset, len);
    const uint8_t *at = from;
    while (len > 0) {
        if (nvm->is_cut)
            return NVM_CUT;
        size_t here = length_in_page(offset, len);
        enum nvm_result result = write_in_page(nvm, offset, at, here);
        if (result != NVM_OK)
            return result;
        at += here;
        offset += (uint32_t)here;
        len -= here;
    }
    return NVM_OK;
}

enum nvm_result nvm_erase(struct nvm *nvm, uint32_t offset, size_t len)
{
    check_range(offset, len);
    while (len > 0) {
        if (nvm->is_cut)
            return NVM_CUT;
        size_t here = length_in_page(offset, len);
        uint32_t number = offset / NVM_PAGE_LEN;
        uint32_t page = page_find(nvm, number);
        enum nvm_result result = page == NO_PAGE ? NVM_OK : write_in_page(nvm, offset, NULL, here);
        if (result != NVM_OK)
            return result;
        if (page != NO_PAGE && here == NVM_PAGE_LEN)
            page_drop(nvm, number);
        offset += (uint32_t)here;
        len -= here;
    }
    return NVM_OK;
}

void nvm_mirror(struct nvm *nvm, uint8_t *mirror)
{
    nvm->mirror = mirror;
    if (mirror != NULL)
        nvm_read(nvm, 0, mirror, NVM_LEN_MAX);
}

bool nvm_reserve(struct nvm *nvm, uint32_t offset, size_t len)
{
    check_range(offset, len);
    if (len == 0)
        return true;
    uint32_t last = (offset + (uint32_t)len - 1) / NVM_PAGE_LEN;
    for (uint32_t page = offset / NVM_PAGE_LEN; page <= last; page++) {
        if (page_need(nvm, page) == NO_PAGE)
            return false;
    }
    return true;
}

void nvm_power_on(struct nvm *nvm)
{
    nvm->is_cut = false;
}

uint32_t nvm_pages(const struct nvm *nvm)
{
    uint32_t count = 0;
    for (uint32_t page = nvm->first; page != NO_PAGE; page = page_after(nvm, page))
        count++;
    return count;
}

bool nvm_next_page(const struct nvm *nvm, uint32_t *number, struct bytes *octets)
{
    uint32_t page = page_after(nvm, page_before(nvm, *number));
    if (page == NO_PAGE)
        return false;
    *number = nvm->pool->pages[page].number;
    *octets = bytes_of(nvm->pool->pages[page].octets, NVM_PAGE_LEN);
    return true;
}

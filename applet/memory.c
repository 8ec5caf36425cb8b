#include "applet/memory.h"

#include "common/base/check.h"
#include "common/base/secret.h"
#include "common/wire/crc.h"
#include "common/wire/secured.h"

#define MARKER 0xA5
#define SEAL 0x5A
#define CRC_LEN 4
#define HEAD_LEN 6 // number and length
#define COUNTERS_LEN 18
#define PIECE_LEN 64

// One copy of a record: where its parts are. On memories with pages each has its own.
struct copy {
    size_t marker_at;
    size_t seal_at;
    size_t crc_at;
    size_t head_at;
    size_t content_max;
};

/*@ requires page > 0;
  @ assigns \result \from len, page;
  @*/
static size_t round_up(size_t len, size_t page)
{
    return (len + page - 1) / page * page;
}

/*@ requires page > 0;
  @ assigns \result \from content_len, page;
  @*/
static size_t copy_size(size_t content_len, size_t page)
{
    return 2 * page + round_up(CRC_LEN, page) + round_up(HEAD_LEN + content_len, page);
}

/*@ requires page > 0;
  @ assigns \result \from base, size, page;
  @*/
static struct copy copy_at(size_t base, size_t size, size_t page)
{
    size_t head_at = base + 2 * page + round_up(CRC_LEN, page);
    return (struct copy){
        .marker_at = base,
        .seal_at = base + page,
        .crc_at = base + 2 * page,
        .head_at = head_at,
        .content_max = base + size - head_at - HEAD_LEN,
    };
}

/*@ requires \valid_read(port) && port->nvm_page > 0;
  @ assigns \result \from *port, which;
  @*/
static struct copy counters_copy(const struct applet_port *port, uint8_t which)
{
    size_t size = copy_size(COUNTERS_LEN, port->nvm_page);
    return copy_at(which * size, size, port->nvm_page);
}

/*@ requires \valid_read(port) && port->nvm_page > 0;
  @ assigns \result \from *port;
  @*/
static size_t bank_size(const struct applet_port *port)
{
    size_t counters = 2 * copy_size(COUNTERS_LEN, port->nvm_page);
    if (port->nvm_size < counters)
        return 0;
    size_t size = (port->nvm_size - counters) / 2 / port->nvm_page * port->nvm_page;
    size_t max = copy_size(IMAGE_LEN_MAX, port->nvm_page);
    return size < max ? size : max;
}

/*@ requires \valid_read(port) && port->nvm_page > 0;
  @ assigns \result \from *port, which;
  @*/
static struct copy bank_copy(const struct applet_port *port, uint8_t which)
{
    size_t base = 2 * copy_size(COUNTERS_LEN, port->nvm_page);
    size_t size = bank_size(port);
    return copy_at(base + which * size, size, port->nvm_page);
}

size_t memory_capacity(const struct applet_port *port)
{
    if (bank_size(port) < copy_size(1, port->nvm_page))
        return 0;
    size_t content_max = bank_copy(port, 0).content_max;
    return content_max < IMAGE_LEN_MAX ? content_max : IMAGE_LEN_MAX;
}

// A used slot with short numbers, and what an image has besides slots, results and notifications.
#define SLOT_LEN 90
#define BODY_LEN 96

size_t applet_nvm_size(uint8_t slot_count, size_t page)
{
    size_t content = BODY_LEN + SLOT_LEN * (size_t)slot_count + image_reserve(slot_count);
    return 2 * copy_size(COUNTERS_LEN, page) + 2 * copy_size(content, page);
}

// --- one copy ---

static bool nvm_read(const struct applet_port *port, size_t at, void *to, size_t len)
{
    return port->nvm_read(port->context, at, to, len);
}

// Writes and compares what then stands there.
static bool nvm_write(const struct applet_port *port, size_t at, const uint8_t *from, size_t len)
{
    bool is_right = port->nvm_write(port->context, at, from, len);
    uint8_t piece[PIECE_LEN];
    for (size_t done = 0; is_right && done < len; done += sizeof piece) {
        size_t part = len - done < sizeof piece ? len - done : sizeof piece;
        is_right = nvm_read(port, at + done, piece, part) && secret_equal(piece, from + done, part);
    }
    secret_wipe(piece, sizeof piece);
    return is_right;
}

static bool nvm_zero(const struct applet_port *port, size_t at, size_t len)
{
    const uint8_t zeros[PIECE_LEN] = {0};
    for (size_t done = 0; done < len; done += sizeof zeros) {
        size_t part = len - done < sizeof zeros ? len - done : sizeof zeros;
        if (!nvm_write(port, at + done, zeros, part))
            return false;
    }
    return true;
}

// What a copy says of itself.
struct found {
    bool is_readable;
    bool is_valid;
    bool is_untouched; // nothing was ever written behind the locks
    bool has_length;
    uint8_t marker;
    uint8_t seal;
    uint32_t number;
    size_t len;
    uint32_t crc; // that belongs to the content
    uint32_t stored;
};

static bool crc_of_content(const struct applet_port *port, const struct copy *c,
                           const uint8_t head[HEAD_LEN], struct found *f)
{
    f->crc = crc32_add(0, bytes_of(head, HEAD_LEN));
    uint8_t piece[PIECE_LEN];
    bool is_read = true;
    for (size_t done = 0; is_read && done < f->len; done += sizeof piece) {
        size_t part = f->len - done < sizeof piece ? f->len - done : sizeof piece;
        is_read = nvm_read(port, c->head_at + HEAD_LEN + done, piece, part);
        if (is_read)
            f->crc = crc32_add(f->crc, bytes_of(piece, part));
    }
    secret_wipe(piece, sizeof piece);
    return is_read;
}

/*@ requires len == 0 || \valid_read(octets + (0 .. len - 1));
  @ assigns \result \from octets[0 .. len - 1], len, value;
  @ ensures \result <==> (\forall integer i; 0 <= i < len ==> octets[i] == value);
  @*/
static bool is_filled(const uint8_t *octets, size_t len, uint8_t value)
{
    /*@ loop invariant 0 <= i <= len;
      @ loop invariant \forall integer k; 0 <= k < i ==> octets[k] == value;
      @ loop assigns i;
      @ loop variant len - i;
      @*/
    for (size_t i = 0; i < len; i++) {
        if (octets[i] != value)
            return false;
    }
    return true;
}

static struct found copy_look(const struct applet_port *port, const struct copy *c)
{
    struct found f = {.is_readable = false};
    uint8_t head[HEAD_LEN];
    uint8_t crc[CRC_LEN];
    if (!nvm_read(port, c->marker_at, &f.marker, 1) || !nvm_read(port, c->seal_at, &f.seal, 1) ||
        !nvm_read(port, c->crc_at, crc, CRC_LEN) || !nvm_read(port, c->head_at, head, HEAD_LEN))
        return f;
    struct reader r = reader_of(bytes_of(head, sizeof head));
    f.number = reader_u32(&r);
    f.len = reader_u16(&r);
    struct reader rc = reader_of(bytes_of(crc, sizeof crc));
    f.stored = reader_u32(&rc);
    f.is_untouched = is_filled(head, sizeof head, 0xFF) || is_filled(head, sizeof head, 0x00);
    f.has_length = f.len > 0 && f.len <= c->content_max;
    if (!f.has_length) {
        // No length of ours: the CRC cannot be right.
        f.len = 0;
        f.is_readable = true;
        f.crc = ~f.stored;
        return f;
    }
    f.is_readable = crc_of_content(port, c, head, &f);
    f.is_valid = f.is_readable && f.marker == MARKER && f.crc == f.stored;
    return f;
}

// Whether a copy is damaged, or only a commit that was cut off (memory.h). `is_older`: the other
// one is valid and newer.
static bool is_rotten(const struct found *f, bool is_older, size_t page)
{
    if (f->is_valid || f->is_untouched)
        return false;
    if (!f->is_readable)
        return true;
    // The newest version is never touched, so one that was committed has been damaged.
    if (f->seal == SEAL && !is_older)
        return true;
    const uint32_t rest = 0x00FFFFFF; // of the CRC, behind the octet that a commit spoils
    if (f->has_length && ((f->stored ^ f->crc) & rest) == 0)
        return f->stored == f->crc && f->seal == SEAL; // the CRC is spoiled before the marker goes
    // The content is replaced only while marker and seal are clear. Where whole pages are written,
    // the spoiling may tear all of the CRC, of an older version or one that was never committed.
    return (f->marker != 0 || f->seal != 0) && page == 1;
}

static bool write_u32(const struct applet_port *port, size_t at, uint32_t value)
{
    uint8_t octets[4];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u32(&w, value);
    return nvm_write(port, at, octets, sizeof octets);
}

static bool write_u8(const struct applet_port *port, size_t at, uint8_t value)
{
    return nvm_write(port, at, &value, 1);
}

// Steps 1 and 2: both locks closed. Gives the length of what stood there. What is closed already
// stays as it is: writing it again could open it. `present`: the number of the other copy, which is
// valid. A damaged copy gets, and keeps, its seal: when the commit that tells of the damage is cut
// off, the next start finds the damage again.
static bool copy_close(const struct applet_port *port, const struct copy *c, uint32_t present,
                       size_t *former_len)
{
    struct found f = copy_look(port, c);
    if (!f.is_readable)
        return false;
    *former_len = f.len;
    const bool is_older = (int32_t)(f.number - present) < 0;
    const uint8_t seal = is_rotten(&f, is_older, port->nvm_page) ? SEAL : 0;
    if (seal == SEAL && f.seal != seal && !write_u8(port, c->seal_at, seal))
        return false;
    if (f.stored == f.crc && !write_u8(port, c->crc_at, (uint8_t)(~f.crc >> 24)))
        return false;
    return (f.marker == 0 || write_u8(port, c->marker_at, 0)) &&
           (seal == SEAL || f.seal == 0 || write_u8(port, c->seal_at, 0));
}

// Step 6. One that fails is made up for at the next start.
static void copy_seal(const struct applet_port *port, const struct copy *c)
{
    (void)write_u8(port, c->seal_at, SEAL);
}

// `octets` holds HEAD_LEN octets of room, then `len` octets of content.
/*@ requires \valid_read(port) && \valid_read(c) && \valid(octets + (0 .. HEAD_LEN + len - 1));
  @ assigns octets[0 .. HEAD_LEN - 1];
  @*/
static bool copy_commit(const struct applet_port *port, const struct copy *c, uint32_t number,
                        uint8_t *octets, size_t len)
{
    size_t former_len = 0;
    if (!copy_close(port, c, number - 1, &former_len))
        return false;
    struct writer w = writer_of(octets, HEAD_LEN);
    writer_u32(&w, number);
    writer_u16(&w, (uint16_t)len);
    if (!nvm_write(port, c->head_at, octets, HEAD_LEN + len))
        return false;
    // What was longer before may hold keys.
    if (former_len > len && !nvm_zero(port, c->head_at + HEAD_LEN + len, former_len - len))
        return false;
    uint32_t crc = crc32_add(0, bytes_of(octets, HEAD_LEN + len));
    if (!write_u32(port, c->crc_at, crc))
        return false;
    // A memory that reports an error may have taken the marker all the same: it decides.
    if (!write_u8(port, c->marker_at, MARKER) && !copy_look(port, c).is_valid)
        return false;
    copy_seal(port, c);
    return true;
}

// Which of two copies is the present one; -1 for neither.
static int copy_choose(const struct found f[2])
{
    if (f[0].is_valid && f[1].is_valid)
        return (int32_t)(f[1].number - f[0].number) > 0 ? 1 : 0;
    if (f[0].is_valid)
        return 0;
    return f[1].is_valid ? 1 : -1;
}

// Whether the copy that was not chosen is damaged; the chosen one gets its seal if a cut kept it
// from it.
static bool copy_settle(const struct applet_port *port, const struct copy copies[2],
                        const struct found f[2], int which)
{
    if (f[which].seal != SEAL)
        copy_seal(port, &copies[which]);
    const struct found *other = &f[which ^ 1];
    bool is_older = (int32_t)(other->number - f[which].number) < 0;
    return is_rotten(other, is_older, port->nvm_page);
}

static bool is_blank(const struct applet_port *port, size_t from, size_t to)
{
    uint8_t first = 0;
    if (!nvm_read(port, from, &first, 1) || (first != 0x00 && first != 0xFF))
        return false;
    uint8_t piece[PIECE_LEN];
    bool is_same = true;
    for (size_t at = from; is_same && at < to; at += sizeof piece) {
        size_t part = to - at < sizeof piece ? to - at : sizeof piece;
        is_same = nvm_read(port, at, piece, part) && is_filled(piece, part, first);
    }
    secret_wipe(piece, sizeof piece);
    return is_same;
}

// --- counters ---

bool memory_count(struct applet *a, const struct applet_port *port, uint64_t mt_counter,
                  uint64_t mo_counter, const uint8_t digest[8])
{
    check(mt_counter >= a->mt_counter && mo_counter >= a->mo_counter);
    uint8_t octets[HEAD_LEN + COUNTERS_LEN];
    struct writer w = writer_of(octets + HEAD_LEN, COUNTERS_LEN);
    writer_u40(&w, mt_counter);
    writer_u40(&w, mo_counter);
    writer_copy(&w, bytes_of(digest, 8));
    uint8_t other = a->counters_bank ^ 1;
    struct copy c = counters_copy(port, other);
    if (!copy_commit(port, &c, a->counters_number + 1, octets, COUNTERS_LEN))
        return false;
    a->counters_bank = other;
    a->counters_number++;
    a->mt_counter = mt_counter;
    a->mo_counter = mo_counter;
    memcpy(a->packet_digest, digest, sizeof a->packet_digest);
    return true;
}

// True when one copy is damaged and the other is used.
static bool read_counters(struct applet *a, const struct applet_port *port)
{
    struct copy copies[2] = {counters_copy(port, 0), counters_copy(port, 1)};
    struct found found[2] = {copy_look(port, &copies[0]), copy_look(port, &copies[1])};
    int which = copy_choose(found);
    uint8_t octets[COUNTERS_LEN];
    if (which < 0 || found[which].len != COUNTERS_LEN ||
        !nvm_read(port, copies[which].head_at + HEAD_LEN, octets, sizeof octets)) {
        a->is_blocked = true;
        return false;
    }
    struct reader r = reader_of(bytes_of(octets, sizeof octets));
    a->mt_counter = reader_u40(&r);
    a->mo_counter = reader_u40(&r);
    reader_copy(&r, a->packet_digest, sizeof a->packet_digest);
    a->counters_bank = (uint8_t)which;
    a->counters_number = found[which].number;
    return copy_settle(port, copies, found, which);
}

// The damaged copy may have been the newer one. A message may have left under its MO counter, which
// is therefore not used again; the last packet that changed anything stands in the image, if that
// is not lost as well.
static void catch_up(struct applet *a, uint64_t last_counter)
{
    if (last_counter > a->mt_counter && last_counter <= SECURED_CNTR_MAX)
        a->mt_counter = last_counter;
    if (a->mo_counter < SECURED_CNTR_MAX)
        a->mo_counter++;
}

bool memory_heal(struct applet *a, const struct applet_port *port)
{
    uint8_t digest[8];
    memcpy(digest, a->packet_digest, sizeof digest);
    return a->is_blocked || memory_count(a, port, a->mt_counter, a->mo_counter, digest);
}

// --- the image ---

void memory_release(const struct applet_port *port)
{
    port->work->holder = NULL;
}

void memory_hold(const struct applet *a, const struct applet_port *port)
{
    port->work->holder = a;
    port->work->holder_number = a->bank_number;
}

bool memory_load(const struct applet *a, const struct applet_port *port)
{
    if (port->work->holder == a && port->work->holder_number == a->bank_number)
        return true;
    memory_release(port);
    struct copy c = bank_copy(port, a->bank);
    uint8_t *bank = port->work->bank;
    if (!nvm_read(port, c.head_at, bank, HEAD_LEN + a->bank_len))
        return false;
    if (!image_read(bytes_of(bank + HEAD_LEN, a->bank_len), port->factory, &port->work->image))
        return false;
    memory_hold(a, port);
    return true;
}

enum memory_status memory_commit(struct applet *a, const struct applet_port *port)
{
    struct image *image = &port->work->image;
    check(image_is_sound(image));
    image->dues.now = a->now_s;
    uint8_t *bank = port->work->bank;
    struct writer w = writer_of(bank + HEAD_LEN, memory_capacity(port));
    image_write(&w, image, port->factory);
    if (w.failed)
        return MEMORY_FULL;
    uint8_t other = a->bank ^ 1;
    struct copy c = bank_copy(port, other);
    if (!copy_commit(port, &c, a->bank_number + 1, bank, w.len))
        return MEMORY_ERROR;
    a->bank = other;
    a->bank_number++;
    a->bank_len = (uint16_t)w.len;
    return MEMORY_OK;
}

bool memory_scrub(const struct applet *a, const struct applet_port *port)
{
    struct copy c = bank_copy(port, a->bank ^ 1);
    size_t former_len = 0;
    return copy_close(port, &c, a->bank_number, &former_len) &&
           nvm_zero(port, c.head_at + HEAD_LEN, c.content_max);
}

void memory_factory_image(const struct applet_port *port, struct image *image)
{
    const struct applet_factory *factory = port->factory;
    memset(image, 0, sizeof *image);
    image->slot_count = factory->slot_count;
    image->registry_version = 1;
    for (uint8_t i = 0; i < factory->subscription_count && i < factory->slot_count; i++)
        image_factory_slot(factory, i, &image->slots[i]);
    image->preferred = image_enabled(image);
    memset(image->country, 0xFF, sizeof image->country);
    parameters_default(&image->parameters);
    image->parameters.server_address_len = factory->server_address.len;
    memcpy(image->parameters.server_address, factory->server_address.octets,
           sizeof image->parameters.server_address);
    check(image_is_sound(image));
}

// What was there is gone, and the card says so: in the same commit, or a start that fails meanwhile
// would leave a card that began anew and tells nobody.
static void note_replaced(struct image *image)
{
    image->notify_sequence = 1;
    image->pending_count = 1;
    image->pending[0] = (struct pending){.cause = NOTIFY_RESTORED,
                                         .sequence = image->notify_sequence,
                                         .to = image_name(image, image_enabled(image))};
}

// The bank that holds a readable image, preferring the one that was chosen.
static bool load_either(struct applet *a, const struct applet_port *port,
                        const struct found found[2], int which)
{
    for (int i = 0; i < 2; i++) {
        int bank = which ^ i;
        if (!found[bank].is_valid)
            continue;
        a->bank = (uint8_t)bank;
        a->bank_number = found[bank].number;
        a->bank_len = (uint16_t)found[bank].len;
        if (memory_load(a, port))
            return true;
    }
    return false;
}

// A new card: nothing but the first counters, at most, and a piece of the first bank were ever
// written. The counters come first, so counters that are lost later cannot look like this.
static bool is_new(const struct applet *a, const struct applet_port *port)
{
    struct copy first = bank_copy(port, 0);
    struct copy second = bank_copy(port, 1);
    struct copy counters = counters_copy(port, 1);
    bool is_second_blank =
        is_blank(port, second.marker_at, second.head_at + HEAD_LEN + second.content_max);
    if (!is_second_blank)
        return false;
    if (!a->is_blocked)
        return a->counters_number == 1;
    return is_blank(port, first.marker_at, first.head_at + HEAD_LEN + first.content_max) &&
           is_blank(port, counters.marker_at, first.marker_at);
}

static enum memory_found make_new(struct applet *a, const struct applet_port *port,
                                  enum memory_found found)
{
    if (found == MEMORY_NEW && a->is_blocked) {
        const uint8_t none[8] = {0};
        a->counters_bank = 1;
        if (!memory_count(a, port, 0, 0, none))
            return MEMORY_UNUSABLE;
        a->is_blocked = false;
    }
    memory_factory_image(port, &port->work->image);
    if (found == MEMORY_REPLACED)
        note_replaced(&port->work->image);
    return memory_commit(a, port) == MEMORY_OK ? found : MEMORY_UNUSABLE;
}

enum memory_found memory_mount(struct applet *a, const struct applet_port *port)
{
    check(port->nvm_page > 0);
    if (memory_capacity(port) == 0)
        return MEMORY_UNUSABLE;
    memory_release(port);
    const bool is_count_damaged = read_counters(a, port);
    struct copy copies[2] = {bank_copy(port, 0), bank_copy(port, 1)};
    struct found found[2] = {copy_look(port, &copies[0]), copy_look(port, &copies[1])};
    int which = copy_choose(found);
    if (which >= 0 && load_either(a, port, found, which)) {
        if (is_count_damaged)
            catch_up(a, port->work->image.last_counter);
        // A bank that is whole and yet no image is damaged too.
        bool is_other = a->bank != which;
        bool is_damaged = copy_settle(port, copies, found, a->bank) || is_other;
        return is_damaged || is_count_damaged ? MEMORY_DAMAGED : MEMORY_FOUND;
    }
    // Nothing tells of the last packet any more, nor what ran: a copy of it must not run again.
    // Kept before the image that has forgotten it.
    if (is_count_damaged) {
        catch_up(a, a->mt_counter + 1);
        if (!memory_heal(a, port))
            return MEMORY_UNUSABLE;
    }
    // Into the first bank, above every number that may still stand somewhere.
    bool is_virgin = is_new(a, port);
    a->bank = 1;
    bool is_second_higher = (int32_t)(found[1].number - found[0].number) > 0;
    a->bank_number = is_virgin ? 0 : found[is_second_higher].number;
    return make_new(a, port, is_virgin ? MEMORY_NEW : MEMORY_REPLACED);
}

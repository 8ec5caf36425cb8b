#include "common/wire/sms.h"

// --- addresses

struct sms_address sms_address_of(const struct phone *number)
{
    struct sms_address address = {.digit_count = (uint8_t)strlen(number->digits),
                                  .type = number->type};
    struct writer w = writer_of(address.octets, sizeof address.octets);
    phone_write_bcd(&w, number);
    return address;
}

static size_t address_len(const struct sms_address *address)
{
    return ((size_t)address->digit_count + 1) / 2;
}

bool sms_address_phone(const struct sms_address *address, struct phone *out)
{
    const bool is_letters = (address->type & 0x70) == 0x50;
    return phone_read_counted(address->type, bytes_of(address->octets, address_len(address)),
                              address->digit_count, out) &&
           !is_letters;
}

bool sms_address_equal(const struct sms_address *a, const struct sms_address *b)
{
    return a->digit_count == b->digit_count && a->type == b->type &&
           memcmp(a->octets, b->octets, address_len(a)) == 0;
}

static struct sms_address read_address(struct reader *r)
{
    struct sms_address address = {.digit_count = reader_u8(r), .type = reader_u8(r)};
    if (address.digit_count > 2 * SMS_ADDRESS_MAX) {
        address.digit_count = 0;
        r->failed = true;
    }
    reader_copy(r, address.octets, address_len(&address));
    return address;
}

static void write_address(struct writer *w, const struct sms_address *address)
{
    if (address->digit_count > 2 * SMS_ADDRESS_MAX) {
        w->failed = true;
        return;
    }
    writer_u8(w, address->digit_count);
    writer_u8(w, address->type);
    writer_copy(w, bytes_of(address->octets, address_len(address)));
}

// --- user data

bool sms_is_septets(uint8_t dcs)
{
    const uint8_t group = dcs >> 4;
    if (group < 0x8) { // general: compressed or not, then one of four alphabets
        const uint8_t alphabet = dcs >> 2 & 3;
        const bool is_compressed = (dcs & 0x20) != 0;
        return !is_compressed && alphabet != 1 && alphabet != 2;
    }
    if (group == 0xF)
        return (dcs & 0x04) == 0;
    return group != 0xE; // message waiting with UCS2; what is reserved counts as septets
}

static size_t user_data_octets(uint8_t dcs, uint8_t length)
{
    return sms_is_septets(dcs) ? ((size_t)length * 7 + 7) / 8 : length;
}

static struct bytes read_user_data(struct reader *r, uint8_t dcs, uint8_t *length)
{
    *length = reader_u8(r);
    const size_t len = user_data_octets(dcs, *length);
    if (len > SMS_USER_DATA_MAX)
        r->failed = true;
    return reader_bytes(r, len);
}

static void write_user_data(struct writer *w, uint8_t dcs, uint8_t length, struct bytes user_data)
{
    const uint8_t written = sms_is_septets(dcs) ? length : (uint8_t)user_data.len;
    if (user_data.len > SMS_USER_DATA_MAX || user_data_octets(dcs, written) != user_data.len)
        w->failed = true;
    writer_u8(w, written);
    writer_copy(w, user_data);
}

// --- TPDUs

enum sms_error sms_read_deliver(struct bytes tpdu, struct sms_deliver *out)
{
    struct reader r = reader_of(tpdu);
    *out = (struct sms_deliver){.first = reader_u8(&r)};
    if (!r.failed && (out->first & SMS_TYPE_MASK) != SMS_TYPE_DELIVER)
        return SMS_OTHER_TYPE;
    out->sender = read_address(&r);
    out->pid = reader_u8(&r);
    out->dcs = reader_u8(&r);
    reader_copy(&r, out->time, sizeof out->time);
    out->user_data = read_user_data(&r, out->dcs, &out->user_data_length);
    return reader_done(&r) ? SMS_OK : SMS_MALFORMED;
}

void sms_write_deliver(struct writer *w, const struct sms_deliver *m)
{
    writer_u8(w, m->first);
    write_address(w, &m->sender);
    writer_u8(w, m->pid);
    writer_u8(w, m->dcs);
    writer_copy(w, bytes_of(m->time, sizeof m->time));
    write_user_data(w, m->dcs, m->user_data_length, m->user_data);
}

static size_t validity_len(uint8_t first)
{
    const uint8_t format = first & SMS_VALIDITY_MASK;
    if (format == 0)
        return 0;
    return format == SMS_VALIDITY_RELATIVE ? 1 : 7;
}

enum sms_error sms_read_submit(struct bytes tpdu, struct sms_submit *out)
{
    struct reader r = reader_of(tpdu);
    *out = (struct sms_submit){.first = reader_u8(&r)};
    if (!r.failed && (out->first & SMS_TYPE_MASK) != SMS_TYPE_SUBMIT)
        return SMS_OTHER_TYPE;
    out->reference = reader_u8(&r);
    out->recipient = read_address(&r);
    out->pid = reader_u8(&r);
    out->dcs = reader_u8(&r);
    out->validity = reader_bytes(&r, validity_len(out->first));
    out->user_data = read_user_data(&r, out->dcs, &out->user_data_length);
    return reader_done(&r) ? SMS_OK : SMS_MALFORMED;
}

void sms_write_submit(struct writer *w, const struct sms_submit *m)
{
    if (m->validity.len != validity_len(m->first))
        w->failed = true;
    writer_u8(w, m->first);
    writer_u8(w, m->reference);
    write_address(w, &m->recipient);
    writer_u8(w, m->pid);
    writer_u8(w, m->dcs);
    writer_copy(w, m->validity);
    write_user_data(w, m->dcs, m->user_data_length, m->user_data);
}

struct sms_deliver sms_deliver_packet(const struct sms_address *sender,
                                      const uint8_t time[SMS_TIME_LEN], struct bytes user_data)
{
    struct sms_deliver m = {
        .first = SMS_TYPE_DELIVER | SMS_HEADER_PRESENT,
        .sender = *sender,
        .pid = SMS_PID_USIM_DATA_DOWNLOAD,
        .dcs = SMS_DCS_CLASS_2_8BIT,
        .user_data_length = (uint8_t)user_data.len,
        .user_data = user_data,
    };
    memcpy(m.time, time, SMS_TIME_LEN);
    return m;
}

struct sms_submit sms_submit_packet(const struct sms_address *recipient, struct bytes user_data)
{
    return (struct sms_submit){
        .first = SMS_TYPE_SUBMIT | SMS_HEADER_PRESENT,
        .recipient = *recipient,
        .pid = SMS_PID_USIM_DATA_DOWNLOAD,
        .dcs = SMS_DCS_CLASS_2_8BIT,
        .user_data_length = (uint8_t)user_data.len,
        .user_data = user_data,
    };
}

// --- time

#define MINUTE_MS INT64_C(60000)
#define DAY_MS INT64_C(86400000)
// 2000-01-01 and 2100-01-01, both 00:00 UTC, and the days of four years.
#define TIME_FIRST_MS (INT64_C(10957) * DAY_MS)
#define TIME_END_MS (INT64_C(47482) * DAY_MS)
#define FOUR_YEARS_DAYS 1461
#define ZONE_UNKNOWN 0xFF

// Days before each month of a common year.
static const uint16_t month_starts[13] = {0,   31,  59,  90,  120, 151, 181,
                                          212, 243, 273, 304, 334, 365};

// In 2000 to 2099 every fourth year is a leap year.
static unsigned month_start(unsigned year, unsigned month)
{
    return month_starts[month] + (year % 4 == 0 && month >= 2 ? 1u : 0u);
}

static bool read_swapped(uint8_t octet, unsigned max, unsigned *value)
{
    const unsigned tens = octet & 0x0F;
    const unsigned units = octet >> 4;
    *value = tens * 10 + units;
    return tens <= 9 && units <= 9 && *value <= max;
}

// The zone in quarters of an hour; the sign is the top bit of the tens.
static bool read_zone(uint8_t octet, int *quarters)
{
    unsigned value = 0;
    *quarters = 0;
    if (octet == ZONE_UNKNOWN)
        return true;
    if (!read_swapped(octet & 0xF7, 79, &value))
        return false;
    *quarters = octet & 0x08 ? -(int)value : (int)value;
    return true;
}

bool sms_time_read(const uint8_t octets[SMS_TIME_LEN], struct utc *out)
{
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    int quarters = 0;
    *out = (struct utc){0};
    if (!read_swapped(octets[0], 99, &year) || !read_swapped(octets[1], 12, &month) ||
        !read_swapped(octets[2], 31, &day) || !read_swapped(octets[3], 23, &hour) ||
        !read_swapped(octets[4], 59, &minute) || !read_swapped(octets[5], 59, &second) ||
        !read_zone(octets[6], &quarters))
        return false;
    if (month == 0 || day == 0)
        return false;
    const unsigned start = month_start(year, month - 1);
    if (start + day > month_start(year, month))
        return false;
    const unsigned days = year * 365 + (year + 3) / 4 + start + day - 1;
    out->ms = TIME_FIRST_MS + (int64_t)days * DAY_MS + ((int64_t)hour * 60 + minute) * MINUTE_MS +
              (int64_t)second * 1000 - (int64_t)quarters * 15 * MINUTE_MS;
    return true;
}

static uint8_t swapped(unsigned value)
{
    return (uint8_t)(value % 10 << 4 | value / 10);
}

void sms_time_write(struct utc at, uint8_t octets[SMS_TIME_LEN])
{
    int64_t ms = at.ms;
    if (ms < TIME_FIRST_MS)
        ms = TIME_FIRST_MS;
    if (ms >= TIME_END_MS)
        ms = TIME_END_MS - 1;
    ms -= TIME_FIRST_MS;
    const unsigned days = (unsigned)(ms / DAY_MS);
    const unsigned seconds = (unsigned)(ms % DAY_MS) / 1000;
    unsigned year = days / FOUR_YEARS_DAYS * 4;
    unsigned day = days % FOUR_YEARS_DAYS;
    while (day >= month_start(year, 12)) {
        day -= month_start(year, 12);
        year++;
    }
    unsigned month = 1;
    while (day >= month_start(year, month))
        month++;
    octets[0] = swapped(year);
    octets[1] = swapped(month);
    octets[2] = swapped(day - month_start(year, month - 1) + 1);
    octets[3] = swapped(seconds / 3600);
    octets[4] = swapped(seconds / 60 % 60);
    octets[5] = swapped(seconds % 60);
    octets[6] = 0;
}

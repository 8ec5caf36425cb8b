#include "sim-emulator/shell/capture.h"

#include <fcntl.h>
#include <unistd.h>

#define LINKTYPE_RAW 101
#define HEADERS_LEN 28 // IPv4 and UDP
#define BLOCK_SECTION 0x0A0D0D0AU
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 6
#define BYTE_ORDER_MAGIC 0x1A2B3C4DU
#define GSMTAP_VERSION 2
#define GSMTAP_TYPE_SIM 4
#define GSMTAP_HEADER_WORDS 4

// In the byte order of the machine that writes it; readers tell by the magic number.
static void put_u32(FILE *file, uint32_t value)
{
    (void)fwrite(&value, sizeof value, 1, file);
}

static void put_u16(FILE *file, uint16_t value)
{
    (void)fwrite(&value, sizeof value, 1, file);
}

static void put_section(FILE *file)
{
    put_u32(file, BLOCK_SECTION);
    put_u32(file, 28);
    put_u32(file, BYTE_ORDER_MAGIC);
    put_u16(file, 1); // version 1.0
    put_u16(file, 0);
    put_u32(file, UINT32_MAX); // the length of the section is not given
    put_u32(file, UINT32_MAX);
    put_u32(file, 28);
    put_u32(file, BLOCK_INTERFACE);
    put_u32(file, 20);
    put_u16(file, LINKTYPE_RAW);
    put_u16(file, 0);
    put_u32(file, 0); // no limit
    put_u32(file, 20);
}

FILE *capture_open(const char *path)
{
    // Its owner's alone: it holds identifiers of subscribers.
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    put_section(file);
    return file;
}

static uint16_t checksum(struct bytes header)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < header.len; i += 2)
        sum += (uint32_t)header.at[i] << 8 | header.at[i + 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put_headers(struct writer *w, size_t len)
{
    writer_u16(w, 0x4500);
    writer_u16(w, (uint16_t)(HEADERS_LEN + len));
    writer_u32(w, 0x00004000); // do not fragment
    writer_u32(w, 0x40110000); // UDP; checksum below
    writer_u32(w, 0x7F000001);
    writer_u32(w, 0x7F000001);
    uint16_t sum = checksum(writer_bytes(w));
    w->at[10] = (uint8_t)(sum >> 8);
    w->at[11] = (uint8_t)sum;
    writer_u16(w, CAPTURE_PORT);
    writer_u16(w, CAPTURE_PORT);
    writer_u16(w, (uint16_t)(8 + len));
    writer_u16(w, 0); // no checksum
}

void capture_write(FILE *file, struct bytes gsmtap, struct utc at)
{
    uint8_t octets[HEADERS_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    put_headers(&w, gsmtap.len);
    uint32_t len = (uint32_t)(w.len + gsmtap.len);
    uint32_t padding = (4 - len % 4) % 4;
    uint32_t block = 32 + len + padding;
    uint64_t us = (uint64_t)at.ms * 1000;
    put_u32(file, BLOCK_PACKET);
    put_u32(file, block);
    put_u32(file, 0); // the interface
    put_u32(file, (uint32_t)(us >> 32));
    put_u32(file, (uint32_t)us);
    put_u32(file, len);
    put_u32(file, len);
    (void)fwrite(octets, w.len, 1, file);
    (void)fwrite(gsmtap.at, gsmtap.len, 1, file);
    const uint8_t zeros[4] = {0};
    (void)fwrite(zeros, 1, padding, file);
    put_u32(file, block);
}

void capture_gsmtap(struct writer *w, enum capture_kind kind, uint32_t card, struct bytes content)
{
    writer_u8(w, GSMTAP_VERSION);
    writer_u8(w, GSMTAP_HEADER_WORDS);
    writer_u8(w, GSMTAP_TYPE_SIM);
    writer_u8(w, 0); // what follows is of radio: timeslot, channel, signal, noise
    writer_u32(w, 0);
    writer_u32(w, card); // in place of the frame number
    writer_u8(w, (uint8_t)kind);
    writer_fill(w, 0, 3);
    writer_copy(w, content);
}

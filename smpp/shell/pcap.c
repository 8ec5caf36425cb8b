#include "smpp/shell/pcap.h"

#include <fcntl.h>
#include <unistd.h>

#define LINKTYPE_RAW 101
#define SNAP_MAX 65535
#define SEGMENT_MAX 1400
#define HEADERS_LEN 40 // IPv4 and TCP without options
#define SMPP_PORT 2775
#define CLIENT_PORT 20000

// The file is in the byte order of the machine that writes it; readers tell by the magic number.
static void put_u32(FILE *file, uint32_t value)
{
    (void)fwrite(&value, sizeof value, 1, file);
}

FILE *pcap_open(const char *path)
{
    // Its owner's alone: it holds the passwords of binds.
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    const uint16_t version[2] = {2, 4};
    put_u32(file, 0xA1B2C3D4);
    (void)fwrite(version, sizeof version, 1, file);
    put_u32(file, 0);
    put_u32(file, 0);
    put_u32(file, SNAP_MAX);
    put_u32(file, LINKTYPE_RAW);
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

static void write_segment(FILE *file, struct pcap_flow *flow, uint32_t link, bool from_client,
                          struct bytes octets)
{
    uint8_t head[HEADERS_LEN];
    struct writer w = writer_of(head, sizeof head);
    writer_u16(&w, 0x4500);
    writer_u16(&w, (uint16_t)(HEADERS_LEN + octets.len));
    writer_u32(&w, 0x00004000); // do not fragment
    writer_u32(&w, 0x40060000); // TCP; checksum below
    writer_u32(&w, from_client ? 0x7F000002 : 0x7F000001);
    writer_u32(&w, from_client ? 0x7F000001 : 0x7F000002);
    uint16_t sum = checksum(bytes_of(head, 20));
    head[10] = (uint8_t)(sum >> 8);
    head[11] = (uint8_t)sum;
    uint16_t client_port = (uint16_t)(CLIENT_PORT + link);
    writer_u16(&w, from_client ? client_port : SMPP_PORT);
    writer_u16(&w, from_client ? SMPP_PORT : client_port);
    writer_u32(&w, 1 + (from_client ? flow->sequence_in : flow->sequence_out));
    writer_u32(&w, 1 + (from_client ? flow->sequence_out : flow->sequence_in));
    writer_u32(&w, 0x5018FFFF); // PSH, ACK
    writer_u32(&w, 0);          // analysers do not check TCP sums by default
    (void)fwrite(head, sizeof head, 1, file);
    (void)fwrite(octets.at, octets.len, 1, file);
    if (from_client)
        flow->sequence_in += (uint32_t)octets.len;
    else
        flow->sequence_out += (uint32_t)octets.len;
}

void pcap_write(FILE *file, struct pcap_flow *flow, uint32_t link, bool from_client,
                struct bytes octets, struct utc at)
{
    for (size_t offset = 0; offset < octets.len; offset += SEGMENT_MAX) {
        struct bytes piece = bytes_slice(octets, offset, SEGMENT_MAX);
        put_u32(file, (uint32_t)(at.ms / 1000));
        put_u32(file, (uint32_t)(at.ms % 1000 * 1000));
        put_u32(file, (uint32_t)(HEADERS_LEN + piece.len));
        put_u32(file, (uint32_t)(HEADERS_LEN + piece.len));
        write_segment(file, flow, link, from_client, piece);
    }
}

// Secured command and response packets [102.225 §5, 31.115 §4]: built at once, opened in steps.
//
// A packet here begins with its length field (CPL or RPL); the user data header in front of it, and
// the cutting into several messages, belong to sms.h.
//
// A card must tell nothing before a MAC is right. Opening is therefore cut where it must be able to
// look at something in between: shape (no key needed), then the card's choice of the key set, then
// decipher, which also tests the padding counter, then verify; TAR, level and counter come after.
// Until verify answers SECURED_OK nothing but the header octets may be believed, and `cntr`, `data`
// and `status` are unproven.
//
// Promises: triple DES with 2 and 3 keys and AES in CBC mode; CBC-MAC and CMAC, CRC-16 and CRC-32;
// zero IV; padding is zero and is never tested on receipt [102.225 §5.1]. MACs are compared in
// constant time. One ciphering and one MAC call per packet for AES; nothing is computed twice.
// Deciphering writes only into the caller's buffer.
// Never: chooses a key, keeps a counter, judges whether a level suffices unless asked, supports
// single DES, DES in ECB mode, or digital signatures.
#pragma once

#include "common/base/bytes.h"
#include "common/wire/cipher.h"

#define SECURED_COMMAND_HEADER_LEN 16  // CPL to PCNTR: what the MAC covers before the data
#define SECURED_RESPONSE_HEADER_LEN 13 // RPL to status
#define SECURED_CHECK_MAX 8
#define SECURED_CNTR_MAX UINT64_C(0xFFFFFFFFFF)

// --- indications -----------------------------------------------------------------------------

enum secured_integrity {
    SECURED_NO_INTEGRITY = 0,
    SECURED_RC = 1, // redundancy check: a CRC
    SECURED_CC = 2, // cryptographic checksum: a MAC
    SECURED_DS = 3, // digital signature
};

enum secured_counter {
    SECURED_COUNTER_NONE = 0,    // the field is there and ignored
    SECURED_COUNTER_PRESENT = 1, // no replay or sequence check
    SECURED_COUNTER_HIGHER = 2,  // processed only if above the stored one
    SECURED_COUNTER_NEXT = 3,    // processed only if it is the stored one plus 1
};

enum secured_por {
    SECURED_POR_NONE = 0,
    SECURED_POR_ALWAYS = 1,
    SECURED_POR_ON_ERROR = 2,
    SECURED_POR_RESERVED = 3,
};

struct secured_spi {
    enum secured_integrity integrity;
    bool is_ciphered;
    enum secured_counter counter;
    enum secured_por por;
    enum secured_integrity por_integrity;
    bool por_is_ciphered;
    bool por_by_submit; // SMS-SUBMIT; otherwise in the delivery report
    bool has_reserved;  // one of the reserved bits is set
};
/*@ assigns \result \from spi1, spi2;
  @ ensures \result.integrity == (spi1 & 0x03) && \result.counter == (spi1 >> 3 & 0x03);
  @ ensures \result.is_ciphered <==> (spi1 & 0x04) != 0;
  @*/
struct secured_spi secured_spi_read(uint8_t spi1, uint8_t spi2);
uint8_t secured_spi1(const struct secured_spi *spi);
uint8_t secured_spi2(const struct secured_spi *spi);

// True when every one of the three fields of `spi1` is at least as strong as in `minimum`, and no
// reserved bit is set. Field by field: 1A (no ciphering) does not satisfy 16.
/*@ assigns \result \from spi1, minimum;
  @ ensures \result ==> (spi1 & 0x03) >= (minimum & 0x03) &&
  @   (spi1 >> 3 & 0x03) >= (minimum >> 3 & 0x03) &&
  @   ((minimum & 0x04) != 0 ==> (spi1 & 0x04) != 0);
  @*/
bool secured_level_satisfies(uint8_t spi1, uint8_t minimum);

// The low nibble of KIc and KID. For KID it names a MAC if the packet carries a CC, a CRC if an RC.
enum secured_algorithm {
    SECURED_IMPLICIT = 0x0,
    SECURED_DES = 0x1, // CRC-16 for an RC
    SECURED_AES = 0x2,
    SECURED_PROPRIETARY = 0x3,
    SECURED_TRIPLE_DES_2 = 0x5, // 2 keys; CRC-32 for an RC
    SECURED_TRIPLE_DES_3 = 0x9, // 3 keys
    SECURED_DES_ECB = 0xD,
};
/*@ assigns \result \from indication;
  @*/
static inline uint8_t secured_algorithm(uint8_t indication)
{
    return indication & 0x0F;
}
// Number of the key set, 1 to 15; 0 = known implicitly.
static inline uint8_t secured_key_version(uint8_t indication)
{
    return indication >> 4;
}

// Response status codes [102.225 §5.2, 31.115 §7].
enum secured_status {
    SECURED_STATUS_OK = 0x00,
    SECURED_STATUS_CHECK_FAILED = 0x01,
    SECURED_STATUS_CNTR_LOW = 0x02,
    SECURED_STATUS_CNTR_HIGH = 0x03,
    SECURED_STATUS_CNTR_BLOCKED = 0x04,
    SECURED_STATUS_CIPHERING_ERROR = 0x05,
    SECURED_STATUS_UNIDENTIFIED_ERROR = 0x06,
    SECURED_STATUS_NO_MEMORY = 0x07,
    SECURED_STATUS_MORE_TIME = 0x08,
    SECURED_STATUS_TAR_UNKNOWN = 0x09,
    SECURED_STATUS_LEVEL_TOO_LOW = 0x0A,
    SECURED_STATUS_FOLLOWS_BY_SUBMIT = 0x0B,
    SECURED_STATUS_FOLLOWS_BY_USSD = 0x0C,
};

// --- results ---------------------------------------------------------------------------------

enum secured_result {
    SECURED_OK = 0,
    SECURED_SHAPE,        // lengths contradict each other or the indications
    SECURED_UNSUPPORTED,  // an algorithm this module does not have
    SECURED_KEY,          // the key does not fit the algorithm, or is missing
    SECURED_PADDING,      // the padding counter cannot be true
    SECURED_CHECK,        // RC or CC is wrong
    SECURED_UNPROTECTED,  // a response without the integrity that was asked for: a hint, no proof
    SECURED_NO_ROOM,      // the caller's buffer is too small
    SECURED_CIPHER_FAILED // the cryptography brought by the caller failed
};

// The keys of one key set. A key that the indications do not use may be NULL.
struct secured_keys {
    const struct secret_key *kic;
    const struct secret_key *kid;
    uint8_t cmac_len; // 8 (or 4): octets of an AES CC; an attribute of the key, 0 means 8
};

// --- building --------------------------------------------------------------------------------

struct secured_command {
    uint8_t spi1;
    uint8_t spi2;
    uint8_t kic;
    uint8_t kid;
    uint32_t tar;  // 24 bits
    uint64_t cntr; // 40 bits
    struct bytes data;
};
// Writes CPL to the last padding octet. On anything but SECURED_OK the writer holds what it held.
enum secured_result secured_write_command(struct writer *w, const struct secured_command *command,
                                          const struct secured_keys *keys,
                                          const struct cipher *cipher) MUST_USE;

// The answer to a command: its SPI2 says how it is secured, its KIc and KID with what.
struct secured_response {
    uint8_t spi2;
    uint8_t kic;
    uint8_t kid;
    uint32_t tar;
    uint64_t cntr; // copied from the command
    uint8_t status;
    struct bytes data;
};
enum secured_result secured_write_response(struct writer *w,
                                           const struct secured_response *response,
                                           const struct secured_keys *keys,
                                           const struct cipher *cipher) MUST_USE;

// --- opening ---------------------------------------------------------------------------------

// A packet on its way through the steps; all views are into the received octets or the buffer.
struct secured_packet {
    // Known after shape. Of a response: spi1 is 0; spi2, kic and kid are those of its command.
    uint8_t spi1;
    uint8_t spi2;
    uint8_t kic;
    uint8_t kid;
    uint32_t tar;
    uint8_t check_len; // octets of RC or CC
    // Known after decipher, believable after verify.
    uint64_t cntr;
    uint8_t pcntr;
    uint8_t status; // of a response
    struct bytes data;
    // private
    bool is_response;
    bool is_ciphered;
    enum secured_integrity integrity;
    struct bytes head; // CPL or RPL to TAR, in clear
    struct bytes body; // CNTR to the end: as received, then deciphered
    struct bytes check;
};

/*@ // The body has at least the counter, the padding counter, a response's status and the check.
  @ predicate packet_is_whole{L}(struct secured_packet *p) =
  @   bytes_are_valid(p->body) && p->check_len <= SECURED_CHECK_MAX &&
  @   p->body.len >= (p->is_response ? 7 : 6) + p->check_len;
  @ // Head and body are the octets of the packet, in order and without a gap.
  @ predicate packet_is_split{L}(struct secured_packet *p, struct bytes packet, integer head_len) =
  @   p->head.at == packet.at && p->head.len == head_len && p->body.at == packet.at + head_len &&
  @   p->body.len == packet.len - head_len && bytes_are_valid(p->head) && packet_is_whole(p);
  @*/

// Step 1. The whole of `packet` is one packet, its lengths agree with each other, with the SPI and,
// if ciphered, with the block.
/*@ requires bytes_are_valid(packet) && \valid(out);
  @ assigns *out, \result \from packet, packet.at[0 .. packet.len - 1];
  @ ensures \result == SECURED_OK ==> packet_is_split(out, packet, 10);
  @ ensures \result == SECURED_OK ==> out->is_response == 0 && packet.len >= 16;
  @*/
enum secured_result secured_command_shape(struct bytes packet, struct secured_packet *out) MUST_USE;
// The same for the answer to `command`. A response that carries no integrity although the command
// asked for it is taken as plain: verify then answers SECURED_UNPROTECTED.
/*@ requires bytes_are_valid(packet) && \valid(out) && \valid_read(command);
  @ requires \separated(command, out);
  @ assigns *out, \result \from packet, packet.at[0 .. packet.len - 1], *command;
  @ ensures \result == SECURED_OK ==> packet_is_split(out, packet, 6);
  @ ensures \result == SECURED_OK ==> out->is_response == 1 && packet.len >= 13;
  @*/
enum secured_result secured_response_shape(struct bytes packet,
                                           const struct secured_command *command,
                                           struct secured_packet *out) MUST_USE;
// Step 2. Deciphers into `buffer`, which needs the room of the packet; a packet that is not
// ciphered is read where it is. Tests PCNTR.
enum secured_result secured_decipher(struct secured_packet *p, const struct secured_keys *keys,
                                     const struct cipher *cipher, struct writer *buffer) MUST_USE;
// Step 3. SECURED_OK when the packet carries no integrity and none was asked for: the level is the
// caller's question. `cmac_len` of the keys is the only length of an AES CC that is accepted.
enum secured_result secured_verify(const struct secured_packet *p, const struct secured_keys *keys,
                                   const struct cipher *cipher) MUST_USE;

// Steps 2 and 3, in the same time whichever of them fails: a padding counter that cannot be true
// does not show before the check is computed. What step 2 says goes before what step 3 says.
enum secured_result secured_open(struct secured_packet *p, const struct secured_keys *keys,
                                 const struct cipher *cipher, struct writer *buffer) MUST_USE;

// --- sizes -----------------------------------------------------------------------------------

// Octets of a command or response packet with `data_len` octets of data; 0 for indications that
// this module does not support.
size_t secured_command_len(uint8_t spi1, uint8_t kic, uint8_t kid, uint8_t cmac_len,
                           size_t data_len);
size_t secured_response_len(uint8_t spi2, uint8_t kic, uint8_t kid, uint8_t cmac_len,
                            size_t data_len);
// The most octets of data whose packet takes at most `room` octets (sms_cut_room() gives the room
// of so many messages); 0 if not even an empty one does.
size_t secured_command_data_max(uint8_t spi1, uint8_t kic, uint8_t kid, uint8_t cmac_len,
                                size_t room);
size_t secured_response_data_max(uint8_t spi2, uint8_t kic, uint8_t kid, uint8_t cmac_len,
                                 size_t room);

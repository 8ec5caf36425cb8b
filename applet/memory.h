// Non-volatile memory: two banks for the image and two copies of the counters, committed so that a
// power cut at any moment leaves one whole version (docs/applet-protocol.md, persistence).
//
// Both are records of one kind: marker(1), seal(1), CRC-32(4), then number(4), length(2) and
// content. A commit goes to the copy that does not hold the present version, in this order:
//     1. spoil the first octet of the CRC   2. clear marker and seal   3. content and number
//     4. the CRC   5. the marker: this is the commit   6. the seal
// A copy counts only with marker and right CRC; of two, the higher number (modulo its width).
// Why this is safe: while any octet is being written, at least one lock other than that octet is
// closed, unless the content is complete. One lock alone is not enough: a torn octet can satisfy a
// check sum, and a torn marker can revive an earlier, abandoned commit whose content was complete.
//
// The seal locks nothing. It tells damage from a commit that was cut off: a sealed copy was
// committed, so one that is newer than the valid copy and no longer valid is damaged; and as the
// CRC is spoiled before the marker is cleared, so is a sealed one whose CRC is right and whose
// marker is not. Over a damaged copy step 2 leaves the seal: a cut before the word of the damage is
// committed leaves the damage to be found again. Not to be told from a cut, and without effect:
// damage to the first octet of the CRC, or to the seal, of the older copy.
//
// Every write is read back and compared. Nothing here judges what an image means.
#pragma once

#include "applet/applet.h"

enum memory_status {
    MEMORY_OK = 0,
    MEMORY_ERROR, // the memory failed; the former version is still the present one
    MEMORY_FULL,  // the image does not fit a bank; nothing was written
};

enum memory_found {
    MEMORY_FOUND = 0,
    MEMORY_NEW,      // a new card: the image was made from the factory record
    MEMORY_DAMAGED,  // one bank, or one copy of the counters, was bad; the other is used
    MEMORY_REPLACED, // both were: the image was made from the factory record
    MEMORY_UNUSABLE, // the memory fails, or is too small
};
// Finds the present version and leaves its image in the workspace. Lost counters set is_blocked.
enum memory_found memory_mount(struct applet *a, const struct applet_port *port) MUST_USE;
// Reads the committed image into the workspace, unless it is there.
bool memory_load(const struct applet *a, const struct applet_port *port) MUST_USE;
// The image of the workspace is about to be changed, and is no longer what was committed.
void memory_release(const struct applet_port *port);
// The image of the workspace is what was committed last.
void memory_hold(const struct applet *a, const struct applet_port *port);
// Commits the image of the workspace.
enum memory_status memory_commit(struct applet *a, const struct applet_port *port) MUST_USE;
// Overwrites the other bank, which may hold the keys of a deleted slot. False: the memory failed.
bool memory_scrub(const struct applet *a, const struct applet_port *port);
// Commits the counters as they are, so that a damaged copy of them is overwritten. False: it
// failed.
bool memory_heal(struct applet *a, const struct applet_port *port);
// Commits both counters and the digest of the last packet. They never go down.
/*@ requires \valid(a) && \valid_read(port) && port->nvm_page > 0;
  @ requires \valid_read(digest + (0 .. 7)) && \separated(a, digest + (0 .. 7));
  @ requires mt_counter >= a->mt_counter && mo_counter >= a->mo_counter;
  @ assigns a->counters_bank, a->counters_number, a->mt_counter, a->mo_counter,
  @   a->packet_digest[0 .. 7];
  @ ensures \result ==> a->mt_counter == mt_counter && a->mo_counter == mo_counter &&
  @   a->counters_number == (uint32_t)(\old(a->counters_number) + 1);
  @ ensures !\result ==> a->mt_counter == \old(a->mt_counter) &&
  @   a->mo_counter == \old(a->mo_counter) &&
  @   a->counters_bank == \old(a->counters_bank) &&
  @   a->counters_number == \old(a->counters_number);
  @*/
bool memory_count(struct applet *a, const struct applet_port *port, uint64_t mt_counter,
                  uint64_t mo_counter, const uint8_t digest[8]) MUST_USE;
// Octets of content that a bank holds.
/*@ requires \valid_read(port) && port->nvm_page > 0;
  @ assigns \result \from *port;
  @ ensures \result <= IMAGE_LEN_MAX;
  @*/
size_t memory_capacity(const struct applet_port *port);
// The image of a card that never did anything.
void memory_factory_image(const struct applet_port *port, struct image *image);

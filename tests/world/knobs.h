// What goes wrong in a world, and how often: drawn from the seed. Each knob is off in half of the
// seeds, the last ones in seven of eight, else log-uniform between its least and its most, because
// leaving faults out finds more than using all of them.
#pragma once

#include "common/base/prng.h"

// The first ones are chances per message, per million; the others mean times between two
// happenings of one kind on one card (or in the whole world), in ms. 0 = never.
#define KNOBS(KNOB)                                                                                \
    KNOB(mt_lost, 1000, 300000)           /* the network says delivered, the card never gets it */ \
    KNOB(mt_copy, 1000, 300000)           /* the card gets it again, up to days later */           \
    KNOB(mt_late, 1000, 300000)           /* the network says delivered long before it is */       \
    KNOB(mt_unacknowledged, 1000, 300000) /* the card took it, the network does not know */        \
    KNOB(mo_lost, 1000, 300000)                                                                    \
    KNOB(mo_copy, 1000, 300000)                                                                    \
    KNOB(mo_late, 1000, 300000)                                                                    \
    KNOB(mt_forged, 1000, 200000) /* somebody sends the card a changed copy as well */             \
    KNOB(mo_forged, 1000, 200000) /* the same towards the server */                                \
    KNOB(reflected, 1000, 200000) /* a message of the card comes back to it */                     \
    KNOB(smsc_lose, 1000, 100000)                                                                  \
    KNOB(smsc_delay, 1000, 300000)                                                                 \
    KNOB(smsc_duplicate, 1000, 300000)                                                             \
    KNOB(smsc_reorder, 1000, 300000)                                                               \
    KNOB(smsc_status, 1000, 300000)                                                                \
    KNOB(smsc_drop_receipt, 1000, 500000)                                                          \
    KNOB(smsc_drop_response, 1000, 100000)                                                         \
    KNOB(smsc_cut, 1000, 50000)                                                                    \
    KNOB(radio_loss, 1000, 300000)            /* on the air: the SMSC tries again */               \
    KNOB(power_ms, 1800000, 86400000)         /* the device is switched off for a while */         \
    KNOB(nvm_cut_ms, 600000, 43200000)        /* power fails within a write of the card */         \
    KNOB(move_ms, 1800000, 86400000)          /* into another coverage */                          \
    KNOB(reject_ms, 3600000, 172800000)       /* a network rejects for a while */                  \
    KNOB(imei_ms, 43200000, 345600000)        /* the card comes into another device */             \
    KNOB(crash_ms, 3600000, 172800000)        /* the server loses its memory */                    \
    KNOB(crash_acting_ms, 3600000, 172800000) /* the same between commit and acts */               \
    KNOB(link_ms, 3600000, 172800000)         /* a connection to the SMSC ends */                  \
    KNOB(server_stop_ms, 43200000, 345600000) /* clean stop and start */                           \
    KNOB(hand_ms, 14400000, 345600000)        /* somebody else commands the card */                \
    KNOB(cut_within, 1000, 1000000)           /* per million of cut links: in mid PDU */           \
    KNOB(full_ms, 14400000, 345600000)        /* the server's disk is full for a while */          \
    KNOB(clock_ms, 43200000, 345600000)       /* its clock jumps over a restart */                 \
    KNOB(nvm_error_ms, 14400000, 345600000)   /* a cell of the card's memory fails */              \
    KNOB(flood_ms, 14400000, 345600000)       /* somebody sends the card many wrong packets */     \
    KNOB(restore_ms, 43200000, 691200000)     /* the database is put back as it was before */      \
    KNOB(rot_ms, 14400000, 345600000)         /* an octet of a card that is off changes */         \
    KNOB(swap_ms, 43200000, 345600000)        /* two cards have each other's number for a while */ \
    KNOB(clone_ms, 43200000, 691200000)       /* a second card with the same keys is there */      \
    KNOB(office_ms, 14400000, 345600000)      /* people approve, retire, bar, stop the server */   \
    KNOB(smsc_reject, 1000, 100000)           /* per million: for good */                          \
    /* in one of eight seeds each: */                                                              \
    KNOB(smsc_mute, 10000, 500000)         /* per million: taken, and not answered */              \
    KNOB(weak_ms, 43200000, 345600000)     /* the server sends what cards refuse, for a while */   \
    KNOB(counters_ms, 86400000, 691200000) /* both copies of a card's counters are lost */         \
    KNOB(telltale, 1, 1)                   /* cards answer packets without a right MAC */          \
    /* of the transport: */                                                                        \
    KNOB(clog_ms, 14400000, 345600000)     /* the network of a card is clogged for a while */      \
    KNOB(stall_ms, 3600000, 172800000)     /* a connection carries nothing for a while */          \
    KNOB(half_open_ms, 3600000, 345600000) /* a connection is gone, and nobody says so */          \
    KNOB(alter, 1000, 300000)              /* per million: a message is altered */                 \
    KNOB(seg_mix, 10000, 500000)           /* per million: a part comes with another packet */     \
    KNOB(receipt_dup, 1000, 500000)   /* per million: a receipt comes up to three times more */    \
    KNOB(receipt_early, 1000, 500000) /* per million: it says delivered, before its answer */      \
    KNOB(receipt_hex_ms, 14400000, 345600000) /* ids have another form on one side, for a while */ \
    KNOB(swallow_ms, 14400000, 345600000) /* a link takes all and delivers nothing, for a while */ \
    /* of the database, people and devices: */                                                     \
    KNOB(busy_ms, 14400000, 345600000) /* somebody else holds the database for a while */          \
    KNOB(eio_ms, 14400000, 345600000)  /* a write of it fails, or a sync */                        \
    KNOB(double_click, 10000, 500000)  /* per million: the same is wished twice at once */         \
    KNOB(duty_ms, 14400000, 345600000) /* the device is on for moments only, for a while */        \
    KNOB(tick_ms, 14400000, 345600000) /* the card is in a device with bad timers for a while */   \
    KNOB(merge, 10000, 500000)         /* per million: a packet in parts becomes one message */    \
    KNOB(reset_ms, 3600000, 172800000) /* the device starts anew amid its card's commands */       \
    KNOB(flap_ms, 14400000, 345600000) /* its service comes and goes, for a while */               \
    KNOB(profile_ms, 14400000, 345600000) /* it is in a device that can do less, for a while */    \
    KNOB(answers_ms, 14400000, 345600000) /* it is answered wrongly, for a while */                \
    KNOB(sleep_ms, 3600000, 172800000)    /* the server stands still for a while, and goes on */   \
    KNOB(gone_ms, 3600000, 345600000)     /* a card goes, and never comes back */

struct knobs {
#define KNOB(name, least, most) uint64_t name;
    KNOBS(KNOB)
#undef KNOB
};

#define KNOB_COUNT 65
#define KNOB_NAMED 53  // drawn by their names from here on
#define KNOB_SELDOM 40 // from here on
// `calm`: how many times the times between happenings are doubled, without an upper end: what comes
// every four days in a hurry comes once in three years at 8.
void knobs_draw(struct knobs *knobs, uint64_t seed, uint32_t calm);
// Everything off.
void knobs_calm(struct knobs *knobs);
// Name and value of knob `index`, 0 to KNOB_COUNT - 1.
const char *knob_name(unsigned index);
void knob_set(struct knobs *knobs, unsigned index, uint64_t value);
uint64_t knob_value(const struct knobs *knobs, unsigned index);

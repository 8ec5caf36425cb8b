// What is done to a world: a wish of a person, a fault, a crash. Drawn from the seed, or read from
// a story, a file of lines: one deed is one line, and tells its virtual time, so that it means the
// same when other things are drawn.
//
// A deed either is done at its time, or waits from then on for the next message of its card (or
// decision) that it can befall.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

enum deed_stage {
    STAGE_NONE,       // it is done at its time
    STAGE_MT_SUBMIT,  // the server gives the message centre a message for the card
    STAGE_MT_DELIVER, // the message centre gives it to the network
    STAGE_MO_SEND,    // the card sends a message
    STAGE_MO_SUBMIT,  // the network gives it to the message centre
    STAGE_DECISION,   // a person decides about the card
    STAGES,
};

// Kinds, and where they strike.
#define DEEDS(DEED)                                                                                \
    DEED(REQUEST, request, NONE) /* somebody wants something of the card */                        \
    DEED(CANCEL, cancel, NONE)   /* of the open operation, or the n-th in the queue */             \
    DEED(RESEND, resend, NONE)                                                                     \
    DEED(BOOTSTRAP, bootstrap, NONE) /* a person starts, resumes or cancels that of the card */    \
    DEED(PUSH, push, DECISION)       /* the server's intent wins */                                \
    DEED(HAND, hand, NONE)           /* somebody else commands the card */                         \
    DEED(POWER_OFF, power_off, NONE) /* of the device */                                           \
    DEED(POWER_ON, power_on, NONE)                                                                 \
    DEED(CUT, cut, NONE)                   /* power fails at the n-th octet from now */            \
    DEED(MOVE, move, NONE)                 /* into another area */                                 \
    DEED(REJECT, reject, NONE)             /* a network does; cause 0: no more */                  \
    DEED(IMEI, imei, NONE)                 /* the card comes into another device */                \
    DEED(CRASH, crash, NONE)               /* the server loses its memory */                       \
    DEED(CRASH_ACTING, crash_acting, NONE) /* after its next commit */                             \
    DEED(STOP, stop, NONE)                 /* clean */                                             \
    DEED(LINK, link, NONE)                 /* a connection is cut, after so many octets */         \
    DEED(FULL, full, NONE)                 /* nothing can be committed for a while */              \
    DEED(CLOCK, clock, NONE)               /* the server starts anew, with another time */         \
    DEED(BACKUP, backup, NONE)             /* of the server's database */                          \
    DEED(RESTORE, restore, NONE)           /* the server starts anew with the last backup */       \
    DEED(NVM_ERROR, nvm_error, NONE)       /* the n-th octet from now fails, or all from it */     \
    DEED(ROT, rot, NONE)                   /* an octet changes while the card is off */            \
    DEED(COUNTERS, counters, NONE)         /* so do both copies of its counters */                 \
    DEED(WEAK, weak, NONE)                 /* packets are not ciphered, for a while */             \
    DEED(FLOOD, flood, NONE)               /* so many packets without a right MAC */               \
    DEED(SWAP, swap, NONE)                 /* it and card `value` exchange one of their numbers */ \
    DEED(CLONE, clone, NONE)               /* that of the head is switched on, or off */           \
    DEED(APPROVE, approve, NONE)           /* the first that waits for it, or reject it */         \
    DEED(BAR, bar, NONE)                   /* one of its subscriptions as fallback, or not */      \
    DEED(RETIRE, retire, NONE)             /* it is out of use */                                  \
    DEED(BUSY, busy, NONE)                 /* somebody else holds the database for a while */      \
    DEED(DUTY, duty, NONE)            /* its device is on for within_ms, off for after_ms ... */   \
    DEED(TICK, tick, NONE)            /* it is in a device with such timers for a while */         \
    DEED(EIO, eio, NONE)              /* writes of it fail for a while, or one, or a sync */       \
    DEED(SMSC_MT, smsc_mt, MT_SUBMIT) /* a fault of the message centre */                          \
    DEED(SMSC_MO, smsc_mo, MO_SUBMIT)                                                              \
    DEED(MT_LOST, mt_lost, MT_DELIVER)     /* the network says delivered */                        \
    DEED(MT_LATE, mt_late, MT_DELIVER)     /* the same, and it comes later */                      \
    DEED(MT_COPY, mt_copy, MT_DELIVER)     /* it comes again */                                    \
    DEED(MT_FORGED, mt_forged, MT_DELIVER) /* a changed copy comes */                              \
    DEED(MT_RADIO, mt_radio, MT_DELIVER)   /* lost on the air: the centre tries again */           \
    DEED(MT_DENIED, mt_denied, MT_DELIVER) /* the card has it, the network does not know */        \
    DEED(MO_LOST, mo_lost, MO_SEND)                                                                \
    DEED(MO_LATE, mo_late, MO_SEND)                                                                \
    DEED(MO_COPY, mo_copy, MO_SEND)                                                                \
    DEED(MO_FORGED, mo_forged, MO_SEND)                                                            \
    DEED(REFLECTED, reflected, MO_SEND) /* it comes back to the card as well */                    \
    DEED(CLOG, clog, NONE)   /* its network carries nothing for a while, then in any order */      \
    DEED(STALL, stall, NONE) /* a connection carries nothing, after so many octets */              \
    DEED(HALF_OPEN, half_open, NONE)         /* it is gone, and one side at least does not know */ \
    DEED(MT_ALTERED, mt_altered, MT_DELIVER) /* itself: enum alteration */                         \
    DEED(MO_ALTERED, mo_altered, MO_SEND)                                                          \
    DEED(MT_MIXED, mt_mixed, MT_DELIVER) /* a part comes among those of the next packet */         \
    DEED(MO_MIXED, mo_mixed, MO_SEND)                                                              \
    DEED(HEX, hex, NONE)                   /* for a while, in answers (`what` 0) or receipts */    \
    DEED(SWALLOW, swallow, NONE)           /* what goes over this link is lost, for a while */     \
    DEED(MT_MERGED, mt_merged, MT_DELIVER) /* parts become one message; flags: with a header */    \
    DEED(MO_MERGED, mo_merged, MO_SEND)                                                            \
    DEED(RESET, reset, NONE) /* its device starts anew at the n-th moment of toolkit commands */   \
    DEED(FLAP, flap, NONE)   /* its service is there for within_ms, gone for after_ms ... */       \
    DEED(PROFILE, profile, NONE)   /* it is in a device without `what` for a while */              \
    DEED(CAMPAIGN, campaign, NONE) /* what a person does about that of the head */                 \
    DEED(ANSWERS, answers, NONE)   /* its device answers `what` with `value`, for a while */       \
    DEED(SLEEP, sleep, NONE)       /* the server stands still; flags: what came due is first */    \
    DEED(GONE, gone, NONE)         /* its device is off for ever */

enum deed_kind {
#define DEED(NAME, name, stage) DEED_##NAME,
    DEEDS(DEED)
#undef DEED
        DEED_KINDS
};

// What a kind does not use is 0, and not written. `what` is an operation, command, fault, area or
// cause.
#define DEED_FIELDS(FIELD)                                                                         \
    FIELD(card)  /* or connection, or network */                                                   \
    FIELD(place) /* befalls the n-th message of its card and stage at this very time */            \
    FIELD(what)                                                                                    \
    FIELD(subscription)                                                                            \
    FIELD(flags)                                                                                   \
    FIELD(wait)                                                                                    \
    FIELD(force)                                                                                   \
    FIELD(contact)                                                                                 \
    FIELD(within_ms)                                                                               \
    FIELD(after_ms) /* how long it takes, or lasts */                                              \
    FIELD(octet)                                                                                   \
    FIELD(value)                                                                                   \
    FIELD(torn)                                                                                    \
    FIELD(id)                                                                                      \
    FIELD(ahead)                                                                                   \
    FIELD(ahead_s)                                                                                 \
    FIELD(behind_s)                                                                                \
    FIELD(attach_s)                                                                                \
    FIELD(auto_mode)                                                                               \
    FIELD(heartbeat_h)                                                                             \
    FIELD(return_s)                                                                                \
    FIELD(jitter_s)                                                                                \
    FIELD(count)                                                                                   \
    FIELD(approval) /* it needs one */                                                             \
    FIELD(alone)    /* or not at all */                                                            \
    FIELD(twice)    /* at once */

struct deed {
    uint64_t at_ms;
    uint32_t kind; // enum deed_kind
#define FIELD(name) uint32_t name;
    DEED_FIELDS(FIELD)
#undef FIELD
};

const char *deed_name(uint32_t kind);
enum deed_stage deed_stage(uint32_t kind);
// Is `card` one, not a connection or a network?
bool deed_is_of_card(uint32_t kind);
// "3600000 request card=0 what=ENABLE subscription=2"
void deed_write(struct writer *w, const struct deed *deed);
// Reads one line; false when it is none.
bool deed_read(struct bytes line, struct deed *deed) MUST_USE;

// The files of every card as one constant table [102.221 §13, 31.102 §4, 51.011 §10]: a row per
// file, with its default content, whose it is, and where in the store a card keeps what differs.
//
// To add a file: a member in struct uicc_layout (its size), and a row in tree.c.
#pragma once

#include "applet/applet.h"
#include "sim-emulator/core/uicc/store.h"

enum uicc_folder {
    UICC_MF = 0,
    UICC_USIM, // the two applications
    UICC_ISIM,
    UICC_GSM_ACCESS, // DF.GSM-ACCESS, DF.PHONEBOOK, DF.5GS of the USIM
    UICC_PHONEBOOK,
    UICC_5GS,
    UICC_TELECOM, // DF.TELECOM and DF.GSM for class A0
    UICC_GSM,
    UICC_FOLDERS,
};
#define UICC_NO_FOLDER 0xFF

enum uicc_kind {
    UICC_FOLDER,
    UICC_TRANSPARENT,
    UICC_LINEAR,
    UICC_CYCLIC,
};

// Identifiers that commands and other modules know by name.
enum {
    UICC_ID_MF = 0x3F00,
    UICC_ID_ADF = 0x7FFF, // "the current ADF"
    UICC_ID_ARR_MF = 0x2F06,
    UICC_ID_ARR_ADF = 0x6F06,
    UICC_ID_ICCID = 0x2FE2,
    UICC_ID_IMSI = 0x6F07,
    UICC_ID_LOCI = 0x6F7E,
    UICC_ID_EPSLOCI = 0x6FE3,
};

// Whose content a file has, and so what a switch of subscription does to it.
enum uicc_owner {
    UICC_OWNER_CARD,         // nothing
    UICC_OWNER_SUBSCRIPTION, // the other one's comes in its place
    UICC_OWNER_GENERATION,   // it is the default again: location, keys, forbidden networks
};

// What the content of views is made of.
struct uicc_source {
    const struct applet_subscription *subscription;
    const struct applet_factory *factory;
};

struct uicc_row {
    const char *name;
    uint16_t identifier;
    uint8_t kind;             // enum uicc_kind
    uint8_t short_identifier; // 0 = none
    uint8_t record_len;
    uint8_t rule;   // record of EF.ARR
    uint8_t owner;  // enum uicc_owner
    uint8_t opens;  // enum uicc_folder of a folder
    bool is_secret; // holds keys: what is read and written is shown nowhere
    uint16_t size;
    uint16_t at; // in the store; a cyclic file's octet behind it says where record 1 is
    // Not NULL: writes the default content; what it leaves out is FF.
    void (*view)(const struct uicc_source *source, struct writer *w);
    // The default otherwise, then FF. In a file of records it is that of each record, unless it is
    // longer than one.
    struct bytes content;
    const struct uicc_row *link; // the same file in another folder
};

#define UICC_RULES 8
#define UICC_RULE_LEN 56
#define UICC_CREATED_MAX 16
#define UICC_CREATED_LEN 16
#define UICC_FLAGS_LEN 64 // a bit for each of 64 rows of a folder
#define UICC_VIEW_MAX 128 // octets of the longest view

// Where the store keeps what. Only sizes and order matter; nothing is ever of this type.
struct uicc_layout {
    // The location of a device that stays in one place is one chunk.
    uint8_t loci[11], epsloci[18], psloci[14], fplmn[12], first_rest[5];
    uint8_t keys[33], keys_ps[33], start_hfn[6], kc[9], kc_gprs[9], netpar[128], epsnsc[80];
    uint8_t loci_5gs[20], loci_n5gs[20], nsc_5gs[57], nsc_n5gs[57], keys_5gs[110], bcch[16];
    // Of a subscription. The first says whose it is.
    uint8_t owner[16];
    uint8_t iccid[10], imsi[9], acc[2], ad[4], msisdn[24], smsp[38], li[6], hpplmn[1], ust[17];
    uint8_t smss[2], sms[1760], spn[17], est[1], threshold[3], ecc[4], fdn[10 * 26];
    uint8_t acm_max[3], acm[5 * 3], acm_head[1], puct[5];
    uint8_t plmn_user[40], plmn_operator[40], plmn_home[COMMAND_PLMNS_MAX], ehplmn[15], spdi[17];
    uint8_t gid1[4], gid2[4], pnn[24], opl[8], cbmi[4], cbmir[8];
    uint8_t pbr[16], adn[10 * 28], psc[4], cc[2], puid[2];
    uint8_t uac_aic[4], suci_calc[32], routing[4];
    uint8_t impi[64], domain[64], impu[2 * 64], isim_ad[3], ist[3];
    uint8_t gsm_lp[1], gsm_sst[12], gsm_phase[1], gsm_plmn[24], gsm_ecc[15];
    // Of the card.
    uint8_t pl[2], umpc[5], dir[2 * 34], arr_mf[UICC_RULES * UICC_RULE_LEN];
    uint8_t arr_usim[UICC_RULES * UICC_RULE_LEN], arr_isim[UICC_RULES * UICC_RULE_LEN];
    uint8_t pins[64], ota[104];
    uint8_t deactivated[UICC_FLAGS_LEN], deleted[UICC_FLAGS_LEN];
    uint8_t created[UICC_CREATED_MAX * UICC_CREATED_LEN];
};
// From here on the files that an administrator created.
#define UICC_CREATED_AT                                                                            \
    ((sizeof(struct uicc_layout) + UICC_CHUNK_LEN - 1) / UICC_CHUNK_LEN * UICC_CHUNK_LEN)

struct uicc_rows {
    const struct uicc_row *at;
    uint8_t count; // at most 64
};
// What a subscription's template gives a file instead of the default, views included.
struct uicc_override {
    const struct uicc_row *row;
    struct bytes content;
};
struct uicc_overrides {
    const struct uicc_override *at;
    size_t count;
};

// The files in a folder; the MF itself lies in none.
struct uicc_rows uicc_rows(enum uicc_folder folder);
// The folder's own row, and the folder it lies in (of the MF: the MF).
const struct uicc_row *uicc_folder_row(enum uicc_folder folder);
enum uicc_folder uicc_folder_parent(enum uicc_folder folder);
// "EF.IMSI" and the like: the row with this name in this folder, or NULL.
const struct uicc_row *uicc_row_named(enum uicc_folder folder, struct bytes name);

// The name of an application [101.220 §E]: the AID of its ADF; empty for other folders.
struct bytes uicc_application(uint8_t folder);

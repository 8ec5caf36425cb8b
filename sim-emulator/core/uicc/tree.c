#include "sim-emulator/core/uicc/tree.h"

#include "sim-emulator/core/uicc/views.h"

#define CONTENT(...)                                                                               \
    {                                                                                              \
        .at = (const uint8_t[]){__VA_ARGS__}, .len = sizeof((const uint8_t[]){__VA_ARGS__})        \
    }
#define PLACE(member)                                                                              \
    .size = sizeof(((const struct uicc_layout *)0)->member),                                       \
    .at = offsetof(struct uicc_layout, member)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

_Static_assert(UICC_CREATED_AT < UICC_SPACE_LEN, "the layout fits a space");

#define USIM_AID                                                                                   \
    0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0x07, 0x09, 0x00, 0x00
#define ISIM_AID                                                                                   \
    0xA0, 0x00, 0x00, 0x00, 0x87, 0x10, 0x04, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0x07, 0x09, 0x00, 0x00

struct bytes uicc_application(uint8_t folder)
{
    static const uint8_t usim_aid[] = {USIM_AID};
    static const uint8_t isim_aid[] = {ISIM_AID};
    switch (folder) {
    case UICC_USIM:
        return bytes_of(usim_aid, sizeof usim_aid);
    case UICC_ISIM:
        return bytes_of(isim_aid, sizeof isim_aid);
    default: // octets
        return bytes_of(NULL, 0);
    }
}

// --- access rules ----------------------------------------------------------------------------

// Records of EF.ARR [102.221 §9.5, §13.4]: access mode, then what it takes. Bits of the access mode
// of an EF: 01 read, 02 update, 08 deactivate, 10 activate, 40 delete; of a folder: 01 delete in
// it, 02 create an EF, 04 create a DF, 40 delete it. 84 names an instruction: D4 RESIZE, 32
// INCREASE.
enum rule {
    READ_ALWAYS = 1, // the rest with ADM1, here and below
    PIN1_BOTH,
    PIN1_READ,
    PIN2_UPDATE,
    PIN1_UPDATE, // read always
    FOLDER,
    COUNTER,    // as PIN2_UPDATE, INCREASE with PIN1
    PIN1_OR_ADM // update
};
// clang-format off
#define ALWAYS 0x90, 0x00
#define PIN1 0xA4, 0x06, 0x83, 0x01, 0x01, 0x95, 0x01, 0x08
#define PIN2 0xA4, 0x06, 0x83, 0x01, 0x81, 0x95, 0x01, 0x08
#define ADM1 0xA4, 0x06, 0x83, 0x01, 0x0A, 0x95, 0x01, 0x08
#define MAY(mode, ...) 0x80, 0x01, mode, __VA_ARGS__
#define MAY_DO(ins, ...) 0x84, 0x01, ins, __VA_ARGS__
#define FILL4 0xFF, 0xFF, 0xFF, 0xFF
#define FILL12 FILL4, FILL4, FILL4
#define RULES CONTENT( \
    MAY(0x01, ALWAYS), MAY(0x5A, ADM1), MAY_DO(0xD4, ADM1), FILL12, FILL12, FILL4, 0xFF, \
    MAY(0x03, PIN1), MAY(0x58, ADM1), MAY_DO(0xD4, ADM1), FILL12, 0xFF, 0xFF, 0xFF, FILL4, FILL4, \
    MAY(0x01, PIN1), MAY(0x5A, ADM1), MAY_DO(0xD4, ADM1), FILL12, 0xFF, 0xFF, 0xFF, FILL4, FILL4, \
    MAY(0x01, PIN1), MAY(0x02, PIN2), MAY(0x58, ADM1), MAY_DO(0xD4, ADM1), FILL12, \
    MAY(0x01, ALWAYS), MAY(0x02, PIN1), MAY(0x58, ADM1), MAY_DO(0xD4, ADM1), FILL12, FILL4, 0xFF, 0xFF, \
    MAY(0x5F, ADM1), FILL12, FILL12, FILL12, FILL4, FILL4, 0xFF, \
    MAY(0x01, PIN1), MAY_DO(0x32, PIN1), MAY(0x02, PIN2), MAY(0x58, ADM1), MAY_DO(0xD4, ADM1), 0xFF, \
    MAY(0x01, PIN1), MAY(0x02, 0xA0, 0x10, PIN1, ADM1), MAY(0x58, ADM1), MAY_DO(0xD4, ADM1), 0xFF, 0xFF)

// --- the files -------------------------------------------------------------------------------

#define CARD .owner = UICC_OWNER_CARD
#define OWN .owner = UICC_OWNER_SUBSCRIPTION
#define RESET .owner = UICC_OWNER_GENERATION
#define SECRET RESET, .is_secret = true
#define T(id, sfi, r) .identifier = (id), .kind = UICC_TRANSPARENT, .short_identifier = (sfi), .rule = (r)
#define L(id, sfi, len, r) \
    .identifier = (id), .kind = UICC_LINEAR, .short_identifier = (sfi), .record_len = (len), .rule = (r)
#define C(id, len, r) .identifier = (id), .kind = UICC_CYCLIC, .record_len = (len), .rule = (r)
#define D(id, folder) .identifier = (id), .kind = UICC_FOLDER, .rule = FOLDER, .opens = (folder)

static const struct uicc_row root = {"MF", D(UICC_ID_MF, UICC_MF)};

static const struct uicc_row mf[] = {
    // Selected by their names only: the identifiers are never looked for.
    {"ADF.USIM", D(0x7FF0, UICC_USIM)},
    {"ADF.ISIM", D(0x7FF1, UICC_ISIM)},
    {"DF.TELECOM", D(0x7F10, UICC_TELECOM)},
    {"DF.GSM", D(0x7F20, UICC_GSM)},
    {"EF.DIR", L(0x2F00, 0x1E, 34, READ_ALWAYS), CARD, PLACE(dir), .content = CONTENT(
        0x61, 0x19, 0x4F, 0x10, USIM_AID, 0x50, 0x05, 'U', 'S', 'i', 'm', '1', FILL4, 0xFF, 0xFF, 0xFF,
        0x61, 0x19, 0x4F, 0x10, ISIM_AID, 0x50, 0x05, 'I', 'S', 'i', 'm', '1')},
    {"EF.PL", T(0x2F05, 0x05, PIN1_UPDATE), CARD, PLACE(pl)},
    {"EF.ARR", L(UICC_ID_ARR_MF, 0x06, UICC_RULE_LEN, READ_ALWAYS), CARD, PLACE(arr_mf), .content = RULES},
    // 60 mA, no operator-defined time-out
    {"EF.UMPC", T(0x2F08, 0x08, READ_ALWAYS), CARD, PLACE(umpc), .content = CONTENT(0x3C, 0x00, 0x00, 0x00, 0x00)},
    {"EF.ICCID", T(UICC_ID_ICCID, 0x02, READ_ALWAYS), OWN, PLACE(iccid), .view = uicc_view_iccid},
};

enum { USIM_IMSI = 3, USIM_LI, USIM_KEYS, USIM_KEYS_PS, USIM_HPPLMN, USIM_ACM_MAX, USIM_ACM, USIM_FDN, USIM_SMS,
       USIM_GID1, USIM_GID2, USIM_MSISDN, USIM_PUCT, USIM_SMSP, USIM_SMSS, USIM_SPN, USIM_PSLOCI, USIM_ACC, USIM_FPLMN,
       USIM_LOCI, USIM_AD, USIM_PLMN_USER, USIM_PLMN_OPERATOR, USIM_PLMN_HOME };

static const struct uicc_row usim[] = {
    {"DF.PHONEBOOK", D(0x5F3A, UICC_PHONEBOOK)},
    {"DF.GSM-ACCESS", D(0x5F3B, UICC_GSM_ACCESS)},
    {"DF.5GS", D(0x5FC0, UICC_5GS)},
    [USIM_IMSI] = {"EF.IMSI", T(UICC_ID_IMSI, 0x07, PIN1_READ), OWN, PLACE(imsi), .view = uicc_view_imsi},
    [USIM_LI] = {"EF.LI", T(0x6F05, 0x02, PIN1_UPDATE), OWN, PLACE(li)},
    [USIM_KEYS] = {"EF.Keys", T(0x6F08, 0x08, PIN1_BOTH), SECRET, PLACE(keys), .content = CONTENT(0x07)},
    [USIM_KEYS_PS] = {"EF.KeysPS", T(0x6F09, 0x09, PIN1_BOTH), SECRET, PLACE(keys_ps), .content = CONTENT(0x07)},
    [USIM_HPPLMN] = {"EF.HPPLMN", T(0x6F31, 0x12, PIN1_READ), OWN, PLACE(hpplmn), .content = CONTENT(0x0A)},
    [USIM_ACM_MAX] = {"EF.ACMmax", T(0x6F37, 0, PIN2_UPDATE), OWN, PLACE(acm_max), .content = CONTENT(0, 0, 0)},
    [USIM_ACM] = {"EF.ACM", C(0x6F39, 3, COUNTER), OWN, PLACE(acm), .content = CONTENT(0, 0, 0)},
    [USIM_FDN] = {"EF.FDN", L(0x6F3B, 0, 26, PIN2_UPDATE), OWN, PLACE(fdn)},
    [USIM_SMS] = {"EF.SMS", L(0x6F3C, 0, 176, PIN1_BOTH), OWN, PLACE(sms), .content = CONTENT(0x00)},
    [USIM_GID1] = {"EF.GID1", T(0x6F3E, 0, PIN1_READ), OWN, PLACE(gid1)},
    [USIM_GID2] = {"EF.GID2", T(0x6F3F, 0, PIN1_READ), OWN, PLACE(gid2)},
    [USIM_MSISDN] = {"EF.MSISDN", L(0x6F40, 0, 24, PIN1_OR_ADM), OWN, PLACE(msisdn), .view = uicc_view_msisdn},
    [USIM_PUCT] = {"EF.PUCT", T(0x6F41, 0, PIN2_UPDATE), OWN, PLACE(puct), .content = CONTENT(0xFF, 0xFF, 0xFF, 0, 0)},
    [USIM_SMSP] = {"EF.SMSP", L(0x6F42, 0, 38, PIN1_BOTH), OWN, PLACE(smsp), .view = uicc_view_sms_parameters},
    [USIM_SMSS] = {"EF.SMSS", T(0x6F43, 0, PIN1_BOTH), OWN, PLACE(smss)},
    [USIM_SPN] = {"EF.SPN", T(0x6F46, 0, READ_ALWAYS), OWN, PLACE(spn), .content = CONTENT(0x00)},
    [USIM_PSLOCI] = {"EF.PSLOCI", T(0x6F73, 0x0C, PIN1_BOTH), RESET, PLACE(psloci), .content = CONTENT(
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0x01)},
    [USIM_ACC] = {"EF.ACC", T(0x6F78, 0x06, PIN1_READ), OWN, PLACE(acc), .view = uicc_view_access_class},
    [USIM_FPLMN] = {"EF.FPLMN", T(0x6F7B, 0x0D, PIN1_BOTH), RESET, PLACE(fplmn)},
    [USIM_LOCI] = {"EF.LOCI", T(UICC_ID_LOCI, 0x0B, PIN1_BOTH), RESET, PLACE(loci), .content = CONTENT(
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0x01)},
    [USIM_AD] = {"EF.AD", T(0x6FAD, 0x03, READ_ALWAYS), OWN, PLACE(ad), .view = uicc_view_administrative},
    [USIM_PLMN_USER] = {"EF.PLMNwAcT", T(0x6F60, 0x0A, PIN1_BOTH), OWN, PLACE(plmn_user), .view = uicc_view_plmn_user},
    [USIM_PLMN_OPERATOR] = {"EF.OPLMNwAcT", T(0x6F61, 0x11, PIN1_READ), OWN, PLACE(plmn_operator),
        .view = uicc_view_plmn_operator},
    [USIM_PLMN_HOME] = {"EF.HPLMNwAcT", T(0x6F62, 0x13, PIN1_READ), OWN, PLACE(plmn_home), .view = uicc_view_plmn_home},
    {"EF.ARR", L(UICC_ID_ARR_ADF, 0x17, UICC_RULE_LEN, READ_ALWAYS), CARD, PLACE(arr_usim), .content = RULES},
    // Services 1, 2, 10, 12, 13, 15-21, 27, 28, 33, 38, 42, 43, 45, 46, 51, 71, 85, 122-124, 126 [31.102 §4.2.8]
    {"EF.UST", T(0x6F38, 0x04, PIN1_READ), OWN, PLACE(ust), .content = CONTENT(
        0x03, 0xDA, 0x1F, 0x0C, 0x21, 0x36, 0x04, 0x00, 0x40, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x2E, 0x00)},
    {"EF.CBMI", T(0x6F45, 0, PIN1_BOTH), OWN, PLACE(cbmi)},
    {"EF.CBMIR", T(0x6F50, 0, PIN1_BOTH), OWN, PLACE(cbmir)},
    {"EF.EST", T(0x6F56, 0x05, PIN2_UPDATE), OWN, PLACE(est), .content = CONTENT(0x00)},
    {"EF.START-HFN", T(0x6F5B, 0x0F, PIN1_BOTH), RESET, PLACE(start_hfn),
        .content = CONTENT(0xF0, 0x00, 0x00, 0xF0, 0x00, 0x00)},
    {"EF.THRESHOLD", T(0x6F5C, 0x10, PIN1_READ), OWN, PLACE(threshold)},
    // 112, no alpha identifier, no category
    {"EF.ECC", L(0x6FB7, 0x01, 4, READ_ALWAYS), OWN, PLACE(ecc), .content = CONTENT(0x11, 0xF2, 0xFF, 0x00)},
    {"EF.NETPAR", T(0x6FC4, 0, PIN1_BOTH), RESET, PLACE(netpar)},
    {"EF.PNN", L(0x6FC5, 0x19, 24, READ_ALWAYS), OWN, PLACE(pnn)},
    {"EF.OPL", L(0x6FC6, 0x1A, 8, READ_ALWAYS), OWN, PLACE(opl)},
    {"EF.SPDI", T(0x6FCD, 0x1B, PIN1_READ), OWN, PLACE(spdi)},
    {"EF.EHPLMN", T(0x6FD9, 0x1D, PIN1_READ), OWN, PLACE(ehplmn)},
    {"EF.EPSLOCI", T(UICC_ID_EPSLOCI, 0x1E, PIN1_BOTH), RESET, PLACE(epsloci), .content = CONTENT(
        FILL12, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x01)},
    {"EF.EPSNSC", L(0x6FE4, 0x18, 80, PIN1_BOTH), SECRET, PLACE(epsnsc)},
};

// No service of EF.IST is there [31.103 §4.2].
static const struct uicc_row isim[] = {
    {"EF.IMPI", T(0x6F02, 0x02, PIN1_READ), OWN, PLACE(impi), .view = uicc_view_private_identity},
    {"EF.DOMAIN", T(0x6F03, 0x05, PIN1_READ), OWN, PLACE(domain), .view = uicc_view_domain},
    {"EF.IMPU", L(0x6F04, 0x04, 64, PIN1_READ), OWN, PLACE(impu), .view = uicc_view_public_identity},
    {"EF.ARR", L(UICC_ID_ARR_ADF, 0x06, UICC_RULE_LEN, READ_ALWAYS), CARD, PLACE(arr_isim), .content = RULES},
    {"EF.IST", T(0x6F07, 0x07, PIN1_READ), OWN, PLACE(ist), .content = CONTENT(0, 0, 0)},
    {"EF.AD", T(0x6FAD, 0x03, READ_ALWAYS), OWN, PLACE(isim_ad), .content = CONTENT(0, 0, 0)},
};

enum { ACCESS_KC, ACCESS_KC_GPRS };
static const struct uicc_row gsm_access[] = {
    [ACCESS_KC] = {"EF.Kc", T(0x4F20, 0x01, PIN1_BOTH), SECRET, PLACE(kc), .content = CONTENT(FILL4, FILL4, 0x07)},
    [ACCESS_KC_GPRS] = {"EF.KcGPRS", T(0x4F52, 0x02, PIN1_BOTH), SECRET, PLACE(kc_gprs),
        .content = CONTENT(FILL4, FILL4, 0x07)},
};

enum { PHONEBOOK_ADN = 1 };
static const struct uicc_row phonebook[] = {
    // One data base: EF.ADN with its short identifier, in records of one kind
    {"EF.PBR", L(0x4F30, 0, 16, PIN1_READ), OWN, PLACE(pbr),
        .content = CONTENT(0xA8, 0x05, 0xC0, 0x03, 0x4F, 0x3A, 0x01)},
    [PHONEBOOK_ADN] = {"EF.ADN", L(0x4F3A, 0x01, 28, PIN1_BOTH), OWN, PLACE(adn)},
    {"EF.PSC", T(0x4F22, 0, PIN1_BOTH), OWN, PLACE(psc), .content = CONTENT(0, 0, 0, 0)},
    {"EF.CC", T(0x4F23, 0, PIN1_BOTH), OWN, PLACE(cc), .content = CONTENT(0, 0)},
    {"EF.PUID", T(0x4F24, 0, PIN1_BOTH), OWN, PLACE(puid), .content = CONTENT(0, 0)},
};

// Update status 01: not updated; routing indicator 0 [31.102 §4.4.11].
#define NO_5GS_LOCATION CONTENT(FILL12, FILL4, 0x00, 0x00, 0x00, 0x01)
static const struct uicc_row df_5gs[] = {
    {"EF.5GS3GPPLOCI", T(0x4F01, 0x01, PIN1_BOTH), RESET, PLACE(loci_5gs), .content = NO_5GS_LOCATION},
    {"EF.5GSN3GPPLOCI", T(0x4F02, 0x02, PIN1_BOTH), RESET, PLACE(loci_n5gs), .content = NO_5GS_LOCATION},
    {"EF.5GS3GPPNSC", L(0x4F03, 0x03, 57, PIN1_BOTH), SECRET, PLACE(nsc_5gs)},
    {"EF.5GSN3GPPNSC", L(0x4F04, 0x04, 57, PIN1_BOTH), SECRET, PLACE(nsc_n5gs)},
    {"EF.5GAUTHKEYS", T(0x4F05, 0x05, PIN1_BOTH), SECRET, PLACE(keys_5gs)},
    {"EF.UAC-AIC", T(0x4F06, 0x06, PIN1_READ), OWN, PLACE(uac_aic), .content = CONTENT(0, 0, 0, 0)},
    // The null scheme, and no key of the home network
    {"EF.SUCI-Calc-Info", T(0x4F07, 0x07, PIN1_READ), OWN, PLACE(suci_calc),
        .content = CONTENT(0xA0, 0x02, 0x00, 0x00, 0xA1, 0x00)},
    {"EF.Routing-Indicator", T(0x4F0A, 0x0A, PIN1_READ), OWN, PLACE(routing),
        .content = CONTENT(0xF0, 0xFF, 0xFF, 0xFF)},
};

#define LINK(id, row) .identifier = (id), .link = &(row)
static const struct uicc_row telecom[] = {
    {"EF.ADN", LINK(0x6F3A, phonebook[PHONEBOOK_ADN])},
    {"EF.FDN", LINK(0x6F3B, usim[USIM_FDN])},
    {"EF.SMS", LINK(0x6F3C, usim[USIM_SMS])},
    {"EF.MSISDN", LINK(0x6F40, usim[USIM_MSISDN])},
    {"EF.SMSP", LINK(0x6F42, usim[USIM_SMSP])},
    {"EF.SMSS", LINK(0x6F43, usim[USIM_SMSS])},
};

static const struct uicc_row gsm[] = {
    {"EF.LP", T(0x6F05, 0, PIN1_UPDATE), OWN, PLACE(gsm_lp)},
    {"EF.IMSI", LINK(UICC_ID_IMSI, usim[USIM_IMSI])},
    {"EF.Kc", LINK(0x6F20, gsm_access[ACCESS_KC])},
    {"EF.PLMNsel", T(0x6F30, 0, PIN1_BOTH), OWN, PLACE(gsm_plmn)},
    {"EF.HPLMN", LINK(0x6F31, usim[USIM_HPPLMN])},
    {"EF.ACMmax", LINK(0x6F37, usim[USIM_ACM_MAX])},
    // Services 1-5, 7, 9, 12, 15-17, 26, 29, 38, 43-45, all allocated and activated [51.011 §10.3.7]
    {"EF.SST", T(0x6F38, 0, PIN1_READ), OWN, PLACE(gsm_sst), .content = CONTENT(
        0xFF, 0x33, 0xC3, 0xF0, 0x03, 0x00, 0x0C, 0x03, 0x00, 0x0C, 0xF0, 0x03)},
    {"EF.ACM", LINK(0x6F39, usim[USIM_ACM])},
    {"EF.GID1", LINK(0x6F3E, usim[USIM_GID1])},
    {"EF.GID2", LINK(0x6F3F, usim[USIM_GID2])},
    {"EF.PUCT", LINK(0x6F41, usim[USIM_PUCT])},
    {"EF.SPN", LINK(0x6F46, usim[USIM_SPN])},
    {"EF.KcGPRS", LINK(0x6F52, gsm_access[ACCESS_KC_GPRS])},
    {"EF.LOCIGPRS", LINK(0x6F53, usim[USIM_PSLOCI])},
    {"EF.PLMNwAcT", LINK(0x6F60, usim[USIM_PLMN_USER])},
    {"EF.OPLMNwAcT", LINK(0x6F61, usim[USIM_PLMN_OPERATOR])},
    {"EF.HPLMNwAcT", LINK(0x6F62, usim[USIM_PLMN_HOME])},
    {"EF.BCCH", T(0x6F74, 0, PIN1_BOTH), RESET, PLACE(bcch)},
    {"EF.ACC", LINK(0x6F78, usim[USIM_ACC])},
    {"EF.FPLMN", LINK(0x6F7B, usim[USIM_FPLMN])},
    {"EF.LOCI", LINK(UICC_ID_LOCI, usim[USIM_LOCI])},
    {"EF.AD", LINK(0x6FAD, usim[USIM_AD])},
    // Phase 2 with profile download
    {"EF.Phase", T(0x6FAE, 0, READ_ALWAYS), OWN, PLACE(gsm_phase), .content = CONTENT(0x03)},
    {"EF.ECC", T(0x6FB7, 0, READ_ALWAYS), OWN, PLACE(gsm_ecc), .content = CONTENT(0x11, 0xF2, 0xFF)},
};
// clang-format on

static const struct {
    struct uicc_rows rows;
    const struct uicc_row *own;
    enum uicc_folder parent;
} folders[UICC_FOLDERS] = {
    [UICC_MF] = {{mf, COUNT(mf)}, &root, UICC_MF},
    [UICC_USIM] = {{usim, COUNT(usim)}, &mf[0], UICC_MF},
    [UICC_ISIM] = {{isim, COUNT(isim)}, &mf[1], UICC_MF},
    [UICC_GSM_ACCESS] = {{gsm_access, COUNT(gsm_access)}, &usim[1], UICC_USIM},
    [UICC_PHONEBOOK] = {{phonebook, COUNT(phonebook)}, &usim[0], UICC_USIM},
    [UICC_5GS] = {{df_5gs, COUNT(df_5gs)}, &usim[2], UICC_USIM},
    [UICC_TELECOM] = {{telecom, COUNT(telecom)}, &mf[2], UICC_MF},
    [UICC_GSM] = {{gsm, COUNT(gsm)}, &mf[3], UICC_MF},
};

struct uicc_rows uicc_rows(enum uicc_folder folder)
{
    return folders[folder].rows;
}

const struct uicc_row *uicc_folder_row(enum uicc_folder folder)
{
    return folders[folder].own;
}

enum uicc_folder uicc_folder_parent(enum uicc_folder folder)
{
    return folders[folder].parent;
}

const struct uicc_row *uicc_row_named(enum uicc_folder folder, struct bytes name)
{
    struct uicc_rows rows = uicc_rows(folder);
    for (size_t i = 0; i < rows.count; i++) {
        if (bytes_equal(bytes_of_text(rows.at[i].name), name))
            return &rows.at[i];
    }
    return NULL;
}

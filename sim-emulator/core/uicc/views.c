#include "sim-emulator/core/uicc/views.h"

#include "common/base/text.h"
#include "common/wire/ident.h"
#include "common/wire/tlv.h"

void uicc_view_iccid(const struct uicc_source *s, struct writer *w)
{
    const struct slot *slot = &s->subscription->slot;
    writer_copy(
        w, bytes_of(slot->has_iccid ? slot->iccid : s->factory->card_iccid, COMMAND_ICCID_SIZE));
}

void uicc_view_imsi(const struct uicc_source *s, struct writer *w)
{
    writer_copy(w, bytes_of(s->subscription->slot.imsi, COMMAND_IMSI_SIZE));
}

// One bit for the access class, which is the last digit of the IMSI [22.011 §4.2].
void uicc_view_access_class(const struct uicc_source *s, struct writer *w)
{
    char imsi[IMSI_SIZE];
    writer_u16(w, imsi_read(s->subscription->slot.imsi, imsi) ? imsi_access_class(imsi) : 0);
}

void uicc_view_administrative(const struct uicc_source *s, struct writer *w)
{
    writer_fill(w, 0, 3);
    writer_u8(w, s->subscription->slot.mnc_length);
}

// Length octet, then TON/NPI and BCD, filled up with FF to `size` octets.
static void write_number(struct writer *w, const struct dialling *number, size_t size)
{
    size_t end = w->len + size;
    if (number->len > 0 && number->len < size) {
        writer_u8(w, number->len);
        writer_copy(w, bytes_of(number->octets, number->len));
    }
    writer_fill(w, NVM_ERASED, end - w->len);
}

void uicc_view_msisdn(const struct uicc_source *s, struct writer *w)
{
    writer_fill(w, NVM_ERASED, 10); // no alpha identifier
    write_number(w, &s->subscription->slot.msisdn, 12);
}

// Of the parameters only the service centre is there: bit 2 of the indicators is 0 [31.102
// §4.2.27].
void uicc_view_sms_parameters(const struct uicc_source *s, struct writer *w)
{
    const struct dialling *centre = &s->subscription->slot.smsc;
    writer_fill(w, NVM_ERASED, 10);
    writer_u8(w, centre->len > 0 ? 0xFD : 0xFF);
    writer_fill(w, NVM_ERASED, 12);
    write_number(w, centre, 12);
}

// MCC and MNC out of the IMSI as a PLMN [24.008 §10.5.1.13].
static void plmn_of_imsi(const struct slot *slot, uint8_t plmn[PLMN_LEN])
{
    const uint8_t *imsi = slot->imsi; // length, then digit 1 in the high half of octet 1
    uint8_t mcc1 = imsi[1] >> 4;
    uint8_t mnc3 = slot->mnc_length == 3 ? imsi[4] & 0x0F : 0x0F;
    plmn[0] = (uint8_t)((imsi[2] & 0x0F) << 4 | mcc1);
    plmn[1] = (uint8_t)(mnc3 << 4 | imsi[2] >> 4);
    plmn[2] = (uint8_t)((imsi[3] >> 4) << 4 | (imsi[3] & 0x0F));
}

static void write_template_list(const struct uicc_source *s, struct writer *w, size_t list)
{
    const struct applet_template *from = s->subscription->from;
    if (from != NULL)
        writer_copy(w, bytes_slice(from->plmn_lists[list], 0, writer_room(w)));
}

void uicc_view_plmn_user(const struct uicc_source *s, struct writer *w)
{
    write_template_list(s, w, 0);
}

void uicc_view_plmn_operator(const struct uicc_source *s, struct writer *w)
{
    write_template_list(s, w, 1);
}

// What the download brought, the template's list, or the home network of the IMSI with UTRAN,
// E-UTRAN and GSM.
void uicc_view_plmn_home(const struct uicc_source *s, struct writer *w)
{
    const struct slot *slot = &s->subscription->slot;
    if (slot->plmns_len > 0)
        writer_copy(w, bytes_of(slot->plmns, slot->plmns_len));
    else
        write_template_list(s, w, 2);
    if (w->len > 0)
        return;
    uint8_t plmn[PLMN_LEN];
    plmn_of_imsi(slot, plmn);
    writer_copy(w, bytes_of(plmn, sizeof plmn));
    writer_u16(w, 0xC080);
}

// ims.mncMNC.mccMCC.3gppnetwork.org, with an MNC of three digits.
static void write_domain(const struct slot *slot, const char *imsi, struct writer *w)
{
    text_put(w, "ims.mnc");
    text_put(w, slot->mnc_length == 3 ? "" : "0");
    writer_copy(w, bytes_of(imsi + 3, slot->mnc_length == 3 ? 3 : 2));
    text_put(w, ".mcc");
    writer_copy(w, bytes_of(imsi, 3));
    text_put(w, ".3gppnetwork.org");
}

// An object 80 with what goes before the IMSI, it, and the domain; nothing if the IMSI cannot be
// read.
static void write_identity(const struct uicc_source *s, const char *before, struct writer *w)
{
    const struct slot *slot = &s->subscription->slot;
    char imsi[IMSI_SIZE];
    if (!imsi_read(slot->imsi, imsi))
        return;
    struct tlv_mark mark = tlv_open(w, 0x80);
    text_put(w, before);
    text_put(w, imsi);
    text_put(w, "@");
    write_domain(slot, imsi, w);
    tlv_close(w, mark);
}

void uicc_view_private_identity(const struct uicc_source *s, struct writer *w)
{
    write_identity(s, "", w);
}

void uicc_view_public_identity(const struct uicc_source *s, struct writer *w)
{
    write_identity(s, "sip:", w);
}

void uicc_view_domain(const struct uicc_source *s, struct writer *w)
{
    const struct slot *slot = &s->subscription->slot;
    char imsi[IMSI_SIZE];
    if (!imsi_read(slot->imsi, imsi))
        return;
    struct tlv_mark mark = tlv_open(w, 0x80);
    write_domain(slot, imsi, w);
    tlv_close(w, mark);
}

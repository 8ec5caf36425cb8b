// Files whose default content follows from the enabled subscription and the card: so a switch of
// subscription changes all of them at once. Each writes at most the file's size; the rest is FF.
#pragma once

#include "sim-emulator/core/uicc/tree.h"

void uicc_view_iccid(const struct uicc_source *source, struct writer *w);
void uicc_view_imsi(const struct uicc_source *source, struct writer *w);
void uicc_view_access_class(const struct uicc_source *source, struct writer *w);
void uicc_view_administrative(const struct uicc_source *source, struct writer *w);
void uicc_view_msisdn(const struct uicc_source *source, struct writer *w);
void uicc_view_sms_parameters(const struct uicc_source *source, struct writer *w);
void uicc_view_plmn_user(const struct uicc_source *source, struct writer *w);
void uicc_view_plmn_operator(const struct uicc_source *source, struct writer *w);
// The identities of the IMS subscription, made of the IMSI [23.003 §13].
void uicc_view_private_identity(const struct uicc_source *source, struct writer *w);
void uicc_view_public_identity(const struct uicc_source *source, struct writer *w);
void uicc_view_domain(const struct uicc_source *source, struct writer *w);
void uicc_view_plmn_home(const struct uicc_source *source, struct writer *w);

#include "smpp/core/pdu.h"

// clang-format off
#define NAME(status) case status: return #status
// clang-format on

const char *smpp_status_name(uint32_t status)
{
    switch (status) {
        NAME(ESME_ROK);
        NAME(ESME_RINVMSGLEN);
        NAME(ESME_RINVCMDLEN);
        NAME(ESME_RINVCMDID);
        NAME(ESME_RINVBNDSTS);
        NAME(ESME_RALYBND);
        NAME(ESME_RINVPRTFLG);
        NAME(ESME_RINVREGDLVFLG);
        NAME(ESME_RSYSERR);
        NAME(ESME_RINVSRCADR);
        NAME(ESME_RINVDSTADR);
        NAME(ESME_RINVMSGID);
        NAME(ESME_RBINDFAIL);
        NAME(ESME_RINVPASWD);
        NAME(ESME_RINVSYSID);
        NAME(ESME_RCANCELFAIL);
        NAME(ESME_RREPLACEFAIL);
        NAME(ESME_RMSGQFUL);
        NAME(ESME_RINVSERTYP);
        NAME(ESME_RINVNUMDESTS);
        NAME(ESME_RINVDLNAME);
        NAME(ESME_RINVDESTFLAG);
        NAME(ESME_RINVSUBREP);
        NAME(ESME_RINVESMCLASS);
        NAME(ESME_RCNTSUBDL);
        NAME(ESME_RSUBMITFAIL);
        NAME(ESME_RINVSRCTON);
        NAME(ESME_RINVSRCNPI);
        NAME(ESME_RINVDSTTON);
        NAME(ESME_RINVDSTNPI);
        NAME(ESME_RINVSYSTYP);
        NAME(ESME_RINVREPFLAG);
        NAME(ESME_RINVNUMMSGS);
        NAME(ESME_RTHROTTLED);
        NAME(ESME_RINVSCHED);
        NAME(ESME_RINVEXPIRY);
        NAME(ESME_RINVDFTMSGID);
        NAME(ESME_RX_T_APPN);
        NAME(ESME_RX_P_APPN);
        NAME(ESME_RX_R_APPN);
        NAME(ESME_RQUERYFAIL);
        NAME(ESME_RINVOPTPARSTREAM);
        NAME(ESME_ROPTPARNOTALLWD);
        NAME(ESME_RINVPARLEN);
        NAME(ESME_RMISSINGOPTPARAM);
        NAME(ESME_RINVOPTPARAMVAL);
        NAME(ESME_RDELIVERYFAILURE);
        NAME(ESME_RUNKNOWNERR);
        NAME(ESME_RINVDCS);
    default:
        return status >= 0x400 && status <= 0x4FF ? "vendor" : "unknown";
    }
}

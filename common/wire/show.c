#include "common/wire/show.h"

#include "common/base/text.h"
#include "common/wire/ident.h"

struct row {
    uint16_t value;
    const char *name;
};

static const char *name_of(const struct row *rows, size_t count, uint16_t value)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].value == value)
            return rows[i].name;
    }
    return NULL;
}

static void put_hex8(struct writer *w, uint8_t value)
{
    text_hex_upper(w, bytes_of(&value, 1));
}

// --- APDUs -----------------------------------------------------------------------------------

void show_instruction(struct writer *w, uint8_t ins)
{
    static const struct row rows[] = {
        {INS_DEACTIVATE_FILE, "DEACTIVATE FILE"},
        {INS_TERMINAL_PROFILE, "TERMINAL PROFILE"},
        {INS_FETCH, "FETCH"},
        {INS_TERMINAL_RESPONSE, "TERMINAL RESPONSE"},
        {INS_VERIFY_PIN, "VERIFY PIN"},
        {INS_CHANGE_PIN, "CHANGE PIN"},
        {INS_DISABLE_PIN, "DISABLE PIN"},
        {INS_ENABLE_PIN, "ENABLE PIN"},
        {INS_UNBLOCK_PIN, "UNBLOCK PIN"},
        {INS_INCREASE, "INCREASE"},
        {INS_ACTIVATE_FILE, "ACTIVATE FILE"},
        {INS_MANAGE_CHANNEL, "MANAGE CHANNEL"},
        {INS_GET_CHALLENGE, "GET CHALLENGE"},
        {INS_AUTHENTICATE, "AUTHENTICATE"},
        {0x89, "AUTHENTICATE"},
        {INS_SEARCH_RECORD, "SEARCH RECORD"},
        {INS_SELECT, "SELECT"},
        {INS_TERMINAL_CAPABILITY, "TERMINAL CAPABILITY"},
        {INS_READ_BINARY, "READ BINARY"},
        {INS_READ_RECORD, "READ RECORD"},
        {INS_GET_RESPONSE, "GET RESPONSE"},
        {INS_ENVELOPE, "ENVELOPE"},
        {INS_GET_DATA, "GET DATA"},
        {INS_RETRIEVE_DATA, "RETRIEVE DATA"},
        {INS_RESIZE_FILE, "RESIZE FILE"},
        {INS_UPDATE_BINARY, "UPDATE BINARY"},
        {INS_UPDATE_RECORD, "UPDATE RECORD"},
        {INS_CREATE_FILE, "CREATE FILE"},
        {INS_STORE_DATA, "STORE DATA"},
        {INS_DELETE, "DELETE"},
        {INS_INSTALL, "INSTALL"},
        {INS_STATUS, "STATUS"},
    };
    const char *name = name_of(rows, sizeof rows / sizeof rows[0], ins);
    text_put(w, name != NULL ? name : "INS ");
    if (name == NULL)
        put_hex8(w, ins);
}

// The words of [102.221 §10.2] and [31.102 §7.3].
static const struct row words[] = {
    {SW_TOOLKIT_BUSY, "the toolkit is busy"},
    {SW_WARNING, "no information given"},
    {SW_DATA_CORRUPT, "part of the data may be corrupted"},
    {SW_END_OF_FILE, "end of file before Le octets"},
    {SW_FILE_INVALIDATED, "the selected file is deactivated"},
    {SW_MORE_DATA, "more data available"},
    {SW_EXECUTION_ERROR, "memory unchanged"},
    {SW_MEMORY_FAILURE, "memory problem"},
    {SW_WRONG_LENGTH, "wrong length"},
    {SW_CLASS_FUNCTION, "functions in CLA not supported"},
    {SW_CHANNEL_NOT_SUPPORTED, "logical channel not supported"},
    {SW_SECURE_MESSAGING_NOT_SUPPORTED, "secure messaging not supported"},
    {SW_COMMAND_NOT_ALLOWED, "command not allowed"},
    {SW_STRUCTURE_MISMATCH, "incompatible with the file's structure"},
    {SW_SECURITY_STATUS, "security status not satisfied"},
    {SW_PIN_BLOCKED, "PIN blocked"},
    {SW_DATA_INVALIDATED, "referenced data invalidated"},
    {SW_CONDITIONS, "conditions of use not satisfied"},
    {SW_NO_EF_SELECTED, "no EF selected"},
    {SW_WRONG_DATA, "incorrect parameters in the data"},
    {SW_FUNCTION_NOT_SUPPORTED, "function not supported"},
    {SW_FILE_NOT_FOUND, "file not found"},
    {SW_RECORD_NOT_FOUND, "record not found"},
    {SW_NO_MEMORY, "not enough memory"},
    {SW_WRONG_P1_P2, "incorrect P1 or P2"},
    {SW_LC_P1_P2, "Lc inconsistent with P1 P2"},
    {SW_REFERENCE_NOT_FOUND, "referenced data not found"},
    {SW_WRONG_OFFSET, "wrong P1 or P2"},
    {SW_INS_NOT_SUPPORTED, "instruction not supported"},
    {SW_CLA_NOT_SUPPORTED, "class not supported"},
    {SW_TECHNICAL_PROBLEM, "technical problem"},
    {SW_MAX_VALUE, "the maximum is reached"},
    {SW_AUTHENTICATION_MAC, "wrong MAC of the network"},
    {SW_SESSION_NOT_SUPPORTED, "security session not supported"},
    {SW_AUTHENTICATION_CONTEXT, "security context not supported"},
    {SW_KEY_FRESHNESS, "key freshness failure"},
};

static void put_count(struct writer *w, const char *before, unsigned count, const char *after)
{
    text_put(w, before);
    text_decimal(w, count);
    text_put(w, after);
}

void show_status_word(struct writer *w, uint16_t sw)
{
    unsigned low = sw & 0xFF;
    unsigned length = low == 0 ? 256 : low;
    const char *name = name_of(words, sizeof words / sizeof words[0], sw);
    if (sw == SW_OK)
        text_put(w, "done");
    else if ((sw & 0xFF00) == SW_OK_PROACTIVE)
        put_count(w, "done; a proactive command of ", length, " octets waits");
    else if ((sw & 0xFF00) == SW_DATA_AVAILABLE)
        put_count(w, "", length, " octets wait");
    else if ((sw & 0xFF00) == SW_WRONG_LE)
        put_count(w, "wrong Le, ", length, " is right");
    else if ((sw & 0xFFF0) == SW_PIN_TRIES)
        put_count(w, "", low & 0x0F, " tries are left");
    else if (name != NULL)
        text_put(w, name);
}

// --- security headers ------------------------------------------------------------------------

static const char *integrity_name(enum secured_integrity integrity)
{
    switch (integrity) {
    case SECURED_NO_INTEGRITY:
        return "no integrity";
    case SECURED_RC:
        return "RC";
    case SECURED_CC:
        return "CC";
    case SECURED_DS:
        return "DS";
    }
    return "?";
}

void show_spi(struct writer *w, uint8_t spi1, uint8_t spi2)
{
    static const char *const counters[] = {"no counter", "counter present", "counter higher",
                                           "counter one more"};
    static const char *const pors[] = {"no PoR", "PoR always", "PoR on error", "PoR reserved"};
    struct secured_spi spi = secured_spi_read(spi1, spi2);
    text_put(w, "SPI ");
    put_hex8(w, spi1);
    text_put(w, " ");
    put_hex8(w, spi2);
    text_put(w, ": ");
    text_put(w, integrity_name(spi.integrity));
    text_put(w, spi.is_ciphered ? ", ciphered, " : ", not ciphered, ");
    text_put(w, counters[spi.counter]);
    text_put(w, "; ");
    text_put(w, pors[spi.por]);
    if (spi.por != SECURED_POR_NONE) {
        text_put(w, spi.por_by_submit ? ", by SMS-SUBMIT, " : ", in the report, ");
        text_put(w, integrity_name(spi.por_integrity));
        text_put(w, spi.por_is_ciphered ? ", ciphered" : ", not ciphered");
    }
    if (spi.has_reserved)
        text_put(w, "; reserved bits set");
}

static void put_key_set(struct writer *w, const char *name, uint8_t indication, bool is_crc)
{
    static const struct row rows[] = {
        {SECURED_IMPLICIT, "implicit"},
        {SECURED_DES, "DES"},
        {SECURED_AES, "AES"},
        {SECURED_PROPRIETARY, "proprietary"},
        {SECURED_TRIPLE_DES_2, "3DES 2 keys"},
        {SECURED_TRIPLE_DES_3, "3DES 3 keys"},
        {SECURED_DES_ECB, "DES in ECB mode"},
    };
    static const struct row crcs[] = {{SECURED_DES, "CRC-16"}, {SECURED_TRIPLE_DES_2, "CRC-32"}};
    uint8_t algorithm = secured_algorithm(indication);
    const char *text = is_crc ? name_of(crcs, sizeof crcs / sizeof crcs[0], algorithm) : NULL;
    if (text == NULL)
        text = name_of(rows, sizeof rows / sizeof rows[0], algorithm);
    text_put(w, name);
    put_hex8(w, indication);
    text_put(w, ": ");
    text_put(w, text != NULL ? text : "reserved");
    put_count(w, ", key set ", secured_key_version(indication), "");
}

void show_kic(struct writer *w, uint8_t kic)
{
    put_key_set(w, "KIc ", kic, false);
}

void show_kid(struct writer *w, uint8_t spi1, uint8_t kid)
{
    put_key_set(w, "KID ", kid, secured_spi_read(spi1, 0).integrity == SECURED_RC);
}

void show_tar(struct writer *w, uint32_t tar)
{
    const uint8_t octets[3] = {(uint8_t)(tar >> 16), (uint8_t)(tar >> 8), (uint8_t)tar};
    text_put(w, "TAR ");
    text_hex_upper(w, bytes_of(octets, sizeof octets));
}

void show_cntr(struct writer *w, uint64_t cntr)
{
    text_put(w, "CNTR ");
    text_decimal(w, cntr);
}

void show_por_status(struct writer *w, uint8_t status)
{
    static const struct row rows[] = {
        {SECURED_STATUS_OK, "OK"},
        {SECURED_STATUS_CHECK_FAILED, "RC, CC or DS failed"},
        {SECURED_STATUS_CNTR_LOW, "CNTR low"},
        {SECURED_STATUS_CNTR_HIGH, "CNTR high"},
        {SECURED_STATUS_CNTR_BLOCKED, "CNTR blocked"},
        {SECURED_STATUS_CIPHERING_ERROR, "ciphering error"},
        {SECURED_STATUS_UNIDENTIFIED_ERROR, "unidentified security error"},
        {SECURED_STATUS_NO_MEMORY, "insufficient memory"},
        {SECURED_STATUS_MORE_TIME, "more time needed"},
        {SECURED_STATUS_TAR_UNKNOWN, "TAR unknown"},
        {SECURED_STATUS_LEVEL_TOO_LOW, "insufficient security level"},
        {SECURED_STATUS_FOLLOWS_BY_SUBMIT, "response follows by SMS-SUBMIT"},
        {SECURED_STATUS_FOLLOWS_BY_USSD, "response follows by USSD"},
    };
    const char *name = name_of(rows, sizeof rows / sizeof rows[0], status);
    text_put(w, "PoR ");
    put_hex8(w, status);
    text_put(w, name != NULL ? ": " : "");
    text_put(w, name != NULL ? name : "");
}

// --- remote management -----------------------------------------------------------------------

#define SCRIPT_SHOWN_MAX 64 // commands

static void show_step(struct writer *w, const struct apdu *apdu)
{
    show_instruction(w, apdu->ins);
    text_put(w, " ");
    put_hex8(w, apdu->p1);
    put_hex8(w, apdu->p2);
    if (apdu->ins == INS_SELECT) {
        text_put(w, " ");
        text_hex_upper(w, apdu->data);
    } else if (apdu->data.len > 0) {
        text_put(w, " with ");
        text_decimal(w, apdu->data.len);
    } else if (apdu->le > 0) {
        text_put(w, " for ");
        text_decimal(w, apdu->le);
    }
}

void show_script(struct writer *w, struct bytes octets)
{
    struct remote_script script = remote_open(octets);
    struct remote_item item;
    unsigned count = 0;
    for (; remote_next(&script, &item); count++) {
        if (count >= SCRIPT_SHOWN_MAX)
            continue;
        text_put(w, count > 0 ? "; " : "script: ");
        if (item.kind == REMOTE_COMMAND)
            show_step(w, &item.apdu);
        else
            text_put(w, "an action that is no command");
    }
    if (count == 0)
        text_put(w, "script without a command");
    if (count > SCRIPT_SHOWN_MAX) {
        text_put(w, "; and ");
        text_decimal(w, count - SCRIPT_SHOWN_MAX);
        text_put(w, " more");
    }
    if (script.error != REMOTE_OK)
        text_put(w, "; malformed behind that");
}

void show_script_result(struct writer *w, enum remote_format format, struct bytes octets)
{
    struct remote_result result;
    if (!remote_result_read(format, octets, &result)) {
        text_put(w, "data that are no answer to a script");
        return;
    }
    text_decimal(w, result.executed);
    text_put(w, " executed");
    if (result.has_result) {
        text_put(w, ", the last ");
        put_hex8(w, (uint8_t)(result.sw >> 8));
        put_hex8(w, (uint8_t)result.sw);
        text_put(w, " ");
        show_status_word(w, result.sw);
        text_put(w, " with ");
        text_decimal(w, result.data.len);
    }
    if (result.bad_format != 0) {
        text_put(w, ", bad format ");
        put_hex8(w, result.bad_format);
    }
}

// The fields of one record turned into a card or a subscription in clear, with every check that
// needs no other record and no registry.
//
// Promises: every field is judged, also after a bad one, and all findings are given; a field that
// is bad is left empty. Keys in clear stay in the card (the caller wipes it); temporary copies are
// wiped. Numbers are those of docs/vendor-files.md.
// Never: puts a value of the file into a finding.
#pragma once

#include "profiles/vendor/card.h"
#include "profiles/vendor/file.h"

struct record_options {
    const struct vendor_file *file;
    const struct file_options *options;
    struct findings *findings; // may be NULL
    bool is_lab;               // published test keys are a warning only
    void *context;
    // The number rule of an operator's rule pack; NULL = none.
    const struct number_rule *(*number_rule)(void *context, const char *operator_name);
};

enum record_verdict {
    RECORD_GOOD,
    RECORD_BAD,    // a finding of level R says why
    RECORD_FAILED, // the cryptography failed
};

enum record_verdict vendor_record_read(const struct record_options *o,
                                       const struct vendor_fields *fields,
                                       struct vendor_card *card) MUST_USE;

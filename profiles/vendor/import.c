#include "profiles/vendor/import.h"

#include "profiles/vendor/compare.h"

#include <stdlib.h>

#define PROGRESS_EVERY 1024

struct import {
    const struct import_options *o;
    struct import_report *report;
    struct vendor_file *file;
    struct compare compare;
    struct vendor_card card;
    uint64_t done;
};

static bool has_file_findings(const struct import *i)
{
    return i->report->findings.by_level[FINDING_FILE] > 0;
}

static enum import_verdict of_file(enum file_verdict verdict)
{
    return verdict == FILE_UNREADABLE ? IMPORT_UNREADABLE : IMPORT_DONE;
}

// False: cancelled.
static bool go_on(struct import *i, unsigned pass)
{
    const struct import_options *o = i->o;
    if (o->progress == NULL || i->done % PROGRESS_EVERY != 0)
        return true;
    return o->progress(o->context, pass, i->done, i->file->header.quantity);
}

static struct record_options record_options_of(const struct import *i, struct findings *findings)
{
    return (struct record_options){
        .file = i->file,
        .options = &i->o->file,
        .findings = findings,
        .is_lab = i->o->is_lab,
        .context = i->o->context,
        .number_rule = i->o->number_rule,
    };
}

static enum import_verdict check_record(struct import *i, const struct record_options *record,
                                        const struct vendor_fields *fields)
{
    enum record_verdict read = vendor_record_read(record, fields, &i->card);
    bool good = read != RECORD_FAILED && compare_record(&i->compare, &i->card, read == RECORD_BAD);
    vendor_card_wipe(&i->card);
    return good ? IMPORT_DONE : IMPORT_UNREADABLE;
}

static bool claim_batch(struct import *i)
{
    const struct import_registry *r = &i->o->registry;
    const struct vendor_header *h = &i->file->header;
    const uint32_t line = h->line[HEADER_BATCH];
    switch (r->batch(r->context, h)) {
    case BATCH_NEW:
        return true;
    case BATCH_BUSY:
        findings_add(&i->report->findings, IMP_120, line, "Batch", "is being imported now");
        return false;
    case BATCH_LOADED:
        findings_add(&i->report->findings, IMP_121, line, "Batch",
                     "is loaded with other content; an update is a separate, approved action");
        return false;
    }
    return false;
}

// Pass 1.
static enum import_verdict check_file(struct import *i)
{
    struct vendor_fields fields;
    struct findings *findings = &i->report->findings;
    enum file_verdict verdict = file_start(i->file, findings);
    if (verdict != FILE_OK)
        return of_file(verdict);
    if (!claim_batch(i))
        return IMPORT_DONE;
    if (!compare_open(&i->compare, i->o, i->file, findings))
        return IMPORT_UNREADABLE;
    const struct record_options record = record_options_of(i, findings);
    for (verdict = file_next(i->file, &fields); verdict == FILE_OK;
         verdict = file_next(i->file, &fields)) {
        enum import_verdict checked = check_record(i, &record, &fields);
        i->done++;
        if (checked != IMPORT_DONE)
            return checked;
        if (!go_on(i, 1))
            return IMPORT_CANCELLED;
    }
    i->report->records = i->file->record_count;
    if (!compare_finish(&i->compare))
        return IMPORT_UNREADABLE;
    if (verdict == FILE_END)
        verdict = file_finish(i->file);
    return of_file(verdict);
}

static bool load_record(struct import *i)
{
    const struct import_registry *r = &i->o->registry;
    const struct vendor_header *h = &i->file->header;
    if (h->is_pool)
        return r->load_subscription(r->context, h, &i->card.subscriptions[0]);
    return r->load_card(r->context, h, &i->card);
}

static enum import_verdict take_record(struct import *i, const struct record_options *record,
                                       const struct vendor_fields *fields)
{
    const struct import_registry *r = &i->o->registry;
    if (line_set_has(&i->compare.bad, fields->line))
        return r->quarantine(r->context, fields->line, fields->raw) ? IMPORT_DONE
                                                                    : IMPORT_REGISTRY_FAILED;
    if (line_set_has(&i->compare.equal, fields->line))
        return IMPORT_DONE;
    enum import_verdict verdict = IMPORT_DONE;
    switch (vendor_record_read(record, fields, &i->card)) {
    case RECORD_GOOD:
        verdict = load_record(i) ? IMPORT_DONE : IMPORT_REGISTRY_FAILED;
        break;
    case RECORD_BAD:
        verdict = IMPORT_CHANGED;
        break;
    case RECORD_FAILED:
        verdict = IMPORT_UNREADABLE;
        break;
    }
    vendor_card_wipe(&i->card);
    return verdict;
}

// Between begin and commit.
static enum import_verdict load_records(struct import *i)
{
    struct vendor_fields fields;
    i->done = 0;
    enum file_verdict verdict = file_start(i->file, NULL);
    if (verdict != FILE_OK)
        return IMPORT_CHANGED;
    const struct record_options record = record_options_of(i, NULL);
    for (verdict = file_next(i->file, &fields); verdict == FILE_OK;
         verdict = file_next(i->file, &fields)) {
        enum import_verdict taken = take_record(i, &record, &fields);
        i->done++;
        if (taken != IMPORT_DONE)
            return taken;
        if (!go_on(i, 2))
            return IMPORT_CANCELLED;
    }
    if (verdict != FILE_END)
        return verdict == FILE_UNREADABLE ? IMPORT_UNREADABLE : IMPORT_CHANGED;
    return file_is_unchanged(i->file) ? IMPORT_DONE : IMPORT_CHANGED;
}

// Pass 2.
static enum import_verdict load_file(struct import *i)
{
    const struct import_registry *r = &i->o->registry;
    const struct import_counts counts = {.records = i->report->records,
                                         .unchanged = i->report->unchanged,
                                         .quarantined = i->report->quarantined};
    if (!r->begin(r->context, &i->file->header, counts))
        return IMPORT_REGISTRY_FAILED;
    enum import_verdict verdict = load_records(i);
    if (verdict != IMPORT_DONE) {
        r->abort(r->context);
        return verdict;
    }
    return r->commit(r->context) ? IMPORT_DONE : IMPORT_REGISTRY_FAILED;
}

// What pass 1 says about the whole file; the counts are those of a full load.
static bool may_load(struct import *i)
{
    struct import_report *r = i->report;
    const struct line_set none = {0};
    r->quarantined = line_set_count(&i->compare.bad, &none);
    r->unchanged = line_set_count(&i->compare.equal, &i->compare.bad);
    r->kcv_mismatch = r->findings.by_code[IMP_111] + r->findings.by_code[IMP_301] > 0;
    const bool refused = has_file_findings(i) || (r->quarantined > 0 && !i->o->is_partial);
    const bool clean = !has_file_findings(i) && r->quarantined == 0;
    if (i->o->is_dry_run) {
        r->outcome = clean ? REPORT_DRY_RUN_OK : REPORT_DRY_RUN_FINDINGS;
    } else if (refused) {
        r->outcome = REPORT_REFUSED;
    } else {
        r->outcome = clean ? REPORT_IMPORTED : REPORT_IMPORTED_IN_PART;
    }
    if (!refused)
        r->loaded = r->records - r->quarantined - r->unchanged;
    return !refused && !i->o->is_dry_run;
}

static enum import_verdict run(struct import *i)
{
    const struct import_registry *registry = &i->o->registry;
    struct import_report *r = i->report;
    enum file_verdict verdict = file_recognise(i->file, &r->findings);
    if (verdict == FILE_UNREADABLE)
        return IMPORT_UNREADABLE;
    memcpy(r->sha256, i->file->sha256, sizeof r->sha256);
    r->layout = i->file->layout;
    if (verdict == FILE_OK && registry->file_known(registry->context, r->sha256, r->first_import)) {
        r->outcome = REPORT_ALREADY_IMPORTED;
        return IMPORT_DONE;
    }
    enum import_verdict ended = verdict == FILE_OK ? check_file(i) : IMPORT_DONE;
    if (ended != IMPORT_DONE)
        return ended;
    return may_load(i) ? load_file(i) : IMPORT_DONE;
}

enum import_verdict import_run(const struct import_options *options,
                               const struct vendor_source *source, struct import_report *report)
{
    struct import *i = calloc(1, sizeof *i);
    *report = (struct import_report){0};
    if (i == NULL)
        return IMPORT_UNREADABLE;
    i->o = options;
    i->report = report;
    i->file = file_open(&options->file, source);
    enum import_verdict verdict = i->file != NULL ? run(i) : IMPORT_UNREADABLE;
    if (i->file != NULL) {
        header_wipe(&i->file->header);
        report->header = i->file->header;
    }
    if (verdict != IMPORT_DONE)
        report->loaded = 0;
    findings_sort(&report->findings);
    compare_close(&i->compare);
    file_close(i->file);
    secret_wipe(&i->card, sizeof i->card);
    free(i);
    return verdict;
}

void import_report_close(struct import_report *report)
{
    findings_close(&report->findings);
}

const char *import_outcome_name(enum import_outcome outcome)
{
    static const char *const names[] = {"IMPORTED", "IMPORTED_IN_PART", "ALREADY_IMPORTED",
                                        "REFUSED",  "DRY_RUN_OK",       "DRY_RUN_FINDINGS"};
    return names[outcome];
}

int import_exit_code(enum import_outcome outcome)
{
    switch (outcome) {
    case REPORT_IMPORTED:
    case REPORT_ALREADY_IMPORTED:
    case REPORT_DRY_RUN_OK:
        return 0;
    case REPORT_REFUSED:
    case REPORT_DRY_RUN_FINDINGS:
        return 4;
    case REPORT_IMPORTED_IN_PART:
        return 8;
    }
    return 4;
}

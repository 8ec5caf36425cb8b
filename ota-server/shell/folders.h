// Folders in which vendors' files arrive, by SFTP or otherwise, and are imported one after the
// other.
//
//     FOLDER/NAME  ->  FOLDER/taken/NAME  ->  FOLDER/done/NAME or FOLDER/refused/NAME
//                                             and beside it NAME.report.json
//
// A file is taken when nothing has changed it for the folder's settling time, by renaming it: of
// two servers one gets it. Hidden names and those that programs give to files under way (.part,
// .filepart, .partial, .tmp) are left alone. After a stop in the middle, what stands in `taken` is
// imported again. Never: follows a link, reads what is no plain file, or deletes anything but,
// where the folder is set so, what it has taken and keeps enciphered [import_body.h].
#pragma once

#include "common/host/loop.h"
#include "ota-server/service/import_job.h"
#include "ota-server/service/turn.h"
#include "ota-server/shell/settings.h"

struct folders;

struct folders_options {
    struct loop *loop;
    struct log *log;
    const struct server_settings *settings;
    struct turn *turn;
    struct store *reader;
    struct import_jobs *jobs;
    struct utc (*utc)(void *context); // the server's clock
    void *utc_context;
};

// NULL, with the reason on standard error: a folder is not there or cannot be written.
struct folders *folders_open(const struct folders_options *options) MUST_USE;
// Harmless on NULL.
void folders_close(struct folders *folders);

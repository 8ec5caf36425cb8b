// Exports: all objects of a kind, as JSON lines or as CSV, while the client takes them. Internal.
//
// Promises: no more is held than a piece; identifiers are as masked as in lists; who exported what,
// when and why is a row of the trail, and stands on each line of CSV and before the JSON lines.
#pragma once

#include "ota-server/service/api_exchange.h"

#define EXPORT_OBJECT_MAX 24576 // octets of one, as JSON

struct export_column {
    const char *title;
    const char *path; // of the JSON: "actor.id"; through an array its elements
};

struct export_kind {
    const char *object;                  // of the trail: "card"
    const char *action;                  // "cards.exported"
    const struct export_column *columns; // ended by a title NULL
    bool is_marked;                      // by a first line; else its own lines tell
    // Gives export_line() those behind x->more_from, in their order, until it answers false; sets
    // x->more_from to the last that was taken. False: the store could not tell.
    bool (*page)(struct api_exchange *x);
};

// The handler's part comes first in a struct of its own.
struct export
{
    const struct export_kind *kind;
    bool is_csv, has_begun, has_failed;
    uint64_t head; // of the trail, the row that notes this
    char at[UTC_TEXT_SIZE], by[API_ID_SIZE];
    uint8_t octets[EXPORT_OBJECT_MAX];
};

// x->work, calloc()ed, begins with a struct export. Reads the reason and what is accepted, and
// answers; the query has been read.
void export_begin(struct api_exchange *x, const struct export_kind *kind);
struct export *export_of(const struct api_exchange *x); // while it goes on
// Writes one object, which `put` puts into x->json. False: there is no room for it in this piece.
bool export_line(struct api_exchange *x, bool (*put)(struct api_exchange *x, const void *of),
                 const void *of);

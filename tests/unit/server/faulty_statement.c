#include "tests/unit/server/faulty_statement.h"

#include "common/base/check.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static _Thread_local uint32_t fails_at, calls;
static _Thread_local char text_hit[64];

// A trigger is told of by its name, as a comment; its steps count with the statement.
static int see_statement(unsigned kind, void *context, void *statement, void *text)
{
    (void)kind;
    (void)statement;
    if (fails_at == 0 || strncmp(text, "--", 2) == 0)
        return 0;
    calls++;
    if (calls != fails_at)
        return 0;
    (void)snprintf(text_hit, sizeof(text_hit), "%s", (const char *)text);
    sqlite3_interrupt(context);
    return 0;
}

static int watch(sqlite3 *db, const char **problem, const struct sqlite3_api_routines *api)
{
    (void)problem;
    (void)api;
    return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, see_statement, db);
}

void faulty_statement_install(void)
{
    check(sqlite3_auto_extension((void (*)(void))watch) == SQLITE_OK);
}

void faulty_statement_set(uint32_t at_call)
{
    fails_at = at_call;
    calls = 0;
}

const char *faulty_statement_text(void)
{
    return text_hit;
}

bool faulty_statement_was_hit(void)
{
    return fails_at != 0 && calls >= fails_at;
}

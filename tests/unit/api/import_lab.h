// Vendor files that are sent to the server: samples, and batches of their own.
#pragma once

#include "tests/unit/api/api_lab.h"

#define BASE "/connectivity-management/v1"

extern struct lab lab;
extern struct answer a;
extern char import_id[31]; // "imp_" and 26 characters

void ask(const char *method, const char *target, const char *body);
bool has(const char *text);
// Good until the next one.
const char *read_sample(const char *path);
void import_text(const char *query, const char *key, const char *text);
void import_sample(const char *query, const char *key);
void read_import(const char *part, const char *accept);
// The import runs to its end; the answer is what is kept of it.
void run_import(void);
void load_transport_keys(void);
// A file of its own, which the caller removes; another seed has other keys for the same cards.
const char *make_batch(const char *name, uint64_t count, uint64_t seed);
void order(const char *file, const char *query, const char *key);
// With a vendor profile and transport keys.
void open_prepared(bool single_person);
// One thing that was handed over is written.
void step_once(void);

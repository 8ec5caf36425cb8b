// Our own mistakes. check() stays in release builds: it says which condition failed and where,
// and stops the program. Never use it on what a peer, a file or a user sent.
#pragma once

#define check(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

// Brought by the program: hosted ones link common/host's, which prints and aborts; a bare target
// brings its own. Must not return.
/*@ requires \false;
  @ assigns \nothing;
  @ ensures \false;
  @*/
_Noreturn void check_failed(const char *condition, const char *file, int line);

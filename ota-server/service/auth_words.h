// Passwords that are guessed first: repetitions, rows of a keyboard or of the alphabet, and words
// that whoever knows the account would try.
//
// Promises: what a password is made of does not matter, only how much of it has to be guessed.
#pragma once

#include "common/base/bytes.h"

#include <stdbool.h>

#define PASSWORD_GUESSED_MIN 8 // octets of a password that have to be guessed

// Whom it would be the password of. Parts of less than 3 octets are no words.
struct password_context {
    struct bytes username, display_name;
    const char *host; // of the public URL
};

// Has less than PASSWORD_GUESSED_MIN octets that do not follow from those before them, when such
// words are taken away, each wherever it stands and in whichever case?
bool password_is_guessed(struct bytes password, const struct password_context *context);

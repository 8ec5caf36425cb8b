// What a server knows of the card that is judged, from a file of its own: for cards that no vendor
// file describes.
//
//     kic = "00112233445566778899AABBCCDDEEFF"    16, 24 or 32 octets, like the next two
//     kid = "..."
//     kik = "..."
//     key-set = 1                                 1 to 15; 1 if not said
//     tar = "534D01"                              of the applet; this if not said
//     server-number = "12345"                     where the card sends its messages
#pragma once

#include "sim-emulator/shell/trial.h"

// False with a reason that names the file. Others than its owner must not be able to read it.
bool conform_keys_read(const char *path, struct trial_card *card,
                       char error[CONFORM_ERROR_SIZE]) MUST_USE;

// What the proofs take for granted about the C library: octets are copied, filled and compared.
#pragma once

#include <stddef.h>
#include <stdint.h>

/*@ requires len == 0 || \valid((uint8_t *)to + (0 .. len - 1));
  @ requires len == 0 || \valid_read((uint8_t *)from + (0 .. len - 1));
  @ requires len == 0 ||
  @   \separated((uint8_t *)to + (0 .. len - 1), (uint8_t *)from + (0 .. len - 1));
  @ assigns ((uint8_t *)to)[0 .. len - 1] \from ((uint8_t *)from)[0 .. len - 1];
  @ assigns \result \from to;
  @ ensures \result == to;
  @ ensures \forall integer i; 0 <= i < len ==> ((uint8_t *)to)[i] == \old(((uint8_t *)from)[i]);
  @*/
void *memcpy(void *to, const void *from, size_t len);

/*@ requires len == 0 || \valid((uint8_t *)to + (0 .. len - 1));
  @ requires len == 0 || \valid_read((uint8_t *)from + (0 .. len - 1));
  @ assigns ((uint8_t *)to)[0 .. len - 1] \from ((uint8_t *)from)[0 .. len - 1];
  @ assigns \result \from to;
  @ ensures \result == to;
  @ ensures \forall integer i; 0 <= i < len ==> ((uint8_t *)to)[i] == \old(((uint8_t *)from)[i]);
  @*/
void *memmove(void *to, const void *from, size_t len);

/*@ requires len == 0 || \valid((uint8_t *)to + (0 .. len - 1));
  @ assigns ((uint8_t *)to)[0 .. len - 1] \from value;
  @ assigns \result \from to;
  @ ensures \result == to;
  @ ensures \forall integer i; 0 <= i < len ==> ((uint8_t *)to)[i] == (uint8_t)value;
  @*/
void *memset(void *to, int value, size_t len);

/*@ requires len == 0 || \valid_read((uint8_t *)a + (0 .. len - 1));
  @ requires len == 0 || \valid_read((uint8_t *)b + (0 .. len - 1));
  @ assigns \result \from ((uint8_t *)a)[0 .. len - 1], ((uint8_t *)b)[0 .. len - 1];
  @ ensures \result == 0 <==>
  @   (\forall integer i; 0 <= i < len ==> ((uint8_t *)a)[i] == ((uint8_t *)b)[i]);
  @*/
int memcmp(const void *a, const void *b, size_t len);

/*@ axiomatic text {
  @   predicate is_text{L}(char *text, integer len) =
  @     len >= 0 && \valid_read(text + (0 .. len)) && text[len] == 0 &&
  @     (\forall integer i; 0 <= i < len ==> text[i] != 0);
  @ }
  @*/

/*@ requires \exists integer len; 0 <= len < 65536 && is_text(text, len);
  @ assigns \result \from text[0 ..];
  @ ensures \result < 65536 && is_text(text, \result);
  @*/
size_t strlen(const char *text);

#ifndef LOW_H
#define LOW_H
typedef struct {
    int at;
} low;
#endif

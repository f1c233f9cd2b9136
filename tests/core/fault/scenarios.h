/*
 * The table of calls that are tried while memory is short: at least one for
 * every function of memfs.h and storage.h.
 */
#ifndef MEMFS_TESTS_SCENARIOS_H
#define MEMFS_TESTS_SCENARIOS_H

#include "stage.h"

enum scenario_kind {
    MAY_BE_REFUSED, /* takes memory, or may */
    MAKES_NODES,    /* that too, and counts against the node limit */
    NEEDS_NOTHING   /* must succeed with no memory at all, without asking for any */
};

struct scenario {
    const char *sentence;  /* what it does */
    const char *functions; /* what it covers, between spaces */
    enum scenario_kind kind;
    int64_t (*prepare)(struct stage *stage); /* while memory is there; may be null */
    int64_t (*act)(struct stage *stage);     /* a negative result is an error */
};

/* Two tables, each ended by a null sentence: calls that may be refused, and calls that need
 * nothing. */
extern const struct scenario scenarios_refusable[];
extern const struct scenario scenarios_calm[];

#endif

/* Runs one stream of operations in two executors, and compares. */
#ifndef MEMFS_TESTS_COMPARISON_H
#define MEMFS_TESTS_COMPARISON_H

#include "executor.h"

struct comparison {
    struct executor subject;   /* memfs; it goes first */
    struct executor reference; /* the model or the host; only runs what was not refused */
    int verbose;               /* print every operation */
};

/* Runs the operation in both (in the subject only, if that refuses for want of memory or nodes) and
 * looks at what it touched.  True if all is the same; otherwise the difference is on stderr. */
int comparison_step(struct comparison *comparison, const struct operation *operation,
                    struct outcome *out);

/* Whether both trees are the same, names, attributes and contents. */
int comparison_trees(struct comparison *comparison);

int is_refusal(int64_t result);

#endif

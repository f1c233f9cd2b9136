/*
 * One thing that happens at one point of the code (base/pause.h), the first time that this is
 * reached.
 *
 *     pause_then("charge: fits", lower_the_limit, &ledger);
 *     mfs_ledger_charge(&ledger, ...);
 *     assert_true(pause_happened());
 *
 * Builds with fewer checks have no points; there the test is skipped.
 */
#ifndef MEMFS_TESTS_PAUSES_H
#define MEMFS_TESTS_PAUSES_H

#include "base/pause.h"

#include <string.h>

static struct {
    const char *point; /* null: nothing is to happen, or it has */
    void (*act)(void *context);
    void *context;
    int has_happened;
} pause_plan;

static inline void pause_act(const char *point)
{
    if (pause_plan.point == NULL || strcmp(point, pause_plan.point) != 0)
        return;
    pause_plan.point = NULL;
    pause_plan.has_happened = 1;
    pause_plan.act(pause_plan.context);
}

static inline void pause_then(const char *point, void (*act)(void *context), void *context)
{
    pause_plan.point = point;
    pause_plan.act = act;
    pause_plan.context = context;
    pause_plan.has_happened = 0;
#if MEMFS_CHECK_LEVEL >= 2
    mfs_pause_hook = pause_act;
#else
    (void)pause_act;
#endif
}

/* To be called first by a test. */
static inline void skip_without_pauses(void)
{
#if MEMFS_CHECK_LEVEL < 2
    skip();
#endif
}

/* Whether it has happened; nothing happens any more. */
static inline int pause_happened(void)
{
#if MEMFS_CHECK_LEVEL >= 2
    mfs_pause_hook = NULL;
#endif
    return pause_plan.has_happened;
}

#endif

/* A loop with a front on the fixture's file system, for one test. */
#ifndef MEMFS_TESTS_LOOPS_H
#define MEMFS_TESTS_LOOPS_H

#include "checks.h"

#include <memfs/uv.h>

struct looped {
    struct fixture *f;
    memfs *fs;
    uv_loop_t loop;
    memfs_uv *uv;
    uv_thread_t thread; /* the loop's */
    int closed;
};

static inline void loop_open(struct looped *l, struct fixture *f)
{
    *l = (struct looped){.f = f, .fs = f->fs, .thread = uv_thread_self()};
    assert_int_equal(uv_loop_init(&l->loop), 0);
    assert_ok(memfs_uv_create(&l->loop, f->fs, &l->uv));
}

static inline void loop_run(struct looped *l)
{
    assert_int_equal(uv_run(&l->loop, UV_RUN_DEFAULT), 0);
}

static inline void loop_note_closed(void *context)
{
    struct looped *l = context;
    uv_thread_t self = uv_thread_self();
    assert_true(uv_thread_equal(&self, &l->thread));
    l->closed++;
}

/* Closes the front if the test has not, and the loop, on which nothing may be left. */
static inline void loop_end(struct looped *l)
{
    if (l->closed == 0) {
        assert_ok(memfs_uv_close(l->uv, 0, loop_note_closed, l));
        assert_int_equal(l->closed, 0); /* later, by the loop */
        loop_run(l);
    }
    assert_int_equal(l->closed, 1);
    assert_int_equal(uv_loop_close(&l->loop), 0);
}

#endif

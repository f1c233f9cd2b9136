/*
 * A crew: threads with roles that start at one moment, work for a counted
 * number of steps, and are judged step by step.
 *
 *     static void read_all_the_time(struct crew_member *me)
 *     {
 *         struct site *site = me->context;
 *         for (unsigned i = 0; i < STEPS; i++)
 *             crew_allow(me, memfs_is_file(site->fs, "/f"), MEMFS_EDQUOT);
 *     }
 *
 *     struct crew *crew = crew_create("readers", &site);
 *     crew_add(crew, "reader", 4, read_all_the_time);
 *     crew_run(crew);                       // returns when all have left
 *     assert_true(crew_done(crew, "reader") > 0);
 *     crew_destroy(crew);
 *
 * cmocka's assertions leave by longjmp(), which a thread other than the test's
 * must not do; so a check that fails in a member prints who and where, with
 * the seed that repeats the members' decisions, and aborts.  The seed is a
 * constant unless MEMFS_STRESS_SEED says otherwise.  Nothing here sleeps.
 */
#ifndef MEMFS_TESTS_CREW_H
#define MEMFS_TESTS_CREW_H

#include <stddef.h>
#include <stdint.h>

struct crew;

struct crew_member {
    void *context; /* the one given to crew_create(), for all */
    const char *role;
    unsigned index;    /* among those of the role, from 0 */
    uint64_t random;   /* state; see crew_random() */
    uint64_t steps;    /* results judged so far: what a failure's report counts */
    uint64_t done;     /* results judged that were successes */
    uint64_t refused;  /* and that were MEMFS_EDQUOT, MEMFS_ENOSPC or MEMFS_ENOMEM */
    struct crew *crew; /* internal */
};

typedef void (*crew_work)(struct crew_member *me);

struct crew *crew_create(const char *name, void *context);
void crew_add(struct crew *crew, const char *role, unsigned count, crew_work work);
void crew_run(struct crew *crew);
void crew_destroy(struct crew *crew);

/* Sums over the members of a role, or over all if `role` is null; after crew_run(). */
uint64_t crew_done(const struct crew *crew, const char *role);
uint64_t crew_refused(const struct crew *crew, const char *role);

/* Waits until every member of the crew has come here; all must call it equally often. */
void crew_meet(struct crew_member *me);

/*
 * The same at every so-many-th step, so that no member runs through its steps while the others are
 * waiting for a processor.  Called at the top of a loop that all members run equally often.
 */
void crew_pace(struct crew_member *me, unsigned step);

/* A number below `bound`, from the member's own seeded sequence. */
uint32_t crew_random(struct crew_member *me, uint32_t bound);

/* The result, if it is a success or one of the errors listed; otherwise the crew has failed. */
#define crew_allow(me, result, ...) \
    crew_judge((me), (result), (const int[]){__VA_ARGS__, 0}, #result, __FILE__, __LINE__)

/* The result, which must be a success. */
#define crew_must(me, result) \
    crew_judge((me), (result), (const int[]){0}, #result, __FILE__, __LINE__)

/* What must be true. */
#define crew_check(me, condition) \
    ((condition) ? (void)0 : crew_fail((me), "not so: " #condition, __FILE__, __LINE__))

int64_t crew_judge(struct crew_member *me, int64_t result, const int *allowed, const char *what,
                   const char *file, int line);
_Noreturn void crew_fail(const struct crew_member *me, const char *what, const char *file,
                         int line);

#endif

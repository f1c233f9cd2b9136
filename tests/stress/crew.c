/*
 * Threads with roles, started together.
 *
 * Every member has its own line of random numbers, made from the crew's seed
 * and its place, so its decisions do not depend on how the threads fall.
 * Member structs are touched by their own thread only, between the creation
 * of the thread and the join.
 */
#define _POSIX_C_SOURCE 200809L

#include "crew.h"
#include "random.h"

#include <memfs/memfs.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CREW_MEMBERS_MAX 32u
#define CREW_PACE 8u
#define CREW_SEED_USUAL UINT64_C(20240229)

struct crew {
    const char *name;
    void *context;
    uint64_t seed;
    unsigned count;
    pthread_barrier_t barrier;
    pthread_t threads[CREW_MEMBERS_MAX];
    crew_work work[CREW_MEMBERS_MAX];
    struct crew_member members[CREW_MEMBERS_MAX];
};

static uint64_t chosen_seed(void)
{
    const char *text = getenv("MEMFS_STRESS_SEED");
    return text == NULL ? CREW_SEED_USUAL : strtoull(text, NULL, 0);
}

struct crew *crew_create(const char *name, void *context)
{
    struct crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL)
        abort();
    crew->name = name;
    crew->context = context;
    crew->seed = chosen_seed();
    printf("%s: MEMFS_STRESS_SEED=%llu\n", name, (unsigned long long)crew->seed);
    fflush(stdout);
    return crew;
}

void crew_add(struct crew *crew, const char *role, unsigned count, crew_work work)
{
    for (unsigned i = 0; i < count; i++) {
        if (crew->count == CREW_MEMBERS_MAX)
            abort();
        uint64_t place = crew->seed + crew->count;
        crew->work[crew->count] = work;
        crew->members[crew->count++] = (struct crew_member){
            .context = crew->context,
            .role = role,
            .index = i,
            .random = random_next(&place),
            .crew = crew,
        };
    }
}

static void *member_main(void *argument)
{
    struct crew_member *me = argument;
    crew_meet(me);
    me->crew->work[me - me->crew->members](me);
    return NULL;
}

void crew_run(struct crew *crew)
{
    if (crew->count == 0 || pthread_barrier_init(&crew->barrier, NULL, crew->count) != 0)
        abort();
    for (unsigned i = 0; i < crew->count; i++)
        if (pthread_create(&crew->threads[i], NULL, member_main, &crew->members[i]) != 0)
            abort();
    for (unsigned i = 0; i < crew->count; i++)
        if (pthread_join(crew->threads[i], NULL) != 0)
            abort();
    pthread_barrier_destroy(&crew->barrier);
}

void crew_destroy(struct crew *crew)
{
    free(crew);
}

static int has_role(const struct crew_member *member, const char *role)
{
    return role == NULL || strcmp(member->role, role) == 0;
}

uint64_t crew_done(const struct crew *crew, const char *role)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < crew->count; i++)
        if (has_role(&crew->members[i], role))
            sum += crew->members[i].done;
    return sum;
}

uint64_t crew_refused(const struct crew *crew, const char *role)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < crew->count; i++)
        if (has_role(&crew->members[i], role))
            sum += crew->members[i].refused;
    return sum;
}

void crew_meet(struct crew_member *me)
{
    int result = pthread_barrier_wait(&me->crew->barrier);
    if (result != 0 && result != PTHREAD_BARRIER_SERIAL_THREAD)
        abort();
}

void crew_pace(struct crew_member *me, unsigned step)
{
    if (step % CREW_PACE == 0)
        crew_meet(me);
}

uint32_t crew_random(struct crew_member *me, uint32_t bound)
{
    return (uint32_t)(random_next(&me->random) >> 32) % bound;
}

int64_t crew_judge(struct crew_member *me, int64_t result, const int *allowed, const char *what,
                   const char *file, int line)
{
    me->steps++;
    if (result >= 0) {
        me->done++;
        return result;
    }
    if (result == MEMFS_EDQUOT || result == MEMFS_ENOSPC || result == MEMFS_ENOMEM)
        me->refused++;
    for (; *allowed != 0; allowed++)
        if (*allowed == result)
            return result;
    fprintf(stderr, "%s says %s\n", what, memfs_error_name((int)result));
    crew_fail(me, "a result that must not be", file, line);
}

void crew_fail(const struct crew_member *me, const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: %s (crew %s, %s %u, step %llu, MEMFS_STRESS_SEED=%llu)\n", file, line,
            what, me->crew->name, me->role, me->index, (unsigned long long)me->steps,
            (unsigned long long)me->crew->seed);
    abort();
}

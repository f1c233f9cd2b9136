/*
 * The lock ladder, walked through exhaustively: every state that three
 * connections can reach, every step from each, compared with the rules written
 * down once more over the connections' levels.
 */
#include "locks/lockstate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { CONNECTIONS = 3, STATES_MAX = 4096 };

struct world {
    struct mfs_lockstate state;
    enum mfs_lock_level levels[CONNECTIONS];
    bool are_writers[CONNECTIONS]; /* came by RESERVED */
};

static bool is_same(const struct world *a, const struct world *b)
{
    return a->state.sharers == b->state.sharers && a->state.reserved == b->state.reserved &&
           a->state.pending == b->state.pending && a->state.exclusive == b->state.exclusive &&
           memcmp(a->levels, b->levels, sizeof a->levels) == 0 &&
           memcmp(a->are_writers, b->are_writers, sizeof a->are_writers) == 0;
}

/* What a level is to the others: isolated, a writer is never more than RESERVED. */
static enum mfs_lock_level seen_level(const struct world *world, int self)
{
    bool is_hidden = world->state.isolated && world->are_writers[self];
    return is_hidden ? MFS_LOCK_RESERVED : world->levels[self];
}

/* The highest level among the others. */
static enum mfs_lock_level highest_other(const struct world *world, int self)
{
    enum mfs_lock_level highest = MFS_LOCK_NONE;
    for (int other = 0; other < CONNECTIONS; other++) {
        if (other != self && seen_level(world, other) > highest)
            highest = seen_level(world, other);
    }
    return highest;
}

static void assert_world_is_sane(const struct world *world)
{
    uint32_t sharers = 0;
    int writers = 0;
    enum mfs_lock_level highest = MFS_LOCK_NONE;
    for (int self = 0; self < CONNECTIONS; self++) {
        sharers += world->levels[self] >= MFS_LOCK_SHARED;
        writers += world->levels[self] > MFS_LOCK_SHARED;
        if (seen_level(world, self) > highest)
            highest = seen_level(world, self);
    }
    assert_int_equal(world->state.sharers, sharers);
    assert_true(writers <= 1);
    assert_true(mfs_lockstate_is_valid(&world->state));
    assert_int_equal(world->state.exclusive, highest == MFS_LOCK_EXCLUSIVE);
    assert_int_equal(world->state.pending, highest >= MFS_LOCK_PENDING);
    if (highest == MFS_LOCK_EXCLUSIVE)
        assert_int_equal(sharers, 1);
    if (highest == MFS_LOCK_RESERVED || highest == MFS_LOCK_EXCLUSIVE)
        assert_true(mfs_lockstate_is_reserved(&world->state));
    if (highest <= MFS_LOCK_SHARED)
        assert_false(mfs_lockstate_is_reserved(&world->state));
}

/* What the rules say of `self` wanting `wanted`: the answer, and its level afterwards. */
static enum mfs_lock_answer rule(const struct world *world, int self, enum mfs_lock_level wanted,
                                 enum mfs_lock_level *after)
{
    enum mfs_lock_level mine = world->levels[self];
    enum mfs_lock_level others = highest_other(world, self);
    *after = mine;
    if (wanted <= mine)
        return MFS_LOCK_GRANTED;
    if (mine == MFS_LOCK_NONE && wanted != MFS_LOCK_SHARED)
        return MFS_LOCK_MISUSE;
    if (wanted == MFS_LOCK_SHARED && others >= MFS_LOCK_PENDING)
        return MFS_LOCK_BUSY;
    if (wanted > MFS_LOCK_SHARED && others > MFS_LOCK_SHARED)
        return MFS_LOCK_BUSY;
    if (world->state.isolated && world->are_writers[self]) {
        *after = MFS_LOCK_EXCLUSIVE;
        return MFS_LOCK_GRANTED;
    }
    if (wanted == MFS_LOCK_EXCLUSIVE && others == MFS_LOCK_SHARED) {
        *after = MFS_LOCK_PENDING;
        return MFS_LOCK_BUSY;
    }
    *after = wanted;
    return MFS_LOCK_GRANTED;
}

struct search {
    struct world worlds[STATES_MAX];
    int count;
};

static void remember(struct search *search, const struct world *world)
{
    for (int index = 0; index < search->count; index++) {
        if (is_same(&search->worlds[index], world))
            return;
    }
    assert_true(search->count < STATES_MAX);
    search->worlds[search->count++] = *world;
}

static void try_lock(struct search *search, struct world world, int self,
                     enum mfs_lock_level wanted)
{
    enum mfs_lock_level expected;
    enum mfs_lock_answer answer = rule(&world, self, wanted, &expected);
    bool was_reserved = mfs_lockstate_is_reserved(&world.state);
    if (answer != MFS_LOCK_MISUSE)
        assert_int_equal(mfs_lockstate_is_free(&world.state, world.levels[self], wanted),
                         answer == MFS_LOCK_GRANTED);
    assert_int_equal(mfs_lockstate_lock(&world.state, &world.levels[self], wanted), answer);
    assert_int_equal(world.levels[self], expected);
    if (expected == MFS_LOCK_RESERVED)
        world.are_writers[self] = true;
    /* On its way from SHARED to EXCLUSIVE it must not be taken for a writer. */
    if (expected == MFS_LOCK_PENDING)
        assert_int_equal(mfs_lockstate_is_reserved(&world.state), was_reserved);
    assert_world_is_sane(&world);
    remember(search, &world);
}

/* What is said to be free for a connection that holds nothing it gets by way of SHARED. */
static void try_from_nothing(struct world world, int self, enum mfs_lock_level wanted)
{
    if (world.levels[self] != MFS_LOCK_NONE)
        return;
    bool is_free = mfs_lockstate_is_free(&world.state, MFS_LOCK_NONE, wanted);
    bool gets = mfs_lockstate_lock(&world.state, &world.levels[self], MFS_LOCK_SHARED) ==
                    MFS_LOCK_GRANTED &&
                mfs_lockstate_lock(&world.state, &world.levels[self], wanted) == MFS_LOCK_GRANTED;
    assert_int_equal(is_free, gets);
}

static void try_unlock(struct search *search, struct world world, int self,
                       enum mfs_lock_level wanted)
{
    enum mfs_lock_level before = world.levels[self];
    assert_int_equal(mfs_lockstate_unlock(&world.state, &world.levels[self], wanted),
                     MFS_LOCK_GRANTED);
    assert_int_equal(world.levels[self], before < wanted ? before : wanted);
    world.are_writers[self] = false;
    assert_world_is_sane(&world);
    remember(search, &world);
}

static int count_states(bool isolated)
{
    static struct search search;
    memset(&search, 0, sizeof search);
    struct world nobody;
    memset(&nobody, 0, sizeof nobody);
    nobody.state.isolated = isolated;
    remember(&search, &nobody);
    for (int index = 0; index < search.count; index++) {
        struct world world = search.worlds[index];
        for (int self = 0; self < CONNECTIONS; self++) {
            try_lock(&search, world, self, MFS_LOCK_SHARED);
            try_lock(&search, world, self, MFS_LOCK_RESERVED);
            try_lock(&search, world, self, MFS_LOCK_EXCLUSIVE);
            try_from_nothing(world, self, MFS_LOCK_RESERVED);
            try_from_nothing(world, self, MFS_LOCK_EXCLUSIVE);
            try_unlock(&search, world, self, MFS_LOCK_SHARED);
            try_unlock(&search, world, self, MFS_LOCK_NONE);
        }
    }
    return search.count;
}

static void every_step_from_every_reachable_state_follows_the_rules(void **unused)
{
    (void)unused;
    /* 8 without a writer; with one (3 ways to choose it): RESERVED, and PENDING by either way,
     * beside any of 4 sets of readers; EXCLUSIVE beside none, by either way. */
    assert_int_equal(count_states(false), 8 + 3 * (3 * 4 + 2));
}

static void isolated_a_writer_goes_on_beside_readers_and_recovery_alone(void **unused)
{
    (void)unused;
    /* RESERVED and EXCLUSIVE beside any of 4 sets of readers; without RESERVED before: PENDING
     * beside any, EXCLUSIVE beside none. */
    assert_int_equal(count_states(true), 8 + 3 * (2 * 4 + 4 + 1));
}

static void what_is_no_step_of_the_ladder_is_misuse_and_changes_nothing(void **unused)
{
    (void)unused;
    struct mfs_lockstate state = {0};
    enum mfs_lock_level level = MFS_LOCK_NONE;
    enum mfs_lock_level wrong[] = {MFS_LOCK_NONE, MFS_LOCK_PENDING, (enum mfs_lock_level)5};
    for (int index = 0; index < 3; index++)
        assert_int_equal(mfs_lockstate_lock(&state, &level, wrong[index]), MFS_LOCK_MISUSE);
    assert_int_equal(mfs_lockstate_lock(&state, &level, MFS_LOCK_RESERVED), MFS_LOCK_MISUSE);
    assert_int_equal(mfs_lockstate_lock(&state, &level, MFS_LOCK_EXCLUSIVE), MFS_LOCK_MISUSE);
    assert_int_equal(mfs_lockstate_lock(&state, &level, MFS_LOCK_SHARED), MFS_LOCK_GRANTED);
    assert_int_equal(mfs_lockstate_unlock(&state, &level, MFS_LOCK_RESERVED), MFS_LOCK_MISUSE);
    assert_int_equal(level, MFS_LOCK_SHARED);
    assert_int_equal(state.sharers, 1);
    assert_false(state.reserved || state.pending || state.exclusive);
}

static void a_reader_does_not_see_the_one_that_waits_to_play_back_as_a_writer(void **unused)
{
    (void)unused;
    struct mfs_lockstate state = {0};
    enum mfs_lock_level reader = MFS_LOCK_NONE, player = MFS_LOCK_NONE, late = MFS_LOCK_NONE;
    (void)mfs_lockstate_lock(&state, &reader, MFS_LOCK_SHARED);
    (void)mfs_lockstate_lock(&state, &player, MFS_LOCK_SHARED);
    assert_int_equal(mfs_lockstate_lock(&state, &player, MFS_LOCK_EXCLUSIVE), MFS_LOCK_BUSY);
    assert_int_equal(player, MFS_LOCK_PENDING);
    assert_false(mfs_lockstate_is_reserved(&state));
    assert_int_equal(mfs_lockstate_lock(&state, &late, MFS_LOCK_SHARED), MFS_LOCK_BUSY);
    (void)mfs_lockstate_unlock(&state, &reader, MFS_LOCK_NONE);
    assert_int_equal(mfs_lockstate_lock(&state, &player, MFS_LOCK_EXCLUSIVE), MFS_LOCK_GRANTED);
    assert_true(mfs_lockstate_is_reserved(&state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_from_every_reachable_state_follows_the_rules),
        cmocka_unit_test(isolated_a_writer_goes_on_beside_readers_and_recovery_alone),
        cmocka_unit_test(what_is_no_step_of_the_ladder_is_misuse_and_changes_nothing),
        cmocka_unit_test(a_reader_does_not_see_the_one_that_waits_to_play_back_as_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

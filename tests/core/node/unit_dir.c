/*
 * The names of a directory: found, listed in order, through any coming and going; and what they
 * cost, counted, in whatever order they went.
 */
#include "rig.h"

#include "node/dir.h"

#include <stdio.h>

enum { NAMES = 3001, FEW_NAMES = 60, STEPS = 40000 };

/* What one entry may cost beside itself, and what a directory may hold that was larger before. */
enum { INDEX_BYTES_PER_ENTRY = 40, CHUNK_BYTES_LEFT = 2 * 288 };

struct bench {
    struct rig *rig;
    struct mfs_names names;
    struct mfs_dir dir;
    uint64_t sequences[NAMES]; /* of the entry with this name; 0: not there */
    uint64_t last_sequence;
};

static struct bench bench_create(void)
{
    struct bench b = {.rig = rig_create_as(0, 4096, true)};
    b.names = (struct mfs_names){.source = {.memory = &b.rig->memory}, .hash_key = {7, 9}};
    return b;
}

static size_t name_of(size_t number, char *name, size_t size)
{
    return (size_t)snprintf(
        name, size, "name-%zu-%.*s", number, (int)(number % 90),
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxx");
}

static struct mfs_dirent *find_name(struct bench *b, const char *name, size_t length)
{
    struct mfs_dir_key key = {.name = name, .length = length};
    return mfs_dir_find(&b->names, &b->dir, &key);
}

static struct mfs_dirent *find(struct bench *b, size_t number)
{
    char name[128];
    size_t length = name_of(number, name, sizeof name);
    return find_name(b, name, length);
}

static int add(struct bench *b, size_t number)
{
    char name[128];
    size_t length = name_of(number, name, sizeof name);
    struct mfs_dir_key key = {.name = name, .length = length};
    struct mfs_dirent *entry;
    int error = mfs_dir_prepare(&b->names, &b->dir, &key, &entry);
    if (error != 0)
        return error;
    /* Numbers are not consecutive: the counter is the whole tree's. */
    uint64_t sequence = b->last_sequence + 1 + number % 3;
    mfs_dir_commit(&b->names, &b->dir, entry, (struct mfs_node *)b, sequence); /* never looked at */
    assert_true(entry->sequence == sequence);
    b->last_sequence = b->sequences[number] = sequence;
    return 0;
}

static void add_first(struct bench *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(add(b, i), 0);
}

static void drop(struct bench *b, size_t number)
{
    struct mfs_dirent *entry = find(b, number);
    assert_non_null(entry);
    mfs_dir_detach(&b->names, &b->dir, entry);
    mfs_dir_entry_free(&b->names, entry);
    b->sequences[number] = 0;
}

static void drop_all(struct bench *b)
{
    for (size_t i = 0; i < NAMES; i++)
        if (b->sequences[i] != 0)
            drop(b, i);
    assert_int_equal(mfs_dir_cost(&b->names, &b->dir), 0);
    assert_int_equal(b->rig->allocator.held_bytes, 0);
}

static uint64_t index_cost(const struct bench *b)
{
    return mfs_order_cost(&b->dir.order, &b->names.source) +
           mfs_buckets_cost(&b->dir.buckets, &b->names.source);
}

/* Every name that should be there is found and listed, in order, and no other. */
static void check_all(struct bench *b)
{
    size_t there = 0, listed = 0;
    for (size_t i = 0; i < NAMES; i++) {
        struct mfs_dirent *entry = find(b, i);
        assert_int_equal(entry != NULL, b->sequences[i] != 0);
        there += entry != NULL;
        if (entry != NULL)
            assert_ptr_equal(mfs_dir_at(&b->dir, b->sequences[i]), entry);
    }
    uint64_t last = 0;
    struct mfs_dirent *entry = mfs_dir_at(&b->dir, 0);
    for (; entry != NULL; entry = mfs_dir_next(&b->dir, entry)) {
        assert_true(entry->sequence > last);
        last = entry->sequence;
        listed++;
    }
    if (there != 0)
        assert_true(mfs_dir_last(&b->dir)->sequence == last);
    else
        assert_null(mfs_dir_last(&b->dir));
    assert_int_equal(there, listed);
    assert_int_equal(b->dir.live, there);
    assert_true(mfs_dir_is_valid(&b->names, &b->dir));
    assert_true(b->rig->allocator.held_bytes == mfs_dir_cost(&b->names, &b->dir));
    assert_true(index_cost(b) <= there * INDEX_BYTES_PER_ENTRY + CHUNK_BYTES_LEFT);
}

/* The directory grows to `count` names and shrinks to a few, several times. */
static void come_and_go(size_t count)
{
    struct bench b = bench_create();
    uint64_t seed = 5;
    for (int step = 0; step < STEPS; step++) {
        size_t number = next_random(&seed) % count;
        int wants_more = step % (STEPS / 4) < STEPS / 8 || next_random(&seed) % 5 == 0;
        if (b.sequences[number] == 0 && wants_more)
            assert_int_equal(add(&b, number), 0);
        else if (b.sequences[number] != 0 && !wants_more)
            drop(&b, number);
        if (step % 500 == 0)
            check_all(&b);
    }
    drop_all(&b);
    rig_destroy(b.rig);
}

static void names_are_found_and_listed_in_order_through_any_coming_and_going(void **state)
{
    (void)state;
    come_and_go(FEW_NAMES);
    come_and_go(400);
    come_and_go(NAMES);
}

static void a_refused_or_cancelled_addition_leaves_the_directory_as_it_was(void **state)
{
    (void)state;
    struct bench b = bench_create();
    for (size_t i = 0; i < NAMES; i++) {
        int error;
        uint64_t take = 0, held = b.rig->allocator.held_bytes;
        do {
            uint32_t live = b.dir.live;
            tracking_refuse(&b.rig->allocator, ++take, 1);
            error = add(&b, i);
            tracking_refuse(&b.rig->allocator, 0, 0);
            if (error != 0) {
                assert_int_equal(error, MEMFS_ENOMEM);
                assert_int_equal(b.dir.live, live);
                assert_true(b.rig->allocator.held_bytes == held);
                assert_null(find(&b, i));
            }
        } while (error != 0);
        assert_true(take > 1); /* an entry is memory, so the first was refused */
    }
    check_all(&b);
    struct mfs_dir_key other = {.name = "other", .length = 5};
    struct mfs_dirent *entry;
    uint64_t held = b.rig->allocator.held_bytes;
    assert_int_equal(mfs_dir_prepare(&b.names, &b.dir, &other, &entry), 0);
    mfs_dir_cancel(&b.names, entry);
    assert_true(b.rig->allocator.held_bytes == held);
    check_all(&b);
    drop_all(&b);
    rig_destroy(b.rig);
}

/* Adds, in one plan, up to `most` names that are not there, in the order of their numbers. */
static void add_planned(struct bench *b, size_t first, size_t most)
{
    struct mfs_dir_plan plan = mfs_dir_plan(&b->dir);
    struct mfs_dirent *made[NAMES];
    size_t numbers[NAMES], count = 0;
    for (size_t number = first; number < NAMES && count < most; number++) {
        char name[128];
        if (b->sequences[number] != 0)
            continue;
        struct mfs_dir_key key = {.name = name, .length = name_of(number, name, sizeof name)};
        assert_int_equal(mfs_dir_prepare_renamed(&b->names, &key, &made[count]), 0);
        assert_int_equal(mfs_dir_plan_addition(&b->names, &plan), 0);
        numbers[count++] = number;
    }
    uint64_t takes = b->rig->allocator.takes;
    for (size_t i = 0; i < count; i++) {
        b->sequences[numbers[i]] = ++b->last_sequence;
        mfs_dir_commit_planned(&b->names, &b->dir, &plan, made[i], (struct mfs_node *)b,
                               b->last_sequence);
    }
    assert_true(b->rig->allocator.takes == takes);
    assert_null(plan.spares);
}

static void many_additions_can_be_planned_and_then_need_nothing(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 3, 8, 9, 30, 200, 1500};
    struct bench b = bench_create();
    uint64_t seed = 11;
    for (int round = 0; round < 60; round++) {
        add_planned(&b, next_random(&seed) % NAMES, counts[next_random(&seed) % COUNT_OF(counts)]);
        check_all(&b);
        size_t drops = next_random(&seed) % (round % 7 == 0 ? NAMES : 300);
        for (size_t i = 0; i < drops; i++) {
            size_t number = next_random(&seed) % NAMES;
            if (b.sequences[number] != 0)
                drop(&b, number);
        }
        check_all(&b);
        size_t number = next_random(&seed) % NAMES;
        if (b.sequences[number] == 0)
            assert_int_equal(add(&b, number), 0);
    }
    drop_all(&b);
    rig_destroy(b.rig);
}

static void a_plan_that_is_refused_or_cancelled_leaves_the_directory_as_it_was(void **state)
{
    (void)state;
    enum { PLANNED = 300 };
    struct bench b = bench_create();
    add_first(&b, 10);
    uint64_t held = b.rig->allocator.held_bytes;
    int error;
    uint64_t take = 0;
    do {
        struct mfs_dir_plan plan = mfs_dir_plan(&b.dir);
        tracking_refuse(&b.rig->allocator, ++take, 1);
        error = 0;
        for (size_t i = 0; error == 0 && i < PLANNED; i++)
            error = mfs_dir_plan_addition(&b.names, &plan);
        tracking_refuse(&b.rig->allocator, 0, 0);
        mfs_dir_plan_cancel(&b.names, &plan);
        assert_true(b.rig->allocator.held_bytes == held);
        check_all(&b);
    } while (error != 0);
    assert_true(take > PLANNED / 29);
    drop_all(&b);
    rig_destroy(b.rig);
}

static void entries_move_to_another_directory_from_the_front(void **state)
{
    (void)state;
    struct bench b = bench_create();
    struct mfs_dir other = {0};
    uint64_t sequence, last = 0;
    struct mfs_dirent *entry;
    add_first(&b, 100);
    while ((entry = mfs_dir_take_first(&b.names, &b.dir, &sequence)) != NULL) {
        assert_true(sequence > last);
        last = sequence;
        assert_int_equal(mfs_dir_prepare_entry(&b.names, &other, entry), 0);
        mfs_dir_commit(&b.names, &other, entry, (struct mfs_node *)&b, sequence);
    }
    assert_int_equal(mfs_dir_cost(&b.names, &b.dir), 0);
    b.dir = other;
    check_all(&b);
    drop_all(&b);
    rig_destroy(b.rig);
}

static size_t from_the_front(size_t i)
{
    return i;
}

static size_t from_the_back(size_t i)
{
    return NAMES - 1 - i;
}

static size_t from_both_ends(size_t i)
{
    return i % 2 == 0 ? i / 2 : NAMES - 1 - i / 2;
}

/* 7 and NAMES have no common factor. */
static size_t every_seventh(size_t i)
{
    return i * 7 % NAMES;
}

static size_t every_second_first(size_t i)
{
    return i <= NAMES / 2 ? 2 * i : 2 * (i - NAMES / 2) - 1;
}

static void draining_in_any_order_takes_nothing_and_gives_back_as_it_goes(void **state)
{
    (void)state;
    static size_t (*const orders[])(size_t) = {from_the_front, from_the_back, from_both_ends,
                                               every_seventh, every_second_first};
    for (size_t which = 0; which < COUNT_OF(orders); which++) {
        struct bench b = bench_create();
        add_first(&b, NAMES);
        tracking_refuse(&b.rig->allocator, 1, 1);
        for (size_t i = 0; i < NAMES; i++) {
            drop(&b, orders[which](i));
            assert_true(index_cost(&b) <= b.dir.live * INDEX_BYTES_PER_ENTRY + CHUNK_BYTES_LEFT);
            if (i % 250 == 0)
                check_all(&b);
        }
        assert_int_equal(b.rig->allocator.takes, 0);
        drop_all(&b);
        rig_destroy(b.rig);
    }
}

/* A queue: names come at one end and go at the other, without end. */
static void a_queue_stays_as_small_as_what_is_in_it(void **state)
{
    (void)state;
    struct bench b = bench_create();
    add_first(&b, FEW_NAMES);
    for (size_t i = 0; i < 20000; i++) {
        drop(&b, i % FEW_NAMES);
        assert_int_equal(add(&b, i % FEW_NAMES), 0);
        assert_true(index_cost(&b) <= FEW_NAMES * INDEX_BYTES_PER_ENTRY + CHUNK_BYTES_LEFT);
    }
    check_all(&b);
    drop_all(&b);
    rig_destroy(b.rig);
}

/* Packing is a step for each addition.  At any moment the nodes that it left behind are full. */
static void what_is_packed_is_full_after_any_removals(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 60; seed++) {
        struct bench b = bench_create();
        unsigned random = seed;
        add_first(&b, NAMES);
        for (int step = 0; step < 2 * NAMES; step++) {
            random = random * 1664525u + 1013904223u;
            size_t number = (random >> 8) % NAMES;
            bool removes = step % NAMES < NAMES / 2;
            if (removes && b.sequences[number] != 0)
                drop(&b, number);
            else if (!removes && b.sequences[number] == 0)
                assert_int_equal(add(&b, number), 0);
            if (step % 16 == 0)
                assert_true(mfs_order_is_valid(&b.dir.order, b.dir.live));
        }
        drop_all(&b);
        rig_destroy(b.rig);
    }
}

static void a_position_survives_all_that_comes_and_goes(void **state)
{
    (void)state;
    struct bench b = bench_create();
    add_first(&b, NAMES / 2);
    uint64_t position = b.sequences[100];
    for (size_t i = 0; i < NAMES / 2; i++)
        if (i % 10 != 5)
            drop(&b, i);
    for (size_t i = NAMES / 2; i < NAMES; i++)
        assert_int_equal(add(&b, i), 0);
    assert_true(mfs_dir_at(&b.dir, position)->sequence == b.sequences[105]);
    check_all(&b);
    drop_all(&b);
    rig_destroy(b.rig);
}

/* Renames to a short name, then to a long one, then back. */
static void check_renaming(struct bench *b, size_t number)
{
    char long_name[128], old_name[128];
    memset(long_name, 'y', sizeof long_name);
    struct mfs_dir_key shorter = {.name = "new", .length = 3};
    struct mfs_dir_key longer = {.name = long_name, .length = sizeof long_name};
    struct mfs_dir_key old = {.name = old_name,
                              .length = name_of(number, old_name, sizeof old_name)};
    uint64_t sequence = b->sequences[number];
    struct mfs_dirent *entry = find(b, number), *other;
    assert_true(mfs_dir_fits(entry, shorter.length));
    assert_false(mfs_dir_fits(entry, longer.length));
    tracking_refuse(&b->rig->allocator, 1, 1);
    mfs_dir_rename(&b->names, &b->dir, entry, &shorter);
    tracking_refuse(&b->rig->allocator, 0, 0);
    assert_ptr_equal(find_name(b, "new", 3), entry);
    assert_true(entry->sequence == sequence);
    assert_null(find(b, number));

    assert_int_equal(mfs_dir_prepare_renamed(&b->names, &longer, &other), 0);
    mfs_dir_replace(&b->dir, entry, other);
    mfs_dir_entry_free(&b->names, entry);
    assert_ptr_equal(mfs_dir_at(&b->dir, sequence), other);
    assert_true(other->sequence == sequence);
    assert_null(find_name(b, "new", 3));
    assert_ptr_equal(find_name(b, long_name, sizeof long_name), other);
    mfs_dir_rename(&b->names, &b->dir, other, &old);
}

static void a_renamed_entry_keeps_its_place(void **state)
{
    (void)state;
    struct bench b = bench_create();
    add_first(&b, NAMES);
    for (size_t i = 1; i < NAMES; i += 2)
        check_renaming(&b, i);
    check_all(&b);
    drop_all(&b);
    rig_destroy(b.rig);
}

static void entries_change_places_wherever_they_are(void **state)
{
    (void)state;
    struct bench b = bench_create();
    uint64_t seed = 3;
    add_first(&b, NAMES);
    for (int i = 0; i < 2000; i++) {
        size_t x = next_random(&seed) % NAMES, y = next_random(&seed) % NAMES;
        if (x == y)
            continue;
        mfs_dir_exchange_places(&b.dir, find(&b, x), find(&b, y));
        uint64_t sequence = b.sequences[x];
        b.sequences[x] = b.sequences[y];
        b.sequences[y] = sequence;
    }
    check_all(&b);
    drop_all(&b);
    rig_destroy(b.rig);
}

static void adopted_entries_come_behind_what_was_listed(void **state)
{
    (void)state;
    struct bench b = bench_create();
    add_first(&b, NAMES);
    struct mfs_dir other = {0};
    mfs_dir_adopt(&other, &b.dir, 1000000);
    assert_int_equal(b.dir.live, 0);
    assert_null(mfs_dir_at(&b.dir, 0));
    b.dir = other;
    for (size_t i = 0; i < NAMES; i++)
        b.sequences[i] += 1000000;
    b.last_sequence += 1000000;
    for (size_t i = 0; i < NAMES; i += 3)
        drop(&b, i);
    for (size_t i = 0; i < NAMES; i += 3)
        assert_int_equal(add(&b, i), 0);
    check_all(&b);
    drop_all(&b);
    rig_destroy(b.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_and_listed_in_order_through_any_coming_and_going),
        cmocka_unit_test(a_refused_or_cancelled_addition_leaves_the_directory_as_it_was),
        cmocka_unit_test(many_additions_can_be_planned_and_then_need_nothing),
        cmocka_unit_test(a_plan_that_is_refused_or_cancelled_leaves_the_directory_as_it_was),
        cmocka_unit_test(entries_move_to_another_directory_from_the_front),
        cmocka_unit_test(draining_in_any_order_takes_nothing_and_gives_back_as_it_goes),
        cmocka_unit_test(a_queue_stays_as_small_as_what_is_in_it),
        cmocka_unit_test(what_is_packed_is_full_after_any_removals),
        cmocka_unit_test(a_position_survives_all_that_comes_and_goes),
        cmocka_unit_test(a_renamed_entry_keeps_its_place),
        cmocka_unit_test(entries_change_places_wherever_they_are),
        cmocka_unit_test(adopted_entries_come_behind_what_was_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

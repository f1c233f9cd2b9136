/* The names of a directory: found, listed in order, through any coming and going. */
#include "rig.h"

#include "node/dir.h"

#include <stdio.h>

enum { NAMES = 400, STEPS = 20000 };

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
    b.names = (struct mfs_names){.memory = &b.rig->memory, .hash_key = {7, 9}};
    b.dir.next_sequence = 1;
    return b;
}

static size_t name_of(size_t number, char *name, size_t size)
{
    return (size_t)snprintf(
        name, size, "name-%zu-%.*s", number, (int)(number % 90),
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxx");
}

static struct mfs_dirent *find(struct bench *b, size_t number)
{
    char name[128];
    size_t length = name_of(number, name, sizeof name);
    return mfs_dir_find(&b->names, &b->dir, name, length);
}

static int add(struct bench *b, size_t number)
{
    char name[128];
    size_t length = name_of(number, name, sizeof name);
    struct mfs_dirent *entry;
    int error = mfs_dir_prepare(&b->names, &b->dir, name, length, &entry);
    if (error != 0)
        return error;
    mfs_dir_commit(&b->dir, entry, (struct mfs_node *)b); /* never looked at */
    assert_true(entry->u.sequence > b->last_sequence);
    b->last_sequence = b->sequences[number] = entry->u.sequence;
    return 0;
}

static void drop(struct bench *b, size_t number)
{
    struct mfs_dirent *entry = find(b, number);
    assert_non_null(entry);
    mfs_dir_detach(&b->names, &b->dir, entry);
    mfs_dir_entry_free(&b->names, entry);
    b->sequences[number] = 0;
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
    for (struct mfs_dirent *entry = mfs_dir_at(&b->dir, 0); entry != NULL;
         entry = mfs_dir_at(&b->dir, last + 1)) {
        assert_true(entry->u.sequence > last);
        last = entry->u.sequence;
        listed++;
    }
    assert_int_equal(there, listed);
    assert_int_equal(b->dir.live, there);
    assert_true(mfs_dir_is_valid(&b->names, &b->dir));
}

static void names_are_found_and_listed_in_order_through_any_coming_and_going(void **state)
{
    (void)state;
    struct bench b = bench_create();
    uint64_t seed = 5;
    for (int step = 0; step < STEPS; step++) {
        /* It grows to its full size and shrinks to nothing, several times. */
        size_t number = next_random(&seed) % NAMES;
        int wants_more = step % 4000 < 2000 || next_random(&seed) % 3 == 0;
        if (b.sequences[number] == 0 && wants_more)
            assert_int_equal(add(&b, number), 0);
        else if (b.sequences[number] != 0 && !wants_more)
            drop(&b, number);
        if (step % 200 == 0)
            check_all(&b);
    }
    for (size_t i = 0; i < NAMES; i++)
        if (b.sequences[i] != 0)
            drop(&b, i);
    assert_int_equal(b.rig->allocator.held_bytes, 0);
    rig_destroy(b.rig);
}

static void a_refused_or_cancelled_addition_leaves_the_directory_as_it_was(void **state)
{
    (void)state;
    struct bench b = bench_create();
    for (size_t i = 0; i < NAMES; i++) {
        int error;
        uint64_t take = 0;
        do {
            uint32_t live = b.dir.live;
            tracking_refuse(&b.rig->allocator, ++take, 1);
            error = add(&b, i);
            tracking_refuse(&b.rig->allocator, 0, 0);
            if (error != 0) {
                assert_int_equal(error, MEMFS_ENOMEM);
                assert_int_equal(b.dir.live, live);
                assert_null(find(&b, i));
            }
        } while (error != 0);
        assert_true(take > 1); /* an entry is memory, so the first was refused */
    }
    check_all(&b);
    struct mfs_dirent *entry;
    assert_int_equal(mfs_dir_prepare(&b.names, &b.dir, "other", 5, &entry), 0);
    mfs_dir_cancel(&b.names, &b.dir, entry);
    check_all(&b);
    for (size_t i = NAMES; i-- > 0;)
        drop(&b, i);
    assert_int_equal(b.rig->allocator.held_bytes, 0);
    rig_destroy(b.rig);
}

static void a_position_survives_the_squeezing_out_of_tombstones(void **state)
{
    (void)state;
    struct bench b = bench_create();
    for (size_t i = 0; i < NAMES / 2; i++)
        assert_int_equal(add(&b, i), 0);
    uint64_t position = b.sequences[100];
    for (size_t i = 0; i < NAMES / 2; i++)
        if (i % 10 != 5)
            drop(&b, i);
    for (size_t i = NAMES / 2; i < NAMES; i++)
        assert_int_equal(add(&b, i), 0);
    assert_int_equal(mfs_dir_at(&b.dir, position)->u.sequence, b.sequences[105]);
    check_all(&b);
    for (size_t i = 0; i < NAMES; i++)
        if (b.sequences[i] != 0)
            drop(&b, i);
    rig_destroy(b.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_and_listed_in_order_through_any_coming_and_going),
        cmocka_unit_test(a_refused_or_cancelled_addition_leaves_the_directory_as_it_was),
        cmocka_unit_test(a_position_survives_the_squeezing_out_of_tombstones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

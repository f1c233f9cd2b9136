/* Linear hashing: every element in its bucket at every size, and no more memory than buckets
 * need. */
#include "rig.h"

#include "node/buckets.h"

enum { ELEMENTS = 20000, CHECK_EVERY = 997 };

struct element {
    struct mfs_chain chain;
    uint32_t hash;
};

static uint32_t hash_of(const struct mfs_chain *chain)
{
    return ((const struct element *)(const void *)chain)->hash;
}

struct table {
    struct rig *rig;
    struct mfs_chunk_source source;
    struct mfs_buckets buckets;
    uint64_t count;
};

static struct table table_create(void)
{
    struct table t = {.rig = rig_create_as(0, 4096, true)};
    t.source.memory = &t.rig->memory;
    return t;
}

static int add(struct table *t, struct element *element)
{
    struct mfs_chunk *spares = NULL;
    if (mfs_buckets_wants_more(&t->buckets, t->count + 1)) {
        int error = mfs_buckets_prepare(&t->buckets, &t->source, &spares);
        if (error != 0) {
            mfs_chunk_give_back(&t->source, &spares);
            return error;
        }
        mfs_buckets_grow(&t->buckets, &t->source, &spares, hash_of);
    }
    assert_null(spares); /* what is set aside is used */
    mfs_buckets_insert(&t->buckets, &element->chain, element->hash);
    t->count++;
    return 0;
}

static void take_out(struct table *t, struct element *element)
{
    mfs_buckets_remove(&t->buckets, &element->chain, element->hash);
    t->count--;
    while (mfs_buckets_wants_less(&t->buckets, t->count))
        mfs_buckets_shrink(&t->buckets, &t->source);
}

static void check(const struct table *t)
{
    assert_true(mfs_buckets_is_valid(&t->buckets, t->count, hash_of));
    assert_true(t->rig->allocator.held_bytes == mfs_buckets_cost(&t->buckets, &t->source));
}

static struct element *make_elements(void)
{
    struct element *elements = calloc(ELEMENTS, sizeof *elements);
    uint64_t seed = 11;
    assert_non_null(elements);
    for (size_t i = 0; i < ELEMENTS; i++)
        elements[i].hash = next_random(&seed);
    return elements;
}

static void elements_are_in_their_buckets_while_the_table_grows_and_shrinks(void **state)
{
    (void)state;
    struct table t = table_create();
    struct element *elements = make_elements();
    for (size_t i = 0; i < ELEMENTS; i++) {
        assert_int_equal(add(&t, &elements[i]), 0);
        if (i % CHECK_EVERY == 0 || i < 40)
            check(&t);
    }
    assert_true(t.buckets.levels >= 2);
    tracking_refuse(&t.rig->allocator, 1, 1);
    for (size_t i = 0; i < ELEMENTS; i++) {
        take_out(&t, &elements[i]);
        if (i % CHECK_EVERY == 0 || i > ELEMENTS - 40)
            check(&t);
    }
    assert_int_equal(t.rig->allocator.takes, 0);
    assert_int_equal(t.buckets.count, MFS_BUCKETS_LEAST);
    mfs_buckets_fini(&t.buckets, &t.source);
    assert_int_equal(t.rig->allocator.held_bytes, 0);
    free(elements);
    rig_destroy(t.rig);
}

static void a_table_is_freed_whole_at_any_size(void **state)
{
    (void)state;
    struct element *elements = make_elements();
    static const size_t sizes[] = {0, 1, 12, 13, 24, 25, 384, 385, 6144, 6145, ELEMENTS};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct table t = table_create();
        for (size_t n = 0; n < sizes[i]; n++)
            assert_int_equal(add(&t, &elements[n]), 0);
        check(&t);
        mfs_buckets_fini(&t.buckets, &t.source);
        assert_int_equal(t.rig->allocator.held_bytes, 0);
        rig_destroy(t.rig);
    }
    free(elements);
}

static void a_refused_bucket_leaves_the_table_as_it_was(void **state)
{
    (void)state;
    struct table t = table_create();
    struct element *elements = make_elements();
    uint64_t refused = 0;
    for (size_t i = 0; i < 7000; i++) {
        for (uint64_t take = 1;; take++) {
            struct mfs_buckets before = t.buckets;
            uint64_t held = t.rig->allocator.held_bytes;
            tracking_refuse(&t.rig->allocator, take, 1);
            int error = add(&t, &elements[i]);
            tracking_refuse(&t.rig->allocator, 0, 0);
            if (error == 0)
                break;
            refused++;
            assert_int_equal(error, MEMFS_ENOMEM);
            assert_memory_equal(&before, &t.buckets, sizeof before);
            assert_true(t.rig->allocator.held_bytes == held);
        }
    }
    assert_true(refused > 300);
    check(&t);
    mfs_buckets_fini(&t.buckets, &t.source);
    free(elements);
    rig_destroy(t.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_in_their_buckets_while_the_table_grows_and_shrinks),
        cmocka_unit_test(a_table_is_freed_whole_at_any_size),
        cmocka_unit_test(a_refused_bucket_leaves_the_table_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

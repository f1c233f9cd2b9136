/*
 * Contents against plain byte arrays: random writes, cuts, holes, allocations
 * and clones, some of them refused, over several contents that share pages.
 */
#include "rig.h"

#include "content/content_extent.h"
#include "content/content_io.h"

enum { FILES = 4, STEPS = 6000 };

struct model {
    struct mfs_content content;
    uint64_t size;
    unsigned char *bytes; /* `room` of them; zeros behind the size */
};

struct bench {
    struct rig *rig;
    uint64_t room;
    struct model models[FILES];
    uint64_t seed;
    uint64_t refused, done;
};

static uint64_t pick(struct bench *b, uint64_t below)
{
    /* Half of the time near a page's edge. */
    uint64_t page = b->rig->pool.page_size, n = next_random(&b->seed) % below;
    if (next_random(&b->seed) % 2 == 0)
        n = n / page * page + next_random(&b->seed) % 3;
    return n < below ? n : below - 1;
}

static struct mfs_content_edit edit_of(struct bench *b, struct model *m)
{
    return (struct mfs_content_edit){&b->rig->pool, &m->content, m->size, MFS_CHARGE_ORDINARY};
}

static void compare(struct bench *b, const struct model *m)
{
    unsigned char *got = malloc((size_t)b->room + 1);
    memfs_iovec part = {got, (size_t)m->size};
    struct mfs_sink sink = {.parts = &part};
    assert_non_null(got);
    if (m->size > 0)
        mfs_content_io_read(&b->rig->pool, &m->content, 0, m->size, &sink);
    int difference = memcmp(got, m->bytes, (size_t)m->size);
    free(got);
    assert_int_equal(difference, 0);
    assert_true(m->content.root == 0 || mfs_content_usage(&b->rig->pool, &m->content, m->size) > 0);
}

static int do_write(struct bench *b, struct model *m, uint64_t offset, uint64_t length)
{
    unsigned char *data = malloc((size_t)length);
    assert_non_null(data);
    for (uint64_t i = 0; i < length; i++)
        data[i] = (unsigned char)next_random(&b->seed);
    size_t half = (size_t)length / 2;
    memfs_iovec parts[] = {{data, half}, {NULL, 0}, {data + half, (size_t)length - half}};
    struct mfs_source source = {.parts = parts};
    struct mfs_content_edit edit = edit_of(b, m);
    int error = mfs_content_io_write(&edit, offset, length, &source);
    if (error == 0) {
        memcpy(m->bytes + offset, data, (size_t)length);
        m->size = offset + length > m->size ? offset + length : m->size;
    }
    free(data);
    return error;
}

static int do_resize(struct bench *b, struct model *m, uint64_t size)
{
    if (size > m->size) {
        struct mfs_content_edit edit = edit_of(b, m);
        int error = mfs_content_extent_grow(&edit);
        m->size = error == 0 ? size : m->size;
        return error;
    }
    mfs_content_extent_cut(&b->rig->pool, &m->content, size);
    memset(m->bytes + size, 0, (size_t)(b->room - size));
    m->size = size;
    return 0;
}

static int do_range(struct bench *b, struct model *m, uint64_t offset, uint64_t length, int punch)
{
    struct mfs_content_edit edit = edit_of(b, m);
    if (!punch) {
        int error = mfs_content_extent_allocate(&edit, offset, length);
        if (error == 0 && offset + length > m->size && next_random(&b->seed) % 2 == 0)
            m->size = offset + length;
        return error;
    }
    int error = mfs_content_extent_punch(&edit, offset, length);
    if (error == 0)
        memset(m->bytes + offset, 0, (size_t)length);
    return error;
}

static int do_clone(struct bench *b, struct model *m, struct model *from)
{
    if (m == from)
        return 0;
    mfs_content_release(&b->rig->pool, &m->content);
    m->content = mfs_content_clone(&b->rig->pool, &from->content);
    m->size = from->size;
    memcpy(m->bytes, from->bytes, (size_t)b->room);
    return 0;
}

static int do_anything(struct bench *b, struct model *m)
{
    uint64_t offset = pick(b, b->room), length = 1 + pick(b, b->room - offset);
    if (offset + length > b->room)
        length = b->room - offset;
    switch (next_random(&b->seed) % 10) {
    case 0:
        return do_resize(b, m, offset);
    case 1:
        return do_range(b, m, offset, length, 1);
    case 2:
        return do_range(b, m, offset, length, 0);
    case 3:
    case 4:
        return do_clone(b, m, &b->models[next_random(&b->seed) % FILES]);
    default:
        return do_write(b, m, offset,
                        length % (3 * b->rig->pool.page_size) + 1 > b->room - offset
                            ? b->room - offset
                            : length % (3 * b->rig->pool.page_size) + 1);
    }
}

static void run(uint32_t page_size, uint64_t seed, uint64_t quota_pages)
{
    struct bench b = {.rig = rig_create(quota_pages * page_size, page_size),
                      .room = (uint64_t)page_size * 40,
                      .seed = seed};
    for (size_t i = 0; i < FILES; i++) {
        b.models[i].bytes = calloc(1, (size_t)b.room);
        assert_non_null(b.models[i].bytes);
    }
    for (int step = 0; step < STEPS; step++) {
        struct model *m = &b.models[next_random(&b.seed) % FILES];
        tracking_refuse(&b.rig->allocator, next_random(&b.seed) % 8 == 0 ? 1 : 0, 1);
        int error = do_anything(&b, m);
        tracking_refuse(&b.rig->allocator, 0, 0);
        assert_true(error == 0 || error == MEMFS_EDQUOT || error == MEMFS_ENOMEM);
        b.refused += error != 0;
        b.done += error == 0;
        for (size_t i = 0; i < FILES; i++)
            if (&b.models[i] == m || step % 16 == 0)
                compare(&b, &b.models[i]);
    }
    assert_true(b.refused > 10 && b.done > 10);
    for (size_t i = 0; i < FILES; i++) {
        mfs_content_release(&b.rig->pool, &b.models[i].content);
        free(b.models[i].bytes);
    }
    rig_destroy(b.rig);
}

static void contents_are_as_byte_arrays_whatever_is_done_and_refused(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        run(256, seed, 90);
        run(4096, seed, 70);
    }
}

static void overwriting_what_a_content_owns_alone_never_allocates(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 4096);
    static unsigned char bytes[50000];
    memfs_iovec part = {bytes, sizeof bytes};
    struct mfs_content content = {0};
    struct mfs_source source = {.parts = &part};
    struct mfs_content_edit edit = {.pool = &rig->pool, .content = &content};
    assert_int_equal(mfs_content_io_write(&edit, 10, sizeof bytes, &source), 0);
    tracking_refuse(&rig->allocator, 1, 1);
    source = (struct mfs_source){.parts = &part};
    edit.size = sizeof bytes + 10;
    assert_int_equal(mfs_content_io_write(&edit, 10, sizeof bytes, &source), 0);
    struct mfs_content clone = mfs_content_clone(&rig->pool, &content);
    mfs_content_extent_cut(&rig->pool, &clone, 777);
    mfs_content_release(&rig->pool, &clone);
    mfs_content_extent_cut(&rig->pool, &content, 100);
    assert_int_equal(rig->allocator.takes, 0);
    mfs_content_release(&rig->pool, &content);
    rig_destroy(rig);
}

static void bytes_behind_the_size_that_should_be_zeros_are_found(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {30, 5000}; /* a short of 52 bytes; pages */
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct rig *rig = rig_create(0, 4096);
        struct mfs_content content = {0};
        struct mfs_content_edit edit = {.pool = &rig->pool, .content = &content};
        struct mfs_source zeros = {0};
        assert_int_equal(mfs_content_io_write(&edit, 0, sizes[i], &zeros), 0);
        edit.size = sizes[i];
        assert_int_equal(mfs_content_extent_grow(&edit), 0);
        assert_true(mfs_content_is_valid(&rig->pool, &content, edit.size));
        struct mfs_radix tree = mfs_content_tree(&content);
        unsigned char *last = content.is_short
                                  ? mfs_content_short(&content)->bytes + edit.size
                                  : mfs_pool_page_bytes(&rig->pool,
                                                        mfs_radix_find(&rig->pool, tree, 1)) +
                                        edit.size - 4096;
        *last = 1;
        assert_false(mfs_content_is_valid(&rig->pool, &content, edit.size));
        content.is_stale = true;
        assert_true(mfs_content_is_valid(&rig->pool, &content, edit.size));
        mfs_content_release(&rig->pool, &content);
        rig_destroy(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contents_are_as_byte_arrays_whatever_is_done_and_refused),
        cmocka_unit_test(overwriting_what_a_content_owns_alone_never_allocates),
        cmocka_unit_test(bytes_behind_the_size_that_should_be_zeros_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Pieces of pages: they never overlap, join again, and a page holds as many as it says. */
#include "rig.h"

#include "memory/piece.h"
#include "memory/refusal.h"

static const uint32_t piece_page_sizes[] = {256, 1024, 4096, 65536};

enum { PIECES = 400 };

struct held {
    unsigned char *bytes;
    size_t length;
};

static void check_bytes(const struct held *held, size_t mark)
{
    for (size_t i = 0; i < held->length; i++)
        assert_int_equal(held->bytes[i], (unsigned char)mark);
}

static size_t some_length(const struct rig *rig, uint64_t *seed)
{
    size_t most = mfs_piece_most(&rig->pool);
    size_t limit = next_random(seed) % 8 == 0 ? most : mfs_num_min_size(most, 200);
    return 1 + next_random(seed) % limit;
}

static void take_piece(struct rig *rig, struct held *held, size_t length, size_t mark)
{
    void *bytes;
    held->length = length;
    assert_int_equal(
        mfs_piece_take(&rig->memory.pieces, &rig->pool, MFS_CHARGE_ORDINARY, length, &bytes), 0);
    assert_int_equal((uintptr_t)bytes % MFS_PIECE_UNIT, 0);
    held->bytes = bytes;
    memset(bytes, (int)(unsigned char)mark, length);
}

static void give_piece(struct rig *rig, struct held *held)
{
    mfs_piece_give(&rig->memory.pieces, &rig->pool, held->bytes);
    held->bytes = NULL;
}

static void pieces_of_any_size_never_overlap_and_all_comes_back(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(piece_page_sizes); s++) {
        struct rig *rig = rig_create(0, piece_page_sizes[s]);
        static struct held held[PIECES];
        uint64_t seed = s + 7;
        for (int step = 0; step < 20000; step++) {
            size_t at = next_random(&seed) % PIECES;
            if (held[at].bytes == NULL) {
                take_piece(rig, &held[at], some_length(rig, &seed), at);
            } else {
                check_bytes(&held[at], at);
                give_piece(rig, &held[at]);
            }
            if (step % 500 == 0)
                assert_true(mfs_memory_is_valid(&rig->memory));
        }
        for (size_t at = 0; at < PIECES; at++) {
            if (held[at].bytes == NULL)
                continue;
            check_bytes(&held[at], at);
            give_piece(rig, &held[at]);
        }
        assert_int_equal(rig->pool.pages_cut, 0); /* all neighbours have joined */
        assert_int_equal(rig->pool.pages_free, rig->pool.pages_total);
        rig_destroy(rig);
    }
}

/* The rule of memfs.h: a page holds at least so many objects of one size, whatever else there
 * is. */
static void a_page_holds_as_many_pieces_of_one_size_as_fit_side_by_side(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 4096);
    static const size_t lengths[] = {1, 16, 17, 40, 144, 496, 504, 528, 1000, 2000, 4080};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        static struct held held[256];
        size_t fit = (4096 - MFS_PIECE_UNIT) / mfs_piece_cost(lengths[i]);
        assert_int_equal(rig->pool.pages_cut, 0);
        for (size_t n = 0; n < fit; n++)
            take_piece(rig, &held[n], lengths[i], n);
        assert_int_equal(rig->pool.pages_cut, 1);
        for (size_t n = 0; n < fit; n++)
            give_piece(rig, &held[n]);
    }
    rig_destroy(rig);
}

static void what_was_cut_small_serves_something_large_again(void **state)
{
    (void)state;
    struct rig *rig = rig_create(0, 4096);
    static struct held held[100];
    struct held large;
    for (size_t i = 0; i < 100; i++)
        take_piece(rig, &held[i], 32, i);
    assert_int_equal(rig->pool.pages_cut, 1);
    for (size_t i = 10; i < 90; i++)
        give_piece(rig, &held[i]);
    take_piece(rig, &large, 80 * 40 - MFS_PIECE_HEADER_BYTES, 1);
    assert_int_equal(rig->pool.pages_cut, 1);
    give_piece(rig, &large);
    for (size_t i = 0; i < 10; i++) {
        give_piece(rig, &held[i]);
        give_piece(rig, &held[90 + i]);
    }
    assert_int_equal(rig->pool.pages_cut, 0);
    rig_destroy(rig);
}

static void a_piece_that_no_page_is_left_for_is_refused_and_takes_nothing(void **state)
{
    (void)state;
    struct rig *rig = rig_create(40000, 4096);
    static struct held held[2000];
    size_t count = 0;
    void *bytes;
    while (mfs_piece_take(&rig->memory.pieces, &rig->pool, MFS_CHARGE_ORDINARY, 100, &bytes) == 0)
        held[count++].bytes = bytes;
    assert_true(count > 8 * (4088 / 112));
    assert_int_equal(rig->pool.pages_free, 0);
    const struct mfs_refusal refusal = mfs_refusal_account.refused;
    assert_int_equal(refusal.error, MEMFS_EDQUOT);
    assert_true(refusal.wanted > refusal.available);
    tracking_refuse(&rig->allocator, 1, 1); /* what was given back is had again without asking */
    give_piece(rig, &held[count - 1]);
    take_piece(rig, &held[count - 1], 100, 1);
    assert_int_equal(rig->allocator.takes, 0);
    tracking_refuse(&rig->allocator, 0, 0);
    for (size_t i = 0; i < count; i++)
        give_piece(rig, &held[i]);
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size_never_overlap_and_all_comes_back),
        cmocka_unit_test(a_page_holds_as_many_pieces_of_one_size_as_fit_side_by_side),
        cmocka_unit_test(what_was_cut_small_serves_something_large_again),
        cmocka_unit_test(a_piece_that_no_page_is_left_for_is_refused_and_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

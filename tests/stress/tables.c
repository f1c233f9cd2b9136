/*
 * Two files that have a table of pages in common, while one is written and the other cut or
 * copied: what is shared through the table becomes shared page by page at any moment, and each file
 * keeps what is its own.
 */
#include "crew.h"
#include "site.h"

#include <memfs/storage.h>

#include <string.h>

#define PAGE_BYTES 4096
#define PAGES 64
#define ROUNDS 4000u

struct pair {
    struct site site;
    memfs_file *file, *other;
    memfs_content_ref version; /* of `other`, while a round is under way */
};

static void open_pair(struct pair *pair)
{
    const uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE;
    site_open(&pair->site, 64u << 20, PAGE_BYTES);
    assert_int_equal(memfs_open(pair->site.fs, "/file", flags, 0644, &pair->file), 0);
    assert_int_equal(memfs_open(pair->site.fs, "/other", flags, 0644, &pair->other), 0);
}

static void close_pair(struct pair *pair)
{
    assert_int_equal(memfs_close(pair->file), 0);
    assert_int_equal(memfs_close(pair->other), 0);
    site_close(&pair->site);
}

/* Both have the same `pages`, and then tables of their own that share all but the last page. */
static void share_table(struct crew_member *me, unsigned pages)
{
    struct pair *pair = me->context;
    static const unsigned char a[PAGE_BYTES] = {'a'}, b = 'b';
    memfs_content_ref version;
    crew_must(me, memfs_ftruncate(pair->other, 0));
    crew_must(me, memfs_ftruncate(pair->file, 0));
    for (unsigned i = 0; i < pages; i++)
        crew_must(me, memfs_pwrite(pair->file, a, sizeof a, (int64_t)i * PAGE_BYTES));
    crew_must(me, memfs_content_take(pair->file, &version));
    crew_must(me, memfs_content_restore(pair->other, &version));
    crew_must(me, memfs_pwrite(pair->file, &b, 1, (int64_t)(pages - 1) * PAGE_BYTES));
}

static void write_all_pages(struct crew_member *me)
{
    struct pair *pair = me->context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        share_table(me, PAGES);
        crew_must(me, memfs_content_take(pair->other, &pair->version));
        crew_meet(me);
        for (int64_t i = 2; i < PAGES - 1; i++)
            crew_must(me, memfs_pwrite(pair->file, "b", 1, i * PAGE_BYTES));
        crew_meet(me);
        for (int64_t i = 2; i < PAGES - 1; i++) {
            char first = 0;
            crew_must(me, memfs_pread(pair->other, &first, 1, i * PAGE_BYTES));
            crew_check(me, first == 'a');
        }
    }
}

static void copy_the_table(struct crew_member *me)
{
    struct pair *pair = me->context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        crew_meet(me);
        crew_must(me, memfs_pwrite(pair->other, "c", 1, PAGE_BYTES));
        crew_must(me, memfs_content_drop(&pair->version));
        crew_meet(me);
    }
}

static void cut_to_one_page(struct crew_member *me)
{
    struct pair *pair = me->context;
    for (unsigned round = 0; round < ROUNDS; round++) {
        share_table(me, 2);
        crew_meet(me);
        crew_must(me, memfs_ftruncate(pair->file, PAGE_BYTES));
        crew_meet(me);
    }
}

static void overwrite_that_page(struct crew_member *me)
{
    struct pair *pair = me->context;
    static const unsigned char bytes[PAGE_BYTES] = {'c'};
    for (unsigned round = 0; round < ROUNDS; round++) {
        crew_meet(me);
        crew_must(me, memfs_pwrite(pair->other, bytes, sizeof bytes, 0));
        crew_meet(me);
    }
}

static void run(const char *name, crew_work one, crew_work two)
{
    struct pair pair;
    open_pair(&pair);
    struct crew *crew = crew_create(name, &pair);
    crew_add(crew, "one", 1, one);
    crew_add(crew, "two", 1, two);
    crew_run(crew);
    assert_true(crew_done(crew, "two") >= ROUNDS);
    crew_destroy(crew);
    close_pair(&pair);
}

static void a_write_goes_to_no_other_file_when_its_table_is_copied(void **state)
{
    (void)state;
    run("writing", write_all_pages, copy_the_table);
}

static void a_cut_leaves_no_page_that_nobody_has(void **state)
{
    (void)state;
    run("cutting", cut_to_one_page, overwrite_that_page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_goes_to_no_other_file_when_its_table_is_copied),
        cmocka_unit_test(a_cut_leaves_no_page_that_nobody_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

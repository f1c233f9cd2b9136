/* Parents are not made through a symlink to what does not exist: its target may be anybody's. */
#include "checks.h"

static void set_up_links(memfs *fs)
{
    assert_ok(memfs_symlink(fs, "missing/deeper", "/relative", 0));
    assert_ok(memfs_symlink(fs, "/missing/deeper", "/absolute", 0));
    assert_ok(memfs_symlink(fs, "relative", "/chain", 0));
    put(fs, "/f", "a");
}

static const char *const dangling[] = {"/relative/x/y", "/absolute/x/y", "/chain/x/y"};

static void directories_are_not_made_through_a_dangling_link(void **state)
{
    struct fixture *f = *state;
    set_up_links(f->fs);
    for (size_t i = 0; i < COUNT_OF(dangling); i++)
        assert_refused(f->fs, memfs_mkdir_parents(f->fs, dangling[i], 0755), MEMFS_ENOENT);
    assert_names(f->fs, "/", "relative absolute chain f ");
}

static void a_rename_makes_no_parents_through_a_dangling_link(void **state)
{
    struct fixture *f = *state;
    set_up_links(f->fs);
    for (size_t i = 0; i < COUNT_OF(dangling); i++)
        assert_refused(f->fs, memfs_rename(f->fs, "/f", dangling[i], MEMFS_RENAME_MAKE_PARENTS),
                       MEMFS_ENOENT);
    assert_names(f->fs, "/", "relative absolute chain f ");
}

static void opening_makes_no_parents_through_a_dangling_link(void **state)
{
    struct fixture *f = *state;
    set_up_links(f->fs);
    uint32_t flags = MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_MAKE_PARENTS;
    memfs_file *file;
    for (size_t i = 0; i < COUNT_OF(dangling); i++)
        assert_refused(f->fs, memfs_open(f->fs, dangling[i], flags, 0644, &file), MEMFS_ENOENT);
    assert_names(f->fs, "/", "relative absolute chain f ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(directories_are_not_made_through_a_dangling_link),
        FS_TEST(a_rename_makes_no_parents_through_a_dangling_link),
        FS_TEST(opening_makes_no_parents_through_a_dangling_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

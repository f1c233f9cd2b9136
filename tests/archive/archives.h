/*
 * What the tests of archives share: archives in memory, made by libarchive (tarmaker.h makes them
 * byte by byte), and a tree as text, to be compared with another.
 */
#ifndef MEMFS_TESTS_ARCHIVES_H
#define MEMFS_TESTS_ARCHIVES_H

#include "checks.h"
#include "tarmaker.h"

#include <memfs/archive.h>
#include <stdbool.h>

memfs_archive_where in_buffer(const struct bytes *bytes);
memfs_archive_where on_host(const char *path);
memfs_archive_where in_tree(const char *path);

/* The calls; the result says what they return. */
int load(memfs *fs, const memfs_archive_where *from, const char *path,
         const memfs_archive_options *options, memfs_archive_result *result);
int save(memfs *fs, const char *path, const memfs_archive_where *to,
         const memfs_archive_options *options, memfs_archive_result *result);

/* The same with an archive in memory, and saving must succeed. */
int load_bytes(memfs *fs, const struct bytes *bytes, const char *path,
               const memfs_archive_options *options, memfs_archive_result *result);
struct bytes save_bytes(memfs *fs, const char *path, const memfs_archive_options *options);

static inline memfs_archive_options options_of(uint32_t flags)
{
    return (memfs_archive_options){.struct_size = sizeof(memfs_archive_options), .flags = flags};
}

/* What a description leaves out, besides numbers, owners and times of access. */
enum { WITHOUT_TIMES = 1, WITHOUT_NANOSECONDS = 2, WITHOUT_LINKS = 4, WITHOUT_HOLES = 8 };

/* Every entry below `root`, sorted: path, kind, mode, time of modification, size, a hash of the
 * content, holes, the target, and which names are of one file.  From malloc. */
char *describe(memfs *fs, const char *root, unsigned left_out);

#define assert_same_trees(one, one_root, other, other_root, left_out) \
    do { \
        char *trees_one = describe((one), (one_root), (left_out)); \
        char *trees_other = describe((other), (other_root), (left_out)); \
        assert_string_equal(trees_one, trees_other); \
        free(trees_one); \
        free(trees_other); \
    } while (0)

/* A tree with something of everything at `root`. */
void make_sample(memfs *fs, const char *root);

/* The tree is sound, nothing is open, and just these names are in its root: "a b ". */
#define assert_only(fs, names) \
    do { \
        assert_ok(memfs_audit(fs)); \
        assert_int_equal(statfs_of(fs).open_files + statfs_of(fs).open_directories, 0); \
        assert_names((fs), "/", (names)); \
    } while (0)

#endif

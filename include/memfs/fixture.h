/*
 * memfs/fixture.h: a tree for every test, built once.
 *
 * A fixture is a tree, with its databases, that is built before the first test.  Each test gets a
 * tree of its own in that state, whatever the tests before have done, in the time of its entries,
 * not of its bytes.  memfs/cmocka.h has this for cmocka.
 *
 *     #include <memfs/fixture.h>
 *
 *     static int build(void *context, memfs *fs)
 *     {
 *         (void)context;
 *         return memfs_write_file(fs, "/etc/app.conf", "colour=red\n", 11, 0644,
 *                                 MEMFS_WRITE_MAKE_PARENTS);
 *     }
 *
 *     int main(void)
 *     {
 *         memfs_fixture *fixture;
 *         memfs_fixture_test test;
 *         char text[1000] = "";
 *         memfs_fixture_options options = {.struct_size = sizeof options, .build = build};
 *         if (memfs_fixture_create(&options, &fixture) != 0 ||
 *             memfs_fixture_begin(fixture, &test) != 0)
 *             return 1;
 *         int failed = memfs_fixture_compare_file(test.fs, "/etc/app.conf", "colour=red\n", 11,
 *                                                 text, sizeof text);
 *         if (failed)
 *             memfs_fixture_report(test.fs, "the configuration", text, stderr);
 *         memfs_fixture_end(fixture, &test, failed ? MEMFS_FIXTURE_FAILED : 0);
 *         return memfs_fixture_destroy(fixture) != 0 || failed != 0;
 *     }
 *
 * RULES
 *
 * Trees      Each test has a clone (memfs_clone_instance()) of the tree that was built: what one
 *            does, no other sees.  All draw on one quota.  Tests may run at the same time, each in
 *            a thread of its own.  With MEMFS_FIXTURE_ONE_TREE it is one tree, which is put back
 *            (memfs_snapshot_restore()) before each test, for programs that keep a pointer to their
 *            file system; then one test runs at a time.  Its quota, emergency reserve and node
 *            limit are put back as well.  Clones have the first two in common, so a test that sets
 *            them sets them for all.
 * Databases  Where memfs has its part for SQLite, each tree is an SQLite VFS, from before `build`
 *            on: memfs_sqlite_open() takes the tree, and sqlite3_open_v2() the name test.vfs.
 *            Connections that `build` opens must be closed before it returns.
 * Structs    As memfs.h says under "Structs".
 * Threads    All functions may be called from several threads at a time, each for another test;
 *            memfs_fixture_destroy() when no other is under way.
 * Blocking   Beginning and ending take the time of the tree's entries.
 */
#ifndef MEMFS_FIXTURE_H
#define MEMFS_FIXTURE_H

#include <memfs/memfs.h>
#include <stdio.h>

/* See MEMFS_API in memfs.h. */
#ifdef MEMFS_FIXTURE_BUILDING
#define MEMFS_FIXTURE_API MEMFS_EXPORT
#else
#define MEMFS_FIXTURE_API MEMFS_IMPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ fixtures */

typedef struct memfs_fixture memfs_fixture;

/* Builds the tree.  0, or an error of memfs or of the program's own, which is negative. */
typedef int (*memfs_fixture_build)(void *context, memfs *fs);

#define MEMFS_FIXTURE_ONE_TREE 0x1u /* one tree for all tests, put back before each */

/* Zero means the default in every field; null means all defaults. */
typedef struct memfs_fixture_options {
    size_t struct_size;         /* sizeof(memfs_fixture_options) */
    uint64_t flags;             /* MEMFS_FIXTURE_... */
    const memfs_config *config; /* of the tree; null: memfs_config_default() */
    memfs_fixture_build build;  /* null: the tree is empty */
    void *context;              /* of `build` */
    const char *kept_in;        /* a directory of the host; null: the tree is built each time */
    const char *key;            /* with kept_in: what the tree was built from, a hash of the schema
                                   for instance; a name of letters, digits, '.', '_' and '-' */
} memfs_fixture_options;

/*
 * Makes a fixture, and builds its tree.
 *
 * With `kept_in` the tree is kept for other processes, as the archive KEPT_IN/KEY.tar: the first
 * that comes builds it, while others of that key wait, and the others load it, without calling
 * `build`.  An archive that cannot be read is built anew.  The root's own attributes are not kept.
 *
 * Errors:   EINVAL (a key without a directory or the other way round, a bad key, an unknown flag),
 *           E2BIG, EOPNOTSUPP (`kept_in` where memfs was built without its part for archives),
 *           EIO (the host refused the directory or its files), EDQUOT, ENOSPC, ENOMEM, those of
 *           memfs_create(), and what `build` returned; EBUSY: `build` left a database open.
 * Failure:  nothing is left, but for what `build` has left open: that stays, with its tree.
 */
MEMFS_FIXTURE_API int memfs_fixture_create(const memfs_fixture_options *options,
                                           memfs_fixture **out);

/* Ends a fixture; null: nothing happens.  Errors: EBUSY (a test has begun and not ended). */
MEMFS_FIXTURE_API int memfs_fixture_destroy(memfs_fixture *fixture);

#define MEMFS_FIXTURE_VFS_BYTES 40u /* of the longest name, with its NUL */

/* A test's tree.  The fields may be read while the test runs. */
typedef struct memfs_fixture_test {
    memfs *fs;
    char vfs[MEMFS_FIXTURE_VFS_BYTES]; /* the name of the tree's SQLite VFS; "": there is none */
} memfs_fixture_test;

#define MEMFS_FIXTURE_FAILED 0x1u /* of a test: handles that are open are closed by force */

/*
 * Gives a test its tree, and takes it away.
 *
 * A test that has succeeded leaves nothing open: files, streams, connections, memory that was not
 * given back, are EBUSY at its end, and the tree stays until they are closed and the test is ended
 * again.  A test that has failed may have been left in the middle, so with MEMFS_FIXTURE_FAILED
 * everything of it is closed, but for connections of SQLite, which only the program can close.
 * With ONE_TREE what it has left open stays open, and is not held against the tests to come.
 *
 * Errors:   beginning: EDQUOT, ENOSPC, ENOMEM; with ONE_TREE also EBUSY (a test is running, or a
 *           file is locked, or what earlier tests have left open exceeds a limit).  Ending: EBUSY,
 *           EINVAL (an unknown flag).
 * Quota:    beginning: that of memfs_clone_instance(), and some 2 KiB for a VFS.
 */
MEMFS_FIXTURE_API int memfs_fixture_begin(memfs_fixture *fixture, memfs_fixture_test *test);
MEMFS_FIXTURE_API int memfs_fixture_end(memfs_fixture *fixture, memfs_fixture_test *test,
                                        unsigned flags);

/* ---------------------------------------------------------------- comparisons */

/*
 * Compares the file `path` with `size` expected bytes.  Returns 0 if they are equal; 1 if not, or
 * if there is no such file, and then `text` of `room` bytes says where they differ, in words and
 * with the bytes around, cut to fit.
 * Errors: EINVAL, those of reading.
 */
MEMFS_FIXTURE_API int memfs_fixture_compare_file(memfs *fs, const char *path, const void *expected,
                                                 size_t size, char *text, size_t room);

#define MEMFS_FIXTURE_MODES 0x1u /* permission bits count */
#define MEMFS_FIXTURE_TIMES 0x2u /* modification times of files count */

/*
 * Compares what is at and below two paths, of one instance or of two: names, kinds, contents, and
 * targets of symlinks.  The order of entries does not count.  Returns 0 or 1 as above; `text` then
 * has a line for each difference: "-PATH" where only the first tree has it, "+PATH" where only the
 * second, and "PATH: ..." where both.
 *
 * Errors:   EINVAL (an unknown flag), EDQUOT, ENOMEM, those of paths and of reading.
 * Threads:  each tree should not change meanwhile: what vanishes counts as missing.
 */
MEMFS_FIXTURE_API int memfs_fixture_compare_trees(memfs *one, const char *path, memfs *other,
                                                  const char *other_path, unsigned flags,
                                                  char *text, size_t room);

/* -------------------------------------------------------------------- reports */

/*
 * Tells of a test that failed: prints `text` (null: nothing) and the tree to the stream, and, if
 * the environment variable MEMFS_FIXTURE_SAVE names a directory of the host, saves the tree there
 * as NAME.tar (which is replaced) and prints where.  In the file's name, all but letters, digits,
 * '.', '_' and '-' becomes '_'.
 *
 * Errors:   EINVAL, EIO (the stream, or the host), EDQUOT, ENOMEM; EOPNOTSUPP (to be saved, in a
 *           build without archives).  The tree is printed in any case, and the reason is, too.
 */
MEMFS_FIXTURE_API int memfs_fixture_report(memfs *fs, const char *name, const char *text,
                                           FILE *stream);

#ifdef __cplusplus
}
#endif

#endif

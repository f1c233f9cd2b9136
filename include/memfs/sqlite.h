/*
 * memfs/sqlite.h: a memfs as an SQLite VFS.
 *
 * Registers a file system under a name; every connection that is opened with
 * that name keeps its database, journals and temporary files in the tree, under
 * the file system's quota.  Databases and other files live side by side: what
 * memfs_write_file() puts at "/app.db", SQLite opens as "/app.db".
 *
 *     #include <memfs/memfs.h>
 *     #include <memfs/sqlite.h>
 *     #include <sqlite3.h>
 *
 *     memfs *fs;
 *     sqlite3 *db;
 *     memfs_create(NULL, &fs);
 *     memfs_sqlite_register(fs, "ram", 0);
 *     sqlite3_open_v2("/app.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "ram");
 *     ...
 *     sqlite3_close(db);
 *     memfs_sqlite_unregister("ram");
 *     memfs_destroy(fs, 0);
 *
 * The same as a URI: "file:/app.db?vfs=ram".  A path without a leading '/'
 * starts at the root.  SQLite 3.32 or newer.
 *
 * CONCEPTS
 *
 * Quota      When the quota or the node limit refuses, SQLite says SQLITE_FULL
 *            ("database or disk is full"); when the allocator refuses, it says
 *            "out of memory".  In every journal mode the transaction is then
 *            rolled back and the database stays whole; raise the quota or delete
 *            something and go on.  The journals and temporary files count too.
 *            What SQLite keeps on its own heap does not: the page cache, and the
 *            journal of journal_mode=MEMORY (see sqlite3_hard_heap_limit64()).
 * Journals   DELETE, TRUNCATE, PERSIST, MEMORY and OFF.  MEMORY and OFF are as
 *            safe at the quota as the others: what a transaction had written is
 *            undone from the old content, which is kept by reference meanwhile
 *            (overwriting costs a copy of what is overwritten, in these two
 *            modes).  OFF has no rollback of a single statement; that is
 *            SQLite's definition of OFF.
 * Locks      Connections of one process, in any threads, see SQLite's five lock
 *            states per database, whatever name it was opened by.
 * Names      Up to 512 bytes after `.`, `..` and links have been resolved.
 * Read-only  A database file without any write permission bit (memfs_chmod())
 *            opens read-only, as on a disk.
 *
 * RULES
 *
 * Errors and threads are as in memfs.h.  The VFS is as safe to use from several
 * threads as the SQLite library that calls it (sqlite3_threadsafe()).
 *
 * WAYS TO HURT YOURSELF
 *
 * - Unregistering a VFS that a connection was opened with and that is still
 *   there, even if it has no file open (":memory:", ""): it keeps a pointer.
 * - nolock=1 or immutable=1 in the URI while somebody writes: then there are no
 *   locks, and the undo of MEMORY and OFF, which goes by them, is not there.
 * - Deleting or renaming a `-journal` by hand while its database is in use.
 */
#ifndef MEMFS_SQLITE_H
#define MEMFS_SQLITE_H

#include <memfs/memfs.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3;

/* memfs_sqlite_register() */
#define MEMFS_SQLITE_DEFAULT 0x1u /* the VFS of connections that name none */

/* Names of a VFS: 1 to this many bytes. */
#define MEMFS_SQLITE_NAME_MAX 255u

/*
 * Registers `fs` with SQLite under the name `vfs_name`.
 *
 * Time, randomness and the loading of extensions go to the VFS that was the
 * default before (or to that one's, if it is a memfs itself).
 *
 * Errors:   EINVAL (an empty or overlong name), EEXIST (SQLite has a VFS of this
 *           name), EBUSY (`fs` is registered already, under another name; two
 *           would not see each other's locks), EOPNOTSUPP (SQLite is too old, or
 *           cannot be initialised), EDQUOT, ENOMEM.
 * Quota:    takes about 2 KiB of class SHARED, until it is unregistered; so
 *           memfs_destroy() refuses a file system that is still registered.
 */
MEMFS_API int memfs_sqlite_register(memfs *fs, const char *vfs_name, unsigned flags);

/*
 * Takes the name from SQLite again.  The files stay.
 *
 * Errors:   ENOENT (SQLite has no VFS of this name), EINVAL (it has, but it is
 *           none of ours), EBUSY (files are open through it).
 */
MEMFS_API int memfs_sqlite_unregister(const char *vfs_name);

/* The file system behind a VFS name, or null if there is none of ours. */
MEMFS_API memfs *memfs_sqlite_find(const char *vfs_name);

/* memfs_sqlite_register_functions() */
#define MEMFS_SQLITE_HOST_ACCESS 0x2u /* memfs_import() and memfs_export() too */

/*
 * Puts SQL functions (memfs_read(), memfs_write() ...) and the table memfs_tree into
 * a connection, with which SQL reaches the tree of `fs`; sqlite_vfs/SQL.md describes them.
 * The connection may be of any VFS.  Those that are there already, of another file
 * system too, are replaced.
 *
 * With host access, whoever can run SQL on the connection reads and writes the host's
 * files with the rights of this process.
 *
 * Errors:   EINVAL, EBUSY (they are there already, and statements are running), ENOMEM
 *           (SQLite's heap), EOPNOTSUPP (SQLite is too old, or HOST_ACCESS was asked for
 *           and this was built for a host without POSIX files).
 * Failure:  EINVAL, EBUSY, EOPNOTSUPP: nothing has changed.  ENOMEM: the
 *           connection has none of them.
 * Lifetime: `fs` must outlive the connection.
 */
MEMFS_API int memfs_sqlite_register_functions(struct sqlite3 *db, memfs *fs, unsigned flags);

#ifdef __cplusplus
}
#endif

#endif

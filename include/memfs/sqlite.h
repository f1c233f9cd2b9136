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
 *     int main(void)
 *     {
 *         memfs *fs;
 *         sqlite3 *db;
 *         if (memfs_create(NULL, &fs) != 0 || memfs_sqlite_register(fs, "ram", 0) != 0)
 *             return 1;
 *         sqlite3_open_v2("/app.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "ram");
 *         int code = sqlite3_exec(db, "CREATE TABLE t(x); INSERT INTO t VALUES (1)", 0, 0, 0);
 *         if (code != SQLITE_OK)
 *             return 1;
 *         sqlite3_close(db);
 *         memfs_sqlite_unregister("ram"); // the database stays in the tree
 *         return memfs_destroy(fs, 0) != 0;
 *     }
 *
 * The same as a URI: "file:/app.db?vfs=ram".  A path without a leading '/'
 * starts at the root.  SQLite 3.32 or newer.
 *
 * CONCEPTS
 *
 * Quota      When the quota or the node limit refuses, SQLite returns SQLITE_FULL ("database or
 *            disk is full"); when the allocator refuses, it reports "out of memory".  In every
 *            journal mode the transaction is then rolled back and the database stays whole; raise
 *            the quota or delete something and go on.  Journals and temporary files count too.
 *            What SQLite keeps on its own heap does not: the page cache, and the journal of
 *            journal_mode=MEMORY (see sqlite3_hard_heap_limit64()).
 * Full       The journals of main databases, super-journals, statement journals, WALs and WAL
 *            indexes may use the file system's emergency reserve (memfs_set_emergency_reserve(),
 *            PRAGMA memfs_emergency_reserve), and so may the undo of journal modes MEMORY and OFF.
 *            The growth of a database and temporary files may not.  So, when inserting is refused,
 *            rolling back, reading, checkpoints, opening, DELETE and DROP TABLE still work, as long
 *            as their journal fits the reserve.
 * Refusals   The refusal callback (memfs_config.refused) may raise the quota, or remove files that
 *            are no databases in use, at the moment of refusal; the statement then goes on as if
 *            nothing had happened.  The callback runs inside SQLite, with locks of SQLite and of
 *            the VFS held: see below.
 * Journals   DELETE, TRUNCATE, PERSIST, MEMORY, OFF and WAL.  MEMORY and OFF are as safe at the
 *            quota as the others: what a transaction has written is undone from the old content,
 *            which is held meanwhile (so overwriting costs a copy of what is overwritten, in these
 *            two modes).  OFF cannot roll back a single statement; that is SQLite's definition of
 *            OFF.  A write to a WAL also sets aside what the WAL index and a checkpoint will need
 *            (memfs_statfs_info.preallocated_bytes), so both work at a full quota, and so does
 *            recovery.  A transaction over two attached databases in WAL mode may be committed in
 *            only one of them, as SQLite says of a crash.
 * Locks      Connections of one process, in any threads, see SQLite's five lock states per
 *            database, whatever name it was opened by.  A connection that waits
 *            (sqlite3_busy_timeout()) is woken by the unlock, and writers take turns.
 * Isolation  With "memfs_mvcc=1" in the URI ("mvcc=1" for short), or `isolated` in
 *            memfs_sqlite_open_options, a transaction sees the version that was current when it
 *            began, and readers and writers do not wait for each other; rollback journals only.
 *            sqlite_vfs/MANUAL.md has the rules.
 * Fork       In the child of fork() an instance's connections give errors (SQLITE_IOERR, and
 *            SQLITE_CANTOPEN for new ones) and wait for no thread that the child does not have; a
 *            read transaction that was open may go on.  The parent notices nothing.  SQLite's own
 *            mutexes are another matter: if a thread of the parent was in SQLite at the fork(), a
 *            child that uses SQLite may wait for ever, with any VFS.  An instance
 *            with MEMFS_CREATE_SINGLE_THREADED is copied with its connections.
 * Names      Up to 512 bytes after `.`, `..` and links have been resolved.
 * Replaced   A connection whose database has lost its place (loaded or renamed over, removed,
 *            exchanged, memfs_snapshot_restore()) still reads what it had, and is refused with
 *            SQLITE_READONLY_DBMOVED when it writes or commits, in every journal mode.  It touches
 *            no journal or WAL of the database that has the place now, and that database's
 *            connections touch none of its.  Open it anew to see the new database.
 * Read-only  A database file without any write permission bit (memfs_chmod())
 *            opens read-only, as on a disk.
 *
 * RULES
 *
 * memfs_sqlite_register(), memfs_sqlite_unregister() and memfs_sqlite_register_functions() return
 * memfs's codes (0 or MEMFS_E...); memfs_sqlite_open() and the functions that save and load
 * return SQLite's (SQLITE_OK or an error, extended or not).  Lifetimes and struct_size are as in
 * memfs.h.  The VFS is as safe to use from several
 * threads as the SQLite library that calls it (sqlite3_threadsafe()).
 *
 * WAYS TO HURT YOURSELF
 *
 * - Unregistering a VFS while a connection that was opened with it exists, even if that connection
 *   has no file open (":memory:", ""): it keeps a pointer to the VFS.
 * - nolock=1 or immutable=1 in the URI while another connection writes: then there are no locks,
 *   and so no undo for journal modes MEMORY and OFF, which is started and ended by the locks.
 * - Using SQLite in a refusal callback on a connection to the same file system, or registering,
 *   unregistering or looking up a VFS there: the thread would wait for itself.
 * - Deleting or renaming a `-journal` by hand while its database is in use.
 */
#ifndef MEMFS_SQLITE_H
#define MEMFS_SQLITE_H

#include <memfs/memfs.h>

/* See MEMFS_API in memfs.h. */
#ifdef MEMFS_SQLITE_BUILDING
#define MEMFS_SQLITE_API MEMFS_EXPORT
#else
#define MEMFS_SQLITE_API MEMFS_IMPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3;

/* memfs_sqlite_register() */
#define MEMFS_SQLITE_REGISTER_DEFAULT 0x1u /* the VFS of connections that name none */
#define MEMFS_SQLITE_REGISTER_NO_EMERGENCY_RESERVE \
    0x2u /* leave the file system without a reserve if it has none */
#define MEMFS_SQLITE_REGISTER_MAKE_PARENTS \
    0x4u /* as memfs_make_parents=1 in every URI that does not say memfs_make_parents=0 */
#define MEMFS_SQLITE_REGISTER_NO_CONTROL 0x8u /* SQL may not change the file system's limits */

/* Names of a VFS: 1 to this many bytes. */
#define MEMFS_SQLITE_NAME_MAX 255u

/*
 * Registers `fs` with SQLite under the name `vfs_name`.
 *
 * A file system with a quota and without an emergency reserve gets one: a 16th of the quota, but
 * 512 KiB at most and 96 KiB at least (or an 8th of the quota); see "Full" above.  Unregistering
 * takes the reserve away again, unless it was changed.
 *
 * NO_CONTROL is for SQL that is not trusted.  A PRAGMA that sets a limit (memfs_quota,
 * memfs_emergency_reserve, memfs_node_limit) then answers with the present limit and changes
 * nothing, and one that takes or removes a snapshot or copies a database fails with SQLITE_PERM.
 * SQLITE_FCNTL_SIZE_LIMIT only answers, and "memfs_size_limit" in a URI counts for a database that
 * has no limit yet.  The program sets limits in C.  See also memfs_sqlite_confine().
 *
 * Time, randomness and the loading of extensions go to the VFS that was the
 * default before (or to that one's, if it is a memfs itself).
 *
 * Initialises SQLite.  sqlite3_shutdown() leaves the name registered, and so does
 * sqlite3_initialize() after it, but SQLite's own VFS is then the default again: unregister
 * and register anew to change that.
 *
 * Errors:   EINVAL (an empty or overlong name, an unknown flag), EEXIST (SQLite has a VFS
 *           of this name), EBUSY (`fs` is registered already, under another name; two
 *           would not see each other's locks), EOPNOTSUPP (SQLite is too old, or
 *           sqlite3_initialize() fails), EDQUOT, ENOMEM (also of SQLite).
 * Quota:    takes about 2 KiB of class MEMFS_CLASS_CHARGED, until it is unregistered; so
 *           memfs_destroy() refuses a file system that is still registered.
 */
MEMFS_SQLITE_API int memfs_sqlite_register(memfs *fs, const char *vfs_name, unsigned flags);

/*
 * Takes the name from SQLite again.  The files stay.
 *
 * Errors:   ENOENT (SQLite has no VFS of this name), EINVAL (it has, but that VFS is not a memfs),
 *           EBUSY (files are open through it).
 */
MEMFS_SQLITE_API int memfs_sqlite_unregister(const char *vfs_name);

/*
 * The file system behind the name of a VFS; null if no file system is registered under it.  Safe
 * beside calls that register and unregister; that the file system is not destroyed meanwhile is up
 * to the program.
 */
MEMFS_SQLITE_API memfs *memfs_sqlite_find(const char *vfs_name);

/*
 * Why the last open through a VFS of ours failed in this thread, or the last call that saves or
 * loads a database, in words: a missing directory, an unknown or malformed parameter in the URI,
 * connections that disagree about isolation, a refusal by the quota, a journal in the way ...
 * Empty if there is nothing to say.  Opening, saving and loading forget what was said before, and a
 * journal that cannot be made replaces it.
 *
 * The same goes to SQLite's log (SQLITE_CONFIG_LOG) and, in the loadable extension, to the SQL
 * function memfs_last_error() and to MEMFS_LOG.
 *
 * Threads:  each thread has its own.
 * Lifetime: until the thread's next call of SQLite or of this header.
 */
MEMFS_SQLITE_API const char *memfs_sqlite_last_error(void);

/* memfs_sqlite_register_functions() */
#define MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS 0x1u /* memfs_import() and memfs_export() too */

/*
 * Puts SQL functions (memfs_read(), memfs_write() ...) and the table memfs_tree into
 * a connection, with which SQL reaches the tree of `fs`; sqlite_vfs/SQL.md describes them.
 * The connection may be of any VFS.  Those that are there already, of another file
 * system too, are replaced.
 *
 * With host access, SQL that runs on the connection can read and write the host's files, with the
 * rights of this process.
 *
 * Errors:   EINVAL, EBUSY (they are there already, and statements are running), ENOMEM
 *           (SQLite's heap), EOPNOTSUPP (SQLite is too old, or HOST_ACCESS was asked for
 *           and this was built for a host without POSIX files).
 * Failure:  EINVAL, EBUSY, EOPNOTSUPP: nothing has changed.  ENOMEM: the
 *           connection has none of them.
 * Lifetime: `fs` must outlive the connection.
 */
MEMFS_SQLITE_API int memfs_sqlite_register_functions(struct sqlite3 *db, memfs *fs, unsigned flags);

/* How to confine a connection.  Zero means the default in every field. */
typedef struct memfs_sqlite_confine_options {
    size_t struct_size;    /* sizeof(memfs_sqlite_confine_options) */
    const char *directory; /* absolute; its databases may be attached; null: those of the tree */
    /* The program's own authorizer, as for sqlite3_set_authorizer(); asked about what the
     * confinement allows.  Null: none. */
    int (*authorizer)(void *context, int action, const char *first, const char *second,
                      const char *schema, const char *trigger);
    void *authorizer_context;
} memfs_sqlite_confine_options;

/*
 * Keeps the SQL of a connection in the file system that its main database is in, or under a
 * directory of that.  "Running SQL that you do not trust" in sqlite_vfs/MANUAL.md says what else
 * such a connection needs.  From now on these are refused ("not authorized"):
 *
 * - ATTACH and VACUUM INTO of a name outside of the directory, of ":memory:", of a name that is no
 *   literal, and of a URI that names another VFS, has an escape (%41), or a parameter other than
 *   vfs, mode=ro, mode=rw, mode=rwc, cache and memfs_mvcc;
 * - PRAGMAs that begin with memfs_, and those that concern the process (temp_store_directory,
 *   data_store_directory, hard_heap_limit, soft_heap_limit), with a value;
 * - load_extension(), memfs_import() and memfs_export(); with a directory all functions of
 *   memfs_sqlite_register_functions() and the table memfs_tree, which reach the whole tree.
 *
 * It is an authorizer, of which a connection has one: give the program's own in `options`, and do
 * not call sqlite3_set_authorizer() afterwards.  The SQL function memfs_confined_to() returns the
 * directory.  A connection below another VFS stays in that VFS.  Null `options`: the whole tree.
 *
 * Errors:   EINVAL (null, a directory that is not absolute or cannot be resolved, a wrong
 *           struct_size), EBUSY (it is confined already, and statements are running), ENOMEM
 *           (SQLite's heap).
 * Failure:  nothing has changed.
 * Lifetime: until the connection closes or is confined anew; `options` may go at once.
 */
MEMFS_SQLITE_API int memfs_sqlite_confine(struct sqlite3 *db,
                                          const memfs_sqlite_confine_options *options);

/* ------------------------------------------------------------------------ open */

/* How to open a database.  Zero means the default in every field. */
typedef struct memfs_sqlite_open_options {
    size_t struct_size;       /* sizeof(memfs_sqlite_open_options) */
    int flags;                /* SQLITE_OPEN_...; 0: READWRITE | CREATE */
    int busy_timeout_ms;      /* 0: 5000; negative, as MEMFS_WAIT_FOREVER: for ever */
    const char *journal_mode; /* null: WAL and isolated stay, all else is PERSIST */
    uint32_t page_size;       /* of a database that is made; 0: SQLite's, 4096 */
    int cache_size;           /* as PRAGMA cache_size: pages, or KiB if negative; 0: SQLite's */
    int64_t mmap_size;        /* as PRAGMA mmap_size: bytes; 0: all; negative: none */
    int make_parents;         /* not 0: make missing directories of `path`, 0755 */
    int isolated;             /* not 0: as memfs_mvcc=1; the default journal is then MEMORY */
    int no_wait;              /* not 0: do not wait at all; busy_timeout_ms must be 0 then */
    int must_be_zero;         /* for later versions */
} memfs_sqlite_open_options;

/*
 * Opens a database of `fs`, which must be registered, as sqlite3_open_v2() would.  A null
 * `options` means the default everywhere.
 *
 * The default journal is PERSIST: it lies in the tree, so the quota counts it, and is written
 * over, neither made nor deleted in a transaction, which is the cheapest that a journal gets in
 * memory.  More than 1 MiB of it is given back after each transaction.
 *
 * A WAL is checkpointed after as many frames as SQLite would (PRAGMA wal_autocheckpoint), and
 * earlier where its frames take a quarter of what the quota has left.  The PRAGMA answers 0 until
 * it is set, which switches back to SQLite's own checkpoints, as sqlite3_wal_hook() does.
 *
 * By default pages are read where they lie, without a second copy in SQLite's cache, which
 * no quota counts.  memfs_mmap_size in the URI goes before `mmap_size`.
 *
 * Errors:   SQLite's codes.  SQLITE_MISUSE: `fs` is not registered, or an option is absurd (an
 *           unknown journal mode, a page size that is no power of two from 512 to 65536, a
 *           struct_size that is too small or says more than this version knows, no_wait with a
 *           timeout, make_parents or isolated with a URI).  SQLITE_CANTOPEN too if the database
 *           cannot have the journal mode.
 * Failure:  as sqlite3_open_v2(): unless `*db` is null, sqlite3_errmsg() says more, and
 *           sqlite3_close() is due.  Parents that were made are removed again.
 */
MEMFS_SQLITE_API int memfs_sqlite_open(memfs *fs, const char *path,
                                       const memfs_sqlite_open_options *options,
                                       struct sqlite3 **db);

/* --------------------------------------------------------------- save and load */

/*
 * Images: a database as the bytes of one file.
 *
 * An image is what one read transaction sees: everything that is committed, what is in a WAL
 * included, and no part of a transaction that is under way.  Writers may continue where the journal
 * mode allows a writer beside a reader.  It always says "rollback journal" in its header
 * (bytes 18 and 19 are 1), also if the database is in WAL mode: so it can be opened read-only,
 * and by sqlite3_deserialize().  Loading changes these two bytes alike; PRAGMA journal_mode=WAL
 * brings WAL back.
 *
 * All return SQLite's (extended) codes.  SQLITE_MISUSE: a null pointer, or an unknown flag.
 */

/* memfs_sqlite_load_file(), memfs_sqlite_load_buffer() */
#define MEMFS_SQLITE_LOAD_MAKE_PARENTS 0x1u /* make missing directories of `path`, 0755 */

/*
 * Saves the database `schema` ("main", or a name from ATTACH; null: "main") of a connection, of
 * any VFS, to a file of the host.  The file appears, or is replaced, in one step, when it is
 * complete and synced; until then it is beside `host_path`, under a name with a random ending.
 *
 * Errors:   SQLITE_BUSY (the busy handler gave up; this connection is in a transaction that
 *           writes; there is a journal or WAL beside `host_path`), SQLITE_CANTOPEN, SQLITE_FULL
 *           and SQLITE_IOERR (the host refused), SQLITE_ERROR (no such schema).
 * Failure:  the host's files are as before.
 */
MEMFS_SQLITE_API int memfs_sqlite_save_file(struct sqlite3 *db, const char *schema,
                                            const char *host_path);

/*
 * The same into memory of `fs` (class MEMFS_CLASS_CHARGED; give it back with memfs_free()), so that
 * it counts against a quota and may be larger than the 2 GiB of sqlite3_serialize().  `fs` need not
 * be where the database is.
 *
 * Errors:   as above, and SQLITE_FULL (the quota), SQLITE_NOMEM, SQLITE_ERROR (an SQLite without
 *           sqlite3_deserialize(): before 3.36).
 */
MEMFS_SQLITE_API int memfs_sqlite_save_buffer(struct sqlite3 *db, const char *schema, memfs *fs,
                                              void **data, size_t *size);

/*
 * Loads a database from a file of the host to `path`.  The host's file is read through SQLite: a
 * WAL beside it is read too, a hot journal is SQLITE_READONLY_ROLLBACK, and the call waits up to 5
 * seconds for a writer of the host file.  `fs` must be registered.
 *
 * An existing file is replaced in one step, at the end; until then the database is in the root
 * directory, under a name that begins with ".memfs-load-".  Connections that have the old one open
 * keep it, as after any rename, and can no longer write (see "Replaced" above).  No other
 * connection should open `path` meanwhile.
 *
 * Errors:   SQLITE_NOTADB (an empty file; wrong magic; a size that is not a multiple of the page
 *           size), SQLITE_CORRUPT (cut short), SQLITE_FULL (the quota), SQLITE_NOMEM,
 *           SQLITE_BUSY (the host's file is being written; a connection is writing the database at
 *           `path`, or holds it with locking_mode=EXCLUSIVE; there is a WAL or a live journal
 *           beside `path`, which would be taken for the new database's), SQLITE_CANTOPEN.
 * Failure:  nothing has changed.
 */
MEMFS_SQLITE_API int memfs_sqlite_load_file(memfs *fs, const char *host_path, const char *path,
                                            unsigned flags);

/* The same from memory, whose bytes are an image.  `fs` need not be registered. */
MEMFS_SQLITE_API int memfs_sqlite_load_buffer(memfs *fs, const void *data, size_t size,
                                              const char *path, unsigned flags);

/* ------------------------------------------------------- saving what has changed */

/*
 * A saver keeps a database of the tree and a file of the host together: each save writes only the
 * pages that were changed since the last one.  For programs that keep a database in memory and save
 * it often, and for hosts whose flash wears.
 *
 * memfs_sqlite_saver_open()  begins with what is there.  If the tree has no `path`, the host's file
 *                            is loaded, after what a crash has left beside it was played back, and
 *                            is the base of the first save.  If the host has no `host_path`, the
 *                            first save makes it.  If both are there, it is SQLITE_MISMATCH, unless
 *                            MEMFS_SQLITE_SAVER_REPLACE lets the first save replace the host's.
 * memfs_sqlite_saver_save()  saves what is committed at one moment, a WAL included.  Writers go on,
 *                            but for a moment in which a rollback journal excludes readers.
 * memfs_sqlite_saver_close() forgets it; both files stay.  Null: nothing.
 *
 * A save is all or nothing, whatever happens: the old pages are in a journal in SQLite's format
 * beside `host_path` until the new ones are durable, so after a crash any program that opens the
 * host's file with SQLite has the last complete save or the new one, and so has
 * memfs_sqlite_saver_open().  (memfs_sqlite_load_file() does not write to the host, so it refuses a
 * journal.)  The first save, and one after a change of the page size, writes a new file beside the
 * old one and renames it.
 *
 * No one else may write the host's file between two saves: SQLITE_MISMATCH, and nothing is written;
 * MEMFS_SQLITE_SAVER_REPLACE then saves all again.  It is seen by the file's header, in which
 * SQLite counts changes.  Other programs may read it; while one reads, a save waits up to 5
 * seconds.
 *
 * The saver holds the pages of the last save that the database has no more: these count against the
 * quota.  VACUUM and auto_vacuum move pages, so what is saved after them is large.
 *
 * All return SQLite's (extended) codes.  SQLITE_MISUSE: a null pointer, an unknown flag, a
 * struct_size that no version has, or `fs` is not registered.
 *
 * Errors:   SQLITE_CANTOPEN (neither file exists, or one cannot be opened), SQLITE_MISMATCH (see
 *           above), SQLITE_BUSY (another program uses the host's file; a connection has the
 *           database locked, or is checkpointing it, for 5 seconds), SQLITE_FULL (the quota has no
 *           room for the pages that are only in a WAL, or for what is loaded; the host is full),
 *           SQLITE_NOTADB (one of the two is no database), SQLITE_NOMEM, SQLITE_IOERR (the host
 *           refused).  memfs_sqlite_last_error() has the reason in words.
 * Failure:  the database, the host's file and the base are as before.  If the host does not let the
 *           old pages be put back, the journal stays, and SQLite does it when the file is opened
 *           next.
 * Threads:  a saver is used by one thread at a time; its database by any.
 * Lifetime: close it before the file system is unregistered.
 */
typedef struct memfs_sqlite_saver memfs_sqlite_saver;

#define MEMFS_SQLITE_SAVER_REPLACE 0x1u /* a host's file that is not the base is replaced */

typedef struct memfs_sqlite_save_report {
    size_t struct_size;     /* sizeof(memfs_sqlite_save_report), set by the caller */
    uint64_t pages;         /* of the database */
    uint64_t pages_written; /* to the host's file; 0: nothing had changed */
    uint64_t bytes_written; /* to the host, the journal included */
    int was_whole;          /* the file was written anew */
    int must_be_zero;       /* for later versions */
} memfs_sqlite_save_report;

MEMFS_SQLITE_API int memfs_sqlite_saver_open(memfs *fs, const char *path, const char *host_path,
                                             unsigned flags, memfs_sqlite_saver **out);

/* `report` may be null. */
MEMFS_SQLITE_API int memfs_sqlite_saver_save(memfs_sqlite_saver *saver,
                                             memfs_sqlite_save_report *report);
MEMFS_SQLITE_API void memfs_sqlite_saver_close(memfs_sqlite_saver *saver);

#ifdef __cplusplus
}
#endif

#endif

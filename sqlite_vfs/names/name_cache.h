/*
 * What a connection knows about the names around its database: that the database's path still
 * leads to it, and that "-journal" and "-wal" do not exist.  SQLite asks in every transaction;
 * the answers stay true while no name in the tree changes (memfs_name_generation()).  And which
 * journal and WAL are the connection's own: place.h has the rule.
 *
 * Only absence is remembered, and that the database is in its place.  What exists has a size,
 * which changes without any name changing.
 */
#ifndef MFS_NAME_CACHE_H
#define MFS_NAME_CACHE_H

#include "base/list.h"
#include "base/mutex.h"
#include "base/sqliteapi.h"

#include <memfs/storage.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum mfs_fact {
    MFS_FACT_IN_PLACE = 1,   /* the database's path leads to the database */
    MFS_FACT_NO_JOURNAL = 2, /* no file has the journal's name */
    MFS_FACT_NO_WAL = 4,     /* no file has the WAL's name */
    MFS_FACT_OWN_JOURNAL = 8 /* the journal's name leads to the journal that is claimed */
};

struct mfs_file;

struct mfs_name_cache;

/* A connection's journal or WAL.  `claimed` is written with the index's mutex held, and outlives
 * the closing of the file: SQLite deletes it by name after that. */
struct mfs_own_file {
    struct mfs_file *file;        /* while it is open */
    struct mfs_name_cache **link; /* that file's pointer back to the cache */
    uint64_t claimed;             /* the number of its node; 0: none */
};

/* One connection's cache, in its sqlite3_file.  Used by the thread that uses the connection, but
 * for what is said to be guarded by the index's mutex. */
struct mfs_name_cache {
    const char *journal_name, *wal_name; /* SQLite's strings; empty: it has none */
    const char *path;                    /* the database's; null: it has no name to lose */
    uint64_t number;                     /* of the database's node; fixed */
    struct mfs_name_index *index;
    uint64_t generation; /* of names in the tree, at which the facts were found */
    unsigned facts;
    bool is_kept;           /* the database is a snapshot's, which has no place to lose */
    bool gets_copied_names; /* from a VFS that lies over this one */
    bool no_hot_journal;    /* the share's field of that name, as of the connection's last lock */
    bool is_playing_back;   /* the pager has begun to play the open journal back */
    struct mfs_own_file journal, wal;
    struct mfs_link link; /* in the index's list */
};

#define MFS_NAME_SLOTS 128u

/*
 * Leads from the address of a journal's or WAL's name to the cache of its connection.  SQLite
 * keeps these strings with the connection, so the address identifies it as well as the text does,
 * and no other thread can remove the entry while the connection is inside a call.
 *
 * Threads: finding takes no lock.  The caller serialises entering and leaving with `mutex`.
 */
struct mfs_name_index {
    struct {
        const char *_Atomic name;
        struct mfs_name_cache *_Atomic cache;
    } slots[MFS_NAME_SLOTS];
    struct mfs_list all; /* every cache, also without a slot; for the serialised calls */
    atomic_uint kept;    /* how many of them are of databases of snapshots */
    mfs_mutex *mutex;    /* the registry's */
};

/*
 * Below another VFS the names that come are copies.  Then a connection is found by the text.  Where
 * several have the same path, of which some may have lost their place, it is the one that this
 * thread has used last: SQLite locks a database, reads its version, sends it a file-control or
 * closes its journal before it turns to the name of the journal or the WAL.
 */
void mfs_name_cache_remember_use(struct mfs_name_cache *cache);

/* Call it when the connection is used.  Inline, since it does nothing but below another VFS. */
static inline void mfs_name_cache_note_use(struct mfs_name_cache *cache)
{
    if (cache->gets_copied_names)
        mfs_name_cache_remember_use(cache);
}

/*
 * Whether `path` is SQLite's own copy of the name for the database that is being opened as `file`,
 * of `file_size` bytes.  Only that copy is followed by the names of the journal and the WAL; a VFS
 * that lies over this one may pass another.
 */
bool mfs_name_cache_is_own_name(const void *file, size_t file_size, const char *path);

/*
 * Puts a cache that is all zeros but for `path` and `number` into the index.  `own_path` is the
 * database's name as SQLite passes it to xOpen, or null if it is not SQLite's own.  A full index
 * is no error: names that are not in it are looked up in the tree.
 */
void mfs_name_cache_enter(struct mfs_name_cache *cache, struct mfs_name_index *index,
                          const char *own_path);
void mfs_name_cache_leave(struct mfs_name_cache *cache, struct mfs_name_index *index);

/* The cache of the connection to which the journal's or WAL's name belongs, or null: the name is no
 * connection's own string. */
struct mfs_name_cache *mfs_name_cache_find(struct mfs_name_index *index, const char *name);

/* The same also for a name that found no slot, and for one that is a copy.  Serialised like
 * entering. */
struct mfs_name_cache *mfs_name_cache_find_any(struct mfs_name_index *index, const char *name);

/* Maps `name`, which is the connection's journal or WAL, to the fact that it does not exist. */
enum mfs_fact mfs_name_cache_absence(const struct mfs_name_cache *cache, const char *name);

/* Whether the cache says that all of `facts` are true now.  A null cache knows nothing.  Inline,
 * since every transaction asks several times. */
static inline bool mfs_name_cache_knows(const struct mfs_name_cache *cache, memfs *fs,
                                        unsigned facts)
{
    return cache != NULL && (cache->facts & facts) == facts &&
           cache->generation == memfs_name_generation(fs);
}

/* Call it before the look-up whose result mfs_name_cache_learn() records. */
void mfs_name_cache_refresh(struct mfs_name_cache *cache, memfs *fs);
void mfs_name_cache_learn(struct mfs_name_cache *cache, unsigned fact);

/*
 * After the connection itself has changed one name, with mfs_name_cache_refresh() before the
 * change.  If no other name changed meanwhile the facts stay, with `gained` more and `lost` less;
 * otherwise all are forgotten.
 */
void mfs_name_cache_note_change(struct mfs_name_cache *cache, memfs *fs, unsigned gained,
                                unsigned lost);

/* Which of the two `name` is, the name of the connection's journal or WAL. */
bool mfs_name_cache_is_wal(const struct mfs_name_cache *cache, const char *name);

static inline struct mfs_own_file *mfs_name_cache_own(struct mfs_name_cache *cache,
                                                      const char *name)
{
    return mfs_name_cache_is_wal(cache, name) ? &cache->wal : &cache->journal;
}

/* Records the connection's own open journal or WAL.  `*link` becomes a pointer to the cache, and
 * null when the cache leaves the index first.  Serialised like entering. */
void mfs_name_cache_claim(struct mfs_name_cache *cache, struct mfs_own_file *own,
                          struct mfs_file *file, uint64_t number, struct mfs_name_cache **link);

/* That journal or WAL is being closed.  It stays claimed. */
void mfs_name_cache_note_closing(struct mfs_name_cache *cache, const struct mfs_file *file);

#endif

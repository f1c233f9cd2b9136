/*
 * What a connection knows about the names around its database: that its own path
 * still leads to it, and that "-journal" and "-wal" are not there.  SQLite asks
 * in every transaction; the answers stay true while no name in the tree changes
 * (memfs_name_generation()).
 */
#ifndef MFS_NAME_CACHE_H
#define MFS_NAME_CACHE_H

#include "base/sqliteapi.h"

#include <memfs/memfs.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum mfs_fact {
    MFS_FACT_IN_PLACE = 1,   /* the database's path leads to the database */
    MFS_FACT_NO_JOURNAL = 2, /* nothing has the name */
    MFS_FACT_NO_WAL = 4
};

struct mfs_file;

/* In the connection's dbfile.  Used by the thread that uses the connection. */
struct mfs_nearby {
    const char *journal_name, *wal_name; /* SQLite's strings; empty: it has none */
    uint64_t generation;                 /* of names, for which the facts hold */
    unsigned facts;
    bool ignores_journal;     /* whatever has that name, no hot journal of this database is it */
    struct mfs_file *journal; /* the connection's own rollback journal, while open */
    struct mfs_nearby **journal_link; /* the journal's way back to here */
    struct mfs_nearby *next, **link;  /* in the index's list */
};

#define MFS_NAME_SLOTS 128u

/*
 * From the address of a journal's or WAL's name to its connection.  SQLite keeps
 * these strings with the connection, so the address is as good as the text, and no
 * other thread can take the entry away while the connection is inside a call.
 * Finding takes no lock; entering and removing are to be serialised by the caller.
 */
struct mfs_name_index {
    struct {
        const char *_Atomic name;
        struct mfs_nearby *_Atomic nearby;
    } slots[MFS_NAME_SLOTS];
    struct mfs_nearby *all; /* those whose names found no slot too; for the caller's mutex */
};

/*
 * Whether `path` is SQLite's own name for the database that is being opened as `file`, of
 * `file_size` bytes: only that has the names of the journal and the WAL behind it.  A VFS
 * that lies over this one may pass a copy.
 */
bool mfs_name_cache_is_own_name(const void *file, size_t file_size, const char *path);

/* `path` is a database's name as SQLite passes it to xOpen, or null: it is a copy.  A full index
 * is no error: what is not in it is looked up in the tree. */
void mfs_name_cache_enter(struct mfs_nearby *nearby, struct mfs_name_index *index,
                          const char *path);
void mfs_name_cache_leave(struct mfs_nearby *nearby, struct mfs_name_index *index);

/* The connection to which the name belongs, or null. */
struct mfs_nearby *mfs_name_cache_find(struct mfs_name_index *index, const char *name);

/* The connection to whose WAL the name belongs, or null, also if it found no slot.  Serialised
 * like entering. */
struct mfs_nearby *mfs_name_cache_find_wal(const struct mfs_name_index *index, const char *name);

/* What the absence of a name is as a fact; it is one of the connection's two. */
enum mfs_fact mfs_name_cache_absence(const struct mfs_nearby *nearby, const char *name);

/* Whether it is known.  Null: nothing is. */
bool mfs_name_cache_knows(const struct mfs_nearby *nearby, memfs *fs, unsigned fact);

/* To be called before looking something up that mfs_name_cache_learn() will then be told. */
void mfs_name_cache_refresh(struct mfs_nearby *nearby, memfs *fs);
void mfs_name_cache_learn(struct mfs_nearby *nearby, unsigned fact);

/*
 * After the connection itself has changed one name, and refreshed before that: if
 * nobody else has changed one meanwhile, the facts go on to hold, with one more or less.
 */
void mfs_name_cache_note_change(struct mfs_nearby *nearby, memfs *fs, unsigned gained,
                                unsigned lost);

/* The connection's own journal was opened; `link` is null or leads here until it is closed. */
void mfs_name_cache_set_journal(struct mfs_nearby *nearby, struct mfs_file *journal,
                                struct mfs_nearby **link);

#endif

/*
 * What the open files of one VFS have in common: for each database, what all
 * connections to it share; and which rollback journals are open.
 *
 * Databases are told apart by node number, not by path, so two spellings, hard
 * links and a renamed file all meet in one place.
 */
#ifndef MFS_DBSHARE_H
#define MFS_DBSHARE_H

#include "base/mutex.h"
#include "file/fetch.h"
#include "file/shm.h"
#include "locks/isolation.h"
#include "locks/lockstate.h"
#include "names/name_cache.h"

#include <stdatomic.h>
#include <stdint.h>

struct mfs_waiter;

/*
 * What the connections to one database share.
 *
 * It lies inside one of them (the host), so that opening a database allocates
 * nothing from the file system; when the host leaves, the share moves into
 * another member.  Everything here is guarded by `member->mutex`, which is the
 * same for all members and outlives every move; only `next` and `number` are
 * guarded by the registry's.
 */
struct mfs_share {
    uint64_t number;        /* of the database's node */
    struct mfs_share *next; /* in the registry's bucket */
    struct mfs_member *members;
    struct mfs_lockstate locks;
    struct mfs_shm *shm; /* the WAL index, while a member maps it; else null */
    int64_t
        wal_reserved_end; /* how far the database may grow by what the WAL holds; 0: not known */
    uint64_t published;   /* versions, since the first connection; if isolated */
    bool may_be_hot;      /* a journal may be there from before the first connection; if isolated */
    int64_t size_limit;   /* bytes; SQLITE_FCNTL_SIZE_LIMIT; or MFS_SIZE_UNLIMITED */
    struct mfs_waiter *waiters; /* waiting.c, as what follows: those who sleep, in order */
    uint32_t promise, promised; /* which one it is; to how many that have not come yet */
    int64_t promise_end;        /* ns */
    uint64_t pages_reclaimed;   /* memfs_mapping_generation() when the members last let go */
};

#define MFS_SIZE_UNLIMITED INT64_C(-1)

/* One connection's part. */
struct mfs_member {
    uint64_t number;         /* of the database's node */
    mfs_mutex *mutex;        /* fixed from join to leave; null without threads */
    struct mfs_share *share; /* guarded by the mutex: a leaving host moves it */
    struct mfs_member *previous, *next;
    struct mfs_shm *shm; /* the share's, if this connection maps it; its own to read */
    struct mfs_shm_hold hold;
    struct mfs_fetch fetch;
    int lock_timeout_ms;       /* SQLITE_FCNTL_LOCK_TIMEOUT */
    bool is_leaving;           /* nobody may begin to sleep for it any more */
    _Atomic uint32_t promise;  /* the share's, times two; odd: of a writer's lock; 0: none */
    bool is_image, can_write;  /* guarded by the mutex from mfs_member_admit() on */
    enum mfs_lock_level level; /* written under the mutex, by the owner only */
    struct mfs_isolation isolation;
    struct mfs_share room; /* where the share is, if this is the host */
};

/* An open rollback journal.  Guarded by the registry's mutex. */
struct mfs_journal {
    uint64_t number;
    struct mfs_journal *previous, *next;
};

#define MFS_REGISTRY_BUCKETS 64u

/* Lock order: the registry's mutex, then one database's. */
struct mfs_registry {
    mfs_mutex *mutex;
    atomic_uint open_files; /* of every kind */
    size_t file_bytes;      /* that SQLite provides for each: szOsFile */
    /* Both by bucket: threads that sleep for a lock, and databases with a promise. */
    atomic_uint sleepers[MFS_REGISTRY_BUCKETS], promises[MFS_REGISTRY_BUCKETS];
    struct mfs_share *shares[MFS_REGISTRY_BUCKETS];
    struct mfs_journal *journals[MFS_REGISTRY_BUCKETS];
    unsigned open_journals;
    struct mfs_name_index names; /* read without the mutex */
    struct mfs_shm *unmapped; /* WAL indexes that wait for a connection, since their WAL is live */
};

/* `registry` is all zeros before.  False when out of memory. */
bool mfs_registry_init(struct mfs_registry *registry);
void mfs_registry_fini(struct mfs_registry *registry);

enum mfs_join {
    MFS_JOINED,
    MFS_JOIN_NO_MEMORY, /* SQLite's */
    MFS_JOIN_DISAGREES  /* the others are isolated and this one must not be, or the other way */
};

/* Enters a connection to the database `number`, which `file` and `view` are used by. */
enum mfs_join mfs_member_join(struct mfs_member *member, struct mfs_registry *registry,
                              uint64_t number, enum mfs_isolation_wish wish, memfs_file *file,
                              struct mfs_view *view);

static inline bool mfs_member_is_isolated(const struct mfs_member *member)
{
    return member->isolation.file != NULL;
}

/*
 * Right after joining: whether the connection may stay.  Those that take the database for an image,
 * which nobody changes, and those that can write exclude each other.
 */
bool mfs_member_admit(struct mfs_member *member, bool is_image, bool can_write);

/* Drops its locks and takes it out. */
void mfs_member_leave(struct mfs_member *member, struct mfs_registry *registry);

enum mfs_lock_answer mfs_member_lock(struct mfs_member *member, enum mfs_lock_level wanted);
enum mfs_lock_answer mfs_member_unlock(struct mfs_member *member, enum mfs_lock_level wanted);
bool mfs_member_sees_reserved(struct mfs_member *member);

/* Of all connections to the database that are in a transaction. */
struct mfs_readers {
    unsigned total;
    unsigned outdated; /* isolated, with a version that is not current any more */
    uint64_t behind;   /* how many versions were published since the oldest of those */
};

struct mfs_readers mfs_member_count_readers(struct mfs_member *member);

/*
 * Of an isolated connection that writes.  Publishing makes its view the file's content, in one
 * step for all others, and cannot fail; without changes nothing happens.  Abandoning goes back to
 * the published one, and says whether there were changes.  Recovery works on the file itself;
 * when it has ended, the view is that.
 */
void mfs_member_publish(struct mfs_member *member);
bool mfs_member_abandon(struct mfs_member *member);
void mfs_member_end_recovery(struct mfs_member *member);

int64_t mfs_member_size_limit(struct mfs_member *member);
void mfs_member_set_size_limit(struct mfs_member *member, int64_t limit);

int64_t mfs_member_wal_reserved_end(struct mfs_member *member);
void mfs_member_set_wal_reserved_end(struct mfs_member *member, int64_t end);

/*
 * After a change of the database: has the other connections let go the mappings of pages
 * that are the file's no more.  Those in a transaction do it when that ends.
 */
void mfs_member_reclaim_pages(struct mfs_member *member, memfs_file *file);

/*
 * Lets the connection map the WAL index of its database, for the WAL at
 * `wal_path`; one that is left from before is found again.  Mapped already: fine.
 * Errors: EDQUOT, ENOMEM.
 */
int mfs_member_map_shm(struct mfs_member *member, struct mfs_registry *registry, memfs *fs,
                       const char *wal_path);

/* A region's address, and room for those that `frames` frames need; as in shm.h. */
int mfs_member_shm_region(struct mfs_member *member, uint32_t index, bool extends, void **out);
int mfs_member_prepare_shm(struct mfs_member *member, uint64_t frames);

/*
 * Ends that, with the locks.  With the last connection the index is freed, if
 * `deletes` or the WAL is empty; else it waits for the next.
 */
void mfs_member_unmap_shm(struct mfs_member *member, struct mfs_registry *registry, bool deletes);

/* Makes the connection's facts findable by name, and ends that; `path` as for nearby. */
void mfs_registry_add_nearby(struct mfs_registry *registry, struct mfs_nearby *nearby,
                             const char *path);
void mfs_registry_remove_nearby(struct mfs_registry *registry, struct mfs_nearby *nearby);
struct mfs_nearby *mfs_registry_find_wal(struct mfs_registry *registry, const char *name);

/* These three with the registry's mutex held. */
void mfs_journal_enter(struct mfs_journal *journal, struct mfs_registry *registry, uint64_t number);
void mfs_journal_leave(struct mfs_journal *journal, struct mfs_registry *registry);
bool mfs_journal_is_open(const struct mfs_registry *registry, uint64_t number);

#endif

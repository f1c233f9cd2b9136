/*
 * What the open files of one VFS have in common: how many there are, which databases and rollback
 * journals are among them, and which connection a name belongs to.
 */
#ifndef MFS_REGISTRY_H
#define MFS_REGISTRY_H

#include "base/list.h"
#include "base/mutex.h"
#include "names/name_cache.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MFS_REGISTRY_BUCKETS 64u

/*
 * Databases and journals are found by node number, not by path, so two spellings, hard links and a
 * renamed file all meet in one place.  The arrays are indexed by mfs_registry_bucket().
 *
 * Lock order: the registry's mutex, then one database's (member.h).  The mutex guards everything
 * but the atomics; `names` says itself what needs the mutex.
 */
struct mfs_registry {
    mfs_mutex mutex;
    atomic_uint open_files; /* of every kind */
    size_t file_bytes;      /* szOsFile; set once, before a file is opened */
    bool refuses_control;   /* limits are not changed through SQL; set once, likewise */
    /* Hints that save taking a database's mutex: threads that wait for a lock, and databases with
     * a pending hand-off.  In the registry, since a share moves. */
    atomic_uint sleepers[MFS_REGISTRY_BUCKETS], handoffs[MFS_REGISTRY_BUCKETS];
    struct mfs_list shares[MFS_REGISTRY_BUCKETS];   /* of struct mfs_share */
    struct mfs_list journals[MFS_REGISTRY_BUCKETS]; /* of struct mfs_journal */
    unsigned open_journals;                         /* in all buckets */
    struct mfs_name_index names;
    struct mfs_list
        parked_indexes; /* of struct mfs_shm: no connection maps them, their WAL is live */
};

/* `registry` is all zeros before.  False when out of memory. */
bool mfs_registry_init(struct mfs_registry *registry);

/* No file of the VFS is open any more. */
void mfs_registry_fini(struct mfs_registry *registry);

static inline unsigned mfs_registry_bucket(uint64_t number)
{
    return (unsigned)(number % MFS_REGISTRY_BUCKETS);
}

/* Makes a connection's cache of names findable by name, and ends that; arguments as in
 * mfs_name_cache_enter(). */
void mfs_registry_enter_names(struct mfs_registry *registry, struct mfs_name_cache *cache,
                              const char *own_path);
void mfs_registry_leave_names(struct mfs_registry *registry, struct mfs_name_cache *cache);

/* The cache of the connection to whose journal or WAL the name belongs, or null. */
struct mfs_name_cache *mfs_registry_find_names(struct mfs_registry *registry, const char *name);

#endif

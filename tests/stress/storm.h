/*
 * The roles of the storm: everything at once, in a file system that is full.
 *
 * A refusal must bear the one name that the storm expects (MEMFS_EDQUOT at the
 * quota, MEMFS_ENOSPC at the node limit, MEMFS_ENOMEM when the allocator says
 * no), and what promises never to be refused never is: freeing, and
 * overwriting bytes that one file owns.
 */
#ifndef MEMFS_TESTS_STORM_H
#define MEMFS_TESTS_STORM_H

#include "crew.h"
#include "site.h"

#define STORM_SLOTS 16u
#define STORM_OWNED_BYTES 20000u

struct storm {
    struct site site;
    int refusal;          /* the error that limits may give, */
    int refusal_too;      /* and another, or the same */
    unsigned steps;       /* of every member */
    uint64_t quota_bytes; /* at first; 0: unlimited, or a member moves it */
};

/* For the list of crew_allow(). */
#define STORM_REFUSALS(storm) (storm)->refusal, (storm)->refusal_too

/* The tree that the roles expect: "/s", the shared directory, and "/own-<n>", one for each owner,
 * with all its pages. */
void storm_prepare(struct storm *storm, unsigned owners);

/* Files. */
void storm_write_shared(struct crew_member *me);
void storm_overwrite_owned(struct crew_member *me);
void storm_hold_contents(struct crew_member *me);
void storm_use_temporary_files(struct crew_member *me);
void storm_use_charged_memory(struct crew_member *me);
void storm_lock_files(struct crew_member *me);

/* Names. */
void storm_make_and_remove_names(struct crew_member *me);
void storm_copy_trees(struct crew_member *me);
void storm_list(struct crew_member *me);
void storm_watch_figures(struct crew_member *me);
void storm_watch_once(struct crew_member *me);

#endif

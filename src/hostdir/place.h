/*
 * A name in a directory of the host that is to get a new entry: at once, where nothing may be
 * there, or under a temporary name that then takes the place of what is there.
 */
#ifndef MFS_HOSTDIR_PLACE_H
#define MFS_HOSTDIR_PLACE_H

#include <stdbool.h>

enum { MFS_HOSTDIR_PLACE_NAME_BYTES = 64 };

struct mfs_hostdir_place {
    int directory;
    const char *name;
    bool replaces;
    char temporary[MFS_HOSTDIR_PLACE_NAME_BYTES]; /* if it replaces */
};

/* Makes an entry under a name that nothing has.  0 or an errno, EEXIST if something has it. */
typedef int (*mfs_place_maker)(void *context, int directory, const char *name);

/* Creates a file, never opening one that is there; `context` is an int, the descriptor. */
int mfs_place_create_file(void *context, int directory, const char *name);

/* Makes an entry under a temporary name that nothing has, and tells the name.  0 or an errno. */
int mfs_place_make_temporary(int directory, char name[MFS_HOSTDIR_PLACE_NAME_BYTES],
                             mfs_place_maker maker, void *context);

/* Makes the entry; it is to be committed or cancelled.  0 or an errno; nothing is there then. */
int mfs_place_make(struct mfs_hostdir_place *place, mfs_place_maker maker, void *context);

/* The name that the entry has before it is committed. */
const char *mfs_place_made_name(const struct mfs_hostdir_place *place);

/* The entry is at its place.  0 or an errno; the entry is gone then. */
int mfs_place_commit(struct mfs_hostdir_place *place);
void mfs_place_cancel(struct mfs_hostdir_place *place);

#endif

#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { NAMES_MOST = 10000 };

int mfs_place_create_file(void *context, int directory, const char *name)
{
    int *descriptor = context;
    *descriptor = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         0600);
    return *descriptor >= 0 ? 0 : errno;
}

/* The process's number keeps two of them from trying the same names one after the other. */
int mfs_place_make_temporary(int directory, char name[MFS_HOSTDIR_PLACE_NAME_BYTES],
                             mfs_place_maker maker, void *context)
{
    int problem = EEXIST;
    for (int number = 1; number <= NAMES_MOST && problem == EEXIST; number++) {
        snprintf(name, MFS_HOSTDIR_PLACE_NAME_BYTES, ".memfs-export-%ld-%d", (long)getpid(),
                 number);
        problem = maker(context, directory, name);
    }
    return problem;
}

int mfs_place_make(struct mfs_hostdir_place *place, mfs_place_maker maker, void *context)
{
    if (!place->replaces)
        return maker(context, place->directory, place->name);
    return mfs_place_make_temporary(place->directory, place->temporary, maker, context);
}

const char *mfs_place_made_name(const struct mfs_hostdir_place *place)
{
    return place->replaces ? place->temporary : place->name;
}

void mfs_place_cancel(struct mfs_hostdir_place *place)
{
    (void)unlinkat(place->directory, mfs_place_made_name(place), 0);
}

int mfs_place_commit(struct mfs_hostdir_place *place)
{
    if (!place->replaces)
        return 0;
    int problem = renameat(place->directory, place->temporary, place->directory, place->name) != 0
                      ? errno
                      : 0;
    /* It is still there after a failure, and after renaming one of two links to the other. */
    (void)unlinkat(place->directory, place->temporary, 0);
    return problem;
}

/* Removing a tree of the host without memory: what undoes a failed export must not fail. */
#ifndef MFS_HOSTDIR_REMOVAL_H
#define MFS_HOSTDIR_REMOVAL_H

/*
 * Removes the entry `name` of an open directory, whatever it is, with all that is in it.  Links
 * are removed, never followed.  0 or an errno; ENOENT is none.
 */
int mfs_removal_of(int parent, const char *name);

#endif

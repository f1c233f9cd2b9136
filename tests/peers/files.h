/*
 * The calls of POSIX with which the programs look at their databases' files, answered
 * from the tree of a memfs.  Streams (fopen() ...) stay with the host.
 */
#ifndef MEMFS_PEERS_FILES_H
#define MEMFS_PEERS_FILES_H

#include <memfs/memfs.h>

/* Called once, before any program runs. */
void files_set_tree(memfs *fs);

#endif

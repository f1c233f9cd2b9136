/* A path as a URI that SQLite opens. */
#ifndef MFS_URI_H
#define MFS_URI_H

/*
 * "file:", the path with what has a meaning in URIs escaped, and "?" and `query` behind it.  On
 * SQLite's heap; null: no memory.
 */
char *mfs_uri_make(const char *path, const char *query);

#endif

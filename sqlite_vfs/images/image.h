/* What saving and loading have in common: a database copied whole, and an image's header. */
#ifndef MFS_IMAGE_H
#define MFS_IMAGE_H

#include "base/sqliteapi.h"

#include <stdint.h>

/* The header, as far as it is looked at. */
enum { MFS_IMAGE_HEADER_BYTES = 100, MFS_IMAGE_FORMAT_OFFSET = 18, MFS_IMAGE_FORMAT_WAL = 2 };

/*
 * Looks at the header of an image of `size` bytes.  SQLITE_OK, SQLITE_NOTADB (magic, page size,
 * or `size` is not a multiple of it), SQLITE_CORRUPT (pages are missing at the end).
 */
int mfs_image_check(const unsigned char header[MFS_IMAGE_HEADER_BYTES], uint64_t size);

/* Opens a file of the host: `host_path` is a name, never a URI or ":memory:". */
int mfs_image_open_host(sqlite3_vfs *host, const char *host_path, int flags, sqlite3 **out);

/* The file of a connection's "main". */
sqlite3_file *mfs_image_file(sqlite3 *db);

/*
 * Begins a read transaction, which lasts until `*held` is finalized, and says how large an image
 * of what it sees is.
 */
int mfs_image_begin(sqlite3 *db, const char *schema, sqlite3_stmt **held, uint64_t *size);

/*
 * Copies a database into the "main" of `to`, which is new and ours alone, in one step, and
 * makes its header say that it has no WAL.
 */
int mfs_image_copy(sqlite3 *from, const char *schema, sqlite3 *to);

#endif

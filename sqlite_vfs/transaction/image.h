/* What saving, loading and memfs_image() share: the header of an image, and copying a database. */
#ifndef MFS_IMAGE_H
#define MFS_IMAGE_H

#include "base/sqliteapi.h"

#include <stdbool.h>
#include <stdint.h>

/* The header, and offsets in it, from SQLite's file format. */
enum {
    MFS_IMAGE_HEADER_BYTES = 100,
    MFS_IMAGE_PAGE_SIZE_OFFSET = 16,
    MFS_IMAGE_COUNTER_OFFSET = 24, /* of changes: by it others see that their caches are old */
    MFS_IMAGE_PAGES_OFFSET = 28,
    MFS_IMAGE_VALID_FOR_OFFSET = 92, /* the change counter for which the page count is true */
    MFS_IMAGE_FORMAT_OFFSET = 18,    /* two bytes: how it is written, and how it is read */
    MFS_IMAGE_FORMAT_ROLLBACK = 1,
    MFS_IMAGE_FORMAT_WAL = 2
};

/*
 * Checks the header of an image of `size` bytes.  SQLITE_NOTADB: the magic or the page size is
 * wrong, or `size` is not a multiple of the page size.  SQLITE_CORRUPT: pages are missing at the
 * end.
 */
int mfs_image_check(const unsigned char header[MFS_IMAGE_HEADER_BYTES], uint64_t size);

/* The page size, which mfs_image_check() has not yet found to be one. */
uint32_t mfs_image_page_size(const unsigned char header[MFS_IMAGE_HEADER_BYTES]);

/* Opens a host file through `lower_vfs`.  `host_path` is a path, never a URI or ":memory:". */
int mfs_image_open_host(sqlite3_vfs *lower_vfs, const char *host_path, int flags, sqlite3 **out);

/* The open file of a connection's "main"; null: it has none. */
sqlite3_file *mfs_image_file(sqlite3 *db);

/*
 * Begins a read transaction, which lasts until `*held` is finalized.  `*size` is the size of an
 * image of what it sees.
 */
int mfs_image_begin(sqlite3 *db, const char *schema, sqlite3_stmt **held, uint64_t *size);

/*
 * Copies a database in one step into the "main" of `to`, which is empty and used by nobody else,
 * and has the copy's header say that it has no WAL.
 */
int mfs_image_copy(sqlite3 *from, const char *schema, sqlite3 *to);

/* Whether SQLite has sqlite3_deserialize(), without which there is no copying to a buffer. */
bool mfs_image_has_buffers(void);

/* The same into `size` bytes of memory, which must be what mfs_image_begin() says, with its
 * transaction still held.  SQLITE_ERROR: mfs_image_has_buffers() is false. */
int mfs_image_copy_to_buffer(sqlite3 *db, const char *schema, void *buffer, uint64_t size);

#endif

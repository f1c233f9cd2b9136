/*
 * Bytes that SQLite reads and writes by offset: those of a file, or those of a version of its
 * content that a transaction uses in the file's place.  What SQLite expects of either is kept here
 * once: short reads are filled with zeros, errors are SQLite's codes.
 */
#ifndef MFS_BYTES_H
#define MFS_BYTES_H

#include "base/sqliteapi.h"

#include <memfs/storage.h>

#include <stdbool.h>
#include <stdint.h>

/* Used by one thread at a time. */
struct mfs_bytes {
    memfs_file *file;
    memfs_content_ref *version; /* null: the bytes are the file's own */
    int64_t allocated_end;      /* of the pages that a size hint allocated; 0: none */
    /* Of a version only: */
    uint64_t generation; /* moves when mappings of its pages become old */
    bool is_changed;     /* since it was taken */
    bool was_cut;        /* likewise: truncated to a smaller size */
};

/*
 * As in sqlite3_io_methods.  A write is all or nothing: refused, it has changed nothing.
 * Truncating to a smaller size needs no memory.
 */
int mfs_bytes_read(const struct mfs_bytes *bytes, void *buffer, int count, sqlite3_int64 offset);
int mfs_bytes_write(struct mfs_bytes *bytes, const void *buffer, int count, sqlite3_int64 offset);
int mfs_bytes_truncate(struct mfs_bytes *bytes, sqlite3_int64 size);
int mfs_bytes_report_size(const struct mfs_bytes *bytes, sqlite3_int64 *size);

/* The size, or one of memfs's errors. */
static inline int64_t mfs_bytes_size(const struct mfs_bytes *bytes)
{
    return bytes->version != NULL ? (int64_t)bytes->version->size_bytes
                                  : memfs_file_size(bytes->file);
}

/* Whether the range is within the size and holds exactly these bytes already. */
bool mfs_bytes_range_equals(const struct mfs_bytes *bytes, const void *expected, int count,
                            sqlite3_int64 offset);

/*
 * Whether it is beyond all measure that the file grows from `from` bytes to `to`: by more than
 * 16 MiB and more than it has, holes not counted.  SQLite has the pages that it announces in its
 * cache, and most caches are smaller; so the size is likely to come from a page number in a damaged
 * database, or the size of a damaged journal, to which the file was stretched.
 */
bool mfs_bytes_is_growth_absurd(memfs_file *file, int64_t from, int64_t to);

/*
 * Allocates the pages up to `size` at once, all or nothing; the size stays.
 * mfs_bytes_free_unused() frees those that are behind the end by then, and cannot fail.
 */
int mfs_bytes_allocate(struct mfs_bytes *bytes, sqlite3_int64 size);
void mfs_bytes_free_unused(struct mfs_bytes *bytes);

/* Maps a range inside one page that exists.  Errors: those of memfs_map_present(). */
int mfs_bytes_map(const struct mfs_bytes *bytes, int64_t offset, size_t length, memfs_mapping *out);

/* Moves when a mapping may have become old.  Those of files and of versions are never equal. */
static inline uint64_t mfs_bytes_generation(const struct mfs_bytes *bytes)
{
    return bytes->version != NULL ? bytes->generation | UINT64_C(1) << 63
                                  : memfs_mapping_generation(bytes->file);
}

#endif

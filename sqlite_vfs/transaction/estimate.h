/* How much of an emergency reserve a transaction that deletes a row may need. */
#ifndef MFS_ESTIMATE_H
#define MFS_ESTIMATE_H

#include "file/file.h"

#include <stdint.h>

/*
 * The bytes that suffice for the journal, or the WAL and its index, of a transaction that deletes
 * one row from a table with so many indexes, in a database as large as this one is now.
 */
uint64_t mfs_estimate_delete_bytes(const struct mfs_file *database, uint64_t indexes);

#endif

/* The WAL index of a main database: xShmMap, xShmLock, xShmBarrier, xShmUnmap. */
#ifndef MFS_DBSHM_H
#define MFS_DBSHM_H

#include "base/sqliteapi.h"

int mfs_dbshm_map(sqlite3_file *file, int region, int region_bytes, int extends,
                  void volatile **out);
int mfs_dbshm_lock(sqlite3_file *file, int first, int count, int flags);
void mfs_dbshm_barrier(sqlite3_file *file);
int mfs_dbshm_unmap(sqlite3_file *file, int deletes);

#endif

/* memfs_image(path): a database as a value. */
#ifndef MFS_IMAGEFUNCTION_H
#define MFS_IMAGEFUNCTION_H

#include "base/sqliteapi.h"

/* Has the signature that SQLite calls; the user data is the memfs. */
void mfs_imagefunction_image(sqlite3_context *context, int count, sqlite3_value **values);

#endif

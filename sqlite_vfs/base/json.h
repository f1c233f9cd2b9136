/* Writing JSON text. */
#ifndef MFS_JSON_H
#define MFS_JSON_H

#include "base/sqliteapi.h"

/*
 * Appends `bytes`, up to its NUL, as a JSON string with its quotes.  Quotes, backslashes and
 * control characters are escaped.  A byte that is not part of valid UTF-8 becomes U+FFFD.
 */
void mfs_json_append_string(sqlite3_str *out, const char *bytes);

#endif

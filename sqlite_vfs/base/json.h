/* JSON text, piece by piece. */
#ifndef MFS_JSON_H
#define MFS_JSON_H

#include "base/sqliteapi.h"

/*
 * Appends a string in quotes.  Quotes, backslashes and control characters are escaped.
 * A byte that is no part of valid UTF-8 becomes U+FFFD, since JSON has no place for it.
 */
void mfs_json_append_string(sqlite3_str *out, const char *bytes);

#endif

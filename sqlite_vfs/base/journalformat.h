/* What a rollback journal of SQLite's begins with, and what its last 8 bytes are if it names a
 * super-journal. */
#ifndef MFS_JOURNALFORMAT_H
#define MFS_JOURNALFORMAT_H

enum { MFS_JOURNAL_MAGIC_BYTES = 8 };

#define MFS_JOURNAL_MAGIC "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"

#endif

/*
 * Why the last call failed, for programs that see neither memfs's errors nor SQLite's log.  As
 * errno, it belongs to the thread, and a call that succeeds leaves it alone.
 *
 * The number is what sqlite3_system_errno() and SQLITE_FCNTL_LAST_ERRNO report, the text what
 * memfs_sqlite_last_error() and the SQL function memfs_last_error() report.
 */
#ifndef MFS_LASTERROR_H
#define MFS_LASTERROR_H

#include "base/errmap.h"

#include <stdbool.h>

/* Forgets the thread's number and text, at the beginning of an open. */
void mfs_lasterror_clear(void);

/* Remembers one of memfs's errors as the thread's number and returns SQLite's code for it; of 0 and
 * positive numbers it remembers nothing. */
int mfs_lasterror_code(enum mfs_operation operation, int error);

/*
 * Remembers a text, without the number, and writes it to SQLite's log as a message of `code`, and
 * to the log of mfs_lasterror_open_log().  Returns `code`.  The format is sqlite3_mprintf()'s.
 */
int mfs_lasterror_say(int code, const char *format, ...);

/* The thread's number, as in <errno.h> of Linux; 0: none. */
int mfs_lasterror_number(void);

/* The thread's text, until it is replaced; empty: none. */
const char *mfs_lasterror_text(void);

/* Has every text written, in a line of its own, to a file of the host, which is appended to, or to
 * "stderr".  Once a process.  False: the file cannot be opened. */
bool mfs_lasterror_open_log(const char *path);

#endif

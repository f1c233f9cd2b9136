/*
 * 1. The text lies in memory of the thread, of a fixed size, so remembering it cannot fail; what is
 *    longer is cut off.
 * 2. A line of the log is one call of stdio, so lines of several threads do not mix.
 *
 * Cost: nothing unless a call fails.
 */
#include "base/lasterror.h"

#include "base/assertion.h"
#include "base/perthread.h"
#include "base/sqliteapi.h"

#include <memfs/sqlite.h>

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 768 }; /* a path of 512 bytes and what is said of it */

static MFS_PER_THREAD struct {
    int number;
    char text[TEXT_BYTES];
} last_error;

static FILE *_Atomic error_log; /* null: none; never closed */

void mfs_lasterror_clear(void)
{
    last_error.number = 0;
    last_error.text[0] = '\0';
}

int mfs_lasterror_code(enum mfs_operation operation, int error)
{
    if (error < 0)
        last_error.number = -error;
    return mfs_errmap(operation, error);
}

int mfs_lasterror_say(int code, const char *format, ...)
{
    va_list arguments;
    MFS_ASSERT(code != SQLITE_OK);
    va_start(arguments, format);
    sqlite3_vsnprintf(TEXT_BYTES, last_error.text, format, arguments);
    va_end(arguments);
    sqlite3_log(code, "memfs: %s", last_error.text);
    FILE *log = atomic_load(&error_log);
    if (log != NULL && fprintf(log, "memfs: %s\n", last_error.text) > 0)
        (void)fflush(log);
    return code;
}

int mfs_lasterror_number(void)
{
    MFS_ASSERT(last_error.number >= 0);
    return last_error.number;
}

const char *mfs_lasterror_text(void)
{
    return last_error.text;
}

const char *memfs_sqlite_last_error(void)
{
    return last_error.text;
}

bool mfs_lasterror_open_log(const char *path)
{
    if (atomic_load(&error_log) != NULL)
        return true;
    FILE *log = strcmp(path, "stderr") == 0 ? stderr : fopen(path, "a");
    if (log == NULL)
        return false;
    FILE *none = NULL;
    if (!atomic_compare_exchange_strong(&error_log, &none, log) && log != stderr)
        (void)fclose(log);
    return true;
}

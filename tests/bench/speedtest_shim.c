/*
 * What is linked to SQLite's unmodified speedtest1 so that it runs on memfs, with
 * `--vfs memfs`, and measures CPU time.
 *
 * speedtest1 asks the default VFS for the time in milliseconds, before and after
 * each of its cases.  The default VFS here is the host's but for that one answer,
 * which is CPU time in microseconds: so all times that it prints are a thousand
 * times too long.
 */
#define _DEFAULT_SOURCE 1

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static sqlite3_vfs clock_vfs;

static int cpu_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    struct timespec now;
    (void)vfs;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0)
        return SQLITE_ERROR;
    *out = (sqlite3_int64)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    return SQLITE_OK;
}

/* Before main(), since the program knows nothing of us. */
__attribute__((constructor)) static void prepare(void)
{
    memfs *fs;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    int error = sqlite3_config(SQLITE_CONFIG_URI, 1);
    if (error == SQLITE_OK)
        error = memfs_create(&config, &fs);
    if (error == 0)
        error = memfs_sqlite_register(fs, "memfs", 0);
    if (error == 0) {
        clock_vfs = *sqlite3_vfs_find(NULL);
        clock_vfs.zName = "cpu-time";
        clock_vfs.xCurrentTimeInt64 = cpu_time;
        error = sqlite3_vfs_register(&clock_vfs, 1);
    }
    if (error != 0) {
        fprintf(stderr, "speedtest: cannot prepare the VFS (%d)\n", error);
        exit(EXIT_FAILURE);
    }
}

/*
 * Runs programs that know nothing of memfs with all their databases in one.
 *
 *     peer_runner [--multithread] [--clock N] FOLDER -- PROGRAM ARGUMENT... [-- PROGRAM ...]
 *
 * FOLDER has the programs' objects (process.h).  They run one after the other; a program
 * may start others, which run beside it.  The tree takes the place of SQLite's VFS "unix",
 * under that name, since some programs do more when they find themselves on it.
 *
 * Fails if a program does, if a database is not whole afterwards, if the file system is
 * not, or if something in it is still open.
 *
 * --multithread  SQLITE_CONFIG_MULTITHREAD; a program itself is too late for that
 * --clock N      lets time run N times as fast for programs that run for a fixed time
 */
#define _DEFAULT_SOURCE 1

#include "files.h"
#include "process.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_VFS "unix"

static int complain(const char *what, const char *why)
{
    fflush(stdout);
    fprintf(stderr, "peer_runner: %s: %s\n", what, why);
    return 1;
}

static int set_up(memfs **fs)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    sqlite3_vfs *host = sqlite3_initialize() == SQLITE_OK ? sqlite3_vfs_find(HOST_VFS) : NULL;
    if (host == NULL || sqlite3_vfs_unregister(host) != SQLITE_OK)
        return complain("SQLite", "has no VFS \"" HOST_VFS "\"");
    int error = memfs_create(&config, fs);
    if (error == 0)
        error = memfs_sqlite_register(*fs, HOST_VFS, MEMFS_SQLITE_REGISTER_DEFAULT);
    if (error != 0)
        return complain("cannot register", memfs_error_text(error));
    files_set_tree(*fs);
    return 0;
}

static int is_whole(void *found, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    *(int *)found = strcmp(values[0], "ok") == 0 ? 1 : -1;
    return 0;
}

static int check_database(const char *path)
{
    sqlite3 *db;
    int found = 0;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "PRAGMA integrity_check", is_whole, &found, NULL);
    int status = 0;
    if (rc != SQLITE_OK || found != 1)
        status = complain(path, rc != SQLITE_OK ? sqlite3_errmsg(db) : "is not whole");
    sqlite3_close(db);
    return status;
}

static int belongs_to_a_database(const char *name)
{
    size_t length = strlen(name);
    return (length > 8 && strcmp(name + length - 8, "-journal") == 0) ||
           (length > 4 && strcmp(name + length - 4, "-wal") == 0);
}

/* What the programs leave behind is in the root directory. */
static int check_databases(memfs *fs)
{
    memfs_list names = {.struct_size = sizeof names};
    int checked = 0;
    int status = 0;
    if (memfs_list_dir(fs, "/", &names) != 0)
        return complain("/", "cannot be listed");
    for (size_t index = 0; index < names.count; index++)
        if (!belongs_to_a_database(names.names[index])) {
            status |= check_database(names.names[index]);
            checked++;
        }
    memfs_list_free(fs, &names);
    return checked > 0 ? status : complain("/", "no program has left a database");
}

/* Temporary files that a crashed program had open are out of reach. */
static int only_crashed_programs_left_files(memfs *fs)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    return process_crashes() > 0 && memfs_statfs(fs, &info) == 0 && info.open_files == info.orphans;
}

static int tear_down(memfs *fs)
{
    int error = memfs_audit(fs);
    if (error != 0)
        return complain("the file system", memfs_error_text(error));
    error = memfs_sqlite_unregister(HOST_VFS);
    if (error == MEMFS_EBUSY && only_crashed_programs_left_files(fs))
        return 0;
    if (error == 0)
        error = memfs_destroy(fs, 0);
    return error == 0 ? 0 : complain("cannot end", memfs_error_text(error));
}

/* A program's words, up to the next "--". */
static int run_one(int count, char **words)
{
    int length = 0;
    while (length < count && strcmp(words[length], "--") != 0)
        length++;
    int status = process_run(length, words);
    fflush(stdout);
    if (status != 0)
        fprintf(stderr, "peer_runner: %s: ended with %d\n", words[0], status);
    return status;
}

int main(int argc, char **argv)
{
    memfs *fs;
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++)
        if (strcmp(argv[at], "--multithread") == 0)
            sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
        else if (strcmp(argv[at], "--clock") == 0 && at + 1 < argc)
            process_set_clock(atoi(argv[++at]));
        else
            return complain(argv[at], "is no option");
    if (argc - at < 3 || strcmp(argv[at + 1], "--") != 0)
        return complain("usage", "peer_runner [option...] FOLDER -- PROGRAM ARGUMENT...");
    process_set_folder(argv[at++]);
    if (set_up(&fs) != 0)
        return 1;
    int status = 0;
    for (; at < argc; at++)
        if (strcmp(argv[at], "--") == 0)
            status |= run_one(argc - at - 1, argv + at + 1);
    status |= check_databases(fs);
    printf("peer_runner: %d crashes\n", process_crashes());
    status |= tear_down(fs);
    return status == 0 ? 0 : 1;
}

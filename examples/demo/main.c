/*
 * The main job of memfs, on real input: copies a directory of this machine into
 * a memfs, makes a full-text index of it in a database in the same tree,
 * answers some queries, says what all of it costs, and then lets the quota
 * strike.
 */
#include "full.h"
#include "import.h"
#include "report.h"
#include "search.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { QUERIES_MAX = 16 };

struct arguments {
    const char *directory;
    uint64_t quota_bytes;
    const char *queries[QUERIES_MAX];
    int query_count;
};

static const char vfs_name[] = "demo";

static int usage(void)
{
    fputs("usage: demo [--quota SIZE] [--query WORDS]... [DIRECTORY]\n"
          "\n"
          "  DIRECTORY      what to copy and index (default: /usr/include)\n"
          "  --quota SIZE   bytes, or with K, M, G behind (default: 256M)\n"
          "  --query WORDS  what to look for, in the language of FTS5\n",
          stderr);
    return 2;
}

/* "512M" and its like; 0 if it is none. */
static uint64_t parse_size(const char *text)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = 0;
    if (*end == 'K')
        shift = 10;
    else if (*end == 'M')
        shift = 20;
    else if (*end == 'G')
        shift = 30;
    if (end == text || *text == '-' || (*end != '\0' && (shift == 0 || end[1] != '\0')) ||
        value > UINT64_MAX >> shift)
        return 0;
    return (uint64_t)value << shift;
}

static bool parse(int count, char **words, struct arguments *arguments)
{
    static const char *const usual[] = {"malloc", "\"file system\"", "mutex AND timeout",
                                        "NEAR(socket address, 5)"};
    *arguments = (struct arguments){.directory = NULL, .quota_bytes = MEMFS_QUOTA_DEFAULT};
    for (int i = 1; i < count; i++) {
        bool has_value = i + 1 < count;
        if (strcmp(words[i], "--quota") == 0 && has_value) {
            arguments->quota_bytes = parse_size(words[++i]);
            if (arguments->quota_bytes == 0)
                return false;
        } else if (strcmp(words[i], "--query") == 0 && has_value) {
            if (arguments->query_count == QUERIES_MAX)
                return false;
            arguments->queries[arguments->query_count++] = words[++i];
        } else if (words[i][0] != '-' && arguments->directory == NULL) {
            arguments->directory = words[i];
        } else {
            return false;
        }
    }
    if (arguments->directory == NULL)
        arguments->directory = "/usr/include";
    if (arguments->query_count == 0) {
        arguments->query_count = sizeof usual / sizeof usual[0];
        memcpy(arguments->queries, usual, sizeof usual);
    }
    return true;
}

static void print_skipped(uint64_t count, const char *what)
{
    if (count > 0)
        printf("  skipped: %s %s\n", demo_count(count).chars, what);
}

static bool copy_host(memfs *fs, const char *directory)
{
    memfs_hostdir_result import;
    double began = demo_now();
    printf("\nCopying %s into memory\n", directory);
    int error = demo_import_tree(fs, directory, &import);
    printf("  %s files, %s directories, %s symbolic links; %s in %.1f s\n",
           demo_count(import.files).chars, demo_count(import.directories).chars,
           demo_count(import.symlinks).chars, demo_bytes(import.bytes).chars, demo_now() - began);
    print_skipped(import.unreadable, "that cannot be read");
    print_skipped(import.special, "that are no files");
    print_skipped(import.elsewhere, "directories on other file systems");
    if (error == 0)
        return true;
    demo_complain("cannot copy it", memfs_error_text(error));
    if (error == MEMFS_EDQUOT)
        fputs("demo: give it more with --quota, or a smaller directory\n", stderr);
    return false;
}

static bool make_index(memfs *fs, sqlite3 *db, const char *directory)
{
    struct demo_index index;
    memfs_stat_info file = {.struct_size = sizeof file};
    double began = demo_now();
    demo_heading("Indexing the text files with FTS5, in " DEMO_DATABASE " of the same tree");
    int code = demo_search_create(fs, db);
    if (code == SQLITE_OK)
        code = demo_search_fill(fs, db, directory, &index);
    if (code == SQLITE_FULL && index.files > 0)
        printf("  the quota was reached; the index is whole, but not of everything\n");
    else if (code != SQLITE_OK) {
        demo_complain("cannot index", sqlite3_errmsg(db));
        return false;
    }
    int error = memfs_stat(fs, DEMO_DATABASE, &file);
    printf("  %s files, %s of text; the index has %s; %.1f s\n", demo_count(index.files).chars,
           demo_bytes(index.bytes).chars, demo_bytes(file.size_bytes).chars, demo_now() - began);
    print_skipped(index.binary, "binary");
    print_skipped(index.large, "over 1 MiB");
    return error == 0;
}

static bool answer(sqlite3 *db, const struct arguments *arguments)
{
    demo_heading("Asking it");
    for (int i = 0; i < arguments->query_count; i++) {
        if (demo_search_print(db, arguments->queries[i]) != SQLITE_OK) {
            demo_complain(arguments->queries[i], sqlite3_errmsg(db));
            return false;
        }
    }
    return true;
}

/* Copies of trees share all pages: a whole copy costs its names and nodes. */
static bool copy_tree(memfs *fs, const char *directory)
{
    memfs_statfs_info before = {.struct_size = sizeof before};
    memfs_statfs_info after = {.struct_size = sizeof after};
    demo_heading("Copying the whole copy");
    int error = memfs_statfs(fs, &before);
    double began = demo_now();
    if (error == 0)
        error = memfs_copy_tree(fs, directory, "/copy", MEMFS_COPY_ATTRIBUTES);
    double seconds = demo_now() - began;
    if (error == 0)
        error = memfs_statfs(fs, &after);
    if (error == MEMFS_EDQUOT) {
        printf("  does not fit, and left nothing behind\n");
        return true;
    }
    if (error != 0) {
        demo_complain("cannot copy the tree", memfs_error_text(error));
        return false;
    }
    printf("  %.3f s; %s for names and nodes, no data\n", seconds,
           demo_bytes(after.used_bytes - before.used_bytes).chars);
    return memfs_remove_tree(fs, "/copy") == 0;
}

static bool run_with(memfs *fs, sqlite3 *db, const struct arguments *arguments,
                     const char *directory)
{
    if (!copy_host(fs, directory) || !make_index(fs, db, directory) || !answer(db, arguments) ||
        !copy_tree(fs, directory) || demo_report_tree(fs) != 0)
        return false;
    demo_heading("Running into a quota that is too low");
    return demo_full(fs, db);
}

/* The demo in a file system that exists; everything it opens it closes. */
static bool run(memfs *fs, const struct arguments *arguments, const char *directory)
{
    sqlite3 *db = NULL;
    int error = memfs_sqlite_register(fs, vfs_name, 0);
    if (error != 0) {
        demo_complain("cannot register with SQLite", memfs_error_text(error));
        return false;
    }
    int code = sqlite3_open_v2(DEMO_DATABASE, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                               vfs_name);
    bool good = code == SQLITE_OK && run_with(fs, db, arguments, directory);
    if (code != SQLITE_OK)
        demo_complain("cannot open the database", sqlite3_errstr(code));
    sqlite3_close(db);
    error = memfs_sqlite_unregister(vfs_name);
    if (error != 0)
        demo_complain("cannot unregister", memfs_error_text(error));
    return good && error == 0;
}

int main(int count, char **words)
{
    struct arguments arguments;
    struct stat info;
    if (!parse(count, words, &arguments))
        return usage();
    char *directory = realpath(arguments.directory, NULL);
    if (directory == NULL || stat(directory, &info) != 0 || !S_ISDIR(info.st_mode)) {
        demo_complain(arguments.directory, "is no directory that can be read");
        free(directory);
        return 1;
    }
    memfs *fs = NULL;
    memfs_config config = memfs_config_default();
    config.quota_bytes = arguments.quota_bytes;
    int error = memfs_create(&config, &fs);
    if (error != 0) {
        demo_complain("cannot create a file system", memfs_error_text(error));
        free(directory);
        return 1;
    }
    printf("memfs %s with SQLite %s: a quota of %s for everything\n", memfs_version(),
           sqlite3_libversion(), demo_bytes(config.quota_bytes).chars);
    bool good = run(fs, &arguments, directory);
    error = memfs_destroy(fs, 0);
    if (error != 0)
        demo_complain("cannot destroy the file system", memfs_error_text(error));
    free(directory);
    return good && error == 0 ? 0 : 1;
}

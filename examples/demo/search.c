/*
 * The texts are stored once, as files.  The index asks for them, when it shows
 * a snippet, through a view that reads the file: file_text(path).
 */
#include "search.h"

#include "report.h"

#include <ctype.h>
#include <stdio.h>

enum { TEXT_BYTES_MAX = 1 << 20, BATCH_FILES = 500 };

struct indexer {
    memfs *fs;
    sqlite3 *db;
    sqlite3_stmt *add_path, *add_text;
    struct demo_index *result;
    struct demo_index seen; /* what result becomes at the next commit */
    struct demo_progress progress;
    int code; /* SQLite's, of what ended the walk */
    char text[TEXT_BYTES_MAX];
};

/* Reads a file that is at most `capacity` bytes long; its size, or an error. */
static int64_t read_text(memfs *fs, const char *path, char *text, size_t capacity)
{
    memfs_file_storage storage;
    memfs_open_options options = {
        .struct_size = sizeof options, .flags = MEMFS_O_READ, .storage = &storage};
    memfs_file *file;
    int error = memfs_open_with(fs, path, &options, &file);
    if (error != 0)
        return error;
    int64_t size = memfs_pread(file, text, capacity, 0);
    memfs_close(file);
    return size;
}

/* The SQL function file_text(path).  Opening into lent storage takes nothing
 * from the quota, so it works when the file system is full. */
static void file_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    memfs *fs = sqlite3_user_data(context);
    const char *path = count == 1 ? (const char *)sqlite3_value_text(values[0]) : NULL;
    char *text = sqlite3_malloc(TEXT_BYTES_MAX);
    if (path == NULL || text == NULL) {
        sqlite3_free(text);
        return;
    }
    int64_t size = read_text(fs, path, text, TEXT_BYTES_MAX);
    if (size < 0) {
        sqlite3_result_error(context, memfs_error_text((int)size), -1);
        sqlite3_free(text);
        return;
    }
    sqlite3_result_text(context, text, (int)size, sqlite3_free);
}

int demo_search_create(memfs *fs, sqlite3 *db)
{
    int code = sqlite3_create_function(db, "file_text", 1, SQLITE_UTF8, fs, file_text, NULL, NULL);
    if (code != SQLITE_OK)
        return code;
    return sqlite3_exec(db,
                        "PRAGMA cache_size = -16000;"
                        "CREATE TABLE files(id INTEGER PRIMARY KEY, path TEXT NOT NULL);"
                        "CREATE VIEW texts AS SELECT id, path, file_text(path) AS text FROM files;"
                        "CREATE VIRTUAL TABLE search USING"
                        "  fts5(path, text, content = 'texts', content_rowid = 'id');",
                        NULL, NULL, NULL);
}

static int step_and_reset(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    int reset = sqlite3_reset(statement);
    return code == SQLITE_DONE ? reset : (reset != SQLITE_OK ? reset : code);
}

static int add_file(struct indexer *indexer, const char *path, int64_t size)
{
    sqlite3_bind_text(indexer->add_path, 1, path, -1, SQLITE_STATIC);
    int code = step_and_reset(indexer->add_path);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_int64(indexer->add_text, 1, sqlite3_last_insert_rowid(indexer->db));
    sqlite3_bind_text(indexer->add_text, 2, path, -1, SQLITE_STATIC);
    sqlite3_bind_text(indexer->add_text, 3, indexer->text, (int)size, SQLITE_STATIC);
    return step_and_reset(indexer->add_text);
}

/* Commits what was added, and begins anew. */
static int commit_batch(struct indexer *indexer, const char *then)
{
    int code = sqlite3_exec(indexer->db, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        *indexer->result = indexer->seen;
        code = sqlite3_exec(indexer->db, then, NULL, NULL, NULL);
    }
    return code;
}

static int index_entry(void *context, const memfs_walk_entry *entry)
{
    struct indexer *indexer = context;
    if (entry->event != MEMFS_WALK_ENTRY || entry->stat->kind != MEMFS_KIND_FILE)
        return MEMFS_WALK_CONTINUE;
    if (entry->stat->size_bytes > TEXT_BYTES_MAX) {
        indexer->seen.large++;
        return MEMFS_WALK_CONTINUE;
    }
    int64_t size = read_text(indexer->fs, entry->path, indexer->text, sizeof indexer->text);
    if (size < 0)
        return (int)size;
    if (memchr(indexer->text, '\0', (size_t)size) != NULL) {
        indexer->seen.binary++;
        return MEMFS_WALK_CONTINUE;
    }
    indexer->code = add_file(indexer, entry->path, size);
    indexer->seen.files++;
    indexer->seen.bytes += (uint64_t)size;
    if (indexer->code == SQLITE_OK && indexer->seen.files % BATCH_FILES == 0)
        indexer->code = commit_batch(indexer, "BEGIN");
    demo_progress_show(&indexer->progress, indexer->seen.files, indexer->seen.bytes, entry->path);
    return indexer->code == SQLITE_OK ? MEMFS_WALK_CONTINUE : MEMFS_WALK_STOP;
}

static int fill(struct indexer *indexer, const char *root)
{
    int code = sqlite3_prepare_v2(indexer->db, "INSERT INTO files(path) VALUES(?)", -1,
                                  &indexer->add_path, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(indexer->db,
                                  "INSERT INTO search(rowid, path, text) VALUES(?, ?, ?)", -1,
                                  &indexer->add_text, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(indexer->db, "BEGIN", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return code;
    int walked = memfs_walk(indexer->fs, root, index_entry, indexer);
    if (walked < 0) {
        demo_complain("cannot walk the tree", memfs_error_text(walked));
        return SQLITE_ERROR;
    }
    return indexer->code == SQLITE_OK ? commit_batch(indexer, "") : indexer->code;
}

int demo_search_fill(memfs *fs, sqlite3 *db, const char *root, struct demo_index *out)
{
    *out = (struct demo_index){0};
    struct indexer *indexer = sqlite3_malloc64(sizeof *indexer);
    if (indexer == NULL)
        return SQLITE_NOMEM;
    memset(indexer, 0, sizeof *indexer);
    indexer->fs = fs;
    indexer->db = db;
    indexer->result = out;
    int code = fill(indexer, root);
    demo_progress_end(&indexer->progress);
    sqlite3_finalize(indexer->add_path);
    sqlite3_finalize(indexer->add_text);
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_free(indexer);
    return code;
}

/* Prints a snippet on one line: what is no printable character is a space. */
static void print_snippet(const char *snippet)
{
    char line[96];
    size_t used = 0;
    for (const unsigned char *c = (const unsigned char *)snippet; *c != 0; c++) {
        bool is_space = isspace(*c) || iscntrl(*c);
        if (is_space && (used == 0 || line[used - 1] == ' '))
            continue;
        if (used == 70)
            break;
        line[used++] = is_space || *c >= 0x80 ? ' ' : (char)*c;
    }
    line[used] = '\0';
    printf("        %s\n", line);
}

static int print_best(sqlite3 *db, const char *query)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(db,
                                  "SELECT path, snippet(search, 1, '[', ']', '...', 10)"
                                  "  FROM search WHERE search MATCH ? ORDER BY rank LIMIT 3",
                                  -1, &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_text(statement, 1, query, -1, SQLITE_STATIC);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *snippet = (const char *)sqlite3_column_text(statement, 1);
        printf("      %s\n", (const char *)sqlite3_column_text(statement, 0));
        if (snippet != NULL)
            print_snippet(snippet);
    }
    int finalized = sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : finalized;
}

int demo_search_print(sqlite3 *db, const char *query)
{
    sqlite3_stmt *statement;
    double began = demo_now();
    int code = sqlite3_prepare_v2(db, "SELECT count(*) FROM search WHERE search MATCH ?", -1,
                                  &statement, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_bind_text(statement, 1, query, -1, SQLITE_STATIC);
    int64_t files = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    code = sqlite3_finalize(statement);
    if (code != SQLITE_OK)
        return code;
    double milliseconds = (demo_now() - began) * 1000;
    printf("  %-34s %9s files %9.1f ms\n", query, demo_count((uint64_t)files).chars, milliseconds);
    return print_best(db, query);
}

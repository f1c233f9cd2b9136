/*
 * A tour for those who come from a dictionary of buffers: one bounded tree, from the first file to
 * a database, a ZIP and an event loop.  Each stop is a function, in the order in which main() calls
 * them; what they print is in the README.
 *
 *     tour [ARCHIVE]       where the ZIP goes (default: tour.zip)
 */
#include <memfs/archive.h>
#include <memfs/sqlite.h>
#include <memfs/text.h>
#include <memfs/uv.h>

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tour has no plan for what fails where nothing should. */
static void must(int64_t result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, memfs_error_text((int)result));
    exit(1);
}

static void list(memfs *fs, const char *path)
{
    memfs_list names = {.struct_size = sizeof names};
    must(memfs_list_dir(fs, path, &names), path);
    printf("   %s:", path);
    for (size_t i = 0; i < names.count; i++)
        printf(" %s", names.names[i]);
    printf("\n");
    memfs_list_free(fs, &names);
}

/* ------------------------------------------------------------------------ files */

static void make_and_read_files(memfs *fs)
{
    memfs_file *file;
    memfs_stat_info info = {.struct_size = sizeof info};
    char line[64];
    printf("1. Files in directories\n");
    must(memfs_mkdir_parents(fs, "/photos/2026", 0755), "mkdir");
    must(memfs_write_file(fs, "/photos/2026/sea.txt", "blue\n", 5, 0644, 0), "sea");
    must(memfs_write_file(fs, "/photos/2026/wood.txt", "green\n", 6, 0644, 0), "wood");
    must(memfs_write_file(fs, "/etc/app/settings", "depth=3\n", 8, 0600, MEMFS_WRITE_MAKE_PARENTS),
         "settings");
    list(fs, "/photos/2026");
    must(memfs_open_mode(fs, "/photos/2026/sea.txt", "rb", &file), "open");
    int64_t count = memfs_read(file, line, sizeof line - 1);
    must(count, "read");
    must(memfs_close(file), "close");
    line[count] = '\0';
    must(memfs_stat(fs, "/etc/app/settings", &info), "stat");
    printf("   sea.txt says %s   settings has %" PRIu64 " bytes, mode %04o\n", line,
           info.size_bytes, (unsigned)info.mode);
}

static void remove_a_subtree(memfs *fs)
{
    printf("2. A subtree is listed and removed\n");
    must(memfs_copy_tree(fs, "/photos", "/old", 0), "copy"); /* the bytes are shared */
    list(fs, "/");
    must(memfs_remove_tree(fs, "/old"), "remove");
    list(fs, "/");
}

static void append_to_a_file(memfs *fs)
{
    void *text;
    size_t size;
    printf("3. Appending\n");
    must(memfs_append_file(fs, "/log", "started\n", 8, 0644, 0), "append");
    must(memfs_append_file(fs, "/log", "ready\n", 6, 0644, 0), "append");
    must(memfs_read_file(fs, "/log", 1000, &text, &size), "read");
    printf("   /log: %zu bytes, the last ones are %.*s", size, 6, (char *)text + size - 6);
    memfs_free(fs, text);
}

/* ------------------------------------------------------------------------- text */

static void write_lines(memfs *fs, const char *path, const char *encoding)
{
    static const char poem[] = "古池や\n蛙飛びこむ\n水の音\n";
    memfs_text *text;
    const char *line;
    size_t length;
    memfs_text_options options = {.struct_size = sizeof options, .encoding = encoding};
    must(memfs_text_open(fs, path, "w+", &options, &text), path);
    must(memfs_text_write(text, poem, sizeof poem - 1), "write");
    must(memfs_text_seek(text, NULL), "seek"); /* to the beginning */
    printf("   %-9s %2" PRId64 " bytes:", encoding, memfs_file_size(memfs_text_file(text)));
    while (memfs_text_read_line(text, &line, &length) == 1)
        printf(" [%.*s]", (int)length, line);
    printf("\n");
    must(memfs_text_close(text), "close");
}

static void write_text(memfs *fs)
{
    printf("4. Text, line by line\n");
    write_lines(fs, "/poem-utf8.txt", "UTF-8");
    write_lines(fs, "/poem-sjis.txt", "SHIFT_JIS");
}

/* ----------------------------------------------------------------------- limits */

static void be_refused_by_the_quota(memfs *fs)
{
    static char flood[2u << 20];
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    memfs_stat_info info = {.struct_size = sizeof info};
    printf("5. A write that does not fit\n");
    int64_t result = memfs_append_file(fs, "/log", flood, sizeof flood, 0644, 0);
    must(memfs_last_refusal(fs, &refusal), "refusal");
    must(memfs_stat(fs, "/log", &info), "stat");
    printf("   %s: limit %" PRIu64 " KiB, used %" PRIu64 " KiB, requested %" PRIu64 " KiB\n",
           memfs_error_text((int)result), refusal.limit / 1024,
           (refusal.limit - refusal.available) / 1024, refusal.wanted / 1024);
    printf("   /log still has %" PRIu64 " bytes\n", info.size_bytes);
}

static void be_refused_by_the_node_limit(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    printf("6. A limit on the number of files\n");
    must(memfs_statfs(fs, &info), "statfs");
    uint64_t nodes = info.files + info.directories + info.symlinks;
    must(memfs_set_node_limit(fs, nodes + 1), "limit");
    must(memfs_mkdir(fs, "/one", 0755), "one more");
    int result = memfs_mkdir(fs, "/two", 0755);
    must(memfs_last_refusal(fs, &refusal), "refusal");
    printf("   %s: limit %" PRIu64 ", requested %" PRIu64 "\n", memfs_error_text(result),
           refusal.limit, refusal.wanted);
    must(memfs_set_node_limit(fs, 0), "no limit");
}

/* ------------------------------------------------------------------- in and out */

static void import_several_files(memfs *fs)
{
    const memfs_import_entry files[] = {
        {sizeof files[0], "/site/index.html", "<h1>Hello</h1>\n", 15, 0, 0644, 0},
        {sizeof files[0], "/site/style.css", "h1 {color: navy}\n", 17, 0, 0644, 0},
        {sizeof files[0], "/site/home", "index.html", 10, MEMFS_KIND_SYMLINK, 0, 0},
    };
    printf("7. Several files in one step\n");
    must(memfs_import(fs, files, 3, 0, NULL), "import");
    list(fs, "/site");
    printf("   and once more: %s\n", memfs_error_text(memfs_import(fs, files, 3, 0, NULL)));
}

static void export_all_as_a_zip(memfs *fs, const char *path)
{
    static memfs_archive_result result;
    memfs_archive_where to = {.struct_size = sizeof to, .path = path};
    memfs_archive_options options = {
        .struct_size = sizeof options, .flags = MEMFS_ARCHIVE_REPLACE, .format = MEMFS_ARCHIVE_ZIP};
    printf("8. All of it as a ZIP, to the host\n");
    result.struct_size = sizeof result;
    must(memfs_archive_save(fs, "/", &to, &options, &result), path);
    printf("   %" PRIu64 " files, %" PRIu64 " directories, %" PRIu64 " link\n", result.files,
           result.directories, result.symlinks);
}

/* -------------------------------------------------------------------- event loop */

enum { WRITERS = 20 };

struct job {
    memfs_uv_request request;
    memfs *fs;
    memfs_uv *uv;
    char path[32], text[32];
    void *back;
    size_t back_bytes;
};

static int jobs_done, jobs_right;

static void on_read(memfs_uv_request *request)
{
    struct job *job = request->call.data;
    must(request->call.result, job->path);
    jobs_right += job->back_bytes == strlen(job->text) &&
                  memcmp(job->back, job->text, job->back_bytes) == 0;
    memfs_free(job->fs, job->back);
    if (++jobs_done == WRITERS)
        must(memfs_uv_close(job->uv, 0, NULL, NULL), "close");
}

static void on_written(memfs_uv_request *request)
{
    struct job *job = request->call.data;
    must(request->call.result, job->path);
    memset(request, 0, sizeof *request);
    request->call.data = job;
    memfs_async_read_file(&request->call, job->path, 100, &job->back, &job->back_bytes);
    must(memfs_uv_submit(job->uv, request, on_read), "submit");
}

static void work_on_a_loop(memfs *fs)
{
    static struct job jobs[WRITERS];
    memfs_uv *uv;
    printf("9. The same on an event loop\n");
    must(memfs_uv_create(uv_default_loop(), fs, &uv), "front");
    for (int i = 0; i < WRITERS; i++) {
        struct job *job = &jobs[i];
        job->fs = fs;
        job->uv = uv;
        job->request.call.data = job;
        snprintf(job->path, sizeof job->path, "/jobs/%d", i);
        snprintf(job->text, sizeof job->text, "written by job %d", i);
        memfs_async_write_file(&job->request.call, job->path, job->text, strlen(job->text), 0644,
                               MEMFS_WRITE_MAKE_PARENTS);
        must(memfs_uv_submit(uv, &job->request, on_written), "submit");
    }
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    uv_loop_close(uv_default_loop());
    printf("   %d files written and read back at the same time, %d of them right\n", jobs_done,
           jobs_right);
}

/* ---------------------------------------------------------------------- database */

static int print_value(void *prefix, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    printf("   %s%s\n", (const char *)prefix, values[0]);
    return 0;
}

static void keep_a_database_beside_the_files(memfs *fs)
{
    sqlite3 *db;
    printf("10. A database beside the files, under the same limit\n");
    must(memfs_sqlite_register(fs, "tour", 0), "register");
    must(-memfs_sqlite_open(fs, "/app.db", NULL, &db), "database");
    sqlite3_exec(db, "CREATE TABLE visits(place TEXT); INSERT INTO visits VALUES ('sea'), ('wood')",
                 NULL, NULL, NULL);
    sqlite3_exec(db, "SELECT count(*) FROM visits", print_value, "rows: ", NULL);
    int code = sqlite3_exec(db, "INSERT INTO visits VALUES (hex(zeroblob(1000000)))", NULL, NULL,
                            NULL);
    printf("   a large one: %s\n", sqlite3_errstr(code));
    sqlite3_exec(db, "PRAGMA integrity_check", print_value, "integrity check: ", NULL);
    sqlite3_close(db);
    must(memfs_sqlite_unregister("tour"), "unregister");
}

static void put_a_snapshot_back(memfs *fs)
{
    printf("11. A snapshot, put back\n");
    must(memfs_snapshot_take(fs, "before"), "snapshot");
    must(memfs_remove_tree(fs, "/jobs"), "remove");
    must(memfs_unlink(fs, "/app.db"), "unlink");
    must(memfs_snapshot_restore(fs, "before"), "restore");
    printf("   /app.db is %s\n", memfs_exists(fs, "/app.db") == 1 ? "back" : "gone");
    must(memfs_snapshot_remove(fs, "before"), "drop");
}

int main(int count, char **words)
{
    memfs *fs;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 1u << 20; /* everything counts: data, names, page tables */
    must(memfs_create(&config, &fs), "create");
    make_and_read_files(fs);
    remove_a_subtree(fs);
    append_to_a_file(fs);
    write_text(fs);
    be_refused_by_the_quota(fs);
    be_refused_by_the_node_limit(fs);
    import_several_files(fs);
    export_all_as_a_zip(fs, count > 1 ? words[1] : "tour.zip");
    work_on_a_loop(fs);
    keep_a_database_beside_the_files(fs);
    put_a_snapshot_back(fs);
    return memfs_destroy(fs, 0) == 0 ? 0 : 1;
}

/*
 * A file system in 64 KiB of static memory: no heap, a limit that holds, and
 * what happens at it.  This is how a device without an operating system uses
 * memfs.
 */
#include <memfs/memfs.h>

#include <stdalign.h>
#include <stdio.h>

static alignas(16) unsigned char arena[64 * 1024];

/* Appends records until one does not fit; returns their number, or an error. */
static int fill(memfs *fs)
{
    static const char record[500] = "a record of 500 bytes";
    memfs_file *file;
    int error = memfs_open(fs, "/log", MEMFS_O_CREATE | MEMFS_O_APPEND, 0644, &file);
    if (error != 0)
        return error;
    int records = 0;
    int64_t written;
    while ((written = memfs_write(file, record, sizeof record)) == (int64_t)sizeof record)
        records++;
    memfs_close(file);
    return written == MEMFS_EDQUOT ? records : (int)written;
}

static int show(memfs *fs)
{
    memfs_stat_info log = {.struct_size = sizeof log};
    memfs_statfs_info all = {.struct_size = sizeof all};
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    int error = memfs_stat(fs, "/log", &log);
    if (error == 0)
        error = memfs_statfs(fs, &all);
    if (error == 0)
        error = memfs_last_refusal(fs, &refusal);
    if (error != 0)
        return error;
    printf("/log has %llu bytes: whole records, nothing was cut short\n",
           (unsigned long long)log.size_bytes);
    printf("the arena has %llu bytes, %llu of them are held\n", (unsigned long long)all.quota_bytes,
           (unsigned long long)all.committed_bytes);
    printf("refused: %s; %llu bytes were wanted, %llu were left\n", memfs_error_text(refusal.error),
           (unsigned long long)refusal.wanted, (unsigned long long)refusal.available);
    return 0;
}

int main(void)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0; /* all of the arena */
    config.page_size = 512;
    config.arena = arena;
    config.arena_bytes = sizeof arena;

    memfs *fs = NULL;
    int error = memfs_create(&config, &fs);
    if (error != 0) {
        fprintf(stderr, "cannot create: %s\n", memfs_error_text(error));
        return 1;
    }
    int first = fill(fs);
    error = first < 0 ? first : show(fs);
    /* A full file system can always be emptied, and then holds as much again. */
    if (error == 0)
        error = memfs_unlink(fs, "/log");
    int second = error == 0 ? fill(fs) : error;
    printf("%d records fitted, and %d after the file was removed\n", first, second);
    memfs_destroy(fs, 0);
    return first > 0 && second == first ? 0 : 1;
}

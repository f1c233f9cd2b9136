/*
 * The visible state of a tree as text, one line an entry, so that two states
 * can be compared with strcmp() and a difference can be read.
 *
 * It never changes what it describes: files are opened with NOATIME, and what
 * listing or reading a link may still touch (the access times of directories
 * and symlinks) is not printed.
 */
#include "fixture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

struct description {
    memfs *fs;
    char *text;
    size_t length, room;
    uint64_t *numbers; /* of the nodes seen that have several names */
    size_t number_count;
};

static _Noreturn void die(const char *what, const char *path, int64_t result)
{
    fprintf(stderr, "fixture_describe: %s %s: %s\n", what, path, memfs_error_name((int)result));
    abort();
}

static void print(struct description *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void print(struct description *d, const char *format, ...)
{
    for (;;) {
        va_list arguments;
        va_start(arguments, format);
        char *end = d->text != NULL ? d->text + d->length : NULL;
        int written = vsnprintf(end, d->room - d->length, format, arguments);
        va_end(arguments);
        if (written >= 0 && (size_t)written < d->room - d->length) {
            d->length += (size_t)written;
            return;
        }
        d->room = d->room * 2 + 256;
        d->text = realloc(d->text, d->room);
        if (written < 0 || d->text == NULL)
            abort();
    }
}

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

/* One data extent, with its place, so that a hole and zeros differ. */
static uint64_t hash_extent(memfs_file *file, const char *path, uint64_t hash, int64_t start,
                            int64_t end)
{
    static const size_t piece_bytes = 65536;
    char *piece = malloc(piece_bytes);
    if (piece == NULL)
        abort();
    hash = hash_bytes(hash, &start, sizeof start);
    while (start < end) {
        size_t wanted = end - start < (int64_t)piece_bytes ? (size_t)(end - start) : piece_bytes;
        int64_t got = memfs_pread(file, piece, wanted, start);
        if (got <= 0)
            die("cannot read", path, got);
        hash = hash_bytes(hash, piece, (size_t)got);
        start += got;
    }
    free(piece);
    return hash;
}

static uint64_t hash_content(memfs *fs, const char *path)
{
    memfs_file *file;
    int result = memfs_open(fs, path, MEMFS_O_READ | MEMFS_O_NOATIME | MEMFS_O_NOFOLLOW, 0, &file);
    if (result != 0)
        die("cannot open", path, result);
    uint64_t hash = FNV_BASIS;
    int64_t start = memfs_seek(file, 0, MEMFS_SEEK_DATA);
    while (start >= 0) {
        int64_t end = memfs_seek(file, start, MEMFS_SEEK_HOLE);
        if (end <= start)
            die("no hole after data in", path, end);
        hash = hash_extent(file, path, hash, start, end);
        start = memfs_seek(file, end, MEMFS_SEEK_DATA);
    }
    if (start != MEMFS_ENXIO)
        die("cannot seek in", path, start);
    result = memfs_close(file);
    if (result != 0)
        die("cannot close", path, result);
    return hash;
}

static void print_target(struct description *d, const char *path)
{
    char target[MEMFS_PATH_MAX + 1];
    int64_t length = memfs_readlink(d->fs, path, target, sizeof target);
    if (length < 0)
        die("cannot read the link", path, length);
    print(d, " -> %.*s", (int)length, target);
}

/* Names of one node get one number, by first appearance. */
static void print_link_group(struct description *d, uint64_t number)
{
    size_t i = 0;
    while (i < d->number_count && d->numbers[i] != number)
        i++;
    if (i == d->number_count) {
        d->numbers = realloc(d->numbers, (i + 1) * sizeof *d->numbers);
        if (d->numbers == NULL)
            abort();
        d->numbers[d->number_count++] = number;
    }
    print(d, " group=%zu", i);
}

static int print_entry(void *context, const memfs_walk_entry *entry)
{
    struct description *d = context;
    const memfs_stat_info *stat = entry->stat;
    if (entry->event == MEMFS_WALK_LEAVE)
        return MEMFS_WALK_CONTINUE;
    print(d,
          "%s kind=%" PRIu32 " size=%" PRIu64 " allocated=%" PRIu64 " mode=%" PRIo32 " uid=%" PRIu32
          " gid=%" PRIu32 " links=%" PRIu32 " generation=%" PRIu64 " modify=%" PRId64
          " change=%" PRId64 " birth=%" PRId64,
          entry->path, stat->kind, stat->size_bytes, stat->allocated_bytes, stat->mode, stat->uid,
          stat->gid, stat->links, stat->generation, stat->modify_ns, stat->change_ns,
          stat->birth_ns);
    if (stat->kind == MEMFS_KIND_FILE)
        print(d, " access=%" PRId64 " hash=%016" PRIx64, stat->access_ns,
              hash_content(d->fs, entry->path));
    if (stat->kind == MEMFS_KIND_SYMLINK)
        print_target(d, entry->path);
    if (stat->kind != MEMFS_KIND_DIRECTORY && stat->links > 1)
        print_link_group(d, stat->number);
    print(d, "\n");
    return MEMFS_WALK_CONTINUE;
}

char *fixture_describe(memfs *fs)
{
    struct description d = {.fs = fs, .room = 4096};
    d.text = malloc(d.room);
    if (d.text == NULL)
        abort();
    memfs_statfs_info info = {.struct_size = sizeof info};
    int result = memfs_statfs(fs, &info);
    if (result != 0)
        die("cannot statfs", "/", result);
    print(&d,
          "files=%" PRIu64 " directories=%" PRIu64 " symlinks=%" PRIu64 " orphans=%" PRIu64
          " orphan_bytes=%" PRIu64 " open_files=%" PRIu64 " open_directories=%" PRIu64 "\n",
          info.files, info.directories, info.symlinks, info.orphans, info.orphan_bytes,
          info.open_files, info.open_directories);
    result = memfs_walk(fs, "/", print_entry, &d);
    if (result != 0)
        die("cannot walk", "/", result);
    free(d.numbers);
    return d.text;
}

/*
 * Any bytes loaded as an archive: all of it or nothing, within the quota, whichever way they come.
 *
 * An input is how it is loaded, how much of it a callback gives at a time, and the archive.
 */
#include "fuzz.h"

#include "tarmaker.h"
#include "tracking_allocator.h"

#include <memfs/archive.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MOST = 16384, QUOTA = 4 << 20, NODES_MOST = 300, HEADER_BYTES = 2 };

enum {
    AS_CALLBACKS = 0x1,
    CAN_SEEK = 0x2,
    REPLACING = 0x4,
    WITH_OUTER_LINKS = 0x8,
    LAST_ONE_COUNTS = 0x10,
    WITHOUT_SURVEY = 0x20,
    WITH_SPECIAL_BITS = 0x40
};

/* ---------------------------------------------------------------------- source */

struct source {
    const uint8_t *bytes;
    size_t size, at, piece;
};

static int64_t read_source(void *context, void *buffer, size_t size)
{
    struct source *source = context;
    size_t count = source->size - source->at;
    if (count > size)
        count = size;
    if (count > source->piece)
        count = source->piece;
    memcpy(buffer, source->bytes + source->at, count);
    source->at += count;
    return (int64_t)count;
}

static int seek_source(void *context, int64_t offset)
{
    struct source *source = context;
    if (offset < 0 || (uint64_t)offset > source->size)
        return MEMFS_EINVAL;
    source->at = (size_t)offset;
    return 0;
}

/* --------------------------------------------------------------------- loading */

static uint64_t used_by(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    FUZZ_CHECK(memfs_statfs(fs, &info) == 0);
    FUZZ_CHECK(info.committed_bytes <= QUOTA &&
               info.files + info.directories + info.symlinks <= NODES_MOST);
    FUZZ_CHECK(info.open_files == 0 && info.open_directories == 0);
    return info.used_bytes;
}

static memfs_tree_info usage_of(memfs *fs, const char *path)
{
    memfs_tree_info usage = {.struct_size = sizeof usage};
    FUZZ_CHECK(memfs_tree_usage(fs, path, &usage) == 0);
    return usage;
}

static uint64_t count_nodes(memfs_tree_info usage)
{
    return usage.files + usage.directories + usage.symlinks;
}

/* Loads it to /out, beside or in the place of what is there.  The result of the call. */
static int load_one(memfs *fs, struct source *source, uint8_t how, memfs_archive_result *result)
{
    memfs_archive_options options = {.struct_size = sizeof options, .max_entries = 2000};
    memfs_archive_where from = {.struct_size = sizeof from,
                                .kind = MEMFS_ARCHIVE_BUFFER,
                                .buffer = (void *)(uintptr_t)source->bytes,
                                .buffer_bytes = source->size};
    source->at = 0;
    if (how & AS_CALLBACKS)
        from = (memfs_archive_where){.struct_size = sizeof from,
                                     .kind = MEMFS_ARCHIVE_CALLBACKS,
                                     .context = source,
                                     .read = read_source,
                                     .seek = (how & CAN_SEEK) ? seek_source : NULL,
                                     .size = (how & CAN_SEEK) ? (int64_t)source->size : 0};
    options.flags = ((how & REPLACING) ? MEMFS_ARCHIVE_REPLACE : 0) |
                    ((how & WITH_OUTER_LINKS) ? MEMFS_ARCHIVE_OUTER_LINKS : 0) |
                    ((how & LAST_ONE_COUNTS) ? MEMFS_ARCHIVE_LAST_COUNTS : 0) |
                    ((how & WITHOUT_SURVEY) ? MEMFS_ARCHIVE_NO_SURVEY : 0) |
                    ((how & WITH_SPECIAL_BITS) ? MEMFS_ARCHIVE_SPECIAL_BITS : 0);
    *result = (memfs_archive_result){.struct_size = sizeof *result};
    int error = memfs_archive_load(fs, &from, "/out", &options, result);
    FUZZ_CHECK(error <= 0 && result->error == error);
    for (const char *at = result->message; *at != '\0'; at++)
        FUZZ_CHECK(*at >= ' ' && *at <= '~');
    return error;
}

static bool has_old(memfs *fs)
{
    char text[8];
    return memfs_read_file_into(fs, "/out/old", text, sizeof text) == 3 &&
           memcmp(text, "old", 3) == 0;
}

/* A refusal leaves what was there; a success is what the result says. */
static int check_load(memfs *fs, struct source *source, uint8_t how, memfs_tree_info *usage)
{
    static memfs_archive_result result;
    if (how & REPLACING)
        FUZZ_CHECK(memfs_write_file(fs, "/out/old", "old", 3, 0644, MEMFS_WRITE_MAKE_PARENTS) == 0);
    uint64_t before = used_by(fs);
    int error = load_one(fs, source, how, &result);
    FUZZ_CHECK(memfs_audit(fs) == 0);
    if (error != 0) {
        FUZZ_CHECK(used_by(fs) == before);
        FUZZ_CHECK(has_old(fs) == ((how & REPLACING) != 0));
        FUZZ_CHECK(memfs_exists(fs, "/out") == ((how & REPLACING) != 0));
    } else {
        *usage = usage_of(fs, "/out");
        FUZZ_CHECK(result.links <= result.files);
    }
    if (memfs_exists(fs, "/out") == 1)
        FUZZ_CHECK(memfs_remove_tree(fs, "/out") == 0);
    FUZZ_CHECK(count_nodes(usage_of(fs, "/")) == 1);
    return error;
}

static void take(const uint8_t *bytes, size_t size)
{
    struct tracking_allocator allocator;
    memfs_config config = memfs_config_default();
    memfs *fs = NULL;
    memfs_tree_info one, other;
    if (size < HEADER_BYTES)
        return;
    tracking_allocator_init(&allocator, QUOTA); /* it aborts beyond that */
    config.allocator = tracking_hooks(&allocator);
    config.quota_bytes = QUOTA;
    config.node_limit = NODES_MOST;
    FUZZ_CHECK(memfs_create(&config, &fs) == 0);
    struct source source = {
        .bytes = bytes + HEADER_BYTES, .size = size - HEADER_BYTES, .piece = 1u + bytes[1] * 17u};
    int error = check_load(fs, &source, bytes[0], &one);
    if (error == 0 && check_load(fs, &source, bytes[0] ^ WITHOUT_SURVEY, &other) == 0) {
        FUZZ_CHECK(count_nodes(one) == count_nodes(other) && one.size_bytes == other.size_bytes);
        FUZZ_CHECK(one.allocated_bytes == other.allocated_bytes);
    }
    FUZZ_CHECK(memfs_destroy(fs, 0) == 0);
    tracking_assert_empty(&allocator);
}

/* ----------------------------------------------------------------------- seeds */

static const struct {
    uint32_t format, compression;
} kinds[] = {
    {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_NONE},    {MEMFS_ARCHIVE_USTAR, MEMFS_ARCHIVE_NONE},
    {MEMFS_ARCHIVE_GNUTAR, MEMFS_ARCHIVE_NONE}, {MEMFS_ARCHIVE_CPIO, MEMFS_ARCHIVE_NONE},
    {MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_USUAL},   {MEMFS_ARCHIVE_USTAR, MEMFS_ARCHIVE_GZIP},
    {MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_BZIP2},   {MEMFS_ARCHIVE_USTAR, MEMFS_ARCHIVE_XZ},
    {MEMFS_ARCHIVE_USTAR, MEMFS_ARCHIVE_ZSTD},  {MEMFS_ARCHIVE_USTAR, MEMFS_ARCHIVE_LZ4},
};

enum { KINDS = sizeof kinds / sizeof *kinds, WAYS = 8 };

static void make_tree(memfs *fs)
{
    memfs_file *file = NULL;
    FUZZ_CHECK(memfs_write_file(fs, "/t/d/one", "content\n", 8, 0640, MEMFS_WRITE_MAKE_PARENTS) ==
               0);
    FUZZ_CHECK(memfs_write_file(fs, "/t/f\xc3\xbcnf", "", 0, 0644, 0) == 0);
    FUZZ_CHECK(memfs_link(fs, "/t/d/one", "/t/same") == 0);
    FUZZ_CHECK(memfs_symlink(fs, "d/one", "/t/link", 0) == 0);
    FUZZ_CHECK(memfs_mkdir(fs, "/t/empty", 0700) == 0);
    FUZZ_CHECK(memfs_open(fs, "/t/holes", MEMFS_O_WRITE | MEMFS_O_CREATE, 0600, &file) == 0);
    FUZZ_CHECK(memfs_pwrite(file, "end", 3, 70000) == 3);
    FUZZ_CHECK(memfs_close(file) == 0);
}

/* The archive of a small tree; without the zeros that fill the last record of a tar. */
static size_t make_archive(unsigned kind, uint8_t *bytes, size_t capacity)
{
    static uint8_t whole[1 << 20];
    static memfs_archive_result result;
    memfs *fs = NULL;
    struct tracking_allocator allocator;
    memfs_config config = memfs_config_default();
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    FUZZ_CHECK(memfs_create(&config, &fs) == 0);
    make_tree(fs);
    if (kinds[kind].compression == MEMFS_ARCHIVE_NONE &&
        kinds[kind].format != MEMFS_ARCHIVE_PAX) /* it would write the hole's zeros */
        FUZZ_CHECK(memfs_unlink(fs, "/t/holes") == 0);
    memfs_archive_options options = {.struct_size = sizeof options,
                                     .format = kinds[kind].format,
                                     .compression = kinds[kind].compression};
    memfs_archive_where to = {.struct_size = sizeof to,
                              .kind = MEMFS_ARCHIVE_BUFFER,
                              .buffer = whole,
                              .buffer_bytes = sizeof whole};
    result = (memfs_archive_result){.struct_size = sizeof result};
    int error = memfs_archive_save(fs, "/t", &to, &options, &result);
    FUZZ_CHECK(memfs_destroy(fs, 0) == 0);
    size_t size = error == 0 ? (size_t)result.archive_bytes : 0; /* 0: a libarchive without it */
    if (kinds[kind].compression == MEMFS_ARCHIVE_NONE) {
        while (size > 1024 && whole[size - 1] == 0)
            size--;
        size = size > 0 ? (size + 511) / 512 * 512 + 1024 : 0;
    }
    if (size > capacity)
        return 0;
    memcpy(bytes, whole, size);
    return size;
}

/* Archives that nobody makes by accident. */
static const struct hostile {
    const char *name, *target;
    char type;
    uint64_t declared;
    const char *data;
} hostile_entries[] = {
    {"/absolute", "", '0', 1, "x"},
    {"../out-of-it", "", '0', 1, "x"},
    {"a/../../b", "", '0', 1, "x"},
    {"link", "/etc/passwd", '2', 0, ""},
    {"link", "../../out", '2', 0, ""},
    {"link/through", "", '0', 1, "x"},
    {"hard", "../nowhere", '1', 0, ""},
    {"hard", "link", '1', 0, ""},
    {"twice", "", '0', 1, "1"},
    {"twice", "", '0', 1, "2"},
    {"twice", "", '5', 0, ""},
    {"dir/", "", '5', 0, ""},
    {"dir", "", '0', 1, "x"},
    {"dir/in", "", '0', 1, "x"},
    {"more-than-it-has", "", '0', 100000, "x"},
    {"huge", "", '0', UINT64_C(1) << 40, "x"},
    {"less-than-it-has", "", '0', 1, "a thousand and one"},
    {"device", "", '3', 0, ""},
    {"pipe", "", '6', 0, ""},
    {"", "", '0', 0, ""},
    {".", "", '5', 0, ""},
    {"old", "", '0', 3, "new"},
};

enum { HOSTILE = sizeof hostile_entries / sizeof *hostile_entries, FLOOD_ENTRIES = 25 };

static void add_hostile(struct bytes *tar, const struct hostile *entry)
{
    tar_add(tar, entry->name, entry->type, 0644, entry->target, entry->declared, entry->data,
            strlen(entry->data));
}

/* Each entry alone, and with those behind it; then many that are empty; each whole and cut. */
static size_t make_hostile(unsigned number, uint8_t *bytes, size_t capacity)
{
    struct bytes tar = {NULL, 0, 0};
    bool is_cut = number % 2 != 0;
    number /= 2;
    if (number < 2 * HOSTILE) {
        unsigned count = number % 2 != 0 ? 6 : 1;
        for (unsigned i = number / 2; i < HOSTILE && count > 0; i++, count--)
            add_hostile(&tar, &hostile_entries[i]);
    } else {
        char name[16];
        for (int i = 0; i < FLOOD_ENTRIES; i++) {
            snprintf(name, sizeof name, "f%d", i);
            tar_file(&tar, name, "");
        }
    }
    tar_end(&tar);
    size_t size = is_cut ? tar.size - 700 : tar.size;
    size = size <= capacity ? size : 0;
    memcpy(bytes, tar.data, size);
    bytes_free(&tar);
    return size;
}

enum { HOSTILE_SEEDS = 2 * (2 * HOSTILE + 1) };

static size_t seed(unsigned number, uint8_t *bytes, size_t capacity)
{
    static const uint8_t ways[WAYS] = {0,
                                       AS_CALLBACKS,
                                       AS_CALLBACKS | CAN_SEEK,
                                       REPLACING,
                                       REPLACING | WITHOUT_SURVEY | LAST_ONE_COUNTS,
                                       WITH_OUTER_LINKS | AS_CALLBACKS,
                                       WITH_SPECIAL_BITS | WITHOUT_SURVEY,
                                       LAST_ONE_COUNTS | WITH_OUTER_LINKS};
    if (number >= KINDS * WAYS + HOSTILE_SEEDS)
        return 0;
    if (number >= KINDS * WAYS) {
        number -= KINDS * WAYS;
        bytes[0] = ways[number % WAYS];
        bytes[1] = (uint8_t)(number * 7);
        return HEADER_BYTES + make_hostile(number, bytes + HEADER_BYTES, capacity - HEADER_BYTES);
    }
    bytes[0] = ways[number / KINDS];
    bytes[1] = (uint8_t)(number * 7);
    return HEADER_BYTES +
           make_archive(number % KINDS, bytes + HEADER_BYTES, capacity - HEADER_BYTES);
}

static const char *const words[] = {"../",        "/",         "ustar",      "PK\x03\x04",
                                    "PK\x01\x02", "070701",    "TRAILER!!!", "GNU.sparse.",
                                    "path=",      "linkpath=", NULL};

const struct fuzz_target fuzz_target = {
    .take = take, .seed = seed, .size_max = INPUT_MOST, .words = words};

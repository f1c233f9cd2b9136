#include "archives.h"

#include <inttypes.h>

memfs_archive_where in_buffer(const struct bytes *bytes)
{
    return (memfs_archive_where){.struct_size = sizeof(memfs_archive_where),
                                 .kind = MEMFS_ARCHIVE_BUFFER,
                                 .buffer = bytes->data,
                                 .buffer_bytes = bytes->size};
}

memfs_archive_where on_host(const char *path)
{
    return (memfs_archive_where){.struct_size = sizeof(memfs_archive_where), .path = path};
}

memfs_archive_where in_tree(const char *path)
{
    return (memfs_archive_where){
        .struct_size = sizeof(memfs_archive_where), .kind = MEMFS_ARCHIVE_TREE_FILE, .path = path};
}

int load(memfs *fs, const memfs_archive_where *from, const char *path,
         const memfs_archive_options *options, memfs_archive_result *result)
{
    memfs_archive_result own;
    if (result == NULL)
        result = &own;
    *result = (memfs_archive_result){.struct_size = sizeof *result};
    int error = memfs_archive_load(fs, from, path, options, result);
    assert_int_equal(result->error, error);
    return error;
}

int save(memfs *fs, const char *path, const memfs_archive_where *to,
         const memfs_archive_options *options, memfs_archive_result *result)
{
    memfs_archive_result own;
    if (result == NULL)
        result = &own;
    *result = (memfs_archive_result){.struct_size = sizeof *result};
    int error = memfs_archive_save(fs, path, to, options, result);
    assert_int_equal(result->error, error);
    return error;
}

int load_bytes(memfs *fs, const struct bytes *bytes, const char *path,
               const memfs_archive_options *options, memfs_archive_result *result)
{
    memfs_archive_where from = in_buffer(bytes);
    return load(fs, &from, path, options, result);
}

static int take_piece(void *context, const void *piece, size_t size)
{
    bytes_add(context, piece, size);
    return 0;
}

struct bytes save_bytes(memfs *fs, const char *path, const memfs_archive_options *options)
{
    struct bytes bytes = {NULL, 0, 0};
    memfs_archive_result result;
    memfs_archive_where to = {.struct_size = sizeof to,
                              .kind = MEMFS_ARCHIVE_CALLBACKS,
                              .context = &bytes,
                              .write = take_piece};
    int error = save(fs, path, &to, options, &result);
    if (error != 0)
        print_error("%s: %s\n", result.path, result.message);
    assert_ok(error);
    assert_int_equal(result.archive_bytes, bytes.size);
    return bytes;
}

/* --------------------------------------------------------------------- trees */

struct describing {
    memfs *fs;
    struct bytes text;
    unsigned left_out;
    uint64_t numbers[1000]; /* of files with several names, as they are met */
    size_t count;
};

static void add_format(struct describing *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_format(struct describing *d, const char *format, ...)
{
    char line[MEMFS_PATH_MAX + 200];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_true(length >= 0 && (size_t)length < sizeof line);
    bytes_add(&d->text, line, (size_t)length);
}

static uint64_t hash_bytes(uint64_t hash, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void add_content(struct describing *d, const char *path, const memfs_stat_info *stat)
{
    static unsigned char piece[65536];
    memfs_file *file;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    int64_t count, offset = 0;
    assert_ok(memfs_open(d->fs, path, MEMFS_O_READ | MEMFS_O_NOFOLLOW, 0, &file));
    while ((count = memfs_pread(file, piece, sizeof piece, offset)) > 0) {
        hash = hash_bytes(hash, piece, (size_t)count);
        offset += count;
    }
    assert_ok((int)count);
    add_format(d, " %" PRIu64 " bytes %016" PRIx64, stat->size_bytes, hash);
    if ((d->left_out & WITHOUT_HOLES) == 0)
        add_format(d, " data %" PRIu64, stat->allocated_bytes / stat->page_size);
    assert_ok(memfs_close(file));
}

static void add_links(struct describing *d, const memfs_stat_info *stat)
{
    size_t index = 0;
    if ((d->left_out & WITHOUT_LINKS) != 0 || stat->links < 2)
        return;
    while (index < d->count && d->numbers[index] != stat->number)
        index++;
    if (index == d->count) {
        assert_true(d->count < COUNT_OF(d->numbers));
        d->numbers[d->count++] = stat->number;
    }
    add_format(d, " links %" PRIu32 " of file %zu", stat->links, index);
}

static void add_entry(struct describing *d, const char *path, const char *relative)
{
    memfs_stat_info stat = lstat_of(d->fs, path);
    char target[MEMFS_PATH_MAX + 1];
    add_format(d, "%s: kind %u mode %o", relative, stat.kind,
               stat.kind == MEMFS_KIND_SYMLINK ? 0 : stat.mode);
    if ((d->left_out & WITHOUT_TIMES) == 0) {
        int64_t unit = (d->left_out & WITHOUT_NANOSECONDS) != 0 ? 1000000000 : 1;
        add_format(d, " time %" PRId64, stat.modify_ns / unit);
    }
    if (stat.kind == MEMFS_KIND_FILE)
        add_content(d, path, &stat);
    if (stat.kind == MEMFS_KIND_SYMLINK) {
        int64_t length = memfs_readlink(d->fs, path, target, sizeof target - 1);
        assert_true(length > 0);
        target[length] = '\0';
        add_format(d, " -> %s", target);
    }
    if (stat.kind == MEMFS_KIND_FILE)
        add_links(d, &stat);
    add_format(d, "\n");
}

char *describe(memfs *fs, const char *root, unsigned left_out)
{
    static struct describing d;
    char pattern[256];
    memfs_list list = {.struct_size = sizeof list};
    d = (struct describing){.fs = fs, .left_out = left_out};
    snprintf(pattern, sizeof pattern, "%s/**", root);
    assert_ok(memfs_glob(fs, pattern, &list));
    assert_true(list.count > 0);
    for (size_t i = 0; i < list.count; i++)
        add_entry(&d, list.names[i], list.names[i] + strlen(root));
    memfs_list_free(fs, &list);
    bytes_add(&d.text, "", 1);
    return d.text.data;
}

static const char *below(const char *root, const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

/*
 *     bin/tool (0755, two pages), bin/alias -> tool, bin/twin (a link of it)
 *     empty/, empty-file, secret (0600), text, deep/er/est/file
 *     holes: a hole, a page, a hole, two bytes, a hole
 */
void make_sample(memfs *fs, const char *root)
{
    static const char *const directories[] = {"bin", "empty", "deep/er/est"};
    for (size_t i = 0; i < COUNT_OF(directories); i++)
        assert_ok(memfs_mkdir_parents(fs, below(root, directories[i]), 0755));
    put_pattern(fs, below(root, "bin/tool"), 8192, 1);
    assert_ok(memfs_chmod(fs, below(root, "bin/tool"), 0755));
    assert_ok(memfs_link(fs, below(root, "bin/tool"), below(root, "bin/twin")));
    assert_ok(memfs_symlink(fs, "tool", below(root, "bin/alias"), 0));
    put(fs, below(root, "empty-file"), "");
    put(fs, below(root, "secret"), "hush");
    assert_ok(memfs_chmod(fs, below(root, "secret"), 0600));
    put(fs, below(root, "text"), "some text\n");
    put(fs, below(root, "deep/er/est/file"), "x");
    memfs_file *file = create_file(fs, below(root, "holes"));
    write_pattern(file, 4096, 40960, 2);
    write_pattern(file, 2, 409600, 3);
    assert_ok(memfs_ftruncate(file, 1000000));
    assert_ok(memfs_close(file));
    assert_ok(memfs_chmod(fs, below(root, "deep/er"), 0500));
    const char *const timed[] = {"bin/tool", "bin", "empty", "deep/er", "deep", "holes"};
    for (size_t i = 0; i < COUNT_OF(timed); i++)
        assert_ok(memfs_utimens(fs, below(root, timed[i]), 1500000000123456789 + (int64_t)i,
                                1400000000987654321 + (int64_t)i));
    assert_ok(memfs_utimens(fs, root, 1600000000000000001, 1600000000000000002));
}

#include "hosttree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#if !defined(O_NOATIME)
#define O_NOATIME 0
#endif

enum { GROUPS_MOST = 64 };

/* -------------------------------------------------------------------- set-up */

int hosttree_setup(void **state)
{
    struct hosttree *tree = calloc(1, sizeof *tree);
    void *fixture;
    if (tree == NULL || fixture_setup(&fixture) != 0)
        return -1;
    tree->fixture = fixture;
    tree->fs = tree->fixture->fs;
    strcpy(tree->root, "/tmp/memfs-hostdir-XXXXXX");
    if (mkdtemp(tree->root) == NULL)
        return -1;
    *state = tree;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* From the bottom up; directories are made readable on the way down. */
static int make_readable(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)walk;
    (void)kind;
    return S_ISDIR(status->st_mode) ? chmod(path, 0700) : 0;
}

static int remove_all(const char *path)
{
    (void)nftw(path, make_readable, 64, FTW_PHYS);
    return nftw(path, remove_one, 64, FTW_PHYS | FTW_DEPTH);
}

int hosttree_teardown(void **state)
{
    struct hosttree *tree = *state;
    void *fixture = tree->fixture;
    int result = remove_all(tree->root);
    if (fixture_teardown(&fixture) != 0)
        result = -1;
    free(tree);
    return result;
}

/* --------------------------------------------------------------------- steps */

const char *host(const struct hosttree *tree, const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", tree->root, name);
    return path;
}

void host_write(const struct hosttree *tree, const char *name, const char *text, unsigned mode)
{
    FILE *file = fopen(host(tree, name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(host(tree, name), (mode_t)mode), 0);
}

void host_mkdir(const struct hosttree *tree, const char *name, unsigned mode)
{
    assert_int_equal(mkdir(host(tree, name), (mode_t)mode), 0);
    assert_int_equal(chmod(host(tree, name), (mode_t)mode), 0);
}

void host_symlink(const struct hosttree *tree, const char *target, const char *name)
{
    assert_int_equal(symlink(target, host(tree, name)), 0);
}

static struct timespec timespec_of(int64_t ns)
{
    int64_t rest = ((ns % 1000000000) + 1000000000) % 1000000000;
    return (struct timespec){.tv_sec = (time_t)((ns - rest) / 1000000000), .tv_nsec = (long)rest};
}

void host_set_times(const struct hosttree *tree, const char *name, int64_t access_ns,
                    int64_t modify_ns)
{
    const struct timespec times[2] = {timespec_of(access_ns), timespec_of(modify_ns)};
    assert_int_equal(utimensat(AT_FDCWD, host(tree, name), times, AT_SYMLINK_NOFOLLOW), 0);
}

void host_remove(const struct hosttree *tree, const char *name)
{
    assert_int_equal(remove_all(host(tree, name)), 0);
}

bool host_exists(const struct hosttree *tree, const char *name)
{
    struct stat status;
    return lstat(host(tree, name), &status) == 0;
}

void host_check_text(const struct hosttree *tree, const char *name, const char *text)
{
    char found[256];
    FILE *file = fopen(host(tree, name), "r");
    assert_non_null(file);
    size_t length = fread(found, 1, sizeof found - 1, file);
    found[length] = '\0';
    fclose(file);
    assert_string_equal(found, text);
}

/* --------------------------------------------------------------- description */

struct description {
    char *text;
    size_t length, capacity;
    struct {
        dev_t device;
        ino_t number;
    } groups[GROUPS_MOST]; /* files with several names */
    int group_count;
};

static void add(struct description *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct description *d, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert_true(count >= 0 && (size_t)count < sizeof line);
    if (d->length + (size_t)count + 1 > d->capacity) {
        d->capacity = 2 * d->capacity + 4096;
        d->text = realloc(d->text, d->capacity);
        assert_non_null(d->text);
    }
    memcpy(d->text + d->length, line, (size_t)count + 1);
    d->length += (size_t)count;
}

static uint64_t hash_file(int directory, const char *name)
{
    unsigned char bytes[4096];
    uint64_t hash = UINT64_C(14695981039346656037);
    int descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NOATIME);
    assert_true(descriptor >= 0);
    ssize_t count;
    while ((count = read(descriptor, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < count; i++)
            hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    assert_int_equal(count, 0);
    close(descriptor);
    return hash;
}

static int group_of(struct description *d, const struct stat *status)
{
    int group = 0;
    while (group < d->group_count &&
           (d->groups[group].device != status->st_dev || d->groups[group].number != status->st_ino))
        group++;
    if (group == d->group_count) {
        assert_true(group < GROUPS_MOST);
        d->groups[group].device = status->st_dev;
        d->groups[group].number = status->st_ino;
        d->group_count++;
    }
    return group;
}

static void add_attributes(struct description *d, const char *path, const struct stat *status)
{
    add(d, "%s mode %o accessed %" PRId64 ".%09ld modified %" PRId64 ".%09ld", path,
        (unsigned)status->st_mode, (int64_t)status->st_atim.tv_sec, status->st_atim.tv_nsec,
        (int64_t)status->st_mtim.tv_sec, status->st_mtim.tv_nsec);
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* The names in a directory, sorted, with a null behind the last. */
static char **read_names(int directory)
{
    size_t count = 0, capacity = 16;
    char **names = malloc(capacity * sizeof *names);
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_NOATIME);
    DIR *stream = fdopendir(own);
    assert_true(names != NULL && stream != NULL);
    const struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count + 1 == capacity)
            names = realloc(names, (capacity *= 2) * sizeof *names);
        assert_non_null(names);
        names[count++] = strdup(entry->d_name);
    }
    closedir(stream);
    names[count] = NULL;
    qsort(names, count, sizeof *names, compare_names);
    return names;
}

static void describe_below(struct description *d, int directory, const char *path);

static void describe_entry(struct description *d, int directory, const char *name, const char *path)
{
    struct stat status;
    assert_int_equal(fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW), 0);
    if (S_ISDIR(status.st_mode)) {
        add_attributes(d, path, &status);
        add(d, "\n");
        int below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME);
        assert_true(below >= 0);
        describe_below(d, below, path);
        close(below);
    } else if (S_ISREG(status.st_mode)) {
        add_attributes(d, path, &status);
        add(d, " size %" PRId64 " hash %" PRIx64, (int64_t)status.st_size,
            hash_file(directory, name));
        if (status.st_nlink > 1)
            add(d, " group %d", group_of(d, &status));
        add(d, "\n");
    } else if (S_ISLNK(status.st_mode)) {
        char target[256];
        ssize_t length = readlinkat(directory, name, target, sizeof target);
        assert_true(length >= 0 && (size_t)length < sizeof target);
        /* Reading a link sets its time of access. */
        add(d, "%s modified %" PRId64 ".%09ld -> %.*s\n", path, (int64_t)status.st_mtim.tv_sec,
            status.st_mtim.tv_nsec, (int)length, target);
    }
}

static void describe_below(struct description *d, int directory, const char *path)
{
    char **names = read_names(directory);
    for (char **name = names; *name != NULL; name++) {
        char below[1024];
        snprintf(below, sizeof below, "%s/%s", path, *name);
        describe_entry(d, directory, *name, below);
        free(*name);
    }
    free(names);
}

char *host_describe(const struct hosttree *tree, const char *name)
{
    struct description d = {.text = NULL};
    int root = open(tree->root, O_RDONLY | O_DIRECTORY);
    assert_true(root >= 0);
    add(&d, "%s", "");
    describe_entry(&d, root, name, "");
    close(root);
    return d.text;
}

char *host_names(const struct hosttree *tree, const char *name)
{
    struct description d = {.text = NULL};
    int directory = open(host(tree, name), O_RDONLY | O_DIRECTORY | O_NOATIME);
    assert_true(directory >= 0);
    add(&d, "%s", "");
    char **names = read_names(directory);
    for (char **one = names; *one != NULL; one++) {
        add(&d, "%s ", *one);
        free(*one);
    }
    free(names);
    close(directory);
    return d.text;
}

/* -------------------------------------------------------------------- sample */

static void make_sparse(const struct hosttree *tree, const char *name)
{
    static const char text[] = "in the middle";
    int descriptor = open(host(tree, name), O_WRONLY | O_CREAT | O_EXCL, 0644);
    assert_true(descriptor >= 0);
    assert_int_equal(pwrite(descriptor, text, sizeof text, 1 << 20), sizeof text);
    assert_int_equal(ftruncate(descriptor, 3 << 20), 0);
    assert_int_equal(close(descriptor), 0);
}

static void make_large(const struct hosttree *tree, const char *name)
{
    static unsigned char bytes[200001];
    fill_pattern(bytes, sizeof bytes, 5);
    FILE *file = fopen(host(tree, name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, sizeof bytes, file), sizeof bytes);
    assert_int_equal(fclose(file), 0);
}

/*
 *     NAME/  file (0640), empty, script (0755), large (4 pieces), sparse (3 MiB)
 *     |      odd names; link -> file, dangling, loop -> loop, up -> ../NAME; a pipe
 *     |-- sub/        one, two (hard links), deep/three (another), times before 1970
 *     |-- none/       mode 0, with a file in it
 *     `-- readonly/   mode 0500, with a file in it
 */
void host_make_sample(const struct hosttree *tree, const char *name)
{
    char path[128];
#define IN(below) (snprintf(path, sizeof path, "%s/%s", name, below), path)
    host_mkdir(tree, name, 0755);
    host_write(tree, IN("file"), "contents", 0640);
    host_set_times(tree, IN("file"), INT64_C(1000000000000000005), INT64_C(1234567890123456789));
    host_write(tree, IN("empty"), "", 0600);
    host_write(tree, IN("script"), "#!", 0755);
    host_write(tree, IN(" odd\nname\t*?[\\"), "odd", 0644);
    host_write(tree, IN("\xff\xfe not UTF-8"), "bytes", 0644);
    host_write(tree, IN("..."), "dots", 0644);
    make_large(tree, IN("large"));
    make_sparse(tree, IN("sparse"));
    host_symlink(tree, "file", IN("link"));
    host_symlink(tree, "nowhere/at all", IN("dangling"));
    host_symlink(tree, "loop", IN("loop"));
    host_symlink(tree, "../sample", IN("up"));
    assert_int_equal(mkfifo(host(tree, IN("pipe")), 0600), 0);
    host_mkdir(tree, IN("sub"), 0711);
    host_mkdir(tree, IN("sub/deep"), 0700);
    host_write(tree, IN("sub/one"), "shared", 0604);
    assert_int_equal(link(host(tree, IN("sub/one")), host(tree, IN("sub/two"))), 0);
    assert_int_equal(link(host(tree, IN("sub/one")), host(tree, IN("sub/deep/three"))), 0);
    host_set_times(tree, IN("sub/deep"), -1, INT64_C(-1234567890123456789));
    host_mkdir(tree, IN("none"), 0700);
    host_write(tree, IN("none/hidden"), "hidden", 0);
    host_mkdir(tree, IN("readonly"), 0700);
    host_write(tree, IN("readonly/file"), "read only", 0400);
    assert_int_equal(chmod(host(tree, IN("none")), 0), 0);
    assert_int_equal(chmod(host(tree, IN("readonly")), 0500), 0);
    host_set_times(tree, IN("link"), INT64_C(11000000022), INT64_C(33000000044));
    host_set_times(tree, IN("sub"), INT64_C(5000000000), INT64_C(6000000007));
    host_set_times(tree, name, INT64_C(7000000000), INT64_C(8000000009));
#undef IN
}

/* --------------------------------------------------------------------- calls */

static int check_result(int returned, const memfs_hostdir_result *result)
{
    assert_int_equal(result->error, returned);
    assert_int_equal(returned == 0, result->path[0] == '\0');
    assert_true(returned == 0 || result->host_errno == 0 || returned == MEMFS_EIO);
    assert_true(returned != 0 || result->host_errno == 0);
    return returned;
}

int import_tree(const struct hosttree *tree, const char *from, const char *to,
                const memfs_hostdir_options *options, memfs_hostdir_result *result)
{
    memfs_hostdir_result own;
    result = result != NULL ? result : &own;
    result->struct_size = sizeof *result;
    return check_result(memfs_hostdir_import(tree->fs, host(tree, from), to, options, result),
                        result);
}

int export_tree(const struct hosttree *tree, const char *from, const char *to,
                const memfs_hostdir_options *options, memfs_hostdir_result *result)
{
    memfs_hostdir_result own;
    result = result != NULL ? result : &own;
    result->struct_size = sizeof *result;
    return check_result(memfs_hostdir_export(tree->fs, from, host(tree, to), options, result),
                        result);
}

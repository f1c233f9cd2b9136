/*
 * How much stack calls take, measured on a painted one: a thread paints what lies below its frame,
 * makes the call, and looks how far down the paint is gone.  Each call has been made once before,
 * so that the dynamic linker's work is not measured.
 *
 * The file of 2^62 bytes has page tables as high as they get; what is measured on it must not grow
 * with their height.  The deep tree stands for everything that recursion over directories would
 * show.
 *
 * With --print all figures are printed, highest first.
 */
#define _XOPEN_SOURCE 700
#include "checks.h"

#include <memfs/storage.h>

#include <pthread.h>

enum {
    STACK_BYTES = 512 * 1024,
    MARGIN = 256, /* not painted: what the painter's own frame may reach below its locals */
    PAINT = 0xa5,
    DEPTH = 60
};

/*
 * No call may take more.  Code that is not optimised has a slot for each variable, and one frame
 * for each function.
 */
#ifdef __OPTIMIZE__
enum { LIMIT = 1536 };
#else
enum { LIMIT = 2560 };
#endif

#define FAR (INT64_C(1) << 62)

static int prints;

struct site {
    memfs *fs;
    memfs_file *file; /* with pages at both ends of 2^62 bytes */
    memfs_file *small;
    memfs_content_ref content;
    char deep[4 * DEPTH];
    char data[5000];
    /* What calls fill in: it is the caller's, and no part of what they take. */
    memfs_stat_info stat;
    memfs_statfs_info figures;
    memfs_tree_info tree;
    memfs_dirent entry;
    memfs_mapping mapping;
    memfs_list names;
    memfs_config config;
};

struct step {
    const char *name;
    int64_t (*run)(struct site *site);
};

struct figure {
    const char *name;
    size_t bytes;
};

/* ------------------------------------------------------------------- calls */

static int64_t nothing(struct site *site)
{
    return site->fs == NULL;
}

static int64_t write_far(struct site *site)
{
    return memfs_pwrite(site->file, site->data, sizeof site->data, FAR);
}

static int64_t read_far(struct site *site)
{
    return memfs_pread(site->file, site->data, sizeof site->data, FAR);
}

static int64_t write_shared_far(struct site *site)
{
    int error = memfs_content_take(site->file, &site->content);
    int64_t written = error == 0 ? write_far(site) : error;
    return written < 0 ? written : memfs_content_drop(&site->content);
}

static int64_t cut_and_grow(struct site *site)
{
    int error = memfs_content_take(site->file, &site->content);
    if (error == 0)
        error = memfs_ftruncate(site->file, 100);
    int64_t written = error == 0 ? write_far(site) : error;
    return written < 0 ? written : memfs_content_drop(&site->content);
}

static int64_t punch_far(struct site *site)
{
    int error = memfs_fallocate(site->file, FAR - 1, 10, MEMFS_FALLOCATE_PUNCH_HOLE);
    if (error == 0)
        error = memfs_fallocate(site->file, 1, FAR - 8, MEMFS_FALLOCATE_PUNCH_HOLE);
    return error;
}

static int64_t allocate_far(struct site *site)
{
    return memfs_fallocate(site->file, FAR - 10000, 20000, 0);
}

static int64_t preallocate_far(struct site *site)
{
    int error = memfs_preallocate(site->file, FAR + 100000);
    return error == 0 ? memfs_preallocate(site->file, 0) : error;
}

static int64_t seek_far(struct site *site)
{
    int64_t data = memfs_seek(site->file, 10000, MEMFS_SEEK_DATA);
    return data < 0 ? data : memfs_seek(site->file, data, MEMFS_SEEK_HOLE);
}

static int64_t truncate_far(struct site *site)
{
    int error = memfs_ftruncate(site->file, FAR - 1);
    return error == 0 ? memfs_ftruncate(site->file, FAR + 4000) : error;
}

static int64_t refused_write(struct site *site)
{
    int64_t result = memfs_fallocate(site->file, 0, FAR, 0);
    return result == MEMFS_EDQUOT ? 0 : -1;
}

static int64_t stat_far(struct site *site)
{
    site->stat.struct_size = sizeof site->stat;
    return memfs_stat(site->fs, "/far", &site->stat);
}

static int64_t copy_far(struct site *site)
{
    int error = memfs_copy(site->fs, "/far", "/copy", 0);
    return error == 0 ? memfs_unlink(site->fs, "/copy") : error;
}

static int64_t copy_private(struct site *site)
{
    int64_t error = memfs_hold_private(site->file, 1);
    if (error == 0)
        error = copy_far(site);
    return error == 0 ? memfs_hold_private(site->file, 0) : error;
}

static int64_t map_far(struct site *site)
{
    int error = memfs_map(site->file, FAR, 10, &site->mapping);
    if (error == 0)
        memfs_unmap(&site->mapping);
    return error;
}

static int64_t usage_far(struct site *site)
{
    site->tree.struct_size = sizeof site->tree;
    return memfs_tree_usage(site->fs, "/", &site->tree);
}

static int64_t append_small(struct site *site)
{
    int error = memfs_ftruncate(site->small, 0);
    return error != 0 ? error : memfs_pwrite(site->small, site->data, 1000, 0);
}

static int64_t open_and_close(struct site *site)
{
    memfs_file *file;
    int error = memfs_open(site->fs, "/dir/new", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file);
    if (error == 0)
        error = memfs_close(file);
    return error == 0 ? memfs_unlink(site->fs, "/dir/new") : error;
}

static int64_t open_by_link(struct site *site)
{
    memfs_file *file;
    int error = memfs_open(site->fs, "/link/small", MEMFS_O_READ, 0, &file);
    return error == 0 ? memfs_close(file) : error;
}

static int64_t make_and_remove_directory(struct site *site)
{
    int error = memfs_mkdir(site->fs, "/dir/new", 0755);
    return error == 0 ? memfs_rmdir(site->fs, "/dir/new") : error;
}

static int64_t make_deep(struct site *site)
{
    return memfs_mkdir_parents(site->fs, site->deep, 0755);
}

static int64_t rename_back_and_forth(struct site *site)
{
    int error = memfs_rename(site->fs, "/dir/small", "/moved", 0);
    return error == 0 ? memfs_rename(site->fs, "/moved", "/dir/small", 0) : error;
}

static int64_t link_names(struct site *site)
{
    int error = memfs_link(site->fs, "/dir/small", "/second");
    if (error == 0)
        error = memfs_unlink(site->fs, "/second");
    if (error == 0)
        error = memfs_symlink(site->fs, "target", "/third", 0);
    return error == 0 ? memfs_unlink(site->fs, "/third") : error;
}

static int64_t list(struct site *site)
{
    memfs_dir *dir;
    site->entry.struct_size = sizeof site->entry;
    int error = memfs_opendir(site->fs, "/dir", &dir);
    if (error != 0)
        return error;
    while (memfs_readdir(dir, &site->entry) > 0)
        continue;
    return memfs_closedir(dir);
}

static int visit(void *context, const memfs_walk_entry *entry)
{
    (void)context;
    return entry->path == NULL;
}

static int64_t walk(struct site *site)
{
    return memfs_walk(site->fs, "/", visit, NULL);
}

static int64_t find_by_pattern(struct site *site)
{
    site->names.struct_size = sizeof site->names;
    int error = memfs_glob(site->fs, "/*/sm[a-z]*", &site->names);
    if (error == 0)
        memfs_list_free(site->fs, &site->names);
    return error;
}

static int64_t copy_and_remove_tree(struct site *site)
{
    int error = memfs_copy_tree(site->fs, "/d", "/twin", 0);
    return error == 0 ? memfs_remove_tree(site->fs, "/twin") : error;
}

static int64_t snapshot(struct site *site)
{
    int error = memfs_snapshot_take(site->fs, "one");
    return error == 0 ? memfs_snapshot_remove(site->fs, "one") : error;
}

static int64_t audit(struct site *site)
{
    return memfs_audit(site->fs);
}

static int64_t figures(struct site *site)
{
    site->figures.struct_size = sizeof site->figures;
    return memfs_statfs(site->fs, &site->figures);
}

static int64_t whole_file(struct site *site)
{
    void *data;
    size_t size;
    int error = memfs_write_file(site->fs, "/whole", site->data, sizeof site->data, 0644, 0);
    if (error == 0)
        error = memfs_read_file(site->fs, "/whole", 1 << 20, &data, &size);
    if (error == 0)
        memfs_free(site->fs, data);
    return error;
}

static int64_t locking(struct site *site)
{
    int error = memfs_lock(site->small, MEMFS_LOCK_EXCLUSIVE, 0);
    return error == 0 ? memfs_unlock(site->small) : error;
}

static int64_t create_and_destroy(struct site *site)
{
    memfs *fs;
    int error = memfs_create(&site->config, &fs);
    return error == 0 ? memfs_destroy(fs, 0) : error == MEMFS_EOPNOTSUPP ? 0 : error;
}

static const struct step steps[] = {
    {"nothing", nothing},
    {"pwrite", write_far},
    {"pread", read_far},
    {"pwrite, shared", write_shared_far},
    {"ftruncate, pwrite, shared", cut_and_grow},
    {"punch", punch_far},
    {"fallocate", allocate_far},
    {"preallocate", preallocate_far},
    {"pwrite again", write_far},
    {"seek to data and hole", seek_far},
    {"ftruncate", truncate_far},
    {"fallocate, refused", refused_write},
    {"stat", stat_far},
    {"copy, unlink", copy_far},
    {"copy of a private file", copy_private},
    {"map", map_far},
    {"tree_usage", usage_far},
    {"pwrite of a small file", append_small},
    {"open with create, close, unlink", open_and_close},
    {"open by a symbolic link", open_by_link},
    {"mkdir, rmdir", make_and_remove_directory},
    {"mkdir_parents", make_deep},
    {"rename", rename_back_and_forth},
    {"link, symlink, unlink", link_names},
    {"opendir, readdir", list},
    {"walk", walk},
    {"glob", find_by_pattern},
    {"copy_tree, remove_tree", copy_and_remove_tree},
    {"snapshot", snapshot},
    {"audit", audit},
    {"statfs", figures},
    {"write_file, read_file", whole_file},
    {"lock", locking},
    {"create, destroy", create_and_destroy},
};

/* --------------------------------------------------------------- measuring */

struct measurement {
    struct site *site;
    const struct step *step;
    unsigned char *stack;
    size_t bytes;
    int64_t results[2];
};

/* Everything between the end of the stack and this frame is painted, and looked at afterwards. */
static void *measure_on_thread(void *argument)
{
    struct measurement *m = argument;
    volatile unsigned char here = 0;
    volatile unsigned char *lowest = m->stack + STACK_BYTES / 4;
    volatile unsigned char *top = m->stack + ((uintptr_t)&here - (uintptr_t)m->stack) - MARGIN;
    m->results[0] = m->step->run(m->site);
    for (volatile unsigned char *p = lowest; p < top; p++)
        *p = PAINT;
    m->results[1] = m->step->run(m->site);
    while (lowest < top && *lowest == PAINT)
        lowest++;
    m->bytes = (size_t)((uintptr_t)&here - (uintptr_t)lowest);
    return NULL;
}

static size_t measure(struct site *site, const struct step *step)
{
    pthread_t thread;
    pthread_attr_t attributes;
    struct measurement m = {.site = site, .step = step};
    void *stack = NULL;
    assert_int_equal(posix_memalign(&stack, 65536, STACK_BYTES), 0);
    m.stack = stack;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, measure_on_thread, &m), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    free(stack);
    if (m.results[0] < 0 || m.results[1] < 0)
        fail_msg("%s: %s, %s", step->name, memfs_error_name((int)m.results[0]),
                 memfs_error_name((int)m.results[1]));
    return m.bytes;
}

static void set_up(struct site *site, struct fixture *f)
{
    *site = (struct site){.fs = f->fs, .config = memfs_config_default()};
    for (int i = 0; i < DEPTH; i++)
        strcat(site->deep, "/d");
    site->file = create_file(f->fs, "/far");
    assert_returns(memfs_pwrite(site->file, "x", 1, 0), 1);
    assert_ok(memfs_mkdir(f->fs, "/dir", 0755));
    assert_ok(memfs_symlink(f->fs, "dir", "/link", 0));
    site->small = create_file(f->fs, "/dir/small");
    assert_ok(memfs_mkdir_parents(f->fs, site->deep, 0755));
}

static int by_bytes(const void *a, const void *b)
{
    const struct figure *x = a, *y = b;
    return x->bytes < y->bytes ? 1 : x->bytes > y->bytes ? -1 : 0;
}

static void check_page_size(uint32_t page_size)
{
    memfs_config config = memfs_config_default();
    config.page_size = page_size;
    struct fixture *f = fixture_create(&config);
    struct site site;
    struct figure found[COUNT_OF(steps)];
    set_up(&site, f);
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        found[i] = (struct figure){steps[i].name, measure(&site, &steps[i])};
    size_t own = found[0].bytes;
    qsort(found, COUNT_OF(steps), sizeof *found, by_bytes);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        if (prints || found[i].bytes - own > LIMIT)
            print_message("%7u  %5zu  %s\n", page_size, found[i].bytes - own, found[i].name);
    }
    assert_true(found[0].bytes - own <= LIMIT);
    assert_ok(memfs_close(site.file));
    assert_ok(memfs_close(site.small));
    fixture_destroy(f);
}

static void no_call_takes_more_stack_than_its_limit_at_any_page_size(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {MEMFS_PAGE_SIZE_MIN, MEMFS_PAGE_SIZE_DEFAULT,
                                     MEMFS_PAGE_SIZE_MAX};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        check_page_size(sizes[i]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_call_takes_more_stack_than_its_limit_at_any_page_size),
    };
    prints = argc > 1 && strcmp(argv[1], "--print") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

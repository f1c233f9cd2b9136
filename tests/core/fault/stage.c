#include "stage.h"

#include <memfs/storage.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY_NAMES = 40 };

void stage_must(int64_t result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "stage: %s says %s\n", what, memfs_error_name((int)result));
    abort();
}

const unsigned char *stage_pattern(void)
{
    static unsigned char pattern[STAGE_PATTERN_BYTES];
    for (size_t i = 0; i < sizeof pattern && pattern[1] == 0; i++)
        pattern[i] = (unsigned char)(i * 7 + i / 251 + 1);
    return pattern;
}

static void make_file(memfs *fs, const char *path, size_t size)
{
    stage_must(memfs_write_file(fs, path, stage_pattern(), size, 0644, 0), path);
}

static void make_tree(struct stage *stage)
{
    memfs *fs = stage->fs;
    size_t page = stage->page_size;
    make_file(fs, "/file", page * 3);
    stage_must(memfs_link(fs, "/file", "/other"), "/other");
    make_file(fs, "/small", 10);
    make_file(fs, "/twin", page * 4);
    stage_must(memfs_copy(fs, "/twin", "/shared", 0), "/shared");
    make_file(fs, "/log", page + page / 2);
    stage_must(memfs_symlink(fs, "file", "/link", 0), "/link");
    stage_must(memfs_mkdir(fs, "/empty", 0755), "/empty");
    stage_must(memfs_mkdir_parents(fs, "/d/e", 0755), "/d/e");
    make_file(fs, "/d/x", 100);
    make_file(fs, "/d/y", page + 1);
    make_file(fs, "/d/e/f", page * 2);
    stage_must(memfs_link(fs, "/d/x", "/d/e/g"), "/d/e/g");
    stage_must(memfs_mkdir(fs, "/many", 0755), "/many");
    for (int i = 0; i < MANY_NAMES; i++) {
        char path[64];
        snprintf(path, sizeof path, "/many/a-name-that-is-not-so-short-%d", i);
        stage_must(memfs_symlink(fs, "nowhere", path, 0), path);
    }
}

static void open_files(struct stage *stage)
{
    memfs *fs = stage->fs;
    memfs_file *sparse;
    uint32_t create = MEMFS_O_RDWR | MEMFS_O_CREATE;
    stage_must(memfs_open(fs, "/sparse", create, 0644, &sparse), "/sparse");
    stage_must(memfs_pwrite(sparse, stage_pattern(), stage->page_size, 2 * stage->page_size),
               "pwrite");
    stage_must(memfs_close(sparse), "close");
    stage_must(memfs_open(fs, "/file", MEMFS_O_RDWR, 0, &stage->file), "/file");
    stage_must(memfs_open(fs, "/small", MEMFS_O_READ, 0, &stage->reader), "/small");
    stage_must(memfs_open(fs, "/log", MEMFS_O_RDWR | MEMFS_O_APPEND, 0, &stage->log), "/log");
    stage_must(memfs_opendir(fs, "/d", &stage->dir), "/d");
    stage_must(memfs_opendir(fs, "/many", &stage->stream), "/many");
    stage_must(memfs_seek(stage->file, 17, MEMFS_SEEK_SET), "seek");
}

static void log_to_stderr(void *context, int level, const char *message)
{
    (void)context;
    if (level >= MEMFS_LOG_ERROR)
        fprintf(stderr, "memfs: %s\n", message);
}

struct stage *stage_create(uint32_t page_size, uint32_t config_flags)
{
    struct stage *stage = calloc(1, sizeof *stage);
    if (stage == NULL)
        abort();
    memfs_config config = memfs_config_default();
    config.quota_bytes = STAGE_QUOTA_BYTES;
    config.page_size = page_size;
    config.flags = config_flags;
    config.log = log_to_stderr;
    stage->fixture = fixture_create(&config);
    if (stage->fixture == NULL)
        abort();
    stage->fs = stage->fixture->fs;
    stage->page_size = page_size;
    stage->list.struct_size = sizeof stage->list;
    make_tree(stage);
    open_files(stage);
    return stage;
}

static void close_file(memfs_file *file)
{
    if (file != NULL)
        stage_must(memfs_close(file), "close");
}

static void close_dir(memfs_dir *dir)
{
    if (dir != NULL)
        stage_must(memfs_closedir(dir), "closedir");
}

void stage_destroy(struct stage *stage)
{
    stage_must(memfs_audit(stage->fs), "audit");
    close_file(stage->file);
    close_file(stage->reader);
    close_file(stage->log);
    close_file(stage->opened);
    close_dir(stage->dir);
    close_dir(stage->stream);
    close_dir(stage->opened_dir);
    if (stage->clone != NULL)
        stage_must(memfs_destroy(stage->clone, 0), "destroying the clone");
    if (stage->comparison != NULL)
        stage_must(memfs_compare_close(stage->comparison), "compare_close");
    if (stage->walker != NULL)
        stage_must(memfs_walk_close(stage->walker), "walk_close");
    if (stage->has_mapping)
        stage_must(memfs_unmap(&stage->mapping), "unmap");
    if (stage->has_version)
        stage_must(memfs_content_drop(&stage->version), "version_drop");
    if (stage->has_list)
        memfs_list_free(stage->fs, &stage->list);
    stage_must(memfs_free(stage->fs, stage->memory), "free");
    fixture_destroy(stage->fixture);
    free(stage);
}

char *stage_describe(struct stage *stage)
{
    char *tree = fixture_describe(stage->fs);
    size_t room = strlen(tree) + 128;
    char *text = malloc(room);
    if (text == NULL)
        abort();
    snprintf(text, room, "%soffsets %" PRId64 " %" PRId64 " %" PRId64 "\n", tree,
             stage->file == NULL ? -1 : memfs_tell(stage->file),
             stage->reader == NULL ? -1 : memfs_tell(stage->reader),
             stage->log == NULL ? -1 : memfs_tell(stage->log));
    free(tree);
    return text;
}

memfs_statfs_info stage_figures(struct stage *stage)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    stage_must(memfs_statfs(stage->fs, &info), "statfs");
    return info;
}

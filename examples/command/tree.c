/*
 * Filling and saving.
 *
 * Both ways of filling make a new directory, and a root cannot be replaced.  So the tree is filled
 * below STAGE, and its entries are moved up, which costs no copy.  An input with an entry of that
 * very name cannot be used.
 */
#include "tree.h"

#include "progress.h"

#include <memfs/archive.h>
#include <memfs/hostdir.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char STAGE[] = "/.memfs-command";

/* A place in the tree, as it will be called when the stage is gone. */
static const char *place_in_tree(const char *path)
{
    size_t length = sizeof STAGE - 1;
    return strncmp(path, STAGE, length) == 0 && path[length] != '\0' ? path + length : path;
}

static enum ending make_empty(const struct options *options, memfs **fs)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = options->quota_bytes;
    config.node_limit = options->node_limit;
    *fs = NULL;
    int error = memfs_create(&config, fs);
    return error == 0 ? DONE : complain_of("an empty tree", "", error, "");
}

/* The end of a copy: 0 and DONE, or what was refused.  `message` is more about it, or empty. */
static enum ending complain_of_copy(const char *what, const char *place, int error, int host_errno,
                                    const char *message)
{
    if (error == 0)
        return DONE;
    return complain_of(what, place_in_tree(place), error,
                       host_errno != 0 ? strerror(host_errno) : message);
}

/* -------------------------------------------------------------------- watching */

static int watch_archive(void *context, const memfs_archive_progress *now)
{
    progress_show(context, now->entries_done, now->entries_total, now->bytes_done);
    return 0;
}

static int watch_directory(void *context, const memfs_hostdir_progress *now)
{
    progress_show(context, now->entries_done, now->entries_total, now->bytes_done);
    return 0;
}

/* --------------------------------------------------------------------- filling */

static enum ending load_archive(const struct options *options, const char *from, memfs *fs)
{
    static memfs_archive_result result;
    struct progress progress;
    progress_begin(&progress, "reading", options->is_quiet);
    result = (memfs_archive_result){.struct_size = sizeof result};
    memfs_archive_where where = {.struct_size = sizeof where, .path = from};
    memfs_archive_options how = {.struct_size = sizeof how,
                                 .flags = MEMFS_ARCHIVE_OUTER_LINKS,
                                 .exclude = options->excluded,
                                 .watch_context = &progress,
                                 .watch = watch_archive};
    int error = memfs_archive_load(fs, &where, STAGE, &how, &result);
    progress_end(&progress);
    return complain_of_copy(from, result.path, error, result.host_errno, result.message);
}

static enum ending import_directory(const struct options *options, const char *from, memfs *fs)
{
    static memfs_hostdir_result result;
    struct progress progress;
    progress_begin(&progress, "reading", options->is_quiet);
    result = (memfs_hostdir_result){.struct_size = sizeof result};
    memfs_hostdir_options how = {.struct_size = sizeof how,
                                 .exclude = options->excluded,
                                 .watch_context = &progress,
                                 .watch = watch_directory};
    int error = memfs_hostdir_import(fs, from, STAGE, &how, &result);
    progress_end(&progress);
    return complain_of_copy(from, result.path, error, result.host_errno, "");
}

/* The root gets the mode and times of the stage, and all that is in it. */
static int move_up(memfs *fs)
{
    memfs_dir *dir;
    memfs_dirent entry;
    memfs_stat_info info = {.struct_size = sizeof info};
    char from[MEMFS_PATH_MAX + 1], to[MEMFS_PATH_MAX + 1];
    int result = memfs_stat(fs, STAGE, &info);
    if (result == 0)
        result = memfs_opendir(fs, STAGE, &dir);
    if (result != 0)
        return result;
    entry.struct_size = sizeof entry;
    while ((result = memfs_readdir(dir, &entry)) == 1) {
        snprintf(from, sizeof from, "%s/%s", STAGE, entry.name);
        snprintf(to, sizeof to, "/%s", entry.name);
        int error = memfs_rename(fs, from, to, 0);
        if (error != 0) {
            (void)memfs_closedir(dir);
            return error;
        }
    }
    int closed = memfs_closedir(dir);
    if (result == 0)
        result = closed;
    if (result == 0)
        result = memfs_rmdir(fs, STAGE);
    if (result == 0)
        result = memfs_chmod(fs, "/", info.mode);
    return result != 0 ? result : memfs_utimens(fs, "/", info.access_ns, info.modify_ns);
}

enum ending tree_open(const struct options *options, const char *from, memfs **fs)
{
    struct stat info;
    enum ending ending = make_empty(options, fs);
    if (ending != DONE)
        return ending;
    bool is_directory = stat(from, &info) == 0 && S_ISDIR(info.st_mode);
    ending = is_directory ? import_directory(options, from, *fs) : load_archive(options, from, *fs);
    if (ending != DONE)
        return ending;
    int error = move_up(*fs);
    return error == 0 ? DONE : complain_of(from, "", error, "");
}

/* ---------------------------------------------------------------------- saving */

enum ending tree_save(const struct options *options, memfs *fs, const char *archive)
{
    static memfs_archive_result result;
    struct progress progress;
    progress_begin(&progress, "writing", options->is_quiet);
    result = (memfs_archive_result){.struct_size = sizeof result};
    memfs_archive_where where = {.struct_size = sizeof where, .path = archive};
    memfs_archive_options how = {.struct_size = sizeof how,
                                 .flags = options->replaces ? MEMFS_ARCHIVE_REPLACE : 0,
                                 .watch_context = &progress,
                                 .watch = watch_archive};
    int error = memfs_archive_save(fs, "/", &where, &how, &result);
    progress_end(&progress);
    if (error == MEMFS_EEXIST || result.host_errno == EEXIST)
        return complain_of(archive, "", error, "it exists (-f replaces it)");
    return complain_of_copy(archive, result.path, error, result.host_errno, result.message);
}

enum ending tree_export(const struct options *options, memfs *fs, const char *directory)
{
    static memfs_hostdir_result result;
    struct progress progress;
    struct stat info;
    progress_begin(&progress, "writing", options->is_quiet);
    if (!options->replaces && lstat(directory, &info) == 0)
        return complain_of(directory, "", MEMFS_EEXIST, "it exists (-f replaces it)");
    result = (memfs_hostdir_result){.struct_size = sizeof result};
    memfs_hostdir_options how = {.struct_size = sizeof how,
                                 .flags = options->replaces ? MEMFS_HOSTDIR_REPLACE : 0,
                                 .watch_context = &progress,
                                 .watch = watch_directory};
    int error = memfs_hostdir_export(fs, "/", directory, &how, &result);
    progress_end(&progress);
    return complain_of_copy(directory, result.path, error, result.host_errno, "");
}

#include "filter.h"

#include <string.h>

static bool matches_one(const char *const *patterns, const char *path)
{
    int matches = 0;
    for (; *patterns != NULL && !matches; patterns++)
        (void)memfs_glob_match(*patterns, path, &matches); /* all are sound: job.c has looked */
    return matches != 0;
}

int mfs_filter_ask(const struct mfs_hostdir_job *job, const memfs_hostdir_entry *entry)
{
    const memfs_hostdir_options *options = &job->options;
    bool is_directory = entry->kind == MEMFS_KIND_DIRECTORY;
    if (options->exclude != NULL && matches_one(options->exclude, entry->path))
        return MEMFS_HOSTDIR_LEAVE;
    if (options->include != NULL && !is_directory && !matches_one(options->include, entry->path))
        return MEMFS_HOSTDIR_LEAVE;
    if (options->max_file_bytes != 0 && entry->kind == MEMFS_KIND_FILE &&
        entry->size_bytes > options->max_file_bytes)
        return MEMFS_HOSTDIR_LEAVE;
    if (options->filter == NULL)
        return MEMFS_HOSTDIR_TAKE;
    int answer = options->filter(options->filter_context, entry);
    return answer <= MEMFS_HOSTDIR_LEAVE ? answer : MEMFS_EINVAL;
}

bool mfs_filter_ends_at(const struct mfs_hostdir_job *job, uint32_t depth)
{
    return job->options.max_depth != 0 && depth >= job->options.max_depth;
}

static size_t component_length(const char *path)
{
    return strcspn(path, "/");
}

bool mfs_filter_is_inner(const char *target, uint32_t depth)
{
    uint32_t ups = 0;
    bool has_name = false;
    if (*target == '/')
        return false;
    while (*target != '\0') {
        size_t length = component_length(target);
        bool leads_up = length == 2 && target[0] == '.' && target[1] == '.';
        if (leads_up && (has_name || ++ups >= depth))
            return false;
        has_name = has_name || (!leads_up && length > 0 && !(length == 1 && target[0] == '.'));
        target += length;
        target += *target == '/';
    }
    return true;
}

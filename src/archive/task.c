#include "task.h"

#include "callerstruct.h"

#include <archive.h>
#include <errno.h>
#include <string.h>

#define LOAD_FLAGS \
    (MEMFS_ARCHIVE_REPLACE | MEMFS_ARCHIVE_OUTER_LINKS | MEMFS_ARCHIVE_LAST_COUNTS | \
     MEMFS_ARCHIVE_SPECIAL_BITS | MEMFS_ARCHIVE_OWNERS | MEMFS_ARCHIVE_NO_SURVEY)
#define SAVE_FLAGS (MEMFS_ARCHIVE_REPLACE | MEMFS_ARCHIVE_AT_ONCE | MEMFS_ARCHIVE_DETERMINISTIC)

/* The part of a result that every caller must have room for. */
#define RESULT_BYTES_LEAST offsetof(memfs_archive_result, files)

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

static bool are_sound_patterns(const char *const *patterns)
{
    int matches;
    for (; patterns != NULL && *patterns != NULL; patterns++)
        if (memfs_glob_match(*patterns, "", &matches) != 0)
            return false;
    return true;
}

static bool is_sound_place(const memfs_archive_where *where, bool is_load)
{
    switch (where->kind) {
    case MEMFS_ARCHIVE_HOST_FILE:
    case MEMFS_ARCHIVE_TREE_FILE:
        return where->path != NULL && where->path[0] != '\0';
    case MEMFS_ARCHIVE_BUFFER:
        return (where->buffer != NULL || where->buffer_bytes == 0) &&
               (uint64_t)where->buffer_bytes <= INT64_MAX;
    case MEMFS_ARCHIVE_DESCRIPTOR:
        return where->descriptor >= 0;
    case MEMFS_ARCHIVE_CALLBACKS:
        return is_load ? where->read != NULL && where->size >= 0 : where->write != NULL;
    default:
        return false;
    }
}

static bool is_sound(const struct mfs_archive_task *task, const struct mfs_archive_request *request)
{
    const memfs_archive_options *options = &task->options;
    uint32_t known = request->is_load ? LOAD_FLAGS : SAVE_FLAGS;
    if (request->fs == NULL || request->root == NULL || (options->flags & ~known) != 0)
        return false;
    if (options->format > MEMFS_ARCHIVE_CPIO || options->compression > MEMFS_ARCHIVE_LZ4 ||
        options->max_path_bytes > MEMFS_PATH_MAX)
        return false;
    if (options->format == MEMFS_ARCHIVE_ZIP && options->compression > MEMFS_ARCHIVE_NONE)
        return false;
    return is_sound_place(&task->where, request->is_load) && are_sound_patterns(options->include) &&
           are_sound_patterns(options->exclude);
}

static int read_request(struct mfs_archive_task *task, const struct mfs_archive_request *request)
{
    int error = request->where != NULL ? 0 : MEMFS_EINVAL;
    if (error == 0)
        error = mfs_callerstruct_read(&task->options, sizeof task->options, request->options);
    if (error == 0)
        error = mfs_callerstruct_read(&task->where, sizeof task->where, request->where);
    if (error == 0 && request->result != NULL)
        error = mfs_callerstruct_check(request->result, RESULT_BYTES_LEAST,
                                       sizeof *request->result);
    if (error != 0)
        return error;
    if (!is_sound(task, request))
        return MEMFS_EINVAL;
    if (task->options.max_entries == 0)
        task->options.max_entries = MEMFS_ARCHIVE_ENTRIES_DEFAULT;
    if (task->options.max_path_bytes == 0)
        task->options.max_path_bytes = MEMFS_PATH_MAX;
    return 0;
}

int mfs_task_init(struct mfs_archive_task *task, const struct mfs_archive_request *request)
{
    memset(task, 0, sizeof *task);
    task->fs = request->fs;
    task->root = request->root;
    task->progress.path = "";
    int error = read_request(task, request);
    if (error != 0)
        return error;
    void *buffer;
    error = memfs_charged_alloc(task->fs, MFS_ARCHIVE_PIECE_BYTES, &buffer);
    if (error != 0) {
        (void)mfs_task_fail(task, "", error, NULL);
        return mfs_task_fini(task, request, error);
    }
    task->buffer = buffer;
    mfs_charset_init(&task->charset);
    return 0;
}

int mfs_task_fini(struct mfs_archive_task *task, const struct mfs_archive_request *request,
                  int error)
{
    if (task->buffer != NULL) {
        mfs_charset_fini(&task->charset);
        (void)memfs_free(task->fs, task->buffer);
    }
    memfs_archive_result *out = request->result;
    if (out != NULL) {
        task->result.error = error;
        mfs_callerstruct_write(out, &task->result, sizeof task->result);
    }
    return error;
}

/* ------------------------------------------------------------------ failures */

/* Words may have names in them, which may have control characters in them. */
static void note_words(struct mfs_archive_task *task, const char *words)
{
    size_t at = 0;
    for (; words[at] != '\0' && at + 1 < sizeof task->result.message; at++)
        task->result.message[at] = words[at] >= ' ' && words[at] <= '~' ? words[at] : '?';
    task->result.message[at] = '\0';
}

int mfs_task_fail(struct mfs_archive_task *task, const char *path, int error, const char *words)
{
    if (error == 0 || task->result.error != 0)
        return error;
    task->result.error = error;
    size_t length = smaller(strlen(path), MEMFS_PATH_MAX);
    memcpy(task->result.path, path, length);
    task->result.path[length] = '\0';
    if (words != NULL)
        note_words(task, words);
    return error;
}

int mfs_task_fail_on_host(struct mfs_archive_task *task, int host_errno)
{
    if (host_errno == 0)
        return 0;
    if (task->result.error == 0)
        task->result.host_errno = host_errno;
    return mfs_task_fail(task, "", MEMFS_EIO, NULL);
}

int mfs_task_fail_in_archive(struct mfs_archive_task *task, struct archive *archive,
                             const char *path, int error)
{
    const char *words = archive_error_string(archive);
    if (task->transfer_errno != 0)
        return mfs_task_fail_on_host(task, task->transfer_errno);
    if (task->transfer_error != 0)
        return mfs_task_fail(task, path, task->transfer_error, NULL);
    if (archive_errno(archive) == ENOMEM)
        error = MEMFS_ENOMEM;
    return mfs_task_fail(task, path, error, words);
}

int mfs_task_fail_transfer(struct mfs_archive_task *task, int error, int host_errno)
{
    if (task->transfer_error == 0) {
        task->transfer_error = error;
        task->transfer_errno = host_errno;
    }
    return -1;
}

/* ------------------------------------------------------------------ progress */

int mfs_task_tell(struct mfs_archive_task *task, const char *path)
{
    if (path != NULL)
        task->progress.path = path;
    if (task->options.watch == NULL)
        return 0;
    mfs_charset_pause(&task->charset);
    int answer = task->options.watch(task->options.watch_context, &task->progress);
    mfs_charset_resume(&task->charset);
    return answer <= 0 ? answer : MEMFS_EINVAL;
}

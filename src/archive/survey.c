/*
 * What is declared is refused when its sum passes what the quota could ever take, at the header
 * that does it: so a survey skips no more data than what may fit.
 */
#include "survey.h"

int mfs_survey_check_bytes(const struct mfs_archive_task *task, uint64_t bytes)
{
    return task->options.max_bytes != 0 && bytes > task->options.max_bytes ? MEMFS_EFBIG : 0;
}

/* What could be used for data if all else that is not in use were there for it. */
static uint64_t room_of(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    if (memfs_statfs(fs, &info) != 0 || info.quota_bytes == 0)
        return UINT64_MAX;
    return info.quota_bytes > info.used_bytes ? info.quota_bytes - info.used_bytes : 0;
}

/* Asks for as much as cannot be had, so that the refusal is recorded as any other, and a callback
 * for refusals can make room. */
static int refuse_by_quota(memfs *fs, uint64_t bytes)
{
    memfs_file *file;
    int error = memfs_open(fs, "/", MEMFS_O_WRITE | MEMFS_O_TMPFILE, 0600, &file);
    if (error != 0)
        return error;
    error = memfs_fallocate(file, 0, (int64_t)bytes, 0);
    (void)memfs_close(file);
    return error;
}

static int add_item(struct mfs_archive_task *task, const struct mfs_archive_item *item)
{
    memfs_archive_progress *progress = &task->progress;
    if (item->kind == MFS_ARCHIVE_ITEM_SPECIAL || item->kind == MFS_ARCHIVE_ITEM_FILTERED)
        return 0;
    progress->entries_total++;
    if (item->data_bytes > INT64_MAX - progress->bytes_total)
        return MEMFS_EFBIG;
    progress->bytes_total += item->data_bytes;
    int error = mfs_survey_check_bytes(task, progress->bytes_total);
    if (error == 0 && progress->bytes_total > room_of(task->fs))
        error = refuse_by_quota(task->fs, progress->bytes_total);
    return error;
}

int mfs_survey_run(struct mfs_archive_input *input, struct mfs_archive_item *item)
{
    struct mfs_archive_task *task = input->task;
    struct mfs_archive_reader reader;
    int result = mfs_reader_open(&reader, input);
    if (result != 0)
        return result;
    while ((result = mfs_reader_next(&reader)) == 1) {
        result = mfs_item_read(item, &reader);
        if (result == 0)
            result = mfs_task_fail(task, item->name.path, add_item(task, item), NULL);
        if (result == 0)
            result = mfs_task_fail(task, "", mfs_task_tell(task, NULL), NULL);
        if (result != 0)
            break;
    }
    mfs_reader_close(&reader);
    return result;
}

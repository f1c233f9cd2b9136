/*
 * From an archive into the tree: the survey, if the archive can be read twice, and then the stage,
 * which is filled and renamed to the destination, or removed whatever happens.
 */
#include "survey.h"
#include "unpack.h"

/* Refuses early what publishing would refuse, as far as it can be seen now. */
static int check_destination(const struct mfs_archive_task *task)
{
    memfs_stat_info there = {.struct_size = sizeof there};
    int error = memfs_lstat(task->fs, task->root, &there);
    if (error == MEMFS_ENOENT)
        return 0;
    if (error == 0 && !mfs_task_has(task, MEMFS_ARCHIVE_REPLACE))
        return MEMFS_EEXIST;
    return error;
}

static int unpack_all(struct mfs_archive_unpacker *unpacker)
{
    int result;
    while ((result = mfs_reader_next(&unpacker->reader)) == 1) {
        result = mfs_item_read(&unpacker->item, &unpacker->reader);
        if (result == 0)
            result = mfs_unpack_item(unpacker);
        if (result != 0)
            return result;
    }
    return result;
}

static int load_by_stage(struct mfs_archive_unpacker *unpacker)
{
    struct mfs_archive_task *task = unpacker->task;
    bool replaces = mfs_task_has(task, MEMFS_ARCHIVE_REPLACE);
    unsigned flags = MEMFS_RENAME_MAKE_PARENTS |
                     (replaces ? MEMFS_RENAME_REPLACE_TREE : MEMFS_RENAME_NOREPLACE);
    int error = mfs_task_fail(task, "", mfs_loadstage_make(&unpacker->stage, task->fs), NULL);
    if (error != 0)
        return error;
    error = unpack_all(unpacker);
    if (error == 0)
        error = mfs_task_fail(task, "", mfs_task_tell(task, ""), NULL);
    if (error == 0)
        error = mfs_task_fail(task, "", mfs_loadstage_publish(&unpacker->stage, task->root, flags),
                              NULL);
    mfs_loadstage_fini(&unpacker->stage);
    return error;
}

static int load(struct mfs_archive_unpacker *unpacker, struct mfs_archive_input *input)
{
    struct mfs_archive_task *task = unpacker->task;
    int error = 0;
    if (mfs_input_has_twice(input) && !mfs_task_has(task, MEMFS_ARCHIVE_NO_SURVEY))
        error = mfs_survey_run(input, &unpacker->item);
    if (error == 0)
        error = mfs_reader_open(&unpacker->reader, input);
    if (error != 0)
        return error;
    error = load_by_stage(unpacker);
    mfs_reader_close(&unpacker->reader);
    return error;
}

int memfs_archive_load(memfs *fs, const memfs_archive_where *from, const char *path,
                       const memfs_archive_options *options, memfs_archive_result *result)
{
    const struct mfs_archive_request request = {.fs = fs,
                                                .root = path,
                                                .where = from,
                                                .options = options,
                                                .result = result,
                                                .is_load = true};
    struct mfs_archive_task task;
    struct mfs_archive_unpacker unpacker = {.task = &task};
    struct mfs_archive_input input;
    int error = mfs_task_init(&task, &request);
    if (error != 0)
        return error;
    error = mfs_task_fail(&task, "", check_destination(&task), NULL);
    if (error == 0)
        error = mfs_input_open(&input, &task);
    if (error == 0) {
        error = load(&unpacker, &input);
        mfs_input_close(&input);
    }
    return mfs_task_fini(&task, &request, error);
}

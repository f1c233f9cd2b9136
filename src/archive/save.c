/* From the tree into an archive: what is there is counted first, then written, then published. */
#include "instant.h"
#include "pack.h"

#include <string.h>

/* The totals of the progress; and what is too deep for an archive is refused before it begins. */
static int count_all(struct mfs_archive_packer *packer, const char *root)
{
    struct mfs_archive_task *task = packer->task;
    struct mfs_archive_members *members = &packer->members;
    int result = mfs_members_open(members, task, root, false);
    if (result != 0)
        return result;
    while ((result = mfs_members_next(members)) == 1) {
        task->progress.entries_total++;
        if (members->stat.kind == MEMFS_KIND_FILE)
            task->progress.bytes_total += members->stat.size_bytes;
    }
    mfs_members_close(members);
    task->result.filtered = 0;
    return result;
}

static int pack_all(struct mfs_archive_packer *packer, const char *root)
{
    struct mfs_archive_task *task = packer->task;
    bool is_sorted = mfs_task_has(task, MEMFS_ARCHIVE_DETERMINISTIC);
    int result = mfs_members_open(&packer->members, task, root, is_sorted);
    if (result != 0)
        return result;
    while ((result = mfs_members_next(&packer->members)) == 1) {
        result = mfs_pack_member(packer);
        if (result != 0)
            break;
    }
    mfs_members_close(&packer->members);
    mfs_firstnames_fini(&packer->firstnames);
    return result;
}

/* The output is open. */
static int write_archive(struct mfs_archive_packer *packer, struct mfs_archive_output *output,
                         const char *root)
{
    struct mfs_archive_task *task = packer->task;
    int error = count_all(packer, root);
    if (error == 0)
        error = mfs_writer_open(&packer->writer, output);
    if (error != 0)
        return error;
    error = pack_all(packer, root);
    if (error == 0)
        error = mfs_writer_end(&packer->writer);
    mfs_writer_close(&packer->writer);
    if (error == 0)
        error = mfs_task_fail(task, "", mfs_task_tell(task, ""), NULL);
    return error != 0 ? error : mfs_output_commit(output);
}

/* `path` is without links. */
static int save(struct mfs_archive_packer *packer, const char *path)
{
    struct mfs_archive_task *task = packer->task;
    struct mfs_archive_output output;
    struct mfs_archive_instant instant = {.fs = task->fs};
    bool is_at_once = mfs_task_has(task, MEMFS_ARCHIVE_AT_ONCE);
    int error = mfs_output_open(&output, task);
    if (error == 0 && is_at_once)
        error = mfs_task_fail(task, "", mfs_instant_take(&instant, task->fs, path), NULL);
    if (error == 0)
        error = write_archive(packer, &output, is_at_once ? instant.root : path);
    mfs_instant_fini(&instant);
    mfs_output_close(&output);
    return error;
}

int memfs_archive_save(memfs *fs, const char *path, const memfs_archive_where *to,
                       const memfs_archive_options *options, memfs_archive_result *result)
{
    const struct mfs_archive_request request = {.fs = fs,
                                                .root = path,
                                                .where = to,
                                                .options = options,
                                                .result = result,
                                                .is_load = false};
    struct mfs_archive_task task;
    struct mfs_archive_packer packer = {.task = &task, .firstnames.fs = fs};
    char real_path[MEMFS_PATH_MAX + 1];
    int error = mfs_task_init(&task, &request);
    if (error != 0)
        return error;
    int64_t length = memfs_realpath(fs, path, real_path, sizeof real_path);
    memfs_stat_info there = {.struct_size = sizeof there};
    if (length < 0)
        error = length == MEMFS_ERANGE ? MEMFS_ENAMETOOLONG : (int)length;
    else
        error = memfs_lstat(fs, real_path, &there);
    error = mfs_task_fail(&task, "", error, NULL);
    if (error == 0)
        error = save(&packer, real_path);
    return mfs_task_fini(&task, &request, error);
}

#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_MOST = 10000, NAME_BYTES = 48 };

/* ------------------------------------------------------------------- opening */

/* Refuses early what committing would refuse. */
static int check_tree_place(const struct mfs_archive_task *task)
{
    memfs_stat_info there = {.struct_size = sizeof there};
    int error = memfs_lstat(task->fs, task->where.path, &there);
    if (error != 0)
        return error == MEMFS_ENOENT ? 0 : error;
    if (there.kind == MEMFS_KIND_DIRECTORY)
        return MEMFS_EISDIR;
    return mfs_task_has(task, MEMFS_ARCHIVE_REPLACE) ? 0 : MEMFS_EEXIST;
}

int mfs_output_open(struct mfs_archive_output *output, struct mfs_archive_task *task)
{
    *output = (struct mfs_archive_output){.task = task,
                                          .on_host = {.parent = -1, .descriptor = -1}};
    int error = 0;
    if (task->where.kind == MEMFS_ARCHIVE_HOST_FILE)
        return mfs_task_fail_on_host(task,
                                     mfs_savefile_open(&output->on_host, task->where.path,
                                                       mfs_task_has(task, MEMFS_ARCHIVE_REPLACE)));
    if (task->where.kind == MEMFS_ARCHIVE_TREE_FILE) {
        error = check_tree_place(task);
        if (error == 0)
            error = memfs_open(task->fs, "/", MEMFS_O_WRITE | MEMFS_O_TMPFILE, 0644,
                               &output->in_tree);
    }
    return mfs_task_fail(task, "", error, NULL);
}

/* ------------------------------------------------------------------- writing */

/* Writes all of it.  0 or an errno. */
static int write_descriptor(int descriptor, const char *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t written = write(descriptor, bytes + done, size - done);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0)
            done += (size_t)written;
    }
    return 0;
}

static int call_writer(struct mfs_archive_task *task, const void *bytes, size_t size)
{
    mfs_charset_pause(&task->charset);
    int answer = task->where.write(task->where.context, bytes, size);
    mfs_charset_resume(&task->charset);
    return answer <= 0 ? answer : MEMFS_EINVAL;
}

static int fill_buffer(const struct mfs_archive_task *task, const void *bytes, size_t size)
{
    const memfs_archive_where *where = &task->where;
    uint64_t used = task->result.archive_bytes;
    if (where->buffer == NULL)
        return 0; /* to be measured */
    if (size > where->buffer_bytes - used)
        return MEMFS_ERANGE;
    memcpy((char *)where->buffer + used, bytes, size);
    return 0;
}

int mfs_output_write(struct mfs_archive_output *output, const void *bytes, size_t size)
{
    struct mfs_archive_task *task = output->task;
    int error = 0, problem = 0;
    switch (task->where.kind) {
    case MEMFS_ARCHIVE_HOST_FILE:
        problem = write_descriptor(output->on_host.descriptor, bytes, size);
        break;
    case MEMFS_ARCHIVE_DESCRIPTOR:
        problem = write_descriptor(task->where.descriptor, bytes, size);
        break;
    case MEMFS_ARCHIVE_CALLBACKS:
        error = call_writer(task, bytes, size);
        break;
    case MEMFS_ARCHIVE_BUFFER:
        error = fill_buffer(task, bytes, size);
        break;
    default: {
        int64_t written = memfs_write(output->in_tree, bytes, size);
        error = written < 0 ? (int)written : 0;
    }
    }
    if (problem != 0)
        return mfs_task_fail_transfer(task, MEMFS_EIO, problem);
    if (error != 0)
        return mfs_task_fail_transfer(task, error, 0);
    task->result.archive_bytes += size;
    return 0;
}

/* ---------------------------------------------------------------- committing */

/* A name is needed to be renamed, which replaces, and makes parents, in one step. */
static int name_in_tree(const struct mfs_archive_output *output)
{
    const struct mfs_archive_task *task = output->task;
    char name[NAME_BYTES];
    int error = MEMFS_EEXIST;
    for (int number = 1; number <= NAMES_MOST && error == MEMFS_EEXIST; number++) {
        snprintf(name, sizeof name, "/.memfs-save-%d", number);
        error = memfs_link_file(output->in_tree, NULL, name);
    }
    if (error != 0)
        return error;
    bool replaces = mfs_task_has(task, MEMFS_ARCHIVE_REPLACE);
    error = memfs_rename(task->fs, name, task->where.path,
                         MEMFS_RENAME_MAKE_PARENTS | (replaces ? 0 : MEMFS_RENAME_NOREPLACE));
    if (error != 0)
        (void)memfs_unlink(task->fs, name);
    return error;
}

int mfs_output_commit(struct mfs_archive_output *output)
{
    struct mfs_archive_task *task = output->task;
    if (task->where.kind == MEMFS_ARCHIVE_HOST_FILE)
        return mfs_task_fail_on_host(
            task, mfs_savefile_commit(&output->on_host, mfs_task_has(task, MEMFS_ARCHIVE_REPLACE)));
    if (task->where.kind == MEMFS_ARCHIVE_TREE_FILE)
        return mfs_task_fail(task, "", name_in_tree(output), NULL);
    return 0;
}

void mfs_output_close(struct mfs_archive_output *output)
{
    mfs_savefile_close(&output->on_host);
    if (output->in_tree != NULL)
        (void)memfs_close(output->in_tree);
    output->in_tree = NULL;
}

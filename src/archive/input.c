/*
 * Whatever the kind, there is an offset, and for what can be read twice a size: skipping and
 * seeking move the offset, and the next read begins there.  Only callbacks have to be told.
 *
 * zip, 7-Zip and ISO 9660 have a list of their members, in a zip at its end, and modes and links
 * stand only there.  What comes as a stream is copied to a file without a name in the tree, then,
 * and read from there.
 */
#include "input.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_PIECE_BYTES = 1 << 20 }; /* of a buffer, which is not copied */

/* ------------------------------------------------------------------- opening */

/* Of a regular file the size behind its offset; any other is read as it comes. */
static int measure_descriptor(struct mfs_archive_input *input)
{
    struct stat status;
    if (fstat(input->descriptor, &status) != 0)
        return mfs_task_fail_on_host(input->task, errno);
    if (!S_ISREG(status.st_mode))
        return input->owns_descriptor ? mfs_task_fail(input->task, "", MEMFS_EOPNOTSUPP, NULL) : 0;
    off_t begin = input->owns_descriptor ? 0 : lseek(input->descriptor, 0, SEEK_CUR);
    if (begin < 0)
        return mfs_task_fail_on_host(input->task, errno);
    input->begin = begin;
    input->size = status.st_size > begin ? (int64_t)status.st_size - begin : 0;
    return 0;
}

/* Not blocking, since it may be a pipe, which is then refused. */
static int open_on_host(struct mfs_archive_input *input)
{
    input->descriptor = open(input->task->where.path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (input->descriptor < 0)
        return mfs_task_fail_on_host(input->task, errno);
    input->owns_descriptor = true;
    return measure_descriptor(input);
}

static int open_in_tree(struct mfs_archive_input *input)
{
    struct mfs_archive_task *task = input->task;
    int error = memfs_open(task->fs, task->where.path, MEMFS_O_READ | MEMFS_O_NOATIME, 0,
                           &input->file);
    if (error == 0) {
        input->size = memfs_file_size(input->file);
        error = input->size < 0 ? (int)input->size : 0;
    }
    return mfs_task_fail(task, "", error, NULL);
}

static int open_by_kind(struct mfs_archive_input *input)
{
    const memfs_archive_where *where = &input->task->where;
    switch (where->kind) {
    case MEMFS_ARCHIVE_HOST_FILE:
        return open_on_host(input);
    case MEMFS_ARCHIVE_TREE_FILE:
        return open_in_tree(input);
    case MEMFS_ARCHIVE_BUFFER:
        input->size = (int64_t)where->buffer_bytes;
        return 0;
    case MEMFS_ARCHIVE_DESCRIPTOR:
        input->descriptor = where->descriptor;
        return measure_descriptor(input);
    default:
        if (where->seek != NULL)
            input->size = where->size;
        return 0;
    }
}

void mfs_input_close(struct mfs_archive_input *input)
{
    if (input->owns_descriptor)
        (void)close(input->descriptor);
    if (input->file != NULL)
        (void)memfs_close(input->file);
    *input = (struct mfs_archive_input){.descriptor = -1, .size = -1};
}

/* ------------------------------------------------------------------- reading */

static int64_t read_descriptor(struct mfs_archive_input *input, size_t at, size_t wanted)
{
    char *buffer = input->task->buffer + at;
    off_t offset = (off_t)(input->begin + input->offset + (int64_t)at);
    for (;;) {
        ssize_t count = mfs_input_has_twice(input)
                            ? pread(input->descriptor, buffer, wanted, offset)
                            : read(input->descriptor, buffer, wanted);
        if (count >= 0)
            return count;
        if (errno != EINTR)
            return mfs_task_fail_transfer(input->task, MEMFS_EIO, errno);
    }
}

static int64_t call_program(struct mfs_archive_input *input, size_t at, size_t wanted)
{
    const memfs_archive_where *where = &input->task->where;
    int64_t count = 0;
    mfs_charset_pause(&input->task->charset);
    if (input->is_elsewhere)
        count = where->seek(where->context, input->offset + (int64_t)at);
    if (count == 0)
        count = where->read(where->context, input->task->buffer + at, wanted);
    else if (count > 0)
        count = MEMFS_EINVAL;
    mfs_charset_resume(&input->task->charset);
    input->is_elsewhere = false;
    if (count > (int64_t)wanted)
        count = MEMFS_EINVAL;
    return count < 0 ? mfs_task_fail_transfer(input->task, (int)count, 0) : count;
}

/* Reads what follows the first `at` bytes of the buffer, which are those at the offset.  0: the
 * end; -1: the cause is noted. */
static int64_t read_some(struct mfs_archive_input *input, size_t at)
{
    struct mfs_archive_task *task = input->task;
    size_t wanted = MFS_ARCHIVE_PIECE_BYTES - at;
    int64_t left = input->size - input->offset - (int64_t)at;
    if (mfs_input_has_twice(input) && left < (int64_t)wanted)
        wanted = (size_t)left;
    if (wanted == 0)
        return 0;
    if (input->file != NULL) {
        int64_t count = memfs_pread(input->file, task->buffer + at, wanted,
                                    input->offset + (int64_t)at);
        return count < 0 ? mfs_task_fail_transfer(task, (int)count, 0) : count;
    }
    return task->where.kind == MEMFS_ARCHIVE_CALLBACKS ? call_program(input, at, wanted)
                                                       : read_descriptor(input, at, wanted);
}

/* The next bytes of a buffer are where they are. */
static int64_t point_at_some(const struct mfs_archive_input *input, const void **bytes)
{
    int64_t left = input->size - input->offset;
    *bytes = (const char *)input->task->where.buffer + input->offset;
    return left < BUFFER_PIECE_BYTES ? left : BUFFER_PIECE_BYTES;
}

/* Moves behind what was read. */
static int64_t take(struct mfs_archive_input *input, int64_t count)
{
    struct mfs_archive_task *task = input->task;
    input->offset += count;
    if ((uint64_t)input->offset > task->result.archive_bytes)
        task->result.archive_bytes = (uint64_t)input->offset;
    uint64_t most = task->options.max_bytes_read;
    if (most != 0 && (uint64_t)input->offset > most)
        return mfs_task_fail_transfer(task, MEMFS_EFBIG, 0);
    return count;
}

static void go_to(struct mfs_archive_input *input, int64_t offset)
{
    input->is_elsewhere = input->is_elsewhere || input->held > 0 || offset != input->offset;
    input->offset = offset;
    input->held = 0;
}

/* ----------------------------------------------------------------- beginning */

/* By what an archive of such a format begins with.  "MZ": a program that unpacks itself. */
static bool has_index(const char *bytes, int64_t count)
{
    static const struct {
        size_t offset;
        const char *mark;
    } formats[] = {{0, "PK"},   {0, "7z\xbc\xaf"}, {0, "Rar!"}, {0, "MSCF"},
                   {0, "xar!"}, {0, "MZ"},         {2, "-lh"},  {32769, "CD001"}};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        size_t length = strlen(formats[i].mark);
        if ((uint64_t)count >= formats[i].offset + length &&
            memcmp(bytes + formats[i].offset, formats[i].mark, length) == 0)
            return true;
    }
    return false;
}

static int fail_in_transfer(struct mfs_archive_task *task)
{
    return task->transfer_errno != 0 ? mfs_task_fail_on_host(task, task->transfer_errno)
                                     : mfs_task_fail(task, "", task->transfer_error, NULL);
}

int mfs_input_begin(struct mfs_archive_input *input)
{
    const void *bytes;
    input->task->result.archive_bytes = 0;
    if (input->held > 0)
        return 0; /* not begun yet */
    if (input->offset != 0)
        go_to(input, 0);
    int64_t count = 1;
    if (input->task->where.kind == MEMFS_ARCHIVE_BUFFER) {
        count = point_at_some(input, &bytes);
        input->is_indexed = has_index(bytes, count);
        return 0;
    }
    while (count > 0) {
        count = read_some(input, (size_t)input->held);
        input->held += count > 0 ? count : 0;
    }
    input->is_indexed = has_index(input->task->buffer, input->held);
    return count < 0 ? fail_in_transfer(input->task) : 0;
}

/* Copies all of a stream, whose first bytes are held, into `file`.  -1: the cause is noted. */
static int64_t copy_stream(struct mfs_archive_input *input, memfs_file *file)
{
    struct mfs_archive_task *task = input->task;
    int64_t count = input->held;
    input->held = 0;
    while (count > 0 && take(input, count) > 0) {
        int64_t written = memfs_write(file, task->buffer, (size_t)count);
        int answer = written < 0 ? (int)written : mfs_task_tell(task, NULL);
        if (answer != 0)
            return mfs_task_fail_transfer(task, answer, 0);
        count = read_some(input, 0);
    }
    return count == 0 ? 0 : -1;
}

static int copy_to_tree(struct mfs_archive_input *input)
{
    struct mfs_archive_task *task = input->task;
    memfs_file *file;
    int error = memfs_open(task->fs, "/", MEMFS_O_RDWR | MEMFS_O_TMPFILE, 0600, &file);
    if (error != 0)
        return mfs_task_fail(task, "", error, NULL);
    if (copy_stream(input, file) != 0) {
        (void)memfs_close(file);
        return fail_in_transfer(task);
    }
    input->file = file; /* from now on */
    input->size = input->offset;
    return 0;
}

int mfs_input_open(struct mfs_archive_input *input, struct mfs_archive_task *task)
{
    *input = (struct mfs_archive_input){.task = task, .descriptor = -1, .size = -1};
    int error = open_by_kind(input);
    uint64_t most = task->options.max_bytes_read;
    if (error == 0 && most != 0 && input->size > 0 && (uint64_t)input->size > most)
        error = mfs_task_fail(task, "", MEMFS_EFBIG, NULL);
    if (error == 0)
        error = mfs_input_begin(input);
    if (error == 0 && input->is_indexed && !mfs_input_has_twice(input))
        error = copy_to_tree(input);
    if (error != 0)
        mfs_input_close(input);
    return error;
}

/* ------------------------------------------------- what libarchive calls back */

static la_ssize_t give_bytes(struct archive *archive, void *context, const void **bytes)
{
    struct mfs_archive_input *input = context;
    (void)archive;
    int answer = mfs_task_tell(input->task, NULL);
    if (answer != 0)
        return mfs_task_fail_transfer(input->task, answer, 0);
    int64_t count = input->held;
    *bytes = input->task->buffer;
    if (input->task->where.kind == MEMFS_ARCHIVE_BUFFER)
        count = point_at_some(input, bytes);
    else if (count == 0)
        count = read_some(input, 0);
    input->held = 0;
    return count > 0 ? (la_ssize_t)take(input, count) : (la_ssize_t)count;
}

static la_int64_t skip_bytes(struct archive *archive, void *context, la_int64_t wanted)
{
    struct mfs_archive_input *input = context;
    (void)archive;
    int64_t left = input->size - input->offset;
    int64_t skipped = wanted < left ? wanted : left;
    if (skipped <= 0)
        return 0;
    go_to(input, input->offset + skipped);
    return skipped;
}

static la_int64_t seek_bytes(struct archive *archive, void *context, la_int64_t offset, int whence)
{
    struct mfs_archive_input *input = context;
    (void)archive;
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? input->offset : input->size;
    if (offset < -base || offset > input->size - base)
        return ARCHIVE_FATAL;
    go_to(input, base + offset);
    return input->offset;
}

int mfs_input_attach(struct mfs_archive_input *input, struct archive *archive)
{
    int result = archive_read_set_callback_data(archive, input);
    if (result == ARCHIVE_OK)
        result = archive_read_set_read_callback(archive, give_bytes);
    if (result == ARCHIVE_OK && mfs_input_has_twice(input))
        result = archive_read_set_skip_callback(archive, skip_bytes);
    if (result == ARCHIVE_OK && mfs_input_has_twice(input))
        result = archive_read_set_seek_callback(archive, seek_bytes);
    return result;
}

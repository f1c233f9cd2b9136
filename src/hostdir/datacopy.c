/*
 * Both directions go from one run of data to the next and copy it in pieces.  A file that is cut
 * meanwhile ends where a read ends; one that grows is copied to where it ended at first, or a bit
 * further.
 */
#include "datacopy.h"

#include "osfile.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t piece_of(int64_t bytes)
{
    return bytes < MFS_HOSTDIR_PIECE_BYTES ? (size_t)bytes : MFS_HOSTDIR_PIECE_BYTES;
}

/* Bytes that were copied, and those of the hole before them. */
static int tell_bytes(struct mfs_hostdir_job *job, int64_t copied, int64_t skipped)
{
    job->result.bytes += (uint64_t)copied;
    job->progress.bytes_done += (uint64_t)(copied + skipped);
    return mfs_job_tell(job, NULL);
}

/* -------------------------------------------------------------------- import */

struct source {
    int descriptor;
    int64_t size;
    bool knows_holes;
};

static bool is_all_zeros(const char *bytes, size_t count)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0;
}

/* The next run of data from `offset` on; false: there is none. */
static bool find_data(struct source *source, int64_t offset, int64_t *begin, int64_t *end)
{
    *begin = offset;
    *end = INT64_MAX;
    if (!source->knows_holes)
        return true;
    *begin = mfs_osfile_seek(source->descriptor, offset, 0);
    if (*begin < 0 && errno == ENXIO)
        return false;
    *end = *begin < 0 ? -1 : mfs_osfile_seek(source->descriptor, *begin, 1);
    if (*end >= 0)
        return true;
    source->knows_holes = false; /* this file system cannot tell */
    *begin = offset;
    *end = INT64_MAX;
    return true;
}

/* Copies from `*offset` on, up to `end` or the end of the file; `*offset` moves along. */
static int import_run(struct mfs_hostdir_job *job, const struct source *source, memfs_file *file,
                      int64_t *offset, int64_t end)
{
    while (*offset < end) {
        size_t wanted = piece_of(end - *offset);
        ssize_t count = pread(source->descriptor, job->buffer, wanted, (off_t)*offset);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? errno : 0;
        if (!is_all_zeros(job->buffer, (size_t)count)) {
            int64_t written = memfs_pwrite(file, job->buffer, (size_t)count, *offset);
            if (written < 0)
                return (int)written;
        }
        *offset += count;
        int answer = tell_bytes(job, count, 0);
        if (answer != 0)
            return answer;
    }
    return 0;
}

int mfs_datacopy_import(struct mfs_hostdir_job *job, int descriptor, memfs_file *file)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return errno;
    /* Of some files that are made up by the kernel the size is 0: these are read to their end. */
    struct source source = {
        .descriptor = descriptor, .size = status.st_size, .knows_holes = status.st_size > 0};
    int64_t offset = 0, begin, end;
    while (find_data(&source, offset, &begin, &end)) {
        int problem = begin > offset ? tell_bytes(job, 0, begin - offset) : 0;
        offset = begin;
        if (problem == 0)
            problem = import_run(job, &source, file, &offset, end);
        if (problem != 0)
            return problem;
        if (offset < end)
            break; /* the end of the file */
    }
    int answer = offset < source.size ? tell_bytes(job, 0, source.size - offset) : 0;
    if (answer != 0)
        return answer;
    return memfs_ftruncate(file, offset > source.size ? offset : source.size);
}

/* -------------------------------------------------------------------- export */

static int write_all(int descriptor, const char *bytes, size_t count, int64_t offset)
{
    for (size_t done = 0; done < count;) {
        ssize_t written = pwrite(descriptor, bytes + done, count - done,
                                 (off_t)offset + (off_t)done);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0)
            done += (size_t)written;
    }
    return 0;
}

static int export_run(struct mfs_hostdir_job *job, memfs_file *file, int descriptor, int64_t offset,
                      int64_t end)
{
    while (offset < end) {
        int64_t count = memfs_pread(file, job->buffer, piece_of(end - offset), offset);
        if (count <= 0)
            return (int)count; /* 0: cut meanwhile */
        int problem = write_all(descriptor, job->buffer, (size_t)count, offset);
        if (problem == 0)
            problem = tell_bytes(job, count, 0);
        if (problem != 0)
            return problem;
        offset += count;
    }
    return 0;
}

int mfs_datacopy_export(struct mfs_hostdir_job *job, memfs_file *file, int descriptor)
{
    int64_t size = memfs_file_size(file);
    int64_t end = 0;
    if (size < 0)
        return (int)size;
    if (ftruncate(descriptor, (off_t)size) != 0)
        return errno;
    while (end < size) {
        int64_t offset = memfs_seek(file, end, MEMFS_SEEK_DATA);
        if (offset == MEMFS_ENXIO || offset > size)
            offset = size;
        if (offset < 0)
            return (int)offset;
        int problem = offset > end ? tell_bytes(job, 0, offset - end) : 0;
        end = offset < size ? memfs_seek(file, offset, MEMFS_SEEK_HOLE) : size;
        if (end == MEMFS_ENXIO)
            end = size; /* cut meanwhile */
        if (end < 0)
            return (int)end;
        if (problem == 0)
            problem = export_run(job, file, descriptor, offset, end);
        if (problem != 0)
            return problem;
    }
    return 0;
}

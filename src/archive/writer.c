/* libarchive gathers what it writes in blocks, and the output gets whole blocks. */
#include "writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ----------------------------------------------------- format and compression */

struct ending {
    const char *text;
    uint32_t format, compression;
};

/* The longer ones first. */
static const struct ending endings[] = {
    {".tar.gz", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_GZIP},
    {".tar.bz2", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_BZIP2},
    {".tar.xz", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_XZ},
    {".tar.zst", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_ZSTD},
    {".tar.lz4", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_LZ4},
    {".tgz", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_GZIP},
    {".tbz2", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_BZIP2},
    {".txz", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_XZ},
    {".tzst", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_ZSTD},
    {".zip", MEMFS_ARCHIVE_ZIP, MEMFS_ARCHIVE_USUAL},
    {".cpio", MEMFS_ARCHIVE_CPIO, MEMFS_ARCHIVE_NONE},
    {".cpio.gz", MEMFS_ARCHIVE_CPIO, MEMFS_ARCHIVE_GZIP},
    {"", MEMFS_ARCHIVE_PAX, MEMFS_ARCHIVE_NONE},
};

static const struct ending *find_ending(const memfs_archive_where *where)
{
    const struct ending *ending = endings;
    const char *path = where->path != NULL ? where->path : "";
    size_t length = strlen(path);
    for (;; ending++) {
        size_t bytes = strlen(ending->text);
        if (bytes <= length && strcasecmp(path + length - bytes, ending->text) == 0)
            return ending;
    }
}

/* An ending counts as a whole: with a format of its own, only where it is of that format. */
static void choose(const struct mfs_archive_task *task, uint32_t *format, uint32_t *compression)
{
    const struct ending *ending = find_ending(&task->where);
    bool is_zip_ending = ending->format == MEMFS_ARCHIVE_ZIP;
    *format = task->options.format;
    *compression = task->options.compression;
    if (*format == MEMFS_ARCHIVE_ANY)
        *format = ending->format;
    bool is_zip = *format == MEMFS_ARCHIVE_ZIP;
    if (*compression == MEMFS_ARCHIVE_USUAL && !is_zip)
        *compression = is_zip_ending ? MEMFS_ARCHIVE_NONE : ending->compression;
}

static int set_format(struct archive *archive, uint32_t format)
{
    switch (format) {
    case MEMFS_ARCHIVE_USTAR:
        return archive_write_set_format_ustar(archive);
    case MEMFS_ARCHIVE_GNUTAR:
        return archive_write_set_format_gnutar(archive);
    case MEMFS_ARCHIVE_ZIP:
        return archive_write_set_format_zip(archive);
    case MEMFS_ARCHIVE_CPIO:
        return archive_write_set_format_cpio_newc(archive);
    default:
        return archive_write_set_format_pax(archive);
    }
}

/* ARCHIVE_WARN says that libarchive would start a program for it, which is no way to do it. */
static int add_compression(struct archive *archive, uint32_t compression)
{
    int result = ARCHIVE_OK;
    switch (compression) {
    case MEMFS_ARCHIVE_GZIP:
        result = archive_write_add_filter_gzip(archive);
        break;
    case MEMFS_ARCHIVE_BZIP2:
        result = archive_write_add_filter_bzip2(archive);
        break;
    case MEMFS_ARCHIVE_XZ:
        result = archive_write_add_filter_xz(archive);
        break;
    case MEMFS_ARCHIVE_ZSTD:
        result = archive_write_add_filter_zstd(archive);
        break;
    case MEMFS_ARCHIVE_LZ4:
        result = archive_write_add_filter_lz4(archive);
        break;
    default:
        break;
    }
    return result;
}

static int set_compression(const struct mfs_archive_writer *writer, uint32_t compression)
{
    const struct mfs_archive_task *task = writer->task;
    struct archive *archive = writer->archive;
    char level[16];
    if (writer->format == MEMFS_ARCHIVE_ZIP && compression == MEMFS_ARCHIVE_NONE)
        return archive_write_zip_set_compression_store(archive);
    int result = add_compression(archive, compression);
    if (result == ARCHIVE_OK && compression == MEMFS_ARCHIVE_GZIP &&
        mfs_task_has(task, MEMFS_ARCHIVE_DETERMINISTIC))
        result = archive_write_set_filter_option(archive, "gzip", "timestamp", NULL);
    bool has_level = writer->format == MEMFS_ARCHIVE_ZIP || compression > MEMFS_ARCHIVE_NONE;
    if (result != ARCHIVE_OK || !has_level || task->options.level == 0)
        return result;
    snprintf(level, sizeof level, "%u", (unsigned)task->options.level);
    return writer->format == MEMFS_ARCHIVE_ZIP
               ? archive_write_set_format_option(archive, "zip", "compression-level", level)
               : archive_write_set_filter_option(archive, NULL, "compression-level", level);
}

/* ------------------------------------------------------------------- writing */

/* Never fails, for libarchive leaks its buffer then: after a failure, or when the archive is given
 * up, the bytes are dropped. */
static la_ssize_t take_bytes(struct archive *archive, void *context, const void *bytes, size_t size)
{
    struct mfs_archive_writer *writer = context;
    (void)archive;
    if (!writer->is_given_up && mfs_output_write(writer->output, bytes, size) != 0)
        writer->is_given_up = true;
    return (la_ssize_t)size;
}

static int fail_in_writer(const struct mfs_archive_writer *writer, const char *path)
{
    return mfs_task_fail_in_archive(writer->task, writer->archive, path, MEMFS_EOPNOTSUPP);
}

static int begin(struct mfs_archive_writer *writer)
{
    uint32_t compression;
    struct archive *archive = writer->archive;
    choose(writer->task, &writer->format, &compression);
    int result = set_format(archive, writer->format);
    if (result == ARCHIVE_OK)
        result = set_compression(writer, compression);
    if (result == ARCHIVE_OK)
        result = archive_write_set_bytes_per_block(archive, MFS_ARCHIVE_PIECE_BYTES);
    if (result == ARCHIVE_OK)
        result = archive_write_set_bytes_in_last_block(archive, 1);
    if (result == ARCHIVE_OK) {
        mfs_charset_enter(&writer->task->charset, true);
        result = archive_write_open(archive, writer, NULL, take_bytes, NULL);
        mfs_charset_leave(&writer->task->charset);
    }
    return result == ARCHIVE_OK ? 0 : fail_in_writer(writer, "");
}

int mfs_writer_open(struct mfs_archive_writer *writer, struct mfs_archive_output *output)
{
    struct mfs_archive_task *task = output->task;
    *writer = (struct mfs_archive_writer){.task = task, .output = output};
    writer->archive = archive_write_new();
    writer->entry = archive_entry_new();
    int error = 0;
    if (writer->archive == NULL || writer->entry == NULL)
        error = mfs_task_fail(task, "", MEMFS_ENOMEM, NULL);
    else
        error = begin(writer);
    if (error != 0)
        mfs_writer_close(writer);
    return error;
}

/* A warning says that a name was written as bytes, or a number that does not fit was cut. */
int mfs_writer_header(struct mfs_archive_writer *writer, const char *path, bool is_utf8)
{
    /* pax wants a UTF-8 locale to find out that a name is none; zip would mark it so. */
    bool wants_utf8 = is_utf8 || writer->format == MEMFS_ARCHIVE_PAX;
    mfs_charset_enter(&writer->task->charset, wants_utf8);
    int result = archive_write_header(writer->archive, writer->entry);
    mfs_charset_leave(&writer->task->charset);
    bool is_written = result == ARCHIVE_OK || result == ARCHIVE_WARN;
    return is_written && !writer->is_given_up ? 0 : fail_in_writer(writer, path);
}

int mfs_writer_data(struct mfs_archive_writer *writer, const char *path, const void *bytes,
                    size_t size)
{
    la_ssize_t written = archive_write_data(writer->archive, bytes, size);
    bool is_written = written == (la_ssize_t)size && !writer->is_given_up;
    return is_written ? 0 : fail_in_writer(writer, path);
}

int mfs_writer_end(struct mfs_archive_writer *writer)
{
    bool is_written = archive_write_close(writer->archive) == ARCHIVE_OK && !writer->is_given_up;
    return is_written ? 0 : fail_in_writer(writer, "");
}

/* Freeing what was not ended writes the rest. */
void mfs_writer_close(struct mfs_archive_writer *writer)
{
    if (writer->archive != NULL) {
        writer->is_given_up = true;
        (void)archive_write_free(writer->archive);
    }
    if (writer->entry != NULL)
        archive_entry_free(writer->entry);
    writer->archive = NULL;
    writer->entry = NULL;
}

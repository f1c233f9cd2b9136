/*
 * Formats and compressions are enabled one by one, for libarchive's "all of them" would read an
 * mtree, which makes it open files of the host, and start programs for compressions that it has not
 * been built with.  A zip is read by its list of members alone: libarchive's other reader goes
 * without that, and so without modes and links, and takes a zip that was cut for whole.
 */
#include "reader.h"

#include <archive.h>
#include <archive_entry.h>

enum { TAR_BLOCK_BYTES = 512 };

typedef int (*supporter)(struct archive *archive);

static int support_all(struct archive *archive, const supporter *supporters, size_t count)
{
    int result = ARCHIVE_OK;
    for (size_t i = 0; i < count && result > ARCHIVE_FAILED; i++)
        result = supporters[i](archive);
    return result > ARCHIVE_FAILED ? ARCHIVE_OK : result;
}

static int support_formats(struct archive *archive, uint32_t format)
{
    static const supporter all[] = {
        archive_read_support_format_tar,     archive_read_support_format_zip_seekable,
        archive_read_support_format_cpio,    archive_read_support_format_7zip,
        archive_read_support_format_ar,      archive_read_support_format_cab,
        archive_read_support_format_iso9660, archive_read_support_format_lha,
        archive_read_support_format_rar,     archive_read_support_format_rar5,
        archive_read_support_format_warc,    archive_read_support_format_xar};
    switch (format) {
    case MEMFS_ARCHIVE_ANY:
        return support_all(archive, all, sizeof all / sizeof all[0]);
    case MEMFS_ARCHIVE_ZIP:
        return archive_read_support_format_zip_seekable(archive);
    case MEMFS_ARCHIVE_CPIO:
        return archive_read_support_format_cpio(archive);
    default:
        return archive_read_support_format_tar(archive);
    }
}

static int support_compressions(struct archive *archive)
{
    static const supporter built_in[] = {archive_read_support_filter_compress,
                                         archive_read_support_filter_uu,
                                         archive_read_support_filter_rpm};
    static const supporter lzma[] = {archive_read_support_filter_lzip,
                                     archive_read_support_filter_lzma,
                                     archive_read_support_filter_xz};
    int result = support_all(archive, built_in, sizeof built_in / sizeof built_in[0]);
    if (result == ARCHIVE_OK && archive_zlib_version() != NULL)
        result = archive_read_support_filter_gzip(archive);
    if (result == ARCHIVE_OK && archive_bzlib_version() != NULL)
        result = archive_read_support_filter_bzip2(archive);
    if (result == ARCHIVE_OK && archive_liblzma_version() != NULL)
        result = support_all(archive, lzma, sizeof lzma / sizeof lzma[0]);
    if (result == ARCHIVE_OK && archive_liblz4_version() != NULL)
        result = archive_read_support_filter_lz4(archive);
    if (result == ARCHIVE_OK && archive_libzstd_version() != NULL)
        result = archive_read_support_filter_zstd(archive);
    return result;
}

int mfs_reader_open(struct mfs_archive_reader *reader, struct mfs_archive_input *input)
{
    struct mfs_archive_task *task = input->task;
    *reader = (struct mfs_archive_reader){.task = task};
    int error = mfs_input_begin(input);
    if (error != 0)
        return error;
    reader->is_utf8 = input->is_indexed; /* what is compressed as a whole is tar or cpio */
    reader->archive = archive_read_new();
    if (reader->archive == NULL)
        return mfs_task_fail(task, "", MEMFS_ENOMEM, NULL);
    int result = support_formats(reader->archive, task->options.format);
    if (result == ARCHIVE_OK)
        result = support_compressions(reader->archive);
    if (result == ARCHIVE_OK)
        result = mfs_input_attach(input, reader->archive);
    if (result == ARCHIVE_OK) {
        mfs_charset_enter(&task->charset, reader->is_utf8);
        result = archive_read_open1(reader->archive);
        mfs_charset_leave(&task->charset);
    }
    if (result == ARCHIVE_OK)
        return 0;
    error = mfs_task_fail_in_archive(task, reader->archive, "", MEMFS_EIO);
    mfs_reader_close(reader);
    return error;
}

/* libarchive takes a tar that ends between two entries for whole. */
static int check_end(struct mfs_archive_reader *reader)
{
    struct archive *archive = reader->archive;
    if ((archive_format(archive) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR)
        return 0;
    int64_t after = archive_filter_bytes(archive, 0) - archive_read_header_position(archive);
    if (after >= TAR_BLOCK_BYTES)
        return 0;
    return mfs_task_fail(reader->task, "", MEMFS_EIO, "The end of the archive is missing");
}

int mfs_reader_next(struct mfs_archive_reader *reader)
{
    struct mfs_archive_task *task = reader->task;
    mfs_charset_enter(&task->charset, reader->is_utf8);
    int result = archive_read_next_header(reader->archive, &reader->entry);
    mfs_charset_leave(&task->charset);
    if (result == ARCHIVE_EOF)
        return check_end(reader);
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
        return mfs_task_fail_in_archive(task, reader->archive, "", MEMFS_EIO);
    if (++reader->entries > task->options.max_entries)
        return mfs_task_fail(task, "", MEMFS_EOVERFLOW, NULL);
    return 1;
}

int mfs_reader_data(struct mfs_archive_reader *reader, const char *path, const void **bytes,
                    size_t *size, int64_t *offset)
{
    la_int64_t at = 0;
    int result = archive_read_data_block(reader->archive, bytes, size, &at);
    *offset = at;
    if (result == ARCHIVE_OK)
        return 1;
    return result == ARCHIVE_EOF
               ? 0
               : mfs_task_fail_in_archive(reader->task, reader->archive, path, MEMFS_EIO);
}

/* The form in the current locale has the bytes where no UTF-8 form can be made. */
const char *mfs_reader_name(const struct mfs_archive_reader *reader)
{
    mfs_charset_enter(&reader->task->charset, reader->is_utf8);
    const char *name = archive_entry_pathname_utf8(reader->entry);
    if (name == NULL)
        name = archive_entry_pathname(reader->entry);
    mfs_charset_leave(&reader->task->charset);
    return name;
}

const char *mfs_reader_symlink(const struct mfs_archive_reader *reader)
{
    mfs_charset_enter(&reader->task->charset, reader->is_utf8);
    const char *name = archive_entry_symlink_utf8(reader->entry);
    if (name == NULL)
        name = archive_entry_symlink(reader->entry);
    mfs_charset_leave(&reader->task->charset);
    return name;
}

const char *mfs_reader_hardlink(const struct mfs_archive_reader *reader)
{
    mfs_charset_enter(&reader->task->charset, reader->is_utf8);
    const char *name = archive_entry_hardlink_utf8(reader->entry);
    if (name == NULL)
        name = archive_entry_hardlink(reader->entry);
    mfs_charset_leave(&reader->task->charset);
    return name;
}

void mfs_reader_close(struct mfs_archive_reader *reader)
{
    if (reader->archive != NULL)
        (void)archive_read_free(reader->archive);
    reader->archive = NULL;
    reader->entry = NULL;
}

/*
 * Making and ending handles.  Everything that can fail is done before the file is opened, since
 * opening may create or empty it.
 */
#include "callerstruct.h"
#include "handle.h"

#include <memfs/storage.h>
#include <string.h>

enum { MODE_BYTES = 8 };

static const uint32_t open_flags = MEMFS_TEXT_KEEP_NEWLINE;
static const uint32_t wrap_flags = MEMFS_TEXT_KEEP_NEWLINE | MEMFS_TEXT_KEEP_FILE |
                                   MEMFS_TEXT_APPEND;

static int take_options(memfs_text_options *out, const memfs_text_options *options,
                        uint32_t known_flags)
{
    int error = mfs_callerstruct_read(out, sizeof *out, options);
    if (error != 0)
        return error;
    if ((out->flags & ~known_flags) != 0 || out->newline > MEMFS_TEXT_UNIVERSAL ||
        out->read_policy > MEMFS_TEXT_IGNORE || out->write_policy > MEMFS_TEXT_IGNORE)
        return MEMFS_EINVAL;
    if (out->encoding == NULL)
        out->encoding = "UTF-8";
    if (out->max_line_bytes == 0)
        out->max_line_bytes = MEMFS_TEXT_LINE_BYTES_DEFAULT;
    return 0;
}

static void free_handle(memfs_text *text)
{
    mfs_encoding_close(&text->encoding);
    if (text->line != NULL)
        (void)memfs_free(text->fs, text->line);
    text->magic = 0;
    (void)memfs_free(text->fs, text);
}

/* A handle without a file. */
static int make_handle(memfs *fs, const memfs_text_options *options, bool reads, bool writes,
                       memfs_text **out)
{
    void *memory;
    int error = memfs_charged_alloc(fs, sizeof **out, &memory);
    if (error != 0)
        return error;
    memfs_text *text = memory; /* zeroed */
    text->fs = fs;
    text->options = *options;
    text->reads = reads;
    text->writes = writes;
    error = mfs_encoding_open(&text->encoding, options->encoding, reads, writes);
    text->options.encoding = NULL; /* the caller's */
    if (error != 0) {
        free_handle(text);
        return error;
    }
    *out = text;
    return 0;
}

static void attach(memfs_text *text, memfs_file *file, int64_t offset)
{
    text->file = file;
    text->decoder.policy = text->options.read_policy;
    mfs_decoder_init(&text->decoder, file, &text->encoding, offset);
    text->magic = MFS_HANDLE_MAGIC;
}

/*
 * The mode with '+', since the byte order is read also where only text is written; "r" stays.
 * What memfs_open_mode() does not know, it will refuse.
 */
static bool extend_mode(char *out, const char *mode)
{
    size_t length = strlen(mode);
    if (length + 2 > MODE_BYTES)
        return false;
    bool has_both = strchr(mode, '+') != NULL;
    memcpy(out, mode, length + 1);
    if (length > 0 && !has_both && mode[0] != 'r')
        memcpy(out + length, "+", 2);
    return true;
}

int memfs_text_open(memfs *fs, const char *path, const char *mode,
                    const memfs_text_options *options, memfs_text **out)
{
    memfs_text_options taken;
    char extended[MODE_BYTES];
    if (fs == NULL || path == NULL || mode == NULL || out == NULL || !extend_mode(extended, mode))
        return MEMFS_EINVAL;
    int error = take_options(&taken, options, open_flags);
    if (error != 0)
        return error;
    bool has_both = strchr(mode, '+') != NULL;
    memfs_text *text;
    error = make_handle(fs, &taken, mode[0] == 'r' || has_both, mode[0] != 'r' || has_both, &text);
    if (error != 0)
        return error;
    memfs_file *file;
    error = memfs_open_mode(fs, path, extended, &file);
    if (error != 0) {
        free_handle(text);
        return error;
    }
    text->appends = mode[0] == 'a';
    attach(text, file, 0);
    *out = text;
    return 0;
}

/* Reading or writing nothing says whether a handle allows it; EBADF is no failure. */
static int probe(int64_t result, bool *is_allowed)
{
    *is_allowed = result >= 0;
    return result == MEMFS_EBADF || result >= 0 ? 0 : (int)result;
}

int memfs_text_wrap(memfs_file *file, const memfs_text_options *options, memfs_text **out)
{
    memfs_text_options taken;
    bool reads = false, writes = false;
    char nothing;
    memfs *fs = memfs_file_instance(file);
    if (fs == NULL)
        return MEMFS_EBADF;
    int error = out != NULL ? take_options(&taken, options, wrap_flags) : MEMFS_EINVAL;
    if (error == 0)
        error = probe(memfs_pread(file, &nothing, 0, 0), &reads);
    if (error == 0)
        error = probe(memfs_pwrite(file, "", 0, 0), &writes);
    memfs_text *text;
    if (error == 0)
        error = make_handle(fs, &taken, reads, writes, &text);
    if (error != 0)
        return error;
    text->appends = (taken.flags & MEMFS_TEXT_APPEND) != 0;
    attach(text, file, memfs_tell(file));
    *out = text;
    return 0;
}

int memfs_text_close(memfs_text *text)
{
    int error = mfs_handle_check(text);
    if (error != 0)
        return error;
    if ((text->options.flags & MEMFS_TEXT_KEEP_FILE) == 0)
        (void)memfs_close(text->file);
    free_handle(text);
    return 0;
}

memfs_file *memfs_text_file(memfs_text *text)
{
    return mfs_handle_check(text) == 0 ? text->file : NULL;
}

int memfs_text_has_encoding(const char *encoding)
{
    struct mfs_encoding found;
    if (encoding == NULL || mfs_encoding_open(&found, encoding, true, true) != 0)
        return 0;
    mfs_encoding_close(&found);
    return 1;
}

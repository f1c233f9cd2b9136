/*
 * Line ends in the file become line feeds here, behind the decoder.  A carriage return is looked at
 * together with the character behind it, so it is taken before that one is decoded; since a call
 * that fails goes back to the place where it began, nothing is lost.
 */
#include "handle.h"

#include <string.h>

int mfs_handle_check(const memfs_text *text)
{
    return text != NULL && text->magic == MFS_HANDLE_MAGIC ? 0 : MEMFS_EBADF;
}

static bool has_carriage_returns(const memfs_text *text)
{
    return text->options.newline != MEMFS_TEXT_LF;
}

static bool has_line_feeds(const memfs_text *text)
{
    return text->options.newline == MEMFS_TEXT_LF || text->options.newline == MEMFS_TEXT_UNIVERSAL;
}

/* The decoder is at a carriage return. */
static int take_return(memfs_text *text, struct mfs_handle_run *run)
{
    struct mfs_decoder *d = &text->decoder;
    bool is_pair = false;
    mfs_decoder_take(d, 1);
    /* What is behind it may be missing or invalid: that is the next call's. */
    if (text->options.newline != MEMFS_TEXT_CR && mfs_decoder_fill(d) == 1)
        is_pair = d->queue[0] == '\n';
    if (is_pair)
        mfs_decoder_take(d, 1);
    bool ends_line = is_pair || text->options.newline != MEMFS_TEXT_CRLF;
    *run = (struct mfs_handle_run){(const unsigned char *)(ends_line ? "\n" : "\r"), 1, ends_line,
                                   true};
    return 1;
}

int mfs_handle_peek(memfs_text *text, struct mfs_handle_run *run)
{
    struct mfs_decoder *d = &text->decoder;
    int result = mfs_decoder_fill(d);
    if (result != 1)
        return result;
    if (has_carriage_returns(text) && d->queue[0] == '\r')
        return take_return(text, run);
    size_t length = d->queue_bytes;
    const unsigned char *feed = has_line_feeds(text) ? memchr(d->queue, '\n', length) : NULL;
    if (feed != NULL)
        length = (size_t)(feed - d->queue) + 1;
    const unsigned char *stop = has_carriage_returns(text) ? memchr(d->queue, '\r', length) : NULL;
    if (stop != NULL)
        length = (size_t)(stop - d->queue);
    *run = (struct mfs_handle_run){d->queue, length, feed != NULL && stop == NULL, false};
    return 1;
}

void mfs_handle_take(memfs_text *text, const struct mfs_handle_run *run, size_t bytes)
{
    if (!run->is_taken)
        mfs_decoder_take(&text->decoder, bytes);
}

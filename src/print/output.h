/*
 * Text on its way to a callback.
 *
 * It is gathered in a buffer, so that the callback gets pieces of lines and not single characters.
 * The first error stays, and ends all output.
 */
#ifndef MFS_OUTPUT_H
#define MFS_OUTPUT_H

#include <memfs/print.h>

#include <stdbool.h>

struct mfs_output {
    memfs_print_write write;
    void *context;
    bool in_bytes; /* sizes without units */
    int error;
    size_t used;
    char buffer[1024];
};

void mfs_output_text(struct mfs_output *output, const char *text);
void mfs_output_count(struct mfs_output *output, uint64_t count, const char *one,
                      const char *several);

/* A size, right-aligned in `width` columns. */
void mfs_output_size(struct mfs_output *output, uint64_t bytes, int width);

/* A name: what a terminal would obey, a backslash, and what is no UTF-8, as \xNN. */
void mfs_output_name(struct mfs_output *output, const char *name, size_t length);

/* Hands over what is gathered.  Returns the first error, or 0. */
int mfs_output_flush(struct mfs_output *output);

#endif

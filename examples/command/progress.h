/* How far a copy is: one line on stderr that is written over, if that is a terminal. */
#ifndef MEMFS_COMMAND_PROGRESS_H
#define MEMFS_COMMAND_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
    const char *verb; /* "reading" */
    bool is_shown;
    bool is_on_screen;
    struct timespec shown_at;
};

void progress_begin(struct progress *progress, const char *verb, bool is_quiet);

/* Totals of 0 are not known. */
void progress_show(struct progress *progress, uint64_t entries, uint64_t entries_total,
                   uint64_t bytes);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif

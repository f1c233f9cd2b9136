#include "progress.h"

#include <stdio.h>
#include <unistd.h>

enum { BETWEEN_MS = 100, WIDTH = 60 };

void progress_begin(struct progress *progress, const char *verb, bool is_quiet)
{
    *progress = (struct progress){.verb = verb, .is_shown = !is_quiet && isatty(STDERR_FILENO)};
}

static bool is_time(struct progress *progress)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return false;
    int64_t passed_ms = (int64_t)(now.tv_sec - progress->shown_at.tv_sec) * 1000 +
                        (now.tv_nsec - progress->shown_at.tv_nsec) / 1000000;
    if (progress->is_on_screen && passed_ms < BETWEEN_MS)
        return false;
    progress->shown_at = now;
    return true;
}

void progress_show(struct progress *progress, uint64_t entries, uint64_t entries_total,
                   uint64_t bytes)
{
    char total[32] = "", line[WIDTH + 1];
    if (!progress->is_shown || !is_time(progress))
        return;
    if (entries_total > 0)
        snprintf(total, sizeof total, " of %llu", (unsigned long long)entries_total);
    snprintf(line, sizeof line, "%s %llu%s entries, %.1f MiB", progress->verb,
             (unsigned long long)entries, total, (double)bytes / (1 << 20));
    fprintf(stderr, "\r%-*s", WIDTH, line);
    progress->is_on_screen = true;
}

void progress_end(struct progress *progress)
{
    if (progress->is_on_screen)
        fprintf(stderr, "\r%*s\r", WIDTH, "");
    progress->is_on_screen = false;
}

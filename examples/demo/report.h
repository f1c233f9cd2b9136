/* What the demo prints: numbers with units, headings, a line of progress. */
#ifndef DEMO_REPORT_H
#define DEMO_REPORT_H

#include <memfs/memfs.h>

#include <stdbool.h>

/* Room for one formatted number. */
struct demo_text {
    char chars[32];
};

/* "1.5 MiB", "1,234,567" */
struct demo_text demo_bytes(uint64_t bytes);
struct demo_text demo_count(uint64_t count);

/* Seconds since some moment in the past. */
double demo_now(void);

/* A line in front of a section. */
void demo_heading(const char *text);

/* What went wrong, on the standard error. */
void demo_complain(const char *what, const char *why);

/* A line that says how far the work is: over and over on a terminal, every few
 * seconds elsewhere.  Zero is its initial state. */
struct demo_progress {
    double next;
    bool shown;
};

void demo_progress_show(struct demo_progress *progress, uint64_t entries, uint64_t bytes,
                        const char *path);

/* Wipes the line. */
void demo_progress_end(struct demo_progress *progress);

/* What the tree holds and what each class of memory costs. */
int demo_report_tree(memfs *fs);

#endif

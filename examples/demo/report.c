/* Numbers are made for a person to read: aligned, grouped, in binary units. */
#include "report.h"

#include <memfs/print.h>

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct demo_text demo_bytes(uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    struct demo_text text;
    if (bytes < 1024) {
        snprintf(text.chars, sizeof text.chars, "%" PRIu64 " B", bytes);
        return text;
    }
    size_t unit = 0;
    double value = (double)bytes / 1024;
    while (value >= 1024 && unit < 3) {
        value /= 1024;
        unit++;
    }
    snprintf(text.chars, sizeof text.chars, "%.1f %s", value, units[unit]);
    return text;
}

struct demo_text demo_count(uint64_t count)
{
    struct demo_text text;
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
    size_t used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text.chars[used++] = ',';
        text.chars[used++] = digits[i];
    }
    text.chars[used] = '\0';
    return text;
}

double demo_now(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void demo_heading(const char *text)
{
    printf("\n%s\n", text);
    fflush(stdout);
}

void demo_complain(const char *what, const char *why)
{
    fflush(stdout);
    fprintf(stderr, "demo: %s: %s\n", what, why);
}

void demo_progress_show(struct demo_progress *progress, uint64_t entries, uint64_t bytes,
                        const char *path)
{
    double now = demo_now();
    bool on_terminal = isatty(STDOUT_FILENO) != 0;
    if (progress->next == 0 && !on_terminal)
        progress->next = now + 5;
    if (now < progress->next)
        return;
    if (on_terminal) {
        /* Cut to a line of 79 columns, and cleared to its end. */
        printf("\r  %9s entries %11s  %-.44s\033[K", demo_count(entries).chars,
               demo_bytes(bytes).chars, path);
        progress->next = now + 0.1;
        progress->shown = true;
    } else {
        printf("  ... %s entries, %s\n", demo_count(entries).chars, demo_bytes(bytes).chars);
        progress->next = now + 5;
    }
    fflush(stdout);
}

void demo_progress_end(struct demo_progress *progress)
{
    if (progress->shown)
        printf("\r\033[K");
    *progress = (struct demo_progress){0};
}

static void print_class(const char *name, uint64_t bytes, uint64_t all)
{
    double percent = all == 0 ? 0 : 100 * (double)bytes / (double)all;
    printf("  %-22s %12s %6.1f %%\n", name, demo_bytes(bytes).chars, percent);
}

static void print_memory(const memfs_statfs_info *info)
{
    static const char *const names[MEMFS_CLASS_COUNT] = {
        "data", "page tables", "nodes", "names", "handles", "shared memory", "snapshots"};
    uint64_t all = info->committed_bytes;
    demo_heading("What the memory is used for");
    for (int i = 0; i < MEMFS_CLASS_COUNT; i++)
        print_class(names[i], info->class_bytes[i], all);
    print_class("free, held for reuse", all - info->used_bytes, all);
    print_class("held from the system", all, all);
    printf("  %-22s %12s\n", "quota", demo_bytes(info->quota_bytes).chars);
    printf("  %-22s %12s\n", "the most ever held", demo_bytes(info->peak_bytes).chars);
}

int demo_report_tree(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    memfs_print_options options = {.struct_size = sizeof options, .max_depth = 2, .max_entries = 8};
    demo_heading("What the tree holds");
    int error = memfs_print_tree_to(fs, "/", &options, stdout);
    if (error == 0)
        error = memfs_statfs(fs, &info);
    if (error != 0) {
        demo_complain("cannot look at the tree", memfs_error_text(error));
        return error;
    }
    print_memory(&info);
    return 0;
}

#include "import.h"

#include "report.h"

static int show(void *context, const memfs_hostdir_progress *progress)
{
    demo_progress_show(context, progress->entries_done, progress->bytes_done, progress->path);
    return 0;
}

int demo_import_tree(memfs *fs, const char *root, memfs_hostdir_result *out)
{
    struct demo_progress line = {0};
    const memfs_hostdir_options options = {.struct_size = sizeof options,
                                           .flags = MEMFS_HOSTDIR_SKIP_UNREADABLE |
                                                    MEMFS_HOSTDIR_ONE_FILE_SYSTEM,
                                           .watch = show,
                                           .watch_context = &line};
    *out = (memfs_hostdir_result){.struct_size = sizeof *out};
    int error = memfs_hostdir_import(fs, root, root, &options, out);
    demo_progress_end(&line);
    return error;
}

/* Looking at a journal or WAL; what cannot be read counts as missing. */
#include "names/sibling.h"

bool mfs_sibling_has_content(memfs *fs, const char *path)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    return memfs_stat(fs, path, &info) == 0 && info.size > 0;
}

bool mfs_sibling_journal_is_live(memfs *fs, const char *path)
{
    memfs_file_storage storage; /* so that it can be opened at a full quota */
    memfs_open_options options = {.struct_size = sizeof options,
                                  .flags = MEMFS_O_READ | MEMFS_O_NOATIME,
                                  .storage = &storage};
    memfs_file *journal;
    char first = 0;
    if (memfs_open_with(fs, path, &options, &journal) != 0)
        return false;
    int64_t count = memfs_pread(journal, &first, 1, 0);
    (void)memfs_close(journal);
    return count == 1 && first != 0;
}

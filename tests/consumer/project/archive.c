/* Uses the part archive as installed. */
#include <memfs/archive.h>

#include <stdio.h>

int main(void)
{
    memfs *fs = NULL;
    memfs_archive_result result = {.struct_size = sizeof result};
    memfs_archive_where where = {
        .struct_size = sizeof where, .kind = MEMFS_ARCHIVE_TREE_FILE, .path = "/x.zip"};
    if (memfs_create(NULL, &fs) != 0 || memfs_write_file(fs, "/in", "hello", 5, 0644, 0) != 0)
        return 1;
    int error = memfs_archive_save(fs, "/in", &where, NULL, &result);
    if (error == 0)
        error = memfs_archive_load(fs, &where, "/out", NULL, &result);
    if (error != 0 || result.files != 1)
        fprintf(stderr, "%s %s\n", memfs_error_text(error), result.message);
    return error != 0 || result.files != 1 || memfs_destroy(fs, 0) != 0;
}

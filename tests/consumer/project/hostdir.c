/* Uses the part hostdir as installed. */
#include <memfs/hostdir.h>

#include <stdio.h>

int main(int count, char **words)
{
    memfs *fs = NULL;
    memfs_hostdir_result result = {.struct_size = sizeof result};
    if (memfs_create(NULL, &fs) != 0)
        return 1;
    int error = count > 0 ? memfs_hostdir_import(fs, words[0], "/program", NULL, &result) : 0;
    if (error != 0 || result.files != 1)
        fprintf(stderr, "%s: %s\n", result.path, memfs_error_text(error));
    return error != 0 || result.files != 1 || memfs_destroy(fs, 0) != 0;
}

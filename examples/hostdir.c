/* Copies a directory of the host into memory, changes it there, and writes the changes back. */
#include <memfs/hostdir.h>

#include <stdio.h>
#include <string.h>

int main(int count, char **words)
{
    memfs *fs = NULL;
    memfs_hostdir_result result = {.struct_size = sizeof result};
    const char *const patterns[] = {"**/*.c", NULL};
    memfs_hostdir_options options = {.struct_size = sizeof options, .include = patterns};
    if (count < 3 || memfs_create(NULL, &fs) != 0)
        return 2;
    int error = memfs_hostdir_import(fs, words[1], "/tree", &options, &result);
    printf("%llu files, %llu bytes\n", (unsigned long long)result.files,
           (unsigned long long)result.bytes);
    if (error == 0)
        error = memfs_write_file(fs, "/tree/new.c", "int unit;\n", 10, 0644, 0);
    options.flags = MEMFS_HOSTDIR_CHANGED; /* into what is there, where it differs */
    if (error == 0)
        error = memfs_hostdir_export(fs, "/tree", words[2], &options, &result);
    if (error != 0)
        fprintf(stderr, "%s: %s\n", result.path,
                result.host_errno != 0 ? strerror(result.host_errno) : memfs_error_text(error));
    memfs_destroy(fs, 0);
    return error == 0 ? 0 : 1;
}

/* Unpacks an archive into memory, changes what is in it, and packs it again, as another kind. */
#include <memfs/archive.h>

#include <stdio.h>
#include <string.h>

int main(int count, char **words)
{
    memfs *fs = NULL;
    memfs_archive_result result = {.struct_size = sizeof result};
    memfs_archive_where from = {.struct_size = sizeof from}, to = {.struct_size = sizeof to};
    memfs_archive_options options = {.struct_size = sizeof options, .flags = MEMFS_ARCHIVE_REPLACE};
    if (count < 3 || memfs_create(NULL, &fs) != 0)
        return 2;
    from.path = words[1];
    to.path = words[2]; /* its ending says which kind */
    int error = memfs_archive_load(fs, &from, "/tree", NULL, &result);
    printf("%llu files, %llu bytes\n", (unsigned long long)result.files,
           (unsigned long long)result.bytes);
    if (error == 0)
        error = memfs_write_file(fs, "/tree/new", "unpacked in memory\n", 19, 0644, 0);
    if (error == 0)
        error = memfs_archive_save(fs, "/tree", &to, &options, &result);
    if (error != 0)
        fprintf(stderr, "%s: %s\n", result.message,
                result.host_errno != 0 ? strerror(result.host_errno) : memfs_error_text(error));
    memfs_destroy(fs, 0);
    return error == 0 ? 0 : 1;
}

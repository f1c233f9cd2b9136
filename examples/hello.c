/* The smallest useful program: a file, a copy that shares its pages, a listing. */
#include <memfs/memfs.h>

#include <stdio.h>

int main(void)
{
    memfs *fs = NULL;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 1u << 20; /* never more than 1 MiB, everything counted */
    int error = memfs_create(&config, &fs);
    if (error == 0)
        error = memfs_mkdir_parents(fs, "/var/greetings", 0755);
    if (error == 0)
        error = memfs_write_file(fs, "/var/greetings/hello", "Hello, memory!\n", 15, 0644, 0);
    if (error == 0)
        error = memfs_copy(fs, "/var/greetings/hello", "/var/greetings/copy", 0);

    memfs_list names = {.struct_size = sizeof names};
    if (error == 0)
        error = memfs_list_dir(fs, "/var/greetings", &names);
    for (size_t i = 0; i < names.count; i++)
        printf("%s\n", names.names[i]);
    memfs_list_free(fs, &names);

    void *text;
    size_t size;
    if (error == 0 &&
        (error = memfs_read_file(fs, "/var/greetings/copy", 100, &text, &size)) == 0) {
        fwrite(text, 1, size, stdout);
        memfs_free(fs, text);
    }
    if (error != 0)
        fprintf(stderr, "%s\n", memfs_error_text(error));
    memfs_destroy(fs, 0);
    return error == 0 ? 0 : 1;
}

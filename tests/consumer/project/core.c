/* A stranger's program: it sees the installed header and library, nothing else. */
#include <memfs/memfs.h>

#include <stdio.h>

int main(void)
{
    memfs *fs = NULL;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 1u << 20;
    if (strcmp(memfs_version(), MEMFS_VERSION) != 0 || memfs_create(&config, &fs) != 0)
        return 1;
    if (memfs_write_file(fs, "/greeting", "hello", 5, 0644, 0) != 0)
        return 2;
    memfs_stat_info info = {.struct_size = sizeof info};
    if (memfs_stat(fs, "/greeting", &info) != 0 || info.size_bytes != 5)
        return 3;
    if (memfs_destroy(fs, 0) != 0)
        return 4;
    puts("core: ok");
    return 0;
}

/*
 * Opening and closing the place where a crew works.
 */
#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void site_open_with(struct site *site, const memfs_config *config)
{
    site->fixture = fixture_create(config);
    if (site->fixture == NULL)
        abort();
    site->fs = site->fixture->fs;
    site->used_at_first_bytes = site_used_bytes(site);
}

void site_open(struct site *site, uint64_t quota_bytes, uint32_t page_size)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = quota_bytes;
    config.page_size = page_size;
    site_open_with(site, &config);
}

uint64_t site_used_bytes(const struct site *site)
{
    memfs_statfs_info info;
    memset(&info, 0, sizeof info);
    info.struct_size = sizeof info;
    if (memfs_statfs(site->fs, &info) != 0)
        abort();
    return info.used_bytes;
}

memfs_file *site_open_file(struct crew_member *me, const char *path, uint32_t flags)
{
    struct site *site = me->context;
    memfs_file *file = NULL;
    crew_must(me, memfs_open(site->fs, path, flags, 0644, &file));
    return file;
}

int site_is_uniform(const void *bytes, size_t size)
{
    const unsigned char *first = bytes;
    return size == 0 || memcmp(first, first + 1, size - 1) == 0;
}

/* By opening and reading, one entry at a time: a list would need memory that may not be there. */
static void remove_all(memfs *fs)
{
    memfs_dir *root;
    memfs_dirent entry = {.struct_size = sizeof entry};
    assert_int_equal(memfs_opendir(fs, "/", &root), 0);
    while (memfs_readdir(root, &entry) == 1) {
        char path[MEMFS_NAME_MAX + 2];
        snprintf(path, sizeof path, "/%s", entry.name);
        assert_int_equal(memfs_remove_tree(fs, path), 0);
    }
    assert_int_equal(memfs_closedir(root), 0);
}

void site_close(struct site *site)
{
    assert_int_equal(memfs_audit(site->fs), 0);
    remove_all(site->fs);
    assert_int_equal(memfs_audit(site->fs), 0);
    assert_int_equal(site_used_bytes(site), site->used_at_first_bytes);
    fixture_destroy(site->fixture);
}

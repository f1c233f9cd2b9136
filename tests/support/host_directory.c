#define _XOPEN_SOURCE 700

#include "host_directory.h"

#include "checks.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE "/tmp/memfs-test-XXXXXX"

static char directory[sizeof TEMPLATE];

int host_directory_make(void)
{
    memcpy(directory, TEMPLATE, sizeof TEMPLATE);
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

int host_directory_remove(void)
{
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *host_directory(void)
{
    return directory;
}

const char *host_path(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    int length = snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    assert_true(length > 0 && (size_t)length < sizeof paths[0]);
    return path;
}

int host_entries(void)
{
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    int count = 0;
    while (readdir(stream) != NULL)
        count++;
    closedir(stream);
    return count - 2; /* "." and ".." */
}

void host_write(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(host_path(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(host_path(name), mode), 0);
}

void host_assert_text(const char *name, const char *text)
{
    char found[64];
    FILE *file = fopen(host_path(name), "r");
    assert_non_null(file);
    size_t length = fread(found, 1, sizeof found - 1, file);
    found[length] = '\0';
    fclose(file);
    assert_string_equal(found, text);
}

int host_directory_setup(void **state)
{
    (void)state;
    return host_directory_make();
}

int host_directory_teardown(void **state)
{
    (void)state;
    return host_directory_remove();
}

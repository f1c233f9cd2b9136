/*
 * The directories that exist decide, with their links; so the path is cut back, component by
 * component, to what memfs can resolve, and the rest, which is missing, is put behind that.
 */
#include "file/fullname.h"

#include "file/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Whether `path` is `canonical` but for "//", "." and "..", read as text: then no
 * link was followed.  `canonical` begins with '/'.
 */
static bool is_same_as_text(const char *path, const char *canonical)
{
    char text[MFS_FILE_PATH_MAX + 1];
    size_t length = 0;
    while (*path != '\0') {
        size_t name_length = strcspn(path, "/");
        if (name_length == 2 && memcmp(path, "..", 2) == 0) {
            while (length > 0 && text[--length] != '/')
                continue;
        } else if (name_length > 0 && !(name_length == 1 && path[0] == '.')) {
            if (length + 1 + name_length > MFS_FILE_PATH_MAX)
                return false;
            text[length++] = '/';
            memcpy(text + length, path, name_length);
            length += name_length;
        }
        path += name_length;
        path += *path == '/';
    }
    if (length == 0)
        text[length++] = '/';
    return strlen(canonical) == length && memcmp(text, canonical, length) == 0;
}

/* Where the component begins that ends at `end`, the slashes before it included. */
static size_t cut_component(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] == '/')
        end--;
    while (end > 0 && path[end - 1] != '/')
        end--;
    return end;
}

/* Puts `rest` behind the directory in `out`; its length, or 0 if that is no name or does not fit. */
static size_t append(char *out, size_t length, size_t size, const char *rest)
{
    while (*rest != '\0') {
        size_t name_length = strcspn(rest, "/");
        if (name_length == 2 && memcmp(rest, "..", 2) == 0)
            return 0; /* out of a directory that is not there */
        if (name_length > 0 && !(name_length == 1 && rest[0] == '.')) {
            if (length > 1)
                out[length++] = '/';
            if (name_length >= size - length)
                return 0;
            memcpy(out + length, rest, name_length);
            length += name_length;
            out[length] = '\0';
        }
        rest += name_length;
        rest += *rest == '/';
    }
    return length;
}

/* The name of what lies in directories that are missing, and its length; or 0. */
static size_t resolve_beginning(memfs *fs, const char *path, char *out, size_t size)
{
    char beginning[2 * MFS_FILE_PATH_MAX];
    size_t end = strlen(path);
    int64_t length = MEMFS_ENOENT;
    if (end >= sizeof beginning)
        return 0;
    memcpy(beginning, path, end + 1);
    while (length == MEMFS_ENOENT && end > 0) {
        end = cut_component(path, end);
        beginning[end] = '\0';
        length = memfs_realpath(fs, end > 0 ? beginning : "/", out, size);
    }
    return length > 0 ? append(out, (size_t)length, size, path + end) : 0;
}

int mfs_fullname_make(memfs *fs, const char *path, int size, char *out)
{
    if (size <= 0)
        return SQLITE_CANTOPEN;
    int64_t length = memfs_realpath(fs, path, out, (size_t)size);
    if (length == MEMFS_ENOENT)
        length = (int64_t)resolve_beginning(fs, path, out, (size_t)size);
    if (length <= 0 || length > MFS_FILE_PATH_MAX)
        return SQLITE_CANTOPEN;
    return is_same_as_text(path, out) ? SQLITE_OK : SQLITE_OK_SYMLINK;
}

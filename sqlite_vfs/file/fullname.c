/*
 * Canonical paths, also in directories that are still missing.
 *
 * 1. Two spellings of one database give one path, so they give one journal.
 * 2. Symbolic links count in the part of the path that exists.  So the path is cut back, component
 *    by component, to a part that memfs can resolve; the rest does not exist and is appended as
 *    text.
 * 3. ".." in the part that does not exist is refused: what it leads to depends on what will be
 *    created there.
 *
 * Cost: one walk along the path if it exists, one for each missing component otherwise.
 */
#include "file/fullname.h"

#include "base/assertion.h"
#include "base/lasterror.h"
#include "file/file.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Whether `path`, with "//", "." and ".." resolved as text, is `canonical`; if so, no link was
 * followed.  `canonical` begins with '/'.
 */
static bool is_same_as_text(const char *path, const char *canonical)
{
    char text[MFS_FILE_PATH_MAX + 1];
    size_t length = 0;
    MFS_ASSERT(canonical[0] == '/');
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
        if (*path == '/')
            path++;
    }
    if (length == 0)
        text[length++] = '/';
    return strlen(canonical) == length && memcmp(text, canonical, length) == 0;
}

/* The length of the path's first `end` bytes without their last component; its slash stays. */
static size_t length_without_last(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] == '/')
        end--;
    while (end > 0 && path[end - 1] != '/')
        end--;
    return end;
}

/* Appends `rest` to the directory in `out`, which has `length` of `size` bytes.  Returns the new
 * length, or 0 if the result is not a path or does not fit. */
static size_t append_missing(char *out, size_t length, size_t size, const char *rest)
{
    while (*rest != '\0') {
        size_t name_length = strcspn(rest, "/");
        if (name_length == 2 && memcmp(rest, "..", 2) == 0)
            return 0; /* leads out of a directory that does not exist */
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
        if (*rest == '/')
            rest++;
    }
    return length;
}

/* Resolves a path whose last components do not exist.  Returns the length, or 0. */
static size_t resolve_existing_part(memfs *fs, const char *path, char *out, size_t size)
{
    char beginning[2 * MFS_FILE_PATH_MAX];
    size_t end = strlen(path);
    int64_t length = MEMFS_ENOENT;
    if (end >= sizeof beginning)
        return 0;
    memcpy(beginning, path, end + 1);
    while (length == MEMFS_ENOENT && end > 0) {
        end = length_without_last(path, end);
        beginning[end] = '\0';
        length = memfs_realpath(fs, end > 0 ? beginning : "/", out, size);
    }
    return length > 0 ? append_missing(out, (size_t)length, size, path + end) : 0;
}

/* `error` 0: the path has no canonical form. */
static int refuse_name(const char *path, int error)
{
    (void)mfs_lasterror_code(MFS_OPERATION_OPEN, error != 0 ? error : MEMFS_ENAMETOOLONG);
    return mfs_lasterror_say(SQLITE_CANTOPEN, "%s: %s", path,
                             error != 0 ? memfs_error_text(error)
                                        : "longer than 512 bytes, or \"..\" out of a directory that"
                                          " does not exist");
}

int mfs_fullname_make(memfs *fs, const char *path, int size, char *out)
{
    mfs_lasterror_clear();
    if (size <= 0)
        return SQLITE_CANTOPEN;
    int64_t length = memfs_realpath(fs, path, out, (size_t)size);
    if (length == MEMFS_ENOENT)
        length = (int64_t)resolve_existing_part(fs, path, out, (size_t)size);
    if (length <= 0 || length > MFS_FILE_PATH_MAX)
        return refuse_name(path, length < 0 ? (int)length : 0);
    return is_same_as_text(path, out) ? SQLITE_OK : SQLITE_OK_SYMLINK;
}

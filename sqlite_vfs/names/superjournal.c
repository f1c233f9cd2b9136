/*
 * Which super-journals are in use.
 *
 * SQLite writes the super-journal, writes its name into each journal, closes it, and deletes it;
 * the deletion is the commit.  If the quota refuses the name in the first journal, SQLite forgets
 * the super-journal: it deletes one only when it plays back a journal that names it, and no journal
 * does.  Each refused commit would leave a file behind, at a quota that is full already.
 *
 * 1. A super-journal is a sequence of journals' paths, each with its NUL.
 * 2. A journal that belongs to a super-journal ends with the super-journal's name and a trailer.
 * 3. In doubt a super-journal is in use: deleting one that a journal needs would commit a
 *    transaction that must be rolled back.
 *
 * Cost: opening each journal once, when a super-journal is closed.
 */
#include "names/superjournal.h"

#include "base/assertion.h"
#include "base/bigendian.h"
#include "base/journalformat.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    SUPER_NAME_BYTES = MFS_SUPERJOURNAL_NAME_BYTES - 1, /* more than a journal's name can have */
    TRAILER_BYTES = 16, /* at a journal's end: length of the name before it, checksum, magic */
    TRAILER_MAGIC_OFFSET = 8,
    NUMBER_BEFORE_NAME_BYTES = 4 /* of the page on which SQLite locks */
};

/* Whether the journal ends with the super-journal's name; true also if it cannot be read. */
static bool ends_with_name(memfs_file *journal, const char *path)
{
    unsigned char trailer[TRAILER_BYTES];
    char name[SUPER_NAME_BYTES];
    int64_t size = memfs_file_size(journal);
    int64_t length = (int64_t)strlen(path);
    if (size < TRAILER_BYTES + length || length > SUPER_NAME_BYTES)
        return false;
    if (memfs_pread(journal, trailer, sizeof trailer, size - TRAILER_BYTES) != TRAILER_BYTES ||
        memfs_pread(journal, name, (size_t)length, size - TRAILER_BYTES - length) != length)
        return true;
    return mfs_bigendian_read(trailer) == (uint64_t)length &&
           memcmp(name, path, (size_t)length) == 0;
}

static bool refers_to(memfs *fs, const char *journal_path, const char *path)
{
    memfs_file_storage storage;
    memfs_open_options options = {.struct_size = sizeof options,
                                  .flags = MEMFS_O_READ | MEMFS_O_NOATIME,
                                  .storage = &storage};
    memfs_file *journal;
    int error = memfs_open_with(fs, journal_path, &options, &journal);
    if (error != 0)
        return error != MEMFS_ENOENT;
    bool refers = ends_with_name(journal, path);
    (void)memfs_close(journal);
    return refers;
}

bool mfs_superjournal_is_unused(memfs *fs, memfs_file *super, const char *path)
{
    char name[SUPER_NAME_BYTES];
    int64_t offset = 0; /* of the next journal's path */
    MFS_ASSERT(path != NULL);
    for (;;) {
        int64_t count = memfs_pread(super, name, sizeof name, offset);
        if (count == 0)
            return true;
        const char *end = count > 0 ? memchr(name, '\0', (size_t)count) : NULL;
        if (end == NULL || refers_to(fs, name, path))
            return false;
        offset += end - name + 1;
    }
}

bool mfs_superjournal_read_name(memfs_file *journal, char name[MFS_SUPERJOURNAL_NAME_BYTES],
                                int64_t *rest)
{
    unsigned char trailer[TRAILER_BYTES];
    int64_t end = memfs_file_size(journal) - TRAILER_BYTES;
    if (end < 0 || memfs_pread(journal, trailer, sizeof trailer, end) != TRAILER_BYTES ||
        memcmp(trailer + TRAILER_MAGIC_OFFSET, MFS_JOURNAL_MAGIC, MFS_JOURNAL_MAGIC_BYTES) != 0)
        return false;
    int64_t length = mfs_bigendian_read(trailer);
    *rest = end - length - NUMBER_BEFORE_NAME_BYTES;
    if (length == 0 || length > SUPER_NAME_BYTES || *rest < 0 ||
        memfs_pread(journal, name, (size_t)length, end - length) != length)
        return false;
    name[length] = '\0';
    return true;
}

/* <database>-mjXXXXXX9XX */
bool mfs_superjournal_is_name(const char *path)
{
    static const char pattern[] = "-mjXXXXXX9XX";
    size_t length = strlen(path);
    if (length < sizeof pattern)
        return false;
    const char *ending = path + length - (sizeof pattern - 1);
    for (size_t i = 0; i < sizeof pattern - 1; i++)
        if (pattern[i] == 'X' ? !isxdigit((unsigned char)ending[i]) : ending[i] != pattern[i])
            return false;
    return true;
}

/*
 * Room is set aside in two ways: what lies before the file's end is allocated, so that no hole and
 * no page that a copy shares needs memory when it is written, and what lies behind it is
 * preallocated.  The file is held private meanwhile, so that no later copy shares its pages.
 */
#include "cookie.h"

#include "hosterrno.h"

#include <memfs/storage.h>

int mfs_cookie_create(memfs *fs, const struct mfs_openmode *mode, struct mfs_cookie **out)
{
    void *memory;
    int error = memfs_charged_alloc(fs, sizeof **out, &memory);
    if (error != 0)
        return error;
    struct mfs_cookie *cookie = memory; /* zeroed */
    cookie->fs = fs;
    cookie->mode = *mode;
    *out = cookie;
    return 0;
}

int mfs_cookie_add_buffer(struct mfs_cookie *cookie, size_t bytes)
{
    void *memory;
    int error = memfs_charged_alloc(cookie->fs, bytes, &memory);
    if (error != 0)
        return error;
    cookie->buffer = memory;
    cookie->buffer_bytes = bytes;
    return 0;
}

static int allocate_room(memfs_file *file, int64_t from, int64_t end, int64_t room_end,
                         int64_t size)
{
    int64_t behind = end > room_end ? end : room_end;
    int error = behind > size ? memfs_preallocate(file, behind) : 0;
    if (error != 0 || from >= size)
        return error;
    int64_t inside = (end < size ? end : size) - from;
    error = memfs_fallocate(file, from, inside, MEMFS_FALLOCATE_KEEP_SIZE);
    if (error != 0)
        (void)memfs_preallocate(file, room_end);
    return error;
}

int mfs_cookie_set_room(struct mfs_cookie *cookie, uint64_t bytes)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    int error = memfs_fstat(cookie->file, &info);
    int64_t from = error == 0 ? memfs_tell(cookie->file) : 0;
    if (cookie->mode.appends)
        from = (int64_t)info.size_bytes;
    if (error != 0 || from < 0)
        return error != 0 ? error : (int)from;
    if (bytes > (uint64_t)(MEMFS_FILE_SIZE_MAX - from))
        return MEMFS_EFBIG;
    int64_t end = from + (int64_t)bytes, size = (int64_t)info.size_bytes;
    int64_t room_end = info.preallocated_bytes > 0 ? size + (int64_t)info.preallocated_bytes : 0;
    error = memfs_hold_private(cookie->file, 1);
    if (error == 0)
        error = allocate_room(cookie->file, from, end, room_end, size);
    cookie->has_room = error == 0;
    cookie->room_end = room_end;
    if (error != 0)
        (void)memfs_hold_private(cookie->file, 0);
    return error;
}

static void give_room_back(struct mfs_cookie *cookie)
{
    (void)memfs_preallocate(cookie->file, cookie->room_end);
    (void)memfs_hold_private(cookie->file, 0);
}

int64_t mfs_cookie_read(struct mfs_cookie *cookie, char *buffer, size_t bytes)
{
    int64_t count = memfs_read(cookie->file, buffer, bytes);
    return count >= 0 ? count : mfs_hosterrno_set((int)count);
}

int64_t mfs_cookie_write(struct mfs_cookie *cookie, const char *bytes, size_t count)
{
    int64_t before = 0;
    if (cookie->mode.appends) {
        before = memfs_tell(cookie->file);
        (void)memfs_seek(cookie->file, 0, MEMFS_SEEK_END);
    }
    int64_t written = memfs_write(cookie->file, bytes, count);
    if (written >= 0)
        return written;
    if (cookie->mode.appends)
        (void)memfs_seek(cookie->file, before, MEMFS_SEEK_SET);
    return mfs_hosterrno_set((int)written);
}

int64_t mfs_cookie_seek(struct mfs_cookie *cookie, int64_t offset, int whence)
{
    int64_t position = MEMFS_EINVAL;
    if (whence == SEEK_SET)
        position = memfs_seek(cookie->file, offset, MEMFS_SEEK_SET);
    else if (whence == SEEK_CUR)
        position = memfs_seek(cookie->file, offset, MEMFS_SEEK_CUR);
    else if (whence == SEEK_END)
        position = memfs_seek(cookie->file, offset, MEMFS_SEEK_END);
    return position >= 0 ? position : mfs_hosterrno_set((int)position);
}

void mfs_cookie_destroy(struct mfs_cookie *cookie)
{
    if (cookie->has_room)
        give_room_back(cookie);
    if (cookie->file != NULL && !cookie->keeps_handle)
        (void)memfs_close(cookie->file);
    if (cookie->buffer != NULL)
        (void)memfs_free(cookie->fs, cookie->buffer);
    (void)memfs_free(cookie->fs, cookie);
}

#include "trail.h"

#include "growth.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { KEPT_OPEN = 32 }; /* directories behind the current one, besides the root */

static struct mfs_hostdir_step *last_step(const struct mfs_hostdir_trail *trail)
{
    assert(trail->depth > 0);
    return &trail->steps[trail->depth - 1];
}

int mfs_trail_directory(const struct mfs_hostdir_trail *trail)
{
    return last_step(trail)->descriptor;
}

int mfs_trail_root(const struct mfs_hostdir_trail *trail)
{
    return trail->steps[0].descriptor;
}

bool mfs_trail_is_name(const char *name)
{
    return *name != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

int mfs_trail_open(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int reserve_path(struct mfs_hostdir_trail *trail, size_t bytes)
{
    void *path = trail->path;
    int error = mfs_growth_reserve(trail->fs, &path, &trail->path_capacity, 1, bytes);
    trail->path = path;
    return error;
}

/* Puts an open directory behind the others. */
static int push_step(struct mfs_hostdir_trail *trail, int descriptor)
{
    struct stat status;
    void *steps = trail->steps;
    int error = mfs_growth_reserve(trail->fs, &steps, &trail->capacity, sizeof *trail->steps,
                                   trail->depth + 1);
    trail->steps = steps;
    if (error != 0)
        return error;
    if (fstat(descriptor, &status) != 0)
        return errno;
    if (trail->depth > KEPT_OPEN) {
        struct mfs_hostdir_step *old = &trail->steps[trail->depth - KEPT_OPEN];
        (void)close(old->descriptor);
        old->descriptor = -1;
    }
    trail->steps[trail->depth++] = (struct mfs_hostdir_step){.device = (uint64_t)status.st_dev,
                                                             .number = (uint64_t)status.st_ino,
                                                             .path_length = strlen(trail->path),
                                                             .descriptor = descriptor};
    return 0;
}

int mfs_trail_begin(struct mfs_hostdir_trail *trail, int descriptor)
{
    assert(trail->depth == 0);
    int problem = reserve_path(trail, 1);
    if (problem == 0) {
        trail->path[0] = '\0';
        problem = push_step(trail, descriptor);
    }
    if (problem != 0)
        (void)close(descriptor);
    return problem;
}

int mfs_trail_name(struct mfs_hostdir_trail *trail, const char *name)
{
    size_t length = last_step(trail)->path_length;
    size_t name_length = name != NULL ? strlen(name) : 0;
    int error = reserve_path(trail, length + name_length + 2);
    if (error != 0)
        return error;
    if (name != NULL && length > 0)
        trail->path[length++] = '/';
    if (name != NULL)
        memcpy(trail->path + length, name, name_length);
    trail->path[length + name_length] = '\0';
    return 0;
}

int mfs_trail_enter(struct mfs_hostdir_trail *trail, const char *name)
{
    assert(mfs_trail_is_name(name));
    int descriptor = mfs_trail_open(mfs_trail_directory(trail), name);
    if (descriptor < 0)
        return errno;
    int problem = push_step(trail, descriptor);
    if (problem != 0)
        (void)close(descriptor);
    return problem;
}

/* Opens the directory above `below` again, and makes sure that it is the one. */
static int reopen(struct mfs_hostdir_step *step, int below)
{
    struct stat status;
    int descriptor = mfs_trail_open(below, "..");
    if (descriptor < 0)
        return errno;
    int problem = fstat(descriptor, &status) != 0 ? errno : 0;
    if (problem == 0 &&
        (step->device != (uint64_t)status.st_dev || step->number != (uint64_t)status.st_ino))
        problem = ESTALE;
    if (problem == 0)
        step->descriptor = descriptor;
    else
        (void)close(descriptor);
    return problem;
}

int mfs_trail_leave(struct mfs_hostdir_trail *trail, int *left)
{
    assert(trail->depth > 1);
    struct mfs_hostdir_step *step = last_step(trail);
    struct mfs_hostdir_step *above = step - 1;
    trail->path[step->path_length] = '\0';
    int problem = above->descriptor < 0 ? reopen(above, step->descriptor) : 0;
    if (problem == 0 && left != NULL)
        *left = step->descriptor;
    else
        (void)close(step->descriptor);
    trail->depth--;
    return problem;
}

void mfs_trail_fini(struct mfs_hostdir_trail *trail)
{
    for (size_t index = 0; index < trail->depth; index++)
        if (trail->steps[index].descriptor >= 0)
            (void)close(trail->steps[index].descriptor);
    trail->depth = 0;
    (void)memfs_free(trail->fs, trail->steps);
    (void)memfs_free(trail->fs, trail->path);
    trail->steps = NULL;
    trail->path = NULL;
    trail->capacity = trail->path_capacity = 0;
}

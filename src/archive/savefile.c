#if defined(__linux__)
#define _GNU_SOURCE 1 /* O_PATH */
#endif

#include "savefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARIES_MOST = 10000, DIRECTORY_BYTES = 4096 };

/* To reach what is in it by name, which needs no permission to read it. */
static int open_directory(const char *path)
{
#if defined(O_PATH)
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
#else
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#endif
}

/* Splits the path into a directory, which is opened, and a name in it.  0 or an errno. */
static int split_path(struct mfs_archive_savefile *file, const char *path)
{
    char directory[DIRECTORY_BYTES];
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t length = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return EISDIR;
    if (strlen(name) > NAME_MAX || length >= sizeof directory)
        return ENAMETOOLONG;
    memcpy(file->name, name, strlen(name) + 1);
    memcpy(directory, path, length);
    directory[length] = '\0';
    file->parent = open_directory(length > 0 ? directory : ".");
    return file->parent >= 0 ? 0 : errno;
}

static int check_place(const struct mfs_archive_savefile *file, bool replaces)
{
    struct stat status;
    if (fstatat(file->parent, file->name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : errno;
    if (S_ISDIR(status.st_mode))
        return EISDIR;
    return replaces && S_ISREG(status.st_mode) ? 0 : EEXIST;
}

/* The process's number keeps two of them from trying the same names one after the other. */
static int create_temporary(struct mfs_archive_savefile *file)
{
    for (int number = 1; number <= TEMPORARIES_MOST; number++) {
        snprintf(file->temporary, sizeof file->temporary, ".memfs-save-%ld-%d", (long)getpid(),
                 number);
        file->descriptor = openat(file->parent, file->temporary,
                                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (file->descriptor >= 0)
            return 0;
        int problem = errno;
        file->temporary[0] = '\0';
        if (problem != EEXIST)
            return problem;
    }
    return EEXIST;
}

int mfs_savefile_open(struct mfs_archive_savefile *file, const char *path, bool replaces)
{
    *file = (struct mfs_archive_savefile){.parent = -1, .descriptor = -1};
    int problem = split_path(file, path);
    if (problem == 0)
        problem = check_place(file, replaces);
    if (problem == 0)
        problem = create_temporary(file);
    if (problem != 0)
        mfs_savefile_close(file);
    return problem;
}

/* A link takes a name only if nothing has it; where there are no links, look and rename. */
static int take_free_name(struct mfs_archive_savefile *file)
{
    if (linkat(file->parent, file->temporary, file->parent, file->name, 0) == 0)
        return 0; /* closing removes the other name */
    if (errno == EEXIST)
        return EEXIST;
    int problem = check_place(file, false);
    if (problem == 0 && renameat(file->parent, file->temporary, file->parent, file->name) != 0)
        problem = errno;
    if (problem == 0)
        file->temporary[0] = '\0';
    return problem;
}

int mfs_savefile_commit(struct mfs_archive_savefile *file, bool replaces)
{
    int descriptor = file->descriptor;
    file->descriptor = -1;
    if (close(descriptor) != 0)
        return errno;
    if (!replaces)
        return take_free_name(file);
    int problem = check_place(file, true);
    if (problem == 0 && renameat(file->parent, file->temporary, file->parent, file->name) != 0)
        problem = errno;
    if (problem == 0)
        file->temporary[0] = '\0';
    return problem;
}

void mfs_savefile_close(struct mfs_archive_savefile *file)
{
    if (file->descriptor >= 0)
        (void)close(file->descriptor);
    if (file->temporary[0] != '\0')
        (void)unlinkat(file->parent, file->temporary, 0);
    if (file->parent >= 0)
        (void)close(file->parent);
    *file = (struct mfs_archive_savefile){.parent = -1, .descriptor = -1};
}

/* Paths as text: cutting them into components.  Nothing here knows of nodes. */
#ifndef MFS_PATH_H
#define MFS_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct mfs_component {
    const char *name;
    size_t length;
    bool has_slash_after;
};

/*
 * Cuts the next component off `*rest`, which then points behind it and behind all slashes that
 * follow it.  False if there is none, and then `*rest` stays.
 */
bool mfs_path_next(const char **rest, struct mfs_component *out);

/* 0, or EINVAL for null, ENOENT for the empty path, ENAMETOOLONG. */
int mfs_path_check(const char *path);

static inline bool mfs_path_is_dot(const struct mfs_component *c)
{
    return c->length == 1 && c->name[0] == '.';
}

static inline bool mfs_path_is_dotdot(const struct mfs_component *c)
{
    return c->length == 2 && c->name[0] == '.' && c->name[1] == '.';
}

#endif

#include "entryname.h"

#include <string.h>

/* Goes to the next component that counts, and returns its length; 0: there is none. */
static size_t next_component(const char **at)
{
    for (;;) {
        *at += strspn(*at, "/");
        size_t length = strcspn(*at, "/");
        if (length != 1 || **at != '.')
            return length;
        *at += length;
    }
}

static bool leads_up(const char *component, size_t length)
{
    return length == 2 && component[0] == '.' && component[1] == '.';
}

int mfs_entryname_read(struct mfs_archive_name *name, const char *raw,
                       const memfs_archive_options *options)
{
    size_t used = 0, length;
    uint32_t met = 0;
    name->depth = 0;
    name->is_stripped = false;
    name->path[0] = '\0';
    if (raw == NULL)
        return MEMFS_EIO;
    if (raw[0] == '/')
        return MEMFS_EXDEV;
    for (const char *at = raw; (length = next_component(&at)) > 0; at += length) {
        if (leads_up(at, length))
            return MEMFS_EXDEV;
        if (met++ < options->strip)
            continue;
        size_t slash = used > 0;
        if (length > MEMFS_NAME_MAX || used + slash + length > options->max_path_bytes ||
            (options->max_depth != 0 && name->depth == options->max_depth))
            return MEMFS_ENAMETOOLONG;
        if (slash != 0)
            name->path[used++] = '/';
        memcpy(name->path + used, at, length);
        used += length;
        name->path[used] = '\0';
        name->depth++;
    }
    name->is_stripped = options->strip > 0 && name->depth == 0;
    return 0;
}

bool mfs_entryname_stays_inside(const char *target, uint32_t depth)
{
    uint32_t ups = 0;
    bool is_below = false; /* behind a name, which may be a link: ".." leads from there elsewhere */
    size_t length;
    if (target[0] == '/')
        return false;
    for (const char *at = target; (length = next_component(&at)) > 0; at += length) {
        if (!leads_up(at, length))
            is_below = true;
        else if (is_below || ++ups >= depth)
            return false;
    }
    return true;
}

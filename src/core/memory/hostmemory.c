/*
 * Three sources, of which the least counts:
 *
 *     /proc/meminfo   MemAvailable: what the machine could give, caches that it would drop included
 *     cgroup, v2      memory.max, and memory.high, from which on the process is slowed down; less
 *                     memory.current
 *     cgroup, v1      memory.limit_in_bytes less memory.usage_in_bytes
 *
 * of the process's own group and of each group above it, up to where the hierarchy is mounted,
 * since every one of these limits binds.  The usage of a group counts the cache of files; the
 * inactive part of it goes at once when memory is needed, so it does not count here.  The whole
 * cache would be too much: it holds what lies in a tmpfs.
 *
 * In a container /proc/self/cgroup may name the group as the host sees it, while what is mounted is
 * the group itself: /proc/self/mountinfo says which group the mount shows.
 *
 * A file that cannot be read limits nothing.
 */
#include "memory/hostmemory.h"

#include "base/check.h"
#include "base/num.h"

#if defined(__linux__) && !defined(MEMFS_ARENA_ONLY)

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, LINE_BYTES = 1024, NO_LIMIT_FROM_BIT = 62 };

/* ------------------------------------------------------------------- files */

struct reader {
    int descriptor;
    size_t used, filled;
    char buffer[1024];
    char line[LINE_BYTES]; /* without the newline; a longer one is cut */
};

/* Sets `path` to all the pieces in a row; false if they are too long together. */
static bool join(char path[PATH_BYTES], const char *const pieces[], size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        size_t more = strlen(pieces[i]);
        if (length + more >= PATH_BYTES)
            return false;
        memcpy(path + length, pieces[i], more);
        length += more;
    }
    path[length] = '\0';
    return true;
}

static bool open_file(struct reader *reader, const char *root, const char *directory,
                      const char *name)
{
    char path[PATH_BYTES];
    const char *const pieces[] = {root, directory, "/", name};
    reader->used = reader->filled = 0;
    if (!join(path, pieces, sizeof pieces / sizeof pieces[0]))
        return false;
    reader->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    return reader->descriptor >= 0;
}

static void close_file(struct reader *reader)
{
    (void)close(reader->descriptor);
}

static bool read_line(struct reader *reader)
{
    size_t length = 0;
    for (;;) {
        if (reader->used == reader->filled) {
            ssize_t got = read(reader->descriptor, reader->buffer, sizeof reader->buffer);
            if (got <= 0)
                break;
            reader->used = 0;
            reader->filled = (size_t)got;
        }
        char next = reader->buffer[reader->used++];
        if (next == '\n') {
            reader->line[length] = '\0';
            return true;
        }
        if (length < sizeof reader->line - 1)
            reader->line[length++] = next;
    }
    reader->line[length] = '\0';
    return length > 0;
}

/* The number that `text` begins with, after blanks; false if there is none. */
static bool parse_number(const char *text, uint64_t *out)
{
    uint64_t number = 0;
    while (*text == ' ' || *text == '\t')
        text++;
    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        number = mfs_num_add_saturating(mfs_num_mul_saturating(number, 10),
                                        (uint64_t)(*text - '0'));
    *out = number;
    return true;
}

/* The number behind `key` in a file of keys and numbers; an empty key: the first line's. */
static bool read_number(const char *root, const char *directory, const char *name, const char *key,
                        uint64_t *out)
{
    struct reader reader;
    bool is_found = false;
    if (!open_file(&reader, root, directory, name))
        return false;
    while (!is_found && read_line(&reader))
        is_found = strncmp(reader.line, key, strlen(key)) == 0 &&
                   parse_number(reader.line + strlen(key), out);
    close_file(&reader);
    return is_found;
}

/* ------------------------------------------------------------------ groups */

/* What the two versions of the interface call the same things. */
struct hierarchy {
    const char *type;       /* of the file system */
    const char *controller; /* in the lists of controllers; "" if there are none */
    const char *limits[2];
    const char *usage;
    const char *inactive_key; /* in memory.stat */
};

static const struct hierarchy hierarchies[] = {
    {"cgroup2", "", {"memory.max", "memory.high"}, "memory.current", "inactive_file "},
    {"cgroup",
     "memory",
     {"memory.limit_in_bytes", "memory.limit_in_bytes"},
     "memory.usage_in_bytes",
     "total_inactive_file "}};

/* Whether `list`, of names with commas between them, has the name; "" is only the empty list. */
static bool lists_name(const char *list, size_t length, const char *name)
{
    size_t wanted = strlen(name);
    for (size_t start = 0; start <= length;) {
        size_t end = start;
        while (end < length && list[end] != ',')
            end++;
        if (end - start == wanted && memcmp(list + start, name, wanted) == 0)
            return true;
        start = end + 1;
    }
    return false;
}

/* The path of this process's group: from a line "5:cpu,memory:/path" or "0::/path". */
static bool find_group(const char *root, const struct hierarchy *hierarchy, char group[PATH_BYTES])
{
    struct reader reader;
    bool is_found = false;
    if (!open_file(&reader, root, "/proc/self", "cgroup"))
        return false;
    while (!is_found && read_line(&reader)) {
        const char *names = strchr(reader.line, ':');
        const char *path = names != NULL ? strchr(names + 1, ':') : NULL;
        if (path == NULL)
            continue;
        const char *const pieces[] = {path + 1};
        is_found = lists_name(names + 1, (size_t)(path - names - 1), hierarchy->controller) &&
                   join(group, pieces, 1);
    }
    close_file(&reader);
    return is_found;
}

/* The `index`th word of a line with blanks between them. */
static const char *word_at(const char *line, unsigned index)
{
    for (; index > 0 && line != NULL; index--) {
        line = strchr(line, ' ');
        line = line != NULL ? line + 1 : NULL;
    }
    return line;
}

static size_t word_length(const char *word)
{
    return strcspn(word, " ");
}

/* Where a hierarchy is mounted, and which of its groups is to be seen there. */
struct mount {
    char directory[PATH_BYTES];
    char group[PATH_BYTES];
};

static bool copy_word(char out[PATH_BYTES], const char *word)
{
    size_t length = word_length(word);
    if (length >= PATH_BYTES)
        return false;
    memcpy(out, word, length);
    out[length] = '\0';
    return true;
}

/* "31 24 0:27 /group /directory options ... - type source options": see proc(5). */
static bool parse_mount(const char *line, const struct hierarchy *hierarchy, struct mount *mount)
{
    const char *rest = strstr(line, " - ");
    const char *group = word_at(line, 3), *directory = word_at(line, 4);
    if (rest == NULL || directory == NULL || directory > rest)
        return false;
    rest += 3;
    size_t type_length = strlen(hierarchy->type);
    const char *options = word_at(rest, 2);
    if (word_length(rest) != type_length || memcmp(rest, hierarchy->type, type_length) != 0)
        return false;
    if (hierarchy->controller[0] != '\0' &&
        (options == NULL || !lists_name(options, word_length(options), hierarchy->controller)))
        return false;
    return copy_word(mount->group, group) && copy_word(mount->directory, directory);
}

static bool find_mount(const char *root, const struct hierarchy *hierarchy, struct mount *mount)
{
    struct reader reader;
    bool is_found = false;
    if (!open_file(&reader, root, "/proc/self", "mountinfo"))
        return false;
    while (!is_found && read_line(&reader))
        is_found = parse_mount(reader.line, hierarchy, mount);
    close_file(&reader);
    return is_found;
}

/* What the limits of one group leave. */
static uint64_t left_in_group(const char *root, const char *directory,
                              const struct hierarchy *hierarchy)
{
    uint64_t limit = UINT64_MAX, usage = 0, inactive = 0, found;
    for (size_t i = 0; i < sizeof hierarchy->limits / sizeof hierarchy->limits[0]; i++)
        if (read_number(root, directory, hierarchy->limits[i], "", &found))
            limit = mfs_num_min_u64(limit, found); /* "max" is no number */
    if (limit >> NO_LIMIT_FROM_BIT != 0)
        return UINT64_MAX;
    (void)read_number(root, directory, hierarchy->usage, "", &usage);
    (void)read_number(root, directory, "memory.stat", hierarchy->inactive_key, &inactive);
    return mfs_num_sub_saturating(limit, mfs_num_sub_saturating(usage, inactive));
}

/* Where below the mount the process's group is: "" if that is the group that is mounted. */
static const char *below_mount(const char *group, const struct mount *mount)
{
    size_t length = strlen(mount->group);
    if (strcmp(mount->group, "/") == 0)
        return strcmp(group, "/") == 0 ? "" : group;
    if (strncmp(group, mount->group, length) == 0 && group[length] == '/')
        return group + length;
    return "";
}

static uint64_t left_in_hierarchy(const char *root, const struct hierarchy *hierarchy)
{
    char group[PATH_BYTES], directory[PATH_BYTES];
    struct mount mount;
    if (!find_group(root, hierarchy, group) || !find_mount(root, hierarchy, &mount))
        return UINT64_MAX;
    const char *const pieces[] = {mount.directory, below_mount(group, &mount)};
    if (!join(directory, pieces, 2))
        return UINT64_MAX;
    uint64_t left = UINT64_MAX;
    size_t length = strlen(directory);
    do {
        directory[length] = '\0';
        left = mfs_num_min_u64(left, left_in_group(root, directory, hierarchy));
        while (length > 0 && directory[--length] != '/')
            continue;
    } while (length >= strlen(mount.directory));
    return left;
}

/* ------------------------------------------------------------------- in all */

bool mfs_hostmemory_is_known(void)
{
    return true;
}

bool mfs_hostmemory_available(const char *root, uint64_t *bytes)
{
    uint64_t available = UINT64_MAX, kibibytes;
    MFS_CHECK(root != NULL);
    if (read_number(root, "/proc", "meminfo", "MemAvailable:", &kibibytes))
        available = mfs_num_mul_saturating(kibibytes, 1024);
    for (size_t i = 0; i < sizeof hierarchies / sizeof hierarchies[0]; i++)
        available = mfs_num_min_u64(available, left_in_hierarchy(root, &hierarchies[i]));
    if (available == UINT64_MAX)
        return false;
    *bytes = available;
    return true;
}

#else

bool mfs_hostmemory_is_known(void)
{
    return false;
}

bool mfs_hostmemory_available(const char *root, uint64_t *bytes)
{
    (void)root;
    (void)bytes;
    return false;
}

#endif

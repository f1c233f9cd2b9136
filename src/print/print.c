/*
 * The tree is printed depth first, with a directory stream for each level and nothing else that
 * grows.  Whether an entry is the last of its directory decides which line stands before it, so a
 * stream is read one entry ahead, and set back.
 *
 * 1. Streams are open on the levels 0 to depth - 1; `path` is that of the entry at hand.
 * 2. `lines` has one piece of text for each level: what stands in its column below this line.
 *
 * Recursion: none; depth is limited by MEMFS_PRINT_DEPTH_MAX, and so is the room for the levels.
 */
#include "callerstruct.h"
#include "line.h"

enum { LINE_BYTES_MOST = 16 }; /* of one column, in UTF-8 */

/* What stands before a name, and in the lines below it. */
struct strokes {
    const char *branch, *last_branch, *trunk, *nothing;
};

static const struct strokes unicode_strokes = {"├── ", "└── ", "│   ", "    "};
static const struct strokes ascii_strokes = {"|-- ", "`-- ", "|   ", "    "};

struct level {
    memfs_dir *dir;
    size_t path_bytes; /* of the directory's path, its slash included */
    size_t line_bytes; /* of `lines` that belong to the levels above */
    uint64_t printed;
};

struct printing {
    memfs *fs;
    memfs_print_options options;
    const struct strokes *strokes;
    struct mfs_output output;
    uint32_t root_kind;
    unsigned depth; /* open levels */
    struct level levels[MEMFS_PRINT_DEPTH_MAX];
    char lines[(MEMFS_PRINT_DEPTH_MAX + 1) * LINE_BYTES_MOST];
    char path[MEMFS_PATH_MAX + 1];
};

static int read_options(memfs_print_options *out, const memfs_print_options *options)
{
    const uint32_t known = MEMFS_PRINT_ASCII | MEMFS_PRINT_BYTES | MEMFS_PRINT_NO_SUMMARY;
    int error = mfs_callerstruct_read(out, sizeof *out, options);
    if (error != 0)
        return error;
    if ((out->flags & ~known) != 0 || out->max_depth > MEMFS_PRINT_DEPTH_MAX)
        return MEMFS_EINVAL;
    if (out->max_depth == 0)
        out->max_depth = MEMFS_PRINT_DEPTH_MAX;
    return 0;
}

/* Whether an error says that the entry is gone, or is something else by now. */
static bool has_vanished(int error)
{
    return error == MEMFS_ENOENT || error == MEMFS_ENOTDIR;
}

/* Appends the strokes of a column.  Returns the number of bytes that `lines` had before. */
static size_t add_strokes(struct printing *p, const char *strokes)
{
    size_t length = strlen(p->lines);
    memcpy(p->lines + length, strokes, strlen(strokes) + 1);
    return length;
}

/* Opens a level below the path at hand, if there may be one. */
static int enter(struct printing *p)
{
    struct level *level = &p->levels[p->depth];
    size_t length = strlen(p->path);
    if (p->depth == p->options.max_depth)
        return 0;
    int error = memfs_opendir(p->fs, p->path, &level->dir);
    if (error != 0)
        return has_vanished(error) ? 0 : error;
    if (length > 0 && p->path[length - 1] != '/')
        p->path[length++] = '/';
    level->path_bytes = length;
    level->line_bytes = strlen(p->lines);
    level->printed = 0;
    p->depth++;
    return 0;
}

static void leave(struct printing *p)
{
    (void)memfs_closedir(p->levels[--p->depth].dir);
}

/* Prints the number of entries that are left, this one included. */
static int print_rest(struct printing *p, struct level *level)
{
    memfs_dirent entry = {.struct_size = sizeof entry};
    uint64_t rest = 1;
    int result;
    while ((result = memfs_readdir(level->dir, &entry)) == 1)
        rest++;
    add_strokes(p, p->strokes->last_branch);
    mfs_line_more(&p->output, p->lines, rest);
    leave(p);
    return result;
}

/* 1 if another entry follows in the stream, which is then where it was. */
static int is_followed(memfs_dir *dir, const memfs_dirent *entry)
{
    memfs_dirent next = {.struct_size = sizeof next};
    int result = memfs_readdir(dir, &next);
    if (result == 1) {
        int error = memfs_seekdir(dir, entry->cookie);
        return error != 0 ? error : 1;
    }
    return result;
}

/* A line for what `path` names, and the level below it, if it is a directory. */
static int print_node(struct printing *p, const char *name, const char *strokes)
{
    struct mfs_line line = {p->fs, p->path, p->lines, name, {.struct_size = sizeof line.stat}};
    size_t before = add_strokes(p, strokes);
    int error = memfs_lstat(p->fs, p->path, &line.stat);
    if (error == 0)
        error = mfs_line_entry(&p->output, &line);
    p->lines[before] = '\0';
    if (p->root_kind == 0)
        p->root_kind = line.stat.kind;
    if (error == 0 && line.stat.kind == MEMFS_KIND_DIRECTORY)
        return enter(p);
    return error;
}

/* The next entry of the deepest level, or its end. */
static int print_next(struct printing *p)
{
    struct level *level = &p->levels[p->depth - 1];
    memfs_dirent entry = {.struct_size = sizeof entry};
    p->lines[level->line_bytes] = '\0';
    int result = memfs_readdir(level->dir, &entry);
    if (result == 0)
        leave(p);
    if (result <= 0)
        return result;
    if (p->options.max_entries != 0 && level->printed == p->options.max_entries)
        return print_rest(p, level);
    int follows = is_followed(level->dir, &entry);
    if (follows < 0)
        return follows;
    if (level->path_bytes + entry.name_length > MEMFS_PATH_MAX)
        return 0; /* no path leads there */
    memcpy(p->path + level->path_bytes, entry.name, (size_t)entry.name_length + 1);
    level->printed++;
    unsigned depth = p->depth;
    int error = print_node(p, entry.name,
                           follows == 1 ? p->strokes->branch : p->strokes->last_branch);
    if (has_vanished(error))
        return 0;
    if (p->depth > depth) {
        add_strokes(p, follows == 1 ? p->strokes->trunk : p->strokes->nothing);
        p->levels[depth].line_bytes = strlen(p->lines);
    }
    return error;
}

static int print_all(struct printing *p, const char *path)
{
    int error = print_node(p, path, "");
    while (error == 0 && p->depth > 0)
        error = print_next(p);
    while (p->depth > 0)
        leave(p);
    bool sums_up = (p->options.flags & MEMFS_PRINT_NO_SUMMARY) == 0;
    if (error == 0 && sums_up && p->root_kind != MEMFS_KIND_SYMLINK)
        error = mfs_line_summary(&p->output, p->fs, path);
    return error;
}

int memfs_print_tree(memfs *fs, const char *path, const memfs_print_options *options,
                     memfs_print_write write, void *context)
{
    struct printing p = {.fs = fs, .output = {.write = write, .context = context}};
    int error = read_options(&p.options, options);
    if (fs == NULL || path == NULL || write == NULL)
        error = MEMFS_EINVAL;
    if (error == 0 && strlen(path) > MEMFS_PATH_MAX)
        error = MEMFS_ENAMETOOLONG;
    if (error != 0)
        return error;
    memcpy(p.path, path, strlen(path) + 1);
    p.output.in_bytes = (p.options.flags & MEMFS_PRINT_BYTES) != 0;
    p.strokes = (p.options.flags & MEMFS_PRINT_ASCII) != 0 ? &ascii_strokes : &unicode_strokes;
    error = print_all(&p, path);
    int unsaid = mfs_output_flush(&p.output);
    return error != 0 ? error : unsaid;
}

static int write_to_stream(void *context, const char *text, size_t length)
{
    return fwrite(text, 1, length, (FILE *)context) == length ? 0 : MEMFS_EIO;
}

int memfs_print_tree_to(memfs *fs, const char *path, const memfs_print_options *options,
                        FILE *stream)
{
    if (stream == NULL)
        return MEMFS_EINVAL;
    int error = memfs_print_tree(fs, path, options, write_to_stream, stream);
    if (fflush(stream) != 0 && error == 0)
        error = MEMFS_EIO;
    return error;
}

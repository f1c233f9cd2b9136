/*
 * Figures are asked for one after another while others may work, so they are those of slightly
 * different moments.
 *
 * Cost: a pass over all that is below a directory, for its sum; over the pages of a file, for what
 * it shares.
 */
#include "line.h"

enum { SIZE_COLUMNS = 11, BAR_COLUMNS = 30 };

static const char *letter_of(uint32_t kind)
{
    return kind == MEMFS_KIND_DIRECTORY ? "d" : kind == MEMFS_KIND_SYMLINK ? "l" : "-";
}

static void print_mode(struct mfs_output *output, const memfs_stat_info *stat)
{
    char text[10] = "---------";
    for (unsigned i = 0; i < 9; i++)
        if ((stat->mode & (0400u >> i)) != 0)
            text[i] = "rwx"[i % 3];
    for (unsigned i = 0; i < 3; i++)
        if ((stat->mode & (04000u >> i)) != 0)
            text[3 * i + 2] = text[3 * i + 2] == 'x' ? "sst"[i] : "SST"[i];
    mfs_output_text(output, letter_of(stat->kind));
    mfs_output_text(output, text);
}

/* Notes stand behind the name, in brackets, with commas between them. */
static void begin_note(struct mfs_output *output, unsigned *notes)
{
    mfs_output_text(output, (*notes)++ == 0 ? "  [" : ", ");
}

static void print_notes(struct mfs_output *output, const memfs_stat_info *stat,
                        uint64_t shared_bytes)
{
    unsigned notes = 0;
    if (shared_bytes > 0) {
        begin_note(output, &notes);
        mfs_output_size(output, shared_bytes, 0);
        mfs_output_text(output, " shared");
    }
    if (stat->kind != MEMFS_KIND_DIRECTORY && stat->links > 1) {
        begin_note(output, &notes);
        mfs_output_count(output, stat->links, "name", "names");
    }
    if (stat->open_handles > 0) {
        begin_note(output, &notes);
        mfs_output_count(output, stat->open_handles, "handle", "handles");
    }
    if (stat->lock_state != 0) {
        begin_note(output, &notes);
        mfs_output_text(output, stat->lock_state < 0 ? "locked" : "locked, shared");
    }
    mfs_output_text(output, notes > 0 ? "]" : "");
}

static void print_target(struct mfs_output *output, memfs *fs, const char *path)
{
    char target[MEMFS_PATH_MAX];
    int64_t length = memfs_readlink(fs, path, target, sizeof target);
    if (length < 0)
        return; /* it has vanished meanwhile */
    mfs_output_text(output, " -> ");
    mfs_output_name(output, target, (size_t)length);
}

static int find_sums(const struct mfs_line *line, uint64_t *size_bytes, uint64_t *shared_bytes)
{
    memfs_tree_info usage = {.struct_size = sizeof usage};
    memfs_sharing_info sharing = {.struct_size = sizeof sharing};
    *size_bytes = line->stat.size_bytes;
    *shared_bytes = 0;
    if (line->stat.kind == MEMFS_KIND_SYMLINK)
        return 0;
    int error = memfs_tree_sharing(line->fs, line->path, &sharing);
    if (error == 0 && line->stat.kind == MEMFS_KIND_DIRECTORY)
        error = memfs_tree_usage(line->fs, line->path, &usage);
    if (error != 0)
        return error;
    *shared_bytes = sharing.shared_bytes;
    if (line->stat.kind == MEMFS_KIND_DIRECTORY)
        *size_bytes = usage.size_bytes;
    return 0;
}

int mfs_line_entry(struct mfs_output *output, const struct mfs_line *line)
{
    uint64_t size_bytes, shared_bytes;
    int error = find_sums(line, &size_bytes, &shared_bytes);
    if (error != 0)
        return error;
    print_mode(output, &line->stat);
    if (line->stat.kind == MEMFS_KIND_SYMLINK)
        for (int i = 0; i < SIZE_COLUMNS; i++)
            mfs_output_text(output, " ");
    else
        mfs_output_size(output, size_bytes, SIZE_COLUMNS);
    mfs_output_text(output, "  ");
    mfs_output_text(output, line->lines);
    mfs_output_name(output, line->name, strlen(line->name));
    if (line->stat.kind == MEMFS_KIND_SYMLINK)
        print_target(output, line->fs, line->path);
    print_notes(output, &line->stat, shared_bytes);
    mfs_output_text(output, "\n");
    return output->error;
}

void mfs_line_more(struct mfs_output *output, const char *lines, uint64_t count)
{
    for (int i = 0; i < SIZE_COLUMNS + 12; i++)
        mfs_output_text(output, " ");
    mfs_output_text(output, lines);
    mfs_output_text(output, "... ");
    mfs_output_count(output, count, "more\n", "more\n");
}

static void print_bar(struct mfs_output *output, uint64_t part, uint64_t whole)
{
    char bar[BAR_COLUMNS + 1];
    double share = whole > 0 ? (double)part / (double)whole : 0;
    size_t filled = (size_t)(share * BAR_COLUMNS);
    if (filled == 0 && part > 0)
        filled = 1;
    for (size_t i = 0; i < BAR_COLUMNS; i++)
        bar[i] = i < filled ? '#' : '-';
    bar[BAR_COLUMNS] = '\0';
    mfs_output_text(output, "[");
    mfs_output_text(output, bar);
    mfs_output_text(output, "] ");
}

static void print_quota(struct mfs_output *output, const memfs_statfs_info *info)
{
    char percent[16];
    bool is_limited = info->quota_bytes != MEMFS_UNLIMITED;
    if (is_limited)
        print_bar(output, info->committed_bytes, info->quota_bytes);
    mfs_output_size(output, info->committed_bytes, 0);
    if (is_limited) {
        mfs_output_text(output, " of ");
        mfs_output_size(output, info->quota_bytes, 0);
    }
    mfs_output_text(output, " held");
    if (is_limited) {
        double share = (double)info->committed_bytes / (double)info->quota_bytes;
        snprintf(percent, sizeof percent, " (%d %%)", (int)(100 * share));
        mfs_output_text(output, percent);
    } else {
        mfs_output_text(output, ", no limit");
    }
    mfs_output_text(output, ", the most ever ");
    mfs_output_size(output, info->peak_bytes, 0);
    if (info->node_limit != MEMFS_UNLIMITED) {
        mfs_output_text(output, "; ");
        mfs_output_count(output, info->files + info->directories + info->symlinks, "of ", "of ");
        mfs_output_count(output, info->node_limit, "node", "nodes");
    }
    mfs_output_text(output, "\n");
}

int mfs_line_summary(struct mfs_output *output, memfs *fs, const char *path)
{
    memfs_tree_info tree = {.struct_size = sizeof tree};
    memfs_sharing_info sharing = {.struct_size = sizeof sharing};
    memfs_statfs_info info = {.struct_size = sizeof info};
    int error = memfs_tree_usage(fs, path, &tree);
    if (error == 0)
        error = memfs_tree_sharing(fs, path, &sharing);
    if (error == 0)
        error = memfs_statfs(fs, &info);
    if (error != 0)
        return error;
    mfs_output_text(output, "\n");
    mfs_output_count(output, tree.files, "file, ", "files, ");
    mfs_output_count(output, tree.directories, "directory, ", "directories, ");
    mfs_output_count(output, tree.symlinks, "link; ", "links; ");
    mfs_output_size(output, tree.size_bytes, 0);
    mfs_output_text(output, " in files");
    if (sharing.shared_bytes > 0) {
        mfs_output_text(output, ", ");
        mfs_output_size(output, sharing.shared_bytes, 0);
        mfs_output_text(output, " of their storage shared");
    }
    mfs_output_text(output, "\n");
    print_quota(output, &info);
    return output->error;
}

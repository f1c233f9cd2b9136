#include "comparison.h"

#include <memfs/memfs.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int is_refusal(int64_t result)
{
    return result == MEMFS_EDQUOT || result == MEMFS_ENOMEM || result == MEMFS_ENOSPC;
}

static int same_look(const char *what, const struct look *a, const struct look *b)
{
    if (a->error == b->error && a->kind == b->kind && a->size == b->size && a->links == b->links &&
        a->pages == b->pages)
        return 1;
    fprintf(stderr,
            "differs: %s: error %d, %d; kind %" PRIu32 ", %" PRIu32 "; size %" PRIu64 ", %" PRIu64
            "; links %" PRIu64 ", %" PRIu64 "; pages %" PRIu64 ", %" PRIu64 "\n",
            what, a->error, b->error, a->kind, b->kind, a->size, b->size, a->links, b->links,
            a->pages, b->pages);
    return 0;
}

static int same_path(struct comparison *c, int at, const char *path)
{
    struct look a, b;
    c->subject.look(c->subject.context, at, path, &a);
    c->reference.look(c->reference.context, at, path, &b);
    return same_look(path, &a, &b);
}

static int same_handle(struct comparison *c, unsigned slot)
{
    struct look a, b;
    c->subject.look_open(c->subject.context, slot, &a);
    c->reference.look_open(c->reference.context, slot, &b);
    return same_look("the open file", &a, &b);
}

int comparison_step(struct comparison *c, const struct operation *operation, struct outcome *out)
{
    struct outcome expected;
    c->subject.run(c->subject.context, operation, out);
    if (c->verbose)
        operation_print(operation, out);
    int same = 1;
    if (!is_refusal(out->result)) {
        c->reference.run(c->reference.context, operation, &expected);
        same = out->result == expected.result && (out->result < 0 || out->hash == expected.hash);
        if (!same) {
            fprintf(stderr, "differs: memfs, then what was expected:\n");
            operation_print(operation, out);
            operation_print(operation, &expected);
        }
    }
    same = same && same_path(c, operation->at, operation->path);
    if (operation->kind != OP_SYMLINK)
        same = same && same_path(c, operation->other_at, operation->other);
    same = same && same_handle(c, operation->slot);
    if (!same)
        operation_print(operation, out);
    return same;
}

static int same_run(struct comparison *c, const struct operation *operation, struct outcome *out)
{
    struct outcome b;
    c->subject.run(c->subject.context, operation, out);
    c->reference.run(c->reference.context, operation, &b);
    if (out->result == b.result && (out->result < 0 || out->hash == b.hash))
        return 1;
    fprintf(stderr, "differs: %s, memfs, then what was expected:\n", operation->path);
    operation_print(operation, out);
    operation_print(operation, &b);
    return 0;
}

/* Extent by extent, so that the holes are compared too. */
static int same_content(struct comparison *c, const char *path)
{
    struct operation o = {.kind = OP_OPEN, .at = AT_ROOT, .slot = HANDLE_SLOTS - 1, .parts = 1};
    struct outcome out;
    strcpy(o.path, path);
    o.flags = MEMFS_O_READ;
    int same = same_run(c, &o, &out);
    int64_t start = 0;
    while (same) {
        o.kind = OP_SEEK;
        o.whence = MEMFS_SEEK_DATA;
        o.offset = start;
        same = same_run(c, &o, &out);
        if (out.result < 0)
            break;
        o.offset = out.result;
        o.whence = MEMFS_SEEK_HOLE;
        same = same && same_run(c, &o, &out);
        start = out.result;
        o.kind = OP_READ;
        o.positioned = 1;
        o.size = start - o.offset;
        same = same && same_run(c, &o, &out);
    }
    o.kind = OP_CLOSE;
    return same_run(c, &o, &out) && same;
}

static int same_tree(struct comparison *c, const char *path);

static int same_entries(struct comparison *c, const char *path)
{
    struct name_list a, b;
    int first = c->subject.list(c->subject.context, path, &a);
    int second = c->reference.list(c->reference.context, path, &b);
    int same = first == 0 && second == 0 && a.count == b.count;
    for (size_t i = 0; same && i < a.count; i++)
        same = strcmp(a.names[i], b.names[i]) == 0;
    if (!same) {
        fprintf(stderr, "differs: the names in %s (%d, %d)\n", path, first, second);
        return 0;
    }
    for (size_t i = 0; i < a.count && same; i++) {
        char below[PATH_ROOM * 2];
        snprintf(below, sizeof below, "%s/%s", path, a.names[i]);
        if (strlen(below) < PATH_ROOM)
            same = same_tree(c, below);
    }
    return same;
}

static int same_tree(struct comparison *c, const char *path)
{
    struct look what;
    c->reference.look(c->reference.context, AT_ROOT, path, &what);
    int same = same_path(c, AT_ROOT, path);
    if (same && what.kind == MEMFS_KIND_DIRECTORY)
        same = same_entries(c, path);
    if (same && what.kind == MEMFS_KIND_FILE)
        same = same_content(c, path);
    if (same && what.kind == MEMFS_KIND_SYMLINK) {
        struct operation o = {.kind = OP_READLINK, .at = AT_ROOT};
        struct outcome out;
        strcpy(o.path, path);
        same = same_run(c, &o, &out);
    }
    return same;
}

int comparison_trees(struct comparison *comparison)
{
    return same_tree(comparison, ".");
}

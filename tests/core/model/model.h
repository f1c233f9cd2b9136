/*
 * The reference model: a tree as a beginner would write it.  Nodes in an array,
 * names in arrays searched from the front, contents in one piece and copied
 * whole, holes as one byte a page.  It has no limits of memory and shares no
 * code with memfs; where memfs and the model differ, one of them misreads
 * include/memfs/memfs.h.
 */
#ifndef MEMFS_TESTS_MODEL_H
#define MEMFS_TESTS_MODEL_H

#include "executor.h"

enum { MODEL_NODES = 8192, MODEL_ENTRIES = 16, NO_NODE = -1, MODEL_ROOT = 0 };

struct model_content {
    unsigned char *bytes; /* `size` of them */
    int64_t size;
    unsigned char *pages; /* 1: allocated, 0: a hole; may reach past the size */
    int64_t page_count;
    int64_t preallocated_end; /* cutting keeps the pages before it; 0: none */
};

struct model_entry {
    char name[256];
    int node;
};

struct model_node {
    uint32_t kind; /* enum memfs_kind */
    int links;     /* names; of a directory 0 once it is removed */
    int opens;
    int is_kept; /* in a snapshot, not in the tree */
    int parent;  /* of a directory */
    struct model_content content;
    char target[PATH_ROOM];
    struct model_entry entries[MODEL_ENTRIES];
    int entry_count;
};

struct model_handle {
    int node; /* NO_NODE: not open */
    uint32_t flags;
    int64_t offset;
};

struct model {
    uint32_t page_size;
    struct model_node *nodes[MODEL_NODES];
    int used_nodes; /* slots from here on were never used */
    struct model_handle handles[HANDLE_SLOTS];
    int directories[DIRECTORY_SLOTS];
    struct model_content versions[VERSION_SLOTS];
    int version_held[VERSION_SLOTS];
    int snapshots[SNAPSHOT_SLOTS]; /* the copy of the root, or NO_NODE */
};

struct model *model_create(uint32_t page_size);
void model_destroy(struct model *model);
struct executor model_executor(struct model *model);

/* The number of nodes of a kind, orphans included. */
uint64_t model_count(const struct model *model, uint32_t kind);
/* The number of nodes without a name that handles hold. */
uint64_t model_orphans(const struct model *model);

/* --- names (model_names.c) --- */

/* Where a path leads. */
struct model_place {
    int directory; /* that holds, or would hold, the last component */
    const char *name;
    int node;           /* NO_NODE: there is none */
    int trailing_slash; /* after the last component */
    enum { LAST_NAME, LAST_DOT, LAST_DOT_DOT, LAST_ROOT } last;
    char text[4 * PATH_ROOM]; /* what `name` points into */
};

/* What becomes of a symlink as the last component. */
enum model_follow {
    FOLLOW_NEVER,        /* as unlink: a trailing slash is left to the caller */
    FOLLOW_IF_DIRECTORY, /* as lstat: only with a trailing slash */
    FOLLOW_ALWAYS
};

int model_walk(struct model *model, int at, const char *path, enum model_follow follow,
               struct model_place *out);
/* Walks to something that exists: its node, or an error. */
int model_lookup(struct model *model, int at, const char *path, enum model_follow follow);
int model_node_new(struct model *model, uint32_t kind);
void model_node_unuse(struct model *model, int node);
void model_entry_add(struct model *model, int directory, const char *name, int node);
void model_entry_remove(struct model *model, int directory, const char *name);
/* Where a name that is to be made would go: ENOENT, EEXIST ... */
int model_walk_new(struct model *model, int at, const char *path, int is_directory,
                   struct model_place *out);
int model_mkdir(struct model *model, int at, const char *path);
int model_mkdir_parents(struct model *model, const char *path);
int model_rmdir(struct model *model, int at, const char *path);
int model_unlink(struct model *model, int at, const char *path);
int model_link(struct model *model, int at, const char *from, int to_at, const char *to,
               int follow);
int model_link_node(struct model *model, int node, int to_at, const char *to);
int model_symlink(struct model *model, const char *target, int at, const char *path);
int model_rename(struct model *model, int at, const char *from, int to_at, const char *to,
                 uint32_t flags);
int model_snapshot(struct model *model, unsigned slot);
int model_snapshot_remove(struct model *model, unsigned slot);
int model_snapshot_extract(struct model *model, unsigned slot, const char *to);
int model_restore(struct model *model, unsigned slot);
int model_copy_tree(struct model *model, const char *from, const char *to);
int model_remove_tree(struct model *model, const char *path);

/* --- contents (model_content.c) --- */

void content_free(struct model_content *content);
void content_copy(struct model_content *to, const struct model_content *from, uint32_t page_size);
/* Cuts or grows; what is preallocated stays, up to the first hole behind the size. */
void content_resize(struct model_content *content, uint32_t page_size, int64_t size);
void content_write(struct model_content *content, uint32_t page_size, const void *data,
                   int64_t length, int64_t offset);
/* The pages that are there. */
uint64_t content_pages(const struct model_content *content);
/* Copies out what lies inside the content; the count. */
int64_t content_read(const struct model_content *content, void *buffer, int64_t length,
                     int64_t offset);
void content_allocate(struct model_content *content, uint32_t page_size, int64_t offset,
                      int64_t length);
void content_preallocate(struct model_content *content, uint32_t page_size, int64_t end);
void content_zero(struct model_content *content, int64_t offset, int64_t length);
void content_punch(struct model_content *content, uint32_t page_size, int64_t offset,
                   int64_t length);
int64_t content_seek(const struct model_content *content, uint32_t page_size, int64_t offset,
                     int data);

#endif

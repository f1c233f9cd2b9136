/* An import is one step for every observer: threads that look, take snapshots and compare. */
#define _POSIX_C_SOURCE 200809L

#include "team.h"

#include <stdio.h>
#include <stdlib.h>

enum { IMPORTS = 400 };

static int import_round(memfs *fs, int number)
{
    char text[16], path[48];
    snprintf(text, sizeof text, "%08d", number);
    snprintf(path, sizeof path, "/new/%d/p/q", number);
    const memfs_import_entry model = {
        .struct_size = sizeof model, .data = text, .size = 8, .mode = 0644};
    memfs_import_entry entries[] = {model, model, model, model};
    entries[0].path = "/a/x";
    entries[1].path = path;
    entries[2].path = "/b/y";
    entries[3].path = "/b/link";
    entries[3].kind = MEMFS_KIND_SYMLINK;
    return memfs_import(fs, entries, COUNT_OF(entries), MEMFS_IMPORT_REPLACE, NULL);
}

static void *import_rounds(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    for (int i = 1; i <= IMPORTS; i++) {
        team->wrong += import_round(team->fs, i) != 0;
        if (i % 50 == 0)
            team->wrong += memfs_remove_tree(team->fs, "/new") != 0;
    }
    team->done = 1;
    return NULL;
}

/* The number in a file, in the tree or in a snapshot; -1 if it cannot be read. */
static int number_in(memfs *fs, const char *snapshot, const char *path)
{
    char text[16] = "";
    memfs_file *file;
    int error = snapshot == NULL ? memfs_open(fs, path, MEMFS_O_READ, 0, &file)
                                 : memfs_snapshot_open(fs, snapshot, path, 0, &file);
    if (error != 0)
        return -1;
    int64_t length = memfs_read(file, text, sizeof text - 1);
    error = memfs_close(file);
    return error == 0 && length == 8 ? atoi(text) : -1;
}

/* What is looked at later is not older, in whichever order. */
static void *look_at_rounds(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    do {
        int x = number_in(team->fs, NULL, "/a/x"), y = number_in(team->fs, NULL, "/b/y");
        int x_again = number_in(team->fs, NULL, "/a/x");
        team->wrong += x < 0 || y < x || x_again < y;
        team->looked++;
    } while (!team->done);
    return NULL;
}

/* A directory that an import made is never there without what is in it; an entry that is listed
 * may be removed before it is looked at. */
static void *list_rounds(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    do {
        memfs_dir *dir;
        memfs_dirent entry = {.struct_size = sizeof entry};
        if (memfs_opendir(team->fs, "/new", &dir) != 0)
            continue;
        while (memfs_readdir(dir, &entry) == 1) {
            char path[sizeof entry.name + 8];
            memfs_tree_info info = {.struct_size = sizeof info};
            snprintf(path, sizeof path, "/new/%s", entry.name);
            int error = memfs_tree_usage(team->fs, path, &info);
            team->wrong += error == 0 ? info.files != 1 || info.directories != 2
                                      : error != MEMFS_ENOENT;
        }
        team->wrong += memfs_closedir(dir) != 0;
    } while (!team->done);
    return NULL;
}

/* The paths that changed, one bit each: of /a/x, of /b/y. */
static int changes_between(struct team *team, const char *before, const char *after)
{
    memfs_comparison *comparison;
    const memfs_change *change;
    int changes = 0;
    if (memfs_compare_open(team->fs, before, after, &comparison) != 0)
        return -1;
    while (memfs_compare_next(comparison, &change) == 1) {
        if ((change->what & MEMFS_CHANGE_CONTENT) == 0)
            continue;
        changes |= strcmp(change->path, "/a/x") == 0 ? 1 : 0;
        changes |= strcmp(change->path, "/b/y") == 0 ? 2 : 0;
    }
    return memfs_compare_close(comparison) == 0 ? changes : -1;
}

static void *keep_rounds(void *context)
{
    struct team *team = ((struct member *)context)->team;
    meet(team);
    do {
        if (memfs_snapshot_take(team->fs, "now") != 0) {
            team->wrong++;
            break;
        }
        int x = number_in(team->fs, "now", "/a/x"), y = number_in(team->fs, "now", "/b/y");
        int last = number_in(team->fs, "last", "/a/x");
        team->wrong += x < 0 || x != y;
        team->wrong += changes_between(team, "last", "now") != (x == last ? 0 : 3);
        int changes = changes_between(team, "now", NULL);
        team->wrong += changes != 0 && changes != 3;
        team->wrong += memfs_snapshot_remove(team->fs, "last") != 0 ||
                       memfs_snapshot_rename(team->fs, "now", "last") != 0;
    } while (!team->done);
    return NULL;
}

static void an_import_is_seen_whole_or_not_at_all(void **state)
{
    struct fixture *f = *state;
    struct team team = team_of(f);
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    assert_ok(memfs_mkdir(f->fs, "/b", 0755));
    assert_ok(import_round(f->fs, 0));
    assert_ok(memfs_snapshot_take(f->fs, "last"));
    void *(*const functions[])(void *) = {import_rounds, look_at_rounds, list_rounds, keep_rounds};
    run(&team, COUNT_OF(functions), functions);
    assert_int_equal(team.wrong, 0);
    assert_true(team.looked > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(an_import_is_seen_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * A snapshot is the whole tree at one instant: what one writer does to two files
 * one after the other is in it in that order, under any number of writers.
 *
 * A writer counts up in two files, first in A, then in B, and marks both with an
 * attribute likewise.  So in each snapshot A is B, or one more.
 */
#include "crew.h"
#include "site.h"

#include <memfs/storage.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WRITERS = 3, SNAPSHOTS = 300, BLOB_BYTES = 9000, CHANGES = 4000 };

/* Writers go on until every member that looks at snapshots has done so. */
struct scene {
    struct site site; /* first, so that it is the context too */
    atomic_uint lookers;
    atomic_uint in_between; /* copies that have A one ahead of B */
};

static void file_path(char path[48], const char *below, unsigned writer, char which)
{
    snprintf(path, 48, "%s/w%u/%c", below, writer, which);
}

static memfs_file *open_counter(struct crew_member *me, char which)
{
    struct site *site = me->context;
    char path[48];
    memfs_file *file = NULL;
    file_path(path, "", me->index, which);
    crew_must(me, memfs_open(site->fs, path, MEMFS_O_RDWR, 0, &file));
    return file;
}

/* The count stands at the front and at the end of a blob of several pages. */
static void set_count(struct crew_member *me, memfs_file *file, uint64_t count)
{
    unsigned char blob[BLOB_BYTES];
    memset(blob, (int)(count & 0xff), sizeof blob);
    memcpy(blob, &count, sizeof count);
    memcpy(blob + sizeof blob - sizeof count, &count, sizeof count);
    crew_check(me, crew_must(me, memfs_pwrite(file, blob, sizeof blob, 0)) == sizeof blob);
}

static void count_in_two_files(struct crew_member *me)
{
    memfs_file *a = open_counter(me, 'a'), *b = open_counter(me, 'b');
    struct scene *scene = me->context;
    for (uint64_t count = 1; atomic_load(&scene->lookers) != 0; count++) {
        set_count(me, a, count);
        crew_must(me, memfs_futimens(a, 0, (int64_t)count));
        set_count(me, b, count);
        crew_must(me, memfs_futimens(b, 0, (int64_t)count));
        if (crew_random(me, 50) == 0) {
            crew_must(me, memfs_hold_private(a, 1));
            crew_must(me, memfs_hold_private(b, count % 2 == 0));
        }
        if (crew_random(me, 50) == 0)
            crew_must(me, memfs_hold_private(a, 0));
    }
    crew_must(me, memfs_close(a));
    crew_must(me, memfs_close(b));
}

/* Names come and go, too: of two, made in turn and removed in turn, one is always there. */
static void move_names(struct crew_member *me)
{
    struct site *site = me->context;
    struct scene *scene = me->context;
    for (unsigned i = 0; atomic_load(&scene->lookers) != 0 || i % 2 != 0; i++) {
        bool even = i % 2 == 0;
        crew_must(me, memfs_mkdir(site->fs, even ? "/moved/1" : "/moved/0", 0755));
        crew_must(me, memfs_rmdir(site->fs, even ? "/moved/0" : "/moved/1"));
    }
}

struct seen {
    uint64_t count;
    int64_t mark;
};

static struct seen look(struct crew_member *me, const char *below, unsigned writer, char which)
{
    struct site *site = me->context;
    char path[48];
    void *data = NULL;
    size_t size = 0;
    struct seen seen;
    uint64_t last;
    memfs_stat_info info = {.struct_size = sizeof info};
    file_path(path, below, writer, which);
    crew_must(me, memfs_read_file(site->fs, path, BLOB_BYTES, &data, &size));
    crew_check(me, size == BLOB_BYTES);
    memcpy(&seen.count, data, sizeof seen.count);
    memcpy(&last, (char *)data + size - sizeof last, sizeof last);
    crew_check(me, seen.count == last);
    crew_must(me, memfs_free(site->fs, data));
    crew_must(me, memfs_stat(site->fs, path, &info));
    seen.mark = info.modify_ns;
    return seen;
}

static void check_copy(struct crew_member *me, const char *below)
{
    struct site *site = me->context;
    for (unsigned writer = 0; writer < WRITERS; writer++) {
        struct seen a = look(me, below, writer, 'a'), b = look(me, below, writer, 'b');
        crew_check(me, a.count == b.count || a.count == b.count + 1);
        if (a.count != b.count)
            (void)atomic_fetch_add(&((struct scene *)me->context)->in_between, 1u);
        /* The mark comes before what is written next. */
        if (a.count == b.count)
            crew_check(me, a.mark == (int64_t)a.count);
        else
            crew_check(me, b.mark == (int64_t)b.count);
    }
    char zero[48], one[48];
    snprintf(zero, sizeof zero, "%s/moved/0", below);
    snprintf(one, sizeof one, "%s/moved/1", below);
    crew_check(me, memfs_exists(site->fs, zero) == 1 || memfs_exists(site->fs, one) == 1);
}

static void take_and_check(struct crew_member *me)
{
    struct site *site = me->context;
    char name[24], below[24];
    snprintf(name, sizeof name, "s%u", me->index);
    snprintf(below, sizeof below, "/probe-%u", me->index);
    for (unsigned i = 0; i < SNAPSHOTS; i++) {
        crew_must(me, memfs_snapshot_take(site->fs, name));
        crew_must(me, memfs_mkdir(site->fs, below, 0755));
        char path[48];
        static const char *const parts[] = {"/w0", "/w1", "/w2", "/moved"};
        for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
            snprintf(path, sizeof path, "%s%s", below, parts[part]);
            crew_must(me, memfs_snapshot_extract(site->fs, name, parts[part], path, 0));
        }
        crew_must(me, memfs_snapshot_remove(site->fs, name));
        check_copy(me, below);
        crew_must(me, memfs_remove_tree(site->fs, below));
    }
    (void)atomic_fetch_sub(&((struct scene *)me->context)->lookers, 1u);
}

/* The copy of a tree is of one instant as well. */
static void copy_and_check(struct crew_member *me)
{
    struct site *site = me->context;
    for (unsigned i = 0; i < SNAPSHOTS; i++) {
        char path[48];
        snprintf(path, sizeof path, "/w0-copy-%u", me->index);
        crew_must(me, memfs_copy_tree(site->fs, "/w0", path, MEMFS_COPY_ATTRIBUTES));
        crew_must(me, memfs_mkdir(site->fs, "/copies", 0755));
        crew_must(me, memfs_rename(site->fs, path, "/copies/w0", 0));
        struct seen a = look(me, "/copies", 0, 'a'), b = look(me, "/copies", 0, 'b');
        crew_check(me, a.count == b.count || a.count == b.count + 1);
        crew_must(me, memfs_remove_tree(site->fs, "/copies"));
    }
    (void)atomic_fetch_sub(&((struct scene *)me->context)->lookers, 1u);
}

static void a_snapshot_is_the_tree_at_one_instant(void **state)
{
    (void)state;
    struct scene scene = {.lookers = 3};
    struct site *site = &scene.site;
    unsigned char blob[BLOB_BYTES] = {0};
    site_open(site, 32u << 20, 0);
    assert_int_equal(memfs_mkdir_parents(site->fs, "/moved/0", 0755), 0);
    for (unsigned writer = 0; writer < WRITERS; writer++) {
        char path[48];
        snprintf(path, sizeof path, "/w%u", writer);
        assert_int_equal(memfs_mkdir(site->fs, path, 0755), 0);
        for (char which = 'a'; which <= 'b'; which++) {
            file_path(path, "", writer, which);
            assert_int_equal(memfs_write_file(site->fs, path, blob, sizeof blob, 0644, 0), 0);
            assert_int_equal(memfs_utimens(site->fs, path, 0, 0), 0);
        }
    }
    struct crew *crew = crew_create("snapshots", &scene);
    crew_add(crew, "writer", WRITERS, count_in_two_files);
    crew_add(crew, "mover", 1, move_names);
    crew_add(crew, "taker", 2, take_and_check);
    crew_add(crew, "copier", 1, copy_and_check);
    crew_run(crew);
    crew_destroy(crew);
    printf("%u copies between two writes\n", atomic_load(&scene.in_between));
    site_close(site);
}

/* Restoring, removing and extracting while others use the same names. */
static void restore_and_remove(struct crew_member *me)
{
    struct site *site = me->context;
    static const char *const names[] = {"x", "y"};
    for (unsigned i = 0; i < 3 * SNAPSHOTS; i++) {
        const char *name = names[crew_random(me, 2)];
        switch (crew_random(me, 6)) {
        case 0:
        case 1:
            crew_allow(me, memfs_snapshot_take(site->fs, name), MEMFS_EEXIST);
            break;
        case 2:
            crew_allow(me, memfs_snapshot_remove(site->fs, name), MEMFS_ENOENT);
            break;
        case 3:
            crew_allow(me, memfs_snapshot_extract(site->fs, name, "/d", "/e", 0), MEMFS_ENOENT,
                       MEMFS_EEXIST);
            break;
        case 4:
            crew_allow(me, memfs_remove_tree(site->fs, "/e"), MEMFS_ENOENT);
            break;
        default:
            crew_allow(me, memfs_snapshot_restore(site->fs, name), MEMFS_ENOENT);
        }
    }
}

static void change_files(struct crew_member *me)
{
    struct site *site = me->context;
    unsigned char blob[BLOB_BYTES];
    for (unsigned i = 0; i < CHANGES; i++) {
        char path[32];
        snprintf(path, sizeof path, "/d/%u", crew_random(me, 5));
        memset(blob, (int)i, sizeof blob);
        crew_allow(me, memfs_write_file(site->fs, path, blob, sizeof blob, 0644, 0), MEMFS_ENOENT);
        crew_allow(me, memfs_unlink(site->fs, path), MEMFS_ENOENT);
        crew_allow(me, memfs_mkdir(site->fs, "/d", 0755), MEMFS_EEXIST);
    }
}

static void snapshots_come_and_go_while_all_others_work(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 32u << 20, 0);
    struct crew *crew = crew_create("coming and going", &site);
    crew_add(crew, "restorer", 3, restore_and_remove);
    crew_add(crew, "writer", 2, change_files);
    crew_run(crew);
    crew_destroy(crew);
    (void)memfs_snapshot_remove(site.fs, "x");
    (void)memfs_snapshot_remove(site.fs, "y");
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_is_the_tree_at_one_instant),
        cmocka_unit_test(snapshots_come_and_go_while_all_others_work),
    };
    return cmocka_run_group_tests_name("snapshots", tests, NULL, NULL);
}

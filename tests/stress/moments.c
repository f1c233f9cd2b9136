/*
 * What is taken of a file while others write it is the file at one moment: clones, versions, whole
 * reads, and pages that are mapped.
 *
 * Writers replace the whole content by one call, always with one byte value. So whatever is taken
 * at one moment is uniform, and stays so.
 */
#include "crew.h"
#include "site.h"

#include <memfs/storage.h>

#include <stdio.h>
#include <string.h>

#define SOURCE "/source"
#define SOURCE_BYTES 40000u
#define CUT_BYTES 12345 /* the only other size: so cutting never grows, and leaves no zeros */
#define PAGE_BYTES 4096u
#define STEPS 2000u

static void own_path(char path[32], const struct crew_member *me)
{
    snprintf(path, 32, "/%s-%u", me->role, me->index);
}

static void write_source(struct crew_member *me)
{
    memfs_file *file = site_open_file(me, SOURCE, MEMFS_O_RDWR);
    unsigned char bytes[SOURCE_BYTES];
    for (unsigned i = 0; i < STEPS; i++) {
        memset(bytes, 1 + (int)crew_random(me, 255), sizeof bytes);
        crew_check(me, crew_must(me, memfs_pwrite(file, bytes, sizeof bytes, 0)) == sizeof bytes);
        if (crew_random(me, 4) == 0)
            crew_must(me, memfs_ftruncate(file, CUT_BYTES));
    }
    crew_must(me, memfs_close(file));
}

/* Another way to make a new whole content: in one step from outside. */
static void replace_source(struct crew_member *me)
{
    struct site *site = me->context;
    unsigned char bytes[SOURCE_BYTES];
    for (unsigned i = 0; i < STEPS; i++) {
        memset(bytes, 1 + (int)crew_random(me, 255), sizeof bytes);
        crew_must(me, memfs_write_file(site->fs, SOURCE, bytes, sizeof bytes, 0644, 0));
    }
}

static void check_file(struct crew_member *me, const char *path)
{
    struct site *site = me->context;
    void *data = NULL;
    size_t size = 0;
    crew_must(me, memfs_read_file(site->fs, path, SOURCE_BYTES, &data, &size));
    crew_check(me, site_is_uniform(data, size));
    crew_check(me, size == 0 || *(unsigned char *)data != 0);
    crew_must(me, memfs_free(site->fs, data));
}

static void read_source(struct crew_member *me)
{
    for (unsigned i = 0; i < STEPS; i++)
        check_file(me, SOURCE);
}

/* Checked twice, and after a change of its own, which the source must not see. */
static void clone_source(struct crew_member *me)
{
    struct site *site = me->context;
    char path[32];
    own_path(path, me);
    for (unsigned i = 0; i < STEPS; i++) {
        crew_must(me, memfs_copy(site->fs, SOURCE, path, 0));
        check_file(me, path);
        check_file(me, path);
        memfs_file *file = site_open_file(me, path, MEMFS_O_WRITE);
        crew_check(me, memfs_pwrite(file, "", 1, PAGE_BYTES + 1) == 1);
        crew_must(me, memfs_close(file));
        if (crew_random(me, 2) == 0)
            crew_must(me, memfs_unlink(site->fs, path));
    }
}

/* In pieces, at several moments: it must be the same moment that is seen. */
static void check_version(struct crew_member *me, const memfs_content_ref *version)
{
    unsigned char piece[3000], first = 0;
    uint64_t at = 0;
    for (int64_t got; at < version->size_bytes; at += (uint64_t)got) {
        got = crew_must(me, memfs_content_read(version, piece, sizeof piece, (int64_t)at));
        crew_check(me, got > 0 && site_is_uniform(piece, (size_t)got));
        first = at == 0 ? piece[0] : first;
        crew_check(me, piece[0] == first && first != 0);
    }
    crew_check(me, at == version->size_bytes);
}

static void hold_versions(struct crew_member *me)
{
    memfs_file *file = site_open_file(me, SOURCE, MEMFS_O_RDWR);
    memfs_content_ref held[3];
    for (unsigned i = 0; i < STEPS; i++) {
        for (unsigned k = 0; k < 3; k++)
            crew_must(me, memfs_content_take(file, &held[k]));
        for (unsigned k = 0; k < 3; k++)
            check_version(me, &held[k]);
        crew_must(me, memfs_content_drop(&held[0]));
        check_version(me, &held[1]);
        crew_must(me, memfs_content_restore(file, &held[1]));
        check_version(me, &held[2]);
        crew_must(me, memfs_content_drop(&held[2]));
    }
    crew_must(me, memfs_close(file));
}

/* A page of a clone is the source's page too, and must not move when the source is written. */
static void map_clones(struct crew_member *me)
{
    struct site *site = me->context;
    char path[32];
    own_path(path, me);
    for (unsigned i = 0; i < STEPS; i++) {
        crew_must(me, memfs_copy(site->fs, SOURCE, path, 0));
        memfs_file *file = site_open_file(me, path, MEMFS_O_READ);
        memfs_mapping mapping;
        crew_must(me, memfs_map(file, 0, PAGE_BYTES, &mapping));
        unsigned char before = *(const unsigned char *)mapping.data;
        crew_check(me, site_is_uniform(mapping.data, PAGE_BYTES));
        check_file(me, SOURCE);
        crew_check(me, *(const unsigned char *)mapping.data == before);
        crew_check(me, site_is_uniform(mapping.data, PAGE_BYTES));
        crew_must(me, memfs_unmap(&mapping));
        crew_must(me, memfs_close(file));
        crew_must(me, memfs_unlink(site->fs, path));
    }
}

static void start_with_source(struct site *site)
{
    unsigned char bytes[SOURCE_BYTES];
    memset(bytes, 1, sizeof bytes);
    assert_int_equal(memfs_write_file(site->fs, SOURCE, bytes, sizeof bytes, 0644, 0), 0);
}

static void run_and_close(struct crew *crew, struct site *site)
{
    crew_run(crew);
    crew_destroy(crew);
    site_close(site);
}

static void a_clone_is_the_file_at_one_moment(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 8u << 20, 0);
    start_with_source(&site);
    struct crew *crew = crew_create("clones", &site);
    crew_add(crew, "writer", 2, write_source);
    crew_add(crew, "replacer", 1, replace_source);
    crew_add(crew, "cloner", 2, clone_source);
    crew_add(crew, "reader", 1, read_source);
    run_and_close(crew, &site);
}

static void a_version_is_the_file_at_one_moment(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 8u << 20, 0);
    start_with_source(&site);
    struct crew *crew = crew_create("versions", &site);
    crew_add(crew, "writer", 2, write_source);
    crew_add(crew, "holder", 2, hold_versions);
    crew_add(crew, "reader", 1, read_source);
    run_and_close(crew, &site);
}

static void a_mapped_page_of_a_clone_stays_as_it_was(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 8u << 20, 0);
    start_with_source(&site);
    struct crew *crew = crew_create("mappings", &site);
    crew_add(crew, "writer", 2, write_source);
    crew_add(crew, "mapper", 3, map_clones);
    run_and_close(crew, &site);
}

/* Private files, removed, cut or punched under the mapping: no thread writes what is looked at. */
static void map_and_remove(struct crew_member *me)
{
    struct site *site = me->context;
    char path[32];
    own_path(path, me);
    unsigned char bytes[2 * PAGE_BYTES];
    for (unsigned i = 0; i < STEPS; i++) {
        int value = 1 + (int)crew_random(me, 255);
        memset(bytes, value, sizeof bytes);
        crew_must(me, memfs_write_file(site->fs, path, bytes, sizeof bytes, 0644, 0));
        memfs_file *file = site_open_file(me, path, MEMFS_O_RDWR);
        memfs_mapping mapping;
        crew_must(me, memfs_map(file, PAGE_BYTES, PAGE_BYTES, &mapping));
        uint32_t way = crew_random(me, 3);
        if (way == 0)
            crew_must(me, memfs_ftruncate(file, 1));
        else if (way == 1)
            crew_must(me, memfs_fallocate(file, 0, sizeof bytes, MEMFS_FALLOCATE_PUNCH_HOLE));
        crew_must(me, memfs_close(file));
        crew_must(me, memfs_unlink(site->fs, path));
        crew_check(me, site_is_uniform(mapping.data, PAGE_BYTES));
        crew_check(me, *(const unsigned char *)mapping.data == value);
        crew_must(me, memfs_unmap(&mapping));
    }
}

static void a_mapped_page_outlives_its_file(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 1u << 20, 0);
    struct crew *crew = crew_create("pins", &site);
    crew_add(crew, "mapper", 4, map_and_remove);
    run_and_close(crew, &site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clone_is_the_file_at_one_moment),
        cmocka_unit_test(a_version_is_the_file_at_one_moment),
        cmocka_unit_test(a_mapped_page_of_a_clone_stays_as_it_was),
        cmocka_unit_test(a_mapped_page_outlives_its_file),
    };
    return cmocka_run_group_tests_name("moments", tests, NULL, NULL);
}

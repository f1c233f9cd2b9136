/*
 * Readers and writers of one file: what a call does is one step for the others.
 *
 * Every write is a whole record of one byte value, longer than a page and not
 * aligned to it, so a read that catches half a write shows two values.
 */
#include "crew.h"
#include "site.h"

#include <stdio.h>
#include <string.h>

#define RECORD_BYTES 5000u
#define RECORDS 8u
#define FILE_BYTES (RECORD_BYTES * RECORDS)
#define STEPS 4000u
#define APPENDS 2000u
#define APPENDERS 4u

static int64_t write_record(memfs_file *file, const unsigned char *record, int64_t offset,
                            int vector)
{
    if (!vector)
        return memfs_pwrite(file, record, RECORD_BYTES, offset);
    unsigned char copy[RECORD_BYTES];
    memcpy(copy, record, sizeof copy);
    const memfs_iovec parts[3] = {{copy, 1}, {copy + 1, 4200}, {copy + 4201, RECORD_BYTES - 4201}};
    return memfs_pwritev(file, parts, 3, offset);
}

static void overwrite_records(struct crew_member *me)
{
    memfs_file *file = site_open_file(me, "/records", MEMFS_O_RDWR);
    unsigned char record[RECORD_BYTES];
    for (unsigned i = 0; i < STEPS; i++) {
        memset(record, (int)crew_random(me, 256), sizeof record);
        int64_t offset = (int64_t)RECORD_BYTES * crew_random(me, RECORDS);
        int64_t count = write_record(file, record, offset, (int)crew_random(me, 2));
        crew_check(me, crew_must(me, count) == RECORD_BYTES);
    }
    crew_must(me, memfs_close(file));
}

static void read_records(struct crew_member *me)
{
    memfs_file *file = site_open_file(me, "/records", MEMFS_O_READ);
    unsigned char all[FILE_BYTES];
    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t first = crew_random(me, RECORDS);
        uint32_t count = 1 + crew_random(me, RECORDS - first);
        int64_t got = memfs_pread(file, all, (size_t)RECORD_BYTES * count,
                                  (int64_t)RECORD_BYTES * first);
        crew_check(me, crew_must(me, got) == (int64_t)RECORD_BYTES * count);
        for (uint32_t k = 0; k < count; k++)
            crew_check(me, site_is_uniform(all + (size_t)RECORD_BYTES * k, RECORD_BYTES));
    }
    crew_must(me, memfs_close(file));
}

static void a_read_never_sees_half_a_write(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 1u << 20, 0);
    static const unsigned char zeros[FILE_BYTES];
    assert_int_equal(memfs_write_file(site.fs, "/records", zeros, sizeof zeros, 0644, 0), 0);
    struct crew *crew = crew_create("records", &site);
    crew_add(crew, "writer", 3, overwrite_records);
    crew_add(crew, "reader", 3, read_records);
    crew_run(crew);
    crew_destroy(crew);
    site_close(&site);
}

/* What an appender writes: this, and then bytes of one value, which is the writer's number. */
struct append_head {
    uint32_t writer;
    uint32_t number;
    uint32_t tail_bytes;
};

#define TAIL_BYTES_MAX 6000u

static void append_records(struct crew_member *me, memfs_file *file)
{
    unsigned char bytes[sizeof(struct append_head) + TAIL_BYTES_MAX];
    memset(bytes, (int)me->index, sizeof bytes);
    for (uint32_t i = 0; i < APPENDS; i++) {
        struct append_head head = {me->index, i, crew_random(me, TAIL_BYTES_MAX)};
        memcpy(bytes, &head, sizeof head);
        size_t length = sizeof head + head.tail_bytes;
        crew_check(me, crew_must(me, memfs_write(file, bytes, length)) == (int64_t)length);
    }
}

static void append_by_own_handle(struct crew_member *me)
{
    memfs_file *file = site_open_file(me, "/log", MEMFS_O_WRITE | MEMFS_O_APPEND);
    append_records(me, file);
    crew_must(me, memfs_close(file));
}

/* Reads the records from `offset` on, in order, and stops at the end of the file.  `next` has the
 * number that each writer's next record must bear.  The new offset. */
static int64_t follow_log(struct crew_member *me, memfs_file *file, int64_t offset, uint32_t *next)
{
    struct append_head head;
    unsigned char tail[TAIL_BYTES_MAX];
    for (;;) {
        int64_t got = crew_must(me, memfs_pread(file, &head, sizeof head, offset));
        if (got == 0)
            return offset;
        crew_check(me, got == (int64_t)sizeof head);
        crew_check(me, head.writer < APPENDERS && head.tail_bytes < TAIL_BYTES_MAX);
        crew_check(me, head.number == next[head.writer]++);
        offset += got;
        got = crew_must(me, memfs_pread(file, tail, head.tail_bytes, offset));
        crew_check(me, got == (int64_t)head.tail_bytes && site_is_uniform(tail, head.tail_bytes));
        crew_check(me, head.tail_bytes == 0 || tail[0] == head.writer);
        offset += got;
    }
}

static int is_complete(const uint32_t *next)
{
    for (unsigned i = 0; i < APPENDERS; i++)
        if (next[i] != APPENDS)
            return 0;
    return 1;
}

/* Until all have been seen: a lost record ends this in the test's timeout or in a failed check. */
static void follow_appenders(struct crew_member *me)
{
    memfs_file *file = site_open_file(me, "/log", MEMFS_O_READ);
    uint32_t next[APPENDERS] = {0};
    int64_t offset = 0;
    while (!is_complete(next))
        offset = follow_log(me, file, offset, next);
    crew_check(me, offset == memfs_file_size(file));
    crew_must(me, memfs_close(file));
}

static void appends_are_whole_and_none_is_lost(void **state)
{
    (void)state;
    struct site site;
    site_open(&site, 40u << 20, 0);
    assert_int_equal(memfs_write_file(site.fs, "/log", "", 0, 0644, 0), 0);
    struct crew *crew = crew_create("appends", &site);
    crew_add(crew, "appender", APPENDERS, append_by_own_handle);
    crew_add(crew, "follower", 2, follow_appenders);
    crew_run(crew);
    crew_destroy(crew);
    site_close(&site);
}

#define SHARED_RECORD_BYTES 700u
#define SHARED_WRITERS 3u
#define SHARED_READERS 3u

struct shared_handle {
    struct site site;
    memfs_file *file;
    _Atomic uint32_t seen[SHARED_WRITERS * STEPS];
};

/* `number` again and again, so that a record that was cut or mixed shows. */
static void fill_with(uint32_t *record, uint32_t number)
{
    for (unsigned i = 0; i < SHARED_RECORD_BYTES / sizeof *record; i++)
        record[i] = number;
}

static void write_by_shared_handle(struct crew_member *me)
{
    struct shared_handle *shared = me->context;
    uint32_t record[SHARED_RECORD_BYTES / sizeof(uint32_t)];
    for (uint32_t i = 0; i < STEPS; i++) {
        fill_with(record, me->index * STEPS + i);
        crew_check(me, memfs_write(shared->file, record, sizeof record) == sizeof record);
    }
}

static void read_by_shared_handle(struct crew_member *me)
{
    struct shared_handle *shared = me->context;
    uint32_t record[SHARED_RECORD_BYTES / sizeof(uint32_t)];
    uint32_t whole[SHARED_RECORD_BYTES / sizeof(uint32_t)];
    while (memfs_read(shared->file, record, sizeof record) == sizeof record) {
        fill_with(whole, record[0]);
        crew_check(me, memcmp(record, whole, sizeof record) == 0);
        crew_check(me, record[0] < SHARED_WRITERS * STEPS);
        shared->seen[record[0]]++;
    }
}

static void run_shared(struct shared_handle *shared, const char *role, unsigned count,
                       crew_work work)
{
    struct crew *crew = crew_create("one handle", shared);
    crew_add(crew, role, count, work);
    crew_run(crew);
    crew_destroy(crew);
}

static void threads_that_share_a_handle_share_its_offset(void **state)
{
    (void)state;
    static struct shared_handle shared;
    site_open(&shared.site, 16u << 20, 0);
    assert_int_equal(
        memfs_open(shared.site.fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &shared.file), 0);
    run_shared(&shared, "writer", SHARED_WRITERS, write_by_shared_handle);
    assert_int_equal(memfs_file_size(shared.file), SHARED_RECORD_BYTES * SHARED_WRITERS * STEPS);
    assert_int_equal(memfs_seek(shared.file, 0, MEMFS_SEEK_SET), 0);
    run_shared(&shared, "reader", SHARED_READERS, read_by_shared_handle);
    for (unsigned i = 0; i < SHARED_WRITERS * STEPS; i++)
        assert_int_equal(shared.seen[i], 1);
    assert_int_equal(memfs_close(shared.file), 0);
    site_close(&shared.site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_never_sees_half_a_write),
        cmocka_unit_test(appends_are_whole_and_none_is_lost),
        cmocka_unit_test(threads_that_share_a_handle_share_its_offset),
    };
    return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}

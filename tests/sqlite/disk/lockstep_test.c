/*
 * Three connections answer on memfs as on SQLite's unix VFS, whatever they do to each other.
 *
 *     sqlite_lockstep [--way NAME] [--statements N] [--seed N] [--seeds N] [--trace 1]
 *
 * Each seed makes a list of steps for three connections to one database, which are taken on both
 * sides in turn: statements of all kinds, some of them left open while the other connections go
 * on, blobs, backups, checkpoints, changes of mode. After each step the result codes, messages,
 * rows and counters must be equal; at intervals also everything that each connection reads, the
 * bytes of the databases, and what a copy of the files, as they are in the middle of it all,
 * recovers to. A failure prints its seed and the steps that show it, without those that are not
 * needed; `--way NAME --seed N --seeds 1` repeats it, with `--trace 1` each step is printed before
 * it is taken.
 *
 * An isolated database has no equal on a disk, but a WAL makes the same promises to readers and
 * writers. So that way is compared with a WAL, without what is about journals.
 *
 * What may differ, with the section of MANUAL.md that says so:
 *
 *     a journal or WAL of size 0 is as good as none      Differences: Open journals
 *     a PERSIST journal that a connection in mode DELETE
 *         removed is still there                         Differences: Open journals
 *     there is no -shm file                              Differences: No -shm file
 *     the sizes and bytes of journals                    Differences: Device
 *     MEMORY, OFF: the file changes at the commit, and
 *         a rollback puts free pages back, too           Differences: Full file system
 *     OFF: ROLLBACK after a page was spilled             Differences: Full file system
 *     which pages are mapped, and so when a small cache
 *         spills                                         Differences: Memory-mapped reads
 *     mapped: a size hint makes the unix VFS's file grow Differences: Size hints
 *     isolated: journals, checkpoints, locks, and an old
 *         version is told even while another one writes  Snapshot isolation
 *     the salts and checksums of a WAL                   (SQLite's random numbers)
 */
#define _XOPEN_SOURCE 700

#include "checks.h"
#include "lockstep_side.h"

#include <memfs/sqlite.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STEPS_MAX = 160, STATEMENTS = 10000 };

struct way {
    const char *name;
    const char *journal_mode;
    const char *host_journal_mode;
    const char *parameters; /* of our URIs */
    const char *pragmas;
    bool is_exclusive;
    bool keeps_journal_in_tree; /* the file is what a power failure would leave, at any time */
    struct repertoire repertoire;
};

#define ALL \
    { \
        .undoes_statements = true, .changes_modes = true \
    }

static const struct way ways[] = {
    {"delete", "DELETE", "DELETE", "", "", false, true, ALL},
    {"truncate", "TRUNCATE", "TRUNCATE", "", "", false, true, ALL},
    {"persist", "PERSIST", "PERSIST", "", "", false, true, ALL},
    {"memory", "MEMORY", "MEMORY", "", "", false, false, ALL},
    {"off", "OFF", "OFF", "", "PRAGMA cache_spill=OFF", false, false, {.undoes_statements = false}},
    {"wal", "WAL", "WAL", "", "", false, true, ALL},
    {"delete-exclusive", "DELETE", "DELETE", "", "", true, true, ALL},
    {"truncate-exclusive", "TRUNCATE", "TRUNCATE", "", "", true, true, ALL},
    {"persist-exclusive", "PERSIST", "PERSIST", "", "", true, true, ALL},
    {"memory-exclusive", "MEMORY", "MEMORY", "", "", true, false, ALL},
    {"off-exclusive",
     "OFF",
     "OFF",
     "",
     "PRAGMA cache_spill=OFF",
     true,
     false,
     {.undoes_statements = false}},
    {"wal-exclusive", "WAL", "WAL", "", "", true, true, ALL},
    {"isolated",
     "MEMORY",
     "WAL",
     "?memfs_mvcc=1",
     "",
     false,
     false,
     {.undoes_statements = true, .is_isolated = true}},
};

static struct {
    const char *way;
    uint64_t seed;
    unsigned seeds;
    unsigned statements;
    bool traces;
} options = {.seed = 1, .statements = STATEMENTS};

struct list {
    int count;
    struct step steps[STEPS_MAX];
};

static char directory[] = "/dev/shm/memfs-lockstep-XXXXXX";

static struct {
    unsigned steps, errors, busy, snapshot, locked, images, copies;
} examined;

/* ---------------------------------------------------------------- both sides */

struct pair {
    const struct way *way;
    struct setting setting;
    struct fixture *fixture;
    struct side ours, host;
};

static void open_pair(struct pair *pair, const struct way *way, const struct setting *setting)
{
    static const uint32_t tree_pages[] = {4096, 512, 65536};
    memfs_config config = memfs_config_default();
    config.page_size = tree_pages[setting->seed % 3];
    config.quota_bytes = (uint64_t)512 << 20;
    *pair = (struct pair){.way = way, .setting = *setting, .fixture = fixture_create(&config)};
    assert_non_null(pair->fixture);
    pair->setting.is_exclusive = way->is_exclusive;
    assert_ok(memfs_mkdir_parents(pair->fixture->fs, directory, 0755));
    assert_ok(memfs_sqlite_register(pair->fixture->fs, "lockstep", 0));
    pair->ours = (struct side){.vfs = "lockstep",
                               .fs = pair->fixture->fs,
                               .directory = directory,
                               .parameters = way->parameters,
                               .journal_mode = way->journal_mode,
                               .pragmas = way->pragmas,
                               .attaches_idle = way->repertoire.is_isolated,
                               .setting = pair->setting};
    pair->host = pair->ours;
    pair->host.vfs = "unix";
    pair->host.fs = NULL;
    pair->host.parameters = "";
    pair->host.journal_mode = way->host_journal_mode;
    side_open(&pair->ours);
    side_open(&pair->host);
}

static void close_pair(struct pair *pair)
{
    side_close(&pair->ours);
    side_close(&pair->host);
    assert_int_equal(statfs_of(pair->fixture->fs).files, 0);
    assert_ok(memfs_sqlite_unregister("lockstep"));
    fixture_destroy(pair->fixture);
}

static bool is_writing(const struct side *side)
{
    for (int i = 0; i < CONNECTIONS; i++)
        if (sqlite3_txn_state(side->connections[i], NULL) == SQLITE_TXN_WRITE)
            return true;
    return false;
}

/* Says where two files differ. */
static void say_files(const char *name, const unsigned char *ours, size_t our_size,
                      const unsigned char *hosts, size_t host_size)
{
    size_t at = 0;
    while (at < our_size && at < host_size && ours[at] == hosts[at])
        at++;
    print_error("%s: %zu bytes on memfs, %zu on unix, equal up to %zu\n", name, our_size, host_size,
                at);
}

enum likeness { SAME_BYTES, SAME_SIZE, PRESENT_IF_HOSTS };

/* How equal two files must be; the reasons are in the table above. */
static enum likeness likeness_wanted(const struct pair *pair, const char *name)
{
    const char *end = strrchr(name, '.');
    if (strcmp(end, ".db-wal") == 0)
        return SAME_SIZE;
    if (strcmp(end, ".db-journal") == 0)
        return PRESENT_IF_HOSTS;
    if (pair->setting.may_map)
        return PRESENT_IF_HOSTS;
    bool has_journal = pair->way->keeps_journal_in_tree && !pair->setting.changes_modes;
    return has_journal || !pair->way->repertoire.undoes_statements ? SAME_BYTES : SAME_SIZE;
}

static bool is_same_file(const struct pair *pair, const char *name, bool is_last)
{
    enum likeness wanted = likeness_wanted(pair, name);
    size_t our_size, host_size;
    void *ours = side_read(&pair->ours, name, &our_size);
    void *hosts = side_read(&pair->host, name, &host_size);
    bool is_same = wanted == PRESENT_IF_HOSTS ? hosts == NULL || ours != NULL
                                              : our_size == host_size;
    if (wanted == SAME_BYTES && is_same && ours != NULL)
        is_same = memcmp(ours, hosts, our_size) == 0;
    if (!is_same && is_last)
        say_files(name, ours, our_size, hosts, host_size);
    free(ours);
    free(hosts);
    return is_same;
}

static bool are_same_files(const struct pair *pair, bool is_last)
{
    static const char *const names[] = {"one.db", "one.db-journal", "one.db-wal",
                                        "two.db", "two.db-journal", "two.db-wal"};
    bool is_same = true;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        is_same = is_same_file(pair, names[i], is_last) && is_same;
    return is_same;
}

/* --------------------------------------------------------------- comparison */

static bool is_same_answer(const struct pair *pair, const struct answer *a, const struct answer *b)
{
    /* With isolation, a writer whose version is old is told so even while another one writes. */
    bool is_told_at_once = pair->way->repertoire.is_isolated && a->code == SQLITE_BUSY &&
                           b->code == SQLITE_BUSY_SNAPSHOT;
    return (a->code == b->code || is_told_at_once) && a->rows == b->rows &&
           memcmp(a->numbers, b->numbers, sizeof a->numbers) == 0 &&
           strcmp(a->message, b->message) == 0;
}

static void say_step(const struct step *step)
{
    print_error("    %d %s [%d %d] %s\n", step->connection, step_name(step->action),
                step->numbers[0], step->numbers[1], step->sql != NULL ? step->sql : "");
}

static void say_answer(const char *where, const struct answer *answer)
{
    print_error("%s: %d \"%s\", rows %016llx, numbers", where, answer->code, answer->message,
                (unsigned long long)answer->rows);
    for (int i = 0; i < ANSWER_NUMBERS; i++)
        print_error(" %d", answer->numbers[i]);
    print_error("\n");
}

static bool may_look_at_files(const struct pair *pair)
{
    if (pair->way->repertoire.is_isolated)
        return false;
    return !is_writing(&pair->host) ||
           (pair->way->keeps_journal_in_tree && !pair->setting.changes_modes);
}

/* Not while a writer of the host's has lost its journal to a connection in mode DELETE. */
static bool may_copy_files(const struct pair *pair)
{
    size_t size;
    void *ours = side_read(&pair->ours, "one.db-journal", &size);
    void *hosts = side_read(&pair->host, "one.db-journal", &size);
    bool is_lost = ours != NULL && hosts == NULL;
    free(ours);
    free(hosts);
    return !is_lost && may_look_at_files(pair);
}

/* Whether both sides answer alike; if not and `is_last`, says how. */
static bool take_on_both(struct pair *pair, const struct step *step, bool is_last)
{
    if (step->action == CRASH && !may_copy_files(pair))
        return true;
    struct answer host = side_take(&pair->host, step);
    struct answer ours = side_take(&pair->ours, step);
    examined.steps++;
    examined.errors += host.code != SQLITE_OK;
    examined.busy += host.code == SQLITE_BUSY;
    examined.snapshot += host.code == SQLITE_BUSY_SNAPSHOT;
    examined.locked += (host.code & 255) == SQLITE_LOCKED;
    examined.copies += step->action == CRASH;
    if (!is_same_answer(pair, &host, &ours)) {
        if (is_last) {
            say_answer("unix", &host);
            say_answer("memfs", &ours);
        }
        return false;
    }
    if (step->action != COMPARE || !may_look_at_files(pair))
        return true;
    examined.images++;
    return are_same_files(pair, is_last);
}

/* The first step with another answer; -1: there is none. */
static int first_difference(const struct list *list, const struct way *way,
                            const struct setting *setting, bool is_last)
{
    struct pair pair;
    int found = -1;
    open_pair(&pair, way, setting);
    for (int i = 0; i < list->count && found < 0; i++)
        if (!take_on_both(&pair, &list->steps[i], is_last))
            found = i;
    close_pair(&pair);
    return found;
}

/* Leaves out what is not needed to see a difference: first many steps at a time, then few. */
static void shrink(struct list *list, const struct way *way, const struct setting *setting)
{
    for (int size = 32; size > 0; size /= 2) {
        for (int i = list->count - size; i >= 0; i -= size) {
            static struct list without;
            without.count = list->count - size;
            memcpy(without.steps, list->steps, (size_t)i * sizeof *list->steps);
            memcpy(without.steps + i, list->steps + i + size,
                   (size_t)(without.count - i) * sizeof *list->steps);
            int last = first_difference(&without, way, setting, false);
            if (last < 0)
                continue;
            without.count = last + 1;
            *list = without;
            if (i > list->count)
                i = list->count;
        }
    }
}

static void report(struct list *list, const struct way *way, const struct setting *setting)
{
    int before = list->count;
    print_error("--way %s --seed %llu --seeds 1: page size %d, auto_vacuum %d, cache size %d\n",
                way->name, (unsigned long long)setting->seed, setting->page_size,
                setting->auto_vacuum, setting->cache_size);
    shrink(list, way, setting);
    for (int i = 0; i < list->count; i++)
        say_step(&list->steps[i]);
    int last = first_difference(list, way, setting, true);
    fail_msg("the last of these %d steps (of %d) differs%s", list->count, before,
             last < 0 ? ", but not now" : "");
}

/* --------------------------------------------------------------------- runs */

static void see_transactions(const struct side *side, bool in_transaction[CONNECTIONS])
{
    for (int i = 0; i < CONNECTIONS; i++)
        in_transaction[i] = !sqlite3_get_autocommit(side->connections[i]);
}

/* What runs now, for the last words of a process that dies. */
static char last_words[200];

static void say_last_words(int number)
{
    (void)signal(number, SIG_DFL);
    ssize_t written = write(STDERR_FILENO, last_words, strlen(last_words));
    (void)written;
    (void)raise(number);
}

static unsigned run_seed(const struct way *way, uint64_t seed)
{
    static struct list list;
    struct setting setting = setting_make(seed, &way->repertoire);
    uint64_t random = ~seed;
    struct pair pair;
    bool is_same = true;
    list.count = 0;
    (void)snprintf(last_words, sizeof last_words, "--way %s --seed %llu --seeds 1\n", way->name,
                   (unsigned long long)seed);
    open_pair(&pair, way, &setting);
    while (is_same && list.count < STEPS_MAX) {
        bool in_transaction[CONNECTIONS];
        see_transactions(&pair.host, in_transaction);
        struct step *step = &list.steps[list.count++];
        *step = step_make(&random, &setting, &way->repertoire, in_transaction);
        if (options.traces)
            say_step(step);
        is_same = take_on_both(&pair, step, false);
    }
    close_pair(&pair);
    if (!is_same)
        report(&list, way, &setting);
    for (int i = 0; i < list.count; i++)
        sqlite3_free(list.steps[i].sql);
    return (unsigned)list.count;
}

static void run_way(const struct way *way)
{
    unsigned steps = 0, seeds = 0;
    memset(&examined, 0, sizeof examined);
    while (options.seeds != 0 ? seeds < options.seeds : steps < options.statements)
        steps += run_seed(way, options.seed + seeds++);
    print_message("%s: %u steps, %u refused alike (%u busy, %u with an old snapshot, %u locked), "
                  "%u times all files, %u copies\n",
                  way->name, steps, examined.errors, examined.busy, examined.snapshot,
                  examined.locked, examined.images, examined.copies);
    if (options.seeds == 0) {
        assert_in_range(examined.errors, 1, steps * 3 / 4);
        assert_true(examined.busy > 0);
    }
}

static int say_last_run(void **state)
{
    (void)state;
    print_message("last: %s", last_words);
    return 0;
}

static void three_connections_answer_as_on_the_unix_vfs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        if (options.way == NULL || strcmp(ways[i].name, options.way) == 0)
            run_way(&ways[i]);
}

static int make_directory(void **state)
{
    (void)state;
    (void)signal(SIGABRT, say_last_words);
    return mkdtemp(directory) != NULL ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(three_connections_answer_as_on_the_unix_vfs, say_last_run),
    };
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--way") == 0)
            options.way = argv[i + 1];
        else if (strcmp(argv[i], "--statements") == 0)
            options.statements = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seeds") == 0)
            options.seeds = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--trace") == 0)
            options.traces = argv[i + 1][0] == '1';
        else
            return 2;
    }
    if (access("/dev/shm", W_OK) != 0) {
        print_message("skipped: no tmpfs at /dev/shm to compare with\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}

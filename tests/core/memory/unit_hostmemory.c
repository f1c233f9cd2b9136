/*
 * What the system has available, read from files that are made for it: the same text that Linux
 * shows, in a directory that stands for "/".
 */
#define _XOPEN_SOURCE 700

#include "checks.h"
#include "host_directory.h"

#include "memory/hostmemory.h"

#include <sys/stat.h>

#define MIB ((uint64_t)1 << 20)
#define V2_MOUNT "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
#define V1_MOUNT \
    "30 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n" \
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"

/* A file and the directories above it. */
static void make(const char *path, const char *text)
{
    char directory[128];
    for (size_t i = 1; path[i] != '\0'; i++) {
        if (path[i] != '/')
            continue;
        assert_true(i < sizeof directory);
        memcpy(directory, path, i);
        directory[i] = '\0';
        (void)mkdir(host_path(directory), 0700);
    }
    host_write(path, text, 0600);
}

static int make_system(void **state)
{
    if (host_directory_setup(state) != 0)
        return -1;
    make("proc/meminfo", "MemTotal:       24684084 kB\nMemFree:         1 kB\n"
                         "MemAvailable:     1024000 kB\nBuffers:           18264 kB\n");
    make("proc/self/mountinfo", "22 27 0:21 / /proc rw,relatime - proc proc rw\n");
    make("proc/self/cgroup", "0::/\n");
    return 0;
}

static void assert_available(uint64_t wanted)
{
    uint64_t available = 0;
    assert_true(mfs_hostmemory_available(host_directory(), &available));
    if (available != wanted)
        print_error("%llu instead of %llu\n", (unsigned long long)available,
                    (unsigned long long)wanted);
    assert_true(available == wanted);
}

static void without_limits_it_is_what_the_machine_has(void **state)
{
    (void)state;
    assert_available(1000 * MIB);
}

static void with_no_file_nothing_is_known(void **state)
{
    (void)state;
    uint64_t available = 7;
    assert_false(mfs_hostmemory_available("/nowhere", &available));
    assert_true(available == 7);
    host_write("proc/meminfo", "MemTotal: 5 kB\nMemAvailable: many kB\n", 0600);
    assert_false(mfs_hostmemory_available(host_directory(), &available));
    assert_true(available == 7);
}

static void max_limits_nothing_and_high_comes_before_max(void **state)
{
    (void)state;
    host_write("proc/self/mountinfo", V2_MOUNT, 0600);
    host_write("proc/self/cgroup", "0::/app\n", 0600);
    make("sys/fs/cgroup/app/memory.max", "max\n");
    make("sys/fs/cgroup/app/memory.high", "max\n");
    make("sys/fs/cgroup/app/memory.current", "104857600\n");
    assert_available(1000 * MIB);
    host_write("sys/fs/cgroup/app/memory.max", "524288000\n", 0600);
    assert_available(400 * MIB);
    host_write("sys/fs/cgroup/app/memory.high", "314572800\n", 0600);
    assert_available(200 * MIB);
    host_write("sys/fs/cgroup/app/memory.high", "1\n", 0600);
    assert_available(0);
}

static void the_inactive_cache_of_files_counts_as_available(void **state)
{
    (void)state;
    host_write("proc/self/mountinfo", V2_MOUNT, 0600);
    host_write("proc/self/cgroup", "0::/app\n", 0600);
    make("sys/fs/cgroup/app/memory.max", "524288000\n");
    make("sys/fs/cgroup/app/memory.current", "419430400\n");
    make("sys/fs/cgroup/app/memory.stat", "anon 1\nfile 314572800\nshmem 209715200\n"
                                          "inactive_anon 77\ninactive_file 104857600\n");
    assert_available(200 * MIB);
}

static void the_tightest_of_the_groups_above_binds(void **state)
{
    (void)state;
    host_write("proc/self/mountinfo", V2_MOUNT, 0600);
    host_write("proc/self/cgroup", "0::/slice/unit/inner\n", 0600);
    make("sys/fs/cgroup/slice/unit/inner/memory.max", "838860800\n");
    make("sys/fs/cgroup/slice/unit/inner/memory.current", "0\n");
    make("sys/fs/cgroup/slice/memory.max", "209715200\n");
    make("sys/fs/cgroup/slice/memory.current", "104857600\n");
    assert_available(100 * MIB);
    host_write("sys/fs/cgroup/slice/memory.max", "max\n", 0600);
    assert_available(800 * MIB);
    make("sys/fs/cgroup/memory.max", "52428800\n"); /* the root of a container has one */
    assert_available(50 * MIB);
}

static void version_1_has_other_names_and_a_limit_near_2_to_63_is_none(void **state)
{
    (void)state;
    host_write("proc/self/mountinfo", V1_MOUNT, 0600);
    host_write("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/app\n0::/\n", 0600);
    make("sys/fs/cgroup/memory/app/memory.limit_in_bytes", "9223372036854771712\n");
    make("sys/fs/cgroup/memory/app/memory.usage_in_bytes", "104857600\n");
    make("sys/fs/cgroup/memory/app/memory.stat", "cache 5\ntotal_inactive_file 52428800\n");
    assert_available(1000 * MIB);
    host_write("sys/fs/cgroup/memory/app/memory.limit_in_bytes", "209715200\n", 0600);
    assert_available(150 * MIB);
}

/* Without a namespace of its own, a container's process is told its group as the host sees it. */
static void a_mount_of_the_group_itself_is_where_the_group_is(void **state)
{
    (void)state;
    host_write(
        "proc/self/mountinfo",
        "35 31 0:32 /docker/7f3a /sys/fs/cgroup/memory ro master:9 - cgroup cgroup rw,memory\n",
        0600);
    host_write("proc/self/cgroup", "4:memory:/docker/7f3a\n", 0600);
    make("sys/fs/cgroup/memory/memory.limit_in_bytes", "209715200\n");
    make("sys/fs/cgroup/memory/memory.usage_in_bytes", "0\n");
    assert_available(200 * MIB);
    make("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "104857600\n");
    make("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "0\n");
    assert_available(200 * MIB);
    host_write("proc/self/cgroup", "4:memory:/docker/7f3a/job\n", 0600);
    assert_available(100 * MIB);
    host_write("proc/self/cgroup", "4:memory:/docker/7f3aa/job\n", 0600); /* another one */
    assert_available(200 * MIB);
}

static void lines_of_any_length_and_no_last_newline_are_read(void **state)
{
    (void)state;
    char *text = malloc(9000);
    assert_non_null(text);
    memset(text, 'x', 8000);
    snprintf(text + 8000, 1000, "\n%s31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2", "");
    host_write("proc/self/mountinfo", text, 0600);
    free(text);
    host_write("proc/self/cgroup", "0::/app", 0600);
    make("sys/fs/cgroup/app/memory.max", "209715200");
    assert_available(200 * MIB);
}

static void this_system_can_be_asked(void **state)
{
    (void)state;
    uint64_t available = 0;
    if (!mfs_hostmemory_is_known() || !mfs_hostmemory_available("", &available))
        skip();
    assert_true(available > 0);
}

#define SYSTEM_TEST(name) \
    cmocka_unit_test_setup_teardown(name, make_system, host_directory_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SYSTEM_TEST(without_limits_it_is_what_the_machine_has),
        SYSTEM_TEST(with_no_file_nothing_is_known),
        SYSTEM_TEST(max_limits_nothing_and_high_comes_before_max),
        SYSTEM_TEST(the_inactive_cache_of_files_counts_as_available),
        SYSTEM_TEST(the_tightest_of_the_groups_above_binds),
        SYSTEM_TEST(version_1_has_other_names_and_a_limit_near_2_to_63_is_none),
        SYSTEM_TEST(a_mount_of_the_group_itself_is_where_the_group_is),
        SYSTEM_TEST(lines_of_any_length_and_no_last_newline_are_read),
        cmocka_unit_test(this_system_can_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

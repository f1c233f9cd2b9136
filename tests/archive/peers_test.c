/*
 * Archives of GNU tar, bsdtar, Info-ZIP and cpio, read here, and ours, read by them: of a real
 * directory of this machine, there and back again.  What is not installed is skipped.
 */
#include "archives.h"

#include <stdlib.h>
#include <unistd.h>

#define SOURCE "/usr/include/linux"

static int enter_directory(void **state)
{
    static char name[32];
    strcpy(name, "/tmp/memfs-peers-XXXXXX");
    memfs_config config = memfs_config_default();
    config.quota_bytes = 128 << 20;
    *state = fixture_create(&config);
    if (*state == NULL || mkdtemp(name) == NULL || chdir(name) != 0)
        return -1;
    return system("cp -rL " SOURCE " in && ln -s types.h in/alias && ln in/types.h in/twin && "
                  "mkdir in/empty && touch in/none && chmod 640 in/none && chmod 555 in/empty");
}

static int leave_directory(void **state)
{
    char command[8400], directory[4096];
    fixture_destroy(*state);
    if (getcwd(directory, sizeof directory) == NULL || chdir("/") != 0)
        return -1;
    snprintf(command, sizeof command, "chmod -R u+w '%s' && rm -rf '%s'", directory, directory);
    return system(command) != 0;
}

#define PEER_TEST(name) cmocka_unit_test_setup_teardown(name, enter_directory, leave_directory)

static bool has_program(const char *name)
{
    char command[100];
    snprintf(command, sizeof command, "command -v %s > /dev/null", name);
    if (system(command) == 0)
        return true;
    print_message("%s is not installed: left out\n", name);
    return false;
}

/* `make`: a command that makes the archive `x` of the directory `in`; `unpack`: one that unpacks
 * it in the directory `out`; `list`: which entries are the same in both. */
struct peer {
    const char *program, *make, *unpack;
    uint32_t format;
};

static const struct peer peers[] = {
    {"tar", "tar -C in -cf x .", "tar -C out -xpf x", MEMFS_ARCHIVE_PAX},
    {"tar", "tar -C in --format=posix -cSf x .", "tar -C out -xpf x", MEMFS_ARCHIVE_GNUTAR},
    {"tar", "tar -C in --format=ustar -czf x .", "tar -C out -xpf x", MEMFS_ARCHIVE_USTAR},
    {"bsdtar", "bsdtar -C in -cf x .", "bsdtar -C out -xpf x", MEMFS_ARCHIVE_PAX},
    {"zip", "cd in && zip -qry ../x.zip . && mv ../x.zip ../x", "cd out && unzip -qo ../x",
     MEMFS_ARCHIVE_ZIP},
    {"cpio", "cd in && find . -depth | cpio -o -H newc --quiet > ../x",
     "cd out && cpio -idm --quiet < ../x", MEMFS_ARCHIVE_CPIO}};

/* What find(1) and cksum(1) say of a tree, except for its own mode and the times of directories,
 * which cpio changes when it puts files into them. */
static void assert_same_on_host(const char *other)
{
    char command[700];
    snprintf(command, sizeof command,
             "list() { (cd $1 && find . -mindepth 1 -type d -printf '%%P %%m\\n' && "
             "find . -type f -printf '%%P %%m %%Ts\\n' && find . -type l -printf '%%P %%l\\n' && "
             "find . -type f -exec cksum {} +) | sort; }; "
             "list in > in.list; list %s > out.list; cmp in.list out.list && test -s in.list",
             other);
    assert_int_equal(system(command), 0);
}

static void archives_of_other_programs_are_read_and_ours_by_them(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        const struct peer *peer = &peers[i];
        memfs_archive_where x = on_host("x");
        memfs_archive_options options = options_of(0);
        memfs_archive_result result;
        if (!has_program(peer->program))
            continue;
        assert_int_equal(system(peer->make), 0);
        int error = load(f->fs, &x, "/tree", NULL, &result);
        if (error != 0)
            print_error("%s: %s: %s\n", peer->make, result.path, result.message);
        assert_ok(error);
        assert_true(result.files > 300);
        if (peer->format != MEMFS_ARCHIVE_ZIP)
            assert_int_equal(stat_of(f->fs, "/tree/twin").number,
                             stat_of(f->fs, "/tree/types.h").number);
        assert_int_equal(system("rm x && mkdir out"), 0);
        options.format = peer->format;
        assert_ok(save(f->fs, "/tree", &x, &options, &result));
        assert_int_equal(system(peer->unpack), 0);
        assert_same_on_host("out");
        assert_int_equal(system("chmod -R u+w out; rm -rf out x"), 0);
        assert_ok(memfs_remove_tree(f->fs, "/tree"));
    }
}

static void a_zip_of_ours_passes_the_test_of_unzip(void **state)
{
    struct fixture *f = *state;
    memfs_archive_where zip = on_host("x.zip");
    if (!has_program("unzip"))
        skip();
    make_sample(f->fs, "/in");
    assert_ok(save(f->fs, "/in", &zip, NULL, NULL));
    assert_int_equal(system("unzip -tq x.zip > out.list"), 0);
}

static void an_encrypted_zip_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_archive_where zip = on_host("x.zip");
    memfs_archive_result result;
    if (!has_program("zip"))
        skip();
    assert_int_equal(system("zip -qP secret x.zip in/types.h"), 0);
    assert_returns(load(f->fs, &zip, "/out", NULL, &result), MEMFS_EIO);
    assert_true(result.message[0] != '\0');
    assert_only(f->fs, "");
}

static void holes_of_gnu_tar_are_holes_and_ours_are_its(void **state)
{
    struct fixture *f = *state;
    memfs_archive_where x = on_host("x.tar");
    if (!has_program("tar"))
        skip();
    assert_int_equal(system("mkdir s && truncate -s 10M s/holes && printf end >> s/holes && "
                            "tar -C s -cSf x.tar holes"),
                     0);
    assert_ok(load(f->fs, &x, "/out", NULL, NULL));
    assert_int_equal(stat_of(f->fs, "/out/holes").size_bytes, (10 << 20) + 3);
    assert_true(stat_of(f->fs, "/out/holes").allocated_bytes <= 4096);
    memfs_archive_options replace = options_of(MEMFS_ARCHIVE_REPLACE);
    assert_ok(save(f->fs, "/out", &x, &replace, NULL));
    assert_int_equal(system("mkdir out && tar -C out -xf x.tar && cmp s/holes out/holes && "
                            "test $(du -k out/holes | cut -f1) -lt 100"),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEER_TEST(archives_of_other_programs_are_read_and_ours_by_them),
        PEER_TEST(a_zip_of_ours_passes_the_test_of_unzip),
        PEER_TEST(an_encrypted_zip_is_refused),
        PEER_TEST(holes_of_gnu_tar_are_holes_and_ours_are_its),
    };
    if (access(SOURCE, R_OK) != 0) {
        print_message("no " SOURCE ": left out\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

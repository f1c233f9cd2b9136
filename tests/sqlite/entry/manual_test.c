/*
 * The examples of the manual, run.  Argument: the page.
 *
 * Every ```sql block must be followed by a ```text block with the rows that it answers.  All
 * run on one connection, in a directory of the host that is made for them.
 */
#define _XOPEN_SOURCE 700

#include "host_directory.h"
#include "query_fixture.h"

#include <stdio.h>
#include <unistd.h>

static const char *page_path;

static void every_example_answers_what_the_page_says(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(chdir(host_directory()), 0);
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    query_page(db, page_path);
    query_close(db);
    assert_int_equal(chdir("/"), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(every_example_answers_what_the_page_says),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s <page>\n", argv[0]);
        return 2;
    }
    page_path = argv[1];
    return cmocka_run_group_tests(tests, host_directory_setup, host_directory_teardown);
}

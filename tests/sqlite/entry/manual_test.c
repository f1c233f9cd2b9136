/*
 * The examples of the manual, run.  Argument: the page.
 *
 * Every ```sql block must be followed by a ```text block with the rows that it answers.  All
 * run on one connection, in a directory of the host that is made for them.
 */
#define _XOPEN_SOURCE 700

#include "query_fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *page_path;
static char directory[] = "/tmp/memfs-manual-test-XXXXXX";

static char *read_page(void)
{
    FILE *file = fopen(page_path, "r");
    assert_non_null(file);
    enum { SIZE = 1 << 20 };
    char *page = malloc(SIZE);
    assert_non_null(page);
    size_t length = fread(page, 1, SIZE - 1, file);
    fclose(file);
    page[length] = '\0';
    return page;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* Cuts out the block that begins at `*next` with `fence`; moves `*next` behind it. */
static char *cut_block(char **next, const char *fence)
{
    if (strncmp(*next, fence, strlen(fence)) != 0)
        fail_msg("no %s here: %.60s", fence, *next);
    char *block = *next + strlen(fence);
    char *end = strstr(block - 1, "\n```\n");
    assert_non_null(end);
    *end = '\0';
    *next = end + strlen("\n```\n");
    return block;
}

static void every_example_answers_what_the_page_says(void **state)
{
    struct fixture *f = *state;
    char *page = read_page();
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chdir(directory), 0);
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    int examples = 0;
    char *next = page;
    while ((next = strstr(next, "```sql\n")) != NULL) {
        char *sql = cut_block(&next, "```sql\n");
        char *rows = cut_block(&next, "```text\n");
        query_is(db, sql, rows);
        examples++;
    }
    query_close(db);
    assert_true(examples > 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(page);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_example_answers_what_the_page_says, fixture_setup,
                                        fixture_teardown),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s <page>\n", argv[0]);
        return 2;
    }
    page_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

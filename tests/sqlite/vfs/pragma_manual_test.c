/*
 * The SQL examples of the manual of PRAGMAs and URIs, run.  Argument: the page.
 *
 * Every ```sql block is followed by a ```text block with the rows that it answers.
 */
#include "query_fixture.h"
#include "sqlite_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *page_path;

static char *read_page(void)
{
    enum { SIZE = 1 << 20 };
    FILE *file = fopen(page_path, "r");
    char *page = malloc(SIZE);
    assert_non_null(file);
    assert_non_null(page);
    size_t length = fread(page, 1, SIZE - 1, file);
    fclose(file);
    page[length] = '\0';
    return page;
}

/* What is between the next `fence` and its end; moves `*next` behind it. */
static char *cut_block(char **next, const char *fence)
{
    char *block = strstr(*next, fence);
    assert_non_null(block);
    block += strlen(fence);
    char *end = strstr(block - 1, "\n```\n");
    assert_non_null(end);
    *end = '\0';
    *next = end + strlen("\n```\n");
    return block;
}

static void every_example_answers_what_the_page_says(void **state)
{
    (void)state;
    char *page = read_page();
    char *next = page;
    int examples = 0;
    sqlite3 *db = db_open("/app.db");
    while (strstr(next, "```sql\n") != NULL) {
        char *sql = cut_block(&next, "```sql\n");
        char *rows = cut_block(&next, "```text\n");
        query_is(db, sql, rows);
        examples++;
    }
    db_close(db);
    assert_true(examples > 0);
    free(page);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_example_answers_what_the_page_says, sqlite_setup,
                                        sqlite_teardown),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s <page>\n", argv[0]);
        return 2;
    }
    page_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

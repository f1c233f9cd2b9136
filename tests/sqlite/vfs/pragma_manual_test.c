/*
 * The SQL examples of the manual of PRAGMAs and URIs, run.  Argument: the page.
 *
 * Every ```sql block is followed by a ```text block with the rows that it answers.
 */
#include "query_fixture.h"
#include "sqlite_fixture.h"

#include <stdio.h>

static const char *page_path;

static void every_example_answers_what_the_page_says(void **state)
{
    (void)state;
    sqlite3 *db = db_open("/app.db");
    query_page(db, page_path);
    db_close(db);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(every_example_answers_what_the_page_says),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s <page>\n", argv[0]);
        return 2;
    }
    page_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Uses the part fixture as installed. */
#include <memfs/fixture.h>

int main(void)
{
    memfs_fixture *fixture;
    memfs_fixture_test test;
    if (memfs_fixture_create(NULL, &fixture) != 0 || memfs_fixture_begin(fixture, &test) != 0)
        return 1;
    int error = memfs_write_file(test.fs, "/f", "x", 1, 0644, 0);
    int ended = memfs_fixture_end(fixture, &test, 0);
    return error != 0 || ended != 0 || memfs_fixture_destroy(fixture) != 0;
}

/* Uses the part print as installed. */
#include <memfs/print.h>

int main(void)
{
    memfs *fs = NULL;
    if (memfs_create(NULL, &fs) != 0)
        return 1;
    int error = memfs_print_tree_to(fs, "/", NULL, stdout);
    return error != 0 || memfs_destroy(fs, 0) != 0;
}

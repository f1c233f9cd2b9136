/* Prints a tree: what is large, what is shared, what is open, and how full the file system is. */
#include <memfs/print.h>

int main(void)
{
    memfs *fs = NULL;
    memfs_file *log = NULL;
    static const char megabyte[1u << 20] = "first\n";
    if (memfs_create(NULL, &fs) != 0)
        return 1;
    memfs_write_file(fs, "/srv/data", megabyte, sizeof megabyte, 0644, MEMFS_WRITE_MAKE_PARENTS);
    memfs_copy(fs, "/srv/data", "/srv/data.bak", 0); /* shares its pages */
    memfs_symlink(fs, "data", "/srv/current", 0);
    memfs_open_mode(fs, "/srv/log", "a", &log);
    memfs_write(log, "started\n", 8);
    int error = memfs_print_tree_to(fs, "/", NULL, stdout);
    memfs_close(log);
    memfs_destroy(fs, 0);
    return error != 0;
}

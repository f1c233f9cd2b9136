/* The subcommands for files: pack, unpack, ls, cat. */
#include "command.h"
#include "tree.h"

#include <memfs/print.h>

#include <stdio.h>

enum { PIECE = 64 * 1024 };

enum ending command_pack(const struct options *options, memfs *fs, char **arguments)
{
    return tree_save(options, fs, arguments[0]);
}

enum ending command_unpack(const struct options *options, memfs *fs, char **arguments)
{
    return tree_export(options, fs, arguments[0]);
}

enum ending command_list(const struct options *options, memfs *fs, char **arguments)
{
    const char *path = arguments[0] != NULL ? arguments[0] : "/";
    memfs_print_options how = {.struct_size = sizeof how,
                               .flags = options->is_ascii ? MEMFS_PRINT_ASCII : 0,
                               .max_depth = options->max_depth};
    int error = memfs_print_tree_to(fs, path, &how, stdout);
    return check_output(error == 0 ? DONE : complain_of(path, "", error, ""));
}

static int print_file(memfs_file *file)
{
    static char piece[PIECE];
    int64_t count;
    while ((count = memfs_read(file, piece, sizeof piece)) > 0)
        if (fwrite(piece, 1, (size_t)count, stdout) != (size_t)count)
            return 0; /* check_output() sees it */
    return (int)count;
}

enum ending command_print(const struct options *options, memfs *fs, char **arguments)
{
    enum ending ending = DONE;
    (void)options;
    for (char **path = arguments; ending == DONE && *path != NULL; path++) {
        memfs_file *file = NULL;
        int error = memfs_open(fs, *path, MEMFS_O_READ, 0, &file);
        if (error == 0) {
            error = print_file(file);
            (void)memfs_close(file);
        }
        if (error != 0)
            ending = complain_of(*path, "", error, "");
    }
    return check_output(ending);
}

/* The subcommands for files: pack, unpack, ls, cat. */
#include "command.h"
#include "tree.h"

#include <memfs/print.h>

#include <stdio.h>

enum { PIECE = 64 * 1024 };

static enum ending finish(memfs *fs, enum ending ending)
{
    if (fs != NULL && memfs_destroy(fs, MEMFS_DESTROY_FORCE) != 0)
        return FAILED;
    return ending;
}

/* What was printed may not have arrived: a full disk. */
static enum ending check_output(enum ending ending)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return ending;
    complain("the output cannot be written");
    return FAILED;
}

enum ending command_pack(const struct options *options, char **arguments)
{
    memfs *fs;
    enum ending ending = tree_open(options, arguments[0], &fs);
    if (ending == DONE)
        ending = tree_save(options, fs, arguments[1]);
    return finish(fs, ending);
}

enum ending command_unpack(const struct options *options, char **arguments)
{
    memfs *fs;
    enum ending ending = tree_open(options, arguments[0], &fs);
    if (ending == DONE)
        ending = tree_export(options, fs, arguments[1]);
    return finish(fs, ending);
}

enum ending command_list(const struct options *options, char **arguments)
{
    memfs *fs;
    enum ending ending = tree_open(options, arguments[0], &fs);
    const char *path = arguments[1] != NULL ? arguments[1] : "/";
    memfs_print_options how = {.struct_size = sizeof how,
                               .flags = options->is_ascii ? MEMFS_PRINT_ASCII : 0,
                               .max_depth = options->max_depth};
    if (ending == DONE) {
        int error = memfs_print_tree_to(fs, path, &how, stdout);
        if (error != 0)
            ending = complain_of(path, "", error, "");
    }
    return finish(fs, check_output(ending));
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

enum ending command_print(const struct options *options, char **arguments)
{
    memfs *fs;
    enum ending ending = tree_open(options, arguments[0], &fs);
    for (char **path = arguments + 1; ending == DONE && *path != NULL; path++) {
        memfs_file *file = NULL;
        int error = memfs_open(fs, *path, MEMFS_O_READ, 0, &file);
        if (error == 0) {
            error = print_file(file);
            (void)memfs_close(file);
        }
        if (error != 0)
            ending = complain_of(*path, "", error, "");
    }
    return finish(fs, check_output(ending));
}

/* Programs that are not ours, run with a script. */
#ifndef MEMFS_TESTS_OTHER_PROGRAM_H
#define MEMFS_TESTS_OTHER_PROGRAM_H

#include <stddef.h>

/* Runs a program with `script` as its input; its output is what comes back. */
int run_with_input(const char *command, const char *script, char *output, size_t size);

/* Skips the test if there is no sqlite3 shell. */
void need_shell(void);

#endif

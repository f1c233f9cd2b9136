/* Tests of the loadable extension: programs that are not ours, run with a script. */
#ifndef MEMFS_TESTS_OTHER_PROGRAM_H
#define MEMFS_TESTS_OTHER_PROGRAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>

#define SHELL "sqlite3 -batch"

/*
 * What the test was called with: the extension, without ".so" (both ways of naming it must work),
 * and a command that runs a Python, or "none".  False, after a message, if there is less.
 */
bool take_arguments(int argc, char **argv);

/* The Python of the arguments; skips the test if there is none. */
const char *need_python(void);

/* Skips the test if there is no sqlite3 shell. */
void need_shell(void);

/*
 * Runs a program with `script` as its input, in which each $ stands for the extension; returns the
 * exit status, or -1.  Its output is what comes back.
 */
int run_with_input(const char *command, const char *script, char *output, size_t size);

#endif

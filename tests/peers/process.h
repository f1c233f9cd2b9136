/*
 * Programs of others, run inside this process.
 *
 * A program is its unmodified source, built as a shared object whose calls of exit(),
 * system(), unlink(), open() ... are bound to the functions here (the linker's --wrap).
 * Each run loads a private copy of that object, so that it has variables of its own as
 * a process would, and is a thread.  So several "processes" share one file system in
 * memory.
 *
 * Like a process, one that ends with connections open loses their files and locks at
 * that moment, and nothing is rolled back: it has crashed, and others must recover.
 */
#ifndef MEMFS_PEERS_PROCESS_H
#define MEMFS_PEERS_PROCESS_H

#include <stdbool.h>

#define PROCESS_ARGUMENTS_MAX 64

/* Where "mptest" is found as mptest.so.  Called once, first. */
void process_set_folder(const char *folder);

/* Makes time, as a program asks it of the default VFS, run `factor` times as fast. */
void process_set_clock(int factor);

/* Runs a program, waits until it and all that it started have ended, and returns the
 * status with which it ended; -1 if it could not be started. */
int process_run(int argc, char **argv);

/* How many processes have ended with connections open. */
int process_crashes(void);

#endif

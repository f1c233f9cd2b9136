/*
 * The command `memfs`: what its subcommands share.
 *
 * A subcommand takes the options that were read, the tree that was made of its source, and the
 * arguments behind the source, and returns how the process ends.  What it prints on stdout is its
 * result; messages and progress go to stderr.
 */
#ifndef MEMFS_COMMAND_H
#define MEMFS_COMMAND_H

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

enum ending { DONE = 0, FAILED = 1, MISUSED = 2, DID_NOT_FIT = 3 };

struct options {
    uint64_t quota_bytes;
    uint64_t node_limit; /* 0: none */
    unsigned max_depth;  /* 0: none */
    bool replaces;
    bool is_quiet;
    bool is_ascii;
    const char *database;        /* null: a temporary one */
    const char *output;          /* null: the result is not kept */
    const char *const *excluded; /* patterns, a null pointer behind the last; null: none */
};

enum ending command_pack(const struct options *options, memfs *fs, char **arguments);
enum ending command_unpack(const struct options *options, memfs *fs, char **arguments);
enum ending command_list(const struct options *options, memfs *fs, char **arguments);
enum ending command_print(const struct options *options, memfs *fs, char **arguments);
enum ending command_sql(const struct options *options, memfs *fs, char **arguments);

/* How the process ends if all was printed; a full disk shows only here. */
enum ending check_output(enum ending ending);

/* Prints "memfs: ..." and a line feed. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says that something cannot be done, and returns how the process ends.  `reason` is one of memfs's
 * errors; `detail` more about it, or empty; `place` where it was met, or empty. */
enum ending complain_of(const char *what, const char *place, int reason, const char *detail);

#endif

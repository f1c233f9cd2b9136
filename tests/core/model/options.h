/*
 * The arguments of the programs here:
 *
 *     --seed N        of the first round; the next rounds add one each
 *     --rounds N      how many fresh trees
 *     --operations N  in each of them
 *     --audit N       audit after every Nth operation
 *     --verbose       print every operation
 *
 * A failure prints the arguments that repeat it.
 */
#ifndef MEMFS_TESTS_OPTIONS_H
#define MEMFS_TESTS_OPTIONS_H

#include <stdint.h>

struct options {
    uint64_t seed, rounds, operations, audit;
    int verbose;
};

/* Overwrites the defaults that are in `options`; false (and a line on stderr) if it cannot. */
int options_parse(struct options *options, int argc, char **argv);

#endif

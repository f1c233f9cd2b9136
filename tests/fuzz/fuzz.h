/*
 * A fuzz target: a function that takes any bytes and checks what must hold for all of them.
 *
 *     static void take(const uint8_t *bytes, size_t size)
 *     {
 *         struct fuzz_reader reader = {bytes, size};
 *         uint8_t flags = fuzz_take_byte(&reader);
 *         ...
 *         FUZZ_CHECK(memfs_audit(fs) == 0);
 *     }
 *
 *     const struct fuzz_target fuzz_target = {.take = take, .seed = seed, .size_max = 4096};
 *
 * memfs_add_fuzz_target() (target.cmake) makes two programs of it. The replay driver (replay.c)
 * is in every build, and is a test: it takes the seeds and a fixed number of inputs that it derives
 * from them, or the files that it is given. In a build with clang's libFuzzer (the preset `fuzz`) a
 * second program searches on from the seeds, led by the coverage.
 *
 * One call must leave nothing behind: no memory, no file, no setting that changes the next call.
 */
#ifndef MEMFS_TESTS_FUZZ_H
#define MEMFS_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    /* Takes an input; ends the process, by FUZZ_CHECK, if something does not hold. */
    void (*take)(const uint8_t *bytes, size_t size);

    /* Writes the seed with this number, from 0, and returns its size; 0: there are no more. */
    size_t (*seed)(unsigned number, uint8_t *bytes, size_t capacity);

    /* Inputs are at most this long. */
    size_t size_max;

    /* Strings that inputs are likely to need, a null pointer behind the last; or null. */
    const char *const *words;
};

/* The program's one target. */
extern const struct fuzz_target fuzz_target;

/* What is left of an input that is taken apart. Behind the end all bytes are 0. */
struct fuzz_reader {
    const uint8_t *bytes;
    size_t left;
};

uint8_t fuzz_take_byte(struct fuzz_reader *reader);
uint32_t fuzz_take_u32(struct fuzz_reader *reader); /* little-endian */

/* Copies at most `size - 1` bytes, up to a NUL byte or the end, and puts a NUL behind them. */
void fuzz_take_string(struct fuzz_reader *reader, char *string, size_t size);

/* Says what does not hold, and with which input, and aborts. */
_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

/* Copies a string constant into a seed's buffer: the size without its NUL. */
size_t fuzz_seed_string(const char *string, uint8_t *bytes, size_t capacity);

#endif

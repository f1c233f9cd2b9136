/*
 * The replay driver: a target's inputs without libFuzzer.
 *
 *     fuzz_glob                          the seeds, and the inputs derived from them
 *     fuzz_glob --first N --runs N       some of these; the number of an input fixes its bytes
 *     fuzz_glob FILE...                  inputs from files, such as libFuzzer's crash-...
 *     fuzz_glob --write DIRECTORY        writes the seeds, and the words as DIRECTORY.dict
 *
 * The first inputs are the seeds. Each later one is a seed with a few changes: bits, bytes, words,
 * and pieces that are removed, repeated or taken from another seed. If the process dies, the number
 * of the input is printed, and the bytes if they are few.
 */
#define _XOPEN_SOURCE 700

#include "fuzz.h"
#include "random.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RUNS = 1000, SEEDS_MAX = 4096, CHANGES_MAX = 6, SHOWN_MAX = 200 };

struct bytes {
    uint8_t *bytes;
    size_t size;
};

static struct bytes seeds[SEEDS_MAX];
static unsigned seed_count;

/* What runs now, for the last words. */
static struct bytes current;
static unsigned long current_number;
static const char *current_file;

/* -------------------------------------------------------------- last words */

static void say_input(void)
{
    if (current_file != NULL) {
        fprintf(stderr, "fuzz: the input is %s\n", current_file);
        return;
    }
    fprintf(stderr,
            "fuzz: the input is number %lu (--first %lu --runs 1), %zu bytes:", current_number,
            current_number, current.size);
    for (size_t i = 0; i < current.size && i < SHOWN_MAX; i++)
        fprintf(stderr, " %02x", current.bytes[i]);
    fprintf(stderr, "%s\n", current.size > SHOWN_MAX ? " ..." : "");
    fflush(stderr);
}

static void die(int number)
{
    (void)signal(number, SIG_DFL);
    say_input();
    (void)raise(number);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_DEATH_CALLBACK 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HAS_DEATH_CALLBACK 1
#endif

#ifdef HAS_DEATH_CALLBACK
void __sanitizer_set_death_callback(void (*callback)(void));
#endif

static void hear_of_death(void)
{
#ifdef HAS_DEATH_CALLBACK
    __sanitizer_set_death_callback(say_input);
#else
    (void)signal(SIGSEGV, die);
    (void)signal(SIGBUS, die);
    (void)signal(SIGFPE, die);
#endif
    (void)signal(SIGABRT, die);
}

/* ------------------------------------------------------------------- inputs */

static uint32_t below(uint64_t *random, size_t bound)
{
    return random_below(random, (uint32_t)bound);
}

static void make_seeds(void)
{
    uint8_t *room = malloc(fuzz_target.size_max);
    size_t size;
    if (room == NULL)
        abort();
    while (seed_count < SEEDS_MAX &&
           (size = fuzz_target.seed(seed_count, room, fuzz_target.size_max)) > 0) {
        uint8_t *copy = malloc(size);
        if (copy == NULL)
            abort();
        memcpy(copy, room, size);
        seeds[seed_count++] = (struct bytes){copy, size};
    }
    free(room);
    if (seed_count == 0) {
        fprintf(stderr, "fuzz: the target has no seed\n");
        exit(1);
    }
}

static void free_seeds(void)
{
    while (seed_count > 0)
        free(seeds[--seed_count].bytes);
}

/* Puts `size` bytes in at an offset, as many as fit. */
static void put_in(struct bytes *input, size_t offset, const uint8_t *bytes, size_t size)
{
    size_t room = fuzz_target.size_max - input->size;
    if (size > room)
        size = room;
    memmove(input->bytes + offset + size, input->bytes + offset, input->size - offset);
    memmove(input->bytes + offset, bytes, size);
    input->size += size;
}

static void put_word(struct bytes *input, size_t offset, uint64_t *random)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, '/', '.', '\n'};
    size_t count = 0;
    while (fuzz_target.words != NULL && fuzz_target.words[count] != NULL)
        count++;
    if (count == 0) {
        put_in(input, offset, &edges[below(random, sizeof edges)], 1);
        return;
    }
    const char *word = fuzz_target.words[below(random, count)];
    put_in(input, offset, (const uint8_t *)word, strlen(word));
}

static void put_piece_of(struct bytes *input, const struct bytes *other, uint64_t *random)
{
    uint8_t piece[64];
    size_t from = below(random, other->size);
    size_t size = 1 + below(random, sizeof piece);
    if (size > other->size - from)
        size = other->size - from;
    memcpy(piece, other->bytes + from, size);
    put_in(input, below(random, input->size + 1), piece, size);
}

static void change(struct bytes *input, uint64_t *random)
{
    if (input->size == 0) {
        put_word(input, 0, random);
        return;
    }
    size_t offset = below(random, input->size);
    size_t size = 1 + below(random, input->size - offset < 16 ? input->size - offset : 16);
    switch (below(random, 7)) {
    case 0:
        input->bytes[offset] ^= (uint8_t)(1u << below(random, 8));
        return;
    case 1:
    case 2:
        input->bytes[offset] = (uint8_t)below(random, 256);
        return;
    case 3:
        memmove(input->bytes + offset, input->bytes + offset + size, input->size - offset - size);
        input->size -= size;
        return;
    case 4:
        put_piece_of(input, input, random);
        return;
    case 5:
        put_piece_of(input, &seeds[below(random, seed_count)], random);
        return;
    default:
        put_word(input, offset, random);
        return;
    }
}

static void make_input(unsigned long number, struct bytes *input)
{
    uint64_t random = number * 0x2545f4914f6cdd1du + 1;
    const struct bytes *seed = &seeds[number < seed_count ? number : below(&random, seed_count)];
    memcpy(input->bytes, seed->bytes, seed->size);
    input->size = seed->size;
    if (number < seed_count)
        return;
    for (uint32_t left = 1 + below(&random, CHANGES_MAX); left > 0; left--)
        change(input, &random);
}

/* In memory of just its size, so that a sanitizer sees a read behind the end. */
static void take_exactly(const struct bytes *input)
{
    uint8_t *copy = malloc(input->size > 0 ? input->size : 1);
    if (copy == NULL)
        abort();
    memcpy(copy, input->bytes, input->size);
    fuzz_target.take(copy, input->size);
    free(copy);
}

static void run_inputs(unsigned long first, unsigned long runs)
{
    current.bytes = malloc(fuzz_target.size_max);
    if (current.bytes == NULL)
        abort();
    for (current_number = first; current_number < first + runs; current_number++) {
        make_input(current_number, &current);
        take_exactly(&current);
    }
    free(current.bytes);
    printf("%lu inputs from number %lu, of which %u are the seeds\n", runs, first, seed_count);
}

/* -------------------------------------------------------------------- files */

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    current_file = path;
    current.bytes = malloc(fuzz_target.size_max);
    if (current.bytes == NULL)
        abort();
    current.size = fread(current.bytes, 1, fuzz_target.size_max, file);
    (void)fclose(file);
    take_exactly(&current);
    free(current.bytes);
    printf("%s: %zu bytes\n", path, current.size);
}

static FILE *open_to_write(const char *directory, const char *name)
{
    char path[1024];
    FILE *file = NULL;
    if (snprintf(path, sizeof path, "%s%s", directory, name) < (int)sizeof path)
        file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void close_written(FILE *file)
{
    if (fclose(file) != 0) {
        perror("fuzz");
        exit(1);
    }
}

/* In the form that libFuzzer reads: "..." with bytes as \xAB. */
static void write_words(const char *directory)
{
    FILE *file = open_to_write(directory, ".dict");
    for (size_t i = 0; fuzz_target.words != NULL && fuzz_target.words[i] != NULL; i++) {
        (void)fputc('"', file);
        for (const char *byte = fuzz_target.words[i]; *byte != '\0'; byte++)
            (void)fprintf(file, "\\x%02X", (unsigned)(unsigned char)*byte);
        (void)fputs("\"\n", file);
    }
    close_written(file);
}

static void write_seeds(const char *directory)
{
    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        perror(directory);
        exit(1);
    }
    for (unsigned i = 0; i < seed_count; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "/seed-%04u", i);
        FILE *file = open_to_write(directory, name);
        (void)fwrite(seeds[i].bytes, 1, seeds[i].size, file);
        close_written(file);
    }
    write_words(directory);
    printf("%u seeds\n", seed_count);
}

int main(int argc, char **argv)
{
    unsigned long first = 0, runs = RUNS;
    bool has_files = false;
    hear_of_death();
    make_seeds();
    for (int i = 1; i < argc; i++) {
        if (i + 1 < argc && strcmp(argv[i], "--runs") == 0) {
            runs = strtoul(argv[++i], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--first") == 0) {
            first = strtoul(argv[++i], NULL, 10);
        } else if (i + 1 < argc && strcmp(argv[i], "--write") == 0) {
            write_seeds(argv[++i]);
            has_files = true;
        } else {
            run_file(argv[i]);
            has_files = true;
        }
    }
    if (!has_files)
        run_inputs(first, runs);
    free_seeds();
    return 0;
}

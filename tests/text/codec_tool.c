/*
 * Converts files of the host by text handles, for codecs.py to compare with what others make of
 * them.  It reads commands, a line each, and answers each with a line: "ok", or why not.
 *
 *     encode NAME SEED IN OUT   UTF-8 to NAME, in writes of random lengths; what NAME lacks is
 *                               left out
 *     whole  NAME SEED IN OUT   the same in one write, strictly
 *     decode NAME SEED IN OUT   NAME to UTF-8, in reads of random lengths, strictly; then goes back
 *                               to places that were noted, and compares
 *     replace NAME SEED IN OUT  the same, but what is no text is replaced; ignore: or left out
 */
#include <memfs/text.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MOST = 1 << 20, PLACES_MOST = 24 };

struct job {
    memfs *fs;
    uint64_t seed;
    memfs_text *text;
    char *bytes; /* BYTES_MOST */
    size_t size;
    char *made;
    size_t made_size;
};

static uint32_t next_random(struct job *job, uint32_t below)
{
    job->seed = job->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(job->seed >> 33) % below;
}

static const char *load(struct job *job, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return "no input";
    job->size = fread(job->bytes, 1, BYTES_MOST, file);
    return fclose(file) == 0 ? NULL : "input";
}

static const char *store(const struct job *job, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return "no output";
    size_t written = fwrite(job->made, 1, job->made_size, file);
    return fclose(file) == 0 && written == job->made_size ? NULL : "output";
}

/* ------------------------------------------------------------------- encoding */

static const char *write_all(struct job *job, int is_whole)
{
    for (size_t at = 0; at < job->size;) {
        size_t length = is_whole ? job->size : 1 + next_random(job, 40);
        if (length > job->size - at)
            length = job->size - at;
        while (at + length < job->size && ((unsigned char)job->bytes[at + length] & 0xc0) == 0x80)
            length++;
        int64_t result = memfs_text_write(job->text, job->bytes + at, length);
        if (result != (int64_t)length)
            return memfs_error_name((int)result);
        at += length;
    }
    return NULL;
}

static const char *encode(struct job *job, const char *name, int is_whole)
{
    memfs_text_options options = {.struct_size = sizeof options, .encoding = name};
    void *data;
    options.write_policy = is_whole ? MEMFS_TEXT_STRICT : MEMFS_TEXT_IGNORE;
    int error = memfs_text_open(job->fs, "/file", "w", &options, &job->text);
    if (error != 0)
        return memfs_error_name(error);
    const char *trouble = write_all(job, is_whole);
    if (memfs_text_close(job->text) != 0)
        trouble = "close";
    if (memfs_read_file(job->fs, "/file", BYTES_MOST, &data, &job->made_size) != 0)
        return "read back";
    memcpy(job->made, data, job->made_size);
    memfs_free(job->fs, data);
    return trouble;
}

/* ------------------------------------------------------------------- decoding */

struct place {
    memfs_text_position position;
    size_t offset; /* in what is made */
};

/* Reads on by one call of some kind: 1, 0 at the end, or an error. */
static int read_some(struct job *job)
{
    char *to = job->made + job->made_size;
    if (next_random(job, 3) == 0) {
        const char *line;
        size_t length;
        int result = memfs_text_read_line(job->text, &line, &length);
        if (result == 1) {
            memcpy(to, line, length);
            job->made_size += length;
        }
        return result;
    }
    int64_t result = memfs_text_read(job->text, 1 + next_random(job, 12), to, 64);
    if (result > 0)
        job->made_size += (size_t)result;
    return result > 0 ? 1 : (int)result;
}

static const char *check_place(struct job *job, const struct place *place)
{
    char buffer[256];
    int error = memfs_text_seek(job->text, &place->position);
    if (error != 0)
        return "seek";
    int64_t length = memfs_text_read(job->text, 50, buffer, sizeof buffer);
    size_t left = job->made_size - place->offset;
    if (length < 0 || (size_t)length > left || (length == 0 && left > 0))
        return "read at a place";
    return memcmp(buffer, job->made + place->offset, (size_t)length) == 0 ? NULL : "place";
}

static const char *read_all(struct job *job)
{
    struct place places[PLACES_MOST];
    size_t count = 0, seen = 0;
    int result;
    const char *trouble = NULL;
    do { /* each place is as likely to be kept as any other */
        size_t slot = count < PLACES_MOST ? count++ : next_random(job, (uint32_t)seen + 1);
        seen++;
        if (slot < PLACES_MOST) {
            places[slot].offset = job->made_size;
            if (memfs_text_tell(job->text, &places[slot].position) != 0)
                return "tell";
        }
    } while ((result = read_some(job)) == 1);
    if (result < 0)
        return memfs_error_name(result);
    for (size_t i = 0; i < count && trouble == NULL; i++)
        trouble = check_place(job, &places[i]);
    return trouble;
}

static const char *decode(struct job *job, const char *name, uint32_t policy)
{
    memfs_text_options options = {.struct_size = sizeof options,
                                  .encoding = name,
                                  .read_policy = policy,
                                  .flags = MEMFS_TEXT_KEEP_NEWLINE};
    if (memfs_write_file(job->fs, "/file", job->bytes, job->size, 0644, 0) != 0)
        return "write file";
    int error = memfs_text_open(job->fs, "/file", "r", &options, &job->text);
    if (error != 0)
        return memfs_error_name(error);
    job->made_size = 0;
    const char *trouble = read_all(job);
    return memfs_text_close(job->text) == 0 ? trouble : "close";
}

/* ------------------------------------------------------------------- commands */

static const char *obey(struct job *job, char *command)
{
    char *words[5];
    int count = 0;
    for (char *word = strtok(command, " \n"); word != NULL && count < 5; word = strtok(NULL, " \n"))
        words[count++] = word;
    if (count != 5)
        return "what?";
    job->seed = strtoull(words[2], NULL, 10);
    const char *trouble = load(job, words[3]);
    if (trouble != NULL)
        return trouble;
    if (strcmp(words[0], "encode") == 0)
        trouble = encode(job, words[1], 0);
    else if (strcmp(words[0], "whole") == 0)
        trouble = encode(job, words[1], 1);
    else if (strcmp(words[0], "decode") == 0)
        trouble = decode(job, words[1], MEMFS_TEXT_STRICT);
    else if (strcmp(words[0], "replace") == 0)
        trouble = decode(job, words[1], MEMFS_TEXT_REPLACE);
    else if (strcmp(words[0], "ignore") == 0)
        trouble = decode(job, words[1], MEMFS_TEXT_IGNORE);
    else
        trouble = "what?";
    return trouble != NULL ? trouble : store(job, words[4]);
}

int main(void)
{
    char command[4096];
    struct job job = {.bytes = malloc(BYTES_MOST), .made = malloc(4 * BYTES_MOST)};
    if (job.bytes == NULL || job.made == NULL || memfs_create(NULL, &job.fs) != 0)
        return 2;
    while (fgets(command, sizeof command, stdin) != NULL) {
        const char *trouble = obey(&job, command);
        printf("%s\n", trouble != NULL ? trouble : "ok");
        fflush(stdout);
    }
    free(job.bytes);
    free(job.made);
    return memfs_destroy(job.fs, 0) != 0;
}

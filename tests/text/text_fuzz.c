/*
 * Any bytes read as text: whichever way they are read, it is the same text, and places lead back.
 *
 * An input is the encoding, the policy and the line ends, a seed for the lengths of reads, and the
 * file.  The text that comes out, if the encoding has all of it, is written in that encoding, and
 * must come back.
 */
#include "fuzz.h"

#include <memfs/text.h>

#include <stdbool.h>
#include <string.h>

enum { FILE_MOST = 600, TEXT_MOST = 4 * FILE_MOST, ARENA_BYTES = 1 << 20 };

/* Not all encodings lead back: iconv() reads a ~ of IBM939 as an overline, and in ISO-2022-JP a
 * control character may become part of a shift sequence. */
static const struct {
    const char *name;
    bool leads_back;
} encodings[] = {
    {"UTF-8", true},        {"UTF-8-SIG", true},    {"UTF-16", true},     {"UTF-16BE", true},
    {"UTF-32", true},       {"LATIN1", true},       {"SHIFT_JIS", false}, {"EUC-JP", true},
    {"ISO-2022-JP", false}, {"UTF-7", true},        {"GB18030", true},    {"CP1255", false},
    {"BIG5-HKSCS", false},  {"ISO-2022-KR", false}, {"IBM939", false},    {"UNICODE", true},
};

struct reading {
    memfs *fs;
    memfs_text_options options;
    bool leads_back;
    uint32_t random;
    char text[TEXT_MOST];
    size_t length;
    int result; /* of the read that ended it */
};

static uint32_t draw(struct reading *r, uint32_t below)
{
    r->random = r->random * 1664525u + 1013904223u;
    return (r->random >> 8) % below;
}

static memfs_text *open_it(struct reading *r, const char *path, const char *mode)
{
    memfs_text *text = NULL;
    FUZZ_CHECK(memfs_text_open(r->fs, path, mode, &r->options, &text) == 0);
    return text;
}

static bool is_utf8(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length;) {
        unsigned char first = (unsigned char)bytes[i];
        size_t more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
        if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || i + more >= length)
            return false;
        for (i++; more > 0; more--, i++)
            if (((unsigned char)bytes[i] & 0xc0) != 0x80)
                return false;
    }
    return true;
}

/* By characters, one a call: the text that all other ways must give. */
static void read_by_characters(struct reading *r, const char *path)
{
    memfs_text *text = open_it(r, path, "r");
    int64_t count;
    r->length = 0;
    while ((count = memfs_text_read(text, 1, r->text + r->length, 4)) > 0) {
        FUZZ_CHECK(is_utf8(r->text + r->length, (size_t)count));
        r->length += (size_t)count;
        FUZZ_CHECK(r->length + 8 < sizeof r->text);
    }
    r->result = (int)count;
    FUZZ_CHECK(memfs_text_read(text, 1, r->text + r->length, 4) == count);
    FUZZ_CHECK(memfs_text_close(text) == 0);
}

/* By calls of all kinds, noting one place and going back to it. */
static void read_at_random(struct reading *r, const char *path)
{
    memfs_text *text = open_it(r, path, "r");
    memfs_text_position place;
    size_t at = 0, noted = 0;
    FUZZ_CHECK(memfs_text_tell(text, &place) == 0);
    for (int step = 0; step < 200; step++) {
        char buffer[64];
        const char *bytes = buffer;
        size_t length = 0;
        uint32_t kind = draw(r, 8);
        if (kind == 0) {
            FUZZ_CHECK(memfs_text_tell(text, &place) == 0);
            noted = at;
            continue;
        }
        if (kind == 1) {
            FUZZ_CHECK(memfs_text_seek(text, &place) == 0);
            at = noted;
            continue;
        }
        int64_t result = kind == 2 ? memfs_text_read_line(text, &bytes, &length)
                                   : memfs_text_read(text, 1 + draw(r, 12), buffer, sizeof buffer);
        if (kind > 2 && result > 0)
            length = (size_t)result;
        FUZZ_CHECK(result >= 0 || result == r->result);
        FUZZ_CHECK(result != 0 || at == r->length);
        if (result <= 0)
            continue;
        FUZZ_CHECK(length <= r->length - at && memcmp(bytes, r->text + at, length) == 0);
        at += length;
    }
    FUZZ_CHECK(memfs_text_close(text) == 0);
}

/* Each line can be passed over, whatever is in it. */
static void skip_lines(struct reading *r, const char *path)
{
    memfs_text *text = open_it(r, path, "r");
    int count = 0, result;
    while ((result = memfs_text_skip_line(text)) == 1)
        FUZZ_CHECK(++count <= FILE_MOST + 1);
    FUZZ_CHECK(result == 0);
    FUZZ_CHECK(memfs_text_close(text) == 0);
}

/* What was read can be written, and read again. */
static void write_back(struct reading *r)
{
    static struct reading again;
    memfs_text *text = open_it(r, "/back", "w");
    for (size_t at = 0; at < r->length;) {
        size_t length = 1 + draw(r, 60);
        while (at + length < r->length && ((unsigned char)r->text[at + length] & 0xc0) == 0x80)
            length++;
        if (length > r->length - at)
            length = r->length - at;
        int64_t result = memfs_text_write(text, r->text + at, length);
        FUZZ_CHECK(result == (int64_t)length || result == MEMFS_EILSEQ);
        if (result < 0)
            memmove(r->text + at, r->text + at + length, r->length -= length);
        at += result < 0 ? 0 : length;
    }
    FUZZ_CHECK(memfs_text_close(text) == 0);
    again = *r;
    read_by_characters(&again, "/back");
    if (!r->leads_back)
        return;
    FUZZ_CHECK(again.result == 0 && again.length == r->length);
    FUZZ_CHECK(memcmp(again.text, r->text, r->length) == 0);
}

static void take(const uint8_t *bytes, size_t size)
{
    static uint64_t arena[ARENA_BYTES / sizeof(uint64_t)];
    static struct reading r;
    struct fuzz_reader reader = {bytes, size};
    memfs_config config = memfs_config_default();
    size_t encoding = fuzz_take_byte(&reader) % (sizeof encodings / sizeof *encodings);
    uint8_t policy = fuzz_take_byte(&reader);
    r = (struct reading){.leads_back = encodings[encoding].leads_back,
                         .random = fuzz_take_byte(&reader),
                         .options = {.struct_size = sizeof r.options,
                                     .flags = MEMFS_TEXT_KEEP_NEWLINE,
                                     .newline = policy / 4 % 4,
                                     .read_policy = policy % 3,
                                     .encoding = encodings[encoding].name}};
    config.arena = arena;
    config.arena_bytes = sizeof arena;
    if (!memfs_text_has_encoding(encodings[encoding].name))
        return;
    FUZZ_CHECK(memfs_create(&config, &r.fs) == 0);
    FUZZ_CHECK(memfs_write_file(r.fs, "/file", reader.bytes, reader.left, 0644, 0) == 0);
    read_by_characters(&r, "/file");
    read_at_random(&r, "/file");
    skip_lines(&r, "/file");
    write_back(&r);
    FUZZ_CHECK(memfs_audit(r.fs) == 0);
    FUZZ_CHECK(memfs_destroy(r.fs, 0) == 0);
}

static size_t seed(unsigned number, uint8_t *bytes, size_t capacity)
{
    static const struct {
        uint8_t encoding, policy;
        const char *text;
        size_t length;
    } seeds[] = {
#define SEED(encoding, policy, text) {(encoding), (policy), (text), sizeof(text) - 1}
        SEED(0, 0, "one\ntwo\r\nthree\rf\xc3\xbcnf \xf0\x9f\x98\x80\n"),
        SEED(0, 1, "\xf0\x9f\x98 \xed\xa0\x80 \xc0\x80 \xff"),
        SEED(1, 14, "\xef\xbb\xbfmark\r\nline\r"),
        SEED(2, 1,
             "\xff\xfe"
             "a\0\n\0\x3d\xd8\0\xde\0\xd8"),
        SEED(3, 2, "\0a\xd8\x3d\xde\0\0\n\xdc"),
        SEED(4, 1, "\0\0\xfe\xff\0\0\0a\0\x11\0\0"),
        SEED(5, 8, "a\xff\xe9\r"),
        SEED(6, 1, "a\x82\xa0\x83\x5c\n\x82\xff"),
        SEED(7, 1, "\xa4\xa2\x8e\xb1\x8f\xb0\xa1\n"),
        SEED(8, 1, "\x1b$B$\"$$\x1b(B?\n\x1b(J\\\x1b(B"),
        SEED(9, 1, "a+MEIwRA-b\n+2D3eAA-+-"),
        SEED(10, 0, "\x81\x30\x84\x36\xd2\xbb\n"),
        SEED(11, 1, "\xe0\xc7\xe1\n\xfa\xd3"),
        SEED(12, 1, "\x88\x62\x88\x66\x88\x66\n"),
        SEED(13, 1, "\x1b$)C\x0e\x30\x21\x0f\n"),
        SEED(14, 1, "\x0e\x45\x41\x0f\x25\x81"),
        SEED(15, 1, "\xfe\xff\0a\0\n"),
#undef SEED
    };
    if (number >= sizeof seeds / sizeof *seeds || seeds[number].length + 3 > capacity)
        return 0;
    bytes[0] = seeds[number].encoding;
    bytes[1] = seeds[number].policy;
    bytes[2] = (uint8_t)number;
    memcpy(bytes + 3, seeds[number].text, seeds[number].length);
    return seeds[number].length + 3;
}

static const char *const words[] = {
    "\n",     "\r\n",    "\r",   "\xef\xbb\xbf", "\xfe\xff", "\xff\xfe", "\x1b$B",   "\x1b(B",
    "\x1b(J", "\x1b$)C", "\x0e", "\x0f",         "+",        "-",        "\x88\x66", NULL};

const struct fuzz_target fuzz_target = {
    .take = take, .seed = seed, .size_max = FILE_MOST, .words = words};

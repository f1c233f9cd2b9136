/*
 * memfs_glob_match() against a matcher that is too slow to be wrong.
 *
 * The reference cuts the pattern into components and each of those into tokens, a star or the set
 * of bytes that it takes, and asks for every prefix of the pattern which prefixes of the text it
 * matches. An input is the pattern, a NUL, and the path.
 */
#include "fuzz.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 120, COMPONENTS_MAX = TEXT_MAX / 2 + 1 };

struct token {
    bool is_star;
    bool takes[256];
};

struct part {
    const char *text;
    size_t length;
};

/* Cuts at slashes, of which any number counts as one. */
static size_t cut(const char *text, struct part parts[COMPONENTS_MAX])
{
    size_t count = 0;
    for (;;) {
        text += strspn(text, "/");
        if (*text == '\0')
            return count;
        parts[count++] = (struct part){text, strcspn(text, "/")};
        text += parts[count - 1].length;
    }
}

/* ------------------------------------------------------------------- tokens */

/* One byte, or one behind a backslash; -1: there is none. */
static int byte_at(struct part part, size_t *at)
{
    if (*at < part.length && part.text[*at] == '\\')
        ++*at;
    return *at < part.length ? (unsigned char)part.text[(*at)++] : -1;
}

/* What follows a '['; false: it is not closed. */
static bool read_set(struct part part, size_t *at, struct token *token)
{
    bool listed[256] = {false};
    bool negated = *at < part.length && (part.text[*at] == '!' || part.text[*at] == '^');
    *at += negated;
    for (bool first = true;; first = false) {
        if (*at >= part.length)
            return false;
        if (part.text[*at] == ']' && !first)
            break;
        int low = byte_at(part, at);
        int high = low;
        if (*at + 1 < part.length && part.text[*at] == '-' && part.text[*at + 1] != ']') {
            ++*at;
            high = byte_at(part, at);
        }
        if (low < 0 || high < 0)
            return false;
        for (int byte = low; byte <= high; byte++)
            listed[byte] = true;
    }
    ++*at;
    for (int byte = 0; byte < 256; byte++)
        token->takes[byte] = listed[byte] != negated;
    return true;
}

/* The number of tokens; -1: the component is malformed. */
static int read_tokens(struct part part, struct token tokens[TEXT_MAX])
{
    int count = 0;
    for (size_t at = 0; at < part.length; count++) {
        struct token *token = &tokens[count];
        *token = (struct token){0};
        if (part.text[at] == '*') {
            at++;
            token->is_star = true;
        } else if (part.text[at] == '?') {
            at++;
            memset(token->takes, true, sizeof token->takes);
        } else if (part.text[at] == '[') {
            at++;
            if (!read_set(part, &at, token))
                return -1;
        } else {
            int byte = byte_at(part, &at);
            if (byte < 0)
                return -1;
            token->takes[byte] = true;
        }
    }
    return count;
}

/* ----------------------------------------------------------------- matching */

static bool name_matches(struct part pattern, struct part name)
{
    static struct token tokens[TEXT_MAX];
    bool matches[TEXT_MAX + 1] = {true}; /* by the tokens so far: the name's first i bytes */
    int count = read_tokens(pattern, tokens);
    for (int t = 0; t < count; t++) {
        if (tokens[t].is_star) {
            for (size_t i = 1; i <= name.length; i++)
                matches[i] |= matches[i - 1];
            continue;
        }
        for (size_t i = name.length; i > 0; i--)
            matches[i] = matches[i - 1] && tokens[t].takes[(unsigned char)name.text[i - 1]];
        matches[0] = false;
    }
    return matches[name.length];
}

static bool is_double_star(struct part part)
{
    return part.length == 2 && memcmp(part.text, "**", 2) == 0;
}

static bool path_matches(const char *pattern, const char *path)
{
    struct part wanted[COMPONENTS_MAX], names[COMPONENTS_MAX];
    bool matches[COMPONENTS_MAX + 1] = {true};
    size_t wanted_count = cut(pattern, wanted);
    size_t name_count = cut(path, names);
    for (size_t w = 0; w < wanted_count; w++) {
        if (is_double_star(wanted[w])) {
            for (size_t i = 1; i <= name_count; i++)
                matches[i] |= matches[i - 1];
            continue;
        }
        for (size_t i = name_count; i > 0; i--)
            matches[i] = matches[i - 1] && name_matches(wanted[w], names[i - 1]);
        matches[0] = false;
    }
    return matches[name_count];
}

static bool is_valid(const char *pattern)
{
    static struct token tokens[TEXT_MAX];
    struct part parts[COMPONENTS_MAX];
    size_t count = cut(pattern, parts);
    for (size_t i = 0; i < count; i++)
        if (read_tokens(parts[i], tokens) < 0)
            return false;
    return true;
}

/* ------------------------------------------------------------------- target */

static void take(const uint8_t *bytes, size_t size)
{
    struct fuzz_reader reader = {bytes, size};
    char pattern[TEXT_MAX], path[TEXT_MAX];
    int matches = -1;
    fuzz_take_string(&reader, pattern, sizeof pattern);
    fuzz_take_string(&reader, path, sizeof path);
    if ((pattern[0] == '/') != (path[0] == '/'))
        return; /* which nothing is said of */
    int result = memfs_glob_match(pattern, path, &matches);
    if (!is_valid(pattern)) {
        FUZZ_CHECK(result == MEMFS_EINVAL);
        FUZZ_CHECK(matches == -1);
        return;
    }
    FUZZ_CHECK(result == 0);
    FUZZ_CHECK(matches == (int)path_matches(pattern, path));
}

static size_t seed(unsigned number, uint8_t *bytes, size_t capacity)
{
    static const char *const pairs[][2] = {
        {"/src/*.c", "/src/main.c"},
        {"/**/*.h", "/a/b/c.h"},
        {"a*b*c*d", "aXbXcXcXd"},
        {"**/sub/**/z.c", "sub/deeper/z.c"},
        {"/src/**/", "/src"},
        {"[a-c][!x-z][^]]", "abc"},
        {"/[]-a]?[\\]\\\\-]", "/^x]"},
        {"\\*\\?\\[", "*?["},
        {"/a//b/", "//a/b"},
        {"[a-]", "-"},
        {"*?*?*", "ab"},
        {"[", "["},
        {"a\\", "a"},
        {"**", ""},
        {"***/**a", "x/ya"},
    };
    if (number >= sizeof pairs / sizeof *pairs)
        return 0;
    size_t length = fuzz_seed_string(pairs[number][0], bytes, capacity);
    bytes[length++] = '\0';
    return length + fuzz_seed_string(pairs[number][1], bytes + length, capacity - length);
}

static const char *const words[] = {"*",  "**", "?",  "[", "]",    "[!",
                                    "[^", "-",  "\\", "/", "/**/", NULL};

const struct fuzz_target fuzz_target = {
    .take = take, .seed = seed, .size_max = 2 * TEXT_MAX, .words = words};

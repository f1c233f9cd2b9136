/*
 * Both matchers, of bytes and of components, work the same way: walk along pattern and text;
 * remember the last star and how much text it has taken; on a mismatch let that star take one more
 * and go on from there.  Only the last star need ever be tried again: if an earlier one took more,
 * that could only help by moving the later one, which can move by itself.
 *
 * Cost: pattern x text steps at most, no recursion and no memory.
 *
 * Left undone on purpose: character classes such as [:alpha:], and case folding, which both need a
 * locale; names are bytes here.
 */
#include "base/pattern.h"

#include "base/check.h"
#include "base/path.h"

#include <string.h>

/* The byte behind the bracket expression that starts at `p`, or null if it is not closed. */
static const char *bracket_end(const char *p, const char *end)
{
    p++;
    if (p < end && (*p == '!' || *p == '^'))
        p++;
    if (p < end && *p == ']')
        p++;
    for (; p < end; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        else if (*p == ']')
            return p + 1;
    }
    return NULL;
}

/* Takes the next byte of a bracket expression, which may be escaped. */
static unsigned char bracket_byte(const char **p)
{
    if (**p == '\\')
        (*p)++;
    return (unsigned char)*(*p)++;
}

/* `p` at the bracket, `end` behind its close. */
static bool bracket_matches(const char *p, const char *end, unsigned char byte)
{
    bool negated = false;
    bool found = false;
    MFS_CHECK(*p == '[' && end[-1] == ']' && end - p > 2);
    p++;
    if (*p == '!' || *p == '^') {
        negated = true;
        p++;
    }
    do {
        unsigned char low = bracket_byte(&p);
        unsigned char high = low;
        if (*p == '-' && p + 2 < end) {
            p++;
            high = bracket_byte(&p);
        }
        if (low <= byte && byte <= high)
            found = true;
    } while (p < end - 1);
    return found != negated;
}

/* Matches one byte of text with what is at `*p`, which then points behind that. */
static bool match_byte(const char **p, const char *end, unsigned char byte)
{
    const char *at = *p;
    if (*at == '?') {
        *p = at + 1;
        return true;
    }
    if (*at == '[') {
        const char *after = bracket_end(at, end);
        if (after == NULL)
            return false;
        *p = after;
        return bracket_matches(at, after, byte);
    }
    if (*at == '\\' && at + 1 < end)
        at++;
    *p = at + 1;
    return (unsigned char)*at == byte;
}

bool mfs_pattern_match_name(const char *pattern, size_t pattern_length, const char *name,
                            size_t name_length)
{
    const char *p = pattern, *p_end = pattern + pattern_length;
    const char *n = name, *n_end = name + name_length;
    const char *star = NULL, *star_text = NULL; /* behind the last star; the text it must match */
    for (;;) {
        MFS_CHECK(p <= p_end && n <= n_end);
        if (p < p_end && *p == '*') {
            star = ++p;
            star_text = n;
            continue;
        }
        if (n == n_end && p == p_end)
            return true;
        if (n < n_end && p < p_end && match_byte(&p, p_end, (unsigned char)*n)) {
            n++;
            continue;
        }
        if (star == NULL || star_text == n_end)
            return false;
        p = star;
        n = ++star_text;
    }
}

static bool is_double_star(const struct mfs_component *c)
{
    return c->length == 2 && c->name[0] == '*' && c->name[1] == '*';
}

bool mfs_pattern_match_path(const char *pattern, const char *path)
{
    const char *star = NULL, *star_path = NULL;
    for (;;) {
        struct mfs_component p, n;
        const char *next_pattern = pattern, *next_path = path;
        bool more_pattern = mfs_path_next(&next_pattern, &p);
        if (more_pattern && is_double_star(&p)) {
            star = pattern = next_pattern;
            star_path = path;
            continue;
        }
        bool more_path = mfs_path_next(&next_path, &n);
        if (!more_pattern && !more_path)
            return true;
        if (more_pattern && more_path &&
            mfs_pattern_match_name(p.name, p.length, n.name, n.length)) {
            pattern = next_pattern;
            path = next_path;
            continue;
        }
        if (star == NULL || !mfs_path_next(&star_path, &n))
            return false;
        pattern = star;
        path = star_path;
    }
}

bool mfs_pattern_leads_below(const char *pattern, const char *path)
{
    struct mfs_component p, n;
    while (mfs_path_next(&path, &n)) {
        if (!mfs_path_next(&pattern, &p))
            return false;
        if (is_double_star(&p))
            return true;
        if (!mfs_pattern_match_name(p.name, p.length, n.name, n.length))
            return false;
    }
    return mfs_path_next(&pattern, &p);
}

bool mfs_pattern_is_valid(const char *pattern)
{
    struct mfs_component c;
    while (mfs_path_next(&pattern, &c)) {
        const char *end = c.name + c.length;
        for (const char *p = c.name; p < end;) {
            if (*p == '[') {
                p = bracket_end(p, end);
                if (p == NULL)
                    return false;
            } else if (*p == '\\') {
                if (p + 1 == end)
                    return false;
                p += 2;
            } else {
                p++;
            }
        }
    }
    return true;
}

bool mfs_pattern_is_literal(const char *component, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("*?[\\", component[i]) != NULL)
            return false;
    return true;
}

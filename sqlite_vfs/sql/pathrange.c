/*
 * Which directories a query cannot want.
 *
 * The paths below "/a/b" are those that begin with "/a/b/", so as an interval they reach from
 * "/a/b/" to just before "/a/b0", '0' being the byte after '/'.  A directory is of no use
 * if this lies outside of what is wanted:
 *
 *     high < "/a/b/"            all of them are above
 *     "/a/b0" <= low            all of them are below
 *     neither begins the other  prefix and "/a/b/" differ somewhere
 *
 * Where the difference is a byte that is not ASCII, nothing is concluded: a database in UTF-16
 * orders such characters differently, and to LIKE and GLOB two spellings may be one character
 * if a name is not valid UTF-8.
 */
#include "sql/pathrange.h"

#include <string.h>

size_t mfs_pathrange_glob_prefix(const char *pattern, size_t length)
{
    size_t end = 0;
    while (end < length && strchr("*?[", pattern[end]) == NULL)
        end++;
    return end;
}

size_t mfs_pathrange_like_prefix(const char *pattern, size_t length)
{
    size_t end = 0;
    while (end < length && strchr("%_", pattern[end]) == NULL)
        end++;
    return end;
}

/* The byte at `index` of the directory's path with `last` behind it; the root is "" here. */
static unsigned char byte_at(const char *directory, size_t length, char last, size_t index)
{
    return (unsigned char)(index < length ? directory[index] : last);
}

static bool are_ascii(unsigned char one, unsigned char other)
{
    return ((one | other) & 0x80) == 0;
}

/* As memcmp() and then by length: the directory's path with `last` behind it, and a bound; or
 * `unknown`. */
static int compare(const char *directory, size_t length, char last, const char *bound,
                   size_t bound_length, int unknown)
{
    for (size_t index = 0; index <= length && index < bound_length; index++) {
        unsigned char ours = byte_at(directory, length, last, index);
        unsigned char theirs = (unsigned char)bound[index];
        if (ours != theirs && !are_ascii(ours, theirs))
            return unknown;
        if (ours != theirs)
            return ours < theirs ? -1 : 1;
    }
    return (length + 1 > bound_length) - (length + 1 < bound_length);
}

static unsigned char fold(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

static bool fits_prefix(const struct mfs_pathrange *range, const char *directory, size_t length)
{
    for (size_t index = 0; index <= length && index < range->prefix_length; index++) {
        unsigned char ours = byte_at(directory, length, '/', index);
        unsigned char theirs = (unsigned char)range->prefix[index];
        if (ours != theirs && !are_ascii(ours, theirs))
            return true;
        if (ours != theirs && (!range->ignores_case || fold(ours) != fold(theirs)))
            return false;
    }
    return true;
}

bool mfs_pathrange_may_be_below(const struct mfs_pathrange *range, const char *directory,
                                size_t length)
{
    if (length == 1) /* the root: "/x" is below it, not "//x" */
        length = 0;
    if (range->prefix != NULL && !fits_prefix(range, directory, length))
        return false;
    if (range->high != NULL &&
        compare(directory, length, '/', range->high, range->high_length, -1) > 0)
        return false;
    return range->low == NULL ||
           compare(directory, length, '/' + 1, range->low, range->low_length, 1) > 0;
}

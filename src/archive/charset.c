#include "charset.h"

#include <stddef.h>

void mfs_charset_init(struct mfs_archive_charset *charset)
{
    static const char *const names[] = {"C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8"};
    locale_t none = (locale_t)0;
    *charset = (struct mfs_archive_charset){none, none, none, none};
    charset->bytes = newlocale(LC_CTYPE_MASK, "C", none);
    for (size_t i = 0; i < sizeof names / sizeof names[0] && charset->utf8 == none; i++)
        charset->utf8 = newlocale(LC_CTYPE_MASK, names[i], none);
}

void mfs_charset_fini(struct mfs_archive_charset *charset)
{
    locale_t none = (locale_t)0;
    if (charset->bytes != none)
        freelocale(charset->bytes);
    if (charset->utf8 != none)
        freelocale(charset->utf8);
    *charset = (struct mfs_archive_charset){none, none, none, none};
}

void mfs_charset_enter(struct mfs_archive_charset *charset, bool is_utf8)
{
    locale_t none = (locale_t)0;
    charset->inside = is_utf8 && charset->utf8 != none ? charset->utf8 : charset->bytes;
    charset->outside = uselocale(none);
    mfs_charset_resume(charset);
}

void mfs_charset_leave(struct mfs_archive_charset *charset)
{
    mfs_charset_pause(charset);
    charset->inside = (locale_t)0;
}

void mfs_charset_pause(const struct mfs_archive_charset *charset)
{
    if (charset->inside != (locale_t)0)
        (void)uselocale(charset->outside);
}

void mfs_charset_resume(const struct mfs_archive_charset *charset)
{
    if (charset->inside != (locale_t)0)
        (void)uselocale(charset->inside);
}

/* How many bytes follow the first one of a character; -1: it cannot be a first one. */
static int following_bytes(unsigned char first)
{
    if (first < 0x80)
        return 0;
    if (first >= 0xc2 && first < 0xe0)
        return 1;
    if (first >= 0xe0 && first < 0xf0)
        return 2;
    return first >= 0xf0 && first < 0xf5 ? 3 : -1;
}

/* By the first two bytes: a shorter form exists, a surrogate, or above the last character. */
static bool is_misused(unsigned char first, unsigned char second)
{
    return (first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
           (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90);
}

bool mfs_charset_is_utf8(const char *name)
{
    const unsigned char *at = (const unsigned char *)name;
    while (*at != '\0') {
        int following = following_bytes(*at);
        if (following < 0 || (following > 1 && is_misused(at[0], at[1])))
            return false;
        for (at++; following > 0; following--, at++)
            if ((*at & 0xc0) != 0x80)
                return false;
    }
    return true;
}

/*
 * The locale in which libarchive reads and writes names.
 *
 * libarchive translates names between the archive's encoding and that of the locale, and loses what
 * the locale cannot express.  So the calls that read or write an entry's header run in a locale of
 * their own, which is the calling thread's alone:
 *
 *     bytes   "C".  What is not ASCII cannot be translated, and then libarchive gives the bytes of
 *             tar and cpio as they are.  In a UTF-8 locale it would compose them (NFC).
 *     UTF-8   for formats that say in which encoding a name is, and give no name at all if it
 *             cannot be translated: zip, 7-Zip, ISO 9660 ...  Also to write: pax then says that
 *             names are UTF-8, and zip marks them so.  Where the host has no such locale, "C" must
 *             do: ASCII works, other names of these formats fail.
 */
#ifndef MFS_ARCHIVE_CHARSET_H
#define MFS_ARCHIVE_CHARSET_H

#include <locale.h>
#include <stdbool.h>

#if defined(__APPLE__)
#include <xlocale.h>
#endif

struct mfs_archive_charset {
    locale_t bytes, utf8;
    locale_t inside; /* while entered; else 0 */
    locale_t outside;
};

void mfs_charset_init(struct mfs_archive_charset *charset);
void mfs_charset_fini(struct mfs_archive_charset *charset);

/* The thread's locale is one of these until it leaves. */
void mfs_charset_enter(struct mfs_archive_charset *charset, bool is_utf8);
void mfs_charset_leave(struct mfs_archive_charset *charset);

/* Around a callback of the program's, which runs in its own locale; nothing if not entered. */
void mfs_charset_pause(const struct mfs_archive_charset *charset);
void mfs_charset_resume(const struct mfs_archive_charset *charset);

/* Whether a name could be UTF-8. */
bool mfs_charset_is_utf8(const char *name);

#endif

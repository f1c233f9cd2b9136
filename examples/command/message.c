/* What is said when something goes wrong. */
#include "command.h"

#include <stdarg.h>
#include <stdio.h>

void complain(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("memfs: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

enum ending check_output(enum ending ending)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return ending;
    complain("the output cannot be written");
    return FAILED;
}

/* With what a terminal would obey as \xNN: names come from archives of strangers. */
static void print_name(const char *name)
{
    for (const unsigned char *at = (const unsigned char *)name; *at != '\0'; at++) {
        if (*at < ' ' || *at == 0x7f)
            fprintf(stderr, "\\x%02x", *at);
        else
            fputc(*at, stderr);
    }
}

enum ending complain_of(const char *what, const char *place, int reason, const char *detail)
{
    fputs("memfs: ", stderr);
    print_name(what);
    if (place[0] != '\0') {
        fputs(": ", stderr);
        print_name(place);
    }
    fprintf(stderr, ": %s", detail[0] != '\0' ? detail : memfs_error_text(reason));
    if (reason == MEMFS_EDQUOT)
        fputs(" (-q gives more)", stderr);
    if (reason == MEMFS_ENOSPC)
        fputs(" (-n gives more)", stderr);
    fputc('\n', stderr);
    return reason == MEMFS_EDQUOT || reason == MEMFS_ENOSPC ? DID_NOT_FIT : FAILED;
}

#include "openmode.h"

#include <stddef.h>
#include <string.h>

bool mfs_openmode_parse(struct mfs_openmode *out, const char *mode)
{
    static const char firsts[] = "rwax", letters[] = "+btex";
    bool seen[sizeof letters] = {false};
    if (mode == NULL || mode[0] == '\0' || strchr(firsts, mode[0]) == NULL)
        return false;
    for (const char *letter = mode + 1; *letter != '\0'; letter++) {
        const char *known = strchr(letters, *letter);
        if (known == NULL || seen[known - letters] || (*letter == 'x' && mode[0] != 'w'))
            return false;
        seen[known - letters] = true;
    }
    bool does_both = seen[0];
    *out = (struct mfs_openmode){.reads = mode[0] == 'r' || does_both,
                                 .writes = mode[0] != 'r' || does_both,
                                 .appends = mode[0] == 'a'};
    out->plain[0] = mode[0] == 'x' ? 'w' : mode[0];
    out->plain[1] = does_both ? '+' : '\0';
    return true;
}

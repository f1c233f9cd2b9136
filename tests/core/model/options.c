#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long number = text == NULL ? 0 : strtoull(text, &end, 0);
    if (text == NULL || errno != 0 || end == text || *end != '\0')
        return 0;
    *out = number;
    return 1;
}

int options_parse(struct options *options, int argc, char **argv)
{
    const struct {
        const char *name;
        uint64_t *value;
    } table[] = {{"--seed", &options->seed},
                 {"--rounds", &options->rounds},
                 {"--operations", &options->operations},
                 {"--audit", &options->audit}};
    for (int i = 1; i < argc; i++) {
        size_t line = 0;
        while (line < sizeof table / sizeof *table && strcmp(argv[i], table[line].name) != 0)
            line++;
        if (strcmp(argv[i], "--verbose") == 0) {
            options->verbose = 1;
        } else if (line == sizeof table / sizeof *table ||
                   !parse_number(argv[i + 1], table[line].value)) {
            fprintf(stderr, "what is %s? See options.h\n", argv[i]);
            return 0;
        } else {
            i++;
        }
    }
    return options->audit > 0;
}

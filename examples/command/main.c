/*
 * memfs, the command: archives and directories in a bounded tree in memory.
 *
 * This file reads the command line; each subcommand has a line in `subcommands`.
 */
#include "command.h"
#include "tree.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXCLUDED_MOST = 64 };

static const struct subcommand {
    const char *name, *arguments, *what_it_does;
    const char *letters; /* of its options, as for getopt() */
    int least, most;     /* arguments */
    enum ending (*run)(const struct options *options, memfs *fs, char **arguments);
} subcommands[] = {
    {"pack", "SOURCE ARCHIVE", "packs a directory, or repacks an archive", "q:n:x:fs", 2, 2,
     command_pack},
    {"unpack", "SOURCE DIRECTORY", "unpacks an archive into a new directory", "q:n:x:fs", 2, 2,
     command_unpack},
    {"ls", "SOURCE [PATH]", "prints the tree", "q:n:x:d:as", 1, 2, command_list},
    {"cat", "SOURCE PATH...", "prints files", "q:n:x:s", 2, 1 << 20, command_print},
    {"sql", "SOURCE SQL", "runs SQL over files and databases", "q:n:x:b:o:fs", 2, 2, command_sql},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

static void print_help(FILE *stream)
{
    fputs("usage: memfs COMMAND [OPTION...] SOURCE [ARGUMENT...]\n"
          "\n"
          "Reads SOURCE, an archive (tar, zip, cpio and what else libarchive reads, compressed or\n"
          "not) or a directory, into a tree in memory that can hold just so much, and then\n"
          "\n",
          stream);
    for (int i = 0; i < SUBCOMMANDS; i++)
        fprintf(stream, "  %-7s%-18s%s\n", subcommands[i].name, subcommands[i].arguments,
                subcommands[i].what_it_does);
    fputs("\n"
          "  -q SIZE     the most that the tree may take: bytes, or with K, M, G behind (256M)\n"
          "  -n NUMBER   the most files, directories and links in it (no limit)\n"
          "  -x PATTERN  leave out what matches, such as '**/*.o'; may be repeated\n"
          "  -f          pack, unpack, sql -o: replace what is there\n"
          "  -d DEPTH    ls: levels below PATH\n"
          "  -a          ls: lines in ASCII\n"
          "  -b PATH     sql: the database in the tree, made if it is not there (a temporary one)\n"
          "  -o ARCHIVE  sql: pack the tree when all statements have succeeded\n"
          "  -s          no progress, which is shown only on a terminal\n"
          "\n"
          "An archive's format and compression follow its name: .tar, .tar.gz, .tgz, .tar.xz,\n"
          ".tar.zst, .zip, .cpio ...  SQL has the functions and the table memfs_tree of memfs.\n"
          "Files are written under another name first: a failure leaves none, and replaces none.\n"
          "\n"
          "Exit status: 0 done, 1 failed, 2 wrong usage, 3 it did not fit.\n",
          stream);
}

/* Negative: it is none. */
static int64_t parse_number(const char *text, bool may_have_unit)
{
    char *end;
    unsigned shift = 0;
    if (*text < '0' || *text > '9')
        return -1;
    unsigned long long value = strtoull(text, &end, 10);
    if (may_have_unit && *end != '\0') {
        const char *unit = strchr("KMG", *end);
        if (unit == NULL)
            return -1;
        shift = 10u * (unsigned)(unit - "KMG" + 1);
        end++;
    }
    if (*end != '\0' || value > (uint64_t)INT64_MAX >> shift)
        return -1;
    return (int64_t)(value << shift);
}

static enum ending misuse(const char *subject, const char *reason)
{
    complain("%s: %s (memfs --help)", subject, reason);
    return MISUSED;
}

/* One option; false: its value is none, which was said. */
static bool take_option(struct options *options, int letter, const char *value,
                        const char *excluded[EXCLUDED_MOST + 1])
{
    int64_t number = 0;
    int count = 0;
    switch (letter) {
    case 'q':
        number = parse_number(value, true);
        options->quota_bytes = number == 0 ? MEMFS_UNLIMITED : (uint64_t)number;
        break;
    case 'n':
        number = parse_number(value, false);
        options->node_limit = (uint64_t)number;
        break;
    case 'd':
        number = parse_number(value, false);
        options->max_depth = (unsigned)number;
        if (number > 32)
            number = -1;
        break;
    case 'x':
        while (excluded[count] != NULL)
            count++;
        if (count == EXCLUDED_MOST)
            number = -1;
        else
            excluded[count] = value;
        options->excluded = excluded;
        break;
    case 'f':
        options->replaces = true;
        break;
    case 'a':
        options->is_ascii = true;
        break;
    case 's':
        options->is_quiet = true;
        break;
    case 'b':
        options->database = value;
        break;
    case 'o':
        options->output = value;
        break;
    }
    if (number < 0)
        complain("-%c %s: not a number that it can have (memfs --help)", letter, value);
    return number >= 0;
}

/* Makes the tree, runs the subcommand in it, and takes it away. */
static enum ending run_in_tree(const struct subcommand *subcommand, const struct options *options,
                               char **arguments)
{
    memfs *fs;
    enum ending ending = tree_open(options, arguments[0], &fs);
    if (ending == DONE)
        ending = subcommand->run(options, fs, arguments + 1);
    if (fs != NULL && memfs_destroy(fs, MEMFS_DESTROY_FORCE) != 0)
        return FAILED;
    return ending;
}

static enum ending run(const struct subcommand *subcommand, int count, char **words)
{
    static const char *excluded[EXCLUDED_MOST + 1];
    struct options options = {.quota_bytes = MEMFS_QUOTA_DEFAULT};
    int letter;
    options.is_ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
    while ((letter = getopt(count, words, subcommand->letters)) != -1)
        if (letter == '?' || !take_option(&options, letter, optarg, excluded))
            return MISUSED;
    int left = count - optind;
    if (left < subcommand->least || left > subcommand->most)
        return misuse(subcommand->name,
                      left < subcommand->least ? "too few arguments" : "too many arguments");
    return run_in_tree(subcommand, &options, words + optind);
}

int main(int count, char **words)
{
    (void)setlocale(LC_CTYPE, "");
    if (count < 2) {
        print_help(stderr);
        return MISUSED;
    }
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "help") == 0) {
        print_help(stdout);
        return fflush(stdout) == 0 ? DONE : FAILED;
    }
    for (int i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(words[1], subcommands[i].name) == 0)
            return (int)run(&subcommands[i], count - 1, words + 1);
    return (int)misuse(words[1], "no such command");
}

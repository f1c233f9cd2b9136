#define _POSIX_C_SOURCE 200809L

#include "other_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *extension;
static const char *python;

bool take_arguments(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s <extension> <python or none>\n", argv[0]);
        return false;
    }
    extension = argv[1];
    python = argv[2];
    return true;
}

const char *need_python(void)
{
    if (strcmp(python, "none") == 0) {
        print_message(
            "skipped: no Python whose sqlite3 loads extensions, or no threads in this build\n");
        skip();
    }
    return python;
}

static void write_script(FILE *file, const char *script)
{
    for (; *script != '\0'; script++) {
        int result = *script == '$' ? fputs(extension, file) : fputc(*script, file);
        assert_true(result >= 0);
    }
}

int run_with_input(const char *command, const char *script, char *output, size_t size)
{
    char path[] = "/tmp/memfs-extension-test-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "w");
    assert_non_null(file);
    write_script(file, script);
    assert_int_equal(fclose(file), 0);
    char line[1024];
    assert_true(snprintf(line, sizeof line, "%s < %s 2>&1", command, path) < (int)sizeof line);
    FILE *stream = popen(line, "r");
    assert_non_null(stream);
    size_t length = fread(output, 1, size - 1, stream);
    output[length] = '\0';
    int status = pclose(stream);
    unlink(path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void need_shell(void)
{
    if (system("sqlite3 -version > /dev/null 2>&1") != 0) {
        print_message("skipped: there is no sqlite3 shell\n");
        skip();
    }
}

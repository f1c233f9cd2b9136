#define _POSIX_C_SOURCE 200809L

#include "other_program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int run_with_input(const char *command, const char *script, char *output, size_t size)
{
    char path[] = "/tmp/memfs-extension-test-XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, script, strlen(script)), (ssize_t)strlen(script));
    close(descriptor);
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

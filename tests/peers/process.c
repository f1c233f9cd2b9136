#define _DEFAULT_SOURCE 1

#include "process.h"

#include <sqlite3.h>

#include <ctype.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define CONNECTIONS_MAX 32

struct process {
    pthread_t thread;
    pid_t number;
    int (*main)(int, char **);
    int argc;
    char *argv[PROCESS_ARGUMENTS_MAX + 1];
    sqlite3 *connections[CONNECTIONS_MAX];
    int status;
    struct process *next;
};

static const char *folder = ".";
static int clock_factor = 1;
static _Thread_local struct process *current; /* null in threads that a program makes */

/* Processes stay in the list when they have ended: what a crashed one had allocated is
 * found there and not taken for a leak. */
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct process *list;
static int count;
static int crashes;

/* What a program's object refers to instead of the functions without __wrap_. */
#define WRAPPER __attribute__((visibility("default")))
WRAPPER void __wrap_exit(int status) __attribute__((noreturn));
WRAPPER int __wrap_system(const char *command);
WRAPPER pid_t __wrap_getpid(void);
WRAPPER int __wrap_sqlite3_open(const char *name, sqlite3 **out);
WRAPPER int __wrap_sqlite3_open_v2(const char *name, sqlite3 **out, int flags, const char *vfs);
WRAPPER int __wrap_sqlite3_close(sqlite3 *db);
WRAPPER sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name);

void process_set_folder(const char *where)
{
    folder = where;
}

void process_set_clock(int factor)
{
    clock_factor = factor;
}

int process_crashes(void)
{
    return crashes;
}

static void note_connection(sqlite3 *db, sqlite3 *replacement)
{
    if (current == NULL)
        return;
    for (size_t index = 0; index < CONNECTIONS_MAX; index++)
        if (current->connections[index] == db) {
            current->connections[index] = replacement;
            return;
        }
}

int __wrap_sqlite3_open_v2(const char *name, sqlite3 **out, int flags, const char *vfs)
{
    int rc = sqlite3_open_v2(name, out, flags, vfs);
    note_connection(NULL, *out);
    return rc;
}

int __wrap_sqlite3_open(const char *name, sqlite3 **out)
{
    return __wrap_sqlite3_open_v2(name, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
}

int __wrap_sqlite3_close(sqlite3 *db)
{
    int rc = sqlite3_close(db);
    if (rc == SQLITE_OK && db != NULL)
        note_connection(db, NULL);
    return rc;
}

/* As the kernel closes the descriptors of a process that is gone. */
static void drop_file(sqlite3 *db, int which)
{
    sqlite3_file *file = NULL;
    (void)sqlite3_file_control(db, "main", which, &file);
    if (file != NULL && file->pMethods != NULL) {
        (void)file->pMethods->xClose(file);
        file->pMethods = NULL;
    }
}

static void end_process(struct process *process)
{
    bool crashed = false;
    for (size_t index = 0; index < CONNECTIONS_MAX; index++) {
        sqlite3 *db = process->connections[index];
        if (db != NULL) {
            crashed = true;
            drop_file(db, SQLITE_FCNTL_JOURNAL_POINTER);
            drop_file(db, SQLITE_FCNTL_FILE_POINTER);
        }
    }
    pthread_mutex_lock(&list_mutex);
    crashes += crashed;
    pthread_mutex_unlock(&list_mutex);
}

void __wrap_exit(int status)
{
    if (current == NULL)
        exit(status);
    current->status = status;
    end_process(current);
    pthread_exit(NULL);
}

pid_t __wrap_getpid(void)
{
    return current != NULL ? current->number : getpid();
}

static void *run(void *argument)
{
    current = argument;
    __wrap_exit(current->main(current->argc, current->argv));
}

static bool copy_object(const char *from, int to)
{
    char buffer[65536];
    size_t length = 1;
    FILE *source = fopen(from, "rb");
    if (source == NULL)
        return false;
    bool fine = true;
    while (fine && (length = fread(buffer, 1, sizeof buffer, source)) > 0)
        fine = write(to, buffer, length) == (ssize_t)length;
    fine = fine && ferror(source) == 0;
    fclose(source);
    return fine;
}

/* The loader knows objects by their file: a copy is another object, with variables of its own. */
static void *load(const char *program)
{
    char from[4096];
    char copy[] = "/tmp/memfs-peer-XXXXXX";
    void *object = NULL;
    snprintf(from, sizeof from, "%s/%s.so", folder, program);
    int descriptor = mkstemp(copy);
    if (descriptor < 0)
        return NULL;
    if (copy_object(from, descriptor) && close(descriptor) == 0) {
        object = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
        if (object == NULL)
            fprintf(stderr, "%s\n", dlerror());
    }
    unlink(copy);
    return object;
}

static struct process *start(int argc, char **argv)
{
    void *object = argc > 0 && argc <= PROCESS_ARGUMENTS_MAX ? load(argv[0]) : NULL;
    void *entry = object != NULL ? dlsym(object, "main") : NULL;
    struct process *process = entry != NULL ? calloc(1, sizeof *process) : NULL;
    if (process == NULL) {
        fprintf(stderr, "cannot start %s\n", argc > 0 ? argv[0] : "nothing");
        return NULL;
    }
    memcpy(&process->main, &entry, sizeof entry);
    process->argc = argc;
    for (int index = 0; index < argc; index++)
        process->argv[index] = strdup(argv[index]);
    pthread_mutex_lock(&list_mutex);
    process->number = ++count;
    bool started = pthread_create(&process->thread, NULL, run, process) == 0;
    if (started) {
        process->next = list;
        list = process;
    }
    pthread_mutex_unlock(&list_mutex);
    return started ? process : NULL;
}

/* Words, of which some stand in double quotes; cuts the line up.  -1: too many. */
static int split(char *line, char **words)
{
    int found = 0;
    for (char *c = line; *c != '\0';) {
        while (isspace((unsigned char)*c))
            c++;
        if (*c == '\0')
            break;
        if (found == PROCESS_ARGUMENTS_MAX)
            return -1;
        bool quoted = *c == '"';
        c += quoted;
        words[found++] = c;
        while (*c != '\0' && (quoted ? *c != '"' : !isspace((unsigned char)*c)))
            c++;
        if (*c != '\0')
            *c++ = '\0';
    }
    return found;
}

/* Only what programs start to run beside them: a command that ends with "&". */
int __wrap_system(const char *command)
{
    char line[4096];
    char *words[PROCESS_ARGUMENTS_MAX];
    if (strlen(command) >= sizeof line)
        return -1;
    strcpy(line, command);
    int found = split(line, words);
    if (found < 2 || strcmp(words[found - 1], "&") != 0)
        return -1;
    return start(found - 1, words) != NULL ? 0 : -1;
}

/* The newest first, until every process has been waited for. */
int process_run(int argc, char **argv)
{
    struct process *waited_for = list;
    struct process *first = start(argc, argv);
    if (first == NULL)
        return -1;
    (void)pthread_join(first->thread, NULL);
    for (;;) {
        pthread_mutex_lock(&list_mutex);
        struct process *until = list;
        pthread_mutex_unlock(&list_mutex);
        if (until == waited_for)
            return first->status;
        for (struct process *other = until; other != waited_for; other = other->next)
            if (other != first)
                (void)pthread_join(other->thread, NULL);
        waited_for = until;
    }
}

/* Programs look only at differences. */
static int fast_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    (void)vfs;
    sqlite3_vfs *host = sqlite3_vfs_find(NULL);
    int rc = host->xCurrentTimeInt64(host, out);
    *out *= clock_factor;
    return rc;
}

sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name)
{
    static sqlite3_vfs fast = {.iVersion = 2, .zName = "fast", .xCurrentTimeInt64 = fast_time};
    return clock_factor == 1 ? sqlite3_vfs_find(name) : &fast;
}

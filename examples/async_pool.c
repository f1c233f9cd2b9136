/*
 * Requests on a plain pool of threads: three hundred clients of one bounded tree, four threads.
 *
 * Each client adds one to a shared counter some times over: it locks the file, reads, writes and
 * unlocks, by a request each, so a client that waits for its lock takes no thread.  Then one asks
 * for more than the quota has, one gives up waiting, and the front is closed with reads in flight.
 */
#include <memfs/async.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, CLIENTS = 300, ROUNDS = 10, LAST_READS = 100, QUOTA_BYTES = 1 << 20 };

static void must(int64_t result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, memfs_error_text((int)result));
    exit(1);
}

/* --------------------------------------------------------------------- the pool */

/* A queue of requests, which are linked by the fields that they have for that. */
static struct pool {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    memfs_async_request *first, *last;
    void (*run)(void *argument);
    bool ends;
    pthread_t threads[THREADS];
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int submit_to_pool(void *context, void (*run)(void *argument), void *argument)
{
    memfs_async_request *request = argument;
    (void)context;
    request->executor_link[0] = NULL;
    pthread_mutex_lock(&pool.mutex);
    pool.run = run;
    if (pool.first == NULL)
        pool.first = request;
    else
        pool.last->executor_link[0] = request;
    pool.last = request;
    pthread_cond_signal(&pool.changed);
    pthread_mutex_unlock(&pool.mutex);
    return 0;
}

/* The next request, or null when the pool ends and there is none. */
static memfs_async_request *wait_for_request(void)
{
    pthread_mutex_lock(&pool.mutex);
    while (pool.first == NULL && !pool.ends)
        pthread_cond_wait(&pool.changed, &pool.mutex);
    memfs_async_request *request = pool.first;
    if (request != NULL)
        pool.first = request->executor_link[0];
    pthread_mutex_unlock(&pool.mutex);
    return request;
}

static void *work(void *nothing)
{
    memfs_async_request *request;
    while ((request = wait_for_request()) != NULL)
        pool.run(request);
    return nothing;
}

static void start_pool(void)
{
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&pool.threads[i], NULL, work, NULL) != 0)
            must(MEMFS_ENOMEM, "thread");
}

static void stop_pool(void)
{
    pthread_mutex_lock(&pool.mutex);
    pool.ends = true;
    pthread_cond_broadcast(&pool.changed);
    pthread_mutex_unlock(&pool.mutex);
    for (int i = 0; i < THREADS; i++)
        pthread_join(pool.threads[i], NULL);
}

/* -------------------------------------------------------- waiting, in main() only */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int count;
} ended = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void note_end(void)
{
    pthread_mutex_lock(&ended.mutex);
    ended.count++;
    pthread_cond_signal(&ended.changed);
    pthread_mutex_unlock(&ended.mutex);
}

static void wait_for_ends(int count)
{
    pthread_mutex_lock(&ended.mutex);
    while (ended.count < count)
        pthread_cond_wait(&ended.changed, &ended.mutex);
    ended.count -= count;
    pthread_mutex_unlock(&ended.mutex);
}

/* ------------------------------------------------------------------- the clients */

static memfs *fs;
static memfs_async *async;

struct client {
    memfs_async_request request;
    memfs_file *file;
    enum { LOCKING, READING, WRITING, UNLOCKING } step;
    int rounds;
    char number[24];
};

static void go_on(memfs_async_request *request);

static void submit(struct client *client)
{
    must(memfs_async_submit(async, &client->request, go_on), "submit");
}

/* Called by the thread that made the call. */
static void go_on(memfs_async_request *request)
{
    struct client *client = request->data;
    must(request->result, memfs_async_operation_name(request->operation));
    switch (client->step) {
    case LOCKING:
        client->step = READING;
        memfs_async_pread(request, client->file, client->number, sizeof client->number - 1, 0);
        break;
    case READING:
        client->step = WRITING;
        client->number[request->result] = '\0';
        snprintf(client->number, sizeof client->number, "%ld",
                 strtol(client->number, NULL, 10) + 1);
        memfs_async_pwrite(request, client->file, client->number, strlen(client->number), 0);
        break;
    case WRITING:
        client->step = UNLOCKING;
        memfs_async_unlock(request, client->file);
        break;
    default:
        client->step = LOCKING;
        memfs_async_lock(request, client->file, MEMFS_LOCK_EXCLUSIVE, MEMFS_WAIT_FOREVER);
        if (--client->rounds == 0) {
            note_end();
            return;
        }
    }
    submit(client);
}

static void count_together(struct client *clients)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = &clients[i];
        client->request.data = client;
        client->rounds = ROUNDS;
        must(memfs_open(fs, "/counter", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &client->file),
             "open");
        memfs_async_lock(&client->request, client->file, MEMFS_LOCK_EXCLUSIVE, MEMFS_WAIT_FOREVER);
        submit(client);
    }
    wait_for_ends(CLIENTS);
    char number[24] = "";
    must(memfs_read_file_into(fs, "/counter", number, sizeof number - 1), "read");
    printf("%d clients on %d threads counted to %s\n", CLIENTS, THREADS, number);
}

/* ------------------------------------------------------------- what does not work out */

static void note_result(memfs_async_request *request)
{
    *(int64_t *)request->data = request->result;
    note_end();
}

static void want_too_much(void)
{
    static char large[2 * QUOTA_BYTES];
    int64_t result;
    memfs_async_request request = {.data = &result};
    memfs_async_write_file(&request, "/large", large, sizeof large, 0644, 0);
    must(memfs_async_submit(async, &request, note_result), "submit");
    wait_for_ends(1);
    printf("a file of %zu bytes: %s, of a limit of %llu\n", sizeof large,
           memfs_error_name((int)result), (unsigned long long)request.refusal.limit);
}

static void give_up_waiting(memfs_file *holder, memfs_file *waiter)
{
    int64_t result;
    memfs_async_request request = {.data = &result};
    must(memfs_lock(holder, MEMFS_LOCK_EXCLUSIVE, 0), "lock");
    memfs_async_lock(&request, waiter, MEMFS_LOCK_SHARED, MEMFS_WAIT_FOREVER);
    must(memfs_async_submit(async, &request, note_result), "submit");
    (void)memfs_async_cancel(async, &request); /* also if it is just about to wait */
    wait_for_ends(1);
    printf("a lock that was not waited for: %s\n", memfs_error_name((int)result));
    must(memfs_unlock(holder), "unlock");
}

/* --------------------------------------------------------------------------- the end */

static void note_read(memfs_async_request *request)
{
    must(request->result, "read");
    note_end();
}

static void note_close(void *context)
{
    (void)context;
    note_end();
}

/* Requests in flight are run, whenever the front is closed. */
static void close_with_reads_in_flight(struct client *clients)
{
    for (int i = 0; i < LAST_READS; i++) {
        struct client *client = &clients[i];
        memfs_async_pread(&client->request, client->file, client->number, 20, 0);
        must(memfs_async_submit(async, &client->request, note_read), "submit");
    }
    must(memfs_async_close(async, 0, note_close, NULL), "close");
    wait_for_ends(LAST_READS + 1);
    printf("closed; %d requests that were in flight have ended\n", LAST_READS);
}

int main(void)
{
    static struct client clients[CLIENTS];
    const memfs_async_executor executor = {.struct_size = sizeof executor,
                                           .submit = submit_to_pool};
    memfs_config config = memfs_config_default();
    config.quota_bytes = QUOTA_BYTES;
    must(memfs_create(&config, &fs), "create");
    start_pool();
    must(memfs_async_create(fs, &executor, &async), "front");
    count_together(clients);
    want_too_much();
    give_up_waiting(clients[0].file, clients[1].file);
    close_with_reads_in_flight(clients);
    stop_pool();
    for (int i = 0; i < CLIENTS; i++)
        must(memfs_close(clients[i].file), "close");
    must(memfs_destroy(fs, 0), "destroy");
    printf("all was given back\n");
    return 0;
}

/*
 * One loop, one thread: a server of rooms, which are files of one bounded tree; its three hundred
 * clients; and the import of a directory beside them.
 *
 * Lines that a client may send, and the answers:
 *
 *     add ROOM WORD     appends a line to a room: "ok", or the name of an error
 *     count ROOM        "LINES", as many as the room has
 *
 * The loop's thread waits for nothing.  What a room gets goes through the room's chain, so it is in
 * the order in which it came.  When the last client has gone, the server closes its front; what is
 * still in flight then, such as the import, comes to its end before the loop does.
 */
#define _GNU_SOURCE

#include <memfs/hostdir.h>
#include <memfs/uv.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRITERS = 200, READERS = 100, CLIENTS = WRITERS + READERS, ROUNDS = 5, ROOMS = 10 };
enum { LINE_BYTES = 64, WORD_BYTES = 8, ROOM_BYTES = WRITERS / ROOMS * ROUNDS * WORD_BYTES };

static memfs *fs;
static memfs_uv *front;

static void must(int64_t result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, memfs_error_text((int)result));
    exit(1);
}

static void must_uv(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, uv_strerror(result));
    exit(1);
}

/* A connection, of the server or of a client, that collects bytes until there is a line. */
struct peer {
    uv_tcp_t socket; /* `data` is what the peer belongs to */
    uv_write_t write;
    void (*on_line)(struct peer *peer);
    char line[LINE_BYTES + 1];
    size_t used;
    char out[LINE_BYTES];
};

static void lend_room_in_line(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct peer *peer = (struct peer *)handle;
    (void)suggested;
    *buffer = uv_buf_init(peer->line + peer->used, (unsigned)(LINE_BYTES - peer->used));
}

/* Each side sends its next line when it has had the answer to the one before; so there is never
 * more than one here. */
static void collect_line(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct peer *peer = (struct peer *)stream;
    (void)buffer;
    if (count < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        return;
    }
    peer->used += (size_t)count;
    if (peer->used == 0 || peer->line[peer->used - 1] != '\n')
        return;
    peer->line[peer->used - 1] = '\0';
    peer->used = 0;
    peer->on_line(peer);
}

static void listen_for_lines(struct peer *peer, void (*on_line)(struct peer *peer))
{
    peer->on_line = on_line;
    must_uv(uv_read_start((uv_stream_t *)&peer->socket, lend_room_in_line, collect_line), "read");
}

/* Sends what is in `out`. */
static void send_line(struct peer *peer)
{
    uv_buf_t buffer = uv_buf_init(peer->out, (unsigned)strlen(peer->out));
    must_uv(uv_write(&peer->write, (uv_stream_t *)&peer->socket, &buffer, 1, NULL), "write");
}

/* ------------------------------------------------------------------- the server */

struct session {
    struct peer peer;
    memfs_uv_request request;
    char path[16], word[WORD_BYTES + 1], room[ROOM_BYTES];
};

static uv_tcp_t listener;
static struct session sessions[CLIENTS];
static int session_count;
static memfs_async_chain rooms[ROOMS];
static long added, counted;

static void on_added(memfs_uv_request *request)
{
    struct session *session = request->call.data;
    int64_t result = request->call.result;
    added += result >= 0;
    snprintf(session->peer.out, sizeof session->peer.out, "%s\n",
             result >= 0 ? "ok" : memfs_error_name((int)result));
    send_line(&session->peer);
}

static void on_room(memfs_uv_request *request)
{
    struct session *session = request->call.data;
    int64_t result = request->call.result;
    counted += result >= 0;
    snprintf(session->peer.out, sizeof session->peer.out, "%lld\n",
             (long long)(result > 0 ? result / WORD_BYTES : 0));
    send_line(&session->peer);
}

static void serve(struct peer *peer)
{
    struct session *session = peer->socket.data;
    memfs_async_request *call = &session->request.call;
    unsigned room = 0;
    char word[WORD_BYTES];
    call->data = session;
    if (sscanf(peer->line, "add %u %7s", &room, word) == 2 && room < ROOMS) {
        snprintf(session->path, sizeof session->path, "/rooms/%u", room);
        snprintf(session->word, sizeof session->word, "%-7s\n", word);
        memfs_async_append_file(call, session->path, session->word, WORD_BYTES, 0644,
                                MEMFS_WRITE_MAKE_PARENTS);
        call->chain = &rooms[room];
        must(memfs_uv_submit(front, &session->request, on_added), "submit");
    } else if (sscanf(peer->line, "count %u", &room) == 1 && room < ROOMS) {
        snprintf(session->path, sizeof session->path, "/rooms/%u", room);
        memfs_async_read_file_into(call, session->path, session->room, sizeof session->room);
        must(memfs_uv_submit(front, &session->request, on_room), "submit");
    } else {
        snprintf(peer->out, sizeof peer->out, "what?\n");
        send_line(peer);
    }
}

static void accept_session(uv_stream_t *server, int status)
{
    must_uv(status, "connection");
    struct session *session = &sessions[session_count++];
    must_uv(uv_tcp_init(server->loop, &session->peer.socket), "socket");
    must_uv(uv_accept(server, (uv_stream_t *)&session->peer.socket), "accept");
    session->peer.socket.data = session;
    listen_for_lines(&session->peer, serve);
}

static void stop_serving(void)
{
    uv_close((uv_handle_t *)&listener, NULL);
    must(memfs_uv_close(front, 0, NULL, NULL), "close");
}

/* ------------------------------------------------------------------ the clients */

struct client {
    struct peer peer;
    uv_connect_t connect;
    int number, rounds;
    long last_count;
};

static struct client clients[CLIENTS];
static int clients_left = CLIENTS;

static void ask(struct client *client)
{
    if (client->number < WRITERS)
        snprintf(client->peer.out, LINE_BYTES, "add %d w%d\n", client->number % ROOMS,
                 client->number);
    else
        snprintf(client->peer.out, LINE_BYTES, "count %d\n", client->number % ROOMS);
    send_line(&client->peer);
}

/* A room only grows. */
static void on_answer(struct peer *peer)
{
    struct client *client = peer->socket.data;
    long count = strtol(peer->line, NULL, 10);
    if (client->number < WRITERS ? strcmp(peer->line, "ok") != 0 : count < client->last_count) {
        fprintf(stderr, "client %d was told \"%s\"\n", client->number, peer->line);
        exit(1);
    }
    client->last_count = count;
    if (--client->rounds > 0) {
        ask(client);
        return;
    }
    uv_close((uv_handle_t *)&peer->socket, NULL);
    if (--clients_left == 0)
        stop_serving();
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct client *client = connect->data;
    must_uv(status, "connect");
    listen_for_lines(&client->peer, on_answer);
    ask(client);
}

static void start_clients(uv_loop_t *loop, const struct sockaddr *address)
{
    for (int i = 0; i < CLIENTS; i++) {
        struct client *client = &clients[i];
        client->number = i;
        client->rounds = ROUNDS;
        client->connect.data = client;
        must_uv(uv_tcp_init(loop, &client->peer.socket), "socket");
        client->peer.socket.data = client;
        must_uv(uv_tcp_connect(&client->connect, &client->peer.socket, address, on_connected),
                "connect");
    }
}

/* ------------------------------------------------------------------- the import */

static struct import {
    memfs_uv_request request;
    const char *from;
    memfs_hostdir_result result;
    atomic_ullong done, total; /* entries, set in a thread of the pool */
    uv_async_t told;
    unsigned long long shown; /* tenths */
} import;

static int note_progress(void *context, const memfs_hostdir_progress *progress)
{
    (void)context;
    atomic_store(&import.done, progress->entries_done);
    atomic_store(&import.total, progress->entries_total);
    uv_async_send(&import.told);
    return 0;
}

static int64_t run_import(memfs_async_request *request, void *argument)
{
    const memfs_hostdir_options options = {
        .struct_size = sizeof options, .flags = MEMFS_HOSTDIR_COUNT, .watch = note_progress};
    (void)request;
    (void)argument;
    return memfs_hostdir_import(fs, import.from, "/imported", &options, &import.result);
}

static void show_progress(uv_async_t *told)
{
    unsigned long long done = atomic_load(&import.done);
    unsigned long long total = atomic_load(&import.total);
    (void)told;
    if (total == 0 || done * 10 / total <= import.shown)
        return;
    import.shown = done * 10 / total;
    fprintf(stderr, "importing: %llu of %llu entries\n", done, total);
}

static void on_imported(memfs_uv_request *request)
{
    must(request->call.result, import.from);
    show_progress(&import.told);
    uv_close((uv_handle_t *)&import.told, NULL);
}

static void start_import(uv_loop_t *loop, const char *from)
{
    import.from = from;
    import.result.struct_size = sizeof import.result;
    must_uv(uv_async_init(loop, &import.told, show_progress), "async");
    memfs_async_call(&import.request.call, run_import, NULL);
    must(memfs_uv_submit(front, &import.request, on_imported), "submit");
}

/* --------------------------------------------------------------------- together */

static void start_server(uv_loop_t *loop)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    must_uv(uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)&address), "address");
    must_uv(uv_tcp_init(loop, &listener), "socket");
    must_uv(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0), "bind");
    must_uv(uv_listen((uv_stream_t *)&listener, CLIENTS, accept_session), "listen");
    must_uv(uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size), "name");
    start_clients(loop, (struct sockaddr *)&address);
}

static void report(void)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    must(memfs_statfs(fs, &info), "statfs");
    printf("%d clients, one thread: %ld lines added, %ld times counted\n", CLIENTS, added, counted);
    for (int room = 0; room < ROOMS; room++) {
        char path[16];
        memfs_stat_info stat = {.struct_size = sizeof stat};
        snprintf(path, sizeof path, "/rooms/%d", room);
        must(memfs_stat(fs, path, &stat), path);
        printf("%s%llu", room == 0 ? "lines in the rooms: " : " ",
               (unsigned long long)stat.size_bytes / WORD_BYTES);
    }
    printf("\nimported %llu files, %llu bytes; %s the quota\n",
           (unsigned long long)import.result.files, (unsigned long long)import.result.bytes,
           info.peak_bytes <= info.quota_bytes ? "within" : "above");
}

int main(int count, char **words)
{
    uv_loop_t loop;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 64 << 20;
    if (count != 2) {
        fprintf(stderr, "usage: uv_server DIRECTORY\n");
        return 2;
    }
    must(memfs_create(&config, &fs), "create");
    must_uv(uv_loop_init(&loop), "loop");
    must(memfs_uv_create(&loop, fs, &front), "front");
    start_import(&loop, words[1]);
    start_server(&loop);
    must_uv(uv_run(&loop, UV_RUN_DEFAULT), "run");
    must_uv(uv_loop_close(&loop), "loop");
    report();
    must(memfs_destroy(fs, 0), "destroy");
    printf("all was given back\n");
    return 0;
}

/*
 * PRAGMAs of our own: figures out of statfs, three limits to set, a copy of the database, and
 * snapshots of the tree.
 *
 * Whatever fails says why, in the message that SQLite passes on.
 */
#include "vfs/pragma.h"

#include "base/amount.h"
#include "base/errmap.h"
#include "base/json.h"
#include "locks/publishing.h"
#include "transaction/dbcopy.h"

#include <assert.h>
#include <stddef.h>

#define PREFIX "memfs_"

struct question {
    struct mfs_file *file;
    struct mfs_member *member;
    const char *name;
    const char *value; /* null: none was given */
    char **answer;
};

static int answer_with(const struct question *question, char *text)
{
    if (text == NULL)
        return SQLITE_NOMEM;
    *question->answer = text;
    return SQLITE_OK;
}

/* `text` is from SQLite's heap, or null if there was no room for it. */
static int refuse(const struct question *question, int code, char *text)
{
    *question->answer = text;
    return text != NULL ? code : SQLITE_NOMEM;
}

static int refuse_for(const struct question *question, int error)
{
    int code = mfs_errmap(MFS_OPERATION_OPEN, error);
    return refuse(question, code == SQLITE_FULL || code == SQLITE_NOMEM ? code : SQLITE_ERROR,
                  sqlite3_mprintf("%s: %s", question->name, memfs_error_text(error)));
}

static memfs_statfs_info ask_figures(const struct question *question)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    int error = memfs_statfs(question->file->fs, &info);
    assert(error == 0);
    (void)error;
    return info;
}

/* ------------------------------------------------------------------- figures */

/* One that SQLite's integers hold: what is unlimited is the largest of them. */
static int answer_number(const struct question *question, uint64_t number)
{
    if (number > INT64_MAX)
        number = INT64_MAX;
    return answer_with(question, sqlite3_mprintf("%lld", (sqlite3_int64)number));
}

static int answer_used(const struct question *question)
{
    return answer_number(question, ask_figures(question).used_bytes);
}

static int answer_committed(const struct question *question)
{
    return answer_number(question, ask_figures(question).committed_bytes);
}

static int answer_peak(const struct question *question)
{
    return answer_number(question, ask_figures(question).peak_bytes);
}

static int answer_preallocated(const struct question *question)
{
    return answer_number(question, ask_figures(question).preallocated_bytes);
}

static int answer_available(const struct question *question)
{
    return answer_number(question, ask_figures(question).available_bytes);
}

static int answer_pages(const struct question *question)
{
    return answer_number(question, ask_figures(question).pages_used);
}

static int answer_nodes(const struct question *question)
{
    memfs_statfs_info info = ask_figures(question);
    return answer_number(question, info.files + info.directories + info.symlinks);
}

static int answer_version(const struct question *question)
{
    return answer_with(question, sqlite3_mprintf("%s", memfs_version()));
}

/* As JSON, in the order of enum memfs_class. */
static int answer_usage(const struct question *question)
{
    static const char *const names[MEMFS_CLASS_COUNT] = {
        "data", "tables", "nodes", "names", "handles", "charged", "snapshots",
    };
    memfs_statfs_info info = ask_figures(question);
    sqlite3_str *out = sqlite3_str_new(NULL);
    for (int index = 0; index < MEMFS_CLASS_COUNT; index++)
        sqlite3_str_appendf(out, "%c\"%s\":%llu", index == 0 ? '{' : ',', names[index],
                            (sqlite3_uint64)info.class_bytes[index]);
    sqlite3_str_appendchar(out, 1, '}');
    return answer_with(question, sqlite3_str_finish(out));
}

/* As JSON. */
static int answer_readers(const struct question *question)
{
    struct mfs_readers readers = mfs_publishing_count_readers(question->member);
    return answer_with(question, sqlite3_mprintf("{\"readers\":%u,\"outdated\":%u,\"behind\":%llu}",
                                                 readers.total, readers.outdated,
                                                 (sqlite3_uint64)readers.behind));
}

/* -------------------------------------------------------------------- limits */

static int refuse_value(const struct question *question)
{
    return refuse(question, SQLITE_ERROR,
                  sqlite3_mprintf("%s: \"%s\" is no number (digits, and at most one of K, M, G, T;"
                                  " 0 for no limit)",
                                  question->name, question->value));
}

/* After a limit below what is there was refused. */
static int refuse_limit(const struct question *question, int error, uint64_t present)
{
    if (error != MEMFS_EBUSY)
        return refuse_for(question, error);
    return refuse(question, SQLITE_ERROR,
                  sqlite3_mprintf("%s: %llu are in use", question->name, (sqlite3_uint64)present));
}

static int serve_quota(const struct question *question)
{
    uint64_t quota_bytes;
    if (question->value != NULL) {
        if (!mfs_amount_read(question->value, &quota_bytes))
            return refuse_value(question);
        int error = memfs_set_quota(question->file->fs, quota_bytes);
        if (error != 0)
            return refuse_limit(question, error, ask_figures(question).committed_bytes);
    }
    return answer_number(question, ask_figures(question).quota_bytes);
}

static int serve_emergency_reserve(const struct question *question)
{
    uint64_t emergency_reserve_bytes;
    if (question->value != NULL) {
        if (!mfs_amount_read(question->value, &emergency_reserve_bytes))
            return refuse_value(question);
        int error = memfs_set_emergency_reserve(question->file->fs, emergency_reserve_bytes);
        assert(error == 0);
        (void)error;
    }
    return answer_number(question, ask_figures(question).emergency_reserve_bytes);
}

static int serve_node_limit(const struct question *question)
{
    uint64_t limit;
    if (question->value != NULL) {
        if (!mfs_amount_read(question->value, &limit))
            return refuse_value(question);
        int error = memfs_set_node_limit(question->file->fs, limit);
        if (error != 0) {
            memfs_statfs_info info = ask_figures(question);
            return refuse_limit(question, error, info.files + info.directories + info.symlinks);
        }
    }
    return answer_number(question, ask_figures(question).node_limit);
}

/* ---------------------------------------------------------------------- copy */

static int serve_copy(const struct question *question)
{
    const char *why = NULL;
    if (question->value == NULL)
        return refuse(question, SQLITE_ERROR,
                      sqlite3_mprintf("%s: the copy's name is missing", question->name));
    int error = mfs_dbcopy_make(question->file, question->member, question->value, &why);
    if (error == 0)
        return answer_with(question, sqlite3_mprintf("%s", question->value));
    if (error == MEMFS_EBUSY && why != NULL)
        return refuse(question, SQLITE_BUSY, sqlite3_mprintf("%s: %s", question->name, why));
    return refuse_for(question, error);
}

/* ----------------------------------------------------------------- snapshots */

static int serve_with_name(const struct question *question, int (*call)(memfs *, const char *))
{
    if (question->value == NULL)
        return refuse(question, SQLITE_ERROR,
                      sqlite3_mprintf("%s: the snapshot's name is missing", question->name));
    int error = call(question->file->fs, question->value);
    return error == 0 ? answer_with(question, sqlite3_mprintf("%s", question->value))
                      : refuse_for(question, error);
}

static int serve_snapshot(const struct question *question)
{
    return serve_with_name(question, memfs_snapshot_take);
}

static int serve_snapshot_remove(const struct question *question)
{
    return serve_with_name(question, memfs_snapshot_remove);
}

/* The connection that asks would be left with a file that has no name any more. */
static int refuse_restore(const struct question *question)
{
    return refuse(question, SQLITE_ERROR,
                  sqlite3_mprintf("%s: no connection may be open while the tree is put back; there"
                                  " is memfs_snapshot_restore() in C",
                                  question->name));
}

static int answer_snapshots(const struct question *question)
{
    memfs *fs = question->file->fs;
    memfs_list list;
    int error = memfs_list_snapshots(fs, &list);
    if (error != 0)
        return refuse_for(question, error);
    sqlite3_str *out = sqlite3_str_new(NULL);
    for (size_t index = 0; index < list.count; index++) {
        sqlite3_str_appendchar(out, 1, index == 0 ? '[' : ',');
        mfs_json_append_string(out, list.names[index]);
    }
    sqlite3_str_appendall(out, list.count == 0 ? "[]" : "]");
    memfs_list_free(fs, &list);
    return answer_with(question, sqlite3_str_finish(out));
}

/* ------------------------------------------------------------------- the list */

static const struct pragma {
    const char *name;
    int (*serve)(const struct question *question);
    bool takes_value;
} pragmas[] = {
    {PREFIX "available", answer_available, false},
    {PREFIX "committed", answer_committed, false},
    {PREFIX "copy", serve_copy, true},
    {PREFIX "node_limit", serve_node_limit, true},
    {PREFIX "nodes", answer_nodes, false},
    {PREFIX "pages", answer_pages, false},
    {PREFIX "peak", answer_peak, false},
    {PREFIX "quota", serve_quota, true},
    {PREFIX "readers", answer_readers, false},
    {PREFIX "emergency_reserve", serve_emergency_reserve, true},
    {PREFIX "preallocated", answer_preallocated, false},
    {PREFIX "snapshot_restore", refuse_restore, true},
    {PREFIX "snapshot", serve_snapshot, true},
    {PREFIX "snapshot_remove", serve_snapshot_remove, true},
    {PREFIX "snapshots", answer_snapshots, false},
    {PREFIX "usage", answer_usage, false},
    {PREFIX "used", answer_used, false},
    {PREFIX "version", answer_version, false},
};

int mfs_pragma_serve(struct mfs_file *file, struct mfs_member *member, char **words)
{
    struct question question = {file, member, words[1], words[2], &words[0]};
    if (sqlite3_strnicmp(question.name, PREFIX, sizeof PREFIX - 1) != 0)
        return SQLITE_NOTFOUND;
    for (size_t index = 0; index < sizeof pragmas / sizeof pragmas[0]; index++) {
        const struct pragma *pragma = &pragmas[index];
        if (sqlite3_stricmp(question.name, pragma->name) != 0)
            continue;
        if (question.value != NULL && !pragma->takes_value)
            return refuse(&question, SQLITE_ERROR,
                          sqlite3_mprintf("%s takes no value", question.name));
        return pragma->serve(&question);
    }
    return refuse(&question, SQLITE_ERROR, sqlite3_mprintf("no such PRAGMA: %s", question.name));
}

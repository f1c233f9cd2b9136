/*
 * Saving what has changed.
 *
 * 1. The base is the content that the host's file has, as it was in the tree when it was saved
 *    last.  It shares all pages with the database but those that were changed since, so it costs
 *    these; and what changed since is found by comparing references.
 * 2. The host's file is the base's if its header is the one that was written with it.  SQLite's
 *    change counter is in the header, and moves here by a random step; so a file that another
 *    program has changed, or put there, is not taken for the base.  Times are not looked at: a file
 *    that was only touched, or rolled back after a crash, is still the base.
 * 3. Page 1 on the host is not page 1 of the tree: it has another counter, and says that there is
 *    no WAL.  It is written at each save.
 * 4. The first save, and one after a change of the page size, writes a new file beside the old one
 *    and renames it.
 *
 * The connection lives as long as one call, so that a saver is in nobody's way between two saves.
 *
 * Cost: a look at each page that was written since the last save; memory for the base's pages that
 * the database has no more.
 */
#include "base/assertion.h"
#include "base/bigendian.h"
#include "base/errmap.h"
#include "base/lasterror.h"
#include "entry/newconnection.h"
#include "entry/registration.h"
#include "entry/uri.h"
#include "images/hostpages.h"
#include "images/newfile.h"
#include "vfs/committed.h"

#include <memfs/sqlite.h>

#include <stdbool.h>
#include <string.h>

/* What is committed at one moment.  A held content stays where it was taken. */
struct saved_state {
    memfs_content_ref content;
    uint32_t page_size, pages; /* 0: the content is not held */
};

struct memfs_sqlite_saver {
    memfs *fs;
    char *path, *host_path;
    unsigned flags;
    struct saved_state states[2]; /* the base, and, during a save, what is saved */
    struct saved_state *base, *now;
    unsigned char host_header[MFS_IMAGE_HEADER_BYTES]; /* that the base's file has */
};

/* One save. */
struct saving {
    memfs_sqlite_saver *saver;
    sqlite3_vfs *host_vfs;
    unsigned char header[MFS_IMAGE_HEADER_BYTES]; /* that the host's file gets */
    unsigned char *page, *base_page;
    memfs_sqlite_save_report report;
};

static void drop_state(struct saved_state *state)
{
    if (state->pages != 0)
        (void)memfs_content_drop(&state->content);
    state->pages = 0;
}

/* ------------------------------------------------------------ what is committed */

/* SQLITE_CANTOPEN from the first way may be because all others are isolated. */
static int connect_to_database(const memfs_sqlite_saver *saver, const struct mfs_vfs *vfs,
                               sqlite3 **db)
{
    int rc = SQLITE_CANTOPEN;
    static const char *const queries[] = {"mode=rw", "mode=rw&memfs_mvcc=1"};
    for (int i = 0; i < 2 && rc == SQLITE_CANTOPEN; i++) {
        char *uri = mfs_uri_make(saver->path, queries[i]);
        if (uri == NULL)
            return SQLITE_NOMEM;
        rc = sqlite3_open_v2(uri, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, vfs->name);
        sqlite3_free(uri);
        if (rc != SQLITE_OK) {
            (void)sqlite3_close(*db);
            *db = NULL;
        }
    }
    return rc;
}

static int check_state(struct saved_state *state)
{
    unsigned char header[MFS_IMAGE_HEADER_BYTES];
    int64_t count = memfs_content_read(&state->content, header, sizeof header, 0);
    int rc = SQLITE_NOTADB;
    if (count == sizeof header)
        rc = mfs_image_check(header, state->content.size_bytes);
    if (rc != SQLITE_OK) {
        (void)memfs_content_drop(&state->content);
        return rc;
    }
    state->page_size = mfs_image_page_size(header);
    state->pages = (uint32_t)(state->content.size_bytes / state->page_size);
    return SQLITE_OK;
}

static int take_in_transaction(sqlite3 *db, struct saved_state *out)
{
    enum { TRIES = MFS_NEWCONNECTION_BUSY_MS };
    int rc = SQLITE_BUSY;
    for (int i = 0; i < TRIES && rc == SQLITE_BUSY; i++) {
        if (i > 0)
            (void)sqlite3_sleep(1);
        rc = sqlite3_exec(db, "BEGIN; SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            return rc;
        sqlite3_file *file = mfs_image_file(db);
        rc = file != NULL ? mfs_committed_take(mfs_dbstate_of(file), &out->content) : SQLITE_NOTADB;
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return rc == SQLITE_OK ? check_state(out) : rc;
}

static int take_state(const memfs_sqlite_saver *saver, struct saved_state *out)
{
    sqlite3 *db = NULL;
    const struct mfs_vfs *vfs = mfs_registration_of(saver->fs);
    if (vfs == NULL)
        return SQLITE_MISUSE;
    int rc = connect_to_database(saver, vfs, &db);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db, MFS_NEWCONNECTION_BUSY_MS);
    if (rc == SQLITE_OK)
        rc = take_in_transaction(db, out);
    (void)sqlite3_close(db);
    if (rc != SQLITE_OK)
        return mfs_lasterror_say(rc, "%s cannot be saved: %s", saver->path, sqlite3_errstr(rc));
    return rc;
}

/* ------------------------------------------------------------------- the pages */

static int read_page(const struct saved_state *state, uint32_t page, unsigned char *out)
{
    int64_t count = memfs_content_read(&state->content, out, state->page_size,
                                       (int64_t)(page - 1) * state->page_size);
    return count == (int64_t)state->page_size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

/* As the host gets it. */
static int read_page_for_host(struct saving *s, uint32_t page)
{
    int rc = read_page(s->saver->now, page, s->page);
    if (rc == SQLITE_OK && page == 1)
        memcpy(s->page, s->header, sizeof s->header);
    return rc;
}

/* The header of the tree's database, without a WAL and with another change counter than the host's
 * file has. */
static int make_header(struct saving *s)
{
    uint32_t random;
    int64_t count = memfs_content_read(&s->saver->now->content, s->header, sizeof s->header, 0);
    if (count != sizeof s->header)
        return SQLITE_IOERR_SHORT_READ;
    sqlite3_randomness((int)sizeof random, &random);
    uint32_t counter = mfs_bigendian_read(s->saver->host_header + MFS_IMAGE_COUNTER_OFFSET) + 1 +
                       random % 0x10000;
    s->header[MFS_IMAGE_FORMAT_OFFSET] = MFS_IMAGE_FORMAT_ROLLBACK;
    s->header[MFS_IMAGE_FORMAT_OFFSET + 1] = MFS_IMAGE_FORMAT_ROLLBACK;
    mfs_bigendian_write(s->header + MFS_IMAGE_COUNTER_OFFSET, counter);
    mfs_bigendian_write(s->header + MFS_IMAGE_VALID_FOR_OFFSET, counter);
    mfs_bigendian_write(s->header + MFS_IMAGE_PAGES_OFFSET, s->saver->now->pages);
    return SQLITE_OK;
}

/*
 * The first page from `page` on that the host does not have as it is now; 0: there is none.  A page
 * that was written with the bytes that it had counts as the same.
 */
static int next_changed(const struct saving *s, uint32_t page, uint32_t *out)
{
    const struct saved_state *base = s->saver->base;
    uint32_t size = s->saver->now->page_size;
    int64_t start, end;
    *out = 0;
    for (; page <= s->saver->now->pages; page++) {
        int64_t from = (int64_t)(page - 1) * size;
        if (memfs_content_compare(&base->content, &s->saver->now->content, from, &start, &end) != 1)
            return SQLITE_OK;
        page = (uint32_t)(start / size) + 1;
        if (page > s->saver->now->pages)
            return SQLITE_OK;
        *out = page;
        if (page > base->pages)
            return SQLITE_OK;
        int rc = read_page(s->saver->now, page, s->page);
        if (rc == SQLITE_OK)
            rc = read_page(base, page, s->base_page);
        if (rc != SQLITE_OK || memcmp(s->page, s->base_page, size) != 0)
            return rc;
        *out = 0;
    }
    return SQLITE_OK;
}

/* ------------------------------------------------------------------ whole saves */

/* A new file beside the old one, then in its place. */
static int save_whole(struct saving *s)
{
    struct mfs_newfile file;
    int rc = mfs_newfile_begin(&file, s->host_vfs, s->saver->host_path);
    for (uint32_t page = 1; rc == SQLITE_OK && page <= s->saver->now->pages; page++) {
        if (mfs_hostpages_is_locked_page(s->saver->now->page_size, page))
            continue;
        rc = read_page_for_host(s, page);
        if (rc == SQLITE_OK)
            rc = mfs_newfile_write(&file, s->page, s->saver->now->page_size,
                                   (sqlite3_int64)(page - 1) * s->saver->now->page_size);
        s->report.pages_written++;
        s->report.bytes_written += s->saver->now->page_size;
    }
    if (rc == SQLITE_OK)
        rc = mfs_newfile_commit(&file);
    mfs_newfile_end(&file);
    s->report.was_whole = 1;
    return rc;
}

/* ----------------------------------------------------------- saves of what changed */

/* The old pages of all that will be written, or cut off. */
static int keep_old_pages(struct saving *s, struct mfs_hostpages *host)
{
    uint32_t page = 1;
    int rc = mfs_hostpages_keep(host, 1);
    while (rc == SQLITE_OK) {
        rc = next_changed(s, page + 1, &page);
        if (rc != SQLITE_OK || page == 0 || page > host->pages)
            break;
        rc = mfs_hostpages_keep(host, page);
    }
    for (page = s->saver->now->pages + 1; rc == SQLITE_OK && page <= host->pages; page++)
        rc = mfs_hostpages_keep(host, page);
    return rc;
}

static int write_new_pages(struct saving *s, struct mfs_hostpages *host)
{
    int rc = SQLITE_OK;
    for (uint32_t page = 1; rc == SQLITE_OK && page != 0;) {
        rc = read_page_for_host(s, page);
        if (rc == SQLITE_OK)
            rc = mfs_hostpages_write(host, page, s->page);
        s->report.pages_written++;
        if (rc == SQLITE_OK)
            rc = next_changed(s, page + 1, &page);
    }
    return rc;
}

/* Whether anything but the counters of page 1 has changed. */
static int find_any_change(struct saving *s, bool *out)
{
    uint32_t page;
    const struct saved_state *base = s->saver->base;
    int rc = next_changed(s, 1, &page);
    *out = page != 0 || s->saver->now->pages != base->pages;
    return rc;
}

/* Locks the host's file; SQLITE_MISMATCH: it is not the base's. */
static int begin_host(const struct saving *s, struct mfs_hostpages *host)
{
    int rc = mfs_hostpages_begin(host, s->host_vfs, s->saver->host_path);
    if (rc != SQLITE_OK || memcmp(host->header, s->saver->host_header, sizeof host->header) == 0)
        return rc;
    return mfs_lasterror_say(SQLITE_MISMATCH, "%s is not what was saved there last",
                             s->saver->host_path);
}

static int save_changes(struct saving *s, struct mfs_hostpages *host)
{
    bool is_changed;
    int rc = find_any_change(s, &is_changed);
    if (rc != SQLITE_OK)
        return rc;
    if (!is_changed) {
        memcpy(s->header, s->saver->host_header, sizeof s->header);
        return SQLITE_OK;
    }
    rc = keep_old_pages(s, host);
    if (rc == SQLITE_OK)
        rc = write_new_pages(s, host);
    if (rc == SQLITE_OK)
        rc = mfs_hostpages_commit(host, s->saver->now->pages);
    s->report.bytes_written = host->bytes_written;
    return rc;
}

/* -------------------------------------------------------------- one save, whole */

static int host_exists(const struct saving *s, bool *out)
{
    int exists = 0;
    int rc = s->host_vfs->xAccess(s->host_vfs, s->saver->host_path, SQLITE_ACCESS_EXISTS, &exists);
    *out = exists != 0;
    return rc;
}

/* The host has a file, and there is a base. */
static int save_onto_base(struct saving *s, bool *is_whole)
{
    struct mfs_hostpages host;
    *is_whole = s->saver->base->page_size != s->saver->now->page_size;
    int rc = begin_host(s, &host);
    if (rc == SQLITE_OK && !*is_whole)
        rc = save_changes(s, &host);
    mfs_hostpages_end(&host);
    if (rc == SQLITE_MISMATCH && (s->saver->flags & MEMFS_SQLITE_SAVER_REPLACE) != 0) {
        *is_whole = true;
        return SQLITE_OK;
    }
    return rc;
}

static int save_once(struct saving *s)
{
    const memfs_sqlite_saver *saver = s->saver;
    bool exists, is_whole = true;
    int rc = host_exists(s, &exists);
    if (rc == SQLITE_OK && exists && saver->base->pages != 0)
        rc = save_onto_base(s, &is_whole);
    else if (rc == SQLITE_OK && exists && (saver->flags & MEMFS_SQLITE_SAVER_REPLACE) == 0)
        rc = mfs_lasterror_say(SQLITE_MISMATCH, "%s exists and was not saved from %s",
                               saver->host_path, saver->path);
    return rc == SQLITE_OK && is_whole ? save_whole(s) : rc;
}

static int prepare_saving(struct saving *s)
{
    s->page = sqlite3_malloc64(2 * (sqlite3_uint64)s->saver->now->page_size);
    if (s->page == NULL)
        return SQLITE_NOMEM;
    s->base_page = s->page + s->saver->now->page_size;
    return make_header(s);
}

/* What was saved is the base from now on. */
static void become_base(struct saving *s)
{
    memfs_sqlite_saver *saver = s->saver;
    struct saved_state *now = saver->now;
    drop_state(saver->base);
    saver->now = saver->base;
    saver->base = now;
    memcpy(saver->host_header, s->header, sizeof s->header);
}

static int save(struct saving *s)
{
    s->host_vfs = mfs_registration_lower_vfs();
    if (s->host_vfs == NULL)
        return mfs_lasterror_say(SQLITE_CANTOPEN, "%s: there is no VFS for the host",
                                 s->saver->host_path);
    int rc = take_state(s->saver, s->saver->now);
    if (rc != SQLITE_OK)
        return rc;
    rc = prepare_saving(s);
    if (rc == SQLITE_OK)
        rc = save_once(s);
    if (rc == SQLITE_OK) {
        s->report.pages = s->saver->now->pages;
        become_base(s);
    }
    drop_state(s->saver->now);
    sqlite3_free(s->page);
    return rc;
}

/* A program of another version may have a report of another size. */
static void fill_report(memfs_sqlite_save_report *theirs, const memfs_sqlite_save_report *ours)
{
    size_t size = theirs->struct_size;
    memset(theirs, 0, size);
    memcpy(theirs, ours, size < sizeof *ours ? size : sizeof *ours);
    theirs->struct_size = size;
}

int memfs_sqlite_saver_save(memfs_sqlite_saver *saver, memfs_sqlite_save_report *report)
{
    struct saving s = {.saver = saver};
    if (saver == NULL || (report != NULL && (report->struct_size < sizeof report->struct_size ||
                                             report->struct_size > MEMFS_STRUCT_SIZE_MAX)))
        return SQLITE_MISUSE;
    mfs_lasterror_clear();
    int rc = save(&s);
    if (report != NULL)
        fill_report(report, &s.report);
    return rc;
}

/* ------------------------------------------------------------- opening, closing */

static char *copy_text(const char *text)
{
    return sqlite3_mprintf("%s", text);
}

void memfs_sqlite_saver_close(memfs_sqlite_saver *saver)
{
    if (saver == NULL)
        return;
    drop_state(saver->base);
    sqlite3_free(saver->path);
    sqlite3_free(saver->host_path);
    sqlite3_free(saver);
}

static int make_saver(memfs *fs, const char *path, const char *host_path, unsigned flags,
                      memfs_sqlite_saver **out)
{
    memfs_sqlite_saver *saver = sqlite3_malloc(sizeof *saver);
    if (saver == NULL)
        return SQLITE_NOMEM;
    *saver = (memfs_sqlite_saver){.fs = fs, .flags = flags};
    saver->base = &saver->states[0];
    saver->now = &saver->states[1];
    saver->path = copy_text(path);
    saver->host_path = copy_text(host_path);
    if (saver->path == NULL || saver->host_path == NULL) {
        memfs_sqlite_saver_close(saver);
        return SQLITE_NOMEM;
    }
    *out = saver;
    return SQLITE_OK;
}

/* The header that the host's file has now, after what a crash has left was played back. */
static int look_at_host(const memfs_sqlite_saver *saver, sqlite3_vfs *host_vfs,
                        unsigned char header[MFS_IMAGE_HEADER_BYTES])
{
    struct mfs_hostpages host;
    int rc = mfs_hostpages_begin(&host, host_vfs, saver->host_path);
    if (rc == SQLITE_OK)
        memcpy(header, host.header, sizeof host.header);
    mfs_hostpages_end(&host);
    return rc != SQLITE_OK ? mfs_lasterror_say(rc, "%s cannot be loaded: %s", saver->host_path,
                                               sqlite3_errstr(rc))
                           : SQLITE_OK;
}

/* What was loaded is the base, unless the host's file was written meanwhile. */
static int take_loaded(memfs_sqlite_saver *saver, sqlite3_vfs *host_vfs)
{
    unsigned char header[MFS_IMAGE_HEADER_BYTES];
    int rc = look_at_host(saver, host_vfs, header);
    if (rc == SQLITE_OK && memcmp(header, saver->host_header, sizeof header) != 0)
        rc = mfs_lasterror_say(SQLITE_BUSY, "%s was written while it was loaded", saver->host_path);
    return rc == SQLITE_OK ? take_state(saver, saver->base) : rc;
}

static int load_base(memfs_sqlite_saver *saver, sqlite3_vfs *host_vfs)
{
    int rc = look_at_host(saver, host_vfs, saver->host_header);
    if (rc == SQLITE_OK)
        rc = memfs_sqlite_load_file(saver->fs, saver->host_path, saver->path, 0);
    if (rc != SQLITE_OK)
        return rc;
    rc = take_loaded(saver, host_vfs);
    if (rc != SQLITE_OK)
        (void)memfs_unlink(saver->fs, saver->path);
    return rc;
}

/* Which of the two files there are decides what the saver begins with. */
static int begin_saver(memfs_sqlite_saver *saver)
{
    int on_host = 0;
    sqlite3_vfs *host_vfs = mfs_registration_lower_vfs();
    if (host_vfs == NULL)
        return mfs_lasterror_say(SQLITE_CANTOPEN, "%s: there is no VFS for the host",
                                 saver->host_path);
    int rc = host_vfs->xAccess(host_vfs, saver->host_path, SQLITE_ACCESS_EXISTS, &on_host);
    if (rc != SQLITE_OK)
        return rc;
    bool in_tree = memfs_exists(saver->fs, saver->path) == 1;
    if (!in_tree && !on_host)
        return mfs_lasterror_say(SQLITE_CANTOPEN, "there is neither %s nor %s on the host",
                                 saver->path, saver->host_path);
    if (!in_tree)
        return load_base(saver, host_vfs);
    if (on_host && (saver->flags & MEMFS_SQLITE_SAVER_REPLACE) == 0)
        return mfs_lasterror_say(SQLITE_MISMATCH, "%s exists and was not saved from %s",
                                 saver->host_path, saver->path);
    return SQLITE_OK;
}

int memfs_sqlite_saver_open(memfs *fs, const char *path, const char *host_path, unsigned flags,
                            memfs_sqlite_saver **out)
{
    memfs_sqlite_saver *saver;
    if (fs == NULL || path == NULL || host_path == NULL || host_path[0] == '\0' || out == NULL ||
        (flags & ~MEMFS_SQLITE_SAVER_REPLACE) != 0 || mfs_registration_of(fs) == NULL)
        return SQLITE_MISUSE;
    mfs_lasterror_clear();
    int rc = make_saver(fs, path, host_path, flags, &saver);
    if (rc != SQLITE_OK)
        return rc;
    rc = begin_saver(saver);
    if (rc == SQLITE_OK)
        *out = saver;
    else
        memfs_sqlite_saver_close(saver);
    return rc;
}

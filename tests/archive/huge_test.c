/* Two gibibytes of data, made as they are read, that fit a quota or do not. */
#include "archives.h"

enum { PIECE_BYTES = 65536 };
#define STREAM_BYTES (INT64_C(2) << 30)

/* A tar of one file whose bytes are all different from zero. */
struct stream {
    int64_t offset, served;
};

static char stream_byte(int64_t offset)
{
    return (char)(1 + offset / TAR_BLOCK_BYTES % 127);
}

static int64_t stream_read(void *context, void *buffer, size_t size)
{
    struct stream *stream = context;
    char *block = buffer;
    int64_t done = 0;
    assert_int_equal(stream->offset % TAR_BLOCK_BYTES, 0);
    while (done + TAR_BLOCK_BYTES <= (int64_t)size &&
           stream->offset < STREAM_BYTES + 3 * TAR_BLOCK_BYTES) {
        int64_t at = stream->offset - TAR_BLOCK_BYTES; /* in the file */
        if (at < 0)
            tar_header(block + done, "two-gibibytes", '0', 0644, "", STREAM_BYTES);
        else
            memset(block + done, at < STREAM_BYTES ? stream_byte(at) : 0, TAR_BLOCK_BYTES);
        done += TAR_BLOCK_BYTES;
        stream->offset += TAR_BLOCK_BYTES;
    }
    stream->served += done;
    return done;
}

static int stream_seek(void *context, int64_t offset)
{
    ((struct stream *)context)->offset = offset;
    return 0;
}

static memfs_archive_where in_stream(struct stream *stream, bool can_seek)
{
    *stream = (struct stream){0, 0};
    return (memfs_archive_where){.struct_size = sizeof(memfs_archive_where),
                                 .kind = MEMFS_ARCHIVE_CALLBACKS,
                                 .context = stream,
                                 .read = stream_read,
                                 .seek = can_seek ? stream_seek : NULL,
                                 .size = can_seek ? STREAM_BYTES + 3 * TAR_BLOCK_BYTES : 0};
}

static void check_stream(memfs *fs, const char *path)
{
    static char piece[PIECE_BYTES];
    memfs_file *file = open_file(fs, path, MEMFS_O_READ);
    assert_int_equal(memfs_file_size(file), STREAM_BYTES);
    for (int64_t at = 0; at < STREAM_BYTES; at += PIECE_BYTES) {
        assert_int_equal(memfs_pread(file, piece, sizeof piece, at), PIECE_BYTES);
        for (int64_t block = 0; block < PIECE_BYTES; block += TAR_BLOCK_BYTES)
            if (piece[block] != stream_byte(at + block))
                fail_msg("at %lld", (long long)(at + block));
    }
    assert_ok(memfs_close(file));
}

/* What is declared is refused before anything is unpacked, what comes as it comes, in time. */
static void two_gibibytes_fit_a_quota_and_not_half_of_it(void **state)
{
    uint64_t available = 0;
    struct stream stream;
    (void)state;
    if (memfs_system_memory(&available) != 0 || available < (UINT64_C(3) << 30)) {
        print_message("skipped: 3 GiB of memory are not there\n");
        skip();
    }
    struct fixture *f = create_with_quota((UINT64_C(2) << 30) + (64 << 20));
    uint64_t used = used_bytes(f->fs);
    memfs_archive_where from = in_stream(&stream, false);
    assert_ok(load(f->fs, &from, "/out", NULL, NULL));
    check_stream(f->fs, "/out/two-gibibytes");
    assert_ok(memfs_remove_tree(f->fs, "/out"));
    fixture_set_quota(f, UINT64_C(1) << 30);
    from = in_stream(&stream, true);
    assert_returns(load(f->fs, &from, "/out", NULL, NULL), MEMFS_EDQUOT);
    assert_true(stream.served < (1 << 20));
    assert_only(f->fs, "");
    from = in_stream(&stream, false);
    assert_returns(load(f->fs, &from, "/out", NULL, NULL), MEMFS_EDQUOT);
    assert_true(stream.served > (1000 << 20) && stream.served < (1100 << 20));
    assert_only(f->fs, "");
    assert_int_equal(used_bytes(f->fs), used);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_gibibytes_fit_a_quota_and_not_half_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

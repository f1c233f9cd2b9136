/* Empty slabs are given back for a request that fits only without them, to the last byte. */
#include "checks.h"

#include <memfs/storage.h>

enum { QUOTA = 256 << 10, STEP = 16, WITHIN = 256, COST_STEP = 32 /* of the allocator */ };

/* Takes what is left in one piece, the largest that fits. */
static void *take_what_is_left(memfs *fs, uint64_t quota)
{
    void *memory;
    uint64_t left = quota - used_bytes(fs);
    for (uint64_t less = STEP; less < WITHIN; less += STEP)
        if (memfs_charged_alloc(fs, (size_t)(left - less), &memory) == 0)
            return memory;
    return NULL;
}

static void a_request_for_just_what_is_left_fits_whatever_empty_slabs_there_are(void **state)
{
    (void)state;
    static const char bytes[65536];
    for (unsigned extra = 0; extra < 512; extra += STEP) {
        memfs_config config = memfs_config_default();
        config.quota_bytes = QUOTA + extra;
        struct fixture *f = fixture_create(&config);
        assert_non_null(f);
        assert_ok(memfs_write_file(f->fs, "/a", bytes, sizeof bytes, 0644, 0));
        assert_ok(memfs_unlink(f->fs, "/a"));
        void *memory = take_what_is_left(f->fs, config.quota_bytes);
        assert_non_null(memory);
        assert_true(config.quota_bytes - statfs_of(f->fs).committed_bytes < COST_STEP);
        assert_ok(memfs_free(f->fs, memory));
        fixture_destroy(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_for_just_what_is_left_fits_whatever_empty_slabs_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

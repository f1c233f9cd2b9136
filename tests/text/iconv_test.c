/*
 * Other systems' habits of iconv(), imitated: one that loses its shift state where the output is
 * short, one that replaces what it cannot convert and only counts it, and one that has no memory.
 */
#include "texts.h"

#include <errno.h>
#include <iconv.h>

static struct {
    bool loses_state, replaces, cannot_open;
    int losses, replacements;
} habit;

size_t __real_iconv(iconv_t cd, char **in, size_t *in_left, char **out, size_t *out_left);
size_t __wrap_iconv(iconv_t cd, char **in, size_t *in_left, char **out, size_t *out_left);
iconv_t __real_iconv_open(const char *to, const char *from);
iconv_t __wrap_iconv_open(const char *to, const char *from);

iconv_t __wrap_iconv_open(const char *to, const char *from)
{
    if (!habit.cannot_open)
        return __real_iconv_open(to, from);
    errno = ENOMEM;
    return (iconv_t)-1;
}

static size_t character_bytes(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t __wrap_iconv(iconv_t cd, char **in, size_t *in_left, char **out, size_t *out_left)
{
    size_t replaced = 0, result;
    while ((result = __real_iconv(cd, in, in_left, out, out_left)) == (size_t)-1 &&
           errno == EILSEQ && habit.replaces) {
        char star[] = "*", *at = star;
        size_t one = 1, length = character_bytes((unsigned char)**in);
        if (__real_iconv(cd, &at, &one, out, out_left) == (size_t)-1)
            return (size_t)-1;
        *in += length;
        *in_left -= length;
        habit.replacements++;
        replaced++;
    }
    int error = errno;
    if (result == (size_t)-1 && error == E2BIG && habit.loses_state) {
        habit.losses++;
        (void)__real_iconv(cd, NULL, NULL, NULL, NULL);
    }
    errno = error;
    return result == (size_t)-1 ? result : result + replaced;
}

static int forget_habits(void **state)
{
    memset(&habit, 0, sizeof habit);
    return fixture_setup(state);
}

static void a_state_that_is_lost_at_short_output_is_not_needed(void **state)
{
    struct fixture *f = *state;
    static char sample[30000], back[30000];
    needs_encoding("ISO-2022-JP");
    habit.loses_state = true;
    for (size_t length = 100; length < 20000; length = length * 3 / 2) {
        size_t used = 0;
        for (int i = 0; used < length; i++, used += 4)
            memcpy(sample + used, i % 50 < 40 ? "漢x" : "xyzw", 4);
        memfs_text *text = open_text(f->fs, "/file", "w+", WITH(.encoding = "ISO-2022-JP"));
        assert_returns(memfs_text_write(text, sample, used), used);
        assert_ok(memfs_text_seek(text, NULL));
        assert_returns(memfs_text_read(text, SIZE_MAX, back, sizeof back), used);
        assert_memory_equal(back, sample, used);
        assert_ok(memfs_text_close(text));
    }
    assert_true(habit.losses > 3);
}

static void a_silent_replacement_is_found_out(void **state)
{
    struct fixture *f = *state;
    static const char *const encodings[] = {"ISO-2022-JP", "SHIFT_JIS", "KOI8-R"};
    static const char *const wanted[] = {"", "a漢?b?字*\n", "a漢b字*\n"};
    needs_encoding("ISO-2022-JP");
    habit.replaces = true;
    for (size_t i = 0; i < COUNT_OF(encodings); i++)
        for (uint32_t policy = 0; policy < 3; policy++) {
            memfs_text *text = open_text(f->fs, "/file", "w+",
                                         WITH(.encoding = encodings[i], .write_policy = policy));
            int64_t result = memfs_text_write(text, "a漢☃b😀字*\n", 17);
            assert_returns(result, policy == MEMFS_TEXT_STRICT ? MEMFS_EILSEQ : 17);
            assert_ok(memfs_text_seek(text, NULL));
            if (i < 2)
                assert_read(text, 99, wanted[policy]);
            else
                assert_read(text, 99, policy == 0 ? "" : policy == 1 ? "a??b??*\n" : "ab*\n");
            assert_ok(memfs_text_close(text));
        }
    assert_true(habit.replacements > 6);
}

static void an_iconv_without_memory_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    memfs_text *text;
    uint64_t used = used_bytes(f->fs);
    habit.cannot_open = true;
    assert_returns(memfs_text_open(f->fs, "/file", "w", WITH(.encoding = "SHIFT_JIS"), &text),
                   MEMFS_ENOMEM);
    assert_int_equal(used_bytes(f->fs), used);
    assert_false(is_there(f->fs, "/file"));
    assert_int_equal(memfs_text_has_encoding("SHIFT_JIS"), 0);
    assert_int_equal(memfs_text_has_encoding("UTF-16"), 1);
}

#define HABIT_TEST(name) cmocka_unit_test_setup_teardown(name, forget_habits, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HABIT_TEST(a_state_that_is_lost_at_short_output_is_not_needed),
        HABIT_TEST(a_silent_replacement_is_found_out),
        HABIT_TEST(an_iconv_without_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Writes a file in Shift_JIS and reads it line by line, as UTF-8. */
#include <memfs/text.h>

#include <stdio.h>

int main(void)
{
    static const char poem[] = "古池や\n蛙飛びこむ\n水の音\n";
    memfs *fs;
    memfs_text *text;
    const char *line;
    size_t length;
    memfs_text_options options = {.struct_size = sizeof options, .newline = MEMFS_TEXT_CRLF};
    options.encoding = memfs_text_has_encoding("SHIFT_JIS") ? "SHIFT_JIS" : "UTF-16";
    if (memfs_create(NULL, &fs) != 0 ||
        memfs_text_open(fs, "/poem.txt", "w+", &options, &text) != 0)
        return 1;

    int64_t result = memfs_text_write(text, poem, sizeof poem - 1);
    printf("%lld bytes of UTF-8 are %lld in the file\n", (long long)result,
           (long long)memfs_file_size(memfs_text_file(text)));
    memfs_text_seek(text, NULL); /* to the beginning */
    while (result >= 0 && (result = memfs_text_read_line(text, &line, &length)) == 1)
        printf("%s\n", line);
    if (result < 0)
        fprintf(stderr, "%s\n", memfs_error_text((int)result));
    return memfs_text_close(text) != 0 || result != 0 || memfs_destroy(fs, 0) != 0;
}

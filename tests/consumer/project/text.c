/* Uses the part text as installed. */
#include <memfs/text.h>

#include <stdio.h>

int main(void)
{
    memfs *fs = NULL;
    memfs_text *text = NULL;
    const char *line;
    size_t length = 0;
    memfs_text_options options = {.struct_size = sizeof options, .encoding = "UTF-16"};
    if (memfs_create(NULL, &fs) != 0 || memfs_text_open(fs, "/line", "w+", &options, &text) != 0 ||
        memfs_text_write(text, "line\n", 5) != 5 || memfs_text_seek(text, NULL) != 0 ||
        memfs_text_read_line(text, &line, &length) != 1 || length != 4) {
        fprintf(stderr, "no line\n");
        return 1;
    }
    return memfs_text_close(text) != 0 || memfs_destroy(fs, 0) != 0;
}

/* Uses the part stdio as installed. */
#include <memfs/stdio.h>

int main(void)
{
    memfs *fs = NULL;
    int number = 0;
    FILE *stream = NULL;
    if (memfs_create(NULL, &fs) != 0 || (stream = memfs_fopen(fs, "/number", "w+")) == NULL ||
        fprintf(stream, "%d", 42) != 2 || fseek(stream, 0, SEEK_SET) != 0 ||
        fscanf(stream, "%d", &number) != 1 || fclose(stream) != 0) {
        perror("memfs");
        return 1;
    }
    return number != 42 || memfs_destroy(fs, 0) != 0;
}

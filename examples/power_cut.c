/*
 * How a program saves its settings, tested with power cuts: a routine that most readers would call
 * right, and what is missing in it.
 */
#include <memfs/fault.h>

#include <stdio.h>
#include <string.h>

/* The new content goes to another file, which then takes the name. */
static int save(void *syncs, memfs *fs)
{
    const char *text = "volume = 11\n";
    memfs_file *file;
    if (memfs_open(fs, "/settings.new", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file) != 0)
        return 1;
    int64_t written = memfs_write(file, text, strlen(text));
    if (written >= 0 && *(const int *)syncs)
        written = memfs_fsync(file);
    memfs_close(file);
    if (written < 0 || memfs_rename(fs, "/settings.new", "/settings", 0) != 0)
        return 1;
    return memfs_sync(fs, "/");
}

static int set_up(void *context, memfs *fs)
{
    (void)context;
    return memfs_write_file(fs, "/settings", "volume = 7\n", 11, 0644, 0);
}

/* Whenever the power goes, the old settings are there, or the new ones. */
static int check(void *context, memfs *fs, uint64_t step)
{
    char text[32] = "";
    (void)context;
    (void)step;
    memfs_read_file_into(fs, "/settings", text, sizeof text - 1);
    return strcmp(text, "volume = 7\n") != 0 && strcmp(text, "volume = 11\n") != 0;
}

int main(void)
{
    for (int syncs = 0; syncs <= 1; syncs++) {
        const memfs_crash_options half = {sizeof half, MEMFS_CRASH_TORN, 50, 1};
        const memfs_sweep sweep = {.struct_size = sizeof sweep,
                                   .context = &syncs,
                                   .set_up = set_up,
                                   .body = save,
                                   .check = check,
                                   .survival = &half,
                                   .seeds = 20};
        memfs_sweep_report report = {.struct_size = sizeof report};
        int error = memfs_sweep_run(&sweep, &report);
        printf("%s: ", syncs ? "with fsync" : "without fsync");
        if (error == 0)
            printf("%llu power cuts, all settings whole\n", (unsigned long long)report.checks);
        else
            printf("settings lost before step %llu, seed %llu\n",
                   (unsigned long long)report.failed_step, (unsigned long long)report.failed_seed);
        if ((error == 0) != (syncs == 1))
            return 1;
    }
    return 0;
}

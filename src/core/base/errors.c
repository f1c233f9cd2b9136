/* Codes to names and texts: a linear search through the one table, which the public header has. */
#include <memfs/memfs.h>

struct error_row {
    int code;
    const char *name;
    const char *text;
};

static const struct error_row rows[] = {{MEMFS_OK, "MEMFS_OK", "success"},
#define ROW(name, number, text) {MEMFS_##name, "MEMFS_" #name, text},
                                        MEMFS_ERRORS(ROW)
#undef ROW
};

static const struct error_row *find_row(int error)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == error)
            return &rows[i];
    return NULL;
}

const char *memfs_error_name(int error)
{
    const struct error_row *row = find_row(error);
    return row != NULL ? row->name : "MEMFS_E?";
}

const char *memfs_error_text(int error)
{
    const struct error_row *row = find_row(error);
    return row != NULL ? row->text : "unknown error";
}

const char *memfs_version(void)
{
    return MEMFS_VERSION;
}

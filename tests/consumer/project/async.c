/* Uses the part async as installed. */
#include <memfs/async.h>

int main(void)
{
    memfs *fs = NULL;
    memfs_async *async = NULL;
    memfs_async_request request;
    if (memfs_create(NULL, &fs) != 0 || memfs_async_create(fs, NULL, &async) != 0)
        return 1;
    memfs_async_mkdir(&request, "/d", 0755);
    int error = memfs_async_submit(async, &request, NULL);
    (void)memfs_async_close(async, 0, NULL, NULL);
    return error != 0 || request.result != 0 || memfs_destroy(fs, 0) != 0;
}

/* Uses the part uv as installed. */
#define _POSIX_C_SOURCE 200809L

#include <memfs/uv.h>

static void close_front(memfs_uv_request *request)
{
    (void)memfs_uv_close((memfs_uv *)request->call.data, 0, NULL, NULL);
}

int main(void)
{
    memfs *fs = NULL;
    memfs_uv *uv = NULL;
    memfs_uv_request request = {.call.data = NULL};
    if (memfs_create(NULL, &fs) != 0 || memfs_uv_create(uv_default_loop(), fs, &uv) != 0)
        return 1;
    request.call.data = uv;
    memfs_async_mkdir(&request.call, "/d", 0755);
    int error = memfs_uv_submit(uv, &request, close_front);
    (void)uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    return error != 0 || request.call.result != 0 || memfs_destroy(fs, 0) != 0;
}

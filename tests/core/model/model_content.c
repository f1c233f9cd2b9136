/* The bytes of one file in one piece, and a byte a page that says whether it is a hole. */
#include "model.h"

#include <memfs/memfs.h>

#include <stdlib.h>
#include <string.h>

void content_free(struct model_content *content)
{
    free(content->bytes);
    free(content->pages);
    memset(content, 0, sizeof *content);
}

static void *resized(void *memory, int64_t bytes)
{
    memory = realloc(memory, (size_t)bytes + 1);
    if (memory == NULL)
        abort();
    return memory;
}

static void set_page_count(struct model_content *content, int64_t count)
{
    content->pages = resized(content->pages, count);
    if (count > content->page_count)
        memset(content->pages + content->page_count, 0, (size_t)(count - content->page_count));
    content->page_count = count;
}

/* A copy has nothing preallocated, and no pages behind its size where the original had that. */
void content_copy(struct model_content *to, const struct model_content *from, uint32_t page_size)
{
    content_free(to);
    to->bytes = resized(NULL, from->size);
    to->pages = resized(NULL, from->page_count);
    if (from->size > 0)
        memcpy(to->bytes, from->bytes, (size_t)from->size);
    if (from->page_count > 0)
        memcpy(to->pages, from->pages, (size_t)from->page_count);
    to->size = from->size;
    to->page_count = from->page_count;
    int64_t pages = (from->size + page_size - 1) / page_size;
    if (from->preallocated_end != 0 && pages < to->page_count)
        set_page_count(to, pages);
}

static int has_page(const struct model_content *content, int64_t page)
{
    return page < content->page_count && content->pages[page];
}

uint64_t content_pages(const struct model_content *content)
{
    uint64_t count = 0;
    for (int64_t page = 0; page < content->page_count; page++)
        count += content->pages[page];
    return count;
}

static void end_preallocation_at_hole(struct model_content *content, uint32_t page_size,
                                      int64_t size)
{
    int64_t page = size / page_size;
    while (page * page_size < content->preallocated_end && has_page(content, page))
        page++;
    if (page * page_size < content->preallocated_end && content->preallocated_end > size)
        content->preallocated_end = page * page_size > size ? page * page_size : 0;
}

void content_resize(struct model_content *content, uint32_t page_size, int64_t size)
{
    if (size <= content->size) {
        end_preallocation_at_hole(content, page_size, size);
        int64_t end = size > content->preallocated_end ? size : content->preallocated_end;
        int64_t pages = (end + page_size - 1) / page_size;
        if (pages < content->page_count)
            set_page_count(content, pages);
    }
    content->bytes = resized(content->bytes, size);
    if (size > content->size)
        memset(content->bytes + content->size, 0, (size_t)(size - content->size));
    content->size = size;
}

void content_allocate(struct model_content *content, uint32_t page_size, int64_t offset,
                      int64_t length)
{
    int64_t end = (offset + length - 1) / page_size + 1;
    if (end > content->page_count)
        set_page_count(content, end);
    for (int64_t page = offset / page_size; page < end; page++)
        content->pages[page] = 1;
}

void content_preallocate(struct model_content *content, uint32_t page_size, int64_t end)
{
    int64_t from = content->size > content->preallocated_end ? content->size
                                                             : content->preallocated_end;
    int shrinks = end < content->preallocated_end;
    if (end > from)
        content_allocate(content, page_size, from, end - from);
    content->preallocated_end = end;
    if (shrinks)
        content_resize(content, page_size, content->size);
}

void content_write(struct model_content *content, uint32_t page_size, const void *data,
                   int64_t length, int64_t offset)
{
    if (length == 0)
        return;
    if (offset + length > content->size)
        content_resize(content, page_size, offset + length);
    memcpy(content->bytes + offset, data, (size_t)length);
    content_allocate(content, page_size, offset, length);
}

int64_t content_read(const struct model_content *content, void *buffer, int64_t length,
                     int64_t offset)
{
    if (offset >= content->size)
        return 0;
    if (length > content->size - offset)
        length = content->size - offset;
    memcpy(buffer, content->bytes + offset, (size_t)length);
    return length;
}

void content_zero(struct model_content *content, int64_t offset, int64_t length)
{
    int64_t end = offset + length < content->size ? offset + length : content->size;
    if (offset < end)
        memset(content->bytes + offset, 0, (size_t)(end - offset));
}

void content_punch(struct model_content *content, uint32_t page_size, int64_t offset,
                   int64_t length)
{
    content_zero(content, offset, length);
    int64_t end = (offset + length) / page_size;
    for (int64_t page = (offset + page_size - 1) / page_size; page < end; page++)
        if (page < content->page_count)
            content->pages[page] = 0;
    if (content->preallocated_end > offset) {
        content->preallocated_end = content_pages(content) > 0 ? offset : 0;
        content_resize(content, page_size, content->size);
    }
}

int64_t content_seek(const struct model_content *content, uint32_t page_size, int64_t offset,
                     int data)
{
    if (offset >= content->size)
        return MEMFS_ENXIO;
    for (int64_t page = offset / page_size; page * page_size < content->size; page++) {
        if (has_page(content, page) == data)
            return page * page_size > offset ? page * page_size : offset;
    }
    return data ? MEMFS_ENXIO : content->size;
}

/*
 * An intrusive doubly linked list: the links lie in the elements, so adding and removing need no
 * memory, cannot fail, and take constant time.
 *
 *     list                  first element           last element
 *     first --------------> link.next ------------> link.next --> null
 *     count = 2    null <-- link.previous <-------- link.previous
 *
 * Embed a `struct mfs_link` in the element, and get from the link back to the element with
 * MFS_LIST_ENTRY:
 *
 *     for (struct mfs_link *at = list->first; at != NULL; at = at->next)
 *         visit(MFS_LIST_ENTRY(at, struct mfs_block, link));
 *
 * A list of all zeros is empty.  A link belongs to at most one list; an element that is in several
 * lists has several links.
 *
 * Threads: the caller guards a list and the links of its elements with one lock.
 */
#ifndef MFS_LIST_H
#define MFS_LIST_H

#include "base/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mfs_link {
    struct mfs_link *previous, *next; /* null at the ends */
};

struct mfs_list {
    struct mfs_link *first; /* null: empty */
    uint64_t count;
};

/* The element of type `type` whose member `member` is `*link`; `link` is not null. */
#define MFS_LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* How many elements a check of a list looks at, so that checked lists do not become quadratic. */
#define MFS_LIST_CHECKED 32

/* For assertions: whether the links of the first elements agree with each other and the count. */
static inline bool mfs_list_is_valid(const struct mfs_list *list)
{
    const struct mfs_link *before = NULL;
    uint64_t seen = 0;
    for (const struct mfs_link *at = list->first; at != NULL && seen < MFS_LIST_CHECKED;
         at = at->next) {
        if (at->previous != before)
            return false;
        before = at;
        seen++;
    }
    return seen < MFS_LIST_CHECKED ? seen == list->count : seen <= list->count;
}

/* Makes `link`, which is in no list, the first one. */
static inline void mfs_list_add(struct mfs_list *list, struct mfs_link *link)
{
    MFS_CHECK((list->first == NULL) == (list->count == 0));
    MFS_CHECK(list->first != link);
    link->previous = NULL;
    link->next = list->first;
    if (link->next != NULL)
        link->next->previous = link;
    list->first = link;
    list->count++;
    MFS_CHECK_DEEP(mfs_list_is_valid(list));
}

/* Takes `link`, which is in this list, out of it; the link is then all zeros. */
static inline void mfs_list_remove(struct mfs_list *list, struct mfs_link *link)
{
    MFS_CHECK(list->count != 0);
    MFS_CHECK(link->previous != NULL ? link->previous->next == link : list->first == link);
    MFS_CHECK(link->next == NULL || link->next->previous == link);
    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        list->first = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;
    *link = (struct mfs_link){NULL, NULL};
    list->count--;
    MFS_CHECK_DEEP(mfs_list_is_valid(list));
}

#endif

/*
 * An intrusive doubly linked list: the links lie in the elements, so adding and removing need no
 * memory and cannot fail.
 *
 *     list                  first element           last element
 *     first --------------> link.next ------------> link.next --> null
 *                  null <-- link.previous <-------- link.previous
 *
 * Embed a `struct mfs_link` in the element; MFS_LIST_ENTRY leads from the link back to the element:
 *
 *     for (struct mfs_link *at = share->members.first; at != NULL; at = at->next)
 *         visit(MFS_LIST_ENTRY(at, struct mfs_member, link));
 *
 * A list of all zeros is empty.  No link points to the list itself, so a list may be moved by
 * assignment.
 *
 * Threads: the caller guards a list and the links of its elements with one mutex.
 */
#ifndef MFS_LIST_H
#define MFS_LIST_H

#include "base/assertion.h"

#include <stdbool.h>
#include <stddef.h>

struct mfs_link {
    struct mfs_link *previous, *next; /* null at the ends */
};

struct mfs_list {
    struct mfs_link *first; /* null: empty */
};

/* The element of type `type` whose member `member` is `*link`; `link` is not null. */
#define MFS_LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline bool mfs_list_is_empty(const struct mfs_list *list)
{
    return list->first == NULL;
}

/* Makes `link`, which is in no list, the first one. */
static inline void mfs_list_prepend(struct mfs_list *list, struct mfs_link *link)
{
    MFS_ASSERT(list->first != link);
    link->previous = NULL;
    link->next = list->first;
    if (link->next != NULL)
        link->next->previous = link;
    list->first = link;
}

/* Makes `link`, which is in no list, the last one.  Walks to the end: for short queues. */
static inline void mfs_list_append(struct mfs_list *list, struct mfs_link *link)
{
    struct mfs_link *last = NULL;
    for (struct mfs_link *at = list->first; at != NULL; at = at->next) {
        MFS_ASSERT(at != link && at->previous == last);
        last = at;
    }
    link->previous = last;
    link->next = NULL;
    if (last != NULL)
        last->next = link;
    else
        list->first = link;
}

/* Takes `link`, which is in this list, out of it. */
static inline void mfs_list_remove(struct mfs_list *list, struct mfs_link *link)
{
    MFS_ASSERT(link->previous != NULL ? link->previous->next == link : list->first == link);
    MFS_ASSERT(link->next == NULL || link->next->previous == link);
    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        list->first = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;
    link->previous = NULL;
    link->next = NULL;
}

#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* list: an intrusive, doubly linked ring. The head and every entry are a struct list; an entry
 * that is in no list points at itself. Whoever owns the head says which thread may touch it. */
struct list {
    struct list *next;
    struct list *prev;
};

#define LIST_OF(entry, type, member) ((type *)(void *)((char *)(entry)-offsetof(type, member)))

/* The entry may be removed inside the loop. */
#define LIST_EACH(entry, head)                                                                     \
    for (struct list *entry = (head)->next, *entry##_next = entry->next; entry != (head);          \
         entry = entry##_next, entry##_next = entry->next)

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

/* Behind the last. */
static inline void list_add(struct list *head, struct list *entry)
{
    entry->prev = head->prev;
    entry->next = head;
    head->prev->next = entry;
    head->prev = entry;
}

static inline void list_remove(struct list *entry)
{
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
    list_init(entry);
}

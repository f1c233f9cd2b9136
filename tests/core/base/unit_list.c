/* The intrusive list: order, every place of removal, one element in two lists. */
#include "rig.h"

#include "base/list.h"

struct item {
    int number;
    struct mfs_link link;
    struct mfs_link other_link;
};

/* Compares the list with the numbers, and walks it back from its last element, too. */
static void assert_numbers(const struct mfs_list *list, const int *numbers, uint64_t count)
{
    struct mfs_link *last = NULL;
    uint64_t seen = 0;
    for (struct mfs_link *at = list->first; at != NULL; at = at->next) {
        assert_true(seen < count);
        assert_int_equal(MFS_LIST_ENTRY(at, struct item, link)->number, numbers[seen]);
        seen++;
        last = at;
    }
    assert_int_equal(seen, count);
    assert_int_equal(list->count, count);
    for (struct mfs_link *at = last; at != NULL; at = at->previous)
        assert_int_equal(MFS_LIST_ENTRY(at, struct item, link)->number, numbers[--seen]);
    assert_int_equal(seen, 0);
    assert_true(mfs_list_is_valid(list));
}

/* A list of items numbered 3, 2, 1. */
static void make_three(struct mfs_list *list, struct item items[3])
{
    *list = (struct mfs_list){0};
    for (int i = 0; i < 3; i++) {
        items[i] = (struct item){.number = i + 1};
        mfs_list_add(list, &items[i].link);
    }
}

static void a_list_of_zeros_is_empty(void **state)
{
    (void)state;
    struct mfs_list list = {0};
    assert_numbers(&list, NULL, 0);
}

static void the_element_added_last_comes_first(void **state)
{
    (void)state;
    struct mfs_list list;
    struct item items[3];
    make_three(&list, items);
    assert_numbers(&list, (const int[]){3, 2, 1}, 3);
}

static void first_middle_and_last_can_be_removed(void **state)
{
    (void)state;
    static const int left[3][2] = {{3, 2}, {3, 1}, {2, 1}};
    for (int i = 0; i < 3; i++) {
        struct mfs_list list;
        struct item items[3];
        make_three(&list, items);
        mfs_list_remove(&list, &items[i].link);
        assert_numbers(&list, left[i], 2);
        assert_null(items[i].link.previous);
        assert_null(items[i].link.next);
        mfs_list_add(&list, &items[i].link);
        assert_numbers(&list, (const int[]){i + 1, left[i][0], left[i][1]}, 3);
    }
}

static void removing_the_only_element_leaves_an_empty_list(void **state)
{
    (void)state;
    struct mfs_list list = {0};
    struct item item = {.number = 1};
    mfs_list_add(&list, &item.link);
    mfs_list_remove(&list, &item.link);
    assert_numbers(&list, NULL, 0);
}

static void an_element_with_two_links_is_in_two_lists(void **state)
{
    (void)state;
    struct mfs_list list, other = {0};
    struct item items[3];
    make_three(&list, items);
    for (int i = 0; i < 3; i++)
        mfs_list_add(&other, &items[i].other_link);
    mfs_list_remove(&list, &items[1].link);
    assert_numbers(&list, (const int[]){3, 1}, 2);
    assert_int_equal(other.count, 3);
    assert_ptr_equal(MFS_LIST_ENTRY(other.first->next, struct item, other_link), &items[1]);
}

static void a_broken_link_is_found(void **state)
{
    (void)state;
    struct mfs_list list;
    struct item items[3];
    make_three(&list, items);
    items[1].link.previous = &items[0].link;
    assert_false(mfs_list_is_valid(&list));
    make_three(&list, items);
    list.count = 2;
    assert_false(mfs_list_is_valid(&list));
}

static void long_lists_are_checked_in_part(void **state)
{
    (void)state;
    struct mfs_list list = {0};
    struct item items[MFS_LIST_CHECKED + 2] = {0};
    for (int i = 0; i < MFS_LIST_CHECKED + 2; i++)
        mfs_list_add(&list, &items[i].link);
    assert_true(mfs_list_is_valid(&list));
    list.count = MFS_LIST_CHECKED - 1;
    assert_false(mfs_list_is_valid(&list));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_zeros_is_empty),
        cmocka_unit_test(the_element_added_last_comes_first),
        cmocka_unit_test(first_middle_and_last_can_be_removed),
        cmocka_unit_test(removing_the_only_element_leaves_an_empty_list),
        cmocka_unit_test(an_element_with_two_links_is_in_two_lists),
        cmocka_unit_test(a_broken_link_is_found),
        cmocka_unit_test(long_lists_are_checked_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

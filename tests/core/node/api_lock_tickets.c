/* Whole-file locks in line: tickets that get the lock from the call that lets it go. */
#include "checks.h"

#include <memfs/storage.h>

enum { SHARED = MEMFS_LOCK_SHARED, EXCLUSIVE = MEMFS_LOCK_EXCLUSIVE, HANDLES = 6, QUEUED = 1 };

struct line {
    memfs *fs;
    memfs_file *files[HANDLES]; /* of "/f" */
    memfs_lock_ticket tickets[HANDLES];
    char order[64]; /* which tickets were granted, a digit each */
};

static void note_granted(memfs_lock_ticket *ticket)
{
    struct line *line = ticket->context;
    size_t length = strlen(line->order);
    assert_true(length < sizeof line->order - 1);
    line->order[length] = (char)('0' + (ticket - line->tickets));
    line->order[length + 1] = '\0';
    memset(ticket->opaque, 0xee, sizeof ticket->opaque); /* it is ours again */
}

static struct line *line_of(memfs *fs)
{
    struct line *line = calloc(1, sizeof *line);
    assert_non_null(line);
    line->fs = fs;
    for (int i = 0; i < HANDLES; i++) {
        line->files[i] = open_file(fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE);
        line->tickets[i] = (memfs_lock_ticket){.granted = note_granted, .context = line};
    }
    return line;
}

static void end_line(struct line *line)
{
    for (int i = 0; i < HANDLES; i++)
        assert_ok(memfs_close(line->files[i]));
    free(line);
}

static int queue(struct line *line, int number, int kind)
{
    return memfs_lock_queue(line->files[number], kind, &line->tickets[number]);
}

/* What the handle holds, seen from one that holds nothing. */
static int is_locked(struct line *line)
{
    memfs_file *file = open_file(line->fs, "/f", MEMFS_O_READ);
    int result = memfs_lock(file, EXCLUSIVE, 0);
    assert_ok(memfs_close(file));
    return result == MEMFS_EAGAIN;
}

static void a_free_lock_is_had_at_once(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    assert_ok(queue(line, 0, SHARED));
    assert_ok(queue(line, 1, SHARED));
    assert_ok(queue(line, 1, SHARED)); /* it has it */
    assert_ok(memfs_unlock(line->files[0]));
    assert_ok(queue(line, 1, EXCLUSIVE)); /* an upgrade, alone */
    assert_ok(queue(line, 1, SHARED));
    assert_ok(memfs_unlock(line->files[1]));
    assert_string_equal(line->order, "");
    assert_false(is_locked(line));
    end_line(line);
}

static void unlocking_downgrading_and_closing_grant_it(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    assert_ok(queue(line, 0, EXCLUSIVE));
    assert_returns(queue(line, 1, EXCLUSIVE), QUEUED);
    assert_ok(memfs_unlock(line->files[0]));
    assert_string_equal(line->order, "1");
    assert_returns(memfs_lock(line->files[0], SHARED, 0), MEMFS_EAGAIN);

    assert_returns(queue(line, 2, SHARED), QUEUED);
    assert_ok(memfs_lock(line->files[1], SHARED, 0));
    assert_string_equal(line->order, "12");

    memfs_file *last = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_ok(memfs_lock(last, SHARED, 0));
    assert_ok(memfs_unlock(line->files[1]));
    assert_ok(memfs_unlock(line->files[2]));
    assert_returns(queue(line, 3, EXCLUSIVE), QUEUED);
    assert_ok(memfs_close(last));
    assert_string_equal(line->order, "123");
    assert_true(is_locked(line));
    end_line(line);
}

static void tickets_get_it_in_order_and_readers_together(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    assert_ok(memfs_lock(line->files[0], SHARED, 0));
    assert_returns(queue(line, 1, EXCLUSIVE), QUEUED);
    assert_returns(queue(line, 2, SHARED), QUEUED); /* behind the writer, though others share it */
    assert_returns(queue(line, 3, SHARED), QUEUED);
    assert_returns(queue(line, 4, EXCLUSIVE), QUEUED);
    assert_returns(queue(line, 5, SHARED), QUEUED);
    assert_ok(memfs_unlock(line->files[0]));
    assert_string_equal(line->order, "1");
    assert_ok(memfs_unlock(line->files[1]));
    assert_string_equal(line->order, "123");
    assert_ok(memfs_unlock(line->files[2]));
    assert_string_equal(line->order, "123");
    assert_ok(memfs_unlock(line->files[3]));
    assert_string_equal(line->order, "1234");
    assert_ok(memfs_unlock(line->files[4]));
    assert_string_equal(line->order, "12345");
    end_line(line);
}

static void an_upgrade_goes_first_and_there_is_one(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    assert_ok(memfs_lock(line->files[0], SHARED, 0));
    assert_ok(memfs_lock(line->files[1], SHARED, 0));
    assert_returns(queue(line, 2, EXCLUSIVE), QUEUED);
    assert_returns(queue(line, 0, EXCLUSIVE), QUEUED);
    assert_returns(queue(line, 1, EXCLUSIVE), MEMFS_EDEADLK);
    assert_returns(memfs_lock(line->files[1], EXCLUSIVE, 0), MEMFS_EDEADLK);
    assert_returns(memfs_lock(line->files[3], SHARED, 0), MEMFS_EAGAIN);
    assert_ok(memfs_unlock(line->files[1]));
    assert_string_equal(line->order, "0");
    assert_ok(memfs_unlock(line->files[0]));
    assert_string_equal(line->order, "02");
    assert_ok(memfs_unlock(line->files[2]));
    assert_ok(memfs_lock(line->files[3], SHARED, 0)); /* no upgrade waits any more */
    end_line(line);
}

static void a_handle_that_gives_up_what_it_would_upgrade_still_waits(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    assert_ok(memfs_lock(line->files[0], SHARED, 0));
    assert_ok(memfs_lock(line->files[1], SHARED, 0));
    assert_returns(queue(line, 0, EXCLUSIVE), QUEUED);
    assert_ok(memfs_unlock(line->files[0]));
    assert_string_equal(line->order, "");
    assert_ok(memfs_unlock(line->files[1]));
    assert_string_equal(line->order, "0");
    assert_ok(memfs_unlock(line->files[0]));
    assert_ok(memfs_lock(line->files[1], SHARED, 0));
    end_line(line);
}

static void a_handle_stands_in_line_once(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    memfs_lock_ticket second = {.granted = note_granted, .context = line};
    assert_ok(memfs_lock(line->files[0], EXCLUSIVE, 0));
    assert_returns(queue(line, 1, SHARED), QUEUED);
    assert_returns(memfs_lock_queue(line->files[1], EXCLUSIVE, &second), MEMFS_EBUSY);
    assert_returns(memfs_lock_unqueue(line->files[1], &second), MEMFS_EBUSY);
    assert_ok(memfs_lock_unqueue(line->files[1], &line->tickets[1]));
    assert_returns(memfs_lock_unqueue(line->files[1], &line->tickets[1]), MEMFS_EBUSY);
    assert_returns(queue(line, 1, SHARED), QUEUED);
    assert_ok(memfs_unlock(line->files[0]));
    assert_string_equal(line->order, "1");
    assert_returns(memfs_lock_unqueue(line->files[1], &line->tickets[1]), MEMFS_EBUSY);
    end_line(line);
}

static void a_ticket_taken_out_lets_those_behind_it_in(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    assert_ok(memfs_lock(line->files[0], SHARED, 0));
    assert_returns(queue(line, 1, EXCLUSIVE), QUEUED);
    assert_returns(queue(line, 2, SHARED), QUEUED);
    assert_ok(memfs_lock_unqueue(line->files[1], &line->tickets[1]));
    assert_string_equal(line->order, "2");

    assert_returns(queue(line, 0, EXCLUSIVE), QUEUED); /* an upgrade keeps newcomers out */
    assert_returns(queue(line, 3, SHARED), QUEUED);
    assert_returns(queue(line, 4, EXCLUSIVE), QUEUED); /* the last one, taken out first */
    assert_ok(memfs_lock_unqueue(line->files[4], &line->tickets[4]));
    assert_ok(memfs_lock_unqueue(line->files[0], &line->tickets[0]));
    assert_string_equal(line->order, "23");
    assert_returns(queue(line, 4, EXCLUSIVE), QUEUED);
    for (int i = 0; i < 4; i++)
        assert_ok(memfs_unlock(line->files[i]));
    assert_string_equal(line->order, "234");
    end_line(line);
}

static void tickets_of_other_files_and_file_systems_stay(void **state)
{
    struct fixture *f = *state;
    enum { FILES = 40 }; /* some share a gate with the one that is let go */
    struct line *line = line_of(f->fs);
    struct line *other = line_of(f->other);
    memfs_file *holders[FILES], *waiters[FILES];
    memfs_lock_ticket tickets[FILES];
    char path[24];
    assert_ok(memfs_lock(other->files[0], EXCLUSIVE, 0));
    assert_returns(queue(other, 1, EXCLUSIVE), QUEUED);
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "/other-%d", i);
        holders[i] = create_file(f->fs, path);
        waiters[i] = open_file(f->fs, path, MEMFS_O_READ);
        tickets[i] = line->tickets[5]; /* in this order they are noted as nothing known */
        assert_ok(memfs_lock(holders[i], EXCLUSIVE, 0));
        assert_returns(memfs_lock_queue(waiters[i], SHARED, &tickets[i]), QUEUED);
    }
    assert_ok(memfs_lock(line->files[0], EXCLUSIVE, 0));
    assert_returns(queue(line, 1, EXCLUSIVE), QUEUED);
    assert_ok(memfs_unlock(line->files[0]));
    assert_string_equal(line->order, "1");
    assert_string_equal(other->order, "");
    for (int i = 0; i < FILES; i++) {
        assert_ok(memfs_lock_unqueue(waiters[i], &tickets[i])); /* each was in line still */
        assert_ok(memfs_close(waiters[i]));
        assert_ok(memfs_close(holders[i]));
    }
    assert_ok(memfs_unlock(other->files[0]));
    assert_string_equal(other->order, "1");
    end_line(line);
    end_line(other);
}

struct relay {
    memfs_lock_ticket ticket;
    memfs_file *file;
    memfs *fs;
};

/* Closes the handle, which gives the lock on, and frees the ticket. */
static void pass_it_on(memfs_lock_ticket *ticket)
{
    struct relay *relay = ticket->context;
    assert_ok(memfs_append_file(relay->fs, "/log", "x", 1, 0644, 0));
    assert_ok(memfs_close(relay->file));
    free(relay);
}

static void the_function_may_use_memfs_close_the_handle_and_free_the_ticket(void **state)
{
    struct fixture *f = *state;
    enum { RUNNERS = 5 };
    memfs_file *first = create_file(f->fs, "/f");
    assert_ok(memfs_lock(first, EXCLUSIVE, 0));
    for (int i = 0; i < RUNNERS; i++) {
        struct relay *relay = calloc(1, sizeof *relay);
        assert_non_null(relay);
        relay->fs = f->fs;
        relay->file = open_file(f->fs, "/f", MEMFS_O_READ);
        relay->ticket = (memfs_lock_ticket){.granted = pass_it_on, .context = relay};
        assert_returns(memfs_lock_queue(relay->file, EXCLUSIVE, &relay->ticket), QUEUED);
    }
    assert_ok(memfs_close(first));
    assert_text(f->fs, "/log", "xxxxx");
    assert_int_equal(statfs_of(f->fs).open_files, 0);
}

static void a_locked_file_stays_where_it_is_while_tickets_pass_it_on(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    assert_ok(memfs_lock(line->files[0], EXCLUSIVE, 0));
    assert_returns(queue(line, 1, SHARED), QUEUED);
    assert_returns(memfs_unlink(f->fs, "/f"), MEMFS_EBUSY);
    assert_ok(memfs_unlock(line->files[0]));
    assert_returns(memfs_unlink(f->fs, "/f"), MEMFS_EBUSY);
    assert_ok(memfs_unlock(line->files[1]));
    assert_ok(memfs_unlink(f->fs, "/f"));
    end_line(line);
}

static void queueing_takes_no_memory(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(queue(line, 0, EXCLUSIVE));
    assert_returns(queue(line, 1, EXCLUSIVE), QUEUED);
    assert_returns(queue(line, 2, EXCLUSIVE), QUEUED);
    assert_ok(memfs_lock_unqueue(line->files[1], &line->tickets[1]));
    assert_ok(memfs_unlock(line->files[0]));
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
    assert_string_equal(line->order, "2");
    end_line(line);
}

static void what_cannot_be_queued_is_refused(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    memfs_lock_ticket silent = {.granted = NULL};
    memfs_file *dir = open_file(f->fs, "/", MEMFS_O_READ | MEMFS_O_DIRECTORY);
    assert_returns(memfs_lock_queue(NULL, SHARED, &line->tickets[0]), MEMFS_EBADF);
    assert_returns(memfs_lock_queue(dir, SHARED, &line->tickets[0]), MEMFS_EISDIR);
    assert_returns(queue(line, 0, 0), MEMFS_EINVAL);
    assert_returns(queue(line, 0, 3), MEMFS_EINVAL);
    assert_returns(memfs_lock_queue(line->files[0], SHARED, NULL), MEMFS_EINVAL);
    assert_returns(memfs_lock_queue(line->files[0], SHARED, &silent), MEMFS_EINVAL);
    assert_returns(memfs_lock_unqueue(NULL, &line->tickets[0]), MEMFS_EBADF);
    assert_returns(memfs_lock_unqueue(line->files[0], NULL), MEMFS_EINVAL);
    assert_returns(memfs_lock_unqueue(line->files[0], &line->tickets[0]), MEMFS_EBUSY);
    assert_false(is_locked(line));
    assert_ok(memfs_close(dir));
    end_line(line);
}

static void without_overlapping_calls_tickets_are_granted_too(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.flags = MEMFS_CREATE_SINGLE_THREADED;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    struct line *line = line_of(f->fs);
    assert_ok(queue(line, 0, EXCLUSIVE));
    assert_returns(queue(line, 1, SHARED), QUEUED);
    assert_returns(queue(line, 2, SHARED), QUEUED);
    assert_returns(memfs_lock(line->files[3], SHARED, 5), MEMFS_ETIMEDOUT);
    assert_returns(memfs_lock(line->files[3], SHARED, 0), MEMFS_EAGAIN);
    assert_ok(memfs_unlock(line->files[0]));
    assert_string_equal(line->order, "12");
    end_line(line);
    fixture_destroy(f);
}

static void a_forced_end_forgets_them(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    struct line *line = line_of(f->fs);
    assert_ok(queue(line, 0, EXCLUSIVE));
    assert_returns(queue(line, 1, EXCLUSIVE), QUEUED);
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_destroy(f->fs, MEMFS_DESTROY_FORCE));
    tracking_assert_empty(&f->allocator);
    assert_string_equal(line->order, "");
    free(line);
    free(f);
}

/* A family of instances has its lines in common. */
static void the_end_of_a_clone_leaves_those_of_the_others(void **state)
{
    struct fixture *f = *state;
    struct line *line = line_of(f->fs);
    memfs *clone;
    assert_ok(memfs_clone_instance(f->fs, &clone));
    struct line *cloned = line_of(clone);
    assert_ok(queue(line, 0, EXCLUSIVE));
    assert_returns(queue(line, 1, EXCLUSIVE), QUEUED);
    assert_ok(queue(cloned, 0, EXCLUSIVE));
    assert_returns(queue(cloned, 1, EXCLUSIVE), QUEUED);
    assert_ok(memfs_destroy(clone, MEMFS_DESTROY_FORCE));
    assert_string_equal(cloned->order, "");
    free(cloned);
    assert_ok(memfs_unlock(line->files[0]));
    assert_string_equal(line->order, "1");
    end_line(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_free_lock_is_had_at_once),
        FS_TEST(unlocking_downgrading_and_closing_grant_it),
        FS_TEST(tickets_get_it_in_order_and_readers_together),
        FS_TEST(an_upgrade_goes_first_and_there_is_one),
        FS_TEST(a_handle_that_gives_up_what_it_would_upgrade_still_waits),
        FS_TEST(a_handle_stands_in_line_once),
        FS_TEST(a_ticket_taken_out_lets_those_behind_it_in),
        FS_TEST(tickets_of_other_files_and_file_systems_stay),
        FS_TEST(the_function_may_use_memfs_close_the_handle_and_free_the_ticket),
        FS_TEST(a_locked_file_stays_where_it_is_while_tickets_pass_it_on),
        FS_TEST(the_end_of_a_clone_leaves_those_of_the_others),
        FS_TEST(queueing_takes_no_memory),
        FS_TEST(what_cannot_be_queued_is_refused),
        cmocka_unit_test(without_overlapping_calls_tickets_are_granted_too),
        cmocka_unit_test(a_forced_end_forgets_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

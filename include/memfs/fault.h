/*
 * memfs/fault.h: power cuts and faults on order, for tests.
 *
 * A program that keeps its data in files has code for the moment when the power goes, and for the
 * moment when a call fails.  Here both come when a test wants them.  The tree can be told to behave
 * as one on a disk, where only what was synced is sure to be there afterwards; memfs_crash() then
 * gives, as a new instance, what a power cut at this moment would have left.  And rules make single
 * calls fail, or wait.
 *
 *     #include <memfs/fault.h>
 *
 *     // Saves as many programs do: the new content goes to another file, which takes the name.
 *     static int save(memfs *fs, const char *text)
 *     {
 *         memfs_file *file;
 *         if (memfs_open(fs, "/new", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file) != 0)
 *             return 1;
 *         memfs_write(file, text, strlen(text));
 *         memfs_fsync(file); // without it, the file would be found empty
 *         memfs_close(file);
 *         memfs_rename(fs, "/new", "/settings", 0);
 *         return memfs_sync(fs, "/"); // without it, the old file might be found
 *     }
 *
 *     int main(void)
 *     {
 *         memfs *fs, *after;
 *         char text[16];
 *         if (memfs_create(NULL, &fs) != 0 || memfs_durability_start(fs, NULL) != 0)
 *             return 1;
 *         if (save(fs, "one") != 0 || memfs_crash(fs, NULL, &after) != 0)
 *             return 1;
 *         int64_t length = memfs_read_file_into(after, "/settings", text, sizeof text);
 *         memfs_destroy(after, 0);
 *         return length != 3 || memfs_destroy(fs, 0) != 0;
 *     }
 *
 * CONCEPTS
 *
 * Durable     What a power cut leaves.  memfs_durability_start() makes everything that is there
 *             durable; later changes become durable by syncing.
 * Pending     A change that is not durable yet: a write, a new size, or a name that came, went or
 *             moved.  Reading shows pending changes, as it does on a disk, and closing a file does
 *             not sync it.
 * Power cut   What is pending is lost; or, since a disk may have written any of it, a share of it
 *             survives (memfs_crash_options).  That is not what memfs_snapshot_take() gives, which
 *             is what a killed process leaves: everything.
 * Rule        Which calls are to fail, and how.
 *
 * RULES
 *
 * The rules of memfs.h on errors, failure, threads and lifetime hold here too.  Besides:
 *
 * - The kit has memory of its own, outside of the quota, so that what is refused for want of room
 *   is the same with it and without it: the durable state, which is a second copy of all bytes, and
 *   what is pending.  If it cannot have memory, calls go on as they were, and memfs_crash() and the
 *   others say MEMFS_ENOMEM from then on.
 * - A renaming is one step, also where it is not durable: afterwards the file has the old name or
 *   the new one.
 * - Where files are removed, snapshots restored or trees copied, each name is a step of its own.
 * - Access times, and attributes that were changed since the last sync, are those of the last sync.
 * - A build with MEMFS_NO_FAULTS has none of it: the functions return MEMFS_EOPNOTSUPP.
 */
#ifndef MEMFS_FAULT_H
#define MEMFS_FAULT_H

#include <memfs/memfs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --------------------------------------------------------------- durability */

/* What makes the names of a directory durable. */
enum memfs_names_durable {
    MEMFS_NAMES_BY_DIRECTORY = 0, /* a sync of the directory, as POSIX has it */
    MEMFS_NAMES_BY_FILE = 1,      /* that, or a sync of the file that has the name */
    MEMFS_NAMES_BY_ANY = 2,       /* any sync, as in a file system with one journal */
    MEMFS_NAMES_AT_ONCE = 3       /* nothing: a name is durable when the call returns */
};

/* What a sync leaves that a rule has made fail, before it took effect. */
enum memfs_failed_sync {
    MEMFS_FAILED_SYNC_LOSES = 0, /* pending bytes are given up: the next sync succeeds, and does not
                                    make them durable, as on Linux */
    MEMFS_FAILED_SYNC_KEEPS = 1  /* they are still pending */
};

typedef struct memfs_durability {
    size_t struct_size;    /* sizeof(memfs_durability) */
    uint32_t names;        /* enum memfs_names_durable */
    uint32_t failed_sync;  /* enum memfs_failed_sync */
    uint32_t sector_bytes; /* what a disk writes in one step: a power of two up to 65536; 0: 512 */
    const memfs_allocator *allocator; /* of the kit, and of what memfs_crash() makes; copied; null:
                                         malloc and free */
} memfs_durability;

/*
 * From now on the tree knows what is durable; everything that is there is.  A null `model` means
 * all zeros.
 *
 * Errors:   EINVAL, E2BIG, EBUSY (it does already), EDQUOT, ENOMEM, EOPNOTSUPP (a build without
 *           faults; no allocator in a build for arenas only).
 * Failure:  nothing has changed.
 * Quota:    none.  The kit takes the bytes of all files once more, from its own allocator.
 * Threads:  no other call may be under way.
 * Lifetime: until memfs_durability_stop(), or the end of the instance.
 */
MEMFS_API int memfs_durability_start(memfs *fs, const memfs_durability *model);

/* Ends it, and frees what it took.  Rules stay.  Errors: EINVAL (it was not started).
 * Threads: no other call may be under way. */
MEMFS_API int memfs_durability_stop(memfs *fs);

#define MEMFS_CRASH_TORN 0x1u    /* of a write that survives, each sector does or does not */
#define MEMFS_CRASH_ORDERED 0x2u /* what came after the first change that is lost is lost, too */

typedef struct memfs_crash_options {
    size_t struct_size; /* sizeof(memfs_crash_options) */
    uint32_t flags;     /* MEMFS_CRASH_... */
    uint32_t percent;   /* how probable it is that a pending change survives; 0: none does */
    uint64_t seed;      /* the same seed after the same calls: the same survivors */
} memfs_crash_options;

/*
 * Makes a new instance of what a power cut at this moment would leave, while `fs` goes on.  A null
 * `how` means all zeros: exactly what is durable.
 *
 * A pending change of a name can survive only if those before it do that concern the same name or
 * the same file.
 *
 * The new instance has page size, quota, node limit, clock and owner of `fs`, memory of its own
 * from the allocator of the model, and nothing else in common with it.  Entries come in no
 * particular order.
 *
 * Errors:   EINVAL (durability was not started; an unknown flag; more than 100 percent), E2BIG,
 *           ENOENT (nothing was ever synced: a test that shows nothing), EDQUOT, ENOSPC (the
 *           durable files do not fit the limits), ENOMEM (also: the kit was short of memory
 *           before).
 * Threads:  one step for every observer.
 * Lifetime: of `*out`, until memfs_destroy(); `fs` may end before.
 */
MEMFS_API int memfs_crash(memfs *fs, const memfs_crash_options *how, memfs **out);

typedef struct memfs_pending {
    size_t struct_size; /* set by memfs */
    const char *path;   /* of the file, or of the name; "" if it cannot be told */
    int is_name;        /* 1: a name came, went or moved; 0: bytes, or the size */
    uint64_t offset;    /* of the bytes */
    uint64_t length;    /* 0: the size has changed */
} memfs_pending;

/* Returns 0 to go on, or anything else to stop. */
typedef int (*memfs_pending_callback)(void *context, const memfs_pending *pending);

/*
 * Tells of each change that is not durable, the oldest first, and returns how many there are of
 * `path` (null: of anything): of the file, or of the names in the directory.  `callback` may be
 * null.  As an assertion: memfs_unsynced(fs, NULL, NULL, NULL) == 0.
 *
 * The callback runs while the kit is locked; it must not call into this file system.
 * Errors: EINVAL (durability was not started), ENOMEM, and those of finding `path`.
 */
MEMFS_API int64_t memfs_unsynced(memfs *fs, const char *path, memfs_pending_callback callback,
                                 void *context);

/* Whether durability is tracked, or rules or a hook are in force: 1 or 0.  A program that syncs a
 * directory only for this may leave that out otherwise.  Never blocks. */
MEMFS_API int memfs_is_observed(memfs *fs);

/* ------------------------------------------------------------------- faults */

/* What a call is; rules select by it. */
#define MEMFS_OP_OPEN 0x1u        /* memfs_open() and its like */
#define MEMFS_OP_READ 0x2u        /* reading a file, and reading it whole */
#define MEMFS_OP_WRITE 0x4u       /* writing, and memfs_append_file() */
#define MEMFS_OP_RESIZE 0x8u      /* truncating, allocating and punching */
#define MEMFS_OP_SYNC 0x10u       /* of a file */
#define MEMFS_OP_SYNC_DIR 0x20u   /* of a directory */
#define MEMFS_OP_STAT 0x40u       /* memfs_stat() and its like */
#define MEMFS_OP_ATTRIBUTES 0x80u /* mode, owner, times */
#define MEMFS_OP_MAKE 0x100u      /* directories and symlinks */
#define MEMFS_OP_LINK 0x200u      /* a name more */
#define MEMFS_OP_RENAME 0x400u
#define MEMFS_OP_REMOVE 0x800u   /* files, directories and trees */
#define MEMFS_OP_LIST 0x1000u    /* opening a directory, and its entries */
#define MEMFS_OP_LOCK 0x2000u    /* whole-file locks */
#define MEMFS_OP_WHOLE 0x4000u   /* writing a whole file, copies, imports */
#define MEMFS_OP_CHANGES 0x4fbdu /* all that may change something, opening among them */
#define MEMFS_OP_ALL 0x7fffu

#define MEMFS_FAULT_AFTER 0x1u     /* the call takes effect, and then says that it failed */
#define MEMFS_FAULT_FROM_THEN 0x2u /* with `nth`: that one, and all that follow */
#define MEMFS_FAULT_DISABLED 0x4u  /* it begins switched off */

/*
 * A rule.  A call is met by it if it is one of `operations`, concerns a path that matches
 * `pattern`, and, if it reads or writes, touches the range.  Of the calls that are met it makes
 * fail: the `nth`; or one in `one_in`, by the seed; or, where both are 0, every one.
 *
 * A path is the one that a file or directory has now, from the root, without links; of a file with
 * several names, the last that it got; of a file that lost its last name, that name.  Either of the
 * two of a renaming counts.
 */
typedef struct memfs_fault_rule {
    size_t struct_size;   /* sizeof(memfs_fault_rule) */
    uint32_t operations;  /* MEMFS_OP_... */
    uint32_t flags;       /* MEMFS_FAULT_... */
    const char *pattern;  /* as memfs_glob_match() has it; copied; null: any path */
    uint64_t from_offset; /* the range, up to the byte before to_offset; */
    uint64_t to_offset;   /* 0: without end */
    uint64_t nth;         /* 1: the first one */
    uint64_t one_in;
    uint64_t seed;
    int error; /* an enum memfs_error; 0: no error, the rule only counts */
} memfs_fault_rule;

/*
 * Adds a rule, and gives its number, from 1.  Of several that meet a call the first one decides.
 * MEMFS_EDQUOT and MEMFS_ENOSPC are refused for what no full disk refuses: reading, looking,
 * locking, syncing, removing.  memfs_last_refusal() knows nothing of what a rule has refused.
 *
 * Errors:   EINVAL (no operation or an unknown one, an unknown flag, both `nth` and `one_in`, a
 *           pattern that is none, a positive error), E2BIG, ENOMEM, EOPNOTSUPP.
 * Threads:  the first rule of an instance: no other call may be under way.
 */
MEMFS_API int memfs_fault_add(memfs *fs, const memfs_fault_rule *rule, unsigned *number);

/* Switches a rule on (1) or off (0); it goes on counting from where it was.  Errors: ENOENT. */
MEMFS_API int memfs_fault_enable(memfs *fs, unsigned number, int on);

/* How many calls the rule has met while it was on, and how many of these it made fail; either may
 * be null.  Errors: ENOENT. */
MEMFS_API int memfs_fault_hits(memfs *fs, unsigned number, uint64_t *met, uint64_t *failed);

/* Removes all rules, and the hook. */
MEMFS_API int memfs_fault_clear(memfs *fs);

typedef struct memfs_operation {
    size_t struct_size; /* set by memfs */
    uint32_t what;      /* one of MEMFS_OP_... */
    int is_after;       /* 0: the call begins; 1: it ends */
    const char *path;   /* as rules see it; "": it cannot be told */
    const char *to;     /* of a renaming, or of a link; else null */
    uint64_t offset, length;
    int64_t result; /* when it ends: of the call */
    uint64_t step;  /* the number of calls so far of MEMFS_OP_CHANGES, this one included */
} memfs_operation;

/*
 * For all else that a test wants: asked when a call begins and when it ends, after the rules, with
 * no lock held.  What it returns, if it is not 0, is the result of the call, which when it begins
 * does nothing then.  It may call into the file system, and is not asked about those calls.
 * Null: none.
 *
 * Errors:   ENOMEM, EOPNOTSUPP.
 * Threads:  setting it: no other call may be under way.  It may run in several threads at a time.
 */
typedef int (*memfs_fault_hook)(void *context, memfs *fs, const memfs_operation *operation);

MEMFS_API int memfs_fault_set_hook(memfs *fs, memfs_fault_hook hook, void *context);

/* -------------------------------------------------------------------- sweep */

/*
 * A test of a piece of code at each of its steps.  `set_up` makes a file system ready; `body` is
 * what is tested.  `check` looks at what a power cut in it, or a failed call, has left.  All three
 * return 0, or anything else to end the sweep: a check that fails, a set-up that does.  (The body
 * may fail: with faults, that is what is tested.)
 */
typedef struct memfs_sweep {
    size_t struct_size; /* sizeof(memfs_sweep) */
    void *context;
    int (*set_up)(void *context, memfs *fs); /* null: an empty tree */
    int (*body)(void *context, memfs *fs);
    int (*check)(void *context, memfs *fs, uint64_t step);
    void (*tear_down)(void *context, memfs *fs); /* before a file system that was set up ends; null:
                                                    nothing */
    const memfs_config *config;                  /* of the file systems; null: the default */
    const memfs_durability *durability;          /* null: all zeros */
    const memfs_crash_options *survival;         /* of what is pending; null: nothing */
    uint32_t operations;                         /* which calls are steps; 0: MEMFS_OP_CHANGES */
    int error; /* 0: the power is cut before each step; else each step fails with it */
    uint32_t
        seeds; /* with `survival`: cuts at each step, with the seeds from survival->seed on; 0: 1 */
} memfs_sweep;

typedef struct memfs_sweep_report {
    size_t struct_size;                /* set by the caller: sizeof(memfs_sweep_report) */
    uint64_t steps;                    /* that the body had */
    uint64_t checks;                   /* that were made */
    uint64_t failed_step, failed_seed; /* where it ended, if it did not get through */
    int result;                        /* what the callback returned that ended it; else 0 */
} memfs_sweep_report;

/*
 * Runs a sweep.  With power cuts the body runs once, and at each of its steps, in the middle of its
 * calls, `check` gets what a cut there leaves; after its end, too.  With failing calls set-up and
 * body run once for each step, and `check` gets the file system itself.
 *
 * Errors:   ECANCELED (a callback has ended it: see the report), ENOENT (there was no step; or the
 *           body never synced anything: such a test shows nothing), EINVAL, E2BIG, and those of
 *           memfs_create(), memfs_durability_start() and memfs_crash().
 * Threads:  `check` runs in the thread that makes the step; `body` must not make steps in several
 *           threads at a time.
 */
MEMFS_API int memfs_sweep_run(const memfs_sweep *sweep, memfs_sweep_report *report);

#ifdef __cplusplus
}
#endif

#endif

/*
 * A model of the biased reader-writer lock (src/core/sync/sync.c, rules 4 to 6): the word, the table
 * of readers, and the gate at which threads wait.  spin tries all interleavings.
 *
 * What is checked: no writer is inside together with a reader or another writer (the assertions),
 * every thread ends (no invalid end states: a wake-up that is lost, or an entry that stays, leaves a
 * thread in the gate), and all steps are reached.
 *
 * Each step is one atomic operation of the code, sequentially consistent as those are.  Spinning is
 * left out, since a thread that spins can always park; so are the readers that count themselves,
 * beyond one such thread, for they are an ordinary reader-writer lock.
 */

#define TABLE_READERS 2
#define READERS 3 /* the last one finds the table full, and counts itself */
#define WRITERS 2

bool held, wanted, parked, biased = true;
byte count;              /* readers that are not in the table */
bool row[TABLE_READERS]; /* who is in the table */

bool gate;                         /* the gate's mutex */
bool waits[READERS + WRITERS];     /* who waits at the gate, without its mutex */

byte readers_in, writers_in;

inline gate_enter() { atomic { !gate -> gate = true } }
inline gate_leave() { gate = false }

/* Lets the mutex go and waits in one step, as a condition variable does. */
inline gate_wait(me)
{
    d_step { waits[me] = true; gate = false };
    atomic { !waits[me] && !gate -> gate = true }
}

inline wake()
{
    gate_enter();
    d_step {
        waits[0] = false; waits[1] = false; waits[2] = false; waits[3] = false; waits[4] = false
    };
    gate_leave()
}

inline has_table(result)
{
    result = false;
    i = 0;
    do
    :: i < TABLE_READERS -> if :: row[i] -> result = true :: else fi; i++
    :: else -> break
    od
}

/* Counting: one compare-and-swap, which fails while a writer has or wants the lock. */
inline try_count(result)
{
    atomic {
        if
        :: !held && !wanted -> count++; result = true
        :: else -> result = false
        fi
    }
}

inline leave_table(me)
{
    row[me] = false;
    if
    :: atomic { held && parked -> skip }; wake()
    :: else
    fi
}

proctype reader(byte me)
{
    bool in_table = false, ok = false;
    /* mfs_sync_lock_shared_contended() */
    if
    :: atomic { me < TABLE_READERS && biased && !held && !wanted -> skip };
        row[me] = true;
        if
        :: atomic { biased && !held && !wanted -> in_table = true; ok = true }
        :: else -> leave_table(me)
        fi
    :: else
    fi;
    if
    :: ok
    :: else ->
        gate_enter();
        do
        :: try_count(ok);
            if
            :: ok -> break
            :: else
            fi;
            if
            :: atomic { !held && !wanted && count == 0 -> skip } /* free again: try again */
            :: atomic { held || wanted || count != 0 -> parked = true }; gate_wait(me)
            fi
        od;
        gate_leave()
    fi;
    readers_in++;
    assert(writers_in == 0);
    readers_in--;
    /* mfs_sync_unlock_shared() */
    if
    :: in_table ->
        assert(biased || held); /* by which it tells that it is in the table */
        leave_table(me)
    :: else ->
        bool was_parked, was_last;
        atomic { count--; was_last = count == 0; was_parked = parked };
        if
        :: was_last && was_parked -> d_step { wanted = false; parked = false }; wake()
        :: else
        fi
    fi
}

proctype writer(byte me)
{
    bool ok = false, found;
    byte i;
    gate_enter();
    do
    :: atomic {
            if
            :: !held && count == 0 -> held = true; ok = true
            :: else -> ok = false
            fi
        };
        if
        :: ok -> break
        :: else
        fi;
        if
        :: atomic { !held && !wanted && count == 0 -> skip }
        :: atomic { held || wanted || count != 0 -> parked = true; wanted = true }; gate_wait(me)
        fi
    od;
    gate_leave();
    /* wait_for_table() */
    if
    :: biased ->
        biased = false;
        gate_enter();
        do
        :: parked = true;
            has_table(found);
            if
            :: found -> gate_wait(me)
            :: else -> break
            fi
        od;
        gate_leave()
    :: else
    fi;
    writers_in++;
    assert(writers_in == 1 && readers_in == 0);
    writers_in--;
    /* mfs_sync_unlock_exclusive() */
    bool wakes;
    atomic { wakes = parked; held = false; wanted = false; parked = false };
    if
    :: wakes -> wake()
    :: else
    fi;
    /* A reader that meets others makes the lock biased again. */
    atomic { if :: !held && !wanted && !parked -> biased = true :: else fi }
}

init
{
    atomic {
        run reader(0); run reader(1); run reader(2);
        run writer(3); run writer(4)
    }
}

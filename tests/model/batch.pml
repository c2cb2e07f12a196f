// Who has an event that a worker has taken in advance: detail/event_batch.hpp. One owner, two who take back.
// EVENTS are queued; the owner puts up to ROOM of them into its batch under the function's lock, starts one after the
// other with an atomic addition and no lock, and settles under the lock; the others take back under the lock at any
// time. `next` is the one word; everything else is written under the lock.
//
// Checked: each event is started once by the owner or ends up in the queue, and at the end all have been started.

#ifndef EVENTS
#define EVENTS 4
#endif
#define ROOM 3
#define BEYOND 100

bool lock;
byte queue[EVENTS], queued;  // what is queued, in any order
byte item[ROOM], count;
byte next = BEYOND;          // the word
byte ran[EVENTS];

inline acquire() { atomic { !lock -> lock = true } }
inline release() { lock = false }

// Under the lock.
inline take_back(from) {
#ifdef TORN_EXCHANGE
  from = next;
  next = BEYOND;
#else
  atomic { from = next; next = BEYOND }
#endif
#ifdef KEEP_STARTED
  from = (from >= BEYOND -> BEYOND : 0);
#endif
  do
  :: from < count -> atomic { queue[queued] = item[from]; queued++; from++ }
  :: else -> break
  od
}

proctype owner() {
  byte mine, from;
  do
  :: acquire();
     take_back(from);  // settles
     if
     :: queued == 0 -> release(); break
     :: else
     fi;
     count = 0;
     do
     :: count < ROOM && queued > 0 -> atomic { queued--; item[count] = queue[queued]; count++ }
     :: else -> break
     od;
     next = 0;
     release();
     do
     :: atomic { mine = next; next++ };
        if
        :: mine < count -> ran[item[mine]]++; assert(ran[item[mine]] == 1)
        :: else -> break
        fi
     od
  od
}

proctype other() {
  byte from;
  acquire();
  take_back(from);
  release()
}

proctype end() {
  byte i;
  timeout;
  for (i : 0 .. EVENTS - 1) { assert(ran[i] == 1) }
}

init {
  byte i;
  atomic {
    for (i : 0 .. EVENTS - 1) { queue[i] = i }
    queued = EVENTS;
    run owner();
    run other();
    run other();
    run end()
  }
}

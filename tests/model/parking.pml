// The parking protocol of detail/platform/parking.hpp and detail/lane.hpp, with x86-TSO store buffers.
// -DASYMMETRIC: the Linux variant, else the portable one. WORKERS (1, 2): the most that may live. EVENTS (1, 2): of
// each submitter.
//
// Memory: a plain store enters the FIFO buffer of its process and reaches memory at any later time (process `memory`);
// a locked instruction waits until its own buffer is empty; membarrier waits for every other buffer, one by one.
// Everything loaded here was last changed by a locked instruction of the same process, or never by it: so a load needs
// not look into its own buffer. A compare-and-swap loop is one step: it decides on the value that it replaces.
// The lane's mutex is `lock`; the queue is lock-free here, so that no protocol lives off the barrier in its lock.
//
// Checked: no event runs twice; when the submitters are done and the workers gone, all have run (nobody looks at the
// queue when a worker retires, so retiring rescues nothing); no deadlock; a handler that blocks until another event has
// started never blocks that event's start while a worker could be had; one gate is opened for each claim, closed
// before, and nobody is woken or started while another is on its way.

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef EVENTS
#define EVENTS 2
#endif
#define SUBMITTERS 2
#define ALL (SUBMITTERS * EVENTS)
#define GATE(w) (ALL + (w))  // addresses of plain stores: slots of events, then gates
#define NOBODY 255

mtype = { none, wake, spawn };

byte searching, parked, alive;          // the word; changed in one step
byte slot[ALL];                         // 0 empty, 1 queued, 2 taken
byte gate[WORKERS];                     // 1 open
bool lock;                              // the lane's mutex
byte list[WORKERS], listed;             // parked workers, the last first
bool started[WORKERS];
chan buffer[SUBMITTERS + WORKERS] = [3] of { byte, byte };

// For the properties only.
byte ran[ALL];
byte begun;                             // events that have started
byte on_the_way;                        // workers claimed, started, or searching
byte granted;                           // claims whose gate is not yet open
byte submitters_done;

#ifdef NO_ONE_WAKER_TOKEN
#define count_claimed skip
#define count_woken searching++
#else
#define count_claimed searching++
#define count_woken skip
#endif
#define drained(p) (len(buffer[p]) == 0)
#if WORKERS > 1
#define all_gone (alive == 0 && !started[0] && !started[1])
#define in_list(w) ((listed > 0 && list[0] == w) || (listed > 1 && list[1] == w))
#else
#define in_list(w) (listed > 0)
#define all_gone (alive == 0 && !started[0])
#endif
#define has_work (slot[0] == 1 || slot[1] == 1 || slot[ALL - 2] == 1 || slot[ALL - 1] == 1)

proctype memory() {
  byte from, where, what;
end:
  do
  :: atomic {
      if
      :: buffer[0]?where,what
      :: buffer[1]?where,what
      :: buffer[2]?where,what
#if WORKERS > 1
      :: buffer[3]?where,what
#endif
      fi;
      if
      :: where < ALL -> slot[where] = what
      :: else -> gate[where - ALL] = what
      fi;
      where = 0; what = 0
    }
  od
}

inline membarrier() {
  drained(0);
  drained(1);
  drained(SUBMITTERS);
#if WORKERS > 1
  drained(SUBMITTERS + 1)
#endif
}

// lane::open_one: under the lock, for a claimed worker.
inline open_one(p) {
  atomic { !lock && drained(p) -> lock = true };
  atomic {
    assert(listed > 0);
    listed--; chosen = list[listed]; list[listed] = 0
  };
#ifdef OPEN_AFTER_LOCK
  atomic { drained(p) -> lock = false };
#endif
  atomic {
    drained(p) ->
    assert(gate[chosen] == 0);
    assert(granted > 0);
    gate[chosen] = 1; granted--; chosen = 0
  };
#ifndef OPEN_AFTER_LOCK
  atomic { drained(p) -> lock = false }
#endif
}

// Takes worker w off the list, if it is there: `chosen` says whether. Under the lock.
inline unlist(w) {
  d_step {
    chosen = 0;
    if
    :: listed > 0 && list[0] == w ->
      chosen = 1;
#if WORKERS > 1
      list[0] = list[1]; list[1] = 0;
#else
      list[0] = 0;
#endif
      listed--
#if WORKERS > 1
    :: listed > 1 && list[1] == w -> chosen = 1; list[1] = 0; listed--
#endif
    :: else
    fi
  }
}

// parking_word::after_publish. `duty` says what is left to do.
inline decide(p) {
  duty = none;
  looked = false;
#ifdef ASYMMETRIC
#ifdef PLAIN_RELIANCE
  if
  :: atomic { searching > 0 || (parked == 0 && alive >= WORKERS) -> looked = true }
  :: else
  fi;
#else
  if
  :: atomic { parked == 0 && alive >= WORKERS -> looked = true }
  :: else
  fi;
#endif
#endif
  if
  :: looked
  :: else ->
    atomic {
      drained(p) ->
      if
      :: searching > 0
      :: else ->
        if
        :: parked > 0 ->
          assert(on_the_way == 0);  // the wake that nobody needs
          parked--; granted++; on_the_way++; count_claimed; duty = wake
        :: else ->
          if
          :: alive < WORKERS ->
            assert(on_the_way == 0);
            alive++; searching++; on_the_way++; duty = spawn
          :: else
          fi
        fi
      fi
    }
  fi;
  looked = false
}

// lane::notify.
inline notify(p) {
  decide(p);
  if
  :: duty == wake -> duty = none; open_one(p)
  :: duty == spawn -> duty = none;
    if
    :: atomic { !started[0] -> started[0] = true }
#if WORKERS > 1
    :: atomic { !started[1] -> started[1] = true }
#endif
#ifdef SPAWN_MAY_FAIL
    // Only while another worker lives: without one, what a second submitter has queued waits for the next submit.
    :: atomic { drained(p) && alive > 1 -> alive--; searching--; on_the_way-- };
#ifndef SPAWN_FAILED_BLIND
      if
      :: has_work ->
        if
        :: atomic { drained(p) && parked > 0 -> parked--; granted++; on_the_way++; count_claimed }; open_one(p)
        :: atomic { drained(p) && parked == 0 }
        fi
      :: else
      fi
#endif
#endif
    fi
  :: else
  fi
}

proctype submitter(byte p) {
  byte at = 0, chosen = 0;
  mtype duty = none;
  bool looked = false;
  do
  :: at < EVENTS ->
    buffer[p]!(p * EVENTS + at),1;  // the plain store that publishes
    notify(p);
    at++
  :: else -> break
  od;
  submitters_done++
}

proctype worker(byte w) {
  byte event = NOBODY, chosen = 0;
  bool counted = false, looked = false;
  mtype duty = none;
#define me (SUBMITTERS + w)

end:
  started[w];
  counted = true;  // as searching, by the spawner

again:  // lane::search
  atomic {
    drained(me) ->
    if
    :: slot[0] == 1 -> event = 0
    :: slot[ALL - 1] == 1 -> event = ALL - 1
#if EVENTS > 1
    :: slot[1] == 1 -> event = 1
    :: slot[ALL - 2] == 1 -> event = ALL - 2
#endif
    :: else
    fi;
    if
    :: event != NOBODY -> slot[event] = 2
    :: else
    fi
  };
  if
  :: event != NOBODY -> goto found
  :: else
  fi;
  if
  :: !counted -> atomic { drained(me) -> searching++; on_the_way++; counted = true }; goto again
  :: else
  fi;

  // lane::park. Spinning is the loop `again` taken more than once: it adds no state.
  atomic { !lock && drained(me) -> lock = true };
#ifndef WAKE_WORD_OUTSIDE
  buffer[me]!GATE(w),0;
#endif
  atomic { list[listed] = w; listed++ };
  atomic { drained(me) -> searching--; on_the_way--; parked++; counted = false };
  atomic { drained(me) -> lock = false };
#ifdef WAKE_WORD_OUTSIDE
  buffer[me]!GATE(w),0;
#endif
#if defined(ASYMMETRIC) && !defined(DROP_DRAIN)
  membarrier();
#endif
#ifndef DROP_RECHECK
  if
  :: has_work -> goto look_again
  :: else
  fi;
#endif

asleep:
  if
  :: gate[w] == 1 -> goto woken
  :: atomic { !lock && drained(me) -> lock = true }  // the idle timeout, at any time: lane::retire
  fi;
  if
  :: atomic { !in_list(w) -> lock = false }; goto claimed
  :: atomic { in_list(w) && parked > 0 -> parked--; alive-- };
    unlist(w);
    atomic { chosen = 0; lock = false; started[w] = false };
    goto end
  :: atomic { in_list(w) && parked == 0 -> lock = false }
  fi;
  // All who park are claimed: a gate will be opened, this one or that of a worker which parks now.
#ifdef WAIT_FOR_EVER
  goto claimed;
#else
  goto asleep;
#endif

look_again:
  if
  :: atomic { drained(me) && parked > 0 -> parked--; granted++; on_the_way++; count_claimed }
  :: atomic { drained(me) && parked == 0 }; goto asleep
  fi;
  atomic { !lock && drained(me) -> lock = true };
  unlist(w);
  if
  :: chosen == 1 -> atomic { chosen = 0; lock = false; granted--; counted = true; count_woken }; goto again
  :: else -> lock = false
  fi;
  open_one(me);

claimed:  // somebody is about to open this gate
  gate[w] == 1;
woken:
  atomic { drained(me) -> counted = true; count_woken };
  goto again;

found:
  if
  :: counted ->
    atomic { drained(me) -> searching--; on_the_way--; counted = false };
#ifdef DRAIN_AT_END
    membarrier();
#endif
#ifndef DROP_PASS_ON
    if
    :: has_work -> notify(me)
    :: else
    fi
#endif
  :: else
  fi;
  begun++;
#if WORKERS > 1 && !defined(SPAWN_MAY_FAIL)
  // The first event's handler waits until another one has started.
  if
  :: event == 0 -> begun > 1
  :: else
  fi;
#endif
  atomic { ran[event]++; assert(ran[event] == 1); event = NOBODY };
  goto again
}

proctype witness() {
  atomic {
    submitters_done == SUBMITTERS && all_gone ->
    assert(searching == 0 && parked == 0 && listed == 0 && granted == 0 && on_the_way == 0);
    assert(ran[0] == 1 && ran[1] == 1 && ran[ALL - 2] == 1 && ran[ALL - 1] == 1)
  }
}

init {
  atomic {
    run memory();
    run submitter(0);
    run submitter(1);
    run worker(0);
#if WORKERS > 1
    run worker(1);
#endif
    run witness()
  }
}

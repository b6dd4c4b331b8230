/* The states of runs (docs/pipelines.md 3): the types, the events and the table that says what follows from what. */
#ifndef FF_BASE_RUN_STATE_H
#define FF_BASE_RUN_STATE_H

#include <stdbool.h>

enum run_state {
#define RUN_STATE(symbol, type, terminal) symbol,
#include "base/run_state.def"
#undef RUN_STATE
    RUN_STATE_COUNT
};

enum run_event {
    RUN_START,  /* its process (a pipeline run: its first job) is started */
    RUN_CANCEL, /* a person or a time limit asked for it */
    RUN_SUCCEED,
    RUN_FAIL,
    RUN_RETRY,   /* the attempt failed and another follows */
    RUN_STOPPED, /* what was cancelled has ended */
    RUN_CRASH,   /* the process ended without a result */
    RUN_EVENT_COUNT
};

const char *run_state_type(enum run_state state); /* "SCHEDULED" */
const char *run_state_name(enum run_state state); /* "Scheduled": the usual name for people */
const char *run_event_name(enum run_event event); /* "start" */
bool run_state_terminal(enum run_state state);
bool run_state_parse(const char *type, enum run_state *state);
/* False when the event cannot happen in that state. */
bool run_state_next(enum run_state from, enum run_event event, enum run_state *to);

#endif

#include "base/run_state.h"

#include <stddef.h>
#include <string.h>

#include "base/attributes.h"

static const struct {
    const char *type;
    bool terminal;
} states[RUN_STATE_COUNT] = {
#define RUN_STATE(symbol, type, terminal) {type, terminal},
#include "base/run_state.def"
#undef RUN_STATE
};

static const char *const names[RUN_STATE_COUNT] = {
    [RUN_SCHEDULED] = "Scheduled",   [RUN_PENDING] = "Pending",     [RUN_RUNNING] = "Running",
    [RUN_CANCELLING] = "Cancelling", [RUN_COMPLETED] = "Completed", [RUN_FAILED] = "Failed",
    [RUN_CANCELLED] = "Cancelled",   [RUN_CRASHED] = "Crashed",
};

static const char *const event_names[RUN_EVENT_COUNT] = {
    [RUN_START] = "start", [RUN_CANCEL] = "cancel",   [RUN_SUCCEED] = "succeed", [RUN_FAIL] = "fail",
    [RUN_RETRY] = "retry", [RUN_STOPPED] = "stopped", [RUN_CRASH] = "crash",
};

#define NEXT(state) ((state) + 1) /* zero: not possible */

/* A task that finishes its work while it is being cancelled has won the race: it is COMPLETED or FAILED. */
static const unsigned char table[RUN_STATE_COUNT][RUN_EVENT_COUNT] = {
    [RUN_SCHEDULED] =
        {
            [RUN_START] = NEXT(RUN_RUNNING),
            [RUN_CANCEL] = NEXT(RUN_CANCELLED),
            [RUN_FAIL] = NEXT(RUN_FAILED),
            [RUN_CRASH] = NEXT(RUN_CRASHED),
        },
    [RUN_PENDING] =
        {
            [RUN_START] = NEXT(RUN_RUNNING),
            [RUN_CANCEL] = NEXT(RUN_CANCELLED),
            [RUN_FAIL] = NEXT(RUN_FAILED),
            [RUN_CRASH] = NEXT(RUN_CRASHED),
        },
    [RUN_RUNNING] =
        {
            [RUN_CANCEL] = NEXT(RUN_CANCELLING),
            [RUN_SUCCEED] = NEXT(RUN_COMPLETED),
            [RUN_FAIL] = NEXT(RUN_FAILED),
            [RUN_RETRY] = NEXT(RUN_SCHEDULED),
            [RUN_CRASH] = NEXT(RUN_CRASHED),
        },
    [RUN_CANCELLING] =
        {
            [RUN_SUCCEED] = NEXT(RUN_COMPLETED),
            [RUN_FAIL] = NEXT(RUN_FAILED),
            [RUN_STOPPED] = NEXT(RUN_CANCELLED),
            [RUN_CRASH] = NEXT(RUN_CRASHED),
        },
};

const char *run_state_type(enum run_state state)
{
    return states[state].type;
}

const char *run_state_name(enum run_state state)
{
    return names[state];
}

const char *run_event_name(enum run_event event)
{
    return event_names[event];
}

bool run_state_terminal(enum run_state state)
{
    return states[state].terminal;
}

bool run_state_parse(const char *type, enum run_state *state)
{
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++)
        if (strcmp(states[i].type, type) == 0) {
            *state = (enum run_state)i;
            return true;
        }
    return false;
}

bool run_state_next(enum run_state from, enum run_event event, enum run_state *to)
{
    unsigned next = table[from][event];
    if (!next)
        return false;
    *to = (enum run_state)(next - 1);
    return true;
}

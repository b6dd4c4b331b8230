/* The progress line of a conversion: on a terminal only, redrawn a few times a second by a thread of its own. */
#ifndef FF_APP_PROGRESS_H
#define FF_APP_PROGRESS_H

#include <pthread.h>

#include "job/convert.h"

struct progress_line {
    struct convert_progress *progress;
    pthread_t thread;
    atomic_bool stop;
    bool running;
    double started;
};

/* Nothing happens when standard error is no terminal. */
void progress_line_start(struct progress_line *line, struct convert_progress *progress);
/* Wipes the line. */
void progress_line_stop(struct progress_line *line);

/* "1,234,567" and "1.2 GiB": for people. Static sizes are enough for any value. */
const char *count_text(unsigned long long n, char into[32]);
const char *bytes_text(double n, char into[32]);

#endif

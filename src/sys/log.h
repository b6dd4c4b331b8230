/* The server's log: one JSON object a line on standard error. */
#ifndef FF_SYS_LOG_H
#define FF_SYS_LOG_H

#include "base/json.h"

enum log_level { LOG_INFO, LOG_WARNING, LOG_ERROR };

/* {"time", "level", "message", ...members of `fields`}; steals fields (NULL: none). Tokens and secrets never belong
 * into it. One write, so that lines of several threads do not mix; what cannot be written is lost. */
void log_line(enum log_level level, const char *message, json_t *fields);
/* With the error's code, message and hint. */
void log_error(const char *message, const struct error *err);

#endif

/* What the one who runs the server should know; what belongs to a run is in the run's own log. */
#include <stdarg.h>
#include <stdio.h>

#include "orchestrate/engine_state.h"

#define MESSAGE_MOST 2048

void engine_log(const struct engine *engine, const char *level, const char *format, ...)
{
    char message[MESSAGE_MOST];
    va_list args;
    if (!engine->options.log)
        return;
    va_start(args, format);
    int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (n >= (int)sizeof message) /* it was cut, perhaps within a character */
        message[str_utf8_prefix(str_of(message), sizeof message - 4)] = '\0';
    engine->options.log(engine->options.logger, level, message);
}

#include "app/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"

#define REDRAW_MICROS 200000
#define BAR_WIDTH 24

const char *count_text(unsigned long long n, char into[32])
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%llu", n), out = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            into[out++] = ',';
        into[out++] = digits[i];
    }
    into[out] = '\0';
    return into;
}

const char *bytes_text(double n, char into[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    while (n >= 1024 && unit + 1 < ARRAY_LENGTH(units)) {
        n /= 1024;
        unit++;
    }
    snprintf(into, 32, unit ? "%.1f %s" : "%.0f %s", n, units[unit]);
    return into;
}

static void draw(const struct progress_line *line)
{
    unsigned long long read = atomic_load(&line->progress->bytes_read),
                       total = atomic_load(&line->progress->bytes_total), rows = atomic_load(&line->progress->rows);
    double seconds = clock_seconds() - line->started, share = total ? (double)read / (double)total : 0;
    char rows_text[32], read_text[32], rate_text[32], bar[BAR_WIDTH + 1];
    if (share > 1)
        share = 1;
    int filled = (int)(share * BAR_WIDTH);
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, '.', (size_t)(BAR_WIDTH - filled));
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K[%s] %3.0f%%  %s rows  %s  %s/s", bar, share * 100, count_text(rows, rows_text),
            bytes_text((double)read, read_text), bytes_text((double)read / (seconds > 0 ? seconds : 1), rate_text));
    if (total && read > 0 && share < 1) {
        double left = seconds * (1 - share) / share;
        fprintf(stderr, "  ETA %.0f:%02.0f", left / 60, (double)((long)left % 60));
    }
    if (atomic_load(&line->progress->pass) > 1)
        fprintf(stderr, "  (pass %d)", atomic_load(&line->progress->pass));
}

static void *run(void *argument)
{
    struct progress_line *line = argument;
    while (!atomic_load(&line->stop)) {
        draw(line);
        usleep(REDRAW_MICROS);
    }
    return NULL;
}

void progress_line_start(struct progress_line *line, struct convert_progress *progress)
{
    *line = (struct progress_line){.progress = progress, .started = clock_seconds()};
    if (isatty(2))
        line->running = pthread_create(&line->thread, NULL, run, line) == 0;
}

void progress_line_stop(struct progress_line *line)
{
    if (!line->running)
        return;
    atomic_store(&line->stop, true);
    pthread_join(line->thread, NULL);
    fputs("\r\033[K", stderr);
    line->running = false;
}

#include "sys/id.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Crockford's base 32, lower case: no i, l, o, u. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void random_bytes(void *into, size_t n)
{
    uint8_t *at = into;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort(); /* see the header */
        at += got;
        n -= (size_t)got;
    }
}

/* The last one made by this process: the next of the same millisecond counts up from it. Guarded by the lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    uint64_t millis;
    uint16_t high;
    uint64_t low;
} last;

void id_make(char into[ID_CAP])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t millis = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    pthread_mutex_lock(&lock);
    if (millis > last.millis) {
        last.millis = millis;
        random_bytes(&last.high, sizeof last.high);
        random_bytes(&last.low, sizeof last.low);
        last.high &= 0x7FFF; /* room to count up */
    } else if (++last.low == 0) {
        last.high++;
    }
    uint64_t low = last.low, high = (last.millis << 16) | last.high;
    pthread_mutex_unlock(&lock);
    /* 128 bits as 26 digits of five bits, the first of which holds three. */
    for (int i = 25; i >= 0; i--) {
        into[i] = digits[low & 31];
        low = (low >> 5) | (high << 59);
        high >>= 5;
    }
    into[26] = '\0';
}

bool id_is_valid(const char *text)
{
    return strlen(text) == 26 && strspn(text, digits) == 26;
}

void random_hex(char *into, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        uint8_t byte;
        random_bytes(&byte, 1);
        into[2 * i] = hex[byte >> 4];
        into[2 * i + 1] = hex[byte & 15];
    }
    into[2 * n] = '\0';
}

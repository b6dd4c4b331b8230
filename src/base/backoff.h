/* How long to wait before the next attempt. */
#ifndef FF_BASE_BACKOFF_H
#define FF_BASE_BACKOFF_H

#define BACKOFF_MOST_SECONDS 600.0

/* first * 2^(attempt - 1), at most `most` seconds, of which up to a quarter is taken off at random so that what failed
 * together does not come back together. attempt counts from 1 (the one that failed); random is in [0, 1). */
double backoff_seconds(double first, double most, unsigned attempt, double random);

#endif

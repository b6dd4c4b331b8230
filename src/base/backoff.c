#include "base/backoff.h"

double backoff_seconds(double first, double most, unsigned attempt, double random)
{
    double wait = first;
    for (unsigned i = 1; i < attempt && wait < most; i++)
        wait *= 2;
    if (wait > most)
        wait = most;
    return wait * (1 - random / 4);
}

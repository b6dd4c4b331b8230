/* Staging directories of runs that were killed. */
#ifndef FF_LAKE_STAGING_SWEEP_H
#define FF_LAKE_STAGING_SWEEP_H

#define STAGING_MARK "owner"

/* Remove every directory of `parent` whose name begins with `prefix` and whose owner is gone. As far as possible: what
 * cannot be removed is left for the next time. */
void staging_sweep(const char *parent, const char *prefix);

#endif

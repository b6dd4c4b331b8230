/* Bad rows of a run (DESIGN 3.5): counted, the first 100 kept for people, all of them written to quarantine if asked.
 */
#ifndef FF_JOB_REJECTS_H
#define FF_JOB_REJECTS_H

#include "job/convert.h"

#define REJECTS_KEPT 100

struct rejects;
status rejects_create(struct rejects **rejects, const struct convert_options *options, struct convert_result *result,
                      struct error *err) MUST_USE;
/* A new pass: forget what the last one found. */
status rejects_restart(struct rejects *r, struct error *err) MUST_USE;
/* In order; positions are rebased by what the input's earlier chunks held. `schema` names the columns. */
status rejects_add(struct rejects *r, const struct reject_list *list, size_t input, uint64_t record_base,
                   uint64_t line_base, const struct schema *schema, struct error *err) MUST_USE;
/* The run cannot succeed any more (error_handling=fail and a bad row, or more than max_rejects). */
bool rejects_are_fatal(const struct rejects *r);
/* Enough is known to stop early: fatal, and the first 100 are there or the limit is passed. */
bool rejects_are_enough(const struct rejects *r);
/* ERR_BAD_ROWS when the run has to fail by its bad rows. */
status rejects_check(const struct rejects *r, struct error *err) MUST_USE;
status rejects_publish(struct rejects *r, struct convert_result *result, struct error *err) MUST_USE;
/* Take a published file back: the data could not be published. */
void rejects_withdraw(struct rejects *r);
void rejects_free(struct rejects *r);

#endif

#include "format/text_chunk.h"

#include <stdlib.h>

status decoded_reset(struct decoded *d, const struct schema *schema, size_t targets, struct error *err)
{
    if (d->observed_count != targets) {
        enum infer_class *observed = realloc(d->observed, (targets ? targets : 1) * sizeof *observed);
        if (!observed)
            return error_no_memory(err, targets * sizeof *observed);
        d->observed = observed;
        d->observed_count = targets;
    }
    for (size_t i = 0; i < targets; i++)
        d->observed[i] = INFER_NULL;
    reject_clear(&d->rejects);
    buf_clear(&d->new_keys);
    d->records = d->lines = 0;
    d->widened = false;
    return batch_reset(&d->batch, schema, err);
}

void decoded_release(struct decoded *d)
{
    batch_release(&d->batch);
    reject_release(&d->rejects);
    free(d->observed);
    buf_release(&d->new_keys);
    *d = (struct decoded){0};
}

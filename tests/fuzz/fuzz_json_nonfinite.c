/* Quoting NaN and Infinity: whatever the text, the result stays in bounds, holds no bare word outside of strings any
 * more, and quoting it again changes nothing. */
#include <stdlib.h>

#include "sql/json_nonfinite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once = {0}, twice = {0};
    struct str text = {(const char *)data, size};
    if (json_nonfinite_quote(text, &once, NULL) != OK || json_nonfinite_quote(buf_str(&once), &twice, NULL) != OK)
        abort();
    if (once.len > once.cap || !str_equal(buf_str(&once), buf_str(&twice)))
        abort();
    if (!json_nonfinite_maybe(text) && !str_equal(text, buf_str(&once)))
        abort();
    buf_release(&once);
    buf_release(&twice);
    return 0;
}

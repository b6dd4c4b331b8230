/* libFuzzer: whatever the bytes, a document is read or refused, and what was read is written so that it reads back as
 * the same (document_write checks that). */
#include <stdlib.h>

#include "job/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err;
    json_t *document = NULL, *record = NULL;
    struct field_errors errors = {0};
    struct buf text = {0};
    status s = document_parse((const char *)data, size, "fuzz", &document, &err);
    if (s == ERR_INVALID)
        return 0;
    if (s != OK || document_write(document, true, &text, &err) != OK)
        abort();
    if (field_table_apply(&document_fields, NULL, document, &record, &errors, &err) != OK)
        abort();
    if ((record != NULL) != (field_errors_count(&errors) == 0))
        abort();
    field_errors_release(&errors);
    json_decref(record);
    json_decref(document);
    buf_release(&text);
    return 0;
}

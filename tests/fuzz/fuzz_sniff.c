/* libFuzzer: whatever the bytes, the sniffer answers, within its ranges. */
#include <stdlib.h>
#include <string.h>

#include "format/sniff/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t options = data[0];
    data++;
    size--;
    bool at_end = options & 1;
    struct sniff_encoding encoding = sniff_encoding(data, size, at_end);
    require(encoding.name && encoding.sure >= 0 && encoding.sure <= 1 && encoding.bom_bytes <= size);
    (void)sniff_compression(data, size);

    struct sniff_given given = {.delimiter = options & 2 ? "::" : NULL,
                                .quote = options & 4 ? "'" : NULL,
                                .escape = options & 8 ? "\\" : NULL,
                                .header = options & 16 ? 1 : -1,
                                .skip_lines = options & 32 ? 2 : -1,
                                .comment = options & 64 ? "#" : NULL};
    struct sniff_text result;
    struct error err;
    require(sniff_text(data, size, at_end, &given, &result, &err) == OK);
    require(result.sure >= 0 && result.sure <= 1);
    require(result.reason[0] && memchr(result.reason, 0, sizeof result.reason));
    if (result.format == SNIFF_CSV) {
        size_t length = strnlen(result.dialect.delimiter, CSV_DELIMITER_MAX + 1);
        require(length >= 1 && length <= CSV_DELIMITER_MAX && result.columns >= 1);
        require(result.dialect.header == (result.dialect.header_lines > 0));
        require(result.dialect.skip_lines <= size + 2 && result.footer_lines <= size);
    }
    return 0;
}

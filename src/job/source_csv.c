/* csv_options of a source. */
#include <errno.h>
#include <iconv.h>

#include "format/csv/csv_dialect.h"
#include "job/source_tables.h"

static const struct field_def csv_rows[] = {
    {.key = "delimiter",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .min = 1,
     .max = CSV_DELIMITER_MAX,
     .label = "Delimiter",
     .help = "What stands between two fields; null: found out."},
    {.key = "header",
     .kind = FIELD_BOOLEAN,
     .flags = FIELD_NULLABLE,
     .label = "First line holds names",
     .help = "null: found out."},
    {.key = "encoding",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .min = 1,
     .max = 31,
     .pattern = "^[A-Za-z0-9][A-Za-z0-9_.:-]*$",
     .label = "Encoding",
     .help = "A name that iconv knows, such as UTF-8 or WINDOWS-1252; null: found out."},
    {.key = "quote",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .max = 1,
     .label = "Quote",
     .help = "One ASCII character; an empty text: none; null: found out."},
    {.key = "escape",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .max = 1,
     .label = "Escape",
     .help = "One ASCII character; an empty text: none; null: found out."},
    {.key = "comment",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .max = 1,
     .label = "Comment sign",
     .help = "Lines that begin with it are no rows; an empty text: none; null: found out."},
    {.key = "skip_lines",
     .kind = FIELD_INTEGER,
     .flags = FIELD_NULLABLE,
     .min = 0,
     .max = 1000000,
     .label = "Lines to skip",
     .help = "Lines before the header; null: found out."},
};

static status rule_sign(const json_t *record, const char *member, const char *pointer, struct field_errors *errors,
                        struct error *err)
{
    const char *sign = json_text(record, member, "");
    unsigned char c = (unsigned char)*sign;
    if (c < 0x80 && c != '\r' && c != '\n')
        return OK;
    return field_error_add(errors, err, pointer, "format",
                           "'%s' cannot be used: write one ASCII character that is no line end, or an empty text for "
                           "none",
                           sign);
}

static bool encoding_is_known(const char *name)
{
    iconv_t converter = iconv_open("UTF-8", name);
    if (converter == (iconv_t)-1)
        return errno != EINVAL; /* out of memory is no verdict */
    iconv_close(converter);
    return true;
}

static status csv_rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    const char *delimiter = json_text(record, "delimiter", NULL), *quote = json_text(record, "quote", NULL);
    const char *encoding = json_text(record, "encoding", NULL);
    status s = OK;
    if (delimiter && (strlen(delimiter) > CSV_DELIMITER_MAX || strpbrk(delimiter, "\r\n\"")))
        s = field_error_add(errors, err, "/delimiter", "format",
                            "a delimiter is 1 to %d bytes without line ends and quotes: write another one",
                            CSV_DELIMITER_MAX);
    else if (delimiter && quote && *quote && strchr(delimiter, *quote))
        s = field_error_add(errors, err, "/quote", "combination",
                            "the quote is a part of the delimiter: change one of them");
    if (s == OK)
        s = rule_sign(record, "quote", "/quote", errors, err);
    if (s == OK)
        s = rule_sign(record, "escape", "/escape", errors, err);
    if (s == OK)
        s = rule_sign(record, "comment", "/comment", errors, err);
    if (s == OK && encoding && !encoding_is_known(encoding))
        s = field_error_add(errors, err, "/encoding", "choice",
                            "there is no encoding '%s' here: write a name that `iconv --list` knows", encoding);
    return s;
}

const struct field_table csv_option_fields = {.name = "csv_options",
                                              .title = "CSV options",
                                              .fields = csv_rows,
                                              .count = ARRAY_LENGTH(csv_rows),
                                              .rules = csv_rules};

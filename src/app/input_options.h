/* The options that say how an input is read: the same for convert and preview. */
#ifndef FF_APP_INPUT_OPTIONS_H
#define FF_APP_INPUT_OPTIONS_H

#include "app/options.h"
#include "job/convert.h"
#include "job/user_schema.h"

struct input_settings {
    int from; /* index in input_format_names: enum file_format */
    const char *delimiter, *quote, *escape, *comment, *skip_lines, *encoding, *schema_path;
    bool header, no_header, all_text;
    struct text_list renames, null_values;
    uint64_t max_record, max_ratio;
};

extern const char *const input_format_names[];

#define INPUT_DEFAULTS                                                                                                 \
    {                                                                                                                  \
        .max_record = 16u << 20, .max_ratio = 1000                                                                     \
    }

/* Rows for an option table whose settings hold a `struct input_settings` at `member`. */
#define INPUT_OPTIONS(settings, member)                                                                                \
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, "Reading:"},                                                                 \
        {"from",                                                                                                       \
         0,                                                                                                            \
         OPTION_CHOICE,                                                                                                \
         offsetof(settings, member.from),                                                                              \
         "FORMAT",                                                                                                     \
         input_format_names,                                                                                           \
         "format of the inputs: auto, csv, ndjson, json (one array) or parquet; auto tells by content"},               \
        {"delimiter",                                                                                                  \
         'd',                                                                                                          \
         OPTION_TEXT,                                                                                                  \
         offsetof(settings, member.delimiter),                                                                         \
         "TEXT",                                                                                                       \
         NULL,                                                                                                         \
         "CSV: what stands between fields, 1 to 7 bytes; \\t is a tab. Guessed if not given"},                         \
        {"quote",                                                                                                      \
         0,                                                                                                            \
         OPTION_TEXT,                                                                                                  \
         offsetof(settings, member.quote),                                                                             \
         "CHAR",                                                                                                       \
         NULL,                                                                                                         \
         "CSV: the quote character; '' or none: there is none"},                                                       \
        {"escape",                                                                                                     \
         0,                                                                                                            \
         OPTION_TEXT,                                                                                                  \
         offsetof(settings, member.escape),                                                                            \
         "CHAR",                                                                                                       \
         NULL,                                                                                                         \
         "CSV: the quote character (doubled quotes), or \\ for backslash escapes; '' or none: there is none"},         \
        {"header",                                                                                                     \
         0,                                                                                                            \
         OPTION_FLAG,                                                                                                  \
         offsetof(settings, member.header),                                                                            \
         NULL,                                                                                                         \
         NULL,                                                                                                         \
         "CSV: the first record (after --skip-lines) holds the names"},                                                \
        {"no-header",                                                                                                  \
         0,                                                                                                            \
         OPTION_FLAG,                                                                                                  \
         offsetof(settings, member.no_header),                                                                         \
         NULL,                                                                                                         \
         NULL,                                                                                                         \
         "CSV: there are no names; columns become column_1, column_2, ..."},                                           \
        {"skip-lines",                                                                                                 \
         0,                                                                                                            \
         OPTION_TEXT,                                                                                                  \
         offsetof(settings, member.skip_lines),                                                                        \
         "N",                                                                                                          \
         NULL,                                                                                                         \
         "CSV: lines before the header or the first record"},                                                          \
        {"comment",                                                                                                    \
         0,                                                                                                            \
         OPTION_TEXT,                                                                                                  \
         offsetof(settings, member.comment),                                                                           \
         "CHAR",                                                                                                       \
         NULL,                                                                                                         \
         "CSV: lines that start with it are skipped"},                                                                 \
        {"encoding",                                                                                                   \
         0,                                                                                                            \
         OPTION_TEXT,                                                                                                  \
         offsetof(settings, member.encoding),                                                                          \
         "NAME",                                                                                                       \
         NULL,                                                                                                         \
         "text encoding, any that iconv knows (iconv -l); guessed if not given, UTF-8 without other signs"},           \
        {"schema",                                                                                                     \
         0,                                                                                                            \
         OPTION_TEXT,                                                                                                  \
         offsetof(settings, member.schema_path),                                                                       \
         "FILE",                                                                                                       \
         NULL,                                                                                                         \
         "exactly these columns, in this order: JSON array of {\"name\", \"type\", \"nullable\"}"},                    \
        {"all-text",                                                                                                   \
         0,                                                                                                            \
         OPTION_FLAG,                                                                                                  \
         offsetof(settings, member.all_text),                                                                          \
         NULL,                                                                                                         \
         NULL,                                                                                                         \
         "no types: every value is the text that stood there"},                                                        \
        {"rename",                                                                                                     \
         0,                                                                                                            \
         OPTION_WHOLE,                                                                                                 \
         offsetof(settings, member.renames),                                                                           \
         "FROM=TO",                                                                                                    \
         NULL,                                                                                                         \
         "rename a source column; repeatable. All other options use the new name"},                                    \
        {"null-values",                                                                                                \
         0,                                                                                                            \
         OPTION_LIST,                                                                                                  \
         offsetof(settings, member.null_values),                                                                       \
         "A,B",                                                                                                        \
         NULL,                                                                                                         \
         "texts that mean null beside the empty unquoted field, for example NA,NULL,-"},                               \
        {"max-record",                                                                                                 \
         0,                                                                                                            \
         OPTION_BYTES,                                                                                                 \
         offsetof(settings, member.max_record),                                                                        \
         "SIZE",                                                                                                       \
         NULL,                                                                                                         \
         "longest record (default 16M); a longer one is a bad row"},                                                   \
    {                                                                                                                  \
        "max-ratio", 0, OPTION_COUNT, offsetof(settings, member.max_ratio), "N", NULL,                                 \
            "most output bytes a compressed byte may give, beyond the first 64 MiB (default 1000; 0: no limit)"        \
    }

/* What the settings come to. Pointers into the settings and into *work, which is released by the caller. */
struct input_work {
    char delimiter[16];
    struct rename_pair *renames;
    struct user_schema schema;
};
status input_settings_apply(const struct input_settings *settings, struct input_work *work,
                            struct convert_options *options, struct error *err) MUST_USE;
void input_settings_release(struct input_settings *settings, struct input_work *work);

#endif

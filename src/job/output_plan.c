#include "job/output.h"

#include <string.h>
#include <sys/stat.h>

static const char *const compression_names[] = {
    [COMPRESSION_AUTO] = "auto",     [COMPRESSION_NONE] = "none", [COMPRESSION_GZIP] = "gzip",
    [COMPRESSION_SNAPPY] = "snappy", [COMPRESSION_ZSTD] = "zstd",
};

const char *convert_compression_name(enum convert_compression c)
{
    return compression_names[c];
}

/* What a file name says about its contents, longest endings first. */
static const struct {
    const char *ending;
    enum file_format format;
    enum convert_compression compression;
} endings[] = {
    {".csv.gz", FORMAT_CSV, COMPRESSION_GZIP},       {".csv.zst", FORMAT_CSV, COMPRESSION_ZSTD},
    {".ndjson.gz", FORMAT_NDJSON, COMPRESSION_GZIP}, {".ndjson.zst", FORMAT_NDJSON, COMPRESSION_ZSTD},
    {".jsonl.gz", FORMAT_NDJSON, COMPRESSION_GZIP},  {".jsonl.zst", FORMAT_NDJSON, COMPRESSION_ZSTD},
    {".json.gz", FORMAT_NDJSON, COMPRESSION_GZIP},   {".json.zst", FORMAT_NDJSON, COMPRESSION_ZSTD},
    {".parquet", FORMAT_PARQUET, COMPRESSION_AUTO},  {".csv", FORMAT_CSV, COMPRESSION_AUTO},
    {".ndjson", FORMAT_NDJSON, COMPRESSION_AUTO},    {".jsonl", FORMAT_NDJSON, COMPRESSION_AUTO},
    {".json", FORMAT_NDJSON, COMPRESSION_AUTO},
};

/* The extension always tells what is in the file. */
static const struct {
    enum file_format format;
    enum convert_compression compression;
    const char *extension;
} extensions[] = {
    {FORMAT_CSV, COMPRESSION_NONE, ".csv"},          {FORMAT_CSV, COMPRESSION_GZIP, ".csv.gz"},
    {FORMAT_CSV, COMPRESSION_ZSTD, ".csv.zst"},      {FORMAT_NDJSON, COMPRESSION_NONE, ".ndjson"},
    {FORMAT_NDJSON, COMPRESSION_GZIP, ".ndjson.gz"}, {FORMAT_NDJSON, COMPRESSION_ZSTD, ".ndjson.zst"},
};

static bool ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcasecmp(text + n - m, ending) == 0;
}

static bool is_directory(const char *path)
{
    struct stat st;
    return ends_with(path, "/") || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

status output_plan_make(struct output_plan *plan, const struct convert_options *options, struct error *err)
{
    struct output_plan p = {.format = options->to, .compression = options->compression};
    p.directory = is_directory(options->output) || options->split_inputs || options->partition_column_count ||
                  options->partition_date.n;
    enum convert_compression named = COMPRESSION_AUTO;
    for (size_t i = 0; !p.directory && i < ARRAY_LENGTH(endings); i++)
        if (ends_with(options->output, endings[i].ending)) {
            if (p.format == FORMAT_AUTO)
                p.format = endings[i].format;
            named = endings[i].compression;
            break;
        }
    if (p.format == FORMAT_AUTO)
        p.format = FORMAT_PARQUET;
    if (p.format == FORMAT_JSON)
        p.format = FORMAT_NDJSON;
    if (named != COMPRESSION_AUTO && p.compression != COMPRESSION_AUTO && p.compression != named) {
        status s = error_set(err, ERR_INVALID, "%s is named as %s, but --compression says %s", options->output,
                             convert_compression_name(named), convert_compression_name(p.compression));
        error_hint(err, "change the file's ending or the option");
        return s;
    }
    if (p.compression == COMPRESSION_AUTO)
        p.compression = named != COMPRESSION_AUTO    ? named
                        : p.format == FORMAT_PARQUET ? COMPRESSION_SNAPPY
                                                     : COMPRESSION_NONE;
    if (p.format != FORMAT_PARQUET && p.compression == COMPRESSION_SNAPPY) {
        status s = error_set(err, ERR_INVALID, "snappy is a codec for pages inside Parquet, not for %s files",
                             file_format_name(p.format));
        error_hint(err, "use --compression none, gzip or zstd, or write Parquet");
        return s;
    }
    p.extension = ".parquet";
    for (size_t i = 0; i < ARRAY_LENGTH(extensions); i++)
        if (extensions[i].format == p.format && extensions[i].compression == p.compression)
            p.extension = extensions[i].extension;
    if (options->partition_column_count && options->partition_date.n)
        return error_set(err, ERR_INVALID, "--partition-by takes columns or date:PATTERN, not both");
    *plan = p;
    return OK;
}

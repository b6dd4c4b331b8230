/* The parsers of single words that strangers send, one by the first byte: parts of a request, times, name patterns,
 * paths, watermarks. Whatever the bytes: no fault, and the promises below. */
#include <stdlib.h>
#include <string.h>

#include "api/auth.h"
#include "api/server_internal.h"
#include "api/upload.h"
#include "base/civil.h"
#include "base/json.h"
#include "lake/file_name.h"
#include "lake/partition.h"
#include "shape/watermark.h"
#include "sys/confine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void content_range(const char *text)
{
    struct error err;
    struct upload_request request = {.length = UINT64_MAX};
    if (upload_request_parse(text, NULL, &request, &err) == OK)
        require(request.resumes && (request.open_end || request.offset < request.total));
}

static void upload_offset(const char *text)
{
    struct error err;
    struct upload_request request = {.length = UINT64_MAX};
    if (upload_request_parse(NULL, text, &request, &err) == OK)
        require(request.resumes && request.offset <= INT64_MAX);
}

static void decoded_path(const char *text)
{
    bool bad;
    char *path = url_decode(text, true, &bad);
    if (!path)
        abort();
    require(strlen(path) <= strlen(text));
    if (!bad) {
        struct route_match match = {0};
        require(str_is_utf8(str_of(path)));
        api_route_find("GET", path, &match);
        require(!match.route || match.index < api_route_count());
    }
    free(path);
}

static void decoded_query(const char *text)
{
    bool bad;
    char *value = url_decode(text, false, &bad);
    if (!value)
        abort();
    require(bad || str_is_utf8(str_of(value)));
    free(value);
}

/* Only a token lets anybody in, and the origin of our page is let in only with our host's name. */
static void headers(const char *text, bool host)
{
    static const char *const origins[] = {"https://ui.example"};
    static struct api_auth *auth;
    struct error err;
    if (!auth && api_auth_create(&auth, "127.0.0.1", NULL, 0, &err) != OK)
        abort();
    struct api_context context = {.auth = auth, .allowed_origins = origins, .allowed_origin_count = 1};
    struct request_headers sent = {.method = "POST", .host = host ? text : "127.0.0.1:1"};
    struct api_response response = {0};
    char name[40];
    enum role role;
    if (!host)
        sent.origin = text;
    bool admitted = api_authenticate(&context, &sent, &role, name, sizeof name, &response);
    require(role == ROLE_NONE && (admitted || response.status == 403));
    if (!host && admitted)
        require(strstr(text, "127.0.0.1:1") || strncasecmp(text, origins[0], strlen(origins[0])) == 0);
    api_response_release(&response);
}

static void host_header(const char *text)
{
    headers(text, true);
}

static void origin_header(const char *text)
{
    headers(text, false);
}

static void time_of_day(const char *text)
{
    int64_t micros, again;
    char written[TIME_TEXT_CAP];
    if (!time_parse(text, &micros))
        return;
    time_text(micros, written);
    if (micros >= civil_days(1, 1, 1) * 86400000000 && micros < civil_days(10000, 1, 1) * 86400000000)
        require(time_parse(written, &again) && again == micros);
}

/* A name is one segment of a path and no hidden one; a path stays below its folder. */
static void file_pattern(const char *text)
{
    struct error err;
    struct buf name = {0};
    struct str parts = str_of(text);
    if (file_name_check(parts, &err) == OK) {
        const struct file_name_parts from = {.source = parts, .run_id = str_of("r"), .extension = str_of(".parquet")};
        status s = file_name_make(parts, &from, &name, &err);
        if (s == OK)
            require(name.len > 0 && name.len <= 255 && !memchr(name.data, '/', name.len) && name.data[0] != '.');
    }
    buf_release(&name);
}

static void partition_pattern(const char *text)
{
    struct error err;
    struct buf path = {0};
    bool good = partition_date_check(str_of(text), &err) == OK;
    require(good == (partition_date_path(str_of(text), 0, &path, &err) == OK));
    if (good) {
        require(path.len > 1 && path.data[0] != '/' && path.data[path.len - 1] == '/');
        require(buf_append(&path, "", 1, NULL) == OK);
        require(!strstr((const char *)path.data, "/../") && strncmp((const char *)path.data, "../", 3) != 0);
    }
    buf_release(&path);
}

static void local_path(const char *text)
{
    static const char *const roots[] = {"/usr/include"};
    struct error err;
    char *anchored = NULL, *resolved = NULL;
    if (confine_anchor(text, roots, 1, &anchored, &err) != OK)
        return;
    status s = path_has_glob(anchored) ? confine_pattern(anchored, roots, 1, &resolved, &err)
                                       : confine_path(anchored, roots, 1, &resolved, &err);
    if (s == OK)
        require(strncmp(resolved, roots[0], strlen(roots[0])) == 0 && !strstr(resolved, "/../"));
    free(resolved);
    free(anchored);
}

static void watermark_text(const char *text)
{
    struct error err;
    struct key_hash hash;
    char hex[WATERMARK_HASH_TEXT + 1];
    for (enum type_kind kind = TYPE_BOOLEAN; kind < TYPE_KIND_COUNT; kind++) {
        struct watermark_filter *filter = NULL;
        const struct data_type type = {kind, 18, 3};
        int order = 1;
        bool good = watermark_filter_create(&filter, str_of("c"), type, str_of(text), NULL, 0, &err) == OK;
        watermark_filter_free(filter);
        if (watermark_compare(str_of("c"), type, str_of(text), str_of(text), &order, &err) == OK)
            require(good && order == 0);
    }
    if (row_hash_parse(text, &hash)) {
        row_hash_text(hash, hex);
        require(strcasecmp(hex, text) == 0);
    }
}

static void (*const parsers[])(const char *text) = {content_range,     upload_offset, decoded_path,  decoded_query,
                                                    host_header,       origin_header, time_of_day,   file_pattern,
                                                    partition_pattern, local_path,    watermark_text};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    char *text = malloc(size); /* its end is where a sanitizer sees it */
    if (!text)
        abort();
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    parsers[data[0] % ARRAY_LENGTH(parsers)](text);
    free(text);
    return 0;
}

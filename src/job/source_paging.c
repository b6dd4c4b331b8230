/* paging of an API: which page comes next. */
#include <stdio.h>

#include "job/source_tables.h"

#define PARAM(member, name, sentence)                                                                                  \
    {                                                                                                                  \
        .key = member, .kind = FIELD_TEXT, .flags = OPTIONAL, .min = 1, .max = 200, .label = name, .help = sentence    \
    }

static const char *const paging_types[] = {"none", "page", "offset", "token", "body_link", "link_header", NULL};
static const char *const token_places[] = {"query", "header", "body", NULL};

static const struct field_def paging_rows[] = {
    {.key = "type",
     .kind = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .choices = paging_types,
     .label = "Paging",
     .help = "How the next page is asked for."},
    PARAM("page_param", "Page parameter", "Of page: the query parameter that takes the page's number."),
    PARAM("size_param", "Size parameter", "Of page: the query parameter that takes page_size."),
    {.key = "page_size",
     .kind = FIELD_INTEGER,
     .flags = OPTIONAL,
     .min = 1,
     .max = 1000000,
     .label = "Page size",
     .help = "Of page and offset: how many records to ask for; a page with fewer is the last."},
    {.key = "first_page",
     .kind = FIELD_INTEGER,
     .flags = OPTIONAL,
     .min = 0,
     .max = 1000000000,
     .label = "First page",
     .help = "Of page: its number; 1 when left out."},
    PARAM("offset_param", "Offset parameter", "Of offset: the query parameter that takes how many records to pass."),
    PARAM("limit_param", "Limit parameter", "Of offset: the query parameter that takes page_size."),
    PARAM("next_token_path", "Path of the token", "Of token: where a page holds the next one's, like meta.next."),
    PARAM("token_param", "Token parameter", "Of token: the name under which it is sent."),
    {.key = "token_in",
     .kind = FIELD_ENUM,
     .flags = OPTIONAL,
     .choices = token_places,
     .label = "Where the token goes",
     .help = "Of token: query (the usual place), header, or a member of a JSON body."},
    PARAM("next_link_path", "Path of the link", "Of body_link: where a page holds the next one's URL."),
    PARAM("total_path", "Path of the total", "Of page and offset: where a page holds the number of all records."),
    {.key = "max_pages",
     .kind = FIELD_INTEGER,
     .flags = FIELD_ADVANCED,
     .default_json = "100000",
     .min = 1,
     .max = 100000000,
     .label = "Most pages",
     .help = "A run that would need more fails."},
};

/* Which members go with which type. */
static const struct {
    const char *type, *required[3], *optional[4];
} paging_members[] = {
    {"none", {0}, {0}},
    {"page", {"page_param"}, {"size_param", "page_size", "first_page", "total_path"}},
    {"offset", {"offset_param", "limit_param", "page_size"}, {"total_path"}},
    {"token", {"next_token_path", "token_param"}, {"token_in"}},
    {"body_link", {"next_link_path"}, {0}},
    {"link_header", {0}, {0}},
};

static bool is_one_of(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count && list[i]; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

/* Every row but the first and the last, type and max_pages, belongs to some types only. */
static status paging_rules(const json_t *paging, struct field_errors *errors, struct error *err)
{
    const char *type = json_text(paging, "type", NULL);
    char pointer[40];
    status s = OK;
    for (size_t t = 0; type && t < ARRAY_LENGTH(paging_members); t++) {
        if (strcmp(paging_members[t].type, type) != 0)
            continue;
        for (size_t i = 1; s == OK && i + 1 < ARRAY_LENGTH(paging_rows); i++) {
            const char *key = paging_rows[i].key;
            bool there = json_object_get(paging, key) != NULL;
            bool required = is_one_of(paging_members[t].required, ARRAY_LENGTH(paging_members[t].required), key);
            bool known =
                required || is_one_of(paging_members[t].optional, ARRAY_LENGTH(paging_members[t].optional), key);
            snprintf(pointer, sizeof pointer, "/%s", key);
            if (required && !there)
                s = field_error_add(errors, err, pointer, "required", "type=%s needs it. %s", type,
                                    paging_rows[i].help);
            else if (!known && there)
                s = field_error_add(errors, err, pointer, "combination", "type=%s does not use %s: leave it out", type,
                                    key);
        }
    }
    bool size = json_object_get(paging, "page_size") != NULL, param = json_object_get(paging, "size_param") != NULL;
    if (s == OK && param && !size)
        s = field_error_add(errors, err, "/page_size", "required", "size_param needs the page_size that it takes");
    return s;
}

const struct field_table paging_fields = {.name = "paging",
                                          .title = "Paging",
                                          .fields = paging_rows,
                                          .count = ARRAY_LENGTH(paging_rows),
                                          .rules = paging_rules};

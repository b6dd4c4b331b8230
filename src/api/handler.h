/* What handlers have in common: query parameters, answers with their ETag, write transactions with their audit. */
#ifndef FF_API_HANDLER_H
#define FF_API_HANDLER_H

#include "api/route.h"

#define QUERY_TEXT "{\"type\": \"string\"}"
#define QUERY_FLAG "{\"type\": \"boolean\"}"
#define QUERY_LIMIT "{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 500, \"default\": 50}"
/* Rows of api_query_param tables of paged lists. */
#define QUERY_PAGE                                                                                                     \
    {"limit", "How many items at most.", QUERY_LIMIT},                                                                 \
    {                                                                                                                  \
        "cursor", "next_cursor of the page before.", QUERY_TEXT                                                        \
    }

/* A query parameter; NULL when it is absent or empty. */
const char *api_query(const struct api_request *request, const char *name);
/* "true" or "1", "false" or "0"; anything else is ERR_INVALID. */
status api_query_flag(const struct api_request *request, const char *name, bool fallback, bool *value,
                      struct error *err) MUST_USE;
/* A whole number within [min, max]. */
status api_query_number(const struct api_request *request, const char *name, int64_t min, int64_t max, int64_t fallback,
                        int64_t *value, struct error *err) MUST_USE;
/* One of the NULL-terminated words; *value NULL when it is absent. */
status api_query_choice(const struct api_request *request, const char *name, const char *const *choices,
                        const char **value, struct error *err) MUST_USE;

/* Sets status and body; steals `body` (also on failure). NULL body is ERR_NO_MEMORY. */
status api_answer(struct api_response *response, int code, json_t *body, struct error *err) MUST_USE;
/* The same for a record, with the ETag of its updated_at. */
status api_answer_record(struct api_response *response, int code, json_t *record, struct error *err) MUST_USE;
/* ERR_PRECONDITION when the request has an If-Match that the record's ETag is not in. */
status api_match(const struct api_request *request, const json_t *record, struct error *err) MUST_USE;
/* The 400 with `problems` [{pointer, code, message}] (stolen). */
status api_answer_problems(struct api_response *response, json_t *problems, struct error *err) MUST_USE;

/* One write transaction. */
struct api_write {
    struct store *store;
    struct db *db;
};
status api_write_begin(struct api_context *context, struct api_write *write, struct error *err) MUST_USE;
status api_write_commit(struct api_write *write, struct error *err) MUST_USE;
/* Rolls back what was not committed. A zeroed struct is fine. */
void api_write_end(struct api_write *write);
/* Who did what, within the transaction; steals `details` (NULL: none). */
status api_audit(struct api_write *write, const struct api_request *request, const char *action, const char *type,
                 const char *id, json_t *details, struct error *err) MUST_USE;
/* For the audit of an update: {"members": [names of the request's members]}; values may be secrets. */
status api_changed_members(const json_t *body, json_t **details, struct error *err) MUST_USE;

/* The pipeline of the path's first parameter (id or name). */
status api_pipeline(struct api_context *context, const struct api_request *request, json_t **pipeline,
                    struct error *err) MUST_USE;

#endif

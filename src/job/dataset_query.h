/* A user's SQL as a query, and rows of a query as an answer. */
#ifndef FF_JOB_DATASET_QUERY_H
#define FF_JOB_DATASET_QUERY_H

#include "job/dataset_session.h"
#include "sql/query_stream.h"

/* Check and prepare the SQL as it stands, so that errors are about its own lines: *where tells the place, and so does
 * the message when `say_where`. *query has its columns; *from is what query_stream_start wants. The caller releases
 * both, also after an error. */
status dataset_query_prepare(struct dataset_session *session, const char *sql, bool say_where,
                             struct query_stream *query, struct buf *from, struct sql_position *where,
                             struct error *err) MUST_USE;
/* Run the query and answer {"columns": [...], "rows": [[text or null]]}; texts longer than 4 KiB are cut. */
status dataset_query_answer(struct query_stream *query, struct str from, json_t **answer, struct error *err) MUST_USE;

#endif

/* Whether a query's columns are what the job declares and what its dataset holds already. */
#ifndef FF_JOB_DATASET_SCHEMA_H
#define FF_JOB_DATASET_SCHEMA_H

#include "base/json.h"
#include "sql/query_stream.h"

/* Hold the query's columns to `declared` (output_schema; JSON null: nothing is declared): the same names in the same
 * order, each of the declared type or of one whose values all can be cast to it, or fail to be, without loss; then they
 * are cast. A declared column that is not nullable becomes not_null: the caller checks the rows. ERR_INVALID names the
 * column, what is expected and what is there. */
status dataset_schema_declare(struct query_stream *query, const json_t *declared, struct error *err) MUST_USE;
/* Rows are added to a dataset of the columns `existing`: columns of one name get the existing type in the same way.
 * *united: the dataset's columns afterwards, existing ones first; null where one side has no column. */
status dataset_schema_unite(struct query_stream *query, const struct schema *existing, struct schema *united,
                            struct error *err) MUST_USE;
/* ERR_BAD_DATA when a not_null column of the schema holds a null; `first_row` counts the result's rows from 0. */
status dataset_schema_check_rows(const struct schema *schema, const struct batch *batch, uint64_t first_row,
                                 struct error *err) MUST_USE;

#endif

/* Which type a column has, from every one of its values (DESIGN 3.2). A class is a point in a
 * lattice; seeing a value joins its class into the column's. The final type is that of the join. */
#ifndef FF_BATCH_INFER_H
#define FF_BATCH_INFER_H

#include "batch/type.h"

enum infer_class {
    INFER_NULL, /* no value yet */
    INFER_BOOLEAN,
    INFER_INT53, /* integers, all |x| <= 2^53: may still become double */
    INFER_INT64, /* integers, some beyond 2^53: cannot become double */
    INFER_DOUBLE,
    INFER_DATE,
    INFER_TIMESTAMP,
    INFER_TIMESTAMPTZ,
    INFER_STRING,
    INFER_JSON, /* JSON input only: objects or arrays, perhaps mixed with anything */
    INFER_CLASS_COUNT
};

enum infer_class infer_join(enum infer_class a, enum infer_class b);
/* Class of one non-null CSV cell, by the INFER grammar of cast.h (same padding rule). */
enum infer_class infer_text(const char *text, size_t n);
/* Class of one JSON string's contents: date, timestamp, timestamptz or string; never a number or boolean. */
enum infer_class infer_json_string(const char *text, size_t n);
/* INFER_NULL gives TYPE_NULL; a finished schema turns that into string. */
struct data_type infer_type(enum infer_class c);

#endif

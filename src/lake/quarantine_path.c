#include "lake/quarantine_path.h"

#include "base/civil.h"
#include "lake/partition.h"
#include "lake/percent_encoding.h"

static status append_part(const char *name, struct str value, struct buf *path, struct error *err)
{
    status s = buf_printf(path, err, "%s=", name);
    if (s == OK)
        s = value.n ? percent_encode(value, path, err) : buf_append_str(path, STR(HIVE_DEFAULT_PARTITION), err);
    return s == OK ? buf_append(path, "/", 1, err) : s;
}

status quarantine_path(struct str job, struct str run_id, int64_t run_micros, uint32_t sequence, struct buf *path,
                       struct error *err)
{
    struct civil t = civil_of_micros(run_micros);
    status s = append_part("job", job, path, err);
    if (s == OK)
        s = buf_printf(path, err, "dt=%04d-%02d-%02d/", t.year, t.month, t.day);
    if (s == OK)
        s = append_part("run_id", run_id, path, err);
    return s == OK ? buf_printf(path, err, "rejects-%05u.parquet", sequence) : s;
}

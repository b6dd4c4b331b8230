#include "orchestrate/commit.h"

#include <stdlib.h>

#include "lake/publish.h"

typedef status files_action(struct storage *lake, const char *run_id, const struct publish_file *files, size_t count,
                            struct error *err);

static status with_files(struct storage *lake, const char *run_id, const json_t *rows, files_action *act,
                         struct error *err)
{
    size_t count = json_array_size(rows);
    struct publish_file *files = calloc(count + 1, sizeof *files);
    if (!files)
        return error_no_memory(err, count * sizeof *files);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        files[i] = (struct publish_file){json_text(row, "staged", ""), json_text(row, "path", "")};
    }
    status s = act(lake, run_id, files, count, err);
    free(files);
    return s;
}

status commit_publish_files(struct storage *lake, const char *run_id, const json_t *files, struct error *err)
{
    return with_files(lake, run_id, files, publish_files, err);
}

status commit_unpublish_files(struct storage *lake, const char *run_id, const json_t *files, struct error *err)
{
    return with_files(lake, run_id, files, unpublish_files, err);
}

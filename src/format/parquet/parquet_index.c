#include "format/parquet/parquet_index.h"

#include "format/parquet/parquet_stats.h"
#include "format/parquet/thrift_compact.h"

/* parquet.thrift, BoundaryOrder */
enum boundary_order { BOUNDARY_UNORDERED = 0, BOUNDARY_ASCENDING = 1, BOUNDARY_DESCENDING = 2 };

static struct str bound_min(const struct parquet_group_meta *group, const struct parquet_page_meta *page)
{
    if (page->is_null)
        return (struct str){0};
    return (struct str){(const char *)group->bounds.data + page->bounds.at, page->bounds.min_bytes};
}

static struct str bound_max(const struct parquet_group_meta *group, const struct parquet_page_meta *page)
{
    if (page->is_null)
        return (struct str){0};
    size_t at = page->bounds.at + page->bounds.min_bytes;
    return (struct str){(const char *)group->bounds.data + at, page->bounds.max_bytes};
}

/* Both lists of bounds, as they are written, must follow the order; pages of nulls do not count. */
static enum boundary_order order_of(const struct parquet_group_meta *group, const struct parquet_page_meta *pages,
                                    size_t count, struct parquet_type type)
{
    bool ascending = true, descending = true;
    const struct parquet_page_meta *before = NULL;
    for (size_t i = 0; i < count; i++) {
        if (pages[i].is_null)
            continue;
        if (before) {
            int min = parquet_compare(type, bound_min(group, before), bound_min(group, &pages[i]));
            int max = parquet_compare(type, bound_max(group, before), bound_max(group, &pages[i]));
            ascending = ascending && min <= 0 && max <= 0;
            descending = descending && min >= 0 && max >= 0;
        }
        before = &pages[i];
    }
    return ascending ? BOUNDARY_ASCENDING : descending ? BOUNDARY_DESCENDING : BOUNDARY_UNORDERED;
}

status parquet_write_column_index(const struct parquet_group_meta *group, const struct parquet_chunk_meta *chunk,
                                  struct buf *to, struct error *err)
{
    const struct parquet_page_meta *pages = parquet_pages(group) + chunk->first_page;
    size_t count = chunk->page_count;
    struct thrift_writer w;
    thrift_writer_init(&w, to, err);
    thrift_list(&w, 1, THRIFT_TRUE, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_bool(&w, pages[i].is_null);
    thrift_list(&w, 2, THRIFT_BINARY, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_binary(&w, bound_min(group, &pages[i]));
    thrift_list(&w, 3, THRIFT_BINARY, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_binary(&w, bound_max(group, &pages[i]));
    thrift_i32(&w, 4, order_of(group, pages, count, parquet_type_of(chunk->type)));
    thrift_list(&w, 5, THRIFT_I64, count);
    for (size_t i = 0; i < count; i++)
        thrift_element_i64(&w, pages[i].null_count);
    thrift_struct_end(&w);
    return thrift_writer_status(&w);
}

status parquet_write_offset_index(const struct parquet_group_meta *group, const struct parquet_chunk_meta *chunk,
                                  uint64_t base, struct buf *to, struct error *err)
{
    const struct parquet_page_meta *pages = parquet_pages(group) + chunk->first_page;
    struct thrift_writer w;
    thrift_writer_init(&w, to, err);
    thrift_list(&w, 1, THRIFT_STRUCT, chunk->page_count);
    for (size_t i = 0; i < chunk->page_count; i++) {
        thrift_element_struct(&w); /* PageLocation */
        thrift_i64(&w, 1, (int64_t)(base + pages[i].at));
        thrift_i32(&w, 2, (int32_t)pages[i].bytes);
        thrift_i64(&w, 3, (int64_t)pages[i].first_row);
        thrift_struct_end(&w);
    }
    thrift_struct_end(&w);
    return thrift_writer_status(&w);
}

#include "shape/spill.h"

#include <stdio.h>

#include "sys/file.h"

/* At the start of every block: the one before it in its chain. */
struct block_head {
    uint64_t previous_at;
    uint32_t previous_length;
    uint32_t unused;
};

#define PUNCH_MIN 16384 /* smaller holes free little and cost a call each */

void spill_file_init(struct spill_file *file, const char *dir)
{
    *file = (struct spill_file){.dir = dir, .fd = -1};
    snprintf(file->name, sizeof file->name, "%.200s/(temporary file)", dir);
}

void spill_file_release(struct spill_file *file)
{
    if (file->open)
        file_close(file->fd);
    file->open = false;
}

status spill_file_open(struct spill_file *file, struct error *err)
{
    if (file->open)
        return OK;
    status s = file_open_anonymous(file->dir, &file->fd, err);
    file->open = s == OK;
    return s;
}

void spill_chain_release(struct spill_chain *chain)
{
    buf_release(&chain->block);
}

static status write_block(struct spill_file *file, struct spill_chain *chain, struct error *err)
{
    status s = spill_file_open(file, err);
    if (s == OK)
        s = file_pwrite_all(file->fd, chain->block.data, chain->block.len, file->end, file->name, err);
    if (s != OK)
        return s;
    chain->last_at = file->end;
    chain->last_length = (uint32_t)chain->block.len;
    file->end += chain->block.len;
    buf_clear(&chain->block);
    return OK;
}

status spill_append(struct spill_file *file, struct spill_chain *chain, size_t block_bytes, const void *head,
                    size_t head_length, const void *tail, size_t tail_length, struct error *err)
{
    struct buf *block = &chain->block;
    size_t n = head_length + tail_length;
    status s = OK;
    if (block->len && n > (block->cap > block_bytes ? block->cap : block_bytes) - block->len)
        s = write_block(file, chain, err);
    if (block->len == 0 && block->cap > 2 * block_bytes + 256) /* one large record made it so */
        buf_release(block);
    if (s == OK && block->len == 0) {
        size_t wanted = sizeof(struct block_head) + n;
        if (wanted > UINT32_MAX)
            return error_set(err, ERR_LIMIT, "an order value exceeds 4 GiB");
        s = buf_reserve(block, wanted > block_bytes ? wanted : block_bytes, err);
        struct block_head link = {.previous_at = chain->last_at, .previous_length = chain->last_length};
        if (s == OK)
            buf_append_unsafe(block, &link, sizeof link);
    }
    if (s == OK) {
        buf_append_unsafe(block, head, head_length);
        buf_append_unsafe(block, tail, tail_length);
    }
    return s;
}

status spill_flush(struct spill_file *file, struct spill_chain *chain, struct error *err)
{
    status s = chain->block.len ? write_block(file, chain, err) : OK;
    buf_release(&chain->block);
    return s;
}

status spill_take(struct spill_file *file, struct spill_chain *chain, struct buf *into, struct str *records,
                  struct error *err)
{
    struct block_head link;
    uint64_t at = chain->last_at;
    uint32_t n = chain->last_length;
    *records = (struct str){0};
    if (n == 0)
        return OK;
    status s = buf_resize(into, n, err);
    if (s == OK)
        s = file_pread_all(file->fd, into->data, n, at, file->name, err);
    if (s != OK)
        return s;
    memcpy(&link, into->data, sizeof link);
    chain->last_at = link.previous_at;
    chain->last_length = link.previous_length;
    if (n >= PUNCH_MIN)
        file_punch_hole(file->fd, at, n);
    *records = (struct str){(const char *)into->data + sizeof link, n - sizeof link};
    return OK;
}

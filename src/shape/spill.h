/* Records that memory has no room for, in one temporary file without a name. The file is a heap of blocks; a chain is
 * a list of blocks that belong together, written as they fill and read back once, last block first. */
#ifndef FF_SHAPE_SPILL_H
#define FF_SHAPE_SPILL_H

#include "base/buf.h"

struct spill_file {
    const char *dir; /* borrowed */
    int fd;          /* made by the first write */
    bool open;
    uint64_t end;
    char name[256]; /* for messages */
};

void spill_file_init(struct spill_file *file, const char *dir);
void spill_file_release(struct spill_file *file);
/* Make the file now. */
status spill_file_open(struct spill_file *file, struct error *err) MUST_USE;

struct spill_chain {
    struct buf block;     /* being filled */
    uint64_t last_at;     /* of the last block written */
    uint32_t last_length; /* 0: none was */
};

/* Append a record of two parts; a block that has no room left for it is written first. Blocks are of `block_bytes`
 * unless one record is larger. */
status spill_append(struct spill_file *file, struct spill_chain *chain, size_t block_bytes, const void *head,
                    size_t head_length, const void *tail, size_t tail_length, struct error *err) MUST_USE;
/* Write the block being filled and free its memory. */
status spill_flush(struct spill_file *file, struct spill_chain *chain, struct error *err) MUST_USE;
/* Take the last block off a flushed chain: whole records in the order they were appended. *records is empty when none
 * is left. The block's room in the file is given back. `into` holds the bytes. */
status spill_take(struct spill_file *file, struct spill_chain *chain, struct buf *into, struct str *records,
                  struct error *err) MUST_USE;
void spill_chain_release(struct spill_chain *chain);

#endif

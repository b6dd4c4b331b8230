/* Rows by COPY ... TO STDOUT (FORMAT binary). libpq gives one malloc'ed copy a row, which takes longer than decoding
 * it. So without TLS the statement is sent, and its answer received, on libpq's socket by the protocol itself
 * (PostgreSQL manual, "Message Formats"), from one idle state to the next, so that libpq notices nothing. With TLS the
 * bytes are libpq's to decrypt, and rows come through PQgetCopyData. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "source/postgres/pg_bytes.h"
#include "source/postgres/pg_session.h"

#define PIECE_BYTES ((size_t)8 << 20)
#define PIECE_LEAST ((size_t)256 << 10)
#define RECEIVE_BYTES ((size_t)256 << 10)
#define MESSAGE_MOST ((size_t)256 << 20) /* a row */

struct pg_copy {
    struct db_session *session;
    struct pg_columns columns;
    size_t piece_bytes;
    bool direct;      /* on the socket */
    bool first;       /* the format's header is still to come */
    bool rows_end;    /* CopyDone came */
    bool idle;        /* ReadyForQuery came: libpq may go on */
    struct buf carry; /* received beyond the last whole message */
};

/* ---- the protocol ---- */

static status send_query(struct pg_copy *copy, struct str sql, struct error *err)
{
    int fd = copy->session->pq.PQsocket(copy->session->connection);
    struct buf message = {0};
    uint32_t length = __builtin_bswap32((uint32_t)sql.n + 5);
    status s =
        sql.n < INT32_MAX - 16 ? buf_append(&message, "Q", 1, err) : error_set(err, ERR_LIMIT, "query: too long");
    if (s == OK)
        s = buf_append(&message, &length, sizeof length, err);
    if (s == OK)
        s = buf_append_str(&message, sql, err);
    if (s == OK)
        s = buf_append(&message, "", 1, err);
    for (size_t sent = 0; s == OK && sent < message.len;) {
        ssize_t n = send(fd, message.data + sent, message.len - sent, MSG_NOSIGNAL);
        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            s = pg_wait(copy->session, POLLOUT, err);
        else if (errno != EINTR)
            s = error_set(err, ERR_UNAVAILABLE, "the connection to PostgreSQL %s was lost: %s", copy->session->server,
                          strerror(errno));
    }
    buf_release(&message);
    return s;
}

/* ErrorResponse: fields of a letter and a text, ended by a zero. */
static status take_error(struct pg_copy *copy, const uint8_t *at, size_t n, struct error *err)
{
    const char *state = NULL, *message = NULL, *detail = NULL;
    for (const uint8_t *end = at + n; at < end && *at;) {
        const char *text = (const char *)at + 1;
        const uint8_t *stop = memchr(text, 0, (size_t)(end - at - 1));
        if (!stop)
            break;
        if (*at == 'C')
            state = text;
        else if (*at == 'M')
            message = text;
        else if (*at == 'D')
            detail = text;
        at = stop + 1;
    }
    return pg_server_error(copy->session, state, message, detail, err);
}

static status disordered(struct pg_copy *copy, struct error *err)
{
    status s =
        error_set(err, ERR_BAD_DATA, "PostgreSQL %s: its answer does not follow the protocol", copy->session->server);
    error_hint(err, "is there a proxy between FlowForge and PostgreSQL that alters what passes?");
    return s;
}

/* One whole message, its contents n bytes. */
static status take_message(struct pg_copy *copy, uint8_t type, const uint8_t *at, size_t n, struct error *err)
{
    switch (type) {
    case 'H': /* CopyOutResponse: the format (1: binary), the number of columns */
        return n >= 3 && at[0] == 1 && pg_u16(at + 1) == copy->columns.schema.count ? OK : disordered(copy, err);
    case 'E':
        return take_error(copy, at, n, err);
    case 'c': /* CopyDone */
        copy->rows_end = true;
        return OK;
    case 'Z': /* ReadyForQuery */
        copy->idle = true;
        return copy->rows_end ? OK : disordered(copy, err);
    case 'C': /* CommandComplete */
    case 'N': /* a notice, a changed setting, a notification: nothing to us */
    case 'S':
    case 'A':
        return OK;
    default:
        return disordered(copy, err);
    }
}

static status lost(struct pg_copy *copy, const char *why, struct error *err)
{
    if (atomic_load(&copy->session->cancelled))
        return error_set(err, ERR_CANCELLED, "cancelled");
    status s = error_set(err, ERR_UNAVAILABLE, "the connection to PostgreSQL %s was lost while rows came: %s",
                         copy->session->server, why);
    error_hint(err, "nothing was published; try again when the server is up");
    return s;
}

/* At least one byte more behind what is there. */
static status receive(struct pg_copy *copy, struct buf *into, size_t room, struct error *err)
{
    int fd = copy->session->pq.PQsocket(copy->session->connection);
    status s = buf_reserve(into, room, err);
    while (s == OK) {
        ssize_t n = recv(fd, into->data + into->len, into->cap - into->len, 0);
        if (n > 0) {
            into->len += (size_t)n;
            return OK;
        }
        if (n == 0)
            return lost(copy, "the server closed it", err);
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            s = pg_wait(copy->session, POLLIN, err);
        else if (errno != EINTR)
            return lost(copy, strerror(errno), err);
    }
    return s;
}

/* Messages from `*at` on, until one is not whole, `most` bytes are passed, or the answer ends. *want: bytes that the
 * next one lacks at least. */
static status walk(struct pg_copy *copy, const struct buf *b, size_t most, size_t *at, uint64_t *rows, size_t *want,
                   struct error *err)
{
    *want = PG_MESSAGE_HEAD;
    while (*at < most && !copy->idle) {
        size_t there = b->len - *at;
        if (there < PG_MESSAGE_HEAD) {
            *want = PG_MESSAGE_HEAD - there;
            return OK;
        }
        size_t length = pg_u32(b->data + *at + 1);
        if (length < 4)
            return disordered(copy, err);
        if (length > MESSAGE_MOST) {
            status s =
                error_set(err, ERR_LIMIT, "a row of %zu bytes is longer than a row may be (%zu)", length, MESSAGE_MOST);
            error_hint(err, "leave the column with the very large values out, by a query");
            return s;
        }
        if (length + 1 > there) {
            *want = length + 1 - there;
            return OK;
        }
        if (b->data[*at] == 'd') {
            (*rows)++;
        } else {
            status s = take_message(copy, b->data[*at], b->data + *at + PG_MESSAGE_HEAD, length - 4, err);
            if (s != OK)
                return s;
        }
        *at += length + 1;
    }
    *want = 0;
    return OK;
}

static status begin_piece(struct pg_copy *copy, struct buf *piece, struct error *err)
{
    const struct pg_piece none = {0};
    buf_clear(piece);
    status s = buf_reserve(piece, copy->piece_bytes + RECEIVE_BYTES + sizeof none + copy->carry.len, err);
    if (s == OK)
        buf_append_unsafe(piece, &none, sizeof none);
    return s;
}

static void end_piece(struct pg_copy *copy, struct buf *piece, uint64_t rows, bool *end)
{
    struct pg_piece head = {.messages = rows, .first = copy->first};
    if (rows)
        copy->first = false;
    memcpy(piece->data, &head, sizeof head);
    *end = rows == 0;
}

static status take_direct(struct pg_copy *copy, struct buf *piece, bool *end, struct error *err)
{
    size_t at = sizeof(struct pg_piece), want = 0;
    uint64_t rows = 0;
    status s = begin_piece(copy, piece, err);
    if (s == OK)
        s = buf_append(piece, copy->carry.data, copy->carry.len, err);
    buf_clear(&copy->carry);
    while (s == OK && !copy->idle) {
        s = walk(copy, piece, copy->piece_bytes, &at, &rows, &want, err);
        if (s != OK || want == 0)
            break;
        s = receive(copy, piece, want > RECEIVE_BYTES ? want : RECEIVE_BYTES, err);
    }
    if (s == OK)
        s = buf_append(&copy->carry, piece->data + at, piece->len - at, err);
    if (s != OK)
        return s;
    piece->len = at;
    end_piece(copy, piece, rows, end);
    return OK;
}

/* ---- through libpq ---- */

static status take_end(struct pg_copy *copy, struct error *err)
{
    const struct libpq_api *pq = &copy->session->pq;
    status s = OK;
    for (PGresult *r; (r = pq->PQgetResult(copy->session->connection)) != NULL; pq->PQclear(r))
        if (s == OK && pq->PQresultStatus(r) != PGRES_COMMAND_OK)
            s = pg_result_error(copy->session, r, err);
    copy->idle = true;
    return s;
}

static status take_row(struct pg_copy *copy, struct buf *piece, uint64_t *rows, struct error *err)
{
    const struct libpq_api *pq = &copy->session->pq;
    char *row = NULL;
    /* Blocking: whether decrypted bytes wait in the TLS library is something that only libpq's own wait knows. */
    int n = pq->PQgetCopyData(copy->session->connection, &row, 0);
    if (n < 0)
        return take_end(copy, err);
    uint32_t length = __builtin_bswap32((uint32_t)n + 4);
    status s = (size_t)n < MESSAGE_MOST ? buf_append(piece, "d", 1, err)
                                        : error_set(err, ERR_LIMIT, "a row of %d bytes is longer than a row may be", n);
    if (s == OK)
        s = buf_append(piece, &length, sizeof length, err);
    if (s == OK)
        s = buf_append(piece, row, (size_t)n, err);
    *rows += s == OK;
    pq->PQfreemem(row);
    return s;
}

static status take_decrypted(struct pg_copy *copy, struct buf *piece, bool *end, struct error *err)
{
    uint64_t rows = 0;
    status s = begin_piece(copy, piece, err);
    while (s == OK && !copy->idle && piece->len < copy->piece_bytes)
        s = take_row(copy, piece, &rows, err);
    if (s == OK)
        end_piece(copy, piece, rows, end);
    return s;
}

static status start_libpq(struct pg_copy *copy, struct buf *sql, struct error *err)
{
    const struct libpq_api *pq = &copy->session->pq;
    status s = buf_append(sql, "", 1, err);
    if (s != OK)
        return s;
    if (!pq->PQsendQuery(copy->session->connection, (const char *)sql->data))
        return pg_result_error(copy->session, NULL, err);
    PGresult *r = pq->PQgetResult(copy->session->connection);
    if (!r || pq->PQresultStatus(r) != PGRES_COPY_OUT)
        s = pg_result_error(copy->session, r, err);
    pq->PQclear(r);
    return s;
}

/* ---- the stream ---- */

static const struct schema *copy_schema(void *self)
{
    return &((struct pg_copy *)self)->columns.schema;
}

static status copy_take(void *self, struct buf *piece, bool *end, struct error *err)
{
    struct pg_copy *copy = self;
    if (copy->idle) {
        *end = true;
        return OK;
    }
    return copy->direct ? take_direct(copy, piece, end, err) : take_decrypted(copy, piece, end, err);
}

static status copy_decode(void *self, const struct buf *piece, struct batch *into, struct error *err)
{
    const struct pg_copy *copy = self;
    return pg_decode(&copy->columns.schema, copy->columns.wire, piece, into, err);
}

static status copy_next(void *self, struct batch *into, struct error *err)
{
    struct pg_copy *copy = self;
    struct buf piece = {0};
    bool end = false;
    status s = OK;
    do {
        s = copy_take(copy, &piece, &end, err);
        if (s == OK)
            s = end ? batch_reset(into, &copy->columns.schema, err) : copy_decode(copy, &piece, into, err);
    } while (s == OK && !end && into->rows == 0);
    buf_release(&piece);
    return s;
}

static void copy_release(void *self)
{
    struct pg_copy *copy = self;
    pg_columns_release(&copy->columns);
    buf_release(&copy->carry);
    free(copy);
}

static const struct batch_stream_ops copy_ops = {
    .schema = copy_schema,
    .next = copy_next,
    .release = copy_release,
    .take = copy_take,
    .decode = copy_decode,
};

static status start(struct pg_copy *copy, const struct db_read *read, struct error *err)
{
    struct buf sql = {0};
    status s = pg_columns_read(copy->session, read, &copy->columns, err);
    if (s == OK)
        s = buf_append_str(&sql, STR("COPY ("), err);
    if (s == OK)
        s = pg_select(copy->session, read, &copy->columns, &sql, err);
    if (s == OK)
        s = buf_append_str(&sql, STR(") TO STDOUT (FORMAT binary)"), err);
    if (s == OK)
        s = copy->direct ? send_query(copy, buf_str(&sql), err) : start_libpq(copy, &sql, err);
    buf_release(&sql);
    return s;
}

status pg_copy_open(struct db_session *session, const struct db_read *read, struct batch_stream *stream,
                    struct error *err)
{
    struct pg_copy *copy = calloc(1, sizeof *copy);
    if (!copy)
        return error_no_memory(err, sizeof *copy);
    *copy = (struct pg_copy){
        .session = session,
        .piece_bytes = read->batch_bytes == 0            ? PIECE_BYTES
                       : read->batch_bytes < PIECE_LEAST ? PIECE_LEAST
                                                         : read->batch_bytes,
        .direct = !session->pq.PQsslInUse(session->connection),
        .first = true,
    };
    status s = start(copy, read, err);
    if (s != OK) {
        copy_release(copy);
        return s;
    }
    *stream = (struct batch_stream){&copy_ops, copy};
    return OK;
}

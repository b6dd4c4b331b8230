#include "source/postgres/pg_session.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "source/postgres/postgres.h"
#include "sys/clock.h"

#define WAIT_MS 100        /* how long a request to stop may go unnoticed */
#define CANCEL_SECONDS 3.0 /* for the server to answer it */

/* ---- connecting ---- */

#define PARAMETERS_MOST 24
struct parameters {
    const char *keys[PARAMETERS_MOST + 1], *values[PARAMETERS_MOST + 1];
    size_t count;
    char port[16];
};

static void set(struct parameters *p, const char *key, const char *value)
{
    if (!value || !*value || p->count == PARAMETERS_MOST)
        return;
    p->keys[p->count] = key;
    p->values[p->count++] = value;
}

static void parameters_of(const json_t *config, struct parameters *p)
{
    snprintf(p->port, sizeof p->port, "%lld", (long long)json_int(config, "port", 5432));
    set(p, "host", json_text(config, "host", "localhost"));
    set(p, "port", p->port);
    set(p, "dbname", json_text(config, "database", NULL));
    set(p, "user", json_text(config, "user", NULL));
    set(p, "password", json_text(config, "password", NULL));
    set(p, "sslmode", json_text(config, "sslmode", "prefer"));
    set(p, "sslrootcert", json_text(config, "sslrootcert", NULL));
    set(p, "options", json_text(config, "options", NULL));
    set(p, "gssencmode", "disable"); /* of what is encrypted only TLS is known to pg_copy.c */
    set(p, "client_encoding", "UTF8");
    set(p, "application_name", "flowforge");
    set(p, "keepalives_idle", "20");
    set(p, "keepalives_interval", "5");
    set(p, "keepalives_count", "4");
    set(p, "tcp_user_timeout", "60000");
}

/* The steps of connecting, by what libpq is at. */
enum { STEP_RESOLVE, STEP_CONNECT, STEP_TLS, STEP_AUTHENTICATE, STEP_COUNT };
static const char *const step_names[STEP_COUNT] = {"resolve", "connect", "tls", "authenticate"};

static int step_of(ConnStatusType at)
{
    switch (at) {
    case CONNECTION_NEEDED:
    case CONNECTION_STARTED:
        return STEP_CONNECT;
    case CONNECTION_MADE:
    case CONNECTION_SSL_STARTUP:
        return STEP_TLS;
    default:
        return STEP_AUTHENTICATE;
    }
}

struct connecting {
    db_step *tell;
    void *self;
    double since;
    int at;
};

/* `to` begins: what lies before it is done. TLS is a step only where it happened. */
static void reach(struct connecting *c, struct db_session *session, int to)
{
    double now = clock_seconds();
    for (; c->at < to; c->at++) {
        if (c->at == STEP_TLS && !session->pq.PQsslInUse(session->connection))
            continue;
        if (c->tell)
            c->tell(c->self, step_names[c->at], now - c->since, NULL);
        c->since = now;
    }
}

static status failed(struct connecting *c, status s, struct error *err)
{
    if (c->tell && err)
        c->tell(c->self, step_names[c->at], clock_seconds() - c->since, err);
    return s;
}

static status poll_connection(struct db_session *session, struct connecting *c, double timeout, struct error *err)
{
    const struct libpq_api *pq = &session->pq;
    double until = clock_seconds() + timeout;
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (want != PGRES_POLLING_OK) {
        if (want == PGRES_POLLING_FAILED)
            return pg_connect_error(session, pq->PQerrorMessage(session->connection), err);
        struct pollfd p = {.fd = pq->PQsocket(session->connection),
                           .events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int ready = poll(&p, 1, WAIT_MS);
        if (atomic_load(&session->cancelled))
            return error_set(err, ERR_CANCELLED, "cancelled");
        if (ready <= 0 && clock_seconds() > until)
            return pg_connect_error(session, "timed out", err);
        if (ready <= 0)
            continue;
        want = pq->PQconnectPoll(session->connection);
        if (want != PGRES_POLLING_FAILED)
            reach(c, session, step_of(pq->PQstatus(session->connection)));
    }
    return OK;
}

/* One snapshot for everything; nothing depends on the server's or the user's settings. */
static const char begin_sql[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TimeZone = 'UTC'; "
                                "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'iso_8601'; "
                                "SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 3; "
                                "SET LOCAL synchronize_seqscans = off; SET LOCAL statement_timeout = %lld; "
                                "SET LOCAL idle_in_transaction_session_timeout = 0; SELECT 1";

static status begin(struct db_session *session, const json_t *config, struct error *err)
{
    char sql[sizeof begin_sql + 32];
    const json_t *seconds = json_object_get(config, "statement_timeout_seconds");
    double ms = json_is_number(seconds) ? json_number_value(seconds) * 1000 : 0;
    PGresult *result = NULL;
    snprintf(sql, sizeof sql, begin_sql, (long long)(ms > 2e9 ? 2000000000 : ms));
    status s = pg_query(session, sql, NULL, 0, &result, err);
    session->pq.PQclear(result);
    return s;
}

static status describe_server(struct db_session *session, const json_t *config, struct error *err)
{
    const char *host = json_text(config, "host", "localhost"), *database = json_text(config, "database", "");
    if (asprintf(&session->server, "%.200s:%lld/%.100s", host, (long long)json_int(config, "port", 5432), database) >=
        0)
        return OK;
    session->server = NULL;
    return error_no_memory(err, 300);
}

static status start(struct db_session *session, const json_t *config, struct connecting *c, struct error *err)
{
    const json_t *timeout = json_object_get(config, "connect_timeout_seconds");
    struct parameters p = {0};
    parameters_of(config, &p);
    session->connection = session->pq.PQconnectStartParams(p.keys, p.values, 0);
    if (!session->connection)
        return error_no_memory(err, sizeof p);
    if (session->pq.PQstatus(session->connection) == CONNECTION_BAD)
        return pg_connect_error(session, session->pq.PQerrorMessage(session->connection), err);
    /* With it the text of an error has its SQLSTATE, which says more than words in the server's language. */
    session->pq.PQsetErrorVerbosity(session->connection, PQERRORS_VERBOSE);
    reach(c, session, STEP_CONNECT);
    return poll_connection(session, c, json_is_number(timeout) ? json_number_value(timeout) : 10, err);
}

status pg_connect(struct db_session **session, const json_t *config, db_step *step, void *self, struct error *err)
{
    struct error own;
    struct connecting c = {.tell = step, .self = self, .since = clock_seconds()};
    struct db_session *made = calloc(1, sizeof *made);
    if (!err)
        err = &own;
    if (!made)
        return error_no_memory(err, sizeof *made);
    made->driver = &postgres_driver;
    status s = describe_server(made, config, err);
    if (s == OK)
        s = libpq_api_load(&made->pq, err);
    if (s == OK)
        s = start(made, config, &c, err);
    if (s == OK) {
        made->cancel = made->pq.PQgetCancel(made->connection);
        reach(&c, made, STEP_AUTHENTICATE);
        if (!made->cancel)
            s = error_no_memory(err, sizeof *made);
    }
    if (s == OK)
        s = begin(made, config, err);
    if (s != OK) {
        failed(&c, s, err);
        pg_close(made);
        return s;
    }
    reach(&c, made, STEP_COUNT);
    *session = made;
    return OK;
}

void pg_cancel(struct db_session *session)
{
    char ignored[256];
    atomic_store(&session->cancelled, true);
    if (session->cancel)
        (void)!session->pq.PQcancel(session->cancel, ignored, sizeof ignored); /* else pg_wait() gives up */
}

void pg_close(struct db_session *session)
{
    if (!session)
        return;
    if (session->cancel)
        session->pq.PQfreeCancel(session->cancel);
    if (session->connection)
        session->pq.PQfinish(session->connection);
    libpq_api_release(&session->pq);
    free(session->server);
    free(session);
}

/* ---- statements ---- */

status pg_query(struct db_session *session, const char *sql, const char *const *parameters, int count,
                PGresult **result, struct error *err)
{
    const struct libpq_api *pq = &session->pq;
    PGresult *r = count ? pq->PQexecParams(session->connection, sql, count, NULL, parameters, NULL, NULL, 0)
                        : pq->PQexec(session->connection, sql);
    ExecStatusType is = r ? pq->PQresultStatus(r) : PGRES_FATAL_ERROR;
    if (is == PGRES_TUPLES_OK || is == PGRES_COMMAND_OK) {
        *result = r;
        return OK;
    }
    status s = pg_result_error(session, r, err);
    pq->PQclear(r);
    *result = NULL;
    return s;
}

status pg_wait(struct db_session *session, short events, struct error *err)
{
    struct pollfd p = {.fd = session->pq.PQsocket(session->connection), .events = events};
    for (double since = 0;;) {
        if (poll(&p, 1, WAIT_MS) > 0)
            return OK;
        if (!atomic_load(&session->cancelled))
            continue;
        if (since == 0)
            since = clock_seconds();
        if (clock_seconds() - since > CANCEL_SECONDS)
            return error_set(err, ERR_CANCELLED, "cancelled; PostgreSQL %s did not answer", session->server);
    }
}

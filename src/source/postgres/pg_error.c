#include <ctype.h>
#include <stdio.h>

#include "source/postgres/pg_session.h"

/* By the beginning of the SQLSTATE (PostgreSQL manual, appendix A); the first that fits. */
static const struct {
    const char *state;
    status code;
    const char *hint;
} states[] = {
    {"28P01", ERR_DENIED, "check user and password of the connection"},
    {"28", ERR_DENIED,
     "check the connection's user and the server's pg_hba.conf, which says who may come from where, and how"},
    {"3D000", ERR_NOT_FOUND, "check the connection's database"},
    {"42501", ERR_DENIED, "grant the connection's user the right to read it (GRANT SELECT, GRANT USAGE ON SCHEMA)"},
    {"42P01", ERR_NOT_FOUND, "check the name and its schema; upper-case letters count"},
    {"3F000", ERR_NOT_FOUND, "check the schema's name; upper-case letters count"},
    {"42", ERR_INVALID, "mend the query; it has to be one SELECT"},
    {"25006", ERR_INVALID, "a source is only read: take out what changes data"},
    {"22", ERR_INVALID, "a value does not fit: look at the query's casts and, if there is one, the watermark's value"},
    {"57014", ERR_TIMEOUT,
     "the query took longer than its time limit: raise statement_timeout_seconds of the "
     "connection, or let the query read less (an index on the watermark column helps)"},
    {"55P03", ERR_TIMEOUT, "another session holds a lock on the table; try again later"},
    {"25P03", ERR_TIMEOUT, "the server ended the idle transaction; try again"},
    {"40", ERR_UNAVAILABLE, "the server gave up one of two transactions that were in each other's way; try again"},
    {"53300", ERR_UNAVAILABLE, "the server has no free connection: try again later, or raise its max_connections"},
    {"53", ERR_UNAVAILABLE, "the server lacks resources; try again later"},
    {"57", ERR_UNAVAILABLE, "the server is being stopped or started; try again later"},
    {"08", ERR_UNAVAILABLE, "the connection failed; try again"},
    {"58", ERR_UNAVAILABLE, "the server had trouble with its own files; look into its log"},
    {"XX", ERR_UNAVAILABLE, "the server had trouble of its own; look into its log"},
    {"0A", ERR_UNSUPPORTED, "write it as one plain SELECT"},
};

static void plain(char *text)
{
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1]))
        text[--n] = '\0';
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = ' ';
}

status pg_server_error(struct db_session *session, const char *state, const char *message, const char *detail,
                       struct error *err)
{
    char text[700], more[200];
    if (atomic_load(&session->cancelled))
        return error_set(err, ERR_CANCELLED, "cancelled");
    snprintf(text, sizeof text, "%s", message && *message ? message : "no reason given");
    snprintf(more, sizeof more, "%s", detail ? detail : "");
    plain(text);
    plain(more);
    status code = ERR_INVALID;
    const char *hint = "";
    for (size_t i = 0; state && i < ARRAY_LENGTH(states); i++)
        if (strncmp(states[i].state, state, strlen(states[i].state)) == 0) {
            code = states[i].code;
            hint = states[i].hint;
            break;
        }
    error_set(err, code, "PostgreSQL %s: %.*s%s%.*s", session->server, (int)str_utf8_prefix(str_of(text), 600), text,
              more[0] ? " - " : "", (int)str_utf8_prefix(str_of(more), 180), more);
    error_hint(err, "%s", hint);
    return code;
}

static status connection_lost(struct db_session *session, const char *message, struct error *err)
{
    char text[500];
    if (atomic_load(&session->cancelled))
        return error_set(err, ERR_CANCELLED, "cancelled");
    snprintf(text, sizeof text, "%s", message);
    plain(text);
    status s = error_set(err, ERR_UNAVAILABLE, "the connection to PostgreSQL %s was lost: %.*s", session->server,
                         (int)str_utf8_prefix(str_of(text), 480), text);
    error_hint(err, "nothing was published; try again when the server is up");
    return s;
}

status pg_result_error(struct db_session *session, const PGresult *result, struct error *err)
{
    const struct libpq_api *pq = &session->pq;
    const char *state = result ? pq->PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (!state)
        return connection_lost(session,
                               result && pq->PQresultErrorMessage(result)[0] ? pq->PQresultErrorMessage(result)
                                                                             : pq->PQerrorMessage(session->connection),
                               err);
    const char *position = pq->PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *detail = pq->PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    char where[64];
    if (position && !detail) {
        snprintf(where, sizeof where, "at character %.20s", position);
        detail = where;
    }
    return pg_server_error(session, state, pq->PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), detail, err);
}

/* "FATAL:  28P01: password authentication failed ..." somewhere in the text. */
static const char *find_state(const char *message, char state[6])
{
    for (const char *p = strstr(message, ":  "); p; p = strstr(p + 1, ":  ")) {
        size_t n = 0;
        while (n < 5 && (isdigit((unsigned char)p[3 + n]) || isupper((unsigned char)p[3 + n])))
            n++;
        if (n == 5 && p[8] == ':' && p[9] == ' ') {
            memcpy(state, p + 3, 5);
            state[5] = '\0';
            return p + 10;
        }
    }
    return NULL;
}

/* libpq's own words, where there is no SQLSTATE. */
static const struct {
    const char *part;
    status code;
    const char *hint;
} connect_hints[] = {
    {"could not translate host name", ERR_UNAVAILABLE, "check the connection's host; its name is not known here"},
    {"Connection refused", ERR_UNAVAILABLE,
     "is the server running there, and is this its port? It has to listen on that address (listen_addresses)"},
    {"No route to host", ERR_UNAVAILABLE, "check host, network and firewall"},
    {"timed out", ERR_UNAVAILABLE, "check host, port and firewall: nothing answers there"},
    {"certificate verify failed", ERR_DENIED,
     "the server's certificate is not signed by an authority that sslrootcert names: set the right one"},
    {"does not match host name", ERR_DENIED,
     "the server's certificate is for another name: use that host name, or sslmode=verify-ca"},
    {"root certificate file", ERR_INVALID, "set sslrootcert to the file with the authority's certificate"},
    {"does not support SSL", ERR_UNAVAILABLE, "the server has no TLS: switch it on there, or set sslmode=prefer"},
    {"no password supplied", ERR_DENIED, "the server wants a password: set it in the connection"},
    {"invalid sslmode", ERR_INVALID, "sslmode is one of disable, allow, prefer, require, verify-ca, verify-full"},
    {"invalid connection option", ERR_INVALID, "correct the connection's options"},
};

status pg_connect_error(struct db_session *session, const char *message, struct error *err)
{
    char state[6], text[600];
    const char *said = find_state(message, state);
    if (said) {
        const char *end = strchr(said, '\n');
        snprintf(text, sizeof text, "%.*s", (int)(end ? end - said : (long)strlen(said)), said);
        return pg_server_error(session, state, text, NULL, err);
    }
    if (atomic_load(&session->cancelled))
        return error_set(err, ERR_CANCELLED, "cancelled");
    snprintf(text, sizeof text, "%s", message);
    plain(text);
    status code = ERR_UNAVAILABLE;
    const char *hint = "check host and port, and that the server is up";
    for (size_t i = 0; i < ARRAY_LENGTH(connect_hints); i++)
        if (strstr(message, connect_hints[i].part)) {
            code = connect_hints[i].code;
            hint = connect_hints[i].hint;
            break;
        }
    error_set(err, code, "cannot connect to PostgreSQL %s: %.*s", session->server,
              (int)str_utf8_prefix(str_of(text), 580), text);
    error_hint(err, "%s", hint);
    return code;
}

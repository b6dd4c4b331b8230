#include "store/db_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What a statement is for, by its first word, and the word that its table comes after. */
static const struct {
    const char *verb, *before_table, *purpose;
} purposes[] = {
    {"SELECT", "FROM", "read"},        {"INSERT", "INTO", "add to"},       {"UPDATE", "UPDATE", "change"},
    {"DELETE", "FROM", "delete from"}, {"WITH", "FROM", "read"},           {"CREATE", NULL, "create tables"},
    {"BEGIN", NULL, "begin to write"}, {"COMMIT", NULL, "commit changes"}, {"ROLLBACK", NULL, "take changes back"},
    {"ALTER", NULL, "change tables"},  {"PRAGMA", NULL, "set up"},         {"DROP", NULL, "change tables"},
};

static const char name_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

/* "read pipeline_runs": statements hold no values, these are in the parameters. */
static void purpose_of(const char *sql, char *into, size_t cap)
{
    snprintf(into, cap, "%s", sql ? "use" : "open");
    if (!sql)
        return;
    sql += strspn(sql, " \t\r\n(");
    for (size_t i = 0; i < ARRAY_LENGTH(purposes); i++) {
        size_t n = strlen(purposes[i].verb);
        if (strncasecmp(sql, purposes[i].verb, n) != 0)
            continue;
        const char *word = purposes[i].before_table;
        const char *at = word ? strstr(sql, word) : NULL;
        if (!at) {
            snprintf(into, cap, "%s", purposes[i].purpose);
            return;
        }
        at += strlen(word);
        at += strspn(at, " \t\r\n(");
        snprintf(into, cap, "%s %.*s", purposes[i].purpose, (int)strspn(at, name_bytes), at);
        return;
    }
}

static const struct {
    int primary; /* SQLite's result code without its extension */
    status code;
    const char *hint;
} codes[] = {
    {SQLITE_FULL, ERR_NO_SPACE, "free some space on the file system of the home directory"},
    {SQLITE_NOMEM, ERR_NO_MEMORY, "free memory on this machine"},
    {SQLITE_IOERR, ERR_IO, "check the disk and the file system of the home directory, then try again"},
    /* Also what SQLite makes of a page that the disk would not read (SQLITE_IOERR_CORRUPTFS). */
    {SQLITE_CORRUPT, ERR_IO,
     "look for disk errors in the system's log; when it stays so, stop FlowForge, keep a copy of the file, then "
     "restore "
     "a backup or rescue what can be read with: sqlite3 damaged.db .recover | sqlite3 rescued.db"},
    {SQLITE_NOTADB, ERR_BAD_DATA,
     "stop FlowForge, keep a copy of the file, then restore a backup or rescue what can be read with: sqlite3 "
     "damaged.db .recover | sqlite3 rescued.db; when it is a file of something else, choose another home directory"},
    {SQLITE_CONSTRAINT, ERR_CONFLICT, NULL},
    {SQLITE_BUSY, ERR_UNAVAILABLE, "another process works on this home; try again when it has finished"},
    {SQLITE_LOCKED, ERR_UNAVAILABLE, "another process works on this home; try again when it has finished"},
    {SQLITE_PROTOCOL, ERR_UNAVAILABLE, "another process works on this home; try again when it has finished"},
    {SQLITE_READONLY, ERR_DENIED, "make the home directory and the files in it writable for this user"},
    {SQLITE_PERM, ERR_DENIED, "make the home directory and the files in it accessible to this user"},
    {SQLITE_TOOBIG, ERR_TOO_LARGE, "make the value shorter"},
    {SQLITE_INTERRUPT, ERR_CANCELLED, NULL},
};

/* A value that its column refuses is the caller's mistake and no other object's. */
static bool is_bad_value(int code)
{
    return code == SQLITE_CONSTRAINT_CHECK || code == SQLITE_CONSTRAINT_NOTNULL || code == SQLITE_CONSTRAINT_DATATYPE;
}

status db_error(sqlite3 *handle, int code, const char *path, const char *sql, struct error *err)
{
    char purpose[96];
    purpose_of(sql, purpose, sizeof purpose);
    int primary = code & 0xff;
    int cause = handle ? sqlite3_system_errno(handle) : 0;
    if (primary == SQLITE_CANTOPEN && cause != 0)
        return error_set_errno(err, cause, "cannot open the metadata database '%s'", path);
    status to = ERR_INTERNAL;
    const char *hint = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(codes); i++)
        if (codes[i].primary == primary) {
            to = codes[i].code;
            hint = codes[i].hint;
        }
    if (primary == SQLITE_CANTOPEN)
        to = ERR_IO;
    if (is_bad_value(code))
        to = ERR_INVALID;
    char reason[128] = "";
    if (primary == SQLITE_IOERR && cause != 0) {
        char text[96];
        snprintf(reason, sizeof reason, " (%s)", strerror_r(cause, text, sizeof text));
    }
    error_set(err, to, "cannot %s in the metadata database '%s': %s%s", purpose, path,
              handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code), reason);
    if (hint)
        error_hint(err, "%s", hint);
    return to;
}

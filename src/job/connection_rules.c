#include "job/connection_rules.h"

#include <stdio.h>
#include <strings.h>

static bool has(const json_t *config, const char *member)
{
    const json_t *value = json_object_get(config, member);
    return value && !json_is_null(value);
}

static bool is(const json_t *config, const char *member, const char *text)
{
    return strcmp(json_text(config, member, ""), text) == 0;
}

status connection_postgres_rules(const json_t *config, struct field_errors *errors, struct error *err)
{
    const char *mode = json_text(config, "sslmode", "");
    if (strncmp(mode, "verify-", 7) == 0 && json_is_null(json_object_get(config, "sslrootcert")))
        return field_error_add(errors, err, "/sslrootcert", "required",
                               "sslmode=%s needs the CA certificates to check against: write the path of a PEM file, "
                               "such as /etc/ssl/certs/ca-certificates.crt",
                               mode);
    return OK;
}

status connection_mysql_rules(const json_t *config, struct field_errors *errors, struct error *err)
{
    bool host = has(config, "host"), socket = has(config, "socket");
    if (host && socket)
        return field_error_add(errors, err, "/socket", "combination",
                               "there is a host already: leave one of host and socket out");
    if (!host && !socket && json_object_get(config, "host") && json_object_get(config, "socket"))
        return field_error_add(errors, err, "/host", "required", "write the server's host, or its socket");
    return OK;
}

status rule_path(const json_t *record, const char *member, struct field_errors *errors, struct error *err)
{
    const char *path = json_text(record, member, NULL);
    char pointer[40];
    if (!path)
        return OK;
    snprintf(pointer, sizeof pointer, "/%s", member);
    for (const char *part = path; *part; part += strspn(part, "/")) {
        size_t n = strcspn(part, "/");
        if (n == 2 && strncmp(part, "..", 2) == 0)
            return field_error_add(errors, err, pointer, "format", "'%.200s' holds '..': write the path without it",
                                   path);
        part += n;
    }
    return OK;
}

status connection_sqlite_rules(const json_t *config, struct field_errors *errors, struct error *err)
{
    return rule_path(config, "path", errors, err);
}

/* The next "keyword=value" of a connection string; a value in braces may hold anything, '}' doubled. */
static bool next_pair(const char **at, struct str *keyword, struct str *value)
{
    const char *p = *at + strspn(*at, "; \t\r\n");
    size_t n = strcspn(p, "=;");
    if (p[n] != '=')
        return false;
    *keyword = (struct str){p, n};
    while (keyword->n > 0 && (p[keyword->n - 1] == ' ' || p[keyword->n - 1] == '\t'))
        keyword->n--;
    p += n + 1;
    const char *end = p + strcspn(p, ";");
    if (*p == '{')
        for (end = p + 1; *end && (*end != '}' || end[1] == '}'); end++)
            end += *end == '}';
    *value = (struct str){p, (size_t)(end - p)};
    *at = end + strcspn(end, ";");
    return true;
}

/* A driver is one that the machine's administrator has named in odbcinst.ini; a path would make any file code. */
static status rule_driver(const char *text, struct field_errors *errors, struct error *err)
{
    static const char *const files[] = {"FILEDSN", "SAVEFILE"};
    struct str keyword, value;
    while (next_pair(&text, &keyword, &value)) {
        if (str_equal_nocase(keyword, STR("Driver")) && value.n > 0 && memchr(value.p, '/', value.n))
            return field_error_add(errors, err, "/connection_string", "denied",
                                   "the Driver has to be a name of odbcinst.ini, not a path: install it there");
        for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
            if (str_equal_nocase(keyword, str_of(files[i])))
                return field_error_add(errors, err, "/connection_string", "denied",
                                       "%s is not taken: write what the file says here, or give a dsn", files[i]);
    }
    return OK;
}

status connection_odbc_rules(const json_t *config, struct field_errors *errors, struct error *err)
{
    bool text = has(config, "connection_string"), dsn = has(config, "dsn");
    const char *name = json_text(config, "dsn", "");
    if (text && dsn)
        return field_error_add(errors, err, "/dsn", "combination",
                               "there is a connection_string already: leave one of them out");
    if (!text && !dsn && json_object_get(config, "connection_string") && json_object_get(config, "dsn"))
        return field_error_add(errors, err, "/connection_string", "required",
                               "write a connection_string, or the dsn of a data source");
    if (strpbrk(name, ";{}=/"))
        return field_error_add(errors, err, "/dsn", "format",
                               "a data source's name holds none of ; { } = /: write a connection_string instead");
    return text ? rule_driver(json_text(config, "connection_string", ""), errors, err) : OK;
}

status rule_url(const json_t *record, const char *member, struct field_errors *errors, struct error *err)
{
    const char *url = json_text(record, member, ""), *host = strstr(url, "://");
    char pointer[40];
    if (!host)
        return OK;
    host += 3;
    size_t n = strcspn(host, "/?#");
    snprintf(pointer, sizeof pointer, "/%s", member);
    if (memchr(host, '@', n))
        return field_error_add(errors, err, pointer, "format",
                               "the URL holds a user or a password, which would be shown: leave them out, and write "
                               "them as the credentials of a connection");
    if (n == 0 || *host == ':')
        return field_error_add(errors, err, pointer, "format", "the URL has no host: write one behind ://");
    return OK;
}

status connection_s3_rules(const json_t *config, struct field_errors *errors, struct error *err)
{
    bool id = has(config, "access_key_id"), secret = has(config, "secret_access_key");
    status s = rule_url(config, "endpoint", errors, err);
    if (s == OK && id && !secret && json_object_get(config, "secret_access_key"))
        s = field_error_add(errors, err, "/secret_access_key", "required",
                            "an access_key_id needs its secret_access_key: write it, or leave both out");
    if (s == OK && secret && !id && json_object_get(config, "access_key_id"))
        s = field_error_add(errors, err, "/access_key_id", "required",
                            "a secret_access_key needs its access_key_id: write it, or leave both out");
    if (s == OK && has(config, "session_token") && !secret && json_object_get(config, "secret_access_key"))
        s = field_error_add(errors, err, "/session_token", "combination",
                            "a session_token belongs to an access key: write access_key_id and secret_access_key too");
    return s;
}

/* ---- HTTP ---- */

static const char token_bytes[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* What the client itself sets, and what would be no secret in `headers`. */
static const char *const own_headers[] = {
    "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Accept-Encoding", "TE", "Trailer"};
static const char *const secret_names[] = {"Authorization", "Proxy-Authorization", "Cookie"};

static bool is_among(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(list[i], name) == 0)
            return true;
    return false;
}

status rule_headers(const json_t *record, const char *member, bool secret, struct field_errors *errors,
                    struct error *err)
{
    const json_t *headers = json_object_get(record, member);
    const char *name;
    json_t *value;
    char pointer[40];
    snprintf(pointer, sizeof pointer, "/%s", member);
    json_object_foreach((json_t *)(uintptr_t)headers, name, value)
    {
        status s = OK;
        const char *text = json_string_value(value);
        if (!*name || strlen(name) > 200 || name[strspn(name, token_bytes)])
            s = field_error_add(errors, err, pointer, "format",
                                "'%.100s' is no name of a header: letters, digits and - are usual", name);
        else if (is_among(name, own_headers, ARRAY_LENGTH(own_headers)))
            s = field_error_add(errors, err, pointer, "combination",
                                "FlowForge sets the header %.100s by itself: leave it out", name);
        else if (!secret && is_among(name, secret_names, ARRAY_LENGTH(secret_names)))
            s = field_error_add(errors, err, pointer, "combination",
                                "the header %.100s would be shown here: write it into the connection's secret_headers, "
                                "or use its auth",
                                name);
        else if (text && (strpbrk(text, "\r\n") || strlen(text) != json_string_length(value)))
            s = field_error_add(errors, err, pointer, "format", "the value of %.100s holds a line end: remove it",
                                name);
        if (s != OK)
            return s;
    }
    return OK;
}

status connection_http_rules(const json_t *config, struct field_errors *errors, struct error *err)
{
    status s = rule_url(config, "base_url", errors, err);
    if (s == OK && strpbrk(json_text(config, "base_url", ""), "?#"))
        s = field_error_add(errors, err, "/base_url", "format",
                            "a base URL ends before '?' and '#': write parameters into the jobs' params");
    if (s == OK)
        s = rule_headers(config, "headers", false, errors, err);
    return s == OK ? rule_headers(config, "secret_headers", true, errors, err) : s;
}

/* Which members go with which type: R required, o may be there. */
static const struct {
    const char *type, *required[4], *optional[2];
} auth_members[] = {
    {"none", {0}, {0}},
    {"basic", {"user", "password"}, {0}},
    {"bearer", {"token"}, {0}},
    {"api_key", {"name", "key"}, {"in"}},
    {"oauth2", {"token_url", "client_id", "client_secret"}, {"scope"}},
};
static const char *const all_members[] = {"user", "password",  "token",     "name",          "in",
                                          "key",  "token_url", "client_id", "client_secret", "scope"};

static bool in_list(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count && list[i]; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

status connection_auth_rules(const json_t *auth, struct field_errors *errors, struct error *err)
{
    char pointer[40];
    status s = rule_url(auth, "token_url", errors, err);
    for (size_t t = 0; t < ARRAY_LENGTH(auth_members); t++) {
        if (!is(auth, "type", auth_members[t].type))
            continue;
        for (size_t i = 0; s == OK && i < ARRAY_LENGTH(all_members); i++) {
            const char *member = all_members[i];
            bool required = in_list(auth_members[t].required, ARRAY_LENGTH(auth_members[t].required), member);
            bool known = required || in_list(auth_members[t].optional, ARRAY_LENGTH(auth_members[t].optional), member);
            snprintf(pointer, sizeof pointer, "/%s", member);
            if (required && !has(auth, member))
                s = field_error_add(errors, err, pointer, "required", "type=%s needs %s: write it",
                                    auth_members[t].type, member);
            else if (!known && has(auth, member))
                s = field_error_add(errors, err, pointer, "combination", "type=%s does not use %s: leave it out",
                                    auth_members[t].type, member);
        }
    }
    if (s == OK && is(auth, "type", "api_key") && !is(auth, "in", "query") && has(auth, "name")) {
        const char *name = json_text(auth, "name", "");
        if (name[strspn(name, token_bytes)])
            s = field_error_add(errors, err, "/name", "format", "'%.100s' is no name of a header", name);
    }
    return s;
}

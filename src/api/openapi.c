#include "api/openapi.h"

#include <ctype.h>
#include <stdio.h>

#include "api/openapi_operation.h"

#define SESSION_COOKIE_NAME "ff_session"

static status add_schema(json_t *schemas, const struct field_table *table, const char *suffix, struct error *err)
{
    char name[120];
    json_t *schema = NULL;
    snprintf(name, sizeof name, "%s%s", table->name, suffix);
    if (json_object_get(schemas, name))
        return OK;
    status s = field_table_json_schema(table, *suffix != '\0', &schema, err);
    if (s != OK)
        return s;
    if (strcmp(suffix, "_patch") == 0)
        json_object_del(schema, "required");
    return json_put(schemas, name, schema, err);
}

static status add_route(const struct route *route, json_t *paths, json_t *schemas, struct error *err)
{
    char method[12];
    json_t *operation = NULL, *path = json_object_get(paths, route->pattern);
    status s = OK;
    if (route->body)
        s = add_schema(schemas, route->body, route->body_partial ? "_patch" : "_request", err);
    if (s == OK && route->answer)
        s = add_schema(schemas, route->answer, "", err);
    if (s == OK && !path) {
        path = json_object();
        s = json_put(paths, route->pattern, path, err);
    }
    if (s == OK)
        s = openapi_operation(route, &operation, err);
    if (s != OK)
        return s;
    snprintf(method, sizeof method, "%s", route->method);
    for (char *p = method; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return json_put(path, method, operation, err);
}

static json_t *problem_schema(void)
{
    return json_pack("{s:s, s:s, s:[sss], s:{s:{s:s}, s:{s:s}, s:{s:s, s:i, s:i}, s:{s:s}, s:{s:s}, s:{s:s},"
                     " s:{s:s, s:{s:s, s:[sss], s:{s:{s:s}, s:{s:s}, s:{s:s}}}}}}",
                     "type", "object", "title", "Problem", "required", "title", "status", "code", "properties", "type",
                     "type", "string", "title", "type", "string", "status", "type", "integer", "minimum", 400,
                     "maximum", 599, "detail", "type", "string", "code", "type", "string", "hint", "type", "string",
                     "errors", "type", "array", "items", "type", "object", "required", "pointer", "code", "message",
                     "properties", "pointer", "type", "string", "code", "type", "string", "message", "type", "string");
}

static status put_components(json_t *document, json_t *schemas, struct error *err)
{
    status s = json_put(schemas, "problem", problem_schema(), err);
    if (s != OK)
        return s;
    return json_put(document, "components",
                    json_pack("{s:O, s:{s:{s:s, s:{s:{s:{s:s}}}}}, s:{s:{s:s, s:s}, s:{s:s, s:s, s:s}}}", "schemas",
                              schemas, "responses", "problem", "description", "What is wrong, and what to do about it",
                              "content", "application/problem+json", "schema", "$ref", "#/components/schemas/problem",
                              "securitySchemes", "bearer", "type", "http", "scheme", "bearer", "cookie", "type",
                              "apiKey", "in", "cookie", "name", SESSION_COOKIE_NAME),
                    err);
}

static json_t *document_head(void)
{
    return json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:[]}, {s:[]}]}", "openapi", "3.1.0", "info", "title", "FlowForge",
                     "version", FLOWFORGE_VERSION, "description", "Pipelines from landing to bronze, silver and gold.",
                     "security", "bearer", "cookie");
}

status openapi_document(const struct route_table *const *tables, size_t count, bool layer_centric, json_t **document,
                        struct error *err)
{
    json_t *made = document_head(), *paths = json_object(), *schemas = json_object();
    status s = made && paths && schemas ? OK : error_no_memory(err, 1024);
    for (size_t t = 0; s == OK && t < count; t++)
        for (size_t i = 0; s == OK && i < tables[t]->count; i++)
            if (layer_centric || !tables[t]->routes[i].layer_centric)
                s = add_route(&tables[t]->routes[i], paths, schemas, err);
    if (s == OK)
        s = json_put(made, "paths", json_incref(paths), err);
    if (s == OK)
        s = put_components(made, schemas, err);
    json_decref(paths);
    json_decref(schemas);
    if (s == OK)
        *document = made;
    else
        json_decref(made);
    return s;
}

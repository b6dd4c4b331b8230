#include "app/verb.h"

#include <stdio.h>

#include "app/print.h"

status verb_list(const struct verb_call *call, const char *path, const struct print_column *columns, size_t count,
                 struct error *err)
{
    json_t *answer = NULL;
    status s = client_call(call->client, "GET", path, NULL, &answer, err);
    if (s == OK && call->settings->json)
        s = print_json(answer, err);
    else if (s == OK)
        print_table(json_object_get(answer, "items"), columns, count);
    json_decref(answer);
    return s;
}

unsigned long long verb_limit(const struct verb_call *call)
{
    return call->settings->limit ? call->settings->limit : 50;
}

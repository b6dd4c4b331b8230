/* flowforge token. */
#include "app/verb.h"

#include <stdio.h>

#include "app/print.h"

status verb_token_list(struct verb_call *call, struct error *err)
{
    static const struct print_column columns[] = {{"id", "ID"},
                                                  {"name", "NAME"},
                                                  {"role", "ROLE"},
                                                  {"created_at", "CREATED"},
                                                  {"last_used_at", "LAST USED"},
                                                  {"revoked_at", "REVOKED"}};
    return verb_list(call, "/api/tokens", columns, ARRAY_LENGTH(columns), err);
}

status verb_token_create(struct verb_call *call, struct error *err)
{
    json_t *request = json_object(), *answer = NULL;
    status s = request ? json_put_text(request, "name", call->operand[0], err) : error_no_memory(err, 1);
    if (s == OK)
        s = json_put_text(request, "role", verb_roles[call->settings->role], err);
    if (s == OK)
        s = client_call(call->client, "POST", "/api/tokens", request, &answer, err);
    if (s == OK && call->settings->json)
        s = print_json(answer, err);
    else if (s == OK)
        printf("%s\n", json_text(answer, "token", ""));
    if (s == OK && !call->settings->json)
        fprintf(stderr, "This is the only time it is shown.\n");
    json_decref(request);
    json_decref(answer);
    return s;
}

status verb_token_revoke(struct verb_call *call, struct error *err)
{
    struct buf path = {0};
    json_t *answer = NULL;
    status s = client_path(&path, "/api/tokens/", call->operand[0], "", err);
    if (s == OK)
        s = client_call(call->client, "DELETE", (const char *)path.data, NULL, NULL, err);
    if (s == OK && call->settings->json) {
        answer = json_pack("{s:s, s:b}", "id", call->operand[0], "revoked", 1);
        s = answer ? print_json(answer, err) : error_no_memory(err, 1);
    } else if (s == OK) {
        printf("%s is refused from now on\n", call->operand[0]);
    }
    json_decref(answer);
    buf_release(&path);
    return s;
}

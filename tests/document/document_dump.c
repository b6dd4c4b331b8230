/* document_dump yaml|json < DOCUMENT
 *
 * Reads a JSON or YAML document as `flowforge apply` does and prints it in the form that is asked for. Errors: the
 * message on standard error and exit code 1. */
#include <stdio.h>
#include <string.h>

#include "job/document.h"

static status convert(bool yaml, struct buf *in, struct buf *out, struct error *err)
{
    json_t *document = NULL;
    size_t n;
    status s;
    do {
        s = buf_reserve(in, 1u << 16, err);
        if (s != OK)
            return s;
        n = fread(in->data + in->len, 1, 1u << 16, stdin);
        in->len += n;
    } while (n > 0);
    s = document_parse((const char *)in->data, in->len, "standard input", &document, err);
    if (s == OK)
        s = document_write(document, yaml, out, err);
    json_decref(document);
    return s;
}

int main(int argc, char **argv)
{
    struct buf in = {0}, out = {0};
    struct error err = {0};
    if (argc != 2)
        return 2;
    status s = convert(strcmp(argv[1], "yaml") == 0, &in, &out, &err);
    if (s == OK)
        fwrite(out.data, 1, out.len, stdout);
    else
        fprintf(stderr, "%s\n", err.message);
    buf_release(&in);
    buf_release(&out);
    return s == OK ? 0 : 1;
}

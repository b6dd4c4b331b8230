#include "app/options.h"

#include <stdio.h>
#include <stdlib.h>

status text_list_add(struct text_list *list, struct str item, struct error *err)
{
    struct str *items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (!items)
        return error_no_memory(err, (list->count + 1) * sizeof *items);
    list->items = items;
    items[list->count++] = item;
    return OK;
}

void text_list_release(struct text_list *list)
{
    free(list->items);
    *list = (struct text_list){0};
}

/* Levenshtein distance, for short option names. */
static size_t distance(struct str a, struct str b)
{
    size_t row[64];
    if (a.n >= ARRAY_LENGTH(row) || b.n >= ARRAY_LENGTH(row))
        return 64;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t above = row[j], best = diagonal + (a.p[i - 1] != b.p[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[b.n];
}

static status unknown_option(const struct option *table, size_t count, struct str name, struct error *err)
{
    const char *nearest = NULL;
    size_t best = name.n / 2 + 1;
    for (size_t i = 0; i < count; i++)
        if (table[i].name && distance(name, str_of(table[i].name)) < best) {
            best = distance(name, str_of(table[i].name));
            nearest = table[i].name;
        }
    status s = error_set(err, ERR_USAGE, "there is no option --%.*s", (int)name.n, name.p);
    if (nearest)
        error_hint(err, "did you mean --%s? --help lists all of them", nearest);
    else
        error_hint(err, "--help lists all of them");
    return s;
}

static const struct option *find(const struct option *table, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].name && str_equal(str_of(table[i].name), name))
            return &table[i];
    return NULL;
}

static const struct option *find_letter(const struct option *table, size_t count, char letter)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].name && table[i].letter == letter)
            return &table[i];
    return NULL;
}

static bool takes_argument(const struct option *o)
{
    return o->kind != OPTION_FLAG && o->kind != OPTION_UNFLAG;
}

static status bad_value(const struct option *o, const char *value, const char *wanted, struct error *err)
{
    return error_set(err, ERR_USAGE, "--%s %s: %s", o->name, value, wanted);
}

static status set_choice(const struct option *o, const char *value, int *field, struct error *err)
{
    char known[160];
    size_t used = 0;
    for (int i = 0; o->choices[i]; i++) {
        if (strcmp(o->choices[i], value) == 0) {
            *field = i;
            return OK;
        }
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", o->choices[i]);
    }
    status s = bad_value(o, value, "not one of the possible values", err);
    error_hint(err, "possible values: %s", known);
    return s;
}

static status add_split(struct text_list *list, const char *value, struct error *err)
{
    for (const char *at = value;;) {
        const char *comma = strchr(at, ',');
        struct str item = {at, comma ? (size_t)(comma - at) : strlen(at)};
        status s = text_list_add(list, item, err);
        if (s != OK || !comma)
            return s;
        at = comma + 1;
    }
}

static status set(const struct option *o, const char *value, void *settings, struct error *err)
{
    void *field = (char *)settings + o->offset;
    uint64_t *number = field;
    switch (o->kind) {
    case OPTION_FLAG:
    case OPTION_UNFLAG:
        *(bool *)field = o->kind == OPTION_FLAG;
        return OK;
    case OPTION_TEXT:
        *(const char **)field = value;
        return OK;
    case OPTION_BYTES:
        return str_parse_bytes(str_of(value), number)
                   ? OK
                   : bad_value(o, value, "not a size; write for example 64M, 1.5G or 1048576", err);
    case OPTION_COUNT:
        return str_parse_u64(str_of(value), UINT64_MAX >> 1, number)
                   ? OK
                   : bad_value(o, value, "not a whole number from 0", err);
    case OPTION_CHOICE:
        return set_choice(o, value, field, err);
    case OPTION_LIST:
        return add_split(field, value, err);
    default:
        return text_list_add(field, str_of(value), err);
    }
}

status options_parse(const struct option *table, size_t count, int argc, char **argv, void *settings,
                     struct text_list *operands, struct error *err)
{
    bool ended = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (ended || word[0] != '-' || word[1] == '\0') {
            status s = text_list_add(operands, str_of(word), err);
            if (s != OK)
                return s;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            ended = true;
            continue;
        }
        const char *value = NULL;
        struct str name = {word + 2, strlen(word) - 2};
        const struct option *o;
        if (word[1] == '-') {
            const char *equals = strchr(word, '=');
            if (equals) {
                name.n = (size_t)(equals - word) - 2;
                value = equals + 1;
            }
            o = name.n ? find(table, count, name) : NULL;
        } else {
            name = (struct str){word + 1, strlen(word) - 1};
            o = word[2] == '\0' ? find_letter(table, count, word[1]) : NULL;
        }
        if (!o)
            return unknown_option(table, count, name, err);
        if (value && !takes_argument(o))
            return error_set(err, ERR_USAGE, "--%s takes no value", o->name);
        if (!value && takes_argument(o)) {
            if (i + 1 == argc) {
                status s = error_set(err, ERR_USAGE, "--%s needs a value: %s", o->name, o->argument);
                error_hint(err, "%s", o->help);
                return s;
            }
            value = argv[++i];
        }
        status s = set(o, value, settings, err);
        if (s != OK)
            return s;
    }
    return OK;
}

/* The help text, folded to 100 columns behind the names. */
static void print_folded(const char *text, int indent, int column)
{
    const int width = 100;
    while (*text) {
        int n = (int)strcspn(text, " "), gap = column > indent;
        if (gap && column + gap + n > width) {
            printf("\n%*s", indent, "");
            column = indent;
            gap = 0;
        }
        printf("%s%.*s", gap ? " " : "", n, text);
        column += gap + n;
        text += n;
        text += *text == ' ';
    }
    putchar('\n');
}

void options_print(const struct option *table, size_t count)
{
    const int indent = 34;
    for (size_t i = 0; i < count; i++) {
        const struct option *o = &table[i];
        if (!o->name) {
            printf("\n%s\n", o->help);
            continue;
        }
        int n = printf("  ");
        n += o->letter ? printf("-%c, ", o->letter) : printf("    ");
        n += printf("--%s", o->name);
        if (takes_argument(o))
            n += printf(" %s", o->argument);
        if (n >= indent - 1) {
            putchar('\n');
            n = 0;
        }
        printf("%*s", indent - n, "");
        print_folded(o->help, indent, indent);
    }
}

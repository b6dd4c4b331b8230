/* The option parser: every kind, both spellings, and errors that help. */
#include "unit/cmocka_all.h"

#include <string.h>

#include "app/options.h"

struct settings {
    bool loud, sync;
    const char *name;
    uint64_t memory, threads;
    int format;
    struct text_list keys, renames;
};

static const char *const formats[] = {"auto", "csv", "parquet", NULL};

static const struct option table[] = {
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, "Heading:"},
    {"loud", 'l', OPTION_FLAG, offsetof(struct settings, loud), NULL, NULL, "more"},
    {"no-sync", 0, OPTION_UNFLAG, offsetof(struct settings, sync), NULL, NULL, "less"},
    {"name", 'n', OPTION_TEXT, offsetof(struct settings, name), "NAME", NULL, "a name"},
    {"memory", 0, OPTION_BYTES, offsetof(struct settings, memory), "SIZE", NULL, "bytes"},
    {"threads", 't', OPTION_COUNT, offsetof(struct settings, threads), "N", NULL, "threads"},
    {"format", 0, OPTION_CHOICE, offsetof(struct settings, format), "FORMAT", formats, "a format"},
    {"keys", 'k', OPTION_LIST, offsetof(struct settings, keys), "A,B", NULL, "keys"},
    {"rename", 0, OPTION_WHOLE, offsetof(struct settings, renames), "A=B", NULL, "renames"},
};

struct parsed {
    struct settings settings;
    struct text_list operands;
    struct error err;
    status result;
};

static struct parsed parse(const char *const *words)
{
    struct parsed p = {.settings = {.sync = true, .name = "none", .memory = 7}};
    int argc = 0;
    while (words[argc])
        argc++;
    p.result =
        options_parse(table, sizeof table / sizeof *table, argc, (char **)words, &p.settings, &p.operands, &p.err);
    return p;
}

static void release(struct parsed *p)
{
    text_list_release(&p->operands);
    text_list_release(&p->settings.keys);
    text_list_release(&p->settings.renames);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void assert_item(const struct text_list *list, size_t at, const char *text)
{
    assert_true(at < list->count);
    assert_true(str_equal(list->items[at], str_of(text)));
}

static void every_kind(void **unused)
{
    (void)unused;
    struct parsed p = PARSE("in", "--loud", "--no-sync", "--name", "x", "--memory=1.5K", "--threads", "3", "--format",
                            "parquet", "--keys", "a,b", "--keys=c", "--rename", "a=b,c", "--rename=d=e", "out");
    assert_int_equal(p.result, OK);
    assert_true(p.settings.loud);
    assert_false(p.settings.sync);
    assert_string_equal(p.settings.name, "x");
    assert_int_equal(p.settings.memory, 1536);
    assert_int_equal(p.settings.threads, 3);
    assert_int_equal(p.settings.format, 2);
    assert_int_equal(p.settings.keys.count, 3);
    assert_item(&p.settings.keys, 0, "a");
    assert_item(&p.settings.keys, 1, "b");
    assert_item(&p.settings.keys, 2, "c");
    assert_int_equal(p.settings.renames.count, 2);
    assert_item(&p.settings.renames, 0, "a=b,c");
    assert_item(&p.settings.renames, 1, "d=e");
    assert_int_equal(p.operands.count, 2);
    assert_item(&p.operands, 0, "in");
    assert_item(&p.operands, 1, "out");
    release(&p);
}

static void letters_and_defaults(void **unused)
{
    (void)unused;
    struct parsed p = PARSE("-l", "-n", "y", "-t", "0", "-k", "a,,b,");
    assert_int_equal(p.result, OK);
    assert_true(p.settings.loud);
    assert_true(p.settings.sync);
    assert_string_equal(p.settings.name, "y");
    assert_int_equal(p.settings.memory, 7);
    assert_int_equal(p.settings.threads, 0);
    assert_int_equal(p.settings.keys.count, 4);
    assert_item(&p.settings.keys, 1, "");
    assert_item(&p.settings.keys, 3, "");
    release(&p);
}

static void dashes(void **unused)
{
    (void)unused;
    struct parsed p = PARSE("-", "--", "--loud", "-x", "--", "-");
    assert_int_equal(p.result, OK);
    assert_false(p.settings.loud);
    assert_int_equal(p.operands.count, 5);
    assert_item(&p.operands, 0, "-");
    assert_item(&p.operands, 1, "--loud");
    assert_item(&p.operands, 2, "-x");
    assert_item(&p.operands, 3, "--");
    release(&p);
    p = PARSE("--name=", "--name", "--loud"); /* the last one wins, and takes what follows */
    assert_int_equal(p.result, OK);
    assert_string_equal(p.settings.name, "--loud");
    assert_false(p.settings.loud);
    release(&p);
    p = PARSE("--name=");
    assert_string_equal(p.settings.name, "");
    release(&p);
    p = PARSE("--rename=a==b");
    assert_item(&p.settings.renames, 0, "a==b");
    release(&p);
}

static void assert_usage(struct parsed p, const char *message, const char *hint)
{
    assert_int_equal(p.result, ERR_USAGE);
    if (!strstr(p.err.message, message) || !strstr(p.err.hint, hint))
        print_error("%s | %s\n", p.err.message, p.err.hint);
    assert_non_null(strstr(p.err.message, message));
    assert_non_null(strstr(p.err.hint, hint));
    release(&p);
}

static void errors(void **unused)
{
    (void)unused;
    assert_usage(PARSE("--thread", "3"), "--thread", "did you mean --threads?");
    assert_usage(PARSE("--momory=3"), "--momory", "did you mean --memory?");
    assert_usage(PARSE("--zzzzzzzzzzzz"), "--zzzzzzzzzzzz", "--help");
    assert_usage(PARSE("--this-option-is-much-longer-than-any-name-that-an-option-could-have-at-all"), "no option",
                 "--help");
    assert_usage(PARSE("--=x"), "no option", "--help");
    assert_usage(PARSE("-x"), "no option", "--help");
    assert_usage(PARSE("-lx"), "no option", "--help");
    assert_usage(PARSE("--name"), "--name needs a value: NAME", "a name");
    assert_usage(PARSE("-n"), "--name needs a value", "a name");
    assert_usage(PARSE("--loud=yes"), "--loud takes no value", "");
    assert_usage(PARSE("--loud="), "--loud takes no value", "");
    assert_usage(PARSE("--memory", "many"), "--memory many", "");
    assert_usage(PARSE("--memory", "-1"), "--memory -1", "");
    assert_usage(PARSE("--memory="), "not a size", "");
    assert_usage(PARSE("--threads", "2.5"), "whole number", "");
    assert_usage(PARSE("--threads", "-1"), "whole number", "");
    assert_usage(PARSE("--threads", "99999999999999999999"), "whole number", "");
    assert_usage(PARSE("--format", "excel"), "excel", "auto, csv, parquet");
    assert_usage(PARSE("--format", "CSV"), "CSV", "auto, csv, parquet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(letters_and_defaults),
        cmocka_unit_test(dashes),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

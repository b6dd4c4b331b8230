/* Command-line options as rows of a table: what fills the settings is also what --help prints. */
#ifndef FF_APP_OPTIONS_H
#define FF_APP_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum option_kind {
    OPTION_FLAG,   /* bool: set to true */
    OPTION_UNFLAG, /* bool: set to false */
    OPTION_TEXT,   /* const char * */
    OPTION_BYTES,  /* uint64_t: "256M" */
    OPTION_COUNT,  /* uint64_t */
    OPTION_CHOICE, /* int: index in choices */
    OPTION_LIST,   /* struct text_list: comma-separated, repeatable */
    OPTION_WHOLE   /* struct text_list: one whole item a use, repeatable */
};

struct text_list {
    struct str *items;
    size_t count;
};

struct option {
    const char *name; /* without dashes; NULL: a heading of the help text */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t offset;              /* of the field in the settings */
    const char *argument;       /* how the help names it */
    const char *const *choices; /* NULL-terminated */
    const char *help;
};

/* Rows that many commands have; `settings` is the type with the members home, json and help. */
#define OPTION_ROW_HOME(settings)                                                                                      \
    {                                                                                                                  \
        "home", 0, OPTION_TEXT, offsetof(settings, home), "DIR", NULL,                                                 \
            "where FlowForge keeps its data (default $FLOWFORGE_HOME, else ./flowforge-home)"                          \
    }
#define OPTION_ROW_JSON(settings, help)                                                                                \
    {                                                                                                                  \
        "json", 0, OPTION_FLAG, offsetof(settings, json), NULL, NULL, help                                             \
    }
#define OPTION_ROW_HELP(settings)                                                                                      \
    {                                                                                                                  \
        "help", 'h', OPTION_FLAG, offsetof(settings, help), NULL, NULL, "show this help"                               \
    }

/* Fill *settings; what is no option goes to *operands (views into argv). `--` ends the options, a single `-` is an
 * operand. ERR_USAGE names the option and what it takes; an unknown one gets the nearest known name as hint. */
status options_parse(const struct option *table, size_t count, int argc, char **argv, void *settings,
                     struct text_list *operands, struct error *err) MUST_USE;
void options_print(const struct option *table, size_t count);
status text_list_add(struct text_list *list, struct str item, struct error *err) MUST_USE;
void text_list_release(struct text_list *list);

#endif

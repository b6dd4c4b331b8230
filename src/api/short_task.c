#include "api/short_task.h"

#include "sys/process.h"

#define ANSWER_MOST ((size_t)32 << 20)
#define MEMORY_USUAL ((int64_t)256 << 20)

static bool take_turn(struct api_context *context)
{
    unsigned running = atomic_load(&context->short_tasks);
    while (running < SHORT_TASKS_MOST)
        if (atomic_compare_exchange_weak(&context->short_tasks, &running, running + 1))
            return true;
    return false;
}

/* What a task's code means here: it is about what the client sent, and not about the server. */
static const struct {
    status told, meant;
} translated[] = {{ERR_NOT_FOUND, ERR_INVALID}, {ERR_USAGE, ERR_INVALID}, {ERR_NO_MEMORY, ERR_LIMIT}};

static status code_of_slug(const char *slug)
{
    for (size_t i = 0; i < ARRAY_LENGTH(translated); i++)
        if (strcmp(status_slug(translated[i].told), slug) == 0)
            return translated[i].meant;
    for (int code = 1; code < STATUS_COUNT; code++)
        if (strcmp(status_slug((status)code), slug) == 0)
            return (status)code;
    return ERR_INTERNAL;
}

/* The error that a task told on its standard output. */
static status told_error(const json_t *error, json_t **problems, struct error *err)
{
    json_t *errors = json_object_get(error, "errors");
    if (json_is_array(errors) && json_array_size(errors) > 0)
        *problems = json_incref(errors);
    status s = error_set(err, code_of_slug(json_text(error, "code", "")), "%s",
                         json_text(error, "message", "the task failed without a message"));
    const char *hint = json_text(error, "hint", "");
    if (*hint)
        error_hint(err, "%s", hint);
    return s;
}

static status read_answer(const char *what, const struct process_output *output, json_t **answer, json_t **problems,
                          struct error *err)
{
    json_t *document = NULL;
    status s = output->length ? json_parse(output->text, output->length, "the task's answer", &document, err)
                              : error_set(err, ERR_CRASHED, "no answer");
    const json_t *error = s == OK ? json_object_get(document, "error") : NULL;
    if (json_is_object(error)) {
        s = told_error(error, problems, err);
    } else if (s != OK || output->exit_code != 0) {
        const char *end = output->errors[0] ? output->errors : "it said nothing";
        s = output->exit_code < 0
                ? error_set(err, ERR_CRASHED, "the %s was ended by signal %d: %.600s", what, -output->exit_code, end)
                : error_set(err, ERR_CRASHED, "the %s ended with code %d and no answer: %.600s", what,
                            output->exit_code, end);
        error_hint(err, "The server is not affected. Try with a smaller input; if it happens again, report it with the "
                        "input.");
    } else {
        *answer = json_incref(document);
    }
    json_decref(document);
    return s;
}

status short_task_run(struct api_context *context, const char *what, const json_t *payload, json_t **answer,
                      json_t **problems, struct error *err)
{
    const char *const argv[] = {context->program, "task", what, NULL};
    /* As for the engine's children: DuckDB does not count long texts, and works out constants while it plans. */
    const int64_t memory = json_int(payload, "memory", MEMORY_USUAL);
    const struct process_options options = {.argv = argv, .memory_limit = 2 * (size_t)memory + ((size_t)1 << 30)};
    struct process_output output = {0};
    struct buf input = {0};
    *problems = NULL;
    if (!take_turn(context)) {
        status busy = error_set(err, ERR_UNAVAILABLE, "%d previews and checks are running already", SHORT_TASKS_MOST);
        error_hint(err, "Try again in a second.");
        return busy;
    }
    status s = json_write(payload, &input, err);
    if (s == OK)
        s = process_run(&options, (const char *)input.data, input.len, ANSWER_MOST, SHORT_TASK_SECONDS, &output, err);
    if (s == OK)
        s = read_answer(what, &output, answer, problems, err);
    else if (s == ERR_TIMEOUT) {
        error_set(err, ERR_TIMEOUT, "the %s took longer than %.0f seconds", what, SHORT_TASK_SECONDS);
        error_hint(err, "Previews and checks take at most %.0f seconds. A run of the job has no such limit.",
                   SHORT_TASK_SECONDS);
    }
    atomic_fetch_sub(&context->short_tasks, 1);
    process_output_release(&output);
    buf_release(&input);
    return s;
}

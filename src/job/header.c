#include "job/header.h"

#include <stdio.h>
#include <stdlib.h>

#include "format/csv/csv_record.h"

/* *left: lines that the head does not hold. */
static size_t skip_physical_lines(const struct buf *head, uint64_t lines, uint64_t *left)
{
    size_t at = 0;
    while (lines > 0 && at < head->len) {
        uint8_t c = head->data[at++];
        if (c == '\r' && at < head->len && head->data[at] == '\n')
            at++;
        lines -= c == '\n' || c == '\r';
    }
    *left = lines;
    return at;
}

static status copy_text(struct str text, char **copy, struct error *err)
{
    *copy = malloc(text.n + 1);
    if (!*copy)
        return error_no_memory(err, text.n + 1);
    if (text.n)
        memcpy(*copy, text.p, text.n);
    (*copy)[text.n] = '\0';
    return OK;
}

/* Append one header record's texts to the columns' names: several header lines are joined by '_'. */
static status join_names(struct planned_input *in, const struct csv_record *record, struct error *err)
{
    struct buf text = {0};
    status s = OK;
    if (record->count > in->name_count) {
        char **names = realloc(in->source_names, record->count * sizeof *names);
        if (!names)
            return error_no_memory(err, record->count * sizeof *names);
        memset(names + in->name_count, 0, (record->count - in->name_count) * sizeof *names);
        in->source_names = names;
        in->name_count = record->count;
    }
    for (size_t i = 0; s == OK && i < record->count; i++) {
        const struct csv_field *f = &record->fields[i];
        buf_clear(&text);
        if (in->source_names[i] && in->source_names[i][0])
            s = buf_printf(&text, err, "%s_", in->source_names[i]);
        if (s == OK)
            s = f->escaped ? csv_field_unescape(&in->text.dialect, in->head.data, f, &text, err)
                           : buf_append(&text, in->head.data + f->start, f->length, err);
        if (s != OK)
            break;
        if (f->length == 0 && text.len > 0)
            text.len--; /* nothing to join */
        if (!str_is_utf8(buf_str(&text))) {
            s = error_set(err, ERR_BAD_ENCODING, "%s: the header's field %zu is not valid UTF-8", in->path, i + 1);
            error_hint(err, "name the file's encoding, for example --encoding windows-1252");
            break;
        }
        char *copy;
        s = copy_text(buf_str(&text), &copy, err);
        if (s == OK) {
            free(in->source_names[i]);
            in->source_names[i] = copy;
        }
    }
    buf_release(&text);
    return s;
}

static struct str trimmed(const char *text)
{
    struct str s = str_of(text);
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Names by hash, without regard to ASCII case: files have thousands of columns, sometimes all of one name. */
struct name_set {
    struct name_slot {
        const char *name;     /* NULL: free */
        unsigned next_number; /* to try for a repetition; 0: the name itself is not given out yet */
    } * slots;
    size_t mask;
};

static struct name_slot *name_slot(const struct name_set *set, const char *name)
{
    uint64_t h = 1469598103934665603u;
    for (const char *p = name; *p; p++)
        h = (h ^ (unsigned char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p)) * 1099511628211u;
    size_t at = (h ^ h >> 29) & set->mask;
    while (set->slots[at].name && !str_equal_nocase(str_of(set->slots[at].name), str_of(name)))
        at = (at + 1) & set->mask;
    return &set->slots[at];
}

/* `name` stands for the second time or later: give it the first free number. */
static status number_name(struct name_set *set, struct name_slot *slot, char **name, struct error *err)
{
    struct buf text = {0};
    struct name_slot *free_slot;
    status s;
    do {
        buf_clear(&text);
        s = buf_printf(&text, err, "%s_%u", *name, slot->next_number++);
        if (s == OK)
            s = buf_append(&text, "", 1, err);
        if (s != OK) {
            buf_release(&text);
            return s;
        }
        free_slot = name_slot(set, (const char *)text.data);
    } while (free_slot->name);
    free(*name);
    *name = (char *)text.data;
    *free_slot = (struct name_slot){*name, 2};
    return OK;
}

/* Every name that stands in the header keeps its first place; numbered ones give way to all of them. */
static status make_unique(struct planned_input *in, struct error *err)
{
    struct name_set set = {.mask = 255};
    while (set.mask < 4 * in->name_count)
        set.mask = set.mask * 2 + 1;
    set.slots = calloc(set.mask + 1, sizeof *set.slots);
    if (!set.slots)
        return error_no_memory(err, (set.mask + 1) * sizeof *set.slots);
    for (size_t i = 0; i < in->name_count; i++) {
        struct name_slot *slot = name_slot(&set, in->names[i]);
        if (!slot->name)
            slot->name = in->names[i];
    }
    status s = OK;
    for (size_t i = 0; s == OK && i < in->name_count; i++) {
        struct name_slot *slot = name_slot(&set, in->names[i]);
        if (slot->next_number == 0)
            slot->next_number = 2;
        else
            s = number_name(&set, slot, &in->names[i], err);
    }
    free(set.slots);
    return s;
}

static status clean_names(struct planned_input *in, struct error *err)
{
    char generated[32];
    status s = OK;
    in->names = calloc(in->name_count ? in->name_count : 1, sizeof *in->names);
    if (!in->names)
        return error_no_memory(err, in->name_count * sizeof *in->names);
    for (size_t i = 0; s == OK && i < in->name_count; i++) {
        struct str name = in->source_names[i] ? trimmed(in->source_names[i]) : (struct str){"", 0};
        if (name.n == 0) {
            snprintf(generated, sizeof generated, "column_%zu", i + 1);
            name = str_of(generated);
        }
        s = copy_text(name, &in->names[i], err);
    }
    return s == OK ? make_unique(in, err) : s;
}

status header_read(struct planned_input *in, struct error *err)
{
    const struct csv_dialect *dialect = &in->text.dialect;
    uint64_t beyond;
    size_t at = skip_physical_lines(&in->head, dialect->skip_lines, &beyond);
    if (beyond > 0 && !in->whole) {
        status limit =
            error_set(err, ERR_LIMIT, "%s: the first %llu lines, which are to be skipped, are more than %u KiB",
                      in->path, (unsigned long long)dialect->skip_lines, HEAD_BYTES >> 10);
        error_hint(err, "cut them off the file first, for example with tail -n +%llu",
                   (unsigned long long)dialect->skip_lines + 1);
        return limit;
    }
    struct csv_record record = {.collect = true};
    status s = OK;
    uint32_t wanted = dialect->header ? (dialect->header_lines ? dialect->header_lines : 1) : 0;
    while (s == OK && wanted > 0 && at < in->head.len) {
        enum csv_record_end end;
        s = csv_record_read(dialect, in->text.columns == 1, in->head.data, at, in->head.len, &record, &end, err);
        if (s != OK)
            break;
        bool cut_off = (end == CSV_INCOMPLETE || end == CSV_OPEN_QUOTE) && !(in->whole && end == CSV_INCOMPLETE);
        if (cut_off || record.tail) {
            s = error_set(err, ERR_BAD_DATA, "%s: the header, which starts at byte %zu, %s", in->path, at,
                          cut_off ? "does not end (an open quote, or longer than 1 MiB)"
                                  : "has text after a closing quote");
            error_hint(err, "give the dialect with --delimiter, --quote, --skip-lines or --no-header; "
                            "'flowforge preview' shows what is guessed");
            break;
        }
        at = record.next;
        if (end == CSV_SKIPPED)
            continue;
        s = join_names(in, &record, err);
        wanted--;
    }
    csv_record_release(&record);
    if (s == OK && !dialect->header) {
        in->name_count = in->text.columns ? in->text.columns : 1;
        in->source_names = calloc(in->name_count, sizeof *in->source_names);
        if (!in->source_names)
            s = error_no_memory(err, in->name_count * sizeof *in->source_names);
    }
    if (s == OK)
        s = clean_names(in, err);
    in->data_start = at;
    in->data_line = csv_count_lines(in->head.data, at);
    return s;
}

#include "format/sniff/look.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/attributes.h"

struct view {
    const char *p;
    size_t n;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (uint8_t)c >= 0x80;
}

static bool equals_one_of(struct view v, const char *const *words, size_t count)
{
    /* The first byte (but for its case) decides nearly always. */
    for (size_t i = 0; i < count; i++)
        if ((v.n == 0 || ((words[i][0] ^ v.p[0]) & 0xdf) == 0) && strlen(words[i]) == v.n &&
            strncasecmp(words[i], v.p, v.n) == 0)
            return true;
    return false;
}

/* Take one of `words` off the front or the back, with blanks between it and the rest. */
static bool strip_word(struct view *v, const char *const *words, size_t count, bool front)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(words[i]);
        if (n >= v->n || strncasecmp(words[i], front ? v->p : v->p + v->n - n, n) != 0)
            continue;
        if (front)
            v->p += n;
        v->n -= n;
        while (v->n && *v->p == ' ')
            v->p++, v->n--;
        while (v->n && v->p[v->n - 1] == ' ')
            v->n--;
        return true;
    }
    return false;
}

/* digits, grouped or not, one decimal point or comma, exponent. LOOK_ODD: no number. */
static enum look plain_number(struct view v)
{
    size_t i = 0, digits = 0, points = 0, commas = 0, other_groups = 0, since_mark = 0;
    bool even_groups = true, exponent = false;
    char last_mark = 0;
    if (i < v.n && (v.p[i] == '-' || v.p[i] == '+'))
        i++;
    for (; i < v.n; i++) {
        char c = v.p[i];
        if (is_digit(c)) {
            digits++;
            since_mark++;
            continue;
        }
        if ((c == 'e' || c == 'E') && digits && !exponent) {
            size_t k = i + 1;
            if (k < v.n && (v.p[k] == '-' || v.p[k] == '+'))
                k++;
            if (k == v.n)
                return LOOK_ODD;
            for (; k < v.n; k++)
                if (!is_digit(v.p[k]))
                    return LOOK_ODD;
            exponent = true;
            break;
        }
        if (c != '.' && c != ',' && c != '\'' && c != ' ')
            return LOOK_ODD;
        /* Every mark but the last separates groups of three. */
        if (last_mark && since_mark != 3)
            even_groups = false;
        if ((c == '\'' || c == ' ') && (digits == 0 || (!last_mark && since_mark > 3)))
            return LOOK_ODD;
        points += c == '.';
        commas += c == ',';
        other_groups += c == '\'' || c == ' ';
        last_mark = c;
        since_mark = 0;
    }
    if (digits == 0)
        return LOOK_ODD;
    if (!last_mark)
        return exponent ? LOOK_DECIMAL : LOOK_INTEGER;
    if (!even_groups || ((last_mark == '\'' || last_mark == ' ') && since_mark != 3))
        return LOOK_ODD;
    if (points > 1 && commas > 1)
        return LOOK_ODD;
    size_t marks = points + commas + other_groups;
    if (marks > 1 && (last_mark == '.' ? points : commas) > 1 && since_mark != 3)
        return LOOK_ODD;
    return LOOK_DECIMAL;
}

static enum look number(struct view v)
{
    static const char *const currencies[] = {"$",   "€",  "£",  "¥",  "₽", "₹",   "R$",  "US$", "USD", "EUR", "GBP",
                                             "CHF", "kr", "zł", "Kč", "Ft",  "JPY", "CNY", "CAD", "AUD", "元",  "円"};
    if (v.n > 40)
        return LOOK_ODD;
    if (v.n > 2 && v.p[0] == '(' && v.p[v.n - 1] == ')' && (is_digit(v.p[1]) || is_digit(v.p[2])))
        v = (struct view){v.p + 1, v.n - 2};
    if (v.n > 1 && v.p[v.n - 1] == '%') {
        v.n--;
        while (v.n && v.p[v.n - 1] == ' ')
            v.n--;
        return plain_number(v) == LOOK_ODD ? LOOK_ODD : LOOK_PERCENT;
    }
    enum look look = plain_number(v);
    if (look != LOOK_ODD)
        return look;
    struct view inner = v;
    bool minus = inner.n > 1 && *inner.p == '-';
    if (minus)
        inner.p++, inner.n--;
    if ((strip_word(&inner, currencies, ARRAY_LENGTH(currencies), true) ||
         strip_word(&inner, currencies, ARRAY_LENGTH(currencies), false)) &&
        plain_number(inner) != LOOK_ODD)
        return LOOK_MONEY;
    return LOOK_ODD;
}

/* Up to `max` digits; their count. */
static size_t digits_at(struct view v, size_t at, size_t max)
{
    size_t n = 0;
    while (at + n < v.n && n < max && is_digit(v.p[at + n]))
        n++;
    return n;
}

/* HH:MM[:SS[.f]] [AM|PM] [zone] from `at` to the end. */
static bool time_from(struct view v, size_t at)
{
    size_t n = digits_at(v, at, 2);
    if (n == 0 || at + n >= v.n || v.p[at + n] != ':')
        return false;
    at += n + 1;
    if (digits_at(v, at, 2) != 2)
        return false;
    at += 2;
    if (at < v.n && v.p[at] == ':') {
        if (digits_at(v, at + 1, 2) != 2)
            return false;
        at += 3;
        if (at < v.n && (v.p[at] == '.' || v.p[at] == ',')) {
            size_t fraction = digits_at(v, at + 1, 9);
            if (fraction == 0)
                return false;
            at += 1 + fraction;
        }
    }
    struct view rest = {v.p + at, v.n - at};
    while (rest.n && *rest.p == ' ')
        rest.p++, rest.n--;
    static const char *const tails[] = {"", "AM", "PM", "a.m.", "p.m.", "Z", "UTC", "GMT", "CET", "CEST", "EST", "PST"};
    if (equals_one_of(rest, tails, ARRAY_LENGTH(tails)))
        return true;
    /* +02, +0200, +02:00 */
    if (rest.n < 3 || (*rest.p != '+' && *rest.p != '-') || digits_at(rest, 1, 2) != 2)
        return false;
    size_t minutes = rest.n > 3 && rest.p[3] == ':' ? 4 : 3;
    return rest.n == 3 || (digits_at(rest, minutes, 2) == 2 && rest.n == minutes + 2);
}

static const char *const month_names[] = {
    "jan",     "feb",      "mar",      "apr",      "may",    "jun",    "jul",  "aug",  "sep",    "oct",
    "nov",     "dec",      "january",  "february", "march",  "april",  "june", "july", "august", "september",
    "october", "november", "december", "mai",      "okt",    "dez",    "mär",  "juin", "juil",   "août",
    "févr",    "janv",     "avr",      "déc",      "sept",   "ene",    "abr",  "ago",  "dic",    "märz",
    "juni",    "juli",     "oktober",  "dezember", "januar", "februar"};

/* A date at the front: numeric in any order, or with a month's name. Returns its length, 0 if none. */
static size_t date_prefix(struct view v)
{
    size_t at = 0, parts = 0, longest = 0;
    bool named = false;
    char mark = 0;
    while (at < v.n && parts < 3) {
        size_t n = digits_at(v, at, 5);
        if (n > 4 || n == 3)
            return 0;
        if (n == 0) {
            size_t k = at;
            while (k < v.n && is_alpha(v.p[k]))
                k++;
            if (named || !equals_one_of((struct view){v.p + at, k - at}, month_names, ARRAY_LENGTH(month_names)))
                return 0;
            named = true;
            n = k - at;
        } else if (n > longest) {
            longest = n;
        }
        at += n;
        parts++;
        if (parts == 3)
            break;
        if (at == v.n)
            return 0;
        char c = v.p[at];
        bool blank_ok = named || (at + 1 < v.n && is_alpha(v.p[at + 1]));
        if (c != '-' && c != '/' && !(c == '.' || (blank_ok && (c == ' ' || c == ','))))
            return 0;
        if (!named && parts == 2 && mark && c != mark && !(c == ' '))
            return 0;
        mark = c;
        at++;
        while (at < v.n && v.p[at] == ' ' && named)
            at++;
    }
    if (parts != 3 || (longest < 2) || (!named && longest != 4 && mark == '.' && v.n > 8))
        return 0;
    return at;
}

static enum look date_or_time(struct view v)
{
    if (v.n > 40 || v.n < 4)
        return LOOK_ODD;
    if (time_from(v, 0))
        return LOOK_TIME;
    size_t at = date_prefix(v);
    if (at == 0)
        return LOOK_ODD;
    if (at == v.n)
        return LOOK_DATE;
    if (v.p[at] != 'T' && v.p[at] != ' ' && v.p[at] != ',')
        return LOOK_ODD;
    at++;
    while (at < v.n && v.p[at] == ' ')
        at++;
    return time_from(v, at) ? LOOK_TIMESTAMP : LOOK_ODD;
}

static bool is_address(struct view v)
{
    if (memchr(v.p, ' ', v.n))
        return false;
    const char *at = memchr(v.p, '@', v.n);
    if (at && at > v.p && memchr(at, '.', v.n - (size_t)(at - v.p)) && !memchr(v.p, ',', v.n) &&
        !memchr(v.p, ';', v.n) && !memchr(v.p, '|', v.n))
        return true;
    static const char *const schemes[] = {"http://", "https://", "ftp://", "www.", "s3://", "file://", "mailto:"};
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++)
        if (v.n > strlen(schemes[i]) && strncasecmp(v.p, schemes[i], strlen(schemes[i])) == 0)
            return true;
    size_t hex = 0, dashes = 0, dots = 0, digits = 0, colons = 0, slashes = 0, others = 0;
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        digits += is_digit(c);
        hex += is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
        dashes += c == '-';
        dots += c == '.';
        colons += c == ':';
        slashes += c == '/' || c == '\\';
        others += c == ',' || c == ';' || c == '|' || c == '\t' || c == '"';
    }
    if (v.n == 36 && hex == 32 && dashes == 4)
        return true; /* UUID */
    if (dots == 3 && digits + dots == v.n && digits >= 4)
        return true; /* IPv4 */
    if (colons >= 5 && hex + colons == v.n)
        return true; /* IPv6, MAC */
    return slashes >= 2 && others == 0 && (v.p[0] == '/' || (v.n > 2 && v.p[1] == ':'));
}

static enum look text_look(struct view v)
{
    size_t alpha = 0, digits = 0, blanks = 0, joins = 0, pipes = 0, odd = 0, quotes = 0;
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (is_alpha(c))
            alpha++;
        else if (is_digit(c))
            digits++;
        else if (c == ' ')
            blanks++;
        else if (c == ',' || c == ';')
            joins += i + 1 < v.n && v.p[i + 1] != ' ';
        else if (c == '|')
            pipes++;
        else if (c == '"')
            quotes++;
        else if ((uint8_t)c < 0x20 || c == '~' || c == '^' || c == 0x7f)
            odd += (uint8_t)c < 0x20 && c != '\n' && c != '\r' ? 4 : 1;
    }
    char first = v.p[0], last = v.p[v.n - 1];
    if ((first == '{' && last == '}') || (first == '[' && last == ']'))
        return LOOK_TEXT;
    if (odd >= 4 || (odd && odd * 10 >= v.n) || first == '"' || (last == '"' && quotes % 2) ||
        (first == '\'' && last == '\'' && v.n > 1))
        return LOOK_ODD;
    if (first == ',' || first == ';' || first == '|' || first == ':' || last == ',' || last == ';' || last == '|' ||
        last == '\\')
        return LOOK_ODD;
    if (joins || pipes)
        return LOOK_LIST;
    if (alpha == 0 && digits == 0)
        return LOOK_ODD;
    if (blanks)
        return LOOK_TEXT;
    return digits ? LOOK_CODE : LOOK_WORD;
}

enum look look_of(const char *text, size_t n)
{
    struct view v = {text, n};
    while (v.n && (*v.p == ' ' || *v.p == '\t'))
        v.p++, v.n--;
    while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    if (v.n == 0)
        return LOOK_EMPTY;
    static const char *const missing[] = {"NA", "N/A", "n.a.", "null", "none", "nan", "-",      "--",  "?",
                                          ".",  "..",  "...",  "\\N",  "#N/A", "nil", "(null)", "inf", "-inf"};
    static const char *const booleans[] = {"true", "false", "yes", "no", "t",   "f",    "y",      "n",    "ja",
                                           "nein", "oui",   "non", "on", "off", "wahr", "falsch", "vrai", "faux"};
    if (v.n <= 6 && equals_one_of(v, missing, ARRAY_LENGTH(missing)))
        return LOOK_MISSING;
    if (v.n <= 6 && equals_one_of(v, booleans, ARRAY_LENGTH(booleans)))
        return LOOK_BOOLEAN;
    enum look look = LOOK_ODD;
    if (is_digit(*v.p) || is_digit(v.p[v.n - 1]) || v.p[v.n - 1] == '%' || v.p[v.n - 1] == ')') {
        look = number(v);
        if (look == LOOK_ODD)
            look = date_or_time(v);
    } else {
        look = is_alpha(*v.p) || is_alpha(v.p[v.n - 1]) || *v.p == '-' ? number(v) : LOOK_ODD;
        if (look == LOOK_ODD && v.n <= 40 && (is_alpha(*v.p) || is_digit(*v.p)))
            look = date_or_time(v);
    }
    if (look == LOOK_ODD && is_address(v))
        look = LOOK_ADDRESS;
    return look == LOOK_ODD ? text_look(v) : look;
}

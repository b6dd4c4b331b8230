#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/attributes.h"
#include "format/sniff/look.h"

static const struct {
    const char *text;
    enum look look;
} cases[] = {
    {"", LOOK_EMPTY},
    {"  ", LOOK_EMPTY},
    {"NA", LOOK_MISSING},
    {"\\N", LOOK_MISSING},
    {"-", LOOK_MISSING},
    {"0", LOOK_INTEGER},
    {" -12 ", LOOK_INTEGER},
    {"007", LOOK_INTEGER},
    {"1.5", LOOK_DECIMAL},
    {"1,5", LOOK_DECIMAL},
    {"-.5", LOOK_DECIMAL},
    {"1e-5", LOOK_DECIMAL},
    {"1,234,567.89", LOOK_DECIMAL},
    {"1.234.567,89", LOOK_DECIMAL},
    {"67 390 000", LOOK_DECIMAL},
    {"(950)", LOOK_INTEGER},
    {"$1,200.50", LOOK_MONEY},
    {"-$5", LOOK_MONEY},
    {"12,50 €", LOOK_MONEY},
    {"EUR 7", LOOK_MONEY},
    {"12.5%", LOOK_PERCENT},
    {"3 %", LOOK_PERCENT},
    {"2020-01-31", LOOK_DATE},
    {"31.01.2020", LOOK_DATE},
    {"1/31/20", LOOK_DATE},
    {"31-Jan-2020", LOOK_DATE},
    {"Jan 31, 2020", LOOK_DATE},
    {"10:20", LOOK_TIME},
    {"10:20:30.5", LOOK_TIME},
    {"9:05 PM", LOOK_TIME},
    {"2020-01-31 10:20:30", LOOK_TIMESTAMP},
    {"2020-01-31T10:20Z", LOOK_TIMESTAMP},
    {"2020-01-31T10:20:30.123+02:00", LOOK_TIMESTAMP},
    {"true", LOOK_BOOLEAN},
    {"N", LOOK_BOOLEAN},
    {"ann@example.org", LOOK_ADDRESS},
    {"https://example.org/a?b=1,2;c", LOOK_ADDRESS},
    {"192.168.0.1", LOOK_ADDRESS},
    {"123e4567-e89b-12d3-a456-426614174000", LOOK_ADDRESS},
    {"C:\\temp\\a", LOOK_ADDRESS},
    {"AB-12", LOOK_CODE},
    {"hello", LOOK_WORD},
    {"straße", LOOK_WORD},
    {"two words", LOOK_TEXT},
    {"one, two", LOOK_TEXT},
    {"{\"a\": 1}", LOOK_TEXT},
    {"a;b", LOOK_LIST},
    {"a|b", LOOK_LIST},
    {"1,5;2,5", LOOK_LIST},
    {"\"x", LOOK_ODD},
    {"a\tb", LOOK_ODD},
    {";a", LOOK_ODD},
    {"x\\", LOOK_ODD},
    {"1,2,3", LOOK_LIST},
};

static void looks(void **unused)
{
    (void)unused;
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        enum look found = look_of(cases[i].text, strlen(cases[i].text));
        if (found != cases[i].look) {
            print_error("'%s': %d, not %d\n", cases[i].text, found, cases[i].look);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(looks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

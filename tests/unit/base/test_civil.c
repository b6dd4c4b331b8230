#include <time.h>

#include "base/attributes.h"
#include "base/civil.h"
#include "unit/cmocka_all.h"

/* Counting day by day is the reference: no formula in common with the code. */
static void every_day_of_ten_thousand_years(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = -719162; /* 0001-01-01 */
    for (int year = 1; year <= 9999; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && leap);
            for (int day = 1; day <= 31; day++) {
                if (civil_date_exists(year, month, day) != (day <= length))
                    fail_msg("existence of %d-%d-%d", year, month, day);
                if (day > length)
                    continue;
                struct civil c = civil_of_days(days);
                if (civil_days(year, month, day) != days || c.year != year || c.month != month || c.day != day)
                    fail_msg("%d-%d-%d is day %ld", year, month, day, (long)days);
                days++;
            }
        }
    }
    assert_int_equal(days, 2932897); /* 10000-01-01 */
}

static void known_days(void **state)
{
    (void)state;
    assert_int_equal(civil_days(1970, 1, 1), 0);
    assert_int_equal(civil_days(1969, 12, 31), -1);
    assert_int_equal(civil_days(2000, 2, 29), 11016);
    assert_int_equal(civil_days(2024, 2, 29), 19782);
    assert_int_equal(civil_days(0, 3, 1), -719468);
    assert_int_equal(civil_days(-400, 3, 1), -719468 - 146097);
    assert_int_equal(civil_days(2023, 2, 30), civil_days(2023, 3, 2)); /* a day that does not exist runs over */
    assert_false(civil_date_exists(2023, 0, 1));
    assert_false(civil_date_exists(2023, 13, 1));
    assert_false(civil_date_exists(2023, 1, 0));
    assert_false(civil_date_exists(1900, 2, 29));
    assert_true(civil_date_exists(2000, 2, 29));
}

static void years_beyond_four_digits_round_trip(void **state)
{
    (void)state;
    static const int64_t days[] = {INT32_MIN, INT32_MAX, -1000000, 10000000, -719163, 2932897};
    for (size_t i = 0; i < ARRAY_LENGTH(days); i++) {
        struct civil c = civil_of_days(days[i]);
        assert_true(civil_date_exists(c.year, c.month, c.day));
        assert_int_equal(civil_days(c.year, c.month, c.day), days[i]);
    }
}

static void moments_before_the_epoch_count_up_within_their_day(void **state)
{
    (void)state;
    struct civil c = civil_of_micros(-1);
    assert_int_equal(c.year, 1969);
    assert_int_equal(c.month, 12);
    assert_int_equal(c.day, 31);
    assert_int_equal(c.hour, 23);
    assert_int_equal(c.minute, 59);
    assert_int_equal(c.second, 59);
    assert_int_equal(c.micro, 999999);
    static const int64_t micros[] = {0,         1,         -86400000000, 951782400000000, 1709210096123456,
                                     INT64_MIN, INT64_MAX, -999999};
    for (size_t i = 0; i < ARRAY_LENGTH(micros); i++) {
        c = civil_of_micros(micros[i]);
        __int128 back = civil_days(c.year, c.month, c.day);
        back = ((back * 24 + c.hour) * 60 + c.minute) * 60 + c.second;
        assert_true(back * 1000000 + c.micro == micros[i]);
        assert_in_range(c.hour, 0, 23);
        assert_in_range(c.minute, 0, 59);
        assert_in_range(c.second, 0, 59);
        assert_in_range(c.micro, 0, 999999);
    }
}

static void the_clock_agrees_with_the_system(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL), now = civil_micros_now(), after = (int64_t)time(NULL);
    assert_true(now >= (before - 1) * 1000000 && now <= (after + 2) * 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_ten_thousand_years),
        cmocka_unit_test(known_days),
        cmocka_unit_test(years_beyond_four_digits_round_trip),
        cmocka_unit_test(moments_before_the_epoch_count_up_within_their_day),
        cmocka_unit_test(the_clock_agrees_with_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/civil.h"

#include <time.h>

/* The calendar repeats every 400 years. Eras are counted from 0000-03-01: with the leap day at the very end of
 * a year, of a century and of an era, every division below is exact without a correction for February. */
#define DAYS_PER_ERA 146097
#define DAYS_PER_CENTURY 36524
#define DAYS_PER_QUAD 1461
#define EPOCH_FROM_ERA 719468 /* days from 0000-03-01 to 1970-01-01 */
#define MICROS_PER_DAY INT64_C(86400000000)

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t civil_days(int year, int month, int day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400), year_of_era = y - era * 400;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - EPOCH_FROM_ERA;
}

bool civil_date_exists(int year, int month, int day)
{
    static const uint8_t lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= lengths[month - 1] + (month == 2 && leap);
}

struct civil civil_of_days(int64_t days)
{
    /* Split off the era before adding the distance of the epochs, which could overflow. */
    int64_t era = floor_div(days, DAYS_PER_ERA);
    int64_t day = days - era * DAYS_PER_ERA + EPOCH_FROM_ERA;
    era += day / DAYS_PER_ERA;
    day %= DAYS_PER_ERA;
    int century = (int)(day / DAYS_PER_CENTURY);
    century -= century == 4; /* the era's last day */
    int day_of_century = (int)day - century * DAYS_PER_CENTURY;
    int quad = day_of_century / DAYS_PER_QUAD;
    int day_of_quad = day_of_century % DAYS_PER_QUAD;
    int year_of_quad = day_of_quad / 365;
    year_of_quad -= year_of_quad == 4; /* a leap day */
    int day_of_year = day_of_quad - year_of_quad * 365;
    int month_from_march = (5 * day_of_year + 2) / 153;
    int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct civil){
        .year = (int)(era * 400) + century * 100 + quad * 4 + year_of_quad + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
    };
}

struct civil civil_of_micros(int64_t micros)
{
    int64_t days = floor_div(micros, MICROS_PER_DAY), rest = micros % MICROS_PER_DAY;
    rest += rest < 0 ? MICROS_PER_DAY : 0;
    struct civil c = civil_of_days(days);
    int seconds = (int)(rest / 1000000);
    c.hour = seconds / 3600;
    c.minute = seconds / 60 % 60;
    c.second = seconds % 60;
    c.micro = (int)(rest % 1000000);
    return c;
}

int64_t civil_micros_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

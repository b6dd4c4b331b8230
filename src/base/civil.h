/* Proleptic Gregorian calendar and UTC, without time zones or locale. */
#ifndef FF_BASE_CIVIL_H
#define FF_BASE_CIVIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct civil {
    int year;  /* 1..9999 when it came from text; any int from civil_of_micros */
    int month; /* 1..12 */
    int day;   /* 1..31 */
    int hour, minute, second;
    int micro; /* 0..999999 */
};

/* Days since 1970-01-01. month 1..12, day 1..31; the date need not exist. */
int64_t civil_days(int year, int month, int day);
bool civil_date_exists(int year, int month, int day);
struct civil civil_of_days(int64_t days);
struct civil civil_of_micros(int64_t micros_since_epoch);
int64_t civil_micros_now(void); /* wall clock, UTC */

#endif

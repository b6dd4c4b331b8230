/* The least that reading a SQLite table takes: each row stepped to, each value looked at. ./sqlite_loop FILE TABLE */
#include <sqlite3.h>
#include <stdio.h>

int main(int count, char **words)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    char sql[200];
    unsigned long long rows = 0, sum = 0;
    if (count != 3 || sqlite3_open_v2(words[1], &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return 1;
    snprintf(sql, sizeof sql, "SELECT * FROM \"%.100s\"", words[2]);
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        return 1;
    int columns = sqlite3_column_count(st);
    for (; sqlite3_step(st) == SQLITE_ROW; rows++)
        for (int i = 0; i < columns; i++)
            switch (sqlite3_column_type(st, i)) {
            case SQLITE_INTEGER:
                sum += (unsigned long long)sqlite3_column_int64(st, i);
                break;
            case SQLITE_FLOAT:
                sum += (unsigned long long)sqlite3_column_double(st, i);
                break;
            case SQLITE_NULL:
                break;
            default:
                sqlite3_column_blob(st, i);
                sum += (unsigned long long)sqlite3_column_bytes(st, i);
            }
    printf("%llu rows, %llu\n", rows, sum);
    sqlite3_finalize(st);
    return sqlite3_close(db) != SQLITE_OK;
}

/* A session for tests: DuckDB's library lies in the build directory, not beside the test program. */
#ifndef FF_TESTS_SESSION_FIXTURE_H
#define FF_TESTS_SESSION_FIXTURE_H

#include <stdlib.h>

#include "sql/session.h"

static inline void session_fixture_open(struct sql_session *session, const struct sql_session_options *options)
{
    struct error err = {0};
    setenv("FLOWFORGE_LIBDUCKDB", TEST_BUILD_DIR "/libduckdb.so", 1);
    if (sql_session_open(session, options, &err) != OK)
        fail_msg("session: %s", err.message);
}

#endif

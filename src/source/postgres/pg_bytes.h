/* Network byte order. */
#ifndef FF_SOURCE_POSTGRES_PG_BYTES_H
#define FF_SOURCE_POSTGRES_PG_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t pg_u16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap16(v);
}

static inline uint32_t pg_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap32(v);
}

static inline uint64_t pg_u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

#endif

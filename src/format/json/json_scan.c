#include "format/json/json_scan.h"

static const uint8_t *string_stop_scalar(const uint8_t *p, const uint8_t *end, uint32_t *high)
{
    for (; p < end && *p != '"' && *p != '\\' && *p >= 0x20; p++)
        *high |= *p & 0x80u;
    return p;
}

static void classify_scalar(const uint8_t bytes[64], struct json_block *block)
{
    *block = (struct json_block){0};
    for (unsigned i = 0; i < 64; i++) {
        uint64_t bit = UINT64_C(1) << i;
        switch (bytes[i]) {
        case '"':
            block->quote |= bit;
            break;
        case '\\':
            block->backslash |= bit;
            break;
        case ',':
            block->comma |= bit;
            break;
        case '{':
        case '[':
            block->open |= bit;
            break;
        case '}':
        case ']':
            block->close |= bit;
            break;
        default:
            break;
        }
    }
}

static size_t count_line_feeds_scalar(const uint8_t *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += p[i] == '\n';
    return count;
}

const struct json_scan_ops json_scan_scalar = {
    .name = "scalar",
    .string_stop = string_stop_scalar,
    .classify = classify_scalar,
    .count_line_feeds = count_line_feeds_scalar,
};

const struct json_scan_ops *json_scan(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return &json_scan_avx2;
#endif
#if defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__))
    return &json_scan_baseline;
#else
    return &json_scan_scalar;
#endif
}

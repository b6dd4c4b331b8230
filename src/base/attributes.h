/* Compiler attributes used across the code, by one name each. */
#ifndef FF_BASE_ATTRIBUTES_H
#define FF_BASE_ATTRIBUTES_H

/* A result that must not be ignored: every status and every ownership transfer. */
#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Inner loops whose specialisation depends on constant arguments. */
#define ALWAYS_INLINE inline __attribute__((always_inline))
#define NO_INLINE __attribute__((noinline))
#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

#endif

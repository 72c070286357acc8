/* The keys of every section that runs business code: how it is compiled, its stacks, its options.
 */
#ifndef MODULE_MODULE_CONF_H
#define MODULE_MODULE_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"

struct module_conf {
    const char *cc;     /* NULL: $CC, then cc, gcc, clang */
    const char *cflags; /* NULL: none */
    struct conf_list options;
    uint64_t stack_bytes;
    int64_t max_coroutines;
    uint64_t stuck_timeout_ms;
};

/* For the key table of a role whose struct TYPE has a `struct module_conf FIELD`. */
#define MODULE_CONF_KEYS(TYPE, FIELD)                                                              \
    {.name = "cc",                                                                                 \
     .type = CONF_STR,                                                                             \
     .offset = offsetof(TYPE, FIELD.cc),                                                           \
     .meaning = "Compiler for a .c module; $CC, else cc, gcc or clang when unset."},               \
        {.name = "cflags",                                                                         \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.cflags),                                                   \
         .meaning = "More words for the compiler, as in \"-DDEBUG -lsqlite3\"."},                  \
        {.name = "option",                                                                         \
         .type = CONF_LIST,                                                                        \
         .offset = offsetof(TYPE, FIELD.options),                                                  \
         .meaning = "A value for the module, as in color=blue: gw_option() reads it. May be "      \
                    "repeated."},                                                                  \
        {.name = "stack_bytes",                                                                    \
         .type = CONF_SIZE,                                                                        \
         .offset = offsetof(TYPE, FIELD.stack_bytes),                                              \
         .def = "256k",                                                                            \
         .min = (int64_t)32 * 1024,                                                                \
         .max = (int64_t)64 * 1024 * 1024,                                                         \
         .unit = "bytes",                                                                          \
         .meaning = "Stack of a callback; memory is taken as it is used."},                        \
        {.name = "max_coroutines",                                                                 \
         .type = CONF_INT,                                                                         \
         .offset = offsetof(TYPE, FIELD.max_coroutines),                                           \
         .def = "10000",                                                                           \
         .min = 1,                                                                                 \
         .max = 1000000,                                                                           \
         .meaning = "Callbacks that may be under way at once; further events wait."},              \
    {                                                                                              \
        .name = "stuck_timeout", .type = CONF_SECONDS,                                             \
        .offset = offsetof(TYPE, FIELD.stuck_timeout_ms), .def = "0", .max = 86400000,             \
        .unit = "s",                                                                               \
        .meaning = "A callback that runs so long without returning or waiting has its process "    \
                   "killed and started again, in whole seconds; 0: it is only reported. Calls "    \
                   "that suspend do not count."                                                    \
    }

/* The body of gw_option(): NULL when absent. */
const char *module_option(const struct module_conf *c, const char *name);
/* The module's file, named by `key` with `value`, exists and is a .c or .so; every option is
 * name=value. 0, or GW_ECONF with a line each in errors. */
int module_conf_check(const struct conf *conf, const struct conf_section *s, const char *key,
                      const char *value, const struct module_conf *c, struct buf *errors) NODISCARD;

#endif

/* dlopen() with everything bound at once, so that a missing function shows before any client. */
#include "module/module.h"

#include <dlfcn.h>
#include <stdio.h>

#include "base/log.h"

const void *module_open(const char *path, const struct module_kind *kind, struct buf *error)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (!handle) {
        buf_printf(error, "cannot load the module: %s", dlerror());
        return NULL;
    }
    const uint32_t *abi = dlsym(handle, kind->symbol);
    if (!abi)
        buf_printf(error,
                   "%s defines no %s: a module needs "
                   "`const struct %s %s = { .abi = …_ABI, … };`",
                   path, kind->symbol, kind->symbol, kind->symbol);
    else if (*abi != kind->abi) {
        buf_printf(error, "%s was built for %s ABI %u, this server has %u: compile it again", path,
                   kind->symbol, *abi, kind->abi);
        abi = NULL;
    }
    if (!abi)
        dlclose(handle);
    return abi;
}

const void *module_open_or_log(const char *path, const struct module_kind *kind)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct buf error = {0};
    const void *module = module_open(path, kind, &error);

    if (!module)
        log_error("%s", buf_cstr(&error));
    buf_fini(&error);
    return module;
}

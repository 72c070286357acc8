/* dlopen() with everything bound at once, so that a missing function shows before any client. */
#include "worker/module.h"

#include <dlfcn.h>

const struct gw_module *module_open(const char *path, struct buf *error)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (!handle) {
        buf_printf(error, "cannot load the module: %s", dlerror());
        return NULL;
    }
    const struct gw_module *module = dlsym(handle, "gw_module");
    if (!module)
        buf_printf(error,
                   "%s defines no gw_module: a module needs "
                   "`const struct gw_module gw_module = { .abi = GW_MODULE_ABI, … };`",
                   path);
    else if (module->abi != GW_MODULE_ABI) {
        buf_printf(error, "%s was built for module ABI %u, this server has %d: compile it again",
                   path, module->abi, GW_MODULE_ABI);
        module = NULL;
    }
    if (!module)
        dlclose(handle);
    return module;
}

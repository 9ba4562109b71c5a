#include "os/posix/module.hpp"

#include <dlfcn.h>

namespace weft::os {

void pin_this_module() noexcept {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&pin_this_module), &info) == 0) return;
    // Finds the module that is loaded already, marks it, and so never loads anything. The name of
    // the main program is not found as a library, and needs no pin. The handle stays open: it is
    // the pin for systems that know no RTLD_NODELETE.
    if (dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) == nullptr) dlerror();
}

}  // namespace weft::os

// Packs calls of a plugin that it has opened, and makes packed calls without having opened any.
//
//     callable_host pack function|lambda <plugin> [directory to open it from]
//     callable_host run < packed

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include <weft/detail/callable.hpp>
#include <weft/pickle.hpp>

namespace {

template <class Function>
Function* function_in(void* library, const char* name) {
    auto* const found = reinterpret_cast<Function*>(dlsym(library, name));
    if (found == nullptr) throw std::runtime_error(dlerror());
    return found;
}

void enter(const char* directory) {
    if (chdir(directory) != 0) throw std::runtime_error("no such directory");
}

weft::bytes pack(std::string_view kind, const char* plugin, const char* directory) {
    if (directory != nullptr) enter(directory);
    void* const library = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(dlerror());
    // From here on the name by which it was opened leads elsewhere.
    if (directory != nullptr) enter("/");
    if (kind == "function") {
        return weft::detail::pack_call(function_in<int(int)>(library, "plugin_triple"), 14);
    }
    weft::bytes packed;
    function_in<void(weft::bytes&)>(library, "plugin_pack")(packed);
    return packed;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc > 3 && std::string_view(argv[1]) == "pack") {
            const weft::bytes packed = pack(argv[2], argv[3], argc > 4 ? argv[4] : nullptr);
            std::fwrite(packed.data(), 1, packed.size(), stdout);
            return 0;
        }
        const std::string packed{std::istreambuf_iterator<char>(std::cin), {}};
        std::cout << weft::pickle::loads(weft::detail::run_packed(packed)).repr();
        return 0;
    } catch (const std::exception& error) {
        std::cout << error.what();
        return 3;
    }
}

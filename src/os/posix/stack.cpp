#include "os/posix/stack.hpp"

#include <dlfcn.h>
#include <execinfo.h>

#include "os/posix/cancellation.hpp"

namespace weft::os {

std::size_t capture_stack(std::span<void*> frames) noexcept {
    const WithoutCancellation whole;
    const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
    return count > 0 ? static_cast<std::size_t>(count) : 0;
}

std::uintptr_t stack_position() noexcept {
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

Symbol symbol_at(const void* address) {
    Dl_info info{};
    if (dladdr(address, &info) == 0) return {};
    Symbol symbol;
    if (info.dli_fname != nullptr) symbol.module = info.dli_fname;
    if (info.dli_sname != nullptr) symbol.name = info.dli_sname;
    const void* const start = symbol.name.empty() ? info.dli_fbase : info.dli_saddr;
    symbol.offset = static_cast<std::size_t>(static_cast<const char*>(address) -
                                             static_cast<const char*>(start));
    return symbol;
}

}  // namespace weft::os

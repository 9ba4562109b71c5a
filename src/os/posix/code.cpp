#include "os/posix/code.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstring>
#include <exception>
#include <utility>

namespace weft::os {

namespace {

/// The GNU build-id among a module's notes.
std::string build_id_in(const dl_phdr_info& info) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
        const auto& segment = info.dlpi_phdr[i];
        if (segment.p_type != PT_NOTE) continue;
        const auto* next = reinterpret_cast<const char*>(info.dlpi_addr + segment.p_vaddr);
        std::size_t left = segment.p_memsz;
        const std::size_t align = segment.p_align == 8 ? 8 : 4;
        while (left >= sizeof(ElfW(Nhdr))) {
            ElfW(Nhdr) note;
            std::memcpy(&note, next, sizeof note);
            const auto padded = [&](std::size_t size) {
                return (size + align - 1) / align * align;
            };
            const std::size_t name_at = sizeof note;
            const std::size_t data_at = name_at + padded(note.n_namesz);
            const std::size_t size = data_at + padded(note.n_descsz);
            if (size > left) break;
            if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
                std::memcmp(next + name_at, "GNU", 4) == 0) {
                return {next + data_at, note.n_descsz};
            }
            next += size;
            left -= size;
        }
    }
    return {};
}

bool has_code_at(const dl_phdr_info& info, std::uintptr_t address) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
        const auto& segment = info.dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
        const std::uintptr_t first = info.dlpi_addr + segment.p_vaddr;
        if (address >= first && address - first < segment.p_memsz) return true;
    }
    return false;
}

struct Search {
    std::uintptr_t address = 0;
    std::string_view build_id;
    bool is_first = true;  ///< the program comes first, and has no name
    std::optional<CodeModule> found;
    std::exception_ptr failure;
};

bool is_wanted(const dl_phdr_info* info, Search& search) {
    const bool is_program = std::exchange(search.is_first, false);
    std::string build_id;
    if (search.build_id.empty()) {
        if (!has_code_at(*info, search.address)) return false;
        build_id = build_id_in(*info);
    } else {
        build_id = build_id_in(*info);
        if (build_id != search.build_id) return false;
    }
    search.found.emplace();
    search.found->base = info->dlpi_addr;
    search.found->build_id = std::move(build_id);
    if (!is_program && info->dlpi_name != nullptr) search.found->path = info->dlpi_name;
    return true;
}

int look(dl_phdr_info* info, std::size_t /*size*/, void* argument) {
    auto& search = *static_cast<Search*>(argument);
    try {
        return is_wanted(info, search) ? 1 : 0;
    } catch (...) {
        // Not through the C library, which holds a lock meanwhile.
        search.failure = std::current_exception();
        return 1;
    }
}

std::optional<CodeModule> run(Search& search) {
    dl_iterate_phdr(look, &search);
    if (search.failure != nullptr) std::rethrow_exception(search.failure);
    return std::move(search.found);
}

}  // namespace

std::optional<CodeModule> find_code(std::uintptr_t address) {
    Search search;
    search.address = address;
    return run(search);
}

std::optional<CodeModule> find_build(std::string_view build_id) {
    Search search;
    search.build_id = build_id;
    if (build_id.empty()) return std::nullopt;
    return run(search);
}

std::uint64_t unloaded_modules() noexcept {
    std::uint64_t count = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t size, void* argument) {
            if (size >= offsetof(dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs) {
                *static_cast<std::uint64_t*>(argument) = info->dlpi_subs;
            }
            return 1;
        },
        &count);
    return count;
}

std::string open_library(const std::string& path) {
    if (dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) != nullptr) return {};
    const char* const reason = dlerror();
    return reason != nullptr ? reason : "it cannot be loaded";
}

}  // namespace weft::os

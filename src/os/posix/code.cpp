#include "os/posix/code.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <exception>
#include <fstream>
#include <system_error>
#include <utility>

namespace weft::os {

namespace {

/// The GNU build-id among the notes of a segment, or nothing.
std::string build_id_among(std::string_view notes, std::size_t alignment) {
    const std::size_t align = alignment == 8 ? 8 : 4;
    while (notes.size() >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        std::memcpy(&note, notes.data(), sizeof note);
        const auto padded = [&](std::size_t size) { return (size + align - 1) / align * align; };
        const std::size_t name_at = sizeof note;
        const std::size_t data_at = name_at + padded(note.n_namesz);
        const std::size_t size = data_at + padded(note.n_descsz);
        // The last may lack its padding.
        if (data_at > notes.size() || note.n_descsz > notes.size() - data_at) break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            std::memcmp(notes.data() + name_at, "GNU", 4) == 0) {
            return std::string(notes.substr(data_at, note.n_descsz));
        }
        notes.remove_prefix(size < notes.size() ? size : notes.size());
    }
    return {};
}

/// Whether a segment of a module lies in memory. Notes need not.
bool is_loaded(const dl_phdr_info& info, const ElfW(Phdr) & wanted) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
        const auto& segment = info.dlpi_phdr[i];
        if (segment.p_type == PT_LOAD && wanted.p_vaddr >= segment.p_vaddr &&
            wanted.p_vaddr - segment.p_vaddr <= segment.p_memsz &&
            wanted.p_memsz <= segment.p_memsz - (wanted.p_vaddr - segment.p_vaddr)) {
            return true;
        }
    }
    return false;
}

/// The GNU build-id of a module.
std::string build_id_in(const dl_phdr_info& info) {
    for (int i = 0; i < info.dlpi_phnum; ++i) {
        const auto& segment = info.dlpi_phdr[i];
        if (segment.p_type != PT_NOTE || !is_loaded(info, segment)) continue;
        const auto* first = reinterpret_cast<const char*>(info.dlpi_addr + segment.p_vaddr);
        std::string found = build_id_among({first, segment.p_memsz}, segment.p_align);
        if (!found.empty()) return found;
    }
    return {};
}

/// Part of a file; shorter, or empty, if there is no more of it.
std::string part_of_file(int fd, std::uint64_t offset, std::size_t size) {
    std::string part(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        const ssize_t got =
            pread(fd, part.data() + filled, size - filled, static_cast<off_t>(offset + filled));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        filled += static_cast<std::size_t>(got);
    }
    part.resize(filled);
    return part;
}

/// The GNU build-id of a library's file; nothing if it has none, or is no library for this machine,
/// or not a whole one.
std::string build_id_of_file(int fd) {
    constexpr std::size_t kMostNotes = std::size_t{1} << 20;
    ElfW(Ehdr) head;
    struct stat status{};
    if (fstat(fd, &status) != 0) return {};
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const std::string raw = part_of_file(fd, 0, sizeof head);
    if (raw.size() != sizeof head) return {};
    std::memcpy(&head, raw.data(), sizeof head);
    if (std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != (sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        head.e_phentsize != sizeof(ElfW(Phdr))) {
        return {};
    }
    std::string found;
    for (std::size_t i = 0; i < head.e_phnum; ++i) {
        ElfW(Phdr) segment;
        const std::string entry =
            part_of_file(fd, head.e_phoff + i * sizeof segment, sizeof segment);
        if (entry.size() != sizeof segment) return {};
        std::memcpy(&segment, entry.data(), sizeof segment);
        // What is cut off would be mapped all the same, and stop the process when it is touched.
        if (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > size) return {};
        if (segment.p_type != PT_NOTE || segment.p_filesz > kMostNotes) continue;
        if (!found.empty()) continue;
        found = build_id_among(
            part_of_file(fd, segment.p_offset, static_cast<std::size_t>(segment.p_filesz)),
            static_cast<std::size_t>(segment.p_align));
    }
    return found;
}

/// The absolute path of the file that is mapped at an address. The loader keeps the name by which
/// a library was opened, which after a change of the directory may name another file.
std::string path_mapped_at(std::uintptr_t address) {
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
        std::uintptr_t first = 0;
        std::uintptr_t limit = 0;
        const char* const end = line.data() + line.size();
        const auto low = std::from_chars(line.data(), end, first, 16);
        if (low.ec != std::errc() || low.ptr == end) continue;
        const auto high = std::from_chars(low.ptr + 1, end, limit, 16);
        if (high.ec != std::errc() || address < first || address >= limit) continue;
        const std::size_t path_at = line.find('/');
        return path_at == std::string::npos ? std::string() : line.substr(path_at);
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
    std::optional<CodeModule> found = run(search);
    if (found && !found->path.empty() && found->path.front() != '/') {
        std::string mapped = path_mapped_at(address);
        if (!mapped.empty()) found->path = std::move(mapped);
    }
    return found;
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

std::string open_library(const std::string& path, std::string_view build_id) {
    constexpr const char* kOther = "what is there now is another build";
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) return std::generic_category().message(errno);
    std::string in_file;
    try {
        in_file = build_id_of_file(fd);
    } catch (...) {
        close(fd);
        throw;
    }
    close(fd);
    if (in_file.empty()) return "what is there is no whole library with a build-id";
    if (in_file != build_id) return kOther;
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* const reason = dlerror();
        return reason != nullptr ? reason : "it cannot be loaded";
    }
    // The file may have been replaced in between.
    if (find_build(build_id)) return {};
    dlclose(library);
    return kOther;
}

}  // namespace weft::os

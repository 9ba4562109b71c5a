#include "support/symbols.hpp"

#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "support/stacks.hpp"

namespace weft::test {

namespace {

struct Program {
    std::uintptr_t bias = 0;  ///< what the loader added to the addresses in the file
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    std::span<const ElfW(Sym)> symbols;
    const char* names = nullptr;
};

Program program;

/// The main program is the first object that the loader tells about.
int note_place(dl_phdr_info* info, std::size_t, void*) {
    program.bias = info->dlpi_addr;
    program.begin = UINTPTR_MAX;
    for (const ElfW(Phdr) & segment : std::span(info->dlpi_phdr, info->dlpi_phnum)) {
        if (segment.p_type != PT_LOAD) continue;
        const std::uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
        program.begin = begin < program.begin ? begin : program.begin;
        const std::uintptr_t end = begin + segment.p_memsz;
        program.end = end > program.end ? end : program.end;
    }
    return 1;
}

void note_symbols(const char* file) {
    const auto* const header = reinterpret_cast<const ElfW(Ehdr)*>(file);
    const std::span sections(reinterpret_cast<const ElfW(Shdr)*>(file + header->e_shoff),
                             header->e_shnum);
    for (const ElfW(Shdr) & section : sections) {
        if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
        program.symbols = {reinterpret_cast<const ElfW(Sym)*>(file + section.sh_offset),
                           section.sh_size / sizeof(ElfW(Sym))};
        program.names = file + sections[section.sh_link].sh_offset;
    }
}

/// Not instrumented, as everything that runs in the signal handler.
WEFT_TEST_NO_SANITIZE const ElfW(Sym) * find(std::uintptr_t address) {
    const ElfW(Sym)* const first = program.symbols.data();
    const std::size_t count = program.symbols.size();
    for (std::size_t i = 0; i < count; ++i) {
        const std::uintptr_t start = program.bias + first[i].st_value;
        const bool is_function = (first[i].st_info & 0xf) == STT_FUNC;
        if (is_function && address >= start && address < start + first[i].st_size) {
            return first + i;
        }
    }
    return nullptr;
}

}  // namespace

void prepare_symbols() {
    dl_iterate_phdr(&note_place, nullptr);
    const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    struct stat attributes{};
    fstat(fd, &attributes);
    void* const file =
        mmap(nullptr, static_cast<std::size_t>(attributes.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file != MAP_FAILED) note_symbols(static_cast<const char*>(file));
}

WEFT_TEST_NO_SANITIZE void print_frame(int fd, void* address) noexcept {
    // A return address may be the first one behind its function, if that call never returns.
    const auto place = reinterpret_cast<std::uintptr_t>(address) - 1;
    const ElfW(Sym)* const symbol =
        place >= program.begin && place < program.end ? find(place) : nullptr;
    if (symbol == nullptr) {
        backtrace_symbols_fd(&address, 1, fd);
        return;
    }
    write_text(fd, "  ");
    write_text(fd, program.names + symbol->st_name);
    write_text(fd, "+");
    write_number(fd, static_cast<long>(place + 1 - program.bias - symbol->st_value));
    write_text(fd, "\n");
}

}  // namespace weft::test

#include "os/code_file.hpp"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

namespace weft::os {

namespace {

template <class T>
bool read_items(int fd, std::vector<T>& items, std::uint64_t offset) {
    return read_at(fd, {reinterpret_cast<char*>(items.data()), items.size() * sizeof(T)}, offset);
}

/// No section of ours is larger; a number beyond it is a damaged file's.
constexpr std::uint64_t kLargestSection = std::uint64_t{1} << 32;

/// Where systems keep what was stripped: under the first byte of the build-id, in hexadecimal.
std::string debug_path(std::string_view build_id) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string path = "/usr/lib/debug/.build-id/";
    for (std::size_t i = 0; i < build_id.size(); ++i) {
        const auto byte = static_cast<unsigned char>(build_id[i]);
        path += kDigits[byte >> 4];
        path += kDigits[byte & 15];
        if (i == 0) path += '/';
    }
    return path + ".debug";
}

}  // namespace

CodeFile::CodeFile(const CodeModule& module) {
    // The link leads to the program that was started, even when its path has another one by now.
    const std::string path = module.path.empty() ? "/proc/self/exe" : module.path;
    if (auto image = open(path, module.build_id)) images_.push_back(*std::move(image));
    if (module.build_id.empty()) return;
    if (auto image = open(debug_path(module.build_id), module.build_id)) {
        images_.push_back(*std::move(image));
    }
}

std::optional<CodeFile::Image> CodeFile::open(const std::string& path,
                                              const std::string& build_id) {
    try {
        Image image{open_file(path.c_str(), OpenMode::reading), {}};
        const int fd = image.file.fd();
        std::vector<ElfW(Ehdr)> header(1);
        if (!read_items(fd, header, 0)) return std::nullopt;
        if (std::memcmp(header[0].e_ident, ELFMAG, SELFMAG) != 0 ||
            header[0].e_shentsize != sizeof(ElfW(Shdr)) || header[0].e_shnum == 0 ||
            header[0].e_shstrndx >= header[0].e_shnum) {
            return std::nullopt;
        }
        std::vector<ElfW(Shdr)> sections(header[0].e_shnum);
        if (!read_items(fd, sections, header[0].e_shoff)) return std::nullopt;
        const ElfW(Shdr)& names_section = sections[header[0].e_shstrndx];
        if (names_section.sh_size > kLargestSection) return std::nullopt;
        std::string names(static_cast<std::size_t>(names_section.sh_size), '\0');
        if (!read_at(fd, names, names_section.sh_offset)) return std::nullopt;
        for (const ElfW(Shdr) & each : sections) {
            if (each.sh_type == SHT_NOBITS || (each.sh_flags & SHF_COMPRESSED) != 0 ||
                each.sh_size > kLargestSection || each.sh_name >= names.size()) {
                continue;
            }
            image.sections.push_back(
                {std::string(names.c_str() + each.sh_name), each.sh_offset, each.sh_size});
        }
        // Another build may have taken the place of the library that was loaded.
        if (!build_id.empty() && !read(image, ".note.gnu.build-id").ends_with(build_id)) {
            return std::nullopt;
        }
        return image;
    } catch (const std::system_error&) {
        return std::nullopt;
    }
}

std::string CodeFile::read(const Image& image, std::string_view name) {
    const auto section = std::ranges::find(image.sections, name, &Section::name);
    if (section == image.sections.end()) return {};
    std::string contents(static_cast<std::size_t>(section->size), '\0');
    try {
        if (read_at(image.file.fd(), contents, section->offset)) return contents;
    } catch (const std::system_error&) {
        // As if it were not there.
    }
    return {};
}

std::string CodeFile::section(std::string_view name) const {
    for (const Image& image : images_) {
        std::string contents = read(image, name);
        if (!contents.empty()) return contents;
    }
    return {};
}

CodeSymbols CodeFile::functions() const {
    // The first has static functions too; the second is left when a file was stripped.
    std::string table = section(".symtab");
    std::string text = section(".strtab");
    if (table.empty() || text.empty()) {
        table = section(".dynsym");
        text = section(".dynstr");
    }
    CodeSymbols found;
    found.text.assign(text.begin(), text.end());
    found.text.push_back('\0');
    for (std::size_t at = 0; table.size() - at >= sizeof(ElfW(Sym)); at += sizeof(ElfW(Sym))) {
        ElfW(Sym) symbol;
        std::memcpy(&symbol, table.data() + at, sizeof symbol);
        const auto type = symbol.st_info & 15;
        if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF ||
            symbol.st_name >= found.text.size()) {
            continue;
        }
        found.functions.push_back({symbol.st_value, symbol.st_size,
                                   std::string_view(found.text.data() + symbol.st_name)});
    }
    std::ranges::sort(found.functions, {}, [](const CodeSymbol& symbol) {
        return std::pair(symbol.address, symbol.name);
    });
    return found;
}

}  // namespace weft::os

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/descriptor.hpp"
#include "os/posix/code.hpp"

namespace weft::os {

/// A function that a file's symbol table names.
struct CodeSymbol {
    std::uint64_t address = 0;  ///< in the file; the module's base is to be added
    std::uint64_t size = 0;     ///< 0 where the table does not say
    std::string_view name;
};

/// The functions of a file, by address, and the text that their names are in.
struct CodeSymbols {
    std::vector<char> text;  ///< stays where it is when this is moved
    std::vector<CodeSymbol> functions;
};

/// The file that a module of this process was loaded from, and where the system keeps one, the file
/// with its debug information (/usr/lib/debug/.build-id). Read section by section, into memory: a
/// mapped file may be cut short under its reader. What cannot be read is taken as not there.
class CodeFile {
public:
    explicit CodeFile(const CodeModule& module);

    /// The contents of a section; empty when there is none, and when it is compressed. Throws
    /// `std::bad_alloc`.
    [[nodiscard]] std::string section(std::string_view name) const;

    /// Throws `std::bad_alloc`.
    [[nodiscard]] CodeSymbols functions() const;

private:
    struct Section {
        std::string name;
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
    };
    struct Image {
        Descriptor file;
        std::vector<Section> sections;
    };

    static std::optional<Image> open(const std::string& path, const std::string& build_id);
    static std::string read(const Image& image, std::string_view name);

    std::vector<Image> images_;  ///< the file itself, then its debug information
};

}  // namespace weft::os

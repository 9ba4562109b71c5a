#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weft::trace {

/// What the linker has put together of the compilers' line tables: the contents of .debug_line,
/// .debug_line_str and .debug_str. Any of them may be empty.
struct LineSections {
    std::string lines;
    std::string line_strings;
    std::string strings;
};

/// A line of the source; `line` is 0 when it is not known.
struct SourceLine {
    std::string file;
    int line = 0;
};

/// DWARF's line tables, versions 2 to 5, of one file. Any content is survived: a unit that makes no
/// sense ends with its sense, and what it would have told is not known.
///
/// The constructor runs through all of the tables and keeps which addresses each unit speaks of;
/// find() runs through one unit again. Afterwards it is immutable, for any threads at once.
class LineTable {
public:
    explicit LineTable(LineSections sections);

    /// The line of the function that begins at this address of the file's.
    [[nodiscard]] SourceLine find(std::uint64_t address) const;

private:
    /// Addresses that lie one after the other, as one unit lists them.
    struct Sequence {
        std::uint64_t first = 0;
        std::uint64_t end = 0;
        std::size_t unit = 0;  ///< where it begins in `lines`
    };

    LineSections sections_;
    std::vector<Sequence> sequences_;  ///< by their first address
};

}  // namespace weft::trace

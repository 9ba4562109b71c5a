// Line tables of any content: the reader of weft::trace survives them, and what it says of an
// address is a line that can be.

#include <cstddef>
#include <cstdint>
#include <string>

#include "support/check.hpp"
#include "trace/line_table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string lines(reinterpret_cast<const char*>(data), size);
    const weft::trace::LineTable table({lines, std::string("/home\0include\0", 14), lines});
    for (const std::uint64_t address : {0x1000u, 0x1004u, 0x2000u, 0x2111u, 0xffffffffu}) {
        const weft::trace::SourceLine line = table.find(address);
        WEFT_FUZZ_CHECK(line.line >= 0);
        WEFT_FUZZ_CHECK(line.line > 0 || line.file.empty());
    }
    return 0;
}

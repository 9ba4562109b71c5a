#include "trace/line_table.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace {

using weft::trace::LineSections;
using weft::trace::LineTable;
using weft::trace::SourceLine;

/// Writes tables as compilers do.
class Bytes {
public:
    template <class T>
    Bytes& add(T value) {
        char bytes[sizeof value];
        std::memcpy(bytes, &value, sizeof value);
        text_.append(bytes, sizeof value);
        return *this;
    }
    Bytes& u8(unsigned value) { return add(static_cast<std::uint8_t>(value)); }
    Bytes& text(std::string_view value) {
        text_.append(value).push_back('\0');
        return *this;
    }
    Bytes& raw(const std::string& value) {
        text_.append(value);
        return *this;
    }
    [[nodiscard]] const std::string& str() const { return text_; }

private:
    std::string text_;
};

constexpr unsigned kOpcodeBase = 13;

/// What follows in every header the length of instructions.
Bytes standard_header(unsigned version) {
    Bytes header;
    header.u8(1);
    if (version >= 4) header.u8(1);
    header.u8(1).add(std::int8_t{-5}).u8(14).u8(kOpcodeBase);
    for (const unsigned operands : {0u, 1u, 1u, 1u, 1u, 0u, 0u, 0u, 1u, 0u, 0u, 1u}) {
        header.u8(operands);
    }
    return header;
}

/// From 0x1000: line 10 there, 12 four bytes later; to 0x1010. From 0x2000: line 700 of file 2.
std::string program(unsigned first_file) {
    Bytes program;
    program.u8(0).u8(9).u8(2).add(std::uint64_t{0x1000});
    program.u8(4).u8(first_file);
    program.u8(3).u8(9).u8(1);                         // line 10
    program.u8(kOpcodeBase + (12 - 10 + 5) + 4 * 14);  // line 12, address 0x1004
    program.u8(2).u8(12).u8(0).u8(1).u8(1);            // end at 0x1010
    program.u8(0).u8(9).u8(2).add(std::uint64_t{0x2000});
    program.u8(4).u8(first_file + 1);
    program.u8(3).u8(0xbb).u8(0x05).u8(1);           // line 700
    program.u8(8).u8(9).add(std::uint16_t{0x100});   // on by 17, then by 256
    program.u8(3).u8(0x7f).u8(5).u8(3).u8(6).u8(1);  // line 699; a column, a statement
    program.u8(0).u8(2).u8(4).u8(7);                 // a discriminator
    program.u8(2).u8(1).u8(0).u8(1).u8(1);
    program.u8(0).u8(9).u8(2).add(std::uint64_t{0}).u8(1);  // what the linker has left out
    program.u8(2).u8(0xff).u8(0xff).u8(0x03).u8(0).u8(1).u8(1);
    return program.str();
}

std::string with_length(const std::string& unit, bool is_64_bit) {
    Bytes whole;
    if (is_64_bit) {
        whole.add(std::uint32_t{0xffffffff}).add(std::uint64_t{unit.size()});
    } else {
        whole.add(static_cast<std::uint32_t>(unit.size()));
    }
    return whole.raw(unit).str();
}

std::string old_unit(unsigned version) {
    Bytes header = standard_header(version);
    header.text("include").text("").text("one.cpp").u8(0).u8(0).u8(0);
    header.text("two.hpp").u8(1).u8(0).u8(0).text("");
    Bytes unit;
    unit.add(static_cast<std::uint16_t>(version));
    unit.add(static_cast<std::uint32_t>(header.str().size())).raw(header.str());
    return with_length(unit.raw(program(1)).str(), false);
}

/// Version 5 names forms: here all of those that tables use.
std::string new_unit(bool is_64_bit) {
    Bytes header = standard_header(5);
    const auto offset = [&](Bytes& bytes, unsigned value) {
        if (is_64_bit) {
            bytes.add(std::uint64_t{value});
        } else {
            bytes.add(std::uint32_t{value});
        }
    };
    header.u8(1).u8(1).u8(0x1f).u8(2);  // folders: their paths in .debug_line_str
    offset(header, 0);
    offset(header, 6);
    header.u8(7).u8(1).u8(0x0e).u8(2).u8(0x0b).u8(5).u8(0x1e).u8(3).u8(0x06).u8(4).u8(0x0f);
    header.u8(0x10).u8(0x09).u8(0x11).u8(0x05).u8(2);
    for (unsigned file = 0; file < 2; ++file) {
        offset(header, file * 8);
        header.u8(file).raw(std::string(16, 'm')).add(std::uint32_t{1}).u8(0x85).u8(0x01);
        header.u8(3).raw("abc").add(std::uint16_t{9});
    }
    Bytes unit;
    unit.add(std::uint16_t{5}).u8(8).u8(0);
    offset(unit, static_cast<unsigned>(header.str().size()));
    return with_length(unit.raw(header.str()).raw(program(0)).str(), is_64_bit);
}

LineTable table_of(std::string lines) {
    using namespace std::string_literals;
    return LineTable({std::move(lines), "/home\0include\0"s, "one.cpp\0two.hpp\0"s});
}

std::pair<std::string, int> place(const LineTable& table, std::uint64_t address) {
    const SourceLine line = table.find(address);
    return {line.file, line.line};
}

using Place = std::pair<std::string, int>;
const Place kUnknown{"", 0};

TEST(LineTable, ReadsTheTablesOfOldVersions) {
    for (const unsigned version : {2u, 3u, 4u}) {
        const LineTable table = table_of(old_unit(version));
        EXPECT_EQ(place(table, 0x1000), Place("one.cpp", 10)) << version;
        EXPECT_EQ(place(table, 0x2000), Place("include/two.hpp", 700)) << version;
    }
}

TEST(LineTable, ReadsTheTablesOfVersionFive) {
    for (const bool is_64_bit : {false, true}) {
        const LineTable table = table_of(new_unit(is_64_bit));
        EXPECT_EQ(place(table, 0x1000), Place("/home/one.cpp", 10));
        EXPECT_EQ(place(table, 0x2000), Place("/home/include/two.hpp", 700));
    }
}

TEST(LineTable, TakesTheLastRowBeforeAnAddressWithoutOne) {
    const LineTable table = table_of(old_unit(4));
    EXPECT_EQ(place(table, 0x1003), Place("one.cpp", 10));
    EXPECT_EQ(place(table, 0x1004), Place("one.cpp", 12));
    EXPECT_EQ(place(table, 0x100f), Place("one.cpp", 12));
    EXPECT_EQ(place(table, 0x2110), Place("include/two.hpp", 700));
    EXPECT_EQ(place(table, 0x2111), Place("include/two.hpp", 699));
}

TEST(LineTable, KnowsNothingOfAddressesOutside) {
    const LineTable table = table_of(old_unit(4));
    EXPECT_EQ(place(table, 0x0fff), kUnknown);
    EXPECT_EQ(place(table, 0x1010), kUnknown);
    EXPECT_EQ(place(table, 0x1fff), kUnknown);
    EXPECT_EQ(place(table, 0x2112), kUnknown);
    EXPECT_EQ(place(table_of(""), 0x1000), kUnknown);
}

TEST(LineTable, ReadsOneUnitAfterAnother) {
    Bytes strange;
    strange.add(std::uint16_t{77}).raw("of some later version");
    const LineTable table = table_of(with_length(strange.str(), false) + old_unit(3));
    EXPECT_EQ(place(table, 0x1000), Place("one.cpp", 10));
}

TEST(LineTable, SurvivesTablesThatAreCutOrDamaged) {
    for (const std::string& whole : {old_unit(2), old_unit(4), new_unit(false), new_unit(true)}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            EXPECT_EQ(place(table_of(whole.substr(0, size)), 0x1000), kUnknown) << size;
        }
        for (std::size_t at = 0; at < whole.size(); ++at) {
            for (const char damage : {'\0', '\1', '\x7f', '\x80', '\xff'}) {
                std::string damaged = whole;
                damaged[at] = damage;
                const LineTable table = table_of(damaged);
                EXPECT_GE(table.find(0x1000).line, 0);
                EXPECT_GE(table.find(0x2000).line, 0);
            }
        }
    }
}

}  // namespace

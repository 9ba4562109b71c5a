#include "trace/line_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace weft::trace {

namespace {

/// Reads on, and past the end nothing but zeros: then it has failed, for good.
class Reader {
public:
    explicit Reader(std::string_view text) noexcept : text_(text) {}

    [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }
    [[nodiscard]] std::size_t left() const noexcept { return text_.size(); }

    template <class T>
    T take() noexcept {
        T value{};
        const std::string_view bytes = take_bytes(sizeof value);
        if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    std::uint64_t take_unsigned(std::uint64_t size) noexcept {
        switch (size) {
            case 1:
                return take<std::uint8_t>();
            case 2:
                return take<std::uint16_t>();
            case 4:
                return take<std::uint32_t>();
            case 8:
                return take<std::uint64_t>();
            default:
                has_failed_ = true;
                return 0;
        }
    }
    std::string_view take_bytes(std::uint64_t size) noexcept {
        if (size > text_.size()) {
            has_failed_ = true;
            text_ = {};
            return {};
        }
        const std::string_view bytes = text_.substr(0, static_cast<std::size_t>(size));
        text_.remove_prefix(bytes.size());
        return bytes;
    }
    std::string_view take_text() noexcept {
        const std::size_t size = text_.find('\0');
        if (size == std::string_view::npos) return take_bytes(text_.size() + 1);
        const std::string_view text = text_.substr(0, size);
        text_.remove_prefix(size + 1);
        return text;
    }
    /// LEB128; bits above the 64th are dropped.
    std::uint64_t take_uleb() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const auto byte = take<std::uint8_t>();
            if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
            if ((byte & 0x80u) == 0) return value;
        }
    }
    std::int64_t take_sleb() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0;;) {
            const auto byte = take<std::uint8_t>();
            if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
            shift += 7;
            if ((byte & 0x80u) != 0) continue;
            if ((byte & 0x40u) != 0 && shift < 64) value |= ~std::uint64_t{0} << shift;
            return static_cast<std::int64_t>(value);
        }
    }

private:
    std::string_view text_;
    bool has_failed_ = false;
};

std::string_view text_at(std::string_view section, std::uint64_t offset) {
    if (offset >= section.size()) return {};
    Reader reader(section.substr(static_cast<std::size_t>(offset)));
    return reader.take_text();
}

std::string join_path(std::string_view folder, std::string_view file) {
    if (folder.empty() || file.starts_with('/')) return std::string(file);
    std::string path(folder);
    if (!path.ends_with('/')) path += '/';
    return path.append(file);
}

struct File {
    std::string_view name;
    std::uint64_t folder = 0;
};

/// One unit: its header, read, and its program, not yet run.
struct Unit {
    std::uint16_t version = 0;
    bool is_64_bit = false;
    std::uint8_t least_length = 1;
    std::int8_t line_base = 0;
    std::uint8_t line_range = 1;
    std::uint8_t opcode_base = 1;
    std::array<std::uint8_t, 256> operands{};  ///< of each standard opcode
    std::vector<std::string_view> folders{};
    std::vector<File> files{};
    Reader program{std::string_view()};

    [[nodiscard]] std::string path(std::uint64_t number) const;
};

std::string Unit::path(std::uint64_t number) const {
    // Up to version 4 files and folders are counted from 1, and folder 0 is one that another
    // section names.
    const std::uint64_t first = version >= 5 ? 0 : 1;
    if (number < first || number - first >= files.size()) return {};
    const File& file = files[static_cast<std::size_t>(number - first)];
    if (file.folder < first || file.folder - first >= folders.size()) return std::string(file.name);
    const std::string_view folder = folders[static_cast<std::size_t>(file.folder - first)];
    if (first == 1 || folders.empty()) return join_path(folder, file.name);
    return join_path(join_path(folders[0], folder), file.name);
}

/// The lists of folders and files as they are since version 5: each says of what its entries are.
class EntryLists {
public:
    EntryLists(const LineSections& sections, Unit& unit, Reader& reader)
        : sections_(sections), unit_(unit), reader_(reader) {}

    [[nodiscard]] bool read() {
        return read_list([this](const File& entry) { unit_.folders.push_back(entry.name); }) &&
               read_list([this](const File& entry) { unit_.files.push_back(entry); });
    }

private:
    struct Part {
        std::uint64_t content;
        std::uint64_t form;
    };

    template <class Add>
    bool read_list(Add add) {
        constexpr std::uint64_t kPath = 1;
        constexpr std::uint64_t kFolder = 2;
        std::vector<Part> parts(reader_.take<std::uint8_t>());
        for (Part& part : parts) part = {reader_.take_uleb(), reader_.take_uleb()};
        const std::uint64_t count = reader_.take_uleb();
        if (parts.empty() && count != 0) return false;
        for (std::uint64_t i = 0; i < count && !reader_.has_failed(); ++i) {
            File entry;
            for (const Part& part : parts) {
                if (!read_value(part.form)) return false;
                if (part.content == kPath) entry.name = text_;
                if (part.content == kFolder) entry.folder = number_;
            }
            add(entry);
        }
        return !reader_.has_failed();
    }

    /// Into text_ or number_; false for a form that such lists do not have.
    bool read_value(std::uint64_t form) {
        const std::uint64_t offset_size = unit_.is_64_bit ? 8 : 4;
        text_ = {};
        number_ = 0;
        switch (form) {
            case 0x08:
                text_ = reader_.take_text();
                break;
            case 0x0e:
                text_ = text_at(sections_.strings, reader_.take_unsigned(offset_size));
                break;
            case 0x1f:
                text_ = text_at(sections_.line_strings, reader_.take_unsigned(offset_size));
                break;
            case 0x0b:
                number_ = reader_.take_unsigned(1);
                break;
            case 0x05:
                number_ = reader_.take_unsigned(2);
                break;
            case 0x06:
                number_ = reader_.take_unsigned(4);
                break;
            case 0x07:
                number_ = reader_.take_unsigned(8);
                break;
            case 0x0f:
                number_ = reader_.take_uleb();
                break;
            case 0x09:
                (void)reader_.take_bytes(reader_.take_uleb());
                break;
            case 0x1e:
                (void)reader_.take_bytes(16);
                break;
            default:
                return false;
        }
        return true;
    }

    const LineSections& sections_;
    Unit& unit_;
    Reader& reader_;
    std::string_view text_;
    std::uint64_t number_ = 0;
};

bool read_old_lists(Unit& unit, Reader& reader) {
    for (auto folder = reader.take_text(); !folder.empty(); folder = reader.take_text()) {
        unit.folders.push_back(folder);
    }
    for (auto name = reader.take_text(); !name.empty(); name = reader.take_text()) {
        unit.files.push_back({name, reader.take_uleb()});
        (void)reader.take_uleb();  // when it was changed
        (void)reader.take_uleb();  // its size
    }
    return !reader.has_failed();
}

/// The text of the unit that `reader` stands at, from behind its length on.
std::string_view take_unit(Reader& reader, bool& is_64_bit) {
    constexpr std::uint32_t kLong = 0xffffffff;
    std::uint64_t size = reader.take<std::uint32_t>();
    is_64_bit = size == kLong;
    if (is_64_bit) size = reader.take<std::uint64_t>();
    return reader.take_bytes(size);
}

std::optional<Unit> read_unit(std::string_view text, bool is_64_bit, const LineSections& sections) {
    Unit unit;
    unit.is_64_bit = is_64_bit;
    Reader reader(text);
    unit.version = reader.take<std::uint16_t>();
    if (unit.version < 2 || unit.version > 5) return std::nullopt;
    if (unit.version >= 5) (void)reader.take_bytes(2);  // sizes of addresses and of segments
    const std::uint64_t header_size = reader.take_unsigned(is_64_bit ? 8 : 4);
    Reader header(reader.take_bytes(header_size));
    unit.program = reader;
    unit.least_length = header.take<std::uint8_t>();
    if (unit.version >= 4) (void)header.take_bytes(1);  // operations in an instruction
    (void)header.take_bytes(1);                         // whether lines begin statements
    unit.line_base = header.take<std::int8_t>();
    unit.line_range = header.take<std::uint8_t>();
    unit.opcode_base = header.take<std::uint8_t>();
    for (std::size_t i = 1; i < unit.opcode_base; ++i) {
        unit.operands[i] = header.take<std::uint8_t>();
    }
    if (unit.line_range == 0 || unit.opcode_base == 0) return std::nullopt;
    const bool is_whole = unit.version >= 5 ? EntryLists(sections, unit, header).read()
                                            : read_old_lists(unit, header);
    if (!is_whole) return std::nullopt;
    return unit;
}

struct Row {
    std::uint64_t address = 0;
    std::uint64_t file = 1;
    std::int64_t line = 1;
    bool ends_sequence = false;
};

/// Runs a unit's program and hands each row to `take`.
template <class Take>
class Machine {
public:
    Machine(const Unit& unit, Take take) : unit_(unit), reader_(unit.program), take_(take) {}

    void run() {
        while (reader_.left() > 0 && !reader_.has_failed()) {
            const auto opcode = reader_.take<std::uint8_t>();
            if (opcode >= unit_.opcode_base) {
                run_special(opcode);
            } else if (opcode == 0) {
                run_extended();
            } else {
                run_standard(opcode);
            }
        }
    }

private:
    void advance(std::uint64_t operations) { row_.address += operations * unit_.least_length; }
    void add_lines(std::int64_t lines) {
        row_.line = static_cast<std::int64_t>(static_cast<std::uint64_t>(row_.line) +
                                              static_cast<std::uint64_t>(lines));
    }

    void run_special(std::uint8_t opcode) {
        const unsigned value = opcode - unsigned{unit_.opcode_base};
        advance(value / unit_.line_range);
        add_lines(unit_.line_base + static_cast<int>(value % unit_.line_range));
        take_(row_);
    }

    void run_extended() {
        Reader operands(reader_.take_bytes(reader_.take_uleb()));
        switch (operands.take<std::uint8_t>()) {
            case 1:
                row_.ends_sequence = true;
                take_(row_);
                row_ = Row();
                break;
            case 2:
                row_.address = operands.take_unsigned(operands.left());
                break;
            default:
                break;
        }
    }

    void run_standard(std::uint8_t opcode) {
        switch (opcode) {
            case 1:
                take_(row_);
                break;
            case 2:
                advance(reader_.take_uleb());
                break;
            case 3:
                add_lines(reader_.take_sleb());
                break;
            case 4:
                row_.file = reader_.take_uleb();
                break;
            case 8:
                advance((255u - unit_.opcode_base) / unit_.line_range);
                break;
            case 9:
                row_.address += reader_.take<std::uint16_t>();
                break;
            default:
                for (int i = 0; i < unit_.operands[opcode]; ++i) (void)reader_.take_uleb();
        }
    }

    const Unit& unit_;
    Reader reader_;
    Take take_;
    Row row_;
};

}  // namespace

LineTable::LineTable(LineSections sections) : sections_(std::move(sections)) {
    Reader reader(sections_.lines);
    while (reader.left() > 0 && !reader.has_failed()) {
        const std::size_t at = sections_.lines.size() - reader.left();
        bool is_64_bit = false;
        const std::string_view text = take_unit(reader, is_64_bit);
        const std::optional<Unit> unit = read_unit(text, is_64_bit, sections_);
        if (!unit) continue;
        std::optional<std::uint64_t> first;
        Machine(*unit, [&](const Row& row) {
            if (!first) first = row.address;
            if (!row.ends_sequence) return;
            // The linker gives address 0 to functions that it has left out.
            if (*first != 0 && *first < row.address) {
                sequences_.push_back({*first, row.address, at});
            }
            first.reset();
        }).run();
    }
    std::ranges::sort(sequences_, {}, &Sequence::first);
    sequences_.shrink_to_fit();
}

SourceLine LineTable::find(std::uint64_t address) const {
    auto sequence = std::ranges::upper_bound(sequences_, address, {}, &Sequence::first);
    if (sequence == sequences_.begin()) return {};
    --sequence;
    if (address >= sequence->end) return {};
    Reader reader(std::string_view(sections_.lines).substr(sequence->unit));
    bool is_64_bit = false;
    const std::string_view text = take_unit(reader, is_64_bit);
    const std::optional<Unit> unit = read_unit(text, is_64_bit, sections_);
    // The first row at the address, since a function begins with its own line; without one the last
    // before it.
    Row best;
    best.line = 0;
    bool begins = true;
    bool is_inside = false;
    Machine(*unit, [&](const Row& row) {
        if (begins) is_inside = row.address == sequence->first;
        begins = row.ends_sequence;
        if (is_inside && row.address <= address && !row.ends_sequence &&
            (best.line == 0 || row.address > best.address)) {
            best = row;
        }
    }).run();
    if (best.line <= 0 || best.line > std::numeric_limits<int>::max()) return {};
    return {unit->path(best.file), static_cast<int>(best.line)};
}

}  // namespace weft::trace

#include <weft/pickle/detail/wire_source.hpp>

#include <utility>

#include "pickle/arrays.hpp"
#include "pickle/integers.hpp"

namespace weft::pickle::detail {

Opcode WireSource::skip_frame() noexcept {
    while (next_ != limit_ && code() == Opcode::frame) {
        if (!has(9)) return Opcode::pop;  // which nobody accepts
        // All of the bytes are here, so what the frame covers does not matter, only that it is
        // there.
        const auto size = fetch<std::endian::little, std::uint64_t>(next_ + 1);
        if (size > static_cast<std::size_t>(limit_ - next_) - 9) return Opcode::pop;
        next_ += 9;
    }
    return next_ == limit_ ? Opcode::stop : code();
}

Kind WireSource::peek_kind() noexcept {
    switch (peek()) {
        case Opcode::none:
            return Kind::none;
        case Opcode::newtrue:
        case Opcode::newfalse:
            return Kind::boolean;
        case Opcode::binint:
        case Opcode::binint1:
        case Opcode::binint2:
        case Opcode::long1:
        case Opcode::long4:
            return Kind::integer;
        case Opcode::binfloat:
            return Kind::real;
        case Opcode::short_binbytes:
        case Opcode::binbytes:
        case Opcode::binbytes8:
            return Kind::bytes;
        case Opcode::empty_list:
            return Kind::list;
        case Opcode::empty_dict:
            return Kind::dict;
        case Opcode::empty_set:
            return Kind::set;
        default:
            return Kind::object;
    }
}

bool WireSource::load_wide(std::string_view& little_endian) noexcept {
    const Opcode next = peek();
    if (next == Opcode::long1 && has(2)) {
        const std::size_t size = static_cast<unsigned char>(next_[1]);
        if (!has(2 + size)) return false;
        little_endian = {next_ + 2, size};
        next_ += 2 + size;
        return true;
    }
    if (next == Opcode::long4 && has(5)) {
        const std::size_t size = fetch<std::endian::little, std::uint32_t>(next_ + 1);
        if (size > INT32_MAX || !has(5 + size)) return false;
        little_endian = {next_ + 5, size};
        next_ += 5 + size;
        return true;
    }
    return false;
}

bool WireSource::load_long(std::int64_t& result) noexcept {
    std::string_view raw;
    if (!load_wide(raw)) return false;
    const auto value = as_int64(raw);
    if (!value) return false;
    result = *value;
    return true;
}

bool WireSource::load_natural(std::uint64_t& result) noexcept {
    const Opcode next = peek();
    if (next != Opcode::long1 && next != Opcode::long4) {
        std::int64_t value = 0;
        if (!load_integer(value) || value < 0) return false;
        result = static_cast<std::uint64_t>(value);
        return true;
    }
    std::string_view raw;
    if (!load_wide(raw)) return false;
    const auto value = as_uint64(raw);
    if (!value) return false;
    result = *value;
    return true;
}

bool WireSource::load_sized(std::size_t width, std::string_view& raw) noexcept {
    if (!has(1 + width)) return false;
    std::uint64_t size = 0;
    for (std::size_t i = width; i > 0; --i)
        size = (size << 8) | static_cast<unsigned char>(next_[i]);
    if (size > static_cast<std::size_t>(limit_ - next_) - 1 - width) return false;
    raw = {next_ + 1 + width, static_cast<std::size_t>(size)};
    next_ += 1 + width + size;
    return true;
}

const char* WireSource::follow_reference(Remembered wanted) noexcept {
    std::size_t number = 0;
    if (code() == Opcode::binget) {
        if (!has(2)) return nullptr;
        number = static_cast<unsigned char>(next_[1]);
        next_ += 2;
    } else {
        if (!has(5)) return nullptr;
        number = fetch<std::endian::little, std::uint32_t>(next_ + 1);
        next_ += 5;
    }
    if (number >= memo_size_) return nullptr;
    const Memory& memory = number < few_.size() ? few_[number] : many_[number - few_.size()];
    return memory.kind == wanted ? memory.first : nullptr;
}

bool WireSource::load_other_text(std::string_view& wire) {
    switch (peek()) {
        case Opcode::binget:
        case Opcode::long_binget: {
            const char* remembered = follow_reference(Remembered::text);
            if (remembered == nullptr) return false;
            // The text alone is read again; what puts it into the memo was followed the first time.
            const char* behind = std::exchange(next_, remembered);
            bool is_text = false;
            if (const Opcode there = peek(); there == Opcode::short_binunicode) {
                is_text = load_sized(1, wire);
            } else if (there == Opcode::binunicode) {
                is_text = load_sized(4, wire);
            } else if (there == Opcode::binunicode8) {
                is_text = load_sized(8, wire);
            }
            next_ = behind;
            return is_text && may_copy(wire.size());
        }
        case Opcode::short_binunicode: {
            const char* first = next_;
            return load_sized(1, wire) && remember(Remembered::text, first);
        }
        case Opcode::binunicode: {
            const char* first = next_;
            return load_sized(4, wire) && remember(Remembered::text, first);
        }
        case Opcode::binunicode8: {
            const char* first = next_;
            return load_sized(8, wire) && remember(Remembered::text, first);
        }
        default:
            return false;
    }
}

bool WireSource::load_bytes(std::string_view& raw) {
    switch (peek()) {
        case Opcode::short_binbytes:
            return load_sized(1, raw) && remember();
        case Opcode::binbytes:
            return load_sized(4, raw) && remember();
        case Opcode::binbytes8:
        case Opcode::bytearray8:
            return load_sized(8, raw) && remember();
        case Opcode::next_buffer: {
            if (next_ == limit_ || buffers_taken_ >= buffers_.size()) return false;
            ++next_;
            const std::span<const std::byte> buffer = buffers_[buffers_taken_++];
            raw = {reinterpret_cast<const char*>(buffer.data()), buffer.size()};
            if (peek() == Opcode::readonly_buffer) ++next_;
            return remember();
        }
        default:
            return false;
    }
}

bool WireSource::take_name(std::string_view module, std::string_view name) {
    const Opcode next = peek();
    const char* first = next_;
    if (next == Opcode::binget || next == Opcode::long_binget) {
        const char* remembered = follow_reference(Remembered::name);
        if (remembered == nullptr) return false;
        // Names are remembered where their module's text begins. That may itself be a reference, as
        // in what Python writes; then the other way of reading has to find out.
        const char* behind = std::exchange(next_, remembered);
        std::string_view there_module;
        std::string_view there_name;
        bool fits = peek() == Opcode::short_binunicode && load_sized(1, there_module);
        if (fits && peek() == Opcode::memoize) ++next_;
        fits = fits && peek() == Opcode::short_binunicode && load_sized(1, there_name);
        if (fits && peek() == Opcode::memoize) ++next_;
        fits =
            fits && peek() == Opcode::stack_global && there_module == module && there_name == name;
        next_ = behind;
        return fits;
    }
    std::string_view text;
    return load_text(text) && text == module && load_text(text) && text == name &&
           take(Opcode::stack_global) && remember(Remembered::name, first);
}

bool WireSource::load_array(ArrayView& array) {
    switch (peek()) {
        case Opcode::short_binunicode:
        case Opcode::binget:
        case Opcode::long_binget:
            break;
        default:
            return false;
    }
    const Place start = place();
    if (load_array_here(array)) return true;
    go_back(start);
    return false;
}

bool WireSource::load_array_here(ArrayView& array) {
    // array.array, as it is written the first time.
    static constexpr std::string_view kHead =
        "\x8c\x05"
        "array\x8c\x05"
        "array\x93";
    const char* first = next_;
    if (has(kHead.size()) && std::memcmp(next_, kHead.data(), kHead.size()) == 0) {
        next_ += kHead.size();
        if (!remember(Remembered::name, first)) return false;
    } else if (!take_name("array", "array")) {
        return false;
    }
    std::string_view letter;
    // A letter and a few bytes, as they are written.
    if (has(5) && next_[0] == '\x8c' && next_[1] == '\x01' && next_[3] == 'C' &&
        has(5 + static_cast<std::size_t>(static_cast<unsigned char>(next_[4])))) {
        letter = {next_ + 2, 1};
        array.raw = {next_ + 5, static_cast<unsigned char>(next_[4])};
        next_ += 5 + array.raw.size();
        if (!remember()) return false;
    } else if (!load_text(letter) || letter.size() != 1 || !load_bytes(array.raw)) {
        return false;
    }
    if (!take(Opcode::tuple2) || !remember() || !take(Opcode::reduce)) {
        return false;
    }
    array.letter = letter.front();
    const std::size_t item_size = array_item_size(array.letter);
    // Sizes are powers of two, and a division costs as much as all of this.
    return item_size != 0 && (array.raw.size() & (item_size - 1)) == 0 && remember();
}

bool WireSource::take_text(std::string_view expected) {
    const char* first = next_;
    const std::size_t memo_size = memo_size_;
    std::string_view text;
    if (load_text(text) && text == expected) return true;
    next_ = first;
    shorten_memo(memo_size);
    return false;
}

bool WireSource::remember_at(Remembered kind, const char* first) {
    std::size_t number = 0;
    if (code() == Opcode::binput) {
        if (!has(2)) return false;
        number = static_cast<unsigned char>(next_[1]);
        next_ += 2;
    } else {
        if (!has(5)) return false;
        number = fetch<std::endian::little, std::uint32_t>(next_ + 1);
        next_ += 5;
    }
    // Writers count. A number out of turn may be one that is put a second time.
    if (number != memo_size_) return false;
    add_to_memo(kind, first);
    return true;
}

void WireSource::shorten_memo(std::size_t size) noexcept {
    if (many_.size() > 0 && size < memo_size_) {
        many_.resize(size > few_.size() ? size - few_.size() : 0);
    }
    memo_size_ = size;
}

bool WireSource::open_batch(Frame& frame, Opcode closing) noexcept {
    frame.batch = next_;
    frame.memo_size = memo_size_;
    frame.items = 0;
    frame.depth_left = depth_left_;
    frame.buffers_taken = buffers_taken_;
    ++next_;
    return next_in_batch(frame, closing);
}

bool WireSource::retreat(Frame& frame, std::size_t* surplus) noexcept {
    if (frame.batch == nullptr || (frame.items != 1 && surplus == nullptr)) return false;
    // Reading the same bytes again and again is bounded, whatever was nested in what.
    const auto read = static_cast<std::size_t>(next_ - frame.batch);
    if (read > speculation_left_) return false;
    speculation_left_ -= read;
    if (surplus != nullptr) *surplus = frame.items - 1;
    next_ = frame.batch;
    depth_left_ = frame.depth_left;
    buffers_taken_ = frame.buffers_taken;
    shorten_memo(frame.memo_size);
    frame.batch = nullptr;
    return true;
}

}  // namespace weft::pickle::detail

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include <weft/detail/config.hpp>
#include <weft/pickle/bytes.hpp>
#include <weft/pickle/detail/endian.hpp>
#include <weft/pickle/detail/item.hpp>
#include <weft/pickle/detail/opcodes.hpp>
#include <weft/pickle/options.hpp>

namespace weft::pickle::detail {

/// Numbers of one type, as an array.array holds them, in this machine's byte order.
struct ArrayView {
    char letter = 0;
    std::string_view raw;
};

/// Reads a pickle straight into a C++ value whose type says what is to come. It knows the shapes
/// that Weft writes, and Python for the same values; at anything else, right or wrong, it gives up
/// (every function returns false), and the whole pickle is read again by the machine that knows
/// them all and says what is wrong. So nothing here reports an error.
///
/// Why what it accepts means what it takes it for: a pickle is a program in postfix notation, and
/// of such a text there is one parse. Each operation here takes the opcodes of one value, no more.
///
/// State: the place in the bytes, the depth, and the memo, which holds where in the bytes each
/// remembered text and name begins. A reference to a remembered text or name is read again from
/// there; a reference to anything else makes it give up, because there identity may matter.
class WEFT_API WireSource {
public:
    WireSource(BytesView wire, const LoadOptions& options) noexcept
        : next_(wire.data()),
          limit_(wire.data() + wire.size()),
          depth_left_(options.max_depth),
          speculation_left_(wire.size()),
          copies_left_(allowance(wire.size(), options.max_copies)),
          buffers_(options.buffers) {}

    static constexpr bool is_wire = true;

    bool begin() noexcept {
        if (limit_ - next_ < 2 || code() != Opcode::proto) return false;
        if (static_cast<unsigned char>(next_[1]) > HIGHEST_PROTOCOL) return false;
        next_ += 2;
        return true;
    }
    bool end() noexcept {
        return peek() == Opcode::stop && next_ != limit_ && buffers_taken_ == buffers_.size();
    }

    /// The opcode that is next, or STOP at the end.
    Opcode peek() noexcept {
        if (next_ == limit_) [[unlikely]]
            return Opcode::stop;
        if (code() == Opcode::frame) [[unlikely]]
            return skip_frame();
        return code();
    }

    /// What the next value is as far as its first opcode tells; `object` where that tells nothing.
    Kind peek_kind() noexcept;

    bool take_none() noexcept { return take(Opcode::none); }

    bool load_boolean(bool& result) noexcept {
        if (take(Opcode::newtrue)) {
            result = true;
            return true;
        }
        result = false;
        return take(Opcode::newfalse);
    }

    bool load_integer(std::int64_t& result) noexcept {
        switch (peek()) {
            case Opcode::binint1:
                if (!has(2)) return false;
                result = static_cast<unsigned char>(next_[1]);
                next_ += 2;
                return true;
            case Opcode::binint2:
                if (!has(3)) return false;
                result = fetch<std::endian::little, std::uint16_t>(next_ + 1);
                next_ += 3;
                return true;
            case Opcode::binint:
                if (!has(5)) return false;
                result =
                    static_cast<std::int32_t>(fetch<std::endian::little, std::uint32_t>(next_ + 1));
                next_ += 5;
                return true;
            default:
                return load_long(result);
        }
    }
    bool load_natural(std::uint64_t& result) noexcept;
    bool load_wide(std::string_view& little_endian) noexcept;

    bool load_real(double& result) noexcept {
        if (peek() != Opcode::binfloat) {
            std::int64_t whole = 0;
            if (!load_integer(whole)) return false;
            result = static_cast<double>(whole);
            return true;
        }
        if (!has(9)) return false;
        result = std::bit_cast<double>(fetch<std::endian::big, std::uint64_t>(next_ + 1));
        next_ += 9;
        return true;
    }

    /// A str as it travelled, which decode_text() has yet to look at.
    bool load_text(std::string_view& wire) {
        const char* first = next_;
        if (peek() == Opcode::short_binunicode && has(2) &&
            has(2 + static_cast<unsigned char>(next_[1]))) [[likely]] {
            const std::size_t size = static_cast<unsigned char>(next_[1]);
            wire = {next_ + 2, size};
            next_ += 2 + size;
            return remember(Remembered::text, first);
        }
        return load_other_text(wire);
    }
    bool load_bytes(std::string_view& raw);

    /// An array.array. False, with nothing read, if the next value is none.
    bool load_array(ArrayView& array);

    /// Where a batch of a container's items began, to go back to.
    struct Frame {
        const char* batch = nullptr;  ///< behind which the items of this batch come; null outside
        std::size_t memo_size = 0;
        std::size_t items = 0;  ///< met in this batch
        std::size_t depth_left = 0;
        std::size_t buffers_taken = 0;
    };

    bool begin_tuple(std::size_t items, Frame& /*frame*/) noexcept {
        if (depth_left_ == 0) return false;
        --depth_left_;
        return items <= 3 || take(Opcode::mark);
    }
    bool end_tuple(std::size_t items, Frame& /*frame*/) {
        ++depth_left_;
        static constexpr std::array kCodes{Opcode::empty_tuple, Opcode::tuple1, Opcode::tuple2,
                                           Opcode::tuple3};
        return take(items > 3 ? Opcode::tuple : kCodes[items]) && remember();
    }
    /// A tuple whose length the reader finds out: `begin`, then items until has_more() says no.
    bool begin_open_tuple(Frame& frame) noexcept { return begin_tuple(4, frame); }
    bool has_more() noexcept { return peek() != Opcode::tuple; }
    bool end_open_tuple(Frame& frame) { return end_tuple(4, frame); }

    bool begin_sequence(Frame& frame) { return begin_container(Opcode::empty_list, frame); }
    bool begin_dict(Frame& frame) { return begin_container(Opcode::empty_dict, frame); }
    bool begin_set(Frame& frame) { return begin_container(Opcode::empty_set, frame); }

    /// Whether another item comes. What looks like more items may belong to what follows the
    /// container instead: then reading the first of them fails, and retreat() makes up for it.
    bool next_item(Frame& frame) { return next_in_batch(frame, Opcode::appends); }
    bool next_entry(Frame& frame) { return next_in_batch(frame, Opcode::setitems); }
    bool next_member(Frame& frame) { return next_in_batch(frame, Opcode::additems); }
    /// With `surplus` items that were taken for the container's are allowed, and counted there.
    bool retreat(Frame& frame, std::size_t* surplus = nullptr) noexcept;
    void leave(const Frame& /*frame*/) noexcept { ++depth_left_; }
    bool begin_fixed_sequence(std::size_t /*items*/, Frame& frame) { return begin_sequence(frame); }

    /// The next value if it is this str, otherwise nothing is read.
    bool take_text(std::string_view expected);
    /// A class or function by its name.
    bool take_name(std::string_view module, std::string_view name);
    bool take_reduce() { return take(Opcode::reduce) && remember(); }
    bool take_newobj() { return take(Opcode::newobj) && remember(); }
    bool take_build() noexcept { return take(Opcode::build); }

    /// Counts a copy of a remembered text against the limit.
    bool may_copy(std::size_t size) noexcept {
        if (size > copies_left_) return false;
        copies_left_ -= size;
        return true;
    }

    // What errors ask for: nothing is reported here.
    [[nodiscard]] bool fail(const char* /*expected*/) const noexcept { return false; }
    [[nodiscard]] bool fail_range(std::int64_t, std::size_t) const noexcept { return false; }
    [[nodiscard]] bool fail_length(std::size_t, std::size_t) const noexcept { return false; }
    [[nodiscard]] bool fail_character(std::string_view) const noexcept { return false; }

    /// A place to go back to when a part could not be read as what was tried first.
    struct Place {
        const char* next;
        std::size_t memo_size;
        std::size_t depth_left;
        std::size_t buffers_taken;
    };
    [[nodiscard]] Place place() const noexcept {
        return {next_, memo_size_, depth_left_, buffers_taken_};
    }
    void go_back(const Place& place) noexcept {
        next_ = place.next;
        depth_left_ = place.depth_left;
        buffers_taken_ = place.buffers_taken;
        shorten_memo(place.memo_size);
    }
    /// Whether an object comes that was met before.
    [[nodiscard]] bool is_reference() noexcept {
        return peek() == Opcode::binget || peek() == Opcode::long_binget;
    }

private:
    [[nodiscard]] Opcode code() const noexcept {
        return static_cast<Opcode>(static_cast<unsigned char>(*next_));
    }
    [[nodiscard]] bool has(std::size_t size) const noexcept {
        return static_cast<std::size_t>(limit_ - next_) >= size;
    }
    bool take(Opcode expected) noexcept {
        if (peek() != expected || next_ == limit_) return false;
        ++next_;
        return true;
    }
    Opcode skip_frame() noexcept;
    bool load_long(std::int64_t& result) noexcept;
    bool load_other_text(std::string_view& wire);
    bool load_array_here(ArrayView& array);
    bool load_sized(std::size_t width, std::string_view& raw) noexcept;

    /// What a number of the memo stands for. A text and a name are found again where they begin; of
    /// anything else it is only known that it is neither. (A tuple begins where its first item
    /// does, and a name where its module's text does, so the place alone would not tell.)
    enum class Remembered : unsigned char { text, name, other };
    struct Memory {
        const char* first;
        Remembered kind;
    };

    /// Follows the opcodes that put the value just read, beginning at `first`, into the memo.
    bool remember(Remembered kind = Remembered::other, const char* first = nullptr) {
        const Opcode next = peek();
        if (next == Opcode::memoize) {
            if (next_ == limit_) return true;
            ++next_;
            add_to_memo(kind, first);
            return true;
        }
        return (next != Opcode::binput && next != Opcode::long_binput) || remember_at(kind, first);
    }
    bool remember_at(Remembered kind, const char* first);
    void add_to_memo(Remembered kind, const char* first) {
        if (memo_size_ < few_.size()) {
            few_[memo_size_] = {first, kind};
        } else {
            many_.push_back({first, kind});
        }
        ++memo_size_;
    }
    void shorten_memo(std::size_t size) noexcept;
    /// Where the value begins that a reference at the place means, if it is of this kind; moves
    /// behind the reference.
    const char* follow_reference(Remembered wanted) noexcept;
    bool begin_container(Opcode expected, Frame& /*frame*/) {
        if (depth_left_ == 0 || !take(expected)) return false;
        --depth_left_;
        return remember();
    }
    bool next_in_batch(Frame& frame, Opcode closing) noexcept {
        if (frame.batch != nullptr) {
            if (!take(closing)) {
                ++frame.items;
                return true;
            }
            frame.batch = nullptr;
        }
        if (peek() != Opcode::mark) return false;
        return open_batch(frame, closing);
    }
    bool open_batch(Frame& frame, Opcode closing) noexcept;

    const char* next_;
    const char* limit_;
    std::size_t depth_left_;
    std::size_t speculation_left_;
    std::size_t copies_left_;
    std::span<const std::span<const std::byte>> buffers_;
    std::size_t buffers_taken_ = 0;
    std::size_t memo_size_ = 0;
    std::array<Memory, 16> few_;
    std::vector<Memory> many_;
};

}  // namespace weft::pickle::detail

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include <weft/detail/config.hpp>
#include <weft/pickle/bytes.hpp>
#include <weft/pickle/detail/endian.hpp>
#include <weft/pickle/detail/opcodes.hpp>
#include <weft/pickle/detail/text.hpp>
#include <weft/pickle/options.hpp>

namespace weft::pickle::detail {

/// The place of a class or function. It lives for ever: writers know it again by its address.
struct Name {
    std::string_view module;
    std::string_view name;
};

inline constexpr Name kArrayName{"array", "array"};
inline constexpr Name kArrayRebuildName{"array", "_array_reconstructor"};
inline constexpr Name kSetName{"builtins", "set"};
inline constexpr Name kFrozensetName{"builtins", "frozenset"};
inline constexpr Name kBytearrayName{"builtins", "bytearray"};

/// Appends one pickle to a buffer.
///
/// State: a chunk on the stack that small things are written to without a check of the buffer, the
/// buffer it is emptied into, and the memo: which names and shared objects have been written, and
/// under which number. No frames are written, and nothing is put into the memo that may not be
/// wanted again, so pickletools.optimize() has little to take away.
///
/// Order of an end: finish() writes STOP and empties the chunk. A writer that dies before has
/// failed, and shortens the buffer to what it was.
class WEFT_API Writer {
public:
    Writer(weft::bytes& buffer, const DumpOptions& options);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    void finish();

    [[nodiscard]] int protocol() const noexcept { return options_.protocol; }

    void op(Opcode code) {
        need(1);
        put(code);
    }

    void boolean(bool value) { op(value ? Opcode::newtrue : Opcode::newfalse); }

    void integer(std::int64_t value) {
        need(8);
        if (value >= 0 && value <= 0xffff) {
            if (value <= 0xff) {
                put(Opcode::binint1);
                put(static_cast<std::uint8_t>(value));
            } else {
                put(Opcode::binint2);
                put(static_cast<std::uint16_t>(value));
            }
        } else if (value >= INT32_MIN && value <= INT32_MAX) {
            put(Opcode::binint);
            put(static_cast<std::uint32_t>(value));
        } else {
            big_integer(value);
        }
    }
    void natural(std::uint64_t value) {
        if (value <= INT64_MAX) {
            integer(static_cast<std::int64_t>(value));
        } else {
            big_natural(value);
        }
    }
    /// Any integer, as little-endian two's complement.
    void wide_integer(std::string_view little_endian);

    void real(double value) {
        need(9);
        put(Opcode::binfloat);
        store<std::endian::big>(next_, std::bit_cast<std::uint64_t>(value));
        next_ += 8;
    }

    /// Any bytes, as str.
    void text(std::string_view value) {
        if (value.size() <= 0xff && is_ascii(value) && options_.protocol >= 4) [[likely]] {
            need(2 + value.size());
            put(Opcode::short_binunicode);
            put(static_cast<std::uint8_t>(value.size()));
            copy(value);
        } else {
            long_text(value);
        }
    }
    /// A str's UTF-8 as it is to travel.
    void wire_text(std::string_view wire);
    void byte_string(std::string_view value);
    void byte_array(std::string_view value);
    /// Numbers of one type, under array.array's letter for it.
    void array(char letter, std::size_t item_size, std::string_view raw);

    /// A class or function; from the second time on by its number.
    void global(const Name& name) { global_of(&name, name.module, name.name); }
    /// Anything that lives for ever and has a module and a name.
    template <class Entry>
    void global(const Entry& entry) {
        global_of(&entry, entry.module, entry.qualified_name);
    }
    /// One that is not remembered.
    void global_once(std::string_view module, std::string_view name);
    /// A str that lives for ever and comes again and again, such as a field's name.
    void lasting_text(const char* value);

    /// Opens a tuple of so many items; end_tuple() makes it.
    void begin_tuple(std::size_t items) {
        deeper();
        if (items > 3) op(Opcode::mark);
    }
    void end_tuple(std::size_t items) {
        --depth_;
        static constexpr std::array kCodes{Opcode::empty_tuple, Opcode::tuple1, Opcode::tuple2,
                                           Opcode::tuple3};
        op(items > 3 ? Opcode::tuple : kCodes[items]);
    }

    // A list, dict or set: begin, the items, end. With no items at all `is_empty` leaves out what
    // would hold them.
    void begin_list(bool is_empty) {
        deeper();
        op(Opcode::empty_list);
        take_early_number();
        if (!is_empty) op(Opcode::mark);
    }
    void end_list(bool is_empty) {
        --depth_;
        if (!is_empty) op(Opcode::appends);
    }
    void begin_dict(bool is_empty) {
        deeper();
        op(Opcode::empty_dict);
        take_early_number();
        if (!is_empty) op(Opcode::mark);
    }
    void end_dict(bool is_empty) {
        --depth_;
        if (!is_empty) op(Opcode::setitems);
    }
    void begin_set(bool is_empty);
    void end_set(bool is_empty);

    /// One step down; throws PicklingError when that is deeper than allowed.
    void deeper() {
        if (++depth_ > options_.max_depth) too_deep();
    }
    void shallower() noexcept { --depth_; }

    /// An object that may be met again. True: it was written before, and its number now. False: the
    /// caller writes it. With `early`, the container that it is takes its number as soon as it
    /// exists, so that it may hold itself; otherwise the caller calls end_shared() behind it.
    /// `tag` tells objects of different types at one address apart.
    bool begin_shared(const void* object, const void* tag, bool early);
    void end_shared(const void* object, const void* tag);
    /// Called by whatever can hold itself, when it exists and is still empty.
    void take_early_number() {
        if (early_.object != nullptr) [[unlikely]]
            give_early_number();
    }
    /// For what can tell only later whether it can hold itself: takes the object away that waits
    /// for its number, and gives it the number.
    struct Early {
        const void* object = nullptr;
        const void* tag = nullptr;
    };
    Early defer_early_number() noexcept;
    void give_number(const Early& early);

    /// Puts what was just written into the memo, and gives its number.
    std::uint32_t memoize();
    void recall(std::uint32_t number);

private:
    struct Memo;

    void need(std::size_t size) {
        if (static_cast<std::size_t>(limit_ - next_) < size) [[unlikely]]
            flush();
    }
    void put(Opcode code) noexcept { *next_++ = static_cast<std::byte>(code); }
    template <class Unsigned>
    void put(Unsigned value) noexcept {
        store<std::endian::little>(next_, value);
        next_ += sizeof value;
    }
    void copy(std::string_view text) noexcept {
        if (!text.empty()) std::memcpy(next_, text.data(), text.size());
        next_ += text.size();
    }
    void flush();
    void block(std::string_view raw);
    void sized(Opcode with_one, Opcode with_four, Opcode with_eight, std::string_view raw);
    void big_integer(std::int64_t value);
    void big_natural(std::uint64_t value);
    void long_text(std::string_view value);
    void global_of(const void* key, std::string_view module, std::string_view name);
    void new_array(char letter, std::string_view raw);
    void old_array(char letter, std::size_t item_size, std::string_view raw);
    void old_byte_string(std::string_view value);
    bool put_aside(std::string_view raw, bool read_only);
    Memo& memo();
    void give_early_number() { give_number(defer_early_number()); }
    [[noreturn]] void too_deep() const;

    static constexpr std::size_t kChunk = 1024;
    static constexpr std::uint32_t kNotYet = UINT32_MAX;

    std::byte* next_;
    std::byte* limit_;
    std::size_t depth_ = 0;
    Early early_;  ///< the shared object that waits for its number
    DumpOptions options_;
    weft::bytes& buffer_;
    std::size_t start_;
    std::size_t buffers_start_ = 0;  ///< how many were put aside before
    std::uint32_t memo_size_ = 0;
    std::uint32_t array_number_ = kNotYet;  ///< of the name array.array
    bool has_finished_ = false;
    std::unique_ptr<Memo> memo_;
    std::array<std::byte, kChunk> chunk_;
};

}  // namespace weft::pickle::detail

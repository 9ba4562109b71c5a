#include <weft/pickle/detail/writer.hpp>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <weft/pickle/errors.hpp>

#include "detail/fmt.hpp"
#include "pickle/integers.hpp"

namespace weft::pickle::detail {

namespace {

constexpr Name kBytesName{"builtins", "bytes"};
constexpr Name kEncodeName{"_codecs", "encode"};

struct Shared {
    const void* object;
    const void* tag;
    bool operator==(const Shared&) const = default;
};

struct HashShared {
    std::size_t operator()(const Shared& key) const noexcept {
        return std::hash<const void*>()(key.object) * 31 + std::hash<const void*>()(key.tag);
    }
};

constexpr std::uint32_t kNoNumberYet = UINT32_MAX;

}  // namespace

/// What was written, by address. Few names come in one pickle, so the latest are looked through
/// before the table is asked.
struct Writer::Memo {
    static constexpr std::size_t kFew = 8;
    std::vector<std::pair<const void*, std::uint32_t>> few;
    std::unordered_map<const void*, std::uint32_t> many;
    std::unordered_map<Shared, std::uint32_t, HashShared> shared;

    const std::uint32_t* find(const void* key) const {
        for (const auto& [known, number] : few) {
            if (known == key) return &number;
        }
        if (many.empty()) return nullptr;
        const auto found = many.find(key);
        return found == many.end() ? nullptr : &found->second;
    }
    void add(const void* key, std::uint32_t number) {
        if (few.size() < kFew) {
            few.emplace_back(key, number);
        } else {
            many.emplace(key, number);
        }
    }
};

Writer::Writer(weft::bytes& buffer, const DumpOptions& options)
    : options_(options), buffer_(buffer), start_(buffer.size()) {
    next_ = chunk_.data();
    limit_ = next_ + chunk_.size();
    if (options.protocol < 2 || options.protocol > HIGHEST_PROTOCOL) {
        throw std::invalid_argument(fmt::format("pickle protocol {}: 2 to {} are written",
                                                options.protocol, HIGHEST_PROTOCOL));
    }
    if (options.buffers != nullptr && options.protocol < 5) {
        throw std::invalid_argument(fmt::format(
            "pickle protocol {} cannot put buffers aside: ask for protocol 5", options.protocol));
    }
    if (options.buffers != nullptr) buffers_start_ = options.buffers->size();
    put(Opcode::proto);
    put(static_cast<std::uint8_t>(options.protocol));
}

Writer::~Writer() {
    if (has_finished_) return;
    buffer_.resize(start_);
    if (options_.buffers != nullptr) options_.buffers->resize(buffers_start_);
}

void Writer::finish() {
    op(Opcode::stop);
    flush();
    has_finished_ = true;
}

void Writer::flush() {
    buffer_.insert(buffer_.end(), chunk_.data(), next_);
    next_ = chunk_.data();
}

void Writer::block(std::string_view raw) {
    if (raw.size() <= static_cast<std::size_t>(limit_ - next_)) {
        copy(raw);
        return;
    }
    flush();
    // Room for the end of the pickle too, so that a big block is not moved again for it.
    const std::size_t wanted = buffer_.size() + raw.size() + 64;
    if (wanted > buffer_.capacity()) {
        buffer_.reserve(
            std::max(wanted, raw.size() > buffer_.size() ? wanted : 2 * buffer_.capacity()));
    }
    const auto* first = reinterpret_cast<const std::byte*>(raw.data());
    buffer_.insert(buffer_.end(), first, first + raw.size());
}

void Writer::sized(Opcode with_one, Opcode with_four, Opcode with_eight, std::string_view raw) {
    need(9);
    if (raw.size() <= 0xff && options_.protocol >= (with_one == Opcode::short_binbytes ? 3 : 4)) {
        put(with_one);
        put(static_cast<std::uint8_t>(raw.size()));
    } else if (raw.size() <= 0xffffffff) {
        put(with_four);
        put(static_cast<std::uint32_t>(raw.size()));
    } else if (options_.protocol >= 4) {
        put(with_eight);
        put(static_cast<std::uint64_t>(raw.size()));
    } else {
        throw PicklingError(fmt::format(
            "{} bytes in one piece are more than pickle protocol {} can hold: use protocol 4",
            raw.size(), options_.protocol));
    }
    block(raw);
}

void Writer::big_integer(std::int64_t value) {
    const auto [raw, size] = little_endian_of(value);
    wide_integer({raw.data(), size});
}

void Writer::big_natural(std::uint64_t value) {
    std::array<char, 9> raw{};
    store<std::endian::little>(raw.data(), value);
    wide_integer({raw.data(), raw.size()});
}

void Writer::wide_integer(std::string_view little_endian) {
    const std::string_view raw = shortest(little_endian);
    if (const auto value = as_int64(raw); value && *value >= INT32_MIN && *value <= INT32_MAX) {
        integer(*value);
        return;
    }
    if (raw.size() > INT32_MAX) {
        throw PicklingError(
            fmt::format("an integer of {} bytes is more than a pickle can hold", raw.size()));
    }
    need(5);
    if (raw.size() <= 0xff) {
        put(Opcode::long1);
        put(static_cast<std::uint8_t>(raw.size()));
    } else {
        put(Opcode::long4);
        put(static_cast<std::uint32_t>(raw.size()));
    }
    block(raw);
}

void Writer::long_text(std::string_view value) {
    if (is_utf8(value)) {
        wire_text(value);
    } else {
        wire_text(escape(value));
    }
}

void Writer::wire_text(std::string_view wire) {
    sized(Opcode::short_binunicode, Opcode::binunicode, Opcode::binunicode8, wire);
}

void Writer::byte_string(std::string_view value) {
    if (put_aside(value, true)) return;
    if (options_.protocol < 3) return old_byte_string(value);
    sized(Opcode::short_binbytes, Opcode::binbytes, Opcode::binbytes8, value);
}

void Writer::byte_array(std::string_view value) {
    if (put_aside(value, false)) return;
    if (options_.protocol >= 5) {
        need(9);
        put(Opcode::bytearray8);
        put(static_cast<std::uint64_t>(value.size()));
        return block(value);
    }
    global(kBytearrayName);
    byte_string(value);
    op(Opcode::tuple1);
    op(Opcode::reduce);
}

/// As Python writes bytes for readers that have none: as the text whose letters they are.
void Writer::old_byte_string(std::string_view value) {
    if (value.empty()) {
        global(kBytesName);
        op(Opcode::empty_tuple);
        return op(Opcode::reduce);
    }
    std::string letters;
    letters.reserve(value.size() + value.size() / 2);
    for (const char letter : value) {
        const auto code = static_cast<unsigned char>(letter);
        if (code < 0x80) {
            letters.push_back(letter);
        } else {
            letters.push_back(static_cast<char>(0xc0 | (code >> 6)));
            letters.push_back(static_cast<char>(0x80 | (code & 0x3f)));
        }
    }
    global(kEncodeName);
    wire_text(letters);
    lasting_text("latin1");
    op(Opcode::tuple2);
    op(Opcode::reduce);
}

void Writer::array(char letter, std::size_t item_size, std::string_view raw) {
    if (options_.protocol < 3) return old_array(letter, item_size, raw);
    if (options_.protocol >= 4 && std::endian::native == std::endian::little) {
        return new_array(letter, raw);
    }
    const bool is_portable = std::endian::native == std::endian::little || item_size == 1;
    global(is_portable ? kArrayName : kArrayRebuildName);
    if (!is_portable) {
        // Python's number for the machine format; the odd ones are big-endian.
        static constexpr std::string_view kLetters = "BbHhIiQqfd";
        static constexpr std::array<std::uint8_t, 10> kBigEndian{0, 1, 3, 5, 7, 9, 11, 13, 15, 17};
        op(Opcode::mark);
        global(kArrayName);
        text({&letter, 1});
        integer(kBigEndian[kLetters.find(letter)]);
    } else {
        text({&letter, 1});
    }
    byte_string(raw);
    op(is_portable ? Opcode::tuple2 : Opcode::tuple);
    op(Opcode::reduce);
}

/// The usual way, in one go: array.array(letter, raw).
void Writer::new_array(char letter, std::string_view raw) {
    static constexpr std::string_view kHead =
        "\x8c\x05"
        "array\x8c\x05"
        "array\x93\x94";
    need(64);
    if (array_number_ == kNotYet) {
        copy(kHead);
        array_number_ = memo_size_++;
    } else {
        recall(array_number_);
    }
    put(Opcode::short_binunicode);
    put(std::uint8_t{1});
    put(static_cast<std::uint8_t>(letter));
    byte_string(raw);
    need(2);
    put(Opcode::tuple2);
    put(Opcode::reduce);
}

/// Python 2 makes an array of a list only, and its letter has to be a byte string.
void Writer::old_array(char letter, std::size_t item_size, std::string_view raw) {
    global(kArrayName);
    if (letter == 'q' && sizeof(long) == 8) letter = 'l';  // Python 2 has no q
    if (letter == 'Q' && sizeof(long) == 8) letter = 'L';
    need(3);
    put(Opcode::short_binstring);
    put(std::uint8_t{1});
    put(static_cast<std::uint8_t>(letter));
    begin_list(raw.empty());
    for (std::size_t at = 0; at < raw.size(); at += item_size) {
        const char* place = raw.data() + at;
        constexpr auto kOrder = std::endian::native;
        switch (letter) {
            case 'b':
                integer(static_cast<std::int8_t>(fetch<kOrder, std::uint8_t>(place)));
                break;
            case 'B':
                integer(fetch<kOrder, std::uint8_t>(place));
                break;
            case 'h':
                integer(static_cast<std::int16_t>(fetch<kOrder, std::uint16_t>(place)));
                break;
            case 'H':
                integer(fetch<kOrder, std::uint16_t>(place));
                break;
            case 'i':
                integer(static_cast<std::int32_t>(fetch<kOrder, std::uint32_t>(place)));
                break;
            case 'I':
                integer(fetch<kOrder, std::uint32_t>(place));
                break;
            case 'f':
                real(std::bit_cast<float>(fetch<kOrder, std::uint32_t>(place)));
                break;
            case 'd':
                real(std::bit_cast<double>(fetch<kOrder, std::uint64_t>(place)));
                break;
            case 'L':
            case 'Q':
                natural(fetch<kOrder, std::uint64_t>(place));
                break;
            default:
                integer(static_cast<std::int64_t>(fetch<kOrder, std::uint64_t>(place)));
                break;
        }
    }
    end_list(raw.empty());
    op(Opcode::tuple2);
    op(Opcode::reduce);
}

bool Writer::put_aside(std::string_view raw, bool read_only) {
    if (options_.buffers == nullptr || raw.size() < options_.buffer_size) return false;
    op(Opcode::next_buffer);
    if (read_only) op(Opcode::readonly_buffer);
    options_.buffers->push_back({reinterpret_cast<const std::byte*>(raw.data()), raw.size()});
    return true;
}

void Writer::begin_set(bool is_empty) {
    deeper();
    if (options_.protocol >= 4) {
        op(Opcode::empty_set);
        if (!is_empty) op(Opcode::mark);
        return;
    }
    global(kSetName);
    op(Opcode::empty_list);
    if (!is_empty) op(Opcode::mark);
}

void Writer::end_set(bool is_empty) {
    --depth_;
    if (options_.protocol >= 4) {
        if (!is_empty) op(Opcode::additems);
        return;
    }
    if (!is_empty) op(Opcode::appends);
    op(Opcode::tuple1);
    op(Opcode::reduce);
}

Writer::Memo& Writer::memo() {
    if (memo_ == nullptr) memo_ = std::make_unique<Memo>();
    return *memo_;
}

std::uint32_t Writer::memoize() {
    need(5);
    const std::uint32_t number = memo_size_;
    if (number >= kNoNumberYet - 1)
        throw PicklingError("more shared objects than a pickle can hold");
    if (options_.protocol >= 4) {
        put(Opcode::memoize);
    } else if (number <= 0xff) {
        put(Opcode::binput);
        put(static_cast<std::uint8_t>(number));
    } else {
        put(Opcode::long_binput);
        put(number);
    }
    ++memo_size_;
    return number;
}

void Writer::recall(std::uint32_t number) {
    need(5);
    if (number <= 0xff) {
        put(Opcode::binget);
        put(static_cast<std::uint8_t>(number));
    } else {
        put(Opcode::long_binget);
        put(number);
    }
}

void Writer::global_once(std::string_view module, std::string_view name) {
    if (options_.protocol >= 4) {
        wire_text(module);
        wire_text(name);
        return op(Opcode::stack_global);
    }
    if (module.find('\n') != std::string_view::npos || name.find('\n') != std::string_view::npos) {
        throw PicklingError(fmt::format("pickle protocol {} cannot hold a name of several lines",
                                        options_.protocol));
    }
    if (options_.protocol < 3) {
        // Readers take Python 2's names for Python 3's, so what is called like them cannot be said.
        for (const std::string_view old : {"__builtin__", "copy_reg", "exceptions", "Queue"}) {
            if (module != old) continue;
            throw PicklingError(
                fmt::format("pickle protocol {} cannot hold a name of the module {}",
                            options_.protocol, module));
        }
        if (module == "builtins") module = "__builtin__";
    }
    op(Opcode::global);
    block(module);
    need(1);
    put(std::uint8_t{'\n'});
    block(name);
    need(1);
    put(std::uint8_t{'\n'});
}

void Writer::global_of(const void* key, std::string_view module, std::string_view name) {
    Memo& known = memo();
    if (const std::uint32_t* number = known.find(key)) return recall(*number);
    global_once(module, name);
    known.add(key, memoize());
}

void Writer::lasting_text(const char* value) {
    Memo& known = memo();
    if (const std::uint32_t* number = known.find(value)) return recall(*number);
    text(value);
    known.add(value, memoize());
}

bool Writer::begin_shared(const void* object, const void* tag, bool early) {
    const auto [place, is_new] = memo().shared.try_emplace({object, tag}, kNoNumberYet);
    if (is_new) {
        early_ = early ? Early{object, tag} : Early{};
        return false;
    }
    if (place->second == kNoNumberYet) {
        throw PicklingError(
            "a cycle through an object that Python makes only when its parts exist: give its class "
            "named fields and a registered name");
    }
    recall(place->second);
    return true;
}

void Writer::end_shared(const void* object, const void* tag) {
    std::uint32_t& number = memo().shared[{object, tag}];
    early_ = {};
    if (number == kNoNumberYet) number = memoize();
}

Writer::Early Writer::defer_early_number() noexcept {
    return std::exchange(early_, Early{});
}

void Writer::give_number(const Early& early) {
    if (early.object == nullptr) return;
    memo().shared[{early.object, early.tag}] = memoize();
}

void Writer::too_deep() const {
    throw PicklingError(
        fmt::format("nested deeper than {} (DumpOptions::max_depth)", options_.max_depth));
}

}  // namespace weft::pickle::detail

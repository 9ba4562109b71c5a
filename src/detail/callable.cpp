#include <weft/detail/callable.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>

#include <weft/detail/low_lock.hpp>
#include <weft/pickle/detail/endian.hpp>

#include "detail/fmt.hpp"
#include "os/posix/code.hpp"

namespace weft::detail {

namespace {

constexpr std::string_view kMagic = "weft packed call";  // begins with no opcode of pickle

// Without a destructor, so that modules may join before and leave after everything else. A child of
// fork() finds the list whole: every change of it is one store.
constinit LowLock entries_lock;

std::string hex(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) {
        text += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    }
    return text;
}

std::string name_of(const CodePlace& place) {
    return place.path.empty() ? "the program" : place.path;
}

CodePlace place_of_address(std::uintptr_t address) {
    std::optional<os::CodeModule> module = os::find_code(address);
    if (!module) {
        throw std::runtime_error(
            "a function that belongs to no module cannot be sent to another process");
    }
    CodePlace place{std::move(module->build_id), std::move(module->path), address - module->base};
    if (place.build_id.empty()) {
        throw std::runtime_error(fmt::format(
            "{} was linked without a build-id, by which the other process would find its "
            "functions: link it with -Wl,--build-id",
            name_of(place)));
    }
    return place;
}

/// Where the place is in this process; nothing is known yet about what is there.
std::uintptr_t address_of(const CodePlace& place) {
    std::optional<os::CodeModule> module = os::find_build(place.build_id);
    std::string reason;
    if (!module && !place.path.empty()) {
        reason = os::open_library(place.path, place.build_id);
        module = os::find_build(place.build_id);
    }
    if (!module) {
        throw std::runtime_error(fmt::format(
            "a call of {} (build-id {}), which this process does not have{}{}: both processes must "
            "run the same build",
            name_of(place), hex(place.build_id), reason.empty() ? "" : ": ", reason));
    }
    return module->base + place.offset;
}

void append(weft::bytes& buffer, std::string_view text) {
    const std::size_t old_size = buffer.size();
    buffer.resize(old_size + text.size());
    std::copy_n(text.data(), text.size(), reinterpret_cast<char*>(buffer.data() + old_size));
}

void append_number(weft::bytes& buffer, std::uint64_t number) {
    std::array<char, 8> raw{};
    pickle::detail::store<std::endian::little>(raw.data(), number);
    append(buffer, {raw.data(), raw.size()});
}

[[noreturn]] void throw_not_packed() {
    throw std::runtime_error("bytes that are no packed call");
}

std::string_view take(std::string_view& packed, std::uint64_t size) {
    if (size > packed.size()) throw_not_packed();
    const std::string_view taken = packed.substr(0, static_cast<std::size_t>(size));
    packed.remove_prefix(static_cast<std::size_t>(size));
    return taken;
}

std::uint64_t take_number(std::string_view& packed) {
    return pickle::detail::fetch<std::endian::little, std::uint64_t>(take(packed, 8).data());
}

}  // namespace

/// The entries of all modules that are loaded.
struct EntryList {
    static constinit EntryRegistration* first;

    static void join(EntryRegistration& registration) noexcept {
        const std::scoped_lock held(entries_lock);
        registration.next_ = first;
        first = &registration;
    }
    static void leave(EntryRegistration& registration) noexcept {
        const std::scoped_lock held(entries_lock);
        for (EntryRegistration** link = &first; *link != nullptr; link = &(*link)->next_) {
            if (*link != &registration) continue;
            *link = registration.next_;
            return;
        }
    }
    static CallEntry find(std::uintptr_t address) noexcept {
        const std::scoped_lock held(entries_lock);
        for (const EntryRegistration* each = first; each != nullptr; each = each->next_) {
            if (reinterpret_cast<std::uintptr_t>(each->entry_) == address) return each->entry_;
        }
        return nullptr;
    }
};

constinit EntryRegistration* EntryList::first = nullptr;

EntryRegistration::EntryRegistration(CallEntry call) noexcept : entry_(call) {
    EntryList::join(*this);
}

EntryRegistration::~EntryRegistration() {
    EntryList::leave(*this);
}

CodePlace place_of(FunctionAddress function) {
    return place_of_address(reinterpret_cast<std::uintptr_t>(function));
}

FunctionAddress function_at(const CodePlace& place) {
    const std::uintptr_t address = address_of(place);
    const std::optional<os::CodeModule> module = os::find_code(address);
    if (!module || module->build_id != place.build_id) {
        throw std::runtime_error(
            fmt::format("offset {} of {} is no code", place.offset, name_of(place)));
    }
    return reinterpret_cast<FunctionAddress>(address);
}

// A pointer to a member function is two words by the C++ ABI that Linux's compilers share: the
// function, or the slot of a virtual one, and what is added to `this`. Which of both it is, is said
// by the lowest bit of the first word, and on ARM, where code may begin there, of the second.
namespace {

struct MethodWords {
    std::uintptr_t function = 0;
    std::intptr_t adjustment = 0;
};

#if defined(__aarch64__) || defined(__arm__)
bool is_virtual(const MethodWords& words) noexcept {
    return (words.adjustment & 1) != 0;
}
#else
bool is_virtual(const MethodWords& words) noexcept {
    return (words.function & 1) != 0;
}
#endif

}  // namespace

MethodPlace method_place_of(const void* pointer, std::size_t size) {
    MethodWords words;
    if (size != sizeof words) {
        throw std::runtime_error("pointers to member functions are of an unknown kind here");
    }
    std::memcpy(&words, pointer, sizeof words);
    MethodPlace result;
    result.adjustment = words.adjustment;
    result.is_virtual = is_virtual(words);
    if (result.is_virtual) {
        result.slot = words.function;
    } else {
        result.place = place_of_address(words.function);
    }
    return result;
}

void method_at(const MethodPlace& place, void* pointer, std::size_t size) {
    MethodWords words;
    if (size != sizeof words) {
        throw std::runtime_error("pointers to member functions are of an unknown kind here");
    }
    words.adjustment = static_cast<std::intptr_t>(place.adjustment);
    words.function = place.is_virtual ? static_cast<std::uintptr_t>(place.slot)
                                      : reinterpret_cast<std::uintptr_t>(function_at(place.place));
    std::memcpy(pointer, &words, sizeof words);
}

weft::bytes begin_packed(CallEntry entry) {
    const CodePlace place = place_of_address(reinterpret_cast<std::uintptr_t>(entry));
    weft::bytes packed;
    append(packed, kMagic);
    append_number(packed, place.build_id.size());
    append(packed, place.build_id);
    append_number(packed, place.path.size());
    append(packed, place.path);
    append_number(packed, place.offset);
    return packed;
}

weft::bytes run_packed(pickle::BytesView bytes) {
    std::string_view packed = bytes.text();
    if (take(packed, kMagic.size()) != kMagic) throw_not_packed();
    CodePlace place;
    place.build_id = take(packed, take_number(packed));
    place.path = take(packed, take_number(packed));
    place.offset = take_number(packed);
    const CallEntry entry = EntryList::find(address_of(place));
    if (entry == nullptr) {
        throw std::runtime_error(fmt::format(
            "offset {} of {} is no entry of a packed call{}", place.offset, name_of(place),
            place.path.empty() ? ""
                               : " (a plugin and the program need Weft as one shared library)"));
    }
    weft::bytes result;
    entry(packed, result);
    return result;
}

}  // namespace weft::detail

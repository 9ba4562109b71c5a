#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace weft::pickle {

/// The highest protocol that is written, as in Python.
inline constexpr int HIGHEST_PROTOCOL = 5;
/// The protocol that is written unless asked otherwise: every Python 3.4 and newer reads it.
inline constexpr int DEFAULT_PROTOCOL = 4;

/// How dumps() writes.
struct DumpOptions {
    /// 2 to 5. Protocol 2 is for Python 2, 3 for Python 3.0 to 3.3. Anything else throws
    /// `std::invalid_argument`.
    int protocol = DEFAULT_PROTOCOL;
    /// With protocol 5: bytes and number vectors of at least `buffer_size` bytes are not copied
    /// into the pickle. Views of them are put here instead, in order, and are valid as long as the
    /// pickled object is not changed; none stays when dumps() throws. The reader needs the same
    /// buffers. With any other protocol `std::invalid_argument` is thrown.
    std::vector<std::span<const std::byte>>* buffers = nullptr;
    std::size_t buffer_size = 4096;
    /// How deep values may be nested in each other before PicklingError is thrown.
    std::size_t max_depth = 1000;
};

/// How loads() reads.
struct LoadOptions {
    /// The buffers that dumps() put aside, in the same order. They are copied from. Unlike Python,
    /// a pickle that does not use all of them is refused: they are those of another.
    std::span<const std::span<const std::byte>> buffers{};
    /// How deep values may be nested in each other before UnpicklingError is thrown.
    std::size_t max_depth = 1000;
    /// A pickle may name one object many times, where a C++ value needs a copy each time. So much
    /// memory, about, may be taken beyond 64 times the length of the input before UnpicklingError
    /// is thrown.
    std::size_t max_copies = std::size_t{64} << 20;
    /// Keys of dicts and sets are hashed and compared, which can be made to take long: a key of a
    /// megabyte named again and again, sets in sets. So many steps (an item, or sixteen bytes) may
    /// be taken beyond 64 for each byte of the input before UnpicklingError is thrown.
    std::size_t max_key_steps = std::size_t{16} << 20;
    /// Whether objects in `shared_ptr` may hold each other in a circle. Such objects live until
    /// somebody takes the circle apart, so a program that reads what strangers write says no, and
    /// gets UnpicklingError.
    bool allow_cycles = true;
};

namespace detail {

/// 64 for each byte of the input, and `more`.
constexpr std::size_t allowance(std::size_t input_size, std::size_t more) noexcept {
    constexpr std::size_t kMost = static_cast<std::size_t>(-1);
    return input_size > (kMost - more) / 64 ? kMost : more + 64 * input_size;
}

}  // namespace detail

}  // namespace weft::pickle

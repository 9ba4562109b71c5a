#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <weft/detail/config.hpp>
#include <weft/detail/slot.hpp>
#include <weft/detail/word_queue.hpp>

namespace weft::detail {

[[noreturn]] WEFT_API void throw_queue_cut_off();

/// A user's storage as OneLockQueue wants it.
template <class T, class Hooks>
class HookedStorage {
public:
    using Entry = T;
    using Taken = Slot<T>;
    struct Room {};
    struct Contents {};

    HookedStorage(std::ptrdiff_t maxsize, Hooks&& hooks) : hooks_(std::move(hooks)) {
        hooks_.init(maxsize);
    }

    [[nodiscard]] std::size_t size() { return static_cast<std::size_t>(hooks_.qsize()); }
    void push(T& item, WordQueue::Returned* /*place*/, std::uint64_t /*index*/) {
        hooks_.put(std::move(item));
    }
    void pop(Taken& taken) {
        taken.fill([this]() -> T { return hooks_.get(); });
    }
    void remove_any(Taken& taken) { pop(taken); }
    /// Where a fork has cut off a user's code, nothing can be said about its data.
    void mend() { throw_queue_cut_off(); }

    static constexpr bool has_room(std::size_t /*held*/) noexcept { return true; }
    static constexpr std::size_t next_capacity() noexcept { return 0; }
    static constexpr Room make_room(std::size_t /*capacity*/) noexcept { return {}; }
    static constexpr void adopt(Room& /*room*/) noexcept {}
    static constexpr std::size_t sparse_capacity(std::size_t /*held*/) noexcept { return 0; }
    static constexpr void shrink(Room& /*room*/, std::size_t /*held*/) noexcept {}
    /// The items stay, for drain_one(): to move them out takes the user's code, which may throw.
    static constexpr Contents take_all() noexcept { return {}; }
    static constexpr bool is_drained_one_by_one = true;

private:
    Hooks hooks_;
};

}  // namespace weft::detail

#pragma once

#include <cstdint>

#include <weft/detail/wait_list.hpp>

namespace weft::detail {

/// How an attempt to pass an item into a queue or out of it ended.
enum class Passage : std::uint8_t {
    passed,
    blocked,      ///< no room, or no item, in the time there was
    shut_down,    ///< the queue takes no more, or has no more to give
    cancelled,    ///< the stop token was triggered
    interrupted,  ///< the main thread is to throw KeyboardInterrupt
};

/// What a wait says that did not end with a notification.
[[nodiscard]] constexpr Passage passage_of(WaitEnd end) noexcept {
    switch (end) {
        case WaitEnd::cancelled:
            return Passage::cancelled;
        case WaitEnd::interrupted:
            return Passage::interrupted;
        default:
            return Passage::blocked;
    }
}

/// Waits in `list` until `first_try` or a later `certain_try` ends with something else than
/// `blocked`. `certain_try` runs with the thread on the list, and must not miss what was published
/// by a notifier that did not see it there.
template <class FirstTry, class CertainTry>
Passage wait_to_pass(WaitList& list, const WaitLimits& limits, FirstTry first_try,
                     CertainTry certain_try) {
    Passage passage = Passage::blocked;
    bool is_first = true;
    auto take = [&] {
        passage = is_first ? first_try() : certain_try();
        is_first = false;
        return passage != Passage::blocked;
    };
    const WaitEnd end = list.wait(take, limits);
    return end == WaitEnd::notified ? passage : passage_of(end);
}

/// One step of that for a coroutine: enters the waiter into the list, and takes it off again when
/// `certain_try` ends with something else than `blocked`, or throws. Returns `blocked` when the
/// waiter is listed; it may have been notified since.
template <class CertainTry>
Passage list_or_pass(WaitList& list, Waiter& waiter, bool is_first, CertainTry certain_try) {
    {
        // Whoever was woken and came too late keeps his place.
        WaitList::Locked view(list);
        is_first ? view.append(waiter) : view.prepend(waiter);
    }
    struct Leave {
        WaitList& list;
        Waiter& waiter;
        bool stays = false;
        ~Leave() {
            // A notification that was not needed goes to the next one.
            if (!stays && !list.remove(waiter)) list.notify_one();
        }
    } leave{list, waiter};
    const Passage passage = certain_try();
    leave.stays = passage == Passage::blocked;
    return passage;
}

}  // namespace weft::detail

#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace weft::pickle::detail {

/// What was registered, in a list that only grows. Nobody waits for anybody, so a child of fork()
/// finds it whole, whatever other threads were doing.
template <class Entry>
class EntryList {
public:
    constexpr EntryList() noexcept = default;
    EntryList(const EntryList&) = delete;
    EntryList& operator=(const EntryList&) = delete;

    /// The first entry, the latest first, for which `fits` is true, or null.
    template <class Fits>
    const Entry* find(Fits fits) const {
        // Acquire: pairs with the release of add().
        for (const Link* link = head_.load(std::memory_order_acquire); link != nullptr;
             link = link->next) {
            if (fits(link->entry)) return &link->entry;
        }
        return nullptr;
    }

    /// Adds the entry unless `met` gives another for one of those that are there, which it may also
    /// refuse by throwing. Entries that come at the same time are shown to `met` too.
    template <class Met>
    const Entry& add(Entry entry, Met met) {
        auto link = std::make_unique<Link>(Link{std::move(entry), nullptr});
        const Link* seen = nullptr;
        const Link* head = head_.load(std::memory_order_acquire);
        for (;;) {
            for (const Link* other = head; other != seen; other = other->next) {
                if (met(other->entry, link->entry)) return other->entry;
            }
            link->next = seen = head;
            if (head_.compare_exchange_weak(head, link.get(), std::memory_order_release,
                                            std::memory_order_acquire)) {
                return link.release()->entry;
            }
        }
    }

private:
    struct Link {
        Entry entry;
        const Link* next;
    };
    std::atomic<const Link*> head_{nullptr};
};

}  // namespace weft::pickle::detail

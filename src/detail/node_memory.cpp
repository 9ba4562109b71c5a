#include <weft/detail/node_memory.hpp>

#include <array>
#include <cstdint>
#include <new>

#include <weft/detail/atomic.hpp>

// A page is its header and then, at distances of one stride, its slots. The eight bytes before each
// slot hold the page's address:
//
//   | header | home, slot | home, slot | ...
//
// `live` counts the slots that are not free again. It begins with all of them, so that the thread
// that cuts the page writes it once, and those who free count down alone.

namespace weft::detail {

namespace {

struct Page {
    explicit Page(std::uint32_t slots) noexcept : live(slots) {}
    Atomic<std::uint32_t> live;
};

using Home = Page*;

constexpr std::size_t kStep = NodeMemory::kAlignment;
constexpr std::size_t kClasses = (NodeMemory::kLargest + sizeof(Home)) / kStep;
// With what malloc adds, a page and its header stay within 4096 bytes.
constexpr std::size_t kPageSize = 4096 - 64;
// Room for the header and the first home, such that the first slot is aligned.
constexpr std::size_t kFirstSlot = 16;
static_assert(sizeof(Page) + sizeof(Home) <= kFirstSlot);
static_assert(__STDCPP_DEFAULT_NEW_ALIGNMENT__ >= NodeMemory::kAlignment);

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kOneSlotPages = true;
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
constexpr bool kOneSlotPages = true;
#    else
constexpr bool kOneSlotPages = false;
#    endif
#else
constexpr bool kOneSlotPages = false;
#endif

void give_up_slots(Page* page, std::uint32_t slots) noexcept {
    // Release: this thread has done with its slots. Acquire, for whoever is last: so have all
    // others.
    if (page->live.fetch_sub(slots, std::memory_order_acq_rel) == slots) {
        page->~Page();
        ::operator delete(page);
    }
}

/// The pages that a thread is cutting, one for each distance between slots. Has no destructor, so
/// that it may be used for as long as the thread runs: destructors of other thread_local objects
/// may still come with items.
struct Pages {
    struct Cursor {
        Page* page = nullptr;
        std::byte* next = nullptr;
        std::uint32_t left = 0;  ///< slots not yet cut; the page may be gone once it is zero
    };

    std::array<Cursor, kClasses> cursors{};
    bool has_ended = false;
};

constinit thread_local Pages pages;

void give_up_rest(Pages::Cursor& cursor) noexcept {
    // The cursor first: a replaced operator delete may itself use a queue.
    const std::uint32_t left = cursor.left;
    cursor.left = 0;
    if (left != 0) give_up_slots(cursor.page, left);
}

/// Ends the pages of its thread.
struct Sentry {
    Sentry() noexcept {}
    Sentry(const Sentry&) = delete;
    Sentry& operator=(const Sentry&) = delete;
    ~Sentry() {
        pages.has_ended = true;
        for (Pages::Cursor& cursor : pages.cursors) give_up_rest(cursor);
    }
    /// The first use constructs the sentry, which is what has it destroyed.
    void stand() noexcept {}
};

thread_local Sentry sentry;

void begin_page(Pages::Cursor& cursor, std::size_t stride) {
    if (!pages.has_ended) sentry.stand();
    // Under the address sanitizer each node is an allocation of its own, so that it can see who
    // uses one after its end.
    const std::size_t slots =
        kOneSlotPages || pages.has_ended ? 1 : (kPageSize - kFirstSlot) / stride;
    auto* const memory = static_cast<std::byte*>(::operator new(kFirstSlot + slots * stride));
    // A replaced operator new or delete that uses a queue may have begun a page here.
    while (cursor.left != 0) give_up_rest(cursor);
    cursor.page = ::new (memory) Page(static_cast<std::uint32_t>(slots));
    cursor.next = memory + kFirstSlot;
    cursor.left = static_cast<std::uint32_t>(slots);
}

}  // namespace

void* NodeMemory::allocate(std::size_t size) {
    const std::size_t stride = (size + sizeof(Home) + kStep - 1) / kStep * kStep;
    Pages::Cursor& cursor = pages.cursors[stride / kStep - 1];
    if (cursor.left == 0) [[unlikely]]
        begin_page(cursor, stride);
    std::byte* const slot = cursor.next;
    *reinterpret_cast<Home*>(slot - sizeof(Home)) = cursor.page;
    cursor.next = slot + stride;
    --cursor.left;
    return slot;
}

void NodeMemory::free(void* node) noexcept {
    if (node == nullptr) return;
    give_up_slots(*reinterpret_cast<Home*>(static_cast<std::byte*>(node) - sizeof(Home)), 1);
}

}  // namespace weft::detail

#include "detail/local_slot.hpp"

#include <weft/detail/local_slot.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <utility>

#include <weft/detail/low_lock.hpp>
#include <weft/detail/wait_list.hpp>

#include "runtime/exit.hpp"
#include "runtime/this_thread.hpp"

// Every local has a number, from its first touch to its death; every thread that has touched one
// has a table of values by number.
//
//   first touch   the thread's end is watched, the number taken and the table made long enough;
//                 then the value is constructed, with nothing locked, and entered.
//   thread's end  in each of the last rounds of the thread's life (after its thread_local objects):
//                 each value is taken off the table and destroyed, until none is left. What a
//                 destructor touches is made anew, and destroyed in the next pass.
//   local's death the values of all threads are taken off their tables and destroyed, on the thread
//                 that destroys the local. It waits for threads that are at their end and in the
//                 destructor of such a value: when it returns, nothing of the local's type runs.
//                 Then the number is free for the next local.
//
// Whoever takes a value off a table, with the lock held, destroys it: so it happens once. Only the
// thread itself enters values, with the lock held, and only where no value is. So what it reads
// without the lock can only be changed by the death of the local in question, during which nobody
// may use it.
//
// While static objects are being destroyed other threads may still run. A local that dies then
// destroys the value of the thread that destroys it. Those of others become ownerless: their
// threads may go on using them, nobody destroys them any more (the code that could may be unloaded
// by then), and their threads stay listed. The local keeps its number and its maker, so static
// objects that are destroyed later can still use it.
//
// Whoever ends the program must have said so before static objects go, whichever thread it is: the
// first value that is made has the end of the program watched from there, so that it is noticed
// before the destructors of what was built until then.
//
// The main thread has no end but that of the program: its values live until their locals die, also
// in functions given to atexit(). If it ends by pthread_exit(), they go as any thread's do.
//
// After fork, the child has the forking thread's table. The values of others are never destroyed
// there: they may have been in the middle of anything.

namespace weft::detail {

constinit thread_local LocalTable this_thread_locals;

/// Numbers are lent out and come back; the objects that carry them are never freed.
struct LocalNumber {
    std::uint32_t value = 0;
    LocalNumber* next_free = nullptr;
};

namespace {

/// What others may know of a thread that has touched a local.
struct LocalThread {
    LocalTable table;        ///< equal to this_thread_locals of that thread
    std::uint32_t busy = 0;  ///< the number of the value that the thread's end is destroying
    LocalThread* previous = nullptr;
    LocalThread* next = nullptr;
};

/// What is being constructed on this thread, innermost first.
struct Construction {
    const LocalSlot* subject;
    Construction* outer;
};

constinit LowLock mutex;  // guards the following, and every table's length and taken values
constinit LocalThread* threads = nullptr;
constinit LocalThread* abandoned = nullptr;  // the parent's, kept in sight of leak checkers
constinit LocalNumber* free_numbers = nullptr;
constinit std::uint32_t last_number = 0;
constinit LocalMaker* kept_makers = nullptr;

/// Notified when a thread's end has destroyed a value.
constinit WaitList destructions;

constinit thread_local LocalThread* mine = nullptr;
constinit thread_local Construction* under_construction = nullptr;

/// How often values may come back while they are being destroyed.
constexpr int kPasses = 4;

/// Knows for a scope that a value is being made, however the scope is left.
class Constructing {
public:
    explicit Constructing(const LocalSlot& subject) : here_{&subject, under_construction} {
        for (const Construction* each = here_.outer; each != nullptr; each = each->outer) {
            if (each->subject == &subject) {
                throw std::runtime_error(
                    "local: the constructor of the thread's value uses the local that it is for");
            }
        }
        under_construction = &here_;
    }
    ~Constructing() { under_construction = here_.outer; }
    Constructing(const Constructing&) = delete;
    Constructing& operator=(const Constructing&) = delete;

private:
    Construction here_;
};

void list_this_thread() {
    if (mine != nullptr) return;
    auto* const fresh = new LocalThread;
    const std::scoped_lock held(mutex);
    fresh->next = threads;
    if (threads != nullptr) threads->previous = fresh;
    threads = fresh;
    mine = fresh;
}

/// Makes the calling thread's table long enough for a number.
void make_room(std::uint32_t number) {
    list_this_thread();
    const std::size_t old_size = mine->table.size;
    if (number < old_size) return;
    const std::size_t size = std::max<std::size_t>({8, std::size_t{number} + 1, old_size * 2});
    auto entries = std::make_unique<LocalEntry[]>(size);
    LocalEntry* const old = mine->table.entries;
    {
        // Others may be taking values off the old table.
        const std::scoped_lock held(mutex);
        std::copy_n(old, old_size, entries.get());
        mine->table = {entries.release(), size};
        this_thread_locals = mine->table;
    }
    delete[] old;
}

/// Forgets the calling thread if it has no value left.
void unlist_this_thread() noexcept {
    LocalThread* const self = mine;
    {
        const std::scoped_lock held(mutex);
        const std::span entries(self->table.entries, self->table.size);
        if (std::ranges::any_of(entries, [](const LocalEntry& e) { return e.value != nullptr; })) {
            return;
        }
        (self->previous != nullptr ? self->previous->next : threads) = self->next;
        if (self->next != nullptr) self->next->previous = self->previous;
    }
    mine = nullptr;
    this_thread_locals = {};
    delete[] self->table.entries;
    delete self;
}

/// Nothing when it has none, or an ownerless one.
LocalEntry take(LocalThread& thread, std::uint32_t number) noexcept {
    if (number >= thread.table.size) return {};
    LocalEntry& entry = thread.table.entries[number];
    return entry.destroy != nullptr ? std::exchange(entry, {}) : LocalEntry{};
}

/// The end of the program must be noticed before locals die in it, on whatever thread it comes.
void watch_the_end_of_the_program() noexcept {
    static constinit Atomic<bool> is_watched{false};
    if (is_watched.load(std::memory_order_relaxed)) return;
    if (!is_watched.exchange(true, std::memory_order_relaxed)) runtime::register_exit_handler();
}

/// Takes one of the calling thread's values and destroys it. False when there was none.
bool destroy_own(std::uint32_t number) noexcept {
    LocalEntry entry;
    {
        const std::scoped_lock held(mutex);
        entry = take(*mine, number);
        if (entry.value == nullptr) return false;
        mine->busy = number;
    }
    entry.destroy(entry.value);
    {
        const std::scoped_lock held(mutex);
        mine->busy = 0;
    }
    destructions.notify_all();
    return true;
}

/// Takes the values of all threads and destroys them. False when there were none.
bool destroy_everywhere(std::uint32_t number) noexcept {
    std::array<LocalEntry, 64> taken;
    for (bool any = false;; any = true) {
        std::size_t count = 0;
        {
            const std::scoped_lock held(mutex);
            for (LocalThread* each = threads; each != nullptr && count < taken.size();
                 each = each->next) {
                taken[count] = take(*each, number);
                count += taken[count].value != nullptr ? 1 : 0;
            }
        }
        if (count == 0) return any;
        for (const LocalEntry& each : std::span(taken).first(count)) each.destroy(each.value);
    }
}

/// With the lock held.
void disown_everywhere(std::uint32_t number) noexcept {
    for (LocalThread* each = threads; each != nullptr; each = each->next) {
        if (number < each->table.size) each->table.entries[number].destroy = nullptr;
    }
}

void wait_for_ending_threads(std::uint32_t number) noexcept {
    auto is_nobody_busy = [number] {
        const std::scoped_lock held(mutex);
        for (const LocalThread* each = threads; each != nullptr; each = each->next) {
            // This thread itself may be in such a destructor, which destroys the local.
            if (each != mine && each->busy == number) return false;
        }
        return true;
    };
    destructions.wait(is_nobody_busy, {.is_interruptible = false});
}

}  // namespace

void LocalSlot::require_number() {
    if (number_.load(std::memory_order_acquire) != 0) return;
    std::unique_ptr<LocalNumber> fresh;
    for (;;) {
        {
            const std::scoped_lock held(mutex);
            if (number_.load(std::memory_order_acquire) != 0) return;
            LocalNumber* found = free_numbers;
            if (found != nullptr) {
                free_numbers = found->next_free;
            } else if (fresh != nullptr) {
                fresh->value = ++last_number;
                found = fresh.release();
            }
            if (found != nullptr) {
                place_ = found;
                number_.store(found->value, std::memory_order_release);
                return;
            }
        }
        fresh = std::make_unique<LocalNumber>();
    }
}

void* LocalSlot::make(const LocalMaker& maker) {
    const Constructing here(*this);
    runtime::require_end_slot();
    watch_the_end_of_the_program();
    require_number();
    const std::uint32_t number = number_.load(std::memory_order_acquire);
    make_room(number);
    void* const value = maker.construct(maker);
    // The constructor may have touched other locals, but the table never gets shorter. It may be
    // gone when the constructor has ended the thread's last round, which no constructor can.
    const std::scoped_lock held(mutex);
    mine->table.entries[number] = {value, maker.destroy_value};
    return value;
}

void LocalSlot::destroy(LocalMaker* maker) noexcept {
    const std::uint32_t number = number_.load(std::memory_order_acquire);
    if (runtime::phase() == runtime::Phase::finalized) {
        if (number != 0 && mine != nullptr) destroy_own(number);
        const std::scoped_lock held(mutex);
        if (number != 0) disown_everywhere(number);
        if (maker == nullptr) return;
        maker->next = kept_makers;
        kept_makers = maker;
        return;
    }
    if (number != 0) {
        for (int pass = 0; pass < kPasses; ++pass) {
            const bool any = destroy_everywhere(number);
            wait_for_ending_threads(number);
            if (!any && pass > 0) break;
        }
        const std::scoped_lock held(mutex);
        // A value that each destructor makes again is given up.
        for (LocalThread* each = threads; each != nullptr; each = each->next) take(*each, number);
        place_->next_free = free_numbers;
        free_numbers = place_;
        number_.store(0, std::memory_order_relaxed);
    }
    if (maker != nullptr) maker->destroy_self(maker);
}

void destroy_own_locals() noexcept {
    if (mine == nullptr) return;
    bool any = true;
    for (int pass = 0; any && pass < kPasses; ++pass) {
        any = false;
        // Those that were touched last usually go first.
        for (std::size_t number = mine->table.size; number-- > 1;) {
            any |= destroy_own(static_cast<std::uint32_t>(number));
        }
    }
    unlist_this_thread();
}

void keep_only_own_locals() noexcept {
    // The parent may have been in the middle of a change, in which the links onward are whole.
    LocalThread* others = threads;
    LocalThread** link = &others;
    while (*link != nullptr) {
        if (*link == mine) {
            *link = mine->next;
        } else {
            link = &(*link)->next;
        }
    }
    // Before those that this process's own parent had abandoned.
    *link = abandoned;
    abandoned = others;
    threads = mine;
    if (mine == nullptr) return;
    mine->previous = nullptr;
    mine->next = nullptr;
}

}  // namespace weft::detail

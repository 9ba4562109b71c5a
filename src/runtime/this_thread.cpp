#include "runtime/this_thread.hpp"

#include <cerrno>
#include <mutex>
#include <system_error>

#include <weft/detail/low_lock.hpp>

#include "detail/local_slot.hpp"
#include "os/posix/module.hpp"
#include "os/posix/thread.hpp"
#include "runtime/exit.hpp"
#include "runtime/main_thread.hpp"
#include "runtime/registry.hpp"

namespace weft::runtime {

constinit thread_local ThisThread this_thread;
constinit detail::Atomic<void (*)() noexcept> end_of_tracing{nullptr};

namespace {

constexpr int kNoSlot = -1;
constinit detail::Atomic<int> end_slot{kNoSlot};
constinit detail::LowLock end_slot_mutex;

// The system runs the functions of all slots in rounds, as long as some slot is set again, four
// rounds at least. The last but one leaves the first two to others, who may still use Weft, and the
// last to the sanitizers.
constexpr std::uint8_t kLastRound = 3;

void at_thread_end(void* value) {
    // In each round, since what runs between them may touch a local for the first time.
    detail::destroy_own_locals();
    auto* const end_tracing = end_of_tracing.load(std::memory_order_acquire);
    if (end_tracing != nullptr) end_tracing();
    const auto slot = static_cast<os::EndSlot>(end_slot.load(std::memory_order_acquire));
    if (++this_thread.end_rounds < kLastRound && os::set_end_slot(slot, value) == 0) return;
    if (is_main_thread()) {
        end_main_thread();
    } else {
        registry.leave();
    }
}

int find_or_create_slot() noexcept {
    int slot = end_slot.load(std::memory_order_acquire);
    if (slot != kNoSlot) return slot;
    // From now on the system calls into this library whenever a thread ends. Pinned by the first
    // thread that asks, and with no lock held: it takes a lock of the loader's, which whoever
    // starts a thread in the constructors of a plugin holds until the new thread has told who it
    // is.
    os::pin_this_module();
    const std::scoped_lock held(end_slot_mutex);
    slot = end_slot.load(std::memory_order_relaxed);
    if (slot != kNoSlot) return slot;
    const auto created = os::create_end_slot(&at_thread_end);
    if (!created) return kNoSlot;
    slot = static_cast<int>(*created);
    end_slot.store(slot, std::memory_order_release);
    return slot;
}

}  // namespace

int try_end_slot() noexcept {
    if (this_thread.has_end_slot) return 0;
    const int slot = find_or_create_slot();
    if (slot == kNoSlot) return EAGAIN;
    const int error = os::set_end_slot(static_cast<os::EndSlot>(slot), &this_thread);
    this_thread.has_end_slot = error == 0;
    return error;
}

void require_end_slot() {
    const int error = try_end_slot();
    if (error != 0) {
        throw std::system_error(error, std::generic_category(),
                                "cannot watch for the thread's end: pthread_setspecific");
    }
}

bool is_main_thread() noexcept {
    if (this_thread.role == Role::unknown) {
        this_thread.role = os::is_first_thread() ? Role::main : Role::other;
    }
    return this_thread.role == Role::main;
}

}  // namespace weft::runtime

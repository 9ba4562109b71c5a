#include "contextvars/current.hpp"

#include <weft/contextvars/keep.hpp>

#include <utility>

#include "contextvars/bindings.hpp"

namespace weft::contextvars::detail {

constinit thread_local Current current;

namespace {

/// Lets go of the thread's own context when the thread ends.
struct AtThreadEnd {
    ~AtThreadEnd() {
        // A value's destructor may set variables again.
        while (current.bindings.root != nullptr) {
            ++current.version;
            const Bindings bindings = std::exchange(current.bindings, Bindings{});
            // Lent ones are met where exit() was called inside of a run().
            if (!std::exchange(current.is_lent, false)) release(bindings);
        }
        ++current.version;
    }
};

void release_at_thread_end() {
    if (current.will_be_released) return;
    current.will_be_released = true;
    static thread_local const AtThreadEnd at_thread_end;
    static_cast<void>(at_thread_end);
}

/// Called before bindings are changed. What others have a share of too is copied then.
void own_bindings() noexcept {
    if (std::exchange(current.is_lent, false)) static_cast<void>(share(current.bindings));
}

}  // namespace

const Word* look_up(const VariableInfo& info) noexcept {
    return find(current.bindings, info);
}

Share bind(VariableInfo& info, Word value) {
    release_at_thread_end();
    own_bindings();
    Share old = assign(current.bindings, info, value);
    if (!info.was_bound.load(std::memory_order_relaxed)) {
        info.was_bound.store(true, std::memory_order_relaxed);
    }
    current.remember(info.index, value);
    return old;
}

Share unbind(const VariableInfo& info) {
    // Unbound already when it was reset by another token in between.
    if (look_up(info) == nullptr) return {};
    own_bindings();
    Share old = remove(current.bindings, info);
    current.forget(info.index);
    return old;
}

std::uint64_t current_context_number() noexcept {
    if (current.context == 0) {
        // In batches, so that threads rarely meet here.
        static constinit weft::detail::Atomic<std::uint64_t> numbers{1};
        constexpr std::uint64_t kBatch = 1024;
        if (current.next_number == current.last_number) {
            current.next_number = numbers.fetch_add(kBatch, std::memory_order_relaxed);
            current.last_number = current.next_number + kBatch;
        }
        current.context = current.next_number++;
    }
    return current.context;
}

void begin_thread(Bindings bindings) noexcept {
    release_at_thread_end();
    ++current.version;
    current.bindings = bindings;
}

void enter(Frame& frame, const void* context, Bindings bindings, bool is_lent,
           std::uint64_t number) noexcept {
    frame.context = context;
    frame.outer_bindings = std::exchange(current.bindings, bindings);
    frame.outer_is_lent = std::exchange(current.is_lent, is_lent);
    frame.outer_number = std::exchange(current.context, number);
    frame.outer = std::exchange(current.frame, &frame);
    ++current.version;
}

Left leave(Frame& frame) noexcept {
    ++current.version;
    current.frame = frame.outer;
    return {.bindings = std::exchange(current.bindings, frame.outer_bindings),
            .is_lent = std::exchange(current.is_lent, frame.outer_is_lent),
            .number = std::exchange(current.context, frame.outer_number)};
}

Luggage::Luggage() noexcept
    : bindings_(share(current.bindings)), number_(current_context_number()) {}

Luggage::~Luggage() {
    release(bindings_);
}

Step::Step(Luggage&& luggage) noexcept {
    enter(frame_, this, std::exchange(luggage.bindings_, Bindings{}), false, luggage.number_);
}

Step::~Step() {
    release(leave(frame_).bindings);
}

const Bindings* entered_bindings(const void* context) noexcept {
    const Bindings* bindings = &current.bindings;
    for (const Frame* frame = current.frame; frame != nullptr; frame = frame->outer) {
        if (frame->context == context) return bindings;
        bindings = &frame->outer_bindings;
    }
    return nullptr;
}

}  // namespace weft::contextvars::detail

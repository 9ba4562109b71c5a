#include <limits>
#include <memory>
#include <stdexcept>

#include <weft/contextvars/binding.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/errors.hpp>
#include <weft/unraisable.hpp>

#include "contextvars/current.hpp"
#include "detail/fmt.hpp"

namespace weft::contextvars::detail {

namespace {

/// Variables that are gone, and that contexts may still name; here so that they are not lost.
struct Kept {
    weft::detail::LowLock mutex;
    VariableInfo* first = nullptr;
};
constinit Kept kept;
constinit weft::detail::Atomic<bool> is_any_inheritable{false};

}  // namespace

VariableInfo& make_variable(std::string name, const ValueTraits& type, bool is_thread_inheritable) {
    static constinit weft::detail::Atomic<std::uint32_t> indexes{0};
    std::uint32_t index = indexes.load(std::memory_order_relaxed);
    do {
        if (index == std::numeric_limits<std::uint32_t>::max()) {
            throw std::runtime_error(
                fmt::format("ContextVar: {} is one variable too many; make variables at namespace "
                            "scope, not again and again",
                            name));
        }
    } while (!indexes.compare_exchange_weak(index, index + 1, std::memory_order_relaxed));
    if (is_thread_inheritable) is_any_inheritable.store(true, std::memory_order_relaxed);
    return *std::make_unique<VariableInfo>(std::move(name), type, is_thread_inheritable, index)
                .release();
}

void retain_box(Word value) noexcept {
    reinterpret_cast<BoxBase*>(static_cast<std::uintptr_t>(value))
        ->owners.fetch_add(1, std::memory_order_relaxed);
}

void release_box(const VariableInfo& info, Word value) noexcept {
    auto& owners = reinterpret_cast<BoxBase*>(static_cast<std::uintptr_t>(value))->owners;
    // Acquire, for the last: what other owners did with the value has happened. A sole owner is
    // spared the exchange.
    if (owners.load(std::memory_order_acquire) == 1 ||
        owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        info.type.destroy(value);
    }
}

bool has_inheritable_variables() noexcept {
    return is_any_inheritable.load(std::memory_order_relaxed);
}

void drop_variable(VariableInfo& info) noexcept {
    if (!info.was_bound.load(std::memory_order_relaxed)) {
        std::unique_ptr<VariableInfo> nobody_names_it(&info);
        return;
    }
    kept.mutex.lock();
    info.next_kept = kept.first;
    kept.first = &info;
    kept.mutex.unlock();
}

std::string describe_variable(const VariableInfo& info) {
    return fmt::format("<ContextVar name='{}'>", info.name);
}

std::string describe_token(const VariableInfo& info, bool is_used) {
    return fmt::format("<Token{} var={}>", is_used ? " used" : "", describe_variable(info));
}

void throw_unbound(const VariableInfo& info) {
    throw LookupError(fmt::format(
        "get: {} has no value in this context, and no default; set it, or give get() one",
        describe_variable(info)));
}

void throw_no_key(const VariableInfo& info) {
    throw KeyError(fmt::format("[]: {} has no value in the context", describe_variable(info)));
}

void throw_token_used(const VariableInfo& info) {
    throw std::runtime_error(
        fmt::format("reset: the token of {} was used before", describe_variable(info)));
}

void throw_other_variable(const VariableInfo& token, const VariableInfo& variable) {
    throw std::invalid_argument(fmt::format("reset: the token was made by {}, not by {}",
                                            describe_variable(token), describe_variable(variable)));
}

void throw_other_context(const VariableInfo& info) {
    throw std::invalid_argument(
        fmt::format("reset: the token of {} was made in another context", describe_variable(info)));
}

void throw_missing(const VariableInfo& info) {
    throw LookupError(fmt::format("old_value: {} had no value before", describe_variable(info)));
}

void throw_other_type(const VariableInfo& info) {
    throw TypeError(
        fmt::format("get: the value of {} is of another type", describe_variable(info)));
}

void report_lost_reset(const VariableInfo& info) noexcept {
    try {
        weft::detail::report_unraisable({.exc_value = std::current_exception(),
                                         .err_msg = "Cannot reset at the scope's end",
                                         .object = describe_variable(info)});
    } catch (const std::bad_alloc&) {
        weft::detail::report_unraisable({.exc_value = std::current_exception()});
    }
}

}  // namespace weft::contextvars::detail

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

// Included by <weft/detail/atomic.hpp> in a model build.

namespace weft::model {

// The scheduler's side, in atomic.cpp.
void before(const char* operation, const void* object, bool drains) noexcept;
bool fails_weakly() noexcept;
bool delays_store() noexcept;
void delay_store(void* object, void (*apply)(void*, const void*), const void* value,
                 std::size_t size) noexcept;
const void* find_delayed(const void* object) noexcept;
void forget_delayed(const void* object) noexcept;

/// Has the members of std::atomic that Weft uses. Each is a point at which other threads may run
/// first; then it takes effect at once, seen by all. Only a store that is not seq_cst may be
/// delayed, as in a processor's store buffer: its own thread sees it, others do not until it leaves
/// the buffer, which it does in order, before its thread's next read-modify-write, seq_cst store,
/// system call or end.
template <class T>
class Atomic {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);

public:
    constexpr Atomic() noexcept = default;
    constexpr Atomic(T value) noexcept : value_(value) {}
    constexpr ~Atomic() {
        if (!std::is_constant_evaluated()) forget_delayed(this);
    }
    Atomic(const Atomic&) = delete;
    Atomic& operator=(const Atomic&) = delete;

    T load(std::memory_order = std::memory_order_seq_cst) const noexcept {
        before("load", this, false);
        T value = value_;
        if (const void* const delayed = find_delayed(this); delayed != nullptr) {
            std::memcpy(&value, delayed, sizeof value);
        }
        return value;
    }
    operator T() const noexcept { return load(); }

    void store(T value, std::memory_order order = std::memory_order_seq_cst) noexcept {
        const bool is_strong = order == std::memory_order_seq_cst;
        before("store", this, is_strong);
        if (is_strong || !delays_store()) {
            value_ = value;
            return;
        }
        const auto apply = [](void* object, const void* bytes) {
            std::memcpy(&static_cast<Atomic*>(object)->value_, bytes, sizeof(T));
        };
        delay_store(this, apply, &value, sizeof value);
    }
    T operator=(T value) noexcept {
        store(value);
        return value;
    }

    T exchange(T value, std::memory_order = std::memory_order_seq_cst) noexcept {
        return modify("exchange", [value](T) { return value; });
    }

    bool compare_exchange_strong(T& expected, T desired,
                                 std::memory_order = std::memory_order_seq_cst,
                                 std::memory_order = std::memory_order_seq_cst) noexcept {
        before("compare_exchange", this, true);
        return compare_and_swap(expected, desired);
    }

    bool compare_exchange_weak(T& expected, T desired,
                               std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) noexcept {
        before("compare_exchange", this, true);
        if (fails_weakly()) {
            expected = value_;
            return false;
        }
        return compare_and_swap(expected, desired);
    }

    T fetch_add(T change, std::memory_order = std::memory_order_seq_cst) noexcept {
        return modify("fetch_add", [change](T old) { return static_cast<T>(old + change); });
    }
    T fetch_sub(T change, std::memory_order = std::memory_order_seq_cst) noexcept {
        return modify("fetch_sub", [change](T old) { return static_cast<T>(old - change); });
    }
    T fetch_and(T mask, std::memory_order = std::memory_order_seq_cst) noexcept {
        return modify("fetch_and", [mask](T old) { return static_cast<T>(old & mask); });
    }
    T fetch_or(T mask, std::memory_order = std::memory_order_seq_cst) noexcept {
        return modify("fetch_or", [mask](T old) { return static_cast<T>(old | mask); });
    }
    T fetch_xor(T mask, std::memory_order = std::memory_order_seq_cst) noexcept {
        return modify("fetch_xor", [mask](T old) { return static_cast<T>(old ^ mask); });
    }
    T operator++() noexcept { return static_cast<T>(fetch_add(1) + 1); }
    T operator--() noexcept { return static_cast<T>(fetch_sub(1) - 1); }
    T operator++(int) noexcept { return fetch_add(1); }
    T operator--(int) noexcept { return fetch_sub(1); }

private:
    template <class Change>
    T modify(const char* operation, Change change) noexcept {
        before(operation, this, true);
        const T old = value_;
        value_ = change(old);
        return old;
    }
    bool compare_and_swap(T& expected, T desired) noexcept {
        // By value representation, as std::atomic compares.
        if (std::memcmp(&value_, &expected, sizeof(T)) == 0) {
            value_ = desired;
            return true;
        }
        expected = value_;
        return false;
    }

    T value_{};
};

}  // namespace weft::model

#include "model/atomic.hpp"

#include <cstring>

#include "model/scheduler.hpp"

namespace weft::model {

void before(const char* operation, const void* object, bool drains) noexcept {
    Scheduler::instance().point(operation, object, drains);
}

bool fails_weakly() noexcept {
    return Scheduler::instance().fails_weakly();
}

bool delays_store() noexcept {
    return Scheduler::instance().delays_store();
}

void delay_store(void* object, void (*apply)(void*, const void*), const void* value,
                 std::size_t size) noexcept {
    DelayedStore store{object, apply, {}};
    std::memcpy(store.value, value, size);
    Scheduler::instance().delay(store);
}

const void* find_delayed(const void* object) noexcept {
    return Scheduler::instance().find_delayed(object);
}

void forget_delayed(const void* object) noexcept {
    Scheduler::instance().forget_delayed(object);
}

}  // namespace weft::model

// The allocation functions of a program that links weft_test_faults. operator new is replaced as
// the standard allows; calls of malloc and its like are sent here by the linker (--wrap), which
// names the true ones __real_....

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "support/fault_points.hpp"

extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* memory, std::size_t size);
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
int __real_posix_memalign(void** memory, std::size_t alignment, std::size_t size);

void* __wrap_malloc(std::size_t size);
void* __wrap_calloc(std::size_t count, std::size_t size);
void* __wrap_realloc(void* memory, std::size_t size);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size);
int __wrap_posix_memalign(void** memory, std::size_t alignment, std::size_t size);
}

namespace {

using weft::test::faults::is_allocation_to_fail;

void* no_memory() noexcept {
    errno = ENOMEM;
    return nullptr;
}

void* allocate(std::size_t size) noexcept {
    return is_allocation_to_fail() ? nullptr : __real_malloc(size == 0 ? 1 : size);
}

void* allocate(std::size_t size, std::align_val_t alignment) noexcept {
    if (is_allocation_to_fail()) return nullptr;
    const auto unit = static_cast<std::size_t>(alignment);
    return __real_aligned_alloc(unit, (size + unit - 1) / unit * unit);
}

void* require(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

void* __wrap_malloc(std::size_t size) {
    return is_allocation_to_fail() ? no_memory() : __real_malloc(size);
}
void* __wrap_calloc(std::size_t count, std::size_t size) {
    return is_allocation_to_fail() ? no_memory() : __real_calloc(count, size);
}
void* __wrap_realloc(void* memory, std::size_t size) {
    return is_allocation_to_fail() ? no_memory() : __real_realloc(memory, size);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
    return is_allocation_to_fail() ? no_memory() : __real_aligned_alloc(alignment, size);
}
int __wrap_posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    return is_allocation_to_fail() ? ENOMEM : __real_posix_memalign(memory, alignment, size);
}

void* operator new(std::size_t size) {
    return require(allocate(size));
}
void* operator new[](std::size_t size) {
    return require(allocate(size));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return require(allocate(size, alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return require(allocate(size, alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return allocate(size, alignment);
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(memory);
}

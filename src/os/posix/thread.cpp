#include "os/posix/thread.hpp"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "os/futex.hpp"
#include "os/posix/cancellation.hpp"

namespace weft::os {

namespace {

static_assert(sizeof(pthread_t) <= sizeof(ThreadHandle));

/// pthread_attr_t with an owner.
class Attributes {
public:
    Attributes() noexcept : error_(pthread_attr_init(&attributes_)) {}
    ~Attributes() {
        if (error_ == 0) pthread_attr_destroy(&attributes_);
    }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;

    int set_stack_size(std::size_t size) noexcept {
        return error_ != 0 ? error_ : pthread_attr_setstacksize(&attributes_, size);
    }
    const pthread_attr_t* get() const noexcept { return &attributes_; }

private:
    pthread_attr_t attributes_;
    int error_;
};

}  // namespace

// pthread_t is a number on one system and a pointer on the next, hence the casts that take both.
ThreadHandle current_thread() noexcept {
    return (ThreadHandle)pthread_self();
}

std::uint64_t native_thread_id() noexcept {
    return static_cast<std::uint64_t>(syscall(SYS_gettid));
}

bool is_first_thread() noexcept {
    return syscall(SYS_gettid) == syscall(SYS_getpid);
}

std::uint64_t first_thread_id() noexcept {
    return static_cast<std::uint64_t>(getpid());
}

NewThread create_thread(void* (*entry)(void*), void* argument, std::size_t stack_size) noexcept {
    pthread_t thread{};
    int error = 0;
    if (stack_size == 0) {
        error = pthread_create(&thread, nullptr, entry, argument);
    } else {
        Attributes attributes;
        error = attributes.set_stack_size(stack_size);
        if (error == 0) error = pthread_create(&thread, attributes.get(), entry, argument);
    }
    if (error != 0) return {.handle = 0, .error = error};
    return {.handle = (ThreadHandle)thread, .error = 0};
}

void join_thread(ThreadHandle thread) noexcept {
    const WithoutCancellation whole;
    pthread_join((pthread_t)thread, nullptr);
}

int try_stack_size(std::size_t size) noexcept {
    return Attributes().set_stack_size(size);
}

void set_current_thread_name(std::string_view name) noexcept {
    constexpr std::size_t kMost = 15;  // Linux: 16 bytes with the final zero
    std::size_t length = name.size();
    if (length > kMost) {
        length = kMost;
        // Bytes 10xxxxxx continue a character: cut before its first byte.
        while (length > 0 && (static_cast<unsigned char>(name[length]) & 0xC0U) == 0x80U) --length;
    }
    std::array<char, kMost + 1> text{};
    std::memcpy(text.data(), name.data(), length);
    // Fails only for names that are too long.
    pthread_setname_np(pthread_self(), text.data());
}

std::optional<EndSlot> create_end_slot(void (*at_end)(void*)) noexcept {
    pthread_key_t key{};
    if (pthread_key_create(&key, at_end) != 0) return std::nullopt;
    return key;
}

int set_end_slot(EndSlot slot, void* value) noexcept {
    return pthread_setspecific(slot, value);
}

bool call_in_forked_child(void (*child)()) noexcept {
    return pthread_atfork(nullptr, nullptr, child) == 0;
}

void sleep_for_ever() noexcept {
    // A futex call of our own, since pause() would let pthread_cancel() unwind this frame.
    static constinit detail::FutexWord never{0};
    for (;;) futex_wait(never, 0, kNoDeadline);
}

}  // namespace weft::os

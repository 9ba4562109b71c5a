#include "support/stacks.hpp"

#include <execinfo.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "support/symbols.hpp"

namespace weft::test {

namespace {

constexpr int kMaxFrames = 96;
constexpr long kAnswerSeconds = 2;

/// The thread that has last written its stack; the asking thread sleeps on it.
constinit std::atomic<std::uint32_t> answered{0};
constinit std::atomic<int> output{2};

int stack_signal() {
    return SIGRTMIN + 4;
}

pid_t own_thread() {
    return static_cast<pid_t>(syscall(SYS_gettid));
}

WEFT_TEST_NO_SANITIZE void print_own_stack(int fd) {
    std::array<void*, kMaxFrames> frames;
    const int count = backtrace(frames.data(), kMaxFrames);
    for (int i = 0; i < count; ++i) print_frame(fd, frames.data()[i]);
}

WEFT_TEST_NO_SANITIZE void on_stack_signal(int) {
    const int saved_errno = errno;
    print_own_stack(output.load());
    answered.store(static_cast<std::uint32_t>(own_thread()));
    syscall(SYS_futex, &answered, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    errno = saved_errno;
}

WEFT_TEST_NO_SANITIZE bool wait_for_answer(std::uint32_t thread) {
    timespec limit{};
    clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_sec += kAnswerSeconds;
    for (;;) {
        const std::uint32_t seen = answered.load();
        if (seen == thread) return true;
        if (syscall(SYS_futex, &answered, FUTEX_WAIT_BITSET_PRIVATE, seen, &limit, nullptr,
                    FUTEX_BITSET_MATCH_ANY) != 0 &&
            errno == ETIMEDOUT) {
            return false;
        }
    }
}

/// One entry as the kernel writes it; the name follows the header.
struct DirectoryEntry {
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t length;
    std::uint8_t type;
};
constexpr std::size_t kNameOffset = offsetof(DirectoryEntry, type) + 1;

WEFT_TEST_NO_SANITIZE void print_name(int fd, const char* thread) {
    std::array<char, 64> path{"/proc/self/task/"};
    std::strcat(path.data(), thread);
    std::strcat(path.data(), "/comm");
    std::array<char, 32> name{};
    const int file = open(path.data(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    const ssize_t length = read(file, name.data(), name.size() - 1);
    close(file);
    if (length > 1) {
        name[static_cast<std::size_t>(length - 1)] = '\0';  // the line's end
        write_text(fd, " ");
        write_text(fd, name.data());
    }
}

WEFT_TEST_NO_SANITIZE void print_thread(int fd, const char* name) {
    const auto thread = static_cast<pid_t>(std::atoi(name));
    if (thread <= 0) return;  // "." and ".."
    write_text(fd, "--- thread ");
    write_text(fd, name);
    print_name(fd, name);
    write_text(fd, "\n");
    if (thread == own_thread()) {
        print_own_stack(fd);
        return;
    }
    answered.store(0);
    if (syscall(SYS_tgkill, getpid(), thread, stack_signal()) != 0) {
        write_text(fd, "(has ended)\n");
    } else if (!wait_for_answer(static_cast<std::uint32_t>(thread))) {
        write_text(fd, "(does not answer)\n");
    }
}

}  // namespace

void handle_at_once(int signal, void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    if (sigaction(signal, &action, nullptr) != 0) {
        throw std::system_error(errno, std::generic_category(), "sigaction");
    }
#if defined(__SANITIZE_THREAD__)
#    define WEFT_TEST_THREAD_SANITIZER 1
#elif defined(__has_feature)
#    if __has_feature(thread_sanitizer)
#        define WEFT_TEST_THREAD_SANITIZER 1
#    endif
#endif
#ifdef WEFT_TEST_THREAD_SANITIZER
    // The sanitizer has put its own handler in place, which defers. The kernel's record is read
    // back, with the return path that the C library chose, and given our handler.
    struct KernelAction {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)();
        std::uint64_t mask;
    } kernel_action{};
    if (syscall(SYS_rt_sigaction, signal, nullptr, &kernel_action, sizeof(std::uint64_t)) != 0) {
        throw std::system_error(errno, std::generic_category(), "rt_sigaction");
    }
    kernel_action.handler = handler;
    kernel_action.flags = (kernel_action.flags & ~static_cast<unsigned long>(SA_SIGINFO)) |
                          static_cast<unsigned long>(SA_NODEFER | SA_RESTART);
    kernel_action.mask = 0;
    if (syscall(SYS_rt_sigaction, signal, &kernel_action, nullptr, sizeof(std::uint64_t)) != 0) {
        throw std::system_error(errno, std::generic_category(), "rt_sigaction");
    }
#endif
}

void prepare_stacks() {
    prepare_symbols();
    std::array<void*, 4> frames;
    backtrace(frames.data(), static_cast<int>(frames.size()));
    handle_at_once(stack_signal(), &on_stack_signal);
}

WEFT_TEST_NO_SANITIZE void print_all_stacks(int fd) noexcept {
    output.store(fd);
    const int folder = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    alignas(8) static constinit std::array<char, 4096> entries{};
    for (;;) {
        const long length = syscall(SYS_getdents64, folder, entries.data(), entries.size());
        if (length <= 0) break;
        for (long at = 0; at < length;) {
            DirectoryEntry entry;
            std::memcpy(&entry, entries.data() + at, sizeof entry);
            print_thread(fd, entries.data() + at + kNameOffset);
            at += entry.length;
        }
    }
    close(folder);
}

WEFT_TEST_NO_SANITIZE void write_text(int fd, const char* text) noexcept {
    std::size_t left = std::strlen(text);
    while (left > 0) {
        const ssize_t written = write(fd, text, left);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text += written;
        left -= static_cast<std::size_t>(written);
    }
}

WEFT_TEST_NO_SANITIZE void write_number(int fd, long number) noexcept {
    std::array<char, 24> digits{};
    std::size_t at = digits.size() - 1;
    const bool is_negative = number < 0;
    do {
        const long digit = number % 10;
        digits[--at] = static_cast<char>('0' + (is_negative ? -digit : digit));
        number /= 10;
    } while (number != 0);
    if (is_negative) digits[--at] = '-';
    write_text(fd, digits.data() + at);
}

}  // namespace weft::test

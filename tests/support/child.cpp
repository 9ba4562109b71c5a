#include "support/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

#include "support/child_path.hpp"

extern char** environ;

namespace weft::test {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void throw_errno(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    ~Descriptor() { reset(); }
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        reset();
        fd_ = std::exchange(other.fd_, -1);
        return *this;
    }
    void reset() {
        if (fd_ >= 0) close(fd_);
        fd_ = -1;
    }
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool is_open() const { return fd_ >= 0; }

private:
    int fd_;
};

struct Pipe {
    Descriptor read_end;
    Descriptor write_end;

    Pipe() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno(errno, "pipe2");
        read_end = Descriptor(ends[0]);
        write_end = Descriptor(ends[1]);
    }
};

void make_nonblocking(const Descriptor& descriptor) {
    fcntl(descriptor.get(), F_SETFL, O_NONBLOCK);
}

/// Everything that posix_spawn is told about the child.
class SpawnPlan {
public:
    SpawnPlan() {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
        sigset_t none;
        sigemptyset(&none);
        sigset_t all;
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    void connect(const Descriptor& ours, int theirs) {
        posix_spawn_file_actions_adddup2(&actions_, ours.get(), theirs);
    }
    pid_t run(const std::string& path, const std::vector<std::string>& arguments,
              const std::vector<std::string>& environment) {
        posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
        pid_t child = -1;
        const int error =
            posix_spawn(&child, path.c_str(), &actions_, &attributes_,
                        pointers_to(arguments).data(), pointers_to(environment).data());
        if (error != 0) throw_errno(error, "cannot start " + path);
        return child;
    }

private:
    static std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
        std::vector<char*> pointers;
        // The interface takes what it will not change by pointers to what it could.
        for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
        pointers.push_back(nullptr);
        return pointers;
    }

    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& additions) {
    std::vector<std::string> result;
    for (char** each = environ; *each != nullptr; ++each) {
        const std::string_view entry = *each;
        const std::string_view name = entry.substr(0, entry.find('='));
        const bool is_replaced = std::ranges::any_of(
            additions, [name](const auto& addition) { return addition.first == name; });
        if (!is_replaced) result.emplace_back(entry);
    }
    for (const auto& [name, value] : additions) result.push_back(name + '=' + value);
    return result;
}

/// Appends what can be read now; closes the descriptor at the end of the file.
void read_available(Descriptor& from, std::string& to) {
    std::array<char, 16384> buffer;
    while (from.is_open()) {
        const ssize_t length = read(from.get(), buffer.data(), buffer.size());
        if (length > 0) {
            to.append(buffer.data(), static_cast<std::size_t>(length));
        } else if (length == 0) {
            from.reset();
        } else if (errno != EINTR) {
            return;
        }
    }
}

/// Writes what can be written now; closes the descriptor when all is written or nobody reads.
void write_available(Descriptor& to, std::string_view& left) {
    while (!left.empty()) {
        const ssize_t length = write(to.get(), left.data(), left.size());
        if (length >= 0) {
            left.remove_prefix(static_cast<std::size_t>(length));
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            break;
        }
    }
    to.reset();
}

/// A write to a child that reads no more is to fail, not to end this program.
class WithoutSigpipe {
public:
    WithoutSigpipe() {
        struct sigaction ignore{};
        ignore.sa_handler = SIG_IGN;
        sigaction(SIGPIPE, &ignore, &previous_);
    }
    ~WithoutSigpipe() { sigaction(SIGPIPE, &previous_, nullptr); }
    WithoutSigpipe(const WithoutSigpipe&) = delete;
    WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

private:
    struct sigaction previous_{};
};

/// Becomes readable when the process ends. Not open where the system has no such descriptors; those
/// who wait then look every few milliseconds.
Descriptor end_of(pid_t process) {
    return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
}

bool has_ended(pid_t process) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        throw_errno(errno, "waitid");
    }
    return info.si_pid == process;
}

int milliseconds_until(Clock::time_point end, bool is_told) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, is_told ? 3'600'000 : 5));
}

int collect(pid_t process) {
    int status = 0;
    while (waitpid(process, &status, 0) < 0) {
        if (errno != EINTR) throw_errno(errno, "waitpid");
    }
    return status;
}

ChildResult converse(pid_t child, Descriptor to_child, Descriptor output, Descriptor error,
                     const ChildOptions& options) {
    const auto end = Clock::now() + options.limit;
    const WithoutSigpipe without_sigpipe;
    make_nonblocking(to_child);
    make_nonblocking(output);
    make_nonblocking(error);
    const Descriptor ended = end_of(child);
    ChildResult result;
    std::string_view input = options.input;
    write_available(to_child, input);
    bool is_over = false;
    while (!is_over) {
        std::array<pollfd, 4> watched{
            pollfd{ended.get(), POLLIN, 0}, pollfd{output.get(), POLLIN, 0},
            pollfd{error.get(), POLLIN, 0}, pollfd{to_child.get(), POLLOUT, 0}};
        poll(watched.data(), watched.size(), milliseconds_until(end, ended.is_open()));
        is_over = has_ended(child);
        if (!is_over && Clock::now() >= end) {
            result.has_timed_out = true;
            is_over = true;
        }
        read_available(output, result.output);
        read_available(error, result.error);
        if (to_child.is_open()) write_available(to_child, input);
    }
    kill(-child, SIGKILL);  // its whole group, which exists as long as the child is not collected
    result.status = collect(child);
    return result;
}

}  // namespace

bool ChildResult::exited_with(int code) const {
    return !has_timed_out && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

bool ChildResult::was_killed_by(int signal) const {
    return !has_timed_out && WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

std::string ChildResult::describe() const {
    std::string text;
    if (has_timed_out) {
        text = "did not end within its limit";
    } else if (WIFEXITED(status)) {
        text = "exited with " + std::to_string(WEXITSTATUS(status));
    } else {
        text = "was killed by signal " + std::to_string(WTERMSIG(status));
    }
    return text + "\n--- its output:\n" + output + "\n--- its errors:\n" + error;
}

ChildResult run_child(const std::string& name, const ChildOptions& options) {
    const std::string path = child_path(name);
    const char* const emulator = std::getenv("WEFT_TEST_EMULATOR");
    if (emulator == nullptr) return run_program(path, options);
    ChildOptions emulated = options;
    emulated.arguments.insert(emulated.arguments.begin(), path);
    return run_program(emulator, emulated);
}

ChildResult run_program(const std::string& path, const ChildOptions& options) {
    Pipe input;
    Pipe output;
    Pipe error;
    SpawnPlan plan;
    plan.connect(input.read_end, 0);
    plan.connect(output.write_end, 1);
    plan.connect(error.write_end, 2);
    std::vector<std::string> arguments{path};
    arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
    const pid_t child = plan.run(path, arguments, environment_with(options.environment));
    input.read_end.reset();
    output.write_end.reset();
    error.write_end.reset();
    return converse(child, std::move(input.write_end), std::move(output.read_end),
                    std::move(error.read_end), options);
}

std::optional<int> wait_for_process(pid_t process, std::chrono::milliseconds limit) {
    const auto end = Clock::now() + limit;
    const Descriptor ended = end_of(process);
    while (!has_ended(process)) {
        if (Clock::now() >= end) {
            kill(process, SIGKILL);
            collect(process);
            return std::nullopt;
        }
        pollfd watched{ended.get(), POLLIN, 0};
        poll(&watched, 1, milliseconds_until(end, ended.is_open()));
    }
    return collect(process);
}

}  // namespace weft::test

#include "support/leaks.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "support/budget.hpp"

namespace weft::test {

namespace {

namespace fs = std::filesystem;

std::set<Leftover> allowed;  // by the running case

bool is_allowed(Leftover kind) {
    return allowed.contains(kind);
}

std::vector<std::string> names_in(const std::string& folder, int* own_descriptor = nullptr) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(folder.c_str()), &closedir);
    if (stream == nullptr) return names;
    if (own_descriptor != nullptr) *own_descriptor = dirfd(stream.get());
    while (const dirent* const entry = readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    return names;
}

std::set<int> numbers_in(const std::string& folder, int* own_descriptor = nullptr) {
    std::set<int> numbers;
    for (const std::string& name : names_in(folder, own_descriptor)) {
        int number = 0;
        const char* const end = name.data() + name.size();
        if (std::from_chars(name.data(), end, number).ptr == end) numbers.insert(number);
    }
    return numbers;
}

std::string link_target(const std::string& path) {
    std::string target(512, '\0');
    const ssize_t length = readlink(path.c_str(), target.data(), target.size());
    target.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return target;
}

std::string first_line(const std::string& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line, '\n');
    return line;
}

std::map<int, std::string> open_descriptors() {
    int own = -1;
    std::map<int, std::string> found;
    for (const int fd : numbers_in("/proc/self/fd", &own)) {
        if (fd != own) found.emplace(fd, link_target("/proc/self/fd/" + std::to_string(fd)));
    }
    return found;
}

/// The parent's number stands behind the last parenthesis: a program's name may hold any character.
int parent_of(int process) {
    const std::string stat = first_line("/proc/" + std::to_string(process) + "/stat");
    const std::size_t end = stat.rfind(')');
    if (end == std::string::npos || stat.size() < end + 4) return 0;
    return std::atoi(stat.c_str() + end + 4);
}

std::set<int> child_processes() {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 && errno == ECHILD) {
        return {};
    }
    std::set<int> children;
    const int self = getpid();
    for (const int process : numbers_in("/proc")) {
        if (parent_of(process) == self) children.insert(process);
    }
    return children;
}

/// Segments belong to the whole machine: one that another process has mapped or open is that
/// process' concern, as when several test programs run at once.
bool is_used_elsewhere(const std::string& path) {
    const int self = getpid();
    for (const int process : numbers_in("/proc")) {
        if (process == self) continue;
        const std::string folder = "/proc/" + std::to_string(process);
        std::ifstream maps(folder + "/maps");
        for (std::string line; std::getline(maps, line);) {
            if (line.ends_with(path)) return true;
        }
        for (const std::string& fd : names_in(folder + "/fd")) {
            if (link_target(folder + "/fd/" + fd) == path) return true;
        }
    }
    return false;
}

/// False for one that is gone in the meantime, or another user's, or used by another process.
bool is_own_segment(const std::string& path) {
    struct stat attributes{};
    return lstat(path.c_str(), &attributes) == 0 && attributes.st_uid == geteuid() &&
           !is_used_elsewhere(path);
}

std::set<std::string> files_below(const std::string& folder) {
    std::set<std::string> found;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
        found.insert(entry.path().string());
    }
    return found;
}

bool has_ended(int thread) {
    return syscall(SYS_tgkill, getpid(), thread, 0) != 0 && errno == ESRCH;
}

template <class Set>
std::vector<typename Set::value_type> added(const Set& before, const Set& now) {
    std::vector<typename Set::value_type> result;
    std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                        std::back_inserter(result));
    return result;
}

}  // namespace

void allow_leftover(Leftover kind, std::string_view reason) {
    allowed.insert(kind);
    std::cout << "may leave something behind: " << reason << '\n';
}

Leaks::Leaks(std::string temporary_directory)
    : temporary_directory_(std::move(temporary_directory)) {
    // The thread sanitizer starts a thread of its own together with the first one of the program;
    // it has to be there before anything is counted.
    std::thread([] {}).join();
}

Leaks::State Leaks::look() const {
    State state;
    state.processes = child_processes();
    state.descriptors = open_descriptors();
    const auto segments = names_in("/dev/shm");
    state.segments = {segments.begin(), segments.end()};
    state.files = files_below(temporary_directory_);
    return state;
}

void Leaks::OnTestStart(const testing::TestInfo&) {
    allowed.clear();
    before_ = look();
    before_.threads = numbers_in("/proc/self/task");
}

void Leaks::OnTestEnd(const testing::TestInfo&) {
    if (!is_allowed(Leftover::thread)) check_threads();
    // Looked at after the threads have gone, since they may own the rest.
    const State now = look();
    if (!is_allowed(Leftover::process)) check_processes(now);
    if (!is_allowed(Leftover::descriptor)) check_descriptors(now);
    if (!is_allowed(Leftover::segment)) check_segments(now);
    if (!is_allowed(Leftover::file)) check_files(now);
}

void Leaks::check_threads() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(slowness());
    for (const int thread : added(before_.threads, numbers_in("/proc/self/task"))) {
        // The kernel has no event for a thread that is not a child: it is looked at again and
        // again, the CPU given to whoever wants it.
        while (!has_ended(thread) && std::chrono::steady_clock::now() < end) sched_yield();
        if (has_ended(thread)) continue;
        ADD_FAILURE() << "the case left a thread behind: " << thread << " \""
                      << first_line("/proc/self/task/" + std::to_string(thread) + "/comm") << '"';
    }
}

void Leaks::check_processes(const State& now) {
    for (const int process : added(before_.processes, now.processes)) {
        const std::string name = first_line("/proc/" + std::to_string(process) + "/comm");
        int status = 0;
        const bool is_zombie = waitpid(process, &status, WNOHANG | __WALL) == process;
        if (!is_zombie) {
            kill(process, SIGKILL);
            waitpid(process, &status, __WALL);
        }
        ADD_FAILURE() << "the case left a child process behind: " << process << " \"" << name
                      << (is_zombie ? "\", ended but not waited for" : "\", still running");
    }
}

void Leaks::check_descriptors(const State& now) {
    for (const auto& [fd, target] : now.descriptors) {
        const auto found = before_.descriptors.find(fd);
        if (found != before_.descriptors.end() && found->second == target) continue;
        ADD_FAILURE() << "the case left a descriptor open: " << fd << " -> " << target;
    }
    for (const auto& [fd, target] : before_.descriptors) {
        if (now.descriptors.contains(fd)) continue;
        ADD_FAILURE() << "the case closed a descriptor that it had not opened: " << fd << " -> "
                      << target;
    }
}

void Leaks::check_segments(const State& now) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(slowness());
    for (const std::string& name : added(before_.segments, now.segments)) {
        const std::string path = "/dev/shm/" + name;
        // Another program may be about to remove what it has just let go of; what this case has
        // left behind stays.
        bool is_left = is_own_segment(path);
        while (is_left && std::chrono::steady_clock::now() < end) {
            sched_yield();
            is_left = is_own_segment(path);
        }
        if (!is_left) continue;
        ADD_FAILURE() << "the case left a shared memory segment behind: " << path;
        unlink(path.c_str());
    }
}

void Leaks::check_files(const State& now) {
    for (const std::string& path : added(before_.files, now.files)) {
        ADD_FAILURE() << "the case left a file behind: " << path;
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
}

TemporaryHome::TemporaryHome() {
    path_ = (fs::temp_directory_path() / "weft-test-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "mkdtemp " + path_);
    }
    setenv("TMPDIR", path_.c_str(), 1);
}

TemporaryHome::~TemporaryHome() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    setenv("TMPDIR", fs::path(path_).parent_path().c_str(), 1);
}

}  // namespace weft::test

#include "os/tasks.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "os/posix/cancellation.hpp"

namespace weft::os {

namespace {

// PF_EXITING of the kernel: set at the very beginning of a thread's exit, before pthread_join()
// returns, whereas the thread stays listed a little longer than that.
constexpr std::uint64_t kExiting = 0x4;
// Field 9 of /proc/.../stat holds the flags; after the name, which ends with the last ')', comes
// field 3.
constexpr int kFieldsBeforeFlags = 6;

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { closedir(directory); }
};

/// True when the thread is running towards its end, or is gone.
bool is_exiting(std::string_view task) {
    const std::string path = "/proc/self/task/" + std::string(task) + "/stat";
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return true;
    std::array<char, 512> text{};
    ssize_t length = 0;
    do {
        length = read(fd, text.data(), text.size());
    } while (length < 0 && errno == EINTR);
    close(fd);
    if (length <= 0) return true;
    std::string_view rest(text.data(), static_cast<std::size_t>(length));
    rest.remove_prefix(rest.rfind(')') + 2);
    for (int field = 0; field < kFieldsBeforeFlags; ++field) {
        rest.remove_prefix(std::min(rest.find(' '), rest.size() - 1) + 1);
    }
    std::uint64_t flags = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), flags);
    return (flags & kExiting) != 0;
}

}  // namespace

std::vector<std::uint64_t> running_tasks() {
    std::vector<std::uint64_t> tasks;
    const WithoutCancellation whole;
    const std::unique_ptr<DIR, CloseDirectory> directory(opendir("/proc/self/task"));
    if (directory == nullptr) return tasks;
    while (const dirent* const entry = readdir(directory.get())) {
        const std::string_view name(entry->d_name);
        std::uint64_t id = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
        const bool is_number = error == std::errc() && end == name.data() + name.size();
        if (is_number && !is_exiting(name)) tasks.push_back(id);
    }
    return tasks;
}

}  // namespace weft::os

#include "os/accounts.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace weft::os {

namespace {

/// Calls the reentrant look-up with a buffer that grows until it suffices.
template <class Record, class LookUp, class Number>
std::optional<std::uint32_t> find(const std::string& name, LookUp look_up, Number Record::* number,
                                  const char* call) {
    std::vector<char> buffer(1024);
    for (;;) {
        Record record{};
        Record* found = nullptr;
        const int error = look_up(name.c_str(), &record, buffer.data(), buffer.size(), &found);
        if (found != nullptr) return static_cast<std::uint32_t>(record.*number);
        // Systems differ in what they say of a name that they do not know.
        if (error == 0 || error == ENOENT || error == ESRCH) return std::nullopt;
        if (error == EINTR) continue;
        if (error != ERANGE) throw std::system_error(error, std::generic_category(), call);
        buffer.resize(buffer.size() * 2);
    }
}

}  // namespace

std::optional<std::uint32_t> find_user(const std::string& name) {
    return find<passwd>(name, &getpwnam_r, &passwd::pw_uid, "getpwnam_r");
}

std::optional<std::uint32_t> find_group(const std::string& name) {
    return find<group>(name, &getgrnam_r, &group::gr_gid, "getgrnam_r");
}

std::size_t max_extra_groups() noexcept {
    const long limit = sysconf(_SC_NGROUPS_MAX);
    return limit > 0 ? static_cast<std::size_t>(limit) : 0;
}

}  // namespace weft::os

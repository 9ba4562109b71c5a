#include "subprocess/plan.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include <weft/errors.hpp>
#include <weft/subprocess/errors.hpp>
#include <weft/unraisable.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"
#include "os/accounts.hpp"
#include "subprocess/python_text.hpp"

namespace weft::subprocess {

namespace {

constexpr int kKillSignal = 9;

void refuse_nul(std::string_view text, const char* what) {
    if (text.find('\0') != std::string_view::npos) {
        throw std::invalid_argument(
            fmt::format("embedded null byte in {}: {}", what, python_repr(text)));
    }
}

void refuse_windows_options(const PopenOptions& options) {
    if (options.startupinfo) {
        throw std::invalid_argument("startupinfo is only supported on Windows platforms");
    }
    if (options.creationflags != 0) {
        throw std::invalid_argument(
            fmt::format("creationflags is only supported on Windows platforms, got {:#x}",
                        options.creationflags));
    }
}

/// The child executes without allocating, so what it is given is not const.
char* writable(const std::string& text) {
    return const_cast<char*>(text.c_str());
}

std::vector<std::string> merged_environment(const Env& env) {
    std::vector<std::string> result;
    if (env.is_inherited()) {
        for (char** each = os::environment(); each != nullptr && *each != nullptr; ++each) {
            result.emplace_back(*each);
        }
    }
    for (const auto& [name, value] : env.changes()) {
        const std::string prefix = name + "=";
        std::erase_if(result, [&](const std::string& each) { return each.starts_with(prefix); });
        if (value) result.push_back(prefix + *value);
    }
    return result;
}

void check_variables(const Env& env) {
    for (const auto& [name, value] : env.changes()) {
        if (name.empty() || name.find('=') != std::string::npos) {
            throw std::invalid_argument(
                fmt::format("illegal environment variable name: {}", python_repr(name)));
        }
        refuse_nul(name, "the name of a variable");
        if (value) refuse_nul(*value, "the value of a variable");
    }
}

std::uint32_t number_of(const Account& account, const char* what,
                        std::optional<std::uint32_t> (*find)(const std::string&)) {
    if (const auto* name = std::get_if<std::string>(&account.value())) {
        refuse_nul(*name, what);
        const std::optional<std::uint32_t> found = find(*name);
        if (!found) throw KeyError(fmt::format("{} name not found: {}", what, python_repr(*name)));
        return *found;
    }
    const std::int64_t id = std::get<std::int64_t>(account.value());
    if (id < 0)
        throw std::invalid_argument(fmt::format("{} ID cannot be negative, got {}", what, id));
    if (id >= os::id_limit()) {
        throw std::overflow_error(fmt::format("{} ID {} is greater than the maximum", what, id));
    }
    return static_cast<std::uint32_t>(id);
}

bool call_before_exec(void* subject, char* reason, std::size_t size) noexcept {
    try {
        (*static_cast<const std::function<void()>*>(subject))();
        return true;
    } catch (...) {
        try {
            const std::string line = weft::detail::describe(std::current_exception()).line();
            const std::size_t length = std::min(line.size(), size - 1);
            std::copy_n(line.begin(), length, reason);
            reason[length] = '\0';
        } catch (...) {
            reason[0] = '\0';
        }
        return false;
    }
}

}  // namespace

std::optional<TextFormat> text_format_of(const std::optional<bool>& text,
                                         const std::optional<bool>& older_name,
                                         const std::string& encoding, const std::string& errors) {
    if (text && older_name && *text != *older_name) {
        throw SubprocessError(
            "text and universal_newlines are both given and differ; give one of them");
    }
    const bool is_text =
        !encoding.empty() || !errors.empty() || text.value_or(false) || older_name.value_or(false);
    if (!is_text) return std::nullopt;
    return find_text_format(encoding, errors);
}

std::vector<std::pair<std::string, std::string>> Env::variables() const {
    std::vector<std::pair<std::string, std::string>> result;
    for (const std::string& each : merged_environment(*this)) {
        const std::size_t equals = each.find('=');
        if (equals != std::string::npos) {
            result.emplace_back(each.substr(0, equals), each.substr(equals + 1));
        }
    }
    return result;
}

Plan::Plan(const Args& args, const PopenOptions& options)
    : text_(text_format_of(options.text, options.universal_newlines, options.encoding,
                           options.errors)) {
    refuse_windows_options(options);
    set_arguments(args, options);
    set_environment(options.env);
    set_programs();
    set_accounts(options);
    set_descriptors(options);
    if (options.cwd) {
        folder_ = options.cwd->string();
        refuse_nul(folder_, "cwd");
        plan_.folder = folder_.c_str();
    }
    plan_.restores_signals = options.restore_signals;
    plan_.starts_session = options.start_new_session;
    plan_.process_group = options.process_group;
    plan_.umask = options.umask;
    if (options.die_with_parent) plan_.death_signal = kKillSignal;
    if (options.preexec_fn) {
        plan_.before_exec = &call_before_exec;
        plan_.subject = const_cast<std::function<void()>*>(&options.preexec_fn);
    }
}

void Plan::set_arguments(const Args& args, const PopenOptions& options) {
    if (args.empty())
        throw std::out_of_range("the list of arguments is empty: no program to start");
    for (const Arg& each : args) refuse_nul(each.text(), "an argument");
    if (options.executable) program_ = options.executable->string();
    refuse_nul(program_, "executable");
    if (options.shell) {
        if (!args.is_list() && args[0].is_path()) {
            throw TypeError("a path is not allowed when shell is true; give the script as text");
        }
        if (program_.empty()) program_ = "/bin/sh";
        added_arguments_ = {program_, "-c"};
    } else if (program_.empty()) {
        program_ = args[0].text();
    }
    arguments_.reserve(added_arguments_.size() + args.size() + 1);
    for (const std::string& each : added_arguments_) arguments_.push_back(writable(each));
    for (const Arg& each : args) arguments_.push_back(writable(each.text()));
    arguments_.push_back(nullptr);
    plan_.arguments = arguments_.data();
}

void Plan::set_environment(const Env& env) {
    check_variables(env);
    if (env.is_inherited() && env.changes().empty()) return;
    variables_ = merged_environment(env);
    environment_.reserve(variables_.size() + 1);
    for (const std::string& each : variables_) environment_.push_back(writable(each));
    environment_.push_back(nullptr);
    plan_.environment = environment_.data();
}

/// The folders of the PATH that the child gets; the usual ones when it gets none.
void Plan::set_programs() {
    if (program_.find('/') != std::string::npos) {
        candidates_.push_back(program_);
    } else {
        constexpr std::string_view kName = "PATH=";
        std::string_view path = "/bin:/usr/bin";
        char* const* each = plan_.environment != nullptr ? plan_.environment : os::environment();
        for (; each != nullptr && *each != nullptr; ++each) {
            const std::string_view variable(*each);
            if (variable.starts_with(kName)) {
                path = variable.substr(kName.size());
                break;
            }
        }
        for (;;) {
            const std::size_t end = path.find(':');
            std::string folder(path.substr(0, end));
            if (!folder.empty() && folder.back() != '/') folder += '/';
            candidates_.push_back(folder + program_);
            if (end == std::string_view::npos) break;
            path.remove_prefix(end + 1);
        }
    }
    for (const std::string& each : candidates_) programs_.push_back(each.c_str());
    plan_.programs = programs_;
}

void Plan::set_accounts(const PopenOptions& options) {
    if (!options.group.is_none()) plan_.group = number_of(options.group, "Group", &os::find_group);
    if (!options.user.is_none()) plan_.user = number_of(options.user, "User", &os::find_user);
    if (options.extra_groups.is_inherited()) return;
    const std::vector<Account>& groups = options.extra_groups.groups();
    if (groups.size() > os::max_extra_groups()) {
        throw std::invalid_argument(fmt::format("too many extra_groups: {}, the system permits {}",
                                                groups.size(), os::max_extra_groups()));
    }
    for (const Account& each : groups) {
        try {
            extra_groups_.push_back(number_of(each, "Group", &os::find_group));
        } catch (const std::overflow_error& error) {
            throw std::invalid_argument(error.what());
        }
    }
    plan_.extra_groups = extra_groups_;
}

void Plan::set_descriptors(const PopenOptions& options) {
    kept_ = options.pass_fds;
    std::ranges::sort(kept_);
    const auto repeated = std::ranges::unique(kept_);
    kept_.erase(repeated.begin(), repeated.end());
    if (!kept_.empty() && kept_.front() < 0) {
        throw std::invalid_argument(
            fmt::format("pass_fds holds {}, which is no descriptor", kept_.front()));
    }
    for (const int fd : kept_) {
        if (!os::is_open(fd)) {
            throw std::system_error(EBADF, std::generic_category(),
                                    fmt::format("pass_fds: descriptor {} is not open", fd));
        }
    }
    plan_.kept = kept_;
    plan_.closes_others = options.close_fds || !kept_.empty();
    if (!kept_.empty() && !options.close_fds) {
        weft::detail::warn(WarningCategory::RuntimeWarning, "pass_fds overriding close_fds.");
    }
}

void Plan::keep(int fd) {
    kept_.insert(std::ranges::upper_bound(kept_, fd), fd);
    plan_.kept = kept_;
}

void Plan::throw_failure(const os::Spawned& failed) const {
    if (failed.failed_step == os::SpawnStep::before_exec) {
        throw SubprocessError("Exception occurred in preexec_fn: " + failed.reason);
    }
    std::string what = os::name_of(failed.failed_step);
    if (failed.failed_step == os::SpawnStep::folder) what += ": " + python_repr(folder_);
    if (failed.failed_step == os::SpawnStep::exec) what += ": " + python_repr(program_);
    throw std::system_error(failed.error, std::generic_category(), what);
}

}  // namespace weft::subprocess

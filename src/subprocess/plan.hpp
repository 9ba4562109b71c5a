#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weft/subprocess/args.hpp>
#include <weft/subprocess/options.hpp>

#include "os/process.hpp"
#include "subprocess/codec.hpp"

namespace weft::subprocess {

/// What of a child's options is plain data, checked and laid out for the child: it only reads it.
/// The streams are not in it.
class Plan {
public:
    /// Throws what Popen's constructor throws for bad options. `args` and `options` must outlive
    /// it.
    Plan(const Args& args, const PopenOptions& options);
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    [[nodiscard]] os::SpawnPlan& spawn_plan() noexcept { return plan_; }
    [[nodiscard]] const std::optional<TextFormat>& text() const noexcept { return text_; }
    /// Has the child keep one more descriptor. Throws `std::bad_alloc`.
    void keep(int fd);
    /// Turns a start that has failed into an exception.
    [[noreturn]] void throw_failure(const os::Spawned& failed) const;

private:
    void set_arguments(const Args& args, const PopenOptions& options);
    void set_environment(const Env& env);
    void set_programs();
    void set_accounts(const PopenOptions& options);
    void set_descriptors(const PopenOptions& options);

    os::SpawnPlan plan_;
    std::optional<TextFormat> text_;
    std::string program_;  ///< as given: a path, or a name to be looked for
    std::string folder_;
    std::vector<std::string> added_arguments_;  ///< the shell and its option
    std::vector<char*> arguments_;
    std::vector<std::string> variables_;
    std::vector<char*> environment_;
    std::vector<std::string> candidates_;
    std::vector<const char*> programs_;
    std::vector<int> kept_;
    std::vector<std::uint32_t> extra_groups_;
};

/// Whether the options ask for text, and if so how it is encoded. Throws as Popen's constructor.
[[nodiscard]] std::optional<TextFormat> text_format_of(const std::optional<bool>& text,
                                                       const std::optional<bool>& older_name,
                                                       const std::string& encoding,
                                                       const std::string& errors);

}  // namespace weft::subprocess

#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/detail/config.hpp>

namespace weft::subprocess {

/// The variables that a child gets.
///
///     {.env = {}}                                             // none at all
///     {.env = {{"LC_ALL", "C"}}}                              // this one alone
///     {.env = Env::inherited().with("LC_ALL", "C")}           // ours, with one changed
///     {.env = Env::inherited().without("LD_PRELOAD")}
///
/// Left out, a child inherits ours. What is inherited is read when the child is started. Starting
/// throws `std::invalid_argument` for a name that is empty or holds `=`, and for a NUL byte.
class Env {
public:
    /// No variables.
    Env() = default;
    /// These variables and no others; of two with one name, the later counts.
    Env(std::initializer_list<std::pair<std::string, std::string>> variables) {
        for (const auto& [name, value] : variables) changes_.emplace_back(name, value);
    }

    /// This program's variables at the time when the child is started.
    [[nodiscard]] static Env inherited() {
        Env env;
        env.is_inherited_ = true;
        return env;
    }

    /// The same with one more, or with another value. Throws `std::bad_alloc`.
    [[nodiscard]] Env with(std::string name, std::string value) const& {
        return Env(*this).with(std::move(name), std::move(value));
    }
    [[nodiscard]] Env with(std::string name, std::string value) && {
        changes_.emplace_back(std::move(name), std::move(value));
        return std::move(*this);
    }
    /// The same without one. Throws `std::bad_alloc`.
    [[nodiscard]] Env without(std::string name) const& {
        return Env(*this).without(std::move(name));
    }
    [[nodiscard]] Env without(std::string name) && {
        changes_.emplace_back(std::move(name), std::nullopt);
        return std::move(*this);
    }

    /// True when this program's variables are the beginning.
    [[nodiscard]] bool is_inherited() const noexcept { return is_inherited_; }

    using Change = std::pair<std::string, std::optional<std::string>>;
    /// What is set, or taken away, after that, in order.
    [[nodiscard]] const std::vector<Change>& changes() const noexcept { return changes_; }

    /// The variables that a child started now would get, in no order. Throws `std::bad_alloc`.
    [[nodiscard]] WEFT_API std::vector<std::pair<std::string, std::string>> variables() const;

private:
    bool is_inherited_ = false;
    std::vector<Change> changes_;
};

}  // namespace weft::subprocess

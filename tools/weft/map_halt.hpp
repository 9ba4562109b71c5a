#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace map {

/// How jobs have ended so far.
struct Tally {
    std::size_t total = 0;  ///< of all there will be; counted beforehand only if Halt asks for it
    std::size_t done = 0;
    std::size_t failed = 0;
};

/// When to end before all is done, as GNU parallel's --halt.
class Halt {
public:
    enum class When { never, soon, now };
    enum class Why { fail, success, done };

    Halt() = default;
    /// `never`, `now,fail=1`, `soon,done=20%` ..., or one of the older forms 0, 1, 2, -1, -2, 20%.
    /// Throws `std::invalid_argument`, with what may be given.
    static Halt parse(std::string_view text);

    [[nodiscard]] bool needs_total() const noexcept { return when_ != When::never && is_percent_; }
    /// What to do, now that another job has ended.
    [[nodiscard]] When decide(const Tally& tally) const noexcept;
    /// The exit status of the whole: 0, the number of failed jobs up to 100, or 101 for more; of
    /// percentages that percentage; 0 once enough have succeeded. `status_of_last` is that of the
    /// failed job that made this end, for fail=1.
    [[nodiscard]] int exit_status(const Tally& tally, bool has_halted,
                                  std::optional<int> status_of_last) const noexcept;

private:
    [[nodiscard]] bool is_reached(const Tally& tally) const noexcept;

    When when_ = When::never;
    Why why_ = Why::fail;
    std::size_t amount_ = 1;
    bool is_percent_ = false;
};

}  // namespace map

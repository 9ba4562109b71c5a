#include "map_halt.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace map {

namespace {

[[noreturn]] void refuse(std::string_view text) {
    throw std::invalid_argument(
        fmt::format("--halt {}: give never, or now or soon, a comma, and fail, success or done "
                    "with a number or "
                    "percentage, as in now,fail=1 or soon,done=20%",
                    text));
}

bool take(std::string_view& text, std::string_view beginning) {
    if (!text.starts_with(beginning)) return false;
    text.remove_prefix(beginning.size());
    return true;
}

}  // namespace

Halt Halt::parse(std::string_view text) {
    Halt halt;
    std::string_view rest = text;
    if (rest == "never" || rest == "0") return halt;
    if (rest == "1" || rest == "2" || rest == "-1" || rest == "-2") {
        halt.when_ = rest.back() == '1' ? When::soon : When::now;
        halt.why_ = rest.front() == '-' ? Why::success : Why::fail;
        return halt;
    }
    if (take(rest, "now,")) {
        halt.when_ = When::now;
    } else {
        // The older percentage alone is soon, too.
        const bool is_whole = take(rest, "soon,");
        if (!is_whole && !rest.ends_with('%')) refuse(text);
        halt.when_ = When::soon;
    }
    if (take(rest, "success=")) {
        halt.why_ = Why::success;
    } else if (take(rest, "done=")) {
        halt.why_ = Why::done;
    } else if (!take(rest, "fail=") && rest.size() != text.size()) {
        refuse(text);
    }
    if (rest.ends_with('%')) {
        halt.is_percent_ = true;
        rest.remove_suffix(1);
    }
    const char* const end = rest.data() + rest.size();
    const auto number = std::from_chars(rest.data(), end, halt.amount_);
    const bool is_number = number.ec == std::errc() && number.ptr == end && halt.amount_ > 0;
    if (!is_number || (halt.is_percent_ && halt.amount_ > 100)) refuse(text);
    return halt;
}

bool Halt::is_reached(const Tally& tally) const noexcept {
    const std::size_t count = why_ == Why::fail      ? tally.failed
                              : why_ == Why::success ? tally.done - tally.failed
                                                     : tally.done;
    return is_percent_ ? count * 100 >= amount_ * tally.total && count > 0 : count >= amount_;
}

Halt::When Halt::decide(const Tally& tally) const noexcept {
    return when_ != When::never && is_reached(tally) ? when_ : When::never;
}

int Halt::exit_status(const Tally& tally, bool has_halted,
                      std::optional<int> status_of_last) const noexcept {
    constexpr std::size_t kMost = 101;
    if (when_ != When::never) {
        if (why_ == Why::success && is_reached(tally)) return 0;
        if (is_percent_ && tally.total > 0) {
            return static_cast<int>((tally.failed * 100 + tally.total - 1) / tally.total);
        }
        if (has_halted && why_ == Why::fail && amount_ == 1 && status_of_last) {
            return *status_of_last;
        }
    }
    return static_cast<int>(std::min(tally.failed, kMost));
}

}  // namespace map

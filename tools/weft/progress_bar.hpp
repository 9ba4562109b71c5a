#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>

#include <weft/threading.hpp>

namespace tour {

/// A bar on standard error, drawn only when that is a terminal and only once the work has taken a
/// second: a Timer begins to draw it, on the Timer's thread, until an Event ends it. Any threads
/// may advance it at once; its destructor takes the bar off the terminal.
class ProgressBar {
public:
    ProgressBar(std::string what, std::size_t total);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void advance() noexcept { done_.fetch_add(1, std::memory_order_relaxed); }

private:
    void draw_until_over();

    std::string what_;
    std::size_t total_;
    std::atomic<std::size_t> done_{0};
    weft::threading::Event is_over_;
    std::optional<weft::threading::Timer> timer_;  ///< none without a terminal
};

}  // namespace tour

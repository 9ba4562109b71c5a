#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>

#include <weft/sched.hpp>
#include <weft/threading.hpp>

namespace tour {

/// A bar on standard error, drawn only when that is a terminal and only once the work has taken a
/// second: a scheduler, which a thread runs until it is stopped, draws it ten times a second. Any
/// threads may advance it at once; its destructor takes the bar off the terminal.
class ProgressBar {
public:
    ProgressBar(std::string what, std::size_t total);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void advance() noexcept { done_.fetch_add(1, std::memory_order_relaxed); }

    /// Takes whatever bar there is off the terminal, until it is drawn again.
    static void wipe();

private:
    void draw();

    std::string what_;
    std::size_t total_;
    std::atomic<std::size_t> done_{0};
    weft::sched::scheduler schedule_;
    std::optional<weft::threading::Joining> drawer_;  ///< none without a terminal
};

}  // namespace tour

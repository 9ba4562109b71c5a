#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace tour {

/// A bar on standard error, drawn only when that is a terminal and only once the work has taken a
/// second. Used by one thread.
class ProgressBar {
public:
    ProgressBar(std::string what, std::size_t total);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    void advance();

private:
    void draw();

    std::string what_;
    std::size_t total_;
    std::size_t done_ = 0;
    bool is_drawn_ = false;
    bool is_on_terminal_;
    std::chrono::steady_clock::time_point next_;
};

}  // namespace tour

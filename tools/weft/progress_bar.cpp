#include "progress_bar.hpp"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace tour {

using namespace std::chrono_literals;

ProgressBar::ProgressBar(std::string what, std::size_t total)
    : what_(std::move(what)),
      total_(total),
      is_on_terminal_(isatty(STDERR_FILENO) == 1),
      next_(std::chrono::steady_clock::now() + 1s) {}

ProgressBar::~ProgressBar() {
    if (is_drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressBar::advance() {
    ++done_;
    if (!is_on_terminal_ || std::chrono::steady_clock::now() < next_) return;
    next_ = std::chrono::steady_clock::now() + 100ms;
    draw();
}

void ProgressBar::draw() {
    constexpr std::size_t kWidth = 30;
    const std::size_t filled = total_ == 0 ? kWidth : done_ * kWidth / total_;
    fmt::print(stderr, "\r\033[K  {} [{:<{}}] {}/{}", what_, std::string(filled, '#'), kWidth,
               done_, total_);
    std::fflush(stderr);
    is_drawn_ = true;
}

}  // namespace tour

#include "progress_bar.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace tour {

using namespace std::chrono_literals;

ProgressBar::ProgressBar(std::string what, std::size_t total)
    : what_(std::move(what)), total_(total) {
    if (isatty(STDERR_FILENO) != 1) return;
    timer_.emplace(weft::threading::ThreadOptions{.name = "progress"}, 1s,
                   [this] { draw_until_over(); });
    timer_->start();
}

ProgressBar::~ProgressBar() {
    is_over_.set();
    if (!timer_) return;
    timer_->cancel();
    timer_->join();
}

void ProgressBar::draw_until_over() {
    constexpr std::size_t kWidth = 30;
    do {
        const std::size_t done = done_.load(std::memory_order_relaxed);
        const std::size_t filled = total_ == 0 ? kWidth : done * kWidth / total_;
        fmt::print(stderr, "\r\033[K  {} [{:<{}}] {}/{}", what_, std::string(filled, '#'), kWidth,
                   done, total_);
        std::fflush(stderr);
    } while (!is_over_.wait(100ms));
    std::fputs("\r\033[K", stderr);
}

}  // namespace tour

#include "progress_bar.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <stop_token>
#include <utility>

#include <fmt/format.h>
#include <weft/errors.hpp>

namespace tour {

using namespace std::chrono_literals;

namespace {

bool has_terminal() {
    static const bool has = isatty(STDERR_FILENO) == 1;
    return has;
}

}  // namespace

ProgressBar::ProgressBar(std::string what, std::size_t total)
    : what_(std::move(what)), total_(total) {
    if (!has_terminal()) return;
    schedule_.enter(1s, 0, [this] { draw(); });
    drawer_.emplace(weft::threading::Thread({.name = "progress"}, [this](std::stop_token stop) {
        try {
            schedule_.run(std::move(stop));
        } catch (const weft::Cancelled&) {
            // The work is done.
        }
    }));
}

ProgressBar::~ProgressBar() {
    if (!drawer_) return;
    drawer_->thread().request_stop();
    drawer_.reset();
    wipe();
}

void ProgressBar::wipe() {
    if (has_terminal()) std::fputs("\r\033[K", stderr);
}

void ProgressBar::draw() {
    constexpr std::size_t kWidth = 30;
    const std::size_t done = done_.load(std::memory_order_relaxed);
    const std::size_t filled = total_ == 0 ? kWidth : done * kWidth / total_;
    fmt::print(stderr, "\r\033[K  {} [{:<{}}] {}/{}", what_, std::string(filled, '#'), kWidth, done,
               total_);
    std::fflush(stderr);
    schedule_.enter(100ms, 0, [this] { draw(); });
}

}  // namespace tour

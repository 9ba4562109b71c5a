#include "subprocess/capture.hpp"

#include <algorithm>
#include <utility>

#include "os/descriptor.hpp"

namespace weft::subprocess {

namespace {

constexpr std::size_t kSmallestRead = 8192;
constexpr std::size_t kLargestRead = std::size_t{256} * 1024;
constexpr std::size_t kAside = 65536;
constexpr std::size_t kLargePagesFrom = std::size_t{4} * 1024 * 1024;

}  // namespace

void Capture::grow(std::size_t needed) {
    if (needed > text_.capacity()) {
        std::string larger;
        larger.reserve(std::max(needed, text_.capacity() * 2));
        if (larger.capacity() >= kLargePagesFrom) {
            // Before the first byte of it is touched.
            os::advise_large_pages(larger.data(), larger.capacity());
        }
        larger.append(text_, 0, used_);
        text_ = std::move(larger);
    }
    if (needed > text_.size()) text_.resize(needed);
}

void Capture::fetch_aside() {
    if (aside_used_ == 0) return;
    grow(used_ + aside_used_);
    std::copy_n(aside_.data(), aside_used_, text_.data() + used_);
    used_ += std::exchange(aside_used_, 0);
}

std::span<char> Capture::room() {
    fetch_aside();
    const std::size_t wanted = std::clamp(used_, kSmallestRead, kLargestRead);
    is_aside_ = used_ >= kLargestRead && used_ == text_.capacity();
    if (is_aside_) {
        if (aside_.empty()) aside_.resize(kAside);
        return aside_;
    }
    const bool is_nearly_full = used_ >= kLargestRead && used_ + wanted > text_.capacity();
    grow(is_nearly_full ? text_.capacity() : used_ + wanted);
    return std::span(text_).subspan(used_);
}

std::string Capture::copy() const {
    std::string all;
    all.reserve(used_ + aside_used_);
    all.append(text_, 0, used_);
    return all.append(aside_, 0, aside_used_);
}

std::string Capture::take() {
    fetch_aside();
    text_.resize(std::exchange(used_, 0));
    aside_ = {};
    is_aside_ = false;
    return std::exchange(text_, {});
}

}  // namespace weft::subprocess

#include "subprocess/capture.hpp"

#include <algorithm>
#include <utility>

#include "os/descriptor.hpp"

namespace weft::subprocess {

namespace {

constexpr std::size_t kSmallestRead = 8192;
constexpr std::size_t kLargestRead = std::size_t{256} * 1024;
constexpr std::size_t kLargePagesFrom = std::size_t{4} * 1024 * 1024;

}  // namespace

std::span<char> Capture::room() {
    const std::size_t wanted = std::clamp(used_, kSmallestRead, kLargestRead);
    if (text_.size() - used_ < wanted) {
        const std::size_t needed = used_ + wanted;
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
        text_.resize(needed);
    }
    return std::span(text_).subspan(used_);
}

std::string Capture::take() {
    text_.resize(std::exchange(used_, 0));
    return std::exchange(text_, {});
}

}  // namespace weft::subprocess

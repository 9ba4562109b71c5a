#pragma once

#include <cstddef>

#include <weft/pickle/errors.hpp>

namespace weft::pickle::detail {

/// How much comparing and hashing one call may still do, in steps: an item looked at, or sixteen
/// bytes. What an honest value needs is a few steps for each byte it came in; what is built to need
/// the square of that, or worse, uses the allowance up and ends in an exception.
class Work {
public:
    explicit Work(std::size_t steps) noexcept : left_(steps) {}

    /// Throws PickleError when the allowance is used up.
    void spend(std::size_t steps) {
        if (steps > left_) throw PickleError("comparing keys takes too long for what came");
        left_ -= steps;
    }
    /// For looking at so many bytes.
    void spend_on(std::size_t bytes) { spend(1 + bytes / 16); }

private:
    std::size_t left_;
};

}  // namespace weft::pickle::detail

#include <weft/sched/event.hpp>

#include <stdexcept>

#include <weft/errors.hpp>

#include "detail/fmt.hpp"

namespace weft::sched {

namespace detail {

void throw_no_argument(std::size_t index, std::size_t size) {
    throw std::out_of_range(
        fmt::format("argument: there is no argument {}; the event has {}", index, size));
}

void throw_other_type(std::size_t index) {
    throw TypeError(fmt::format(
        "argument: argument {} is of another type; ask for the one it was entered as, decayed",
        index));
}

}  // namespace detail

std::string Event::repr() const {
    return fmt::format("Event(time={}, priority={}, sequence={})", time, priority, sequence);
}

}  // namespace weft::sched

#include <weft/_thread/interrupt_main.hpp>

#include <stdexcept>

#include "detail/fmt.hpp"
#include "os/posix/signal.hpp"

namespace weft::_thread {

void interrupt_main(int signum) {
    if (!os::is_signal(signum)) {
        throw std::invalid_argument(
            fmt::format("interrupt_main: {} is not the number of a signal", signum));
    }
    if (os::has_handler(signum)) os::send_to_main_thread(signum);
}

}  // namespace weft::_thread

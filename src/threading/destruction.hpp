#pragma once

#include <weft/detail/wait_list.hpp>

#include "runtime/exit.hpp"

namespace weft::threading {

/// True when a thread waits on the list of an object that is being destroyed, which is a mistake.
/// Static objects go while daemon threads may still be where the end of the program met them: those
/// do not come back.
[[nodiscard]] inline bool is_waited_for(detail::WaitList& list) noexcept {
    return runtime::phase() != runtime::Phase::finalized &&
           !detail::WaitList::Locked(list).is_empty();
}

}  // namespace weft::threading

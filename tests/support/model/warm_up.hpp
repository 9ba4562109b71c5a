#pragma once

namespace weft::model {

/// Gives the calling thread what the library gives each thread when it first needs it.
void warm_up();

}  // namespace weft::model

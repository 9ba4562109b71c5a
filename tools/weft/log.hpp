#pragma once

#include <string>
#include <string_view>

#include <weft/contextvars.hpp>

namespace tour {

/// Whose lines log() writes: the chapter's, and within it the worker's. A thread takes over the
/// label of whoever starts it.
extern weft::contextvars::ContextVar<std::string> label;

/// Names the worker for everything that it calls, until the scope's end.
[[nodiscard]] weft::contextvars::Scoped<std::string> as_worker(std::string_view worker);

/// Writes one line, with the label of the context before it. Any threads may write at once.
void log(std::string_view text);

}  // namespace tour

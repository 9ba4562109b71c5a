#include "log.hpp"

#include <fmt/format.h>

#include "progress_bar.hpp"

namespace tour {

weft::contextvars::ContextVar<std::string> label("label", "tour");

weft::contextvars::Scoped<std::string> as_worker(std::string_view worker) {
    return label.scoped(fmt::format("{}, {}", label.get(), worker));
}

void log(std::string_view text) {
    ProgressBar::wipe();
    fmt::print("  [{}] {}\n", label.get(), text);
}

}  // namespace tour

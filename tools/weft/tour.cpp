#include "tour.hpp"

#include <algorithm>
#include <cstddef>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <weft/threading.hpp>

#include "chapters.hpp"
#include "log.hpp"
#include "reference.hpp"
#include "tour_programs.hpp"

namespace tour {

int run(const std::filesystem::path& folder) {
    Paths files = list_headers(folder);
    if (files.empty()) {
        fmt::print(stderr, "weft tour: there are no headers (*.h, *.hpp) below {}\n",
                   folder.string());
        return 1;
    }
    fmt::print("Which identifiers do the {} headers below {} use most?\n", files.size(),
               folder.string());
    Reference reference(std::move(files));
    const Findings& findings = reference.findings();
    fmt::print(
        "  One thread read {:.1f} MB, took their digest ({:016x}) and counted {} different names\n"
        "  in {:.2f} s. The first ten:\n",
        static_cast<double>(findings.bytes) / 1e6, findings.digest, findings.counts.size(),
        reference.seconds());
    for (const auto& [name, count] : findings.ranking(10)) {
        fmt::print("  {:>10}  {}\n", count, name);
    }

    const std::size_t workers = std::max(2U, std::thread::hardware_concurrency());
    // So that what a thread logs says for which chapter it works.
    weft::threading::thread_inherit_context(true);
    struct Chapter {
        const char* name;
        bool (*show)(Reference& reference, std::size_t workers);
    };
    bool is_right = true;
    for (const auto& [name, show] :
         {Chapter{"threads", show_threads}, Chapter{"pipeline", show_pipeline},
          Chapter{"phases", show_phases}, Chapter{"stopping", show_stopping}}) {
        const auto scoped = label.scoped(name);
        is_right &= show(reference, workers);
    }
    is_right &= show_pickle(reference);
    is_right &= show_programs(reference.files(), findings.bytes);
    return is_right ? 0 : 1;
}

}  // namespace tour

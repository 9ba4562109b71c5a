#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <weft/threading.hpp>

#include "chapters.hpp"
#include "progress_bar.hpp"

namespace tour {

namespace {

namespace threading = weft::threading;

using Ranking = std::vector<std::pair<std::string, std::uint64_t>>;

constexpr std::size_t kBest = 10;

/// Counts in three phases, none of which may begin before all threads are through the one before:
/// each thread counts its share of the files; each adds up its share of the names, from all counts;
/// each ranks its share.
class Phases {
public:
    Phases(const Paths& files, std::size_t workers)
        : files_(files),
          parts_(workers),
          shares_(workers),
          rankings_(workers),
          barrier_(static_cast<int>(workers), [this] { ends_.push_back(seconds_since(start_)); }) {
        bar_.emplace("counting, adding up and ranking", files.size());
        run_all();
        bar_.reset();
    }

    /// What all threads have found.
    Findings take_findings() {
        Findings all;
        for (Findings& share : shares_) all.add(std::move(share));
        return all;
    }

    [[nodiscard]] Ranking ranking() const {
        Ranking all;
        for (const Ranking& each : rankings_) std::ranges::copy(each, std::back_inserter(all));
        std::ranges::sort(all, is_more_frequent);
        all.resize(std::min(all.size(), kBest));
        return all;
    }

    /// When each phase ended, in seconds after the start.
    [[nodiscard]] const std::vector<double>& ends() const noexcept { return ends_; }

private:
    void run_all() {
        std::vector<threading::Joining> threads;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            threads.emplace_back(threading::Thread({.name = fmt::format("phase-{}", i + 1)},
                                                   [this, i] { run_or_abort(i); }));
        }
    }

    void run_or_abort(std::size_t mine) {
        try {
            run(mine);
        } catch (...) {
            barrier_.abort();  // or the others would wait for this thread for ever
            throw;
        }
    }

    void run(std::size_t mine) {
        for (std::size_t i = mine; i < files_.size(); i += parts_.size()) {
            parts_[mine].add(read_file(files_[i]));
            bar_->advance();
        }
        barrier_.wait();
        for (const Findings& part : parts_) add_share(shares_[mine], part, mine);
        shares_[mine].digest = parts_[mine].digest;
        shares_[mine].bytes = parts_[mine].bytes;
        shares_[mine].files = parts_[mine].files;
        barrier_.wait();
        rankings_[mine] = shares_[mine].ranking(kBest);
        barrier_.wait();
    }

    void add_share(Findings& share, const Findings& part, std::size_t mine) const {
        for (const auto& [name, count] : part.counts) {
            if (std::hash<std::string>()(name) % shares_.size() == mine)
                share.counts[name] += count;
        }
    }

    const Paths& files_;
    std::vector<Findings> parts_;
    std::vector<Findings> shares_;
    std::vector<Ranking> rankings_;
    std::optional<ProgressBar> bar_;  ///< while the threads run
    Clock::time_point start_ = Clock::now();
    std::vector<double> ends_;
    threading::Barrier barrier_;
};

}  // namespace

bool show_phases(Reference& reference, std::size_t workers) {
    fmt::print("Phases at a barrier\n");
    Phases phases(reference.files(), workers);
    const std::vector<double>& ends = phases.ends();
    fmt::print(
        "  {} threads counted ({:.2f} s), each added up its share of the names ({:.2f} s) and\n"
        "  ranked it ({:.2f} s), and met at a Barrier after each phase.\n",
        workers, ends.at(0), ends.at(1) - ends.at(0), ends.at(2) - ends.at(1));
    const bool is_same_ranking = phases.ranking() == reference.findings().ranking(kBest);
    return reference.confirms(is_same_ranking && phases.take_findings() == reference.findings(),
                              "The same counts and the same ranking");
}

}  // namespace tour

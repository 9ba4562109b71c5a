#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "map_system.hpp"

namespace map {

/// Where arguments come from: a list, or the lines of a file that is read as they are asked for.
class Source {
public:
    explicit Source(std::vector<std::string> list);
    Source(File file, std::string name, char delimiter);

    enum class State {
        ready,    ///< next() has one
        waiting,  ///< nothing before fd() can be read
        ended,
    };
    /// Looks, and reads what can be read without waiting. Throws `std::system_error`.
    State look();
    /// Takes one; only when ready.
    std::string next();
    /// Reads to the end, waiting as it takes.
    std::vector<std::string> rest();
    [[nodiscard]] int fd() const noexcept { return file_.fd(); }

private:
    void cut(std::size_t from);

    std::deque<std::string> items_;
    File file_;
    std::string name_;
    char delimiter_ = '\n';
    std::string begun_;  ///< a line that has not ended yet
    bool is_at_end_ = true;
};

/// What the jobs are made of: the arguments of one source, several at a time, or every combination
/// of one of each source, of which the last changes fastest. Only the first source is read little
/// by little.
class Inputs {
public:
    /// `at_once` > 1 is for one source alone.
    Inputs(std::vector<Source> sources, std::size_t at_once);

    using State = Source::State;
    /// Whether next() has a job.
    State look();
    std::vector<std::string> next();
    /// What can be read when look() has said `waiting`.
    [[nodiscard]] int fd() const noexcept { return sources_.front().fd(); }
    /// Reads all there is, waiting as it takes; returns how many jobs that makes.
    std::size_t load();

private:
    std::vector<Source> sources_;
    std::size_t at_once_;
    std::vector<std::string> group_;                ///< of one source, not complete yet
    std::vector<std::vector<std::string>> others_;  ///< all of the sources but the first
    std::size_t combinations_ = 1;                  ///< of the others
    std::size_t combination_ = 0;                   ///< the next one for `first_`
    std::optional<std::string> first_;
};

}  // namespace map

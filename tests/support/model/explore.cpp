#include "model/explore.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <random>
#include <system_error>

#include "support/budget.hpp"
#include "support/child.hpp"

namespace weft::model {

namespace {

constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";

/// What the searching process tells the one that started it, in memory that outlives a crash.
struct Findings {
    std::uint64_t executions;
    bool is_complete;
    bool has_failed;
    std::array<char, 1024> failure;
    std::size_t choices;  ///< of the execution under way, as digits
    std::array<char, 200'000> digits;
};

class SharedFindings {
public:
    SharedFindings() {
        void* const memory = mmap(nullptr, sizeof(Findings), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
        findings_ = new (memory) Findings{};
    }
    ~SharedFindings() { munmap(findings_, sizeof(Findings)); }
    SharedFindings(const SharedFindings&) = delete;
    SharedFindings& operator=(const SharedFindings&) = delete;
    Findings& operator*() const { return *findings_; }
    Findings* operator->() const { return findings_; }

private:
    Findings* findings_;
};

/// A chooser whose decisions are kept as digits: only those with an alternative.
class RecordedChooser : public Chooser {
public:
    explicit RecordedChooser(Findings& findings) : findings_(findings) {}
    virtual void begin() { findings_.choices = 0; }

protected:
    std::size_t record(std::size_t choice) {
        if (findings_.choices < findings_.digits.size()) {
            findings_.digits[findings_.choices++] = kDigits[choice];
        }
        return choice;
    }

private:
    Findings& findings_;
};

/// Depth first: repeats the decisions of the execution before up to the last one that has an
/// untried alternative, takes that, and the first alternative of all that follow.
class DepthFirst : public RecordedChooser {
public:
    using RecordedChooser::RecordedChooser;

    std::size_t pick(std::span<const Action> actions) override { return decide(actions.size()); }
    bool flip() override { return decide(2) != 0; }
    void begin() override {
        RecordedChooser::begin();
        at_ = 0;
    }
    /// False when all has been tried.
    bool advance() {
        while (!path_.empty() && path_.back().chosen + 1 == path_.back().count) path_.pop_back();
        if (path_.empty()) return false;
        ++path_.back().chosen;
        return true;
    }

private:
    struct Node {
        std::size_t chosen;
        std::size_t count;
    };

    std::size_t decide(std::size_t count) {
        if (at_ == path_.size()) path_.push_back({0, count});
        const Node& node = path_[at_++];
        if (node.count != count) {
            Scheduler::instance().fail("the program does not do the same every time");
        }
        return record(node.chosen);
    }

    std::vector<Node> path_;
    std::size_t at_ = 0;
};

/// Probabilistic concurrency testing (Burckhardt and others, 2010): the thread with the highest of
/// random priorities runs, until at one of a few random steps it gets the lowest.
class RandomPriorities : public RecordedChooser {
public:
    RandomPriorities(Findings& findings, std::uint64_t seed)
        : RecordedChooser(findings), random_(seed) {}

    void begin() override {
        RecordedChooser::begin();
        priorities_.clear();
        // The number of steps is guessed from the longest execution so far.
        longest_ = std::max(longest_, step_);
        step_ = 0;
        lowest_ = 0;
        changes_.fill(0);
        for (std::uint64_t& change : changes_) change = 1 + random_() % (longest_ + 1);
    }
    std::size_t pick(std::span<const Action> actions) override {
        ++step_;
        const std::size_t events = static_cast<std::size_t>(std::ranges::count_if(
            actions, [](const Action& each) { return each.kind != Action::Kind::run; }));
        const std::size_t runs = actions.size() - events;
        if (runs == 0 || (events != 0 && random_() % 16 == 0)) {
            return record(runs + random_() % events);
        }
        std::size_t best = 0;
        for (std::size_t i = 1; i < runs; ++i) {
            if (priority(actions[i].task) > priority(actions[best].task)) best = i;
        }
        if (std::ranges::count(changes_, step_) != 0) priorities_[actions[best].task] = --lowest_;
        return record(best);
    }
    bool flip() override { return record(random_() % 8 == 0 ? 1 : 0) != 0; }

private:
    std::int64_t priority(int task) {
        const auto [found, is_new] = priorities_.try_emplace(task, 0);
        if (is_new) found->second = static_cast<std::int64_t>(1 + random_() % 1'000'000);
        return found->second;
    }

    std::mt19937_64 random_;
    std::map<int, std::int64_t> priorities_;
    std::array<std::uint64_t, 3> changes_{};
    std::uint64_t longest_ = 40;
    std::uint64_t step_ = 0;
    std::int64_t lowest_ = 0;
};

/// Takes the decisions that a replay names, then the first alternatives.
class Replay : public RecordedChooser {
public:
    Replay(Findings& findings, std::string digits)
        : RecordedChooser(findings), digits_(std::move(digits)) {}
    std::size_t pick(std::span<const Action> actions) override { return decide(actions.size()); }
    bool flip() override { return decide(2) != 0; }

private:
    std::size_t decide(std::size_t count) {
        const std::size_t choice = at_ < digits_.size() ? kDigits.find(digits_[at_]) : 0;
        ++at_;
        return record(std::min(choice, count - 1));
    }

    std::string digits_;
    std::size_t at_ = 0;
};

std::string replay_of(const Bounds& bounds, const Findings& findings) {
    std::string_view digits(findings.digits.data(), findings.choices);
    const std::size_t end = digits.find_last_not_of('0');
    digits = digits.substr(0, end == std::string_view::npos ? 0 : end + 1);
    std::string text;
    for (const std::int64_t bound :
         {std::int64_t{bounds.preemptions}, std::int64_t{bounds.spurious},
          std::int64_t{bounds.weak_failures}, std::int64_t{bounds.delayed_stores},
          std::int64_t{bounds.cpus}, bounds.nanoseconds_per_look}) {
        text += std::to_string(bound) + '.';
    }
    return text + std::string(digits);
}

/// The bounds stand in the replay, since the alternatives depend on them.
std::pair<Bounds, std::string> parse_replay(const std::string& text) {
    Bounds bounds;
    int length = 0;
    long step = 0;
    if (std::sscanf(text.c_str(), "%d.%d.%d.%d.%d.%ld.%n", &bounds.preemptions, &bounds.spurious,
                    &bounds.weak_failures, &bounds.delayed_stores, &bounds.cpus, &step,
                    &length) != 6) {
        throw std::invalid_argument("WEFT_MODEL_REPLAY is not a replay: " + text);
    }
    bounds.nanoseconds_per_look = step;
    return {bounds, text.substr(static_cast<std::size_t>(length))};
}

}  // namespace

/// Runs a program many times, in a process of its own: threads that are stuck, memory that is
/// corrupt and the library's own state go with it.
class Search {
public:
    Search(const Program& program, const Bounds& bounds) : program_(program), bounds_(bounds) {}

    template <class Loop>
    Report run(Loop loop) {
        std::cout.flush();
        std::fflush(stdout);
        const pid_t child = fork();
        if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
        if (child == 0) {
            Scheduler::instance().on_failure = [this](const std::string& reason) {
                findings_->has_failed = true;
                reason.copy(findings_->failure.data(), findings_->failure.size() - 1);
                _exit(1);
            };
            loop();
            _exit(0);
        }
        const auto status = weft::test::wait_for_process(child, weft::test::case_budget() * 9 / 10);
        Report report;
        report.executions = findings_->executions;
        report.is_complete = findings_->is_complete;
        report.has_failed = status != 0;
        if (!report.has_failed) return report;
        report.replay = replay_of(bounds_, *findings_);
        if (findings_->has_failed) {
            report.failure = findings_->failure.data();
        } else if (!status.has_value()) {
            report.failure = "the search has not ended within its time";
        } else {
            report.failure = "the program crashed";
        }
        return report;
    }

    void execute(RecordedChooser& chooser) {
        chooser.begin();
        Execution once(bounds_, chooser);
        try {
            program_(once);
        } catch (const std::exception& error) {
            Scheduler::instance().fail(std::string("the program threw: ") + error.what());
        }
        ++findings_->executions;
    }

    Report replay(const std::string& text) {
        const auto [bounds, digits] = parse_replay(text);
        bounds_ = bounds;
        return run([&] {
            std::map<const void*, std::size_t> places;
            Scheduler::instance().on_operation = [&](int task, const char* operation,
                                                     const void* object) {
                const std::size_t place = places.try_emplace(object, places.size()).first->second;
                std::fprintf(stderr, "%*sthread %d: %s #%zu\n", task * 30, "", task, operation,
                             place);
            };
            Replay chooser(*findings_, digits);
            execute(chooser);
        });
    }

    Findings& findings() { return *findings_; }

private:
    const Program& program_;
    Bounds bounds_;
    SharedFindings findings_;
};

void Execution::go() {
    Scheduler::instance().run(bodies_, bounds_, chooser_);
    bodies_.clear();
}

Report explore(const Program& program, const Bounds& bounds, std::uint64_t most) {
    Search search(program, bounds);
    if (const char* const replay = std::getenv("WEFT_MODEL_REPLAY")) return search.replay(replay);
    return search.run([&] {
        DepthFirst chooser(search.findings());
        do {
            search.execute(chooser);
            if (!chooser.advance()) search.findings().is_complete = true;
        } while (!search.findings().is_complete && search.findings().executions < most);
    });
}

Report sample(const Program& program, const Bounds& bounds, std::uint64_t count,
              std::uint64_t seed) {
    Bounds unlimited = bounds;
    unlimited.preemptions = 1'000'000;
    Search search(program, unlimited);
    if (const char* const replay = std::getenv("WEFT_MODEL_REPLAY")) return search.replay(replay);
    return search.run([&] {
        RandomPriorities chooser(search.findings(), seed);
        while (search.findings().executions < count) search.execute(chooser);
    });
}

void require(bool condition, const char* what) {
    if (!condition) Scheduler::instance().fail(std::string("not true: ") + what);
}

void pause_here() {
    Scheduler::instance().point("pause_here", nullptr, false);
}

void change(int& variable, int by) {
    const int seen = variable;
    pause_here();
    variable = seen + by;
}

testing::AssertionResult holds(const Report& report) {
    if (!report.has_failed) return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << report.failure << "\nafter " << report.executions
           << " executions; WEFT_MODEL_REPLAY=" << report.replay << " shows it again";
}

bool is_full_run() {
    return std::getenv("WEFT_TEST_FULL") != nullptr;
}

}  // namespace weft::model

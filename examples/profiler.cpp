// A profiler on weft::trace: how often each function was called and how long it took, in all
// threads. This file is compiled with -finstrument-functions -g1.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <weft/threading.hpp>

using namespace weft;

namespace work {

std::atomic<long> sum = 0;

[[gnu::noinline]] void add_digits(long n) {
    for (; n > 0; n /= 10) sum += n % 10;
}

[[gnu::noinline]] void add_all_digits(long last) {
    for (long n = 1; n <= last; ++n) add_digits(n);
}

}  // namespace work

class Profiler {
    using Clock = std::chrono::steady_clock;
    struct Call {
        const void* function;
        Clock::time_point begin;
    };
    struct Row {
        threading::Frame frame;
        long calls = 0;
        Clock::duration time{};
    };

public:
    void note(const threading::Frame& frame, threading::TraceEvent event) {
        const threading::Guard held(lock_);
        std::vector<Call>& calls = calls_[frame.thread_ident()];
        if (event == threading::TraceEvent::call) {
            rows_.try_emplace(frame.function(), Row{frame}).first->second.calls += 1;
            calls.push_back({frame.function(), Clock::now()});
            return;
        }
        // With Clang a function that an exception has left does not report its return.
        while (!calls.empty() && calls.back().function != frame.function()) calls.pop_back();
        if (calls.empty()) return;
        rows_.at(frame.function()).time += Clock::now() - calls.back().begin;
        calls.pop_back();
    }

    /// Names and lines are looked up here, once for each function. Returns the calls of `name`.
    long report(const std::string& name) const {
        long calls = 0;
        for (const auto& [function, row] : rows_) {
            if (!row.frame.filename().ends_with("profiler.cpp")) continue;
            std::printf("%7ld %9.3f ms  %s, line %d\n", row.calls,
                        std::chrono::duration<double, std::milli>(row.time).count(),
                        std::string(row.frame.name()).c_str(), row.frame.lineno());
            if (row.frame.name().starts_with(name)) calls += row.calls;
        }
        return calls;
    }

private:
    threading::Lock lock_;
    std::map<std::uint64_t, std::vector<Call>> calls_;
    std::map<const void*, Row> rows_;
};

int main() {
    Profiler profiler;
    threading::setprofile_all_threads(
        [&profiler](const threading::Frame& frame, threading::TraceEvent event) {
            profiler.note(frame, event);
        });
    {
        const threading::Joining other(threading::Thread([] { work::add_all_digits(500); }));
        work::add_all_digits(1000);
    }
    threading::setprofile_all_threads({});
    const long calls = profiler.report("work::add_digits");
    return work::sum == 19006 && calls == 1500 ? 0 : 1;
}

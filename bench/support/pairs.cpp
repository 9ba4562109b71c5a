#include "support/pairs.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bench {

namespace {

struct Row {
    std::map<std::string, std::vector<double>> times;  // contender -> nanoseconds by round
};

/// Keeps what each round measured, and leaves the console to the final table.
class PairReporter : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context& context) override {
        PrintBasicContext(&GetErrorStream(), context);
        return true;
    }

    void ReportRuns(const std::vector<Run>& runs) override {
        for (const Run& run : runs) {
            if (run.error_occurred) {
                std::fprintf(stderr, "%s failed: %s\n", run.benchmark_name().c_str(),
                             run.error_message.c_str());
                has_failed_ = true;
            }
            if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
            const auto [row, contender] = split(run.benchmark_name());
            const double scale = benchmark::GetTimeUnitMultiplier(run.time_unit) / 1e9;
            rows_[row].times[contender].push_back(run.GetAdjustedRealTime() / scale);
        }
    }

    int print() const {
        std::vector<Line> lines;
        for (const auto& [row_name, row] : rows_) {
            for (const auto& [ours, our_times] : row.times) {
                if (ours.rfind("weft", 0) != 0) continue;
                for (const auto& [peer, peer_times] : row.times) {
                    if (peer.rfind("weft", 0) == 0) continue;
                    lines.push_back(line(row_name, ours, our_times, peer, peer_times));
                }
            }
        }
        std::stable_sort(lines.begin(), lines.end(),
                         [](const Line& a, const Line& b) { return a.ratio < b.ratio; });
        std::printf("%-44s %-30s %10s %10s %7s  %s\n", "row", "peer", "weft ns", "peer ns", "ratio",
                    "95 % interval");
        for (const Line& each : lines) std::puts(each.text.c_str());
        return has_failed_ ? 1 : 0;
    }

private:
    struct Line {
        double ratio;
        std::string text;
    };
    struct Interval {
        double median, low, high;
    };

    /// The part after the first slash, up to the next one, is the contender.
    static std::pair<std::string, std::string> split(const std::string& name) {
        const auto first = name.find('/');
        if (first == std::string::npos) return {name, "weft"};
        const auto second = name.find('/', first + 1);
        const std::string contender = name.substr(first + 1, second - first - 1);
        std::string rest = second == std::string::npos ? "" : name.substr(second);
        // A row is the same whether its time is the clock's or was measured elsewhere.
        for (const std::string part : {"/real_time", "/manual_time", "/iterations:1"}) {
            if (const auto at = rest.find(part); at != std::string::npos) {
                rest.erase(at, part.size());
            }
        }
        return {name.substr(0, first) + rest, contender};
    }

    /// The median and the order statistics that hold it with 95 % confidence.
    static Interval interval_of(std::vector<double> values) {
        std::sort(values.begin(), values.end());
        const auto n = static_cast<double>(values.size());
        const double half = 0.98 * std::sqrt(n);
        const auto at = [&](double index) {
            return values[static_cast<std::size_t>(std::clamp(index, 0.0, n - 1))];
        };
        return {values[values.size() / 2], at(std::floor(n / 2 - half)),
                at(std::ceil(n / 2 + half))};
    }

    static Line line(const std::string& row, const std::string& ours,
                     const std::vector<double>& our_times, const std::string& peer,
                     const std::vector<double>& peer_times) {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < std::min(our_times.size(), peer_times.size()); ++i) {
            ratios.push_back(peer_times[i] / our_times[i]);
        }
        const Interval ratio = interval_of(ratios);
        char text[256];
        const std::string label = ours == "weft" ? row : row + " [" + ours + "]";
        std::snprintf(text, sizeof text, "%-44s %-30s %10.1f %10.1f %6.2fx  %.2f-%.2f",
                      label.c_str(), peer.c_str(), interval_of(our_times).median,
                      interval_of(peer_times).median, ratio.median, ratio.low, ratio.high);
        return Line{ratio.median, text};
    }

    std::map<std::string, Row> rows_;
    bool has_failed_ = false;
};

}  // namespace

int run_pairs(int argc, char** argv) {
    std::vector<char*> arguments(argv, argv + argc);
    // The user's own flags come later and win.
    static char repetitions[] = "--benchmark_repetitions=30";
    static char interleaved[] = "--benchmark_enable_random_interleaving=true";
    static char shortest[] = "--benchmark_min_time=0.02";
    arguments.insert(arguments.begin() + 1, {repetitions, interleaved, shortest});
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 2;
    PairReporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    benchmark::Shutdown();
    return reporter.print();
}

}  // namespace bench

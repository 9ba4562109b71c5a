#include "map.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "map_engine.hpp"
#include "map_halt.hpp"
#include "map_inputs.hpp"
#include "map_log.hpp"
#include "map_system.hpp"
#include "map_template.hpp"

namespace map {

namespace {

constexpr const char* kDescription =
    "Run a command once for each argument, several at the same time.\n"
    "\n"
    "  weft map [options] [command] ::: argument...\n"
    "  weft map [options] [command] :::: file...\n"
    "  ... | weft map [options] [command]\n"
    "\n"
    "In the command, {} stands for the argument, {.} for it without its extension, {/} without\n"
    "its folder, {//} for its folder, {/.} for its name without both, {#} for the job's number,\n"
    "{%} for its place among those that run at once, {1}, {2.} ... for one of several arguments.\n"
    "Without any, \" {}\" is added. Several lists (:::, ::::, -a) give every combination. Without "
    "a\n"
    "command each argument is a whole command line. Without a list the lines of standard input\n"
    "are the arguments. A job's output is printed in one piece when the job has ended.";

constexpr const char* kFooter =
    "Ctrl-C lets the running jobs finish and starts nothing new; twice, it stops them.\n"
    "\n"
    "The exit status is 0 if every job ended with 0, the number of failed jobs up to 100, 101 for\n"
    "more, 128 and the signal's number after Ctrl-C, and 255 for an error of weft map itself.\n"
    "The manual, weft-map(1), has examples.";

struct Settings {
    std::string jobs = "100%";
    bool keeps_order = false;
    std::size_t max_args = 1;
    bool is_null_separated = false;
    std::vector<std::string> files;
    bool shows_progress = false;
    std::string timeout;
    std::size_t retries = 1;
    std::string halt = "never";
    std::string log;
    bool resumes = false;
    bool resumes_failed = false;
    bool is_dry = false;
    std::string timeline;
};

/// What the user can mend: the message says how.
class UsageError : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

void declare(CLI::App& app, Settings& settings) {
    app.get_formatter()->column_width(34);
    app.footer(kFooter);
    app.add_option("-j,--jobs", settings.jobs,
                   "How many run at once: a number, a percentage of the processors, +N for N more "
                   "than those, 0 for as many as possible.")
        ->type_name("N")
        ->capture_default_str();
    app.add_flag("-k,--keep-order", settings.keeps_order,
                 "Print outputs in the order of the arguments.");
    app.add_option("-n,--max-args", settings.max_args, "Give each job so many arguments.")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    app.add_flag("-0,--null", settings.is_null_separated,
                 "Arguments in files end with a NUL byte, not with a line.");
    app.add_option("-a,--arg-file", settings.files,
                   "Read arguments from this file, - for standard input. Repeat for combinations.")
        ->type_name("FILE")
        ->allow_extra_args(false);
    app.add_flag("--progress", settings.shows_progress,
                 "Show how far it is, if standard error is a terminal.");
    app.add_option("--timeout", settings.timeout,
                   "Stop a job that takes longer: seconds, or with s, m, h or d. It has failed.")
        ->type_name("TIME");
    app.add_option("--retries", settings.retries, "Run a job that fails up to N times in all.")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    app.add_option("--halt", settings.halt,
                   "When to end early: now (stop what runs) or soon (let it finish), a comma, and "
                   "fail, success or done with a number or percentage of jobs: now,fail=1.")
        ->type_name("WHEN");
    app.add_option("--joblog", settings.log, "Write a line about each job that has ended.")
        ->type_name("FILE");
    app.add_flag("--resume", settings.resumes, "Leave out the jobs that the job log has.");
    app.add_flag("--resume-failed", settings.resumes_failed,
                 "The same, but run those again that failed.");
    app.add_flag("--dry-run", settings.is_dry, "Print the commands and run nothing.");
    app.add_option("--timeline", settings.timeline,
                   "Write when and where each job ran, for chrome://tracing and ui.perfetto.dev.")
        ->type_name("FILE");
}

/// Where the options end: at the first word that is none, nor the value of one.
std::size_t end_of_options(const CLI::App& app, const std::vector<std::string>& words) {
    const auto takes_value = [&app](const std::string& name) {
        const CLI::Option* const option = app.get_option_no_throw(name);
        return option != nullptr && option->get_items_expected_max() > 0;
    };
    std::size_t at = 0;
    while (at < words.size()) {
        const std::string& word = words[at];
        if (word == "--" || word.size() < 2 || word.front() != '-') break;
        ++at;
        if (word.starts_with("--")) {
            if (word.find('=') == std::string::npos && takes_value(word)) ++at;
            continue;
        }
        // Letters in one word, of which the last may have its value there or in the next word.
        for (std::size_t i = 1; i < word.size(); ++i) {
            if (!takes_value(std::string("-") + word[i])) continue;
            if (i + 1 == word.size()) ++at;
            break;
        }
    }
    return std::min(at, words.size());
}

std::optional<std::size_t> number_in(std::string_view text) {
    std::size_t value = 0;
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
    return value;
}

std::size_t jobs_of(const std::string& text) {
    // A job has three descriptors here, and starting one takes a few more.
    constexpr std::size_t kReserve = 32;
    constexpr std::size_t kPerJob = 4;
    const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
    std::string_view rest = text;
    const bool is_more = rest.starts_with('+');
    const bool is_percentage = rest.ends_with('%');
    if (is_more) rest.remove_prefix(1);
    if (is_percentage) rest.remove_suffix(1);
    const std::optional<std::size_t> number = number_in(rest);
    if (!number || (is_more && is_percentage) || *number > 1'000'000) {
        throw UsageError(fmt::format(
            "-j {}: give a number of jobs, a percentage of the {} processors as in 50%, or +N",
            text, processors));
    }
    if (is_more) return processors + *number;
    if (is_percentage) return std::max<std::size_t>(1, processors * *number / 100);
    if (*number > 0) return *number;
    return (std::max(descriptor_limit(), 2 * kReserve) - kReserve) / kPerJob;
}

std::optional<Clock::duration> timeout_of(const std::string& text) {
    if (text.empty()) return std::nullopt;
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    double unit = 0;
    const std::string_view rest(result.ptr, static_cast<std::size_t>(end - result.ptr));
    if (rest.empty() || rest == "s") unit = 1;
    if (rest == "m") unit = 60;
    if (rest == "h") unit = 3600;
    if (rest == "d") unit = 86400;
    constexpr double kLongest = 1e9;
    if (result.ec != std::errc() || unit == 0 || !(value > 0) || value * unit > kLongest) {
        throw UsageError(fmt::format(
            "--timeout {}: give seconds, or a number with s, m, h or d as in 1.5m", text));
    }
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value * unit));
}

/// What follows the options: the command, and then lists.
struct Rest {
    std::vector<std::string> command;
    std::vector<Source> sources;
};

Source source_of(const std::string& file, char delimiter) {
    return {file == "-" ? open_standard_input() : open_to_read(file), file, delimiter};
}

Rest rest_of(const std::vector<std::string>& words, std::size_t at, const Settings& settings) {
    const char delimiter = settings.is_null_separated ? '\0' : '\n';
    Rest rest;
    for (const std::string& file : settings.files) {
        rest.sources.push_back(source_of(file, delimiter));
    }
    if (at < words.size() && words[at] == "--") ++at;
    const auto is_separator = [](const std::string& word) { return word.starts_with(":::"); };
    for (; at < words.size() && !is_separator(words[at]); ++at) rest.command.push_back(words[at]);
    while (at < words.size()) {
        const std::string separator = words[at++];
        if (separator != ":::" && separator != "::::") {
            throw UsageError(fmt::format(
                "{}: there are ::: for a list of arguments and :::: for a list of files",
                separator));
        }
        std::vector<std::string> list;
        for (; at < words.size() && !is_separator(words[at]); ++at) list.push_back(words[at]);
        if (separator == ":::") {
            rest.sources.emplace_back(std::move(list));
        } else {
            for (const std::string& file : list) rest.sources.push_back(source_of(file, delimiter));
        }
    }
    if (rest.sources.empty()) {
        constexpr int kStandardInput = 0;
        if (is_terminal(kStandardInput)) {
            std::fputs("weft map: reading the arguments from the terminal; Ctrl-D ends them\n",
                       stderr);
        }
        rest.sources.push_back(source_of("-", delimiter));
    }
    if (settings.max_args > 1 && rest.sources.size() > 1) {
        throw UsageError("-n is for one list of arguments; several lists make combinations");
    }
    return rest;
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
    CLI::App app(kDescription, "weft map");
    Settings settings;
    declare(app, settings);
    const std::size_t end = end_of_options(app, arguments);
    // CLI11 takes its words from the back.
    const auto middle = arguments.begin() + static_cast<std::ptrdiff_t>(end);
    std::vector<std::string> options(std::make_reverse_iterator(middle), arguments.rend());
    try {
        app.parse(std::move(options));
    } catch (const CLI::ParseError& error) {
        constexpr int kUsage = 255;
        return app.exit(error) == 0 ? 0 : kUsage;
    }
    const bool resumes = settings.resumes || settings.resumes_failed;
    if (resumes && settings.log.empty()) {
        throw UsageError("--resume reads the job log: name it with --joblog FILE");
    }
    constexpr int kStandardError = 2;
    const EngineOptions engine_options{
        .at_once = jobs_of(settings.jobs),
        .keeps_order = settings.keeps_order,
        .is_dry = settings.is_dry,
        .tries = settings.retries,
        .timeout = timeout_of(settings.timeout),
        .halt = Halt::parse(settings.halt),
        .shows_progress = settings.shows_progress && is_terminal(kStandardError)};
    Rest rest = rest_of(arguments, end, settings);
    ignore_broken_pipes();
    std::optional<Template> command;
    if (!rest.command.empty()) command.emplace(rest.command);
    std::optional<JobLog> log;
    if (!settings.log.empty() && !settings.is_dry) {
        log.emplace(settings.log, settings.resumes_failed ? JobLog::Resume::failed
                                  : settings.resumes      ? JobLog::Resume::all
                                                          : JobLog::Resume::no);
    }
    std::optional<Timeline> timeline;
    if (!settings.timeline.empty() && !settings.is_dry) timeline.emplace(settings.timeline);
    Inputs inputs(std::move(rest.sources), settings.max_args);
    Engine engine(engine_options, inputs, command ? &*command : nullptr, log ? &*log : nullptr,
                  timeline ? &*timeline : nullptr);
    return engine.run();
}

}  // namespace map

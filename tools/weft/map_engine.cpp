#include "map_engine.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace map {

using weft::subprocess::OnDrop;
using weft::subprocess::PIPE;
using weft::subprocess::Popen;
using weft::subprocess::PopenOptions;

namespace {

constexpr std::uint64_t kSignalTag = ~std::uint64_t{0};
constexpr std::uint64_t kInputTag = kSignalTag - 1;
constexpr unsigned kPlaceBits = 30;
constexpr std::size_t kMemory = std::size_t{64} * 1024 * 1024;
constexpr auto kKillAfter = std::chrono::milliseconds(500);
constexpr auto kProgressEvery = std::chrono::milliseconds(100);
constexpr auto kLookEvery = std::chrono::milliseconds(10);
constexpr int kStandardOutput = 1;
constexpr int kStandardError = 2;
constexpr int kNotFound = 127;
constexpr int kNotExecutable = 126;
constexpr int kOwnFailure = 255;

std::uint64_t tag_of(std::uint64_t generation, std::size_t place, std::uint64_t kind) {
    return generation << (kPlaceBits + 2) | std::uint64_t{place} << 2U | kind;
}

bool is_want_of_resources(const std::error_code& code) {
    using std::errc;
    return code == errc::resource_unavailable_try_again || code == errc::not_enough_memory ||
           code == errc::too_many_files_open || code == errc::too_many_files_open_in_system;
}

/// The child's end in the words of the job log.
void set_end(Record& record, int code, bool is_stopped) {
    record.signal = code < 0 ? -code : 0;
    record.status = is_stopped ? -1 : std::max(code, 0);
}

int status_of(const Record& record) {
    constexpr int kSignalled = 128;
    if (record.status < 0) return kOwnFailure;
    return record.signal != 0 ? kSignalled + record.signal : record.status;
}

}  // namespace

Engine::Engine(EngineOptions options, Inputs& inputs, const Template* command, JobLog* log,
               Timeline* timeline)
    : options_(options),
      inputs_(inputs),
      command_(command),
      log_(log),
      timeline_(timeline),
      null_(open_to_read("/dev/null")),
      store_(kMemory) {
    poller_.add(signals_.fd(), kSignalTag);
    if (options_.halt.needs_total() || options_.shows_progress) tally_.total = inputs_.load();
}

Engine::~Engine() = default;

int Engine::run() {
    for (;;) {
        start_some();
        if (running_ == 0 && !is_input_watched_) break;
        draw_progress(false);
        for (const std::uint64_t tag : poller_.wait(next_time())) react(tag);
        react_to_time();
    }
    draw_progress(true);
    // What keep-order still holds back comes after a job that was never run.
    for (const auto& [number, outcome] : held_back_) print(outcome);
    held_back_.clear();
    if (timeline_ != nullptr) timeline_->finish();
    return exit_status();
}

// Starting
// ---------------------------------------------------------------------------------------------

bool Engine::has_room() const noexcept {
    return running_ < options_.at_once && !(lacks_resources_ && running_ > 0);
}

void Engine::start_some() {
    bool waits_for_input = false;
    while (state_ == State::going && has_room()) {
        std::optional<Job> job = take_job();
        if (!job) {
            waits_for_input = !is_input_ended_;
            break;
        }
        start(std::move(*job));
    }
    watch_input(waits_for_input && state_ == State::going);
}

void Engine::watch_input(bool is_wanted) {
    if (is_wanted == is_input_watched_) return;
    if (is_wanted) {
        poller_.add(inputs_.fd(), kInputTag);
    } else {
        poller_.remove(inputs_.fd());
    }
    is_input_watched_ = is_wanted;
}

std::optional<Engine::Job> Engine::take_job() {
    if (!again_.empty()) {
        Job job = std::move(again_.front());
        again_.pop_front();
        return job;
    }
    for (;;) {
        const Inputs::State state = inputs_.look();
        is_input_ended_ = state == Inputs::State::ended;
        if (state != Inputs::State::ready) return std::nullopt;
        Job job{.number = ++last_number_, .arguments = inputs_.next()};
        if (log_ == nullptr || !log_->has(job.number)) return job;
        skip(job.number);
    }
}

void Engine::start(Job job) {
    const auto free = std::find(places_.begin(), places_.end(), nullptr);
    const auto place = static_cast<std::size_t>(free - places_.begin());
    if (free == places_.end()) places_.emplace_back();
    Command command = command_ != nullptr
                          ? command_->expand(job.arguments, job.number, place + 1)
                          : Template::of_line(fmt::format("{}", fmt::join(job.arguments, " ")));
    auto running = std::make_unique<Running>(Running{.job = std::move(job),
                                                     .record = {},
                                                     .output = Spool(store_),
                                                     .error_output = Spool(store_)});
    running->record.number = running->job.number;
    running->record.place = place + 1;
    running->record.command = command.line;
    if (options_.is_dry) {
        running->output.append(command.line + "\n");
        conclude(std::move(*running));
        return;
    }
    ++running->job.attempt;
    running->record.begin = std::chrono::system_clock::now();
    running->record.started = Clock::now();
    try {
        if (!launch(*running, command)) {
            conclude(std::move(*running));
            return;
        }
    } catch (const std::system_error& error) {
        if (!is_want_of_resources(error.code()) || running_ == 0) throw;
        // One of those that run will give some back.
        lacks_resources_ = true;
        --running->job.attempt;
        again_.push_front(std::move(running->job));
        return;
    }
    watch(*running, place);
    places_[place] = std::move(running);
    ++running_;
}

/// False when the program cannot be started, as a shell would tell. Throws for all other failures.
bool Engine::launch(Running& running, const Command& command) {
    const auto start = [&](const std::vector<std::string>& words) {
        PopenOptions options{.stdin_ = null_.fd(), .stdout_ = PIPE, .stderr_ = PIPE};
        options.process_group = 0;
        options.die_with_parent = true;
        options.on_drop = OnDrop::kill;
        running.child.emplace(weft::subprocess::Args(words), std::move(options));
    };
    const std::vector<std::string> shell = {"/bin/sh", "-c", command.line};
    if (command.words.empty()) {
        start(shell);
        return true;
    }
    try {
        start(command.words);
        return true;
    } catch (const std::system_error& error) {
        if (error.code() == std::errc::executable_format_error) {
            start(shell);  // a script without a first line that names its program
            return true;
        }
        if (is_want_of_resources(error.code())) throw;
        const bool is_missing = error.code() == std::errc::no_such_file_or_directory ||
                                error.code() == std::errc::not_a_directory;
        running.record.status = is_missing ? kNotFound : kNotExecutable;
        running.error_output.append(
            fmt::format("weft map: {}: {}\n", command.words.front(),
                        is_missing ? "command not found"
                                   : std::generic_category().message(error.code().value())));
        return false;
    }
}

void Engine::watch(Running& running, std::size_t place) {
    constexpr std::uint64_t kGenerations = std::uint64_t{1} << (64 - kPlaceBits - 2);
    const std::uint64_t generation = generation_ = (generation_ + 1) % (kGenerations - 1);
    running.generation = generation;
    const Popen& child = *running.child;
    set_nonblocking(child.stdout_().fileno());
    set_nonblocking(child.stderr_().fileno());
    poller_.add(child.stdout_().fileno(), tag_of(generation, place, output));
    poller_.add(child.stderr_().fileno(), tag_of(generation, place, error_output));
    if (child.pidfd() >= 0) poller_.add(child.pidfd(), tag_of(generation, place, process));
    if (options_.timeout) running.act_at = running.record.started + *options_.timeout;
}

// What happens
// -------------------------------------------------------------------------------------------

void Engine::react(std::uint64_t tag) {
    if (tag == kSignalTag) return react_to_signal();
    if (tag == kInputTag) return;  // looked at before the next wait
    const std::size_t place = (tag >> 2U) & ((std::uint64_t{1} << kPlaceBits) - 1);
    const auto kind = static_cast<Kind>(tag & 3U);
    // An event of a job that another event of the same wait has ended.
    if (place >= places_.size() || places_[place] == nullptr) return;
    Running& running = *places_[place];
    if (tag_of(running.generation, place, kind) != tag) return;
    if (kind != process) return read(running, kind);
    // While nobody has reaped the child its group has its number.
    if (running.is_stopping) (void)running.child->kill_group();
    if (const std::optional<int> code = running.child->poll()) end(place, *code);
}

void Engine::react_to_signal() {
    signals_.take();
    const int count = StopSignals::count();
    if (count == signals_seen_) return;
    const bool is_first = signals_seen_ == 0;
    signals_seen_ = count;
    if (is_first && count == 1) {
        if (running_ > 0) {
            draw_progress(true);
            fmt::print(stderr,
                       "weft map: nothing new is started; {} still {}. Once more stops {}.\n",
                       running_ == 1 ? "1 job" : fmt::format("{} jobs", running_),
                       running_ == 1 ? "runs" : "run", running_ == 1 ? "it" : "them");
        }
        finish_up();
        return;
    }
    const bool is_repeated = state_ == State::stopping;
    stop_all();
    if (!is_repeated) return;
    for (const auto& each : places_) {
        if (each != nullptr) (void)each->child->kill_group();
    }
}

std::optional<Clock::time_point> Engine::next_time() const {
    std::optional<Clock::time_point> next;
    const auto consider = [&next](Clock::time_point time) {
        if (!next || time < *next) next = time;
    };
    for (const auto& each : places_) {
        if (each == nullptr) continue;
        if (each->act_at) consider(*each->act_at);
        if (each->child->pidfd() < 0) consider(Clock::now() + kLookEvery);
    }
    if (options_.shows_progress) consider(next_progress_);
    return next;
}

void Engine::react_to_time() {
    std::optional<Clock::time_point> now;
    for (std::size_t i = 0; i < places_.size(); ++i) {
        if (places_[i] == nullptr) continue;
        Running& running = *places_[i];
        if (running.act_at) {
            if (!now) now = Clock::now();
            if (*running.act_at <= *now) {
                if (running.is_stopping) {
                    running.act_at.reset();
                    (void)running.child->kill_group();
                } else {
                    running.is_expired = true;
                    stop(running);
                }
            }
        }
        if (running.child->pidfd() >= 0) continue;
        // A kernel that tells nothing.
        if (const std::optional<int> code = running.child->poll()) end(i, *code);
    }
}

void Engine::read(Running& running, Kind kind) {
    bool& is_open = kind == output ? running.is_output_open : running.is_error_output_open;
    if (!is_open) return;
    const int fd = (kind == output ? running.child->stdout_() : running.child->stderr_()).fileno();
    std::array<char, 65536> block;
    const std::optional<std::size_t> size = read_now(fd, block);
    if (!size) return;
    if (*size == 0) {
        is_open = false;
        poller_.remove(fd);
        return;
    }
    Spool& spool = kind == output ? running.output : running.error_output;
    spool.append({block.data(), *size});
}

/// What the job has left in its pipes. Others that it has started may hold them and write on; they
/// are not waited for.
void Engine::drain(Running& running) {
    constexpr std::size_t kMost = std::size_t{1024} * 1024;
    for (const Kind kind : {output, error_output}) {
        Spool& spool = kind == output ? running.output : running.error_output;
        bool& is_open = kind == output ? running.is_output_open : running.is_error_output_open;
        const std::uint64_t before = spool.size();
        for (std::uint64_t last = before - 1; is_open && spool.size() != last;) {
            last = spool.size();
            if (last - before >= kMost) break;
            read(running, kind);
        }
    }
}

void Engine::end(std::size_t place, int code) {
    std::unique_ptr<Running> running = std::move(places_[place]);
    --running_;
    lacks_resources_ = false;
    drain(*running);
    running->record.length = Clock::now() - running->record.started;
    set_end(running->record, code, running->is_stopping);
    running->child.reset();
    conclude(std::move(*running));
}

void Engine::conclude(Running running) {
    Record& record = running.record;
    record.received = running.output.size();
    const bool is_failed = record.status != 0 || record.signal != 0;
    // Stopped with all the others, and not for its own sake.
    const bool is_stopped = running.is_stopping && !running.is_expired;
    const bool is_tried_again =
        is_failed && state_ == State::going && running.job.attempt < options_.tries;
    if (timeline_ != nullptr && !options_.is_dry) {
        timeline_->write(record, running.job.attempt,
                         is_stopped           ? "stopped"
                         : running.is_expired ? "timed out"
                         : is_failed          ? "failed"
                                              : "done");
    }
    if (is_tried_again) {
        again_.push_back(std::move(running.job));
        return;
    }
    if (running.is_expired) {
        running.error_output.append(
            fmt::format("weft map: stopped, since its time was up: {}\n", record.command));
    }
    print_in_order(record.number, {.output = std::move(running.output),
                                   .error_output = std::move(running.error_output)});
    if (log_ != nullptr && !options_.is_dry) {
        try {
            log_->write(record);
        } catch (const std::system_error& error) {
            // What it does not have would be run again by --resume.
            fail(error);
            log_ = nullptr;
            finish_up();
        }
    }
    count(record, is_stopped);
}

void Engine::count(const Record& record, bool is_stopped) {
    if (is_stopped) {
        has_stopped_ = true;
        return;
    }
    ++tally_.done;
    const bool is_failed = record.status != 0 || record.signal != 0;
    if (is_failed) ++tally_.failed;
    if (state_ != State::going) return;
    const Halt::When when = options_.halt.decide(tally_);
    if (when == Halt::When::never) return;
    has_halted_ = true;
    if (is_failed) status_of_last_failed_ = status_of(record);
    draw_progress(true);
    fmt::print(stderr, "weft map: --halt: this job {}: {}\n", is_failed ? "failed" : "succeeded",
               record.command);
    if (when == Halt::When::now) {
        stop_all();
    } else {
        finish_up();
    }
}

void Engine::skip(std::size_t number) {
    if (options_.keeps_order) print_in_order(number, {Spool(store_), Spool(store_)});
    if (tally_.total > 0) --tally_.total;
}

// Output
// -----------------------------------------------------------------------------------------------

void Engine::print_in_order(std::size_t number, Outcome outcome) {
    if (!options_.keeps_order) return print(outcome);
    if (number != next_to_print_) {
        held_back_.emplace(number, std::move(outcome));
        return;
    }
    print(outcome);
    for (++next_to_print_; !held_back_.empty() && held_back_.begin()->first == next_to_print_;
         ++next_to_print_) {
        print(held_back_.begin()->second);
        held_back_.erase(held_back_.begin());
    }
}

void Engine::print(const Outcome& outcome) {
    if (outcome.output.size() == 0 && outcome.error_output.size() == 0) return;
    draw_progress(true);
    int error = outcome.output.write_to(kStandardOutput);
    if (const int other = outcome.error_output.write_to(kStandardError); error == 0) error = other;
    if (error == 0 || has_failed_) return;
    // Nobody sees what the others would still do.
    fail(std::system_error(error, std::generic_category(), "standard output"));
    stop_all();
}

void Engine::fail(const std::exception& error) {
    has_failed_ = true;
    draw_progress(true);
    (void)write_all(kStandardError, fmt::format("weft map: {}\n", error.what()));
}

/// Draws the line, or takes it away (`is_last`) so that something else can be written.
void Engine::draw_progress(bool is_last) {
    if (!options_.shows_progress) return;
    if (is_last) {
        if (std::exchange(has_progress_line_, false)) (void)write_all(kStandardError, "\r\033[K");
        next_progress_ = Clock::now();
        return;
    }
    const Clock::time_point now = Clock::now();
    if (now < next_progress_) return;
    next_progress_ = now + kProgressEvery;
    has_progress_line_ = true;
    const std::chrono::duration<double> past = now - started_;
    std::string left;
    if (tally_.done > 0 && tally_.total >= tally_.done) {
        const double seconds = past.count() / static_cast<double>(tally_.done) *
                               static_cast<double>(tally_.total - tally_.done);
        left = fmt::format(", {:.0f} s left", seconds);
    }
    (void)write_all(kStandardError,
                    fmt::format("\r\033[K{}/{} done, {} running, {} failed{}", tally_.done,
                                tally_.total, running_, tally_.failed, left));
}

// Stopping
// ---------------------------------------------------------------------------------------------

void Engine::finish_up() {
    if (state_ == State::going) state_ = State::finishing;
}

void Engine::stop(Running& running) {
    running.is_stopping = true;
    running.act_at = Clock::now() + kKillAfter;
    (void)running.child->signal_group(SIGTERM);
}

void Engine::stop_all() {
    state_ = State::stopping;
    for (const auto& each : places_) {
        if (each != nullptr && !each->is_stopping) stop(*each);
    }
}

int Engine::exit_status() {
    constexpr int kSignalled = 128;
    if (has_failed_) return kOwnFailure;
    if (signals_seen_ > 0) {
        const bool is_complete = !has_stopped_ && again_.empty() &&
                                 (is_input_ended_ || inputs_.look() == Inputs::State::ended);
        if (!is_complete) return kSignalled + StopSignals::last();
    }
    return options_.halt.exit_status(tally_, has_halted_, status_of_last_failed_);
}

}  // namespace map

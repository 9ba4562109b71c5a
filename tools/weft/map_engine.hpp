#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <weft/subprocess/popen.hpp>

#include "map_halt.hpp"
#include "map_inputs.hpp"
#include "map_log.hpp"
#include "map_output.hpp"
#include "map_system.hpp"
#include "map_template.hpp"

namespace map {

struct EngineOptions {
    std::size_t at_once = 1;  ///< how many jobs run at the same time
    bool keeps_order = false;
    bool is_dry = false;  ///< commands are shown and not run
    std::size_t tries = 1;
    std::optional<Clock::duration> timeout{};
    Halt halt{};
    bool shows_progress = false;
};

/// Runs the jobs. One thread: everything happens in one loop, which waits for the ends of jobs (by
/// their pidfds), for their outputs, for the next input and for signals.
///
/// A job:
///
///     waiting --start--> running --end--> done | failed --> printed, logged
///        |                 |  ^              |
///        |                 |  +- retrying <--+ (tries are left, and nothing stops)
///        |                 +--(time is up, or all is stopped)--> stopping --end--> failed
///        +--(the job log has it)--> skipped
///
/// The whole:
///
///     going --(Ctrl-C, --halt soon, a log that cannot be written)--> finishing: nothing starts
///       |                                                               |
///       +--(Ctrl-C twice, --halt now, an output that nobody reads)------+--> stopping: every group
///            of processes gets SIGTERM, half a second later SIGKILL (at once with Ctrl-C again)
///
/// Order of shutdown: the last job's end, what keep-order has held back, the timeline. An exception
/// leaves through the destructor, which kills the groups that run.
class Engine {
public:
    /// `command` null: each input is a whole command. `log` and `timeline` may be null. All must
    /// outlive this.
    Engine(EngineOptions options, Inputs& inputs, const Template* command, JobLog* log,
           Timeline* timeline);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Until all is done or stopped; returns the exit status. Throws `std::system_error`.
    int run();

private:
    enum class State { going, finishing, stopping };
    enum Kind : std::uint64_t { process, output, error_output };

    struct Job {
        std::size_t number = 0;
        std::vector<std::string> arguments;
        std::size_t attempt = 0;
    };
    struct Running {
        Job job;
        Record record;
        Spool output;
        Spool error_output;
        std::optional<weft::subprocess::Popen> child{};
        std::uint64_t generation = 0;  ///< tells its events from those of the job before it
        bool is_output_open = true;
        bool is_error_output_open = true;
        bool is_stopping = false;
        bool is_expired = false;
        std::optional<Clock::time_point> act_at{};  ///< time is up; or SIGKILL is due
    };
    struct Outcome {
        Spool output;
        Spool error_output;
    };

    void start_some();
    std::optional<Job> take_job();
    [[nodiscard]] bool has_room() const noexcept;
    void start(Job job);
    bool launch(Running& running, const Command& command);
    void watch(Running& running, std::size_t place);
    void react(std::uint64_t tag);
    void react_to_signal();
    void react_to_time();
    [[nodiscard]] std::optional<Clock::time_point> next_time() const;
    void read(Running& running, Kind kind);
    void drain(Running& running);
    void end(std::size_t place, int code);
    void conclude(Running running);
    void count(const Record& record, bool is_stopped);
    void skip(std::size_t number);
    void print_in_order(std::size_t number, Outcome outcome);
    void print(const Outcome& outcome);
    void stop(Running& running);
    void finish_up();
    void stop_all();
    void fail(const std::exception& error);
    void watch_input(bool is_wanted);
    void draw_progress(bool is_last);
    [[nodiscard]] int exit_status();

    EngineOptions options_;
    Inputs& inputs_;
    const Template* command_;
    JobLog* log_;
    Timeline* timeline_;

    Poller poller_;
    StopSignals signals_;
    File null_;
    Store store_;
    State state_ = State::going;
    std::vector<std::unique_ptr<Running>> places_;
    std::size_t running_ = 0;
    std::uint64_t generation_ = 0;
    std::size_t last_number_ = 0;
    std::deque<Job> again_;  ///< to be tried again, or not started for want of resources
    bool lacks_resources_ = false;
    bool is_input_watched_ = false;
    bool is_input_ended_ = false;

    std::map<std::size_t, Outcome> held_back_;  ///< by keep-order
    std::size_t next_to_print_ = 1;

    Tally tally_;
    bool has_halted_ = false;
    bool has_failed_ = false;   ///< weft map itself
    bool has_stopped_ = false;  ///< some jobs, against their will
    std::optional<int> status_of_last_failed_;
    int signals_seen_ = 0;
    Clock::time_point started_ = Clock::now();
    Clock::time_point next_progress_ = Clock::now();
    bool has_progress_line_ = false;
};

}  // namespace map

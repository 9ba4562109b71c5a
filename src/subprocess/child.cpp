#include "subprocess/child.hpp"

#include <chrono>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <weft/errors.hpp>
#include <weft/unraisable.hpp>

#include "detail/fd_wait.hpp"
#include "detail/fmt.hpp"
#include "os/posix/cancellation.hpp"
#include "os/posix/forced_unwind.hpp"
#include "subprocess/limits.hpp"
#include "subprocess/plan.hpp"

namespace weft::detail {

using subprocess::Exchange;
using subprocess::Launched;
using subprocess::left_of;
using subprocess::limits_of;
using subprocess::OnDrop;
using subprocess::Output;

namespace {

constexpr auto kGrace = std::chrono::milliseconds(250);
constexpr int kTerminateSignal = 15;
constexpr int kKillSignal = 9;

/// A token that can never be triggered is none.
const std::stop_token* usable(const std::stop_token* stop) {
    return stop != nullptr && stop->stop_possible() ? stop : nullptr;
}

WaitLimits uninterruptible(Timeout timeout) {
    WaitLimits limits = limits_of(timeout);
    limits.is_interruptible = false;
    return limits;
}

}  // namespace

Child::Child(subprocess::Args args, subprocess::PopenOptions options)
    : args_(std::move(args)),
      options_(std::move(options)),
      unwinding_(std::uncaught_exceptions()),
      launched_(subprocess::launch(args_, options_)),
      is_text_(launched_.text.has_value()) {
    // What they hold must not live as long as the child.
    options_.preexec_fn = nullptr;
    options_.stdin_ = {};
    options_.stdout_ = {};
    options_.stderr_ = {};
}

WaitEnd Child::wait_for_end(const WaitLimits& limits) {
    const WaitEnd end = process().wait(limits);
    if (end == WaitEnd::interrupted && !has_given_grace_.exchange(true)) {
        // Ctrl-C has most likely reached the child as well.
        const Timeout left = left_of(limits.deadline);
        const bool is_short = !left.is_none() && left.length() < kGrace;
        (void)process().wait(uninterruptible(is_short ? left : Timeout(kGrace)));
    }
    return end;
}

void Child::throw_expired(Timeout timeout) const {
    throw subprocess::TimeoutExpired(args_, subprocess::seconds_of(timeout));
}

int Child::wait(Timeout timeout, const std::stop_token* stop) {
    const WaitEnd end = wait_for_end(limits_of(timeout, usable(stop)));
    throw_if_stopped(end);
    if (end == WaitEnd::timed_out) throw_expired(timeout);
    return *process().code();
}

int Child::wait_for_family(Timeout timeout, const std::stop_token* stop) {
    if (!launched_.family) {
        throw std::logic_error(fmt::format(
            "child {} was started without track_family: nobody knows what it has started",
            process().pid()));
    }
    const WaitLimits limits = limits_of(timeout, usable(stop));
    os::Watched watched{.fd = launched_.family.fd()};
    WaitEnd end = wait_for_descriptors({&watched, 1}, limits);
    // The child may have closed its end and go on.
    if (end == WaitEnd::notified) end = wait_for_end(limits);
    throw_if_stopped(end);
    if (end == WaitEnd::timed_out) throw_expired(timeout);
    return *process().code();
}

void Child::begin(const std::optional<std::string>& input) {
    if (exchange_ != nullptr) {
        if (input) {
            throw std::invalid_argument("cannot send input after starting communication");
        }
        return;
    }
    if (input && !input->empty() && launched_.input == nullptr) {
        throw std::invalid_argument("input for a child whose stdin_ is not PIPE");
    }
    auto exchange = std::make_unique<Exchange>();
    if (launched_.output != nullptr) {
        output_ = exchange->collect(launched_.output, listeners_.output);
    }
    if (launched_.error_output != nullptr) {
        error_output_ = exchange->collect(launched_.error_output, listeners_.error_output);
    }
    if (launched_.input != nullptr) exchange->feed(launched_.input, input.value_or(std::string()));
    exchange_ = std::move(exchange);
}

void Child::talk(const std::optional<std::string>& input, Timeout timeout,
                 const WaitLimits& limits) {
    begin(input);
    if (result_) return;
    WaitEnd end = exchange_->run(limits);
    if (end == WaitEnd::interrupted) {
        has_given_grace_.store(true);
        (void)process().wait(uninterruptible(kGrace));
    }
    if (end == WaitEnd::notified) end = wait_for_end(limits);
    throw_if_stopped(end);
    if (end == WaitEnd::timed_out) {
        const auto bytes = [&](const std::optional<std::size_t>& number) {
            std::string read = number ? exchange_->bytes(*number) : std::string();
            return read.empty() ? std::nullopt : std::optional(std::move(read));
        };
        throw subprocess::TimeoutExpired(args_, subprocess::seconds_of(timeout), bytes(output_),
                                         bytes(error_output_));
    }
    // Both or none: what cannot be decoded costs neither.
    if (output_) exchange_->finish(*output_);
    if (error_output_) exchange_->finish(*error_output_);
    Output result;
    if (output_) result.stdout_ = exchange_->take_text(*output_);
    if (error_output_) result.stderr_ = exchange_->take_text(*error_output_);
    result_ = std::move(result);
}

Output Child::communicate(const std::optional<std::string>& input, Timeout timeout,
                          const std::stop_token* stop) {
    stop = usable(stop);
    const WaitLimits limits = limits_of(timeout, stop);
    // Another thread's conversation comes first; its result is then this one's too.
    if (!subprocess::acquire_within(conversation_lock_, limits)) throw_expired(timeout);
    const std::unique_lock held(conversation_lock_, std::adopt_lock);
    talk(input, timeout, limits);
    return *result_;
}

Output Child::communicate_once(const std::optional<std::string>& input, Timeout timeout,
                               const std::stop_token* stop) {
    talk(input, timeout, limits_of(timeout, usable(stop)));
    return std::move(*result_);
}

int Child::stop(const subprocess::StopOptions& options) {
    // The child may end before those that it has started, and be reaped by any thread.
    process().kill_group_at_end();
    process().signal_all(options.ask);
    const WaitEnd end = process().wait(limits_of(options.grace));
    if (end != WaitEnd::notified || process().leads_group()) {
        process().signal_all(kKillSignal);
        (void)process().wait(uninterruptible({}));
    }
    throw_if_stopped(end);
    return *process().code();
}

void Child::close_and_wait() {
    std::exception_ptr first;
    const auto attempt = [&first](auto&& close) {
        try {
            close();
        } catch (const os::ForcedUnwind&) {
            throw;
        } catch (...) {
            if (!first) first = std::current_exception();
        }
    };
    if (launched_.output != nullptr) attempt([&] { launched_.output->close(); });
    if (launched_.error_output != nullptr) attempt([&] { launched_.error_output->close(); });
    if (launched_.input != nullptr) attempt([&] { launched_.input->close(); });
    hang_up();
    const WaitEnd end = wait_for_end({});
    throw_if_stopped(end);
    if (first) std::rethrow_exception(first);
}

void Child::kill_and_wait() noexcept {
    if (kill_all()) wait_killed();
}

bool Child::kill_all() noexcept {
    const os::WithoutCancellation whole;
    try {
        process().signal_all(kKillSignal);
        return true;
    } catch (...) {
        // A child that is another user's by now. It could go on for ever: it is left to the reaper.
        report_unraisable({std::current_exception(), "", "run"});
        return false;
    }
}

void Child::wait_killed() noexcept {
    const os::WithoutCancellation whole;
    try {
        (void)process().wait(uninterruptible({}));
    } catch (...) {
        report_unraisable({std::current_exception(), "", "run"});
    }
}

bool Child::is_unwinding() const noexcept {
    return std::uncaught_exceptions() > unwinding_;
}

/// Until now the terminal has been kept open, whichever streams were closed: a child that has
/// closed its side, or has been told that its input ends, must not be killed by SIGHUP for that.
void Child::hang_up() noexcept {
    if (!has_hung_up_.exchange(true)) launched_.terminal.close();
}

void Child::signal_at_drop() noexcept {
    try {
        if (options_.on_drop == OnDrop::terminate) process().signal_all(kTerminateSignal);
        if (options_.on_drop == OnDrop::kill) process().signal_all(kKillSignal);
    } catch (...) {
        report_unraisable({std::current_exception(), "", "Popen"});
    }
}

void Child::close_pipes_silently() noexcept {
    const bool is_own = process().is_own();
    const bool waits = options_.on_drop == OnDrop::wait && is_own && !is_unwinding();
    const auto attempt = [](auto&& close) {
        try {
            close();
        } catch (...) {
            // A child that reads no more, or Ctrl-C, which the next wait throws again.
        }
    };
    for (PipeReaderState* each : {launched_.output.get(), launched_.error_output.get()}) {
        if (each == nullptr) continue;
        // Another thread may read what the child goes on writing for as long as it runs.
        attempt([&] { waits ? each->close() : each->abandon(!is_own); });
    }
    if (launched_.input == nullptr) return;
    // What is kept for a child that is to be ended is lost with it. To write it could block on a
    // full pipe until the child ends by itself. A terminal is about to hang up, which says more
    // than the end of its input.
    const bool is_kept_written = options_.on_drop == OnDrop::reap && !is_unwinding();
    attempt([&] {
        waits ? launched_.input->close(false) : launched_.input->abandon(!is_own, is_kept_written);
    });
}

void Child::wait_at_drop() noexcept {
    try {
        WaitEnd end = WaitEnd::timed_out;
        if (is_unwinding()) {
            end = process().wait(uninterruptible(kGrace));
        } else if (options_.on_drop == OnDrop::kill) {
            end = process().wait(uninterruptible({}));
        } else {
            end = wait_for_end({});
        }
        if (end == WaitEnd::notified || process().poll()) return;
        warn(WarningCategory::ResourceWarning,
             fmt::format("subprocess {} is still running", process().pid()));
    } catch (...) {
        report_unraisable({std::current_exception(), "", "Popen"});
    }
}

Child::~Child() {
    // Nothing here may be unwound; a request to cancel this thread stays for later.
    const os::WithoutCancellation whole;
    if (process().is_own() && !process().poll()) signal_at_drop();
    close_pipes_silently();
    hang_up();
    if (!process().is_own()) return;
    if (!process().poll() && options_.on_drop != OnDrop::reap) wait_at_drop();
    if (!process().poll()) subprocess::leave_to_reaper(std::move(launched_.process));
}

void Child::set_text(bool is_text) {
    std::optional<subprocess::TextFormat> format;
    if (is_text) format = subprocess::find_text_format(options_.encoding, options_.errors);
    if (launched_.output != nullptr) launched_.output->set_text(format);
    if (launched_.error_output != nullptr) launched_.error_output->set_text(format);
    if (launched_.input != nullptr) launched_.input->set_text(format);
    is_text_.store(is_text, std::memory_order_relaxed);
}

std::string Child::repr() const {
    constexpr std::size_t kLongest = 80;
    const std::optional<int> code = process().code();
    std::string text = fmt::format("<Popen: returncode: {} args: {}>",
                                   code ? fmt::format("{}", *code) : "None", args_.repr());
    if (text.size() > kLongest) text = text.substr(0, kLongest - 4) + "...>";
    return text;
}

}  // namespace weft::detail

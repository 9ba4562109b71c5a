#include <weft/subprocess/popen.hpp>

#include <stdexcept>
#include <utility>

#include "detail/fmt.hpp"
#include "subprocess/child.hpp"

namespace weft::subprocess {

namespace {

constexpr int kTerminateSignal = 15;
constexpr int kKillSignal = 9;

}  // namespace

Popen::Popen(Args args, PopenOptions options)
    : child_(std::make_unique<weft::detail::Child>(std::move(args), std::move(options))) {}

Popen::Popen(std::initializer_list<Arg> args, PopenOptions options)
    : Popen(Args(args), std::move(options)) {}

Popen::Popen(Popen&& other) noexcept = default;
Popen& Popen::operator=(Popen&& other) noexcept = default;
Popen::~Popen() = default;

std::optional<int> Popen::poll() {
    return child_->process().poll();
}

int Popen::wait(Timeout timeout) {
    return child_->wait(timeout, nullptr);
}

int Popen::wait(std::stop_token stop, Timeout timeout) {
    return child_->wait(timeout, &stop);
}

Output Popen::communicate(std::optional<std::string> input, Timeout timeout) {
    return child_->communicate(input, timeout, nullptr);
}

Output Popen::communicate(std::stop_token stop, std::optional<std::string> input, Timeout timeout) {
    return child_->communicate(input, timeout, &stop);
}

void Popen::send_signal(int signal) {
    child_->process().signal(signal);
}

void Popen::terminate() {
    send_signal(kTerminateSignal);
}

void Popen::kill() {
    send_signal(kKillSignal);
}

bool Popen::kill_group() {
    return signal_group(kKillSignal);
}

bool Popen::signal_group(int signal) {
    if (!child_->process().leads_group()) {
        throw std::logic_error(
            fmt::format("child {} leads no process group, so its group is another's; start it with "
                        "process_group = 0 or start_new_session = true",
                        pid()));
    }
    return child_->process().signal_group(signal);
}

int Popen::stop(StopOptions options) {
    return child_->stop(options);
}

int Popen::wait_for_family(Timeout timeout) {
    return child_->wait_for_family(timeout, nullptr);
}

int Popen::wait_for_family(std::stop_token stop, Timeout timeout) {
    return child_->wait_for_family(timeout, &stop);
}

void Popen::close() {
    child_->close_and_wait();
}

const Args& Popen::args() const noexcept {
    return child_->args();
}

PipeWriter Popen::stdin_() const noexcept {
    return weft::detail::PipeAccess::make(child_->launched().input);
}

PipeReader Popen::stdout_() const noexcept {
    return weft::detail::PipeAccess::make(child_->launched().output);
}

PipeReader Popen::stderr_() const noexcept {
    return weft::detail::PipeAccess::make(child_->launched().error_output);
}

int Popen::pid() const noexcept {
    return child_->process().pid();
}

std::optional<int> Popen::returncode() const noexcept {
    return child_->process().code();
}

bool Popen::universal_newlines() const noexcept {
    return child_->is_text();
}

void Popen::set_universal_newlines(bool text) {
    child_->set_text(text);
}

int Popen::pidfd() const noexcept {
    return child_->process().pidfd();
}

int Popen::family_fd() const noexcept {
    return child_->launched().family.fd();
}

std::optional<ResourceUsage> Popen::rusage() const {
    const std::optional<os::Usage> usage = child_->process().usage();
    if (!usage) return std::nullopt;
    return ResourceUsage{.user_time = std::chrono::nanoseconds(usage->user_ns),
                         .system_time = std::chrono::nanoseconds(usage->system_ns),
                         .max_resident_bytes = usage->max_resident_bytes,
                         .minor_faults = usage->minor_faults,
                         .major_faults = usage->major_faults,
                         .voluntary_switches = usage->voluntary_switches,
                         .involuntary_switches = usage->involuntary_switches};
}

std::string Popen::repr() const {
    return child_->repr();
}

}  // namespace weft::subprocess

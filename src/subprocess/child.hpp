#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include <weft/detail/wait_list.hpp>
#include <weft/subprocess/args.hpp>
#include <weft/subprocess/errors.hpp>
#include <weft/subprocess/options.hpp>
#include <weft/subprocess/popen.hpp>
#include <weft/threading/lock.hpp>

#include "subprocess/child_process.hpp"
#include "subprocess/exchange.hpp"
#include "subprocess/launch.hpp"

namespace weft::detail {

/// What a Popen owns: the process, our ends of its pipes, and the conversation.
///
///     conversation: not begun --communicate()--> begun --(streams and child ended)--> done
///                                  ^  |
///                                  +--+ a limit: what was read is kept
///
/// `conversation_lock_` is held during communicate(). Order of shutdown, in the destructor: the
/// signal that `on_drop` asks for; the pipes, outputs first, of which only a destructor that waits
/// for the child waits for other threads that use them; the wait that `on_drop` asks for; then the
/// process is dropped, to the reaper if it still runs.
class Child {
public:
    Child(subprocess::Args args, subprocess::PopenOptions options);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    int wait(Timeout timeout, const std::stop_token* stop);
    int wait_for_family(Timeout timeout, const std::stop_token* stop);
    subprocess::Output communicate(const std::optional<std::string>& input, Timeout timeout,
                                   const std::stop_token* stop);
    /// The same for a child that nobody else talks to, once: without keeping a copy.
    subprocess::Output communicate_once(const std::optional<std::string>& input, Timeout timeout,
                                        const std::stop_token* stop);
    int stop(const subprocess::StopOptions& options);
    /// Closes the pipes and waits; what closing throws is thrown after that.
    void close_and_wait();
    /// SIGKILL for the child, and its group if it leads one, then waits, come what may.
    void kill_and_wait() noexcept;
    /// The first half of that; false when the child is not ours to kill, and is not waited for.
    bool kill_all() noexcept;
    /// The second half.
    void wait_killed() noexcept;
    [[nodiscard]] subprocess::ChildProcess& process() const noexcept { return *launched_.process; }
    [[nodiscard]] subprocess::Launched& launched() noexcept { return launched_; }
    [[nodiscard]] const subprocess::Args& args() const noexcept { return args_; }
    [[nodiscard]] bool is_text() const noexcept { return is_text_.load(std::memory_order_relaxed); }
    void set_text(bool is_text);
    [[nodiscard]] std::string repr() const;

    /// For run(): what listens to the outputs beside or instead of the capture.
    struct Listeners {
        subprocess::Listener output{};
        subprocess::Listener error_output{};
    };
    void set_listeners(Listeners listeners) { listeners_ = std::move(listeners); }
    [[nodiscard]] static bool listens(const subprocess::Listener& listener) noexcept {
        return listener.on_line || listener.on_chunk || listener.tee >= 0;
    }
    [[nodiscard]] bool has_listeners() const noexcept {
        return listens(listeners_.output) || listens(listeners_.error_output);
    }
    [[nodiscard]] bool captures_output() const noexcept {
        return launched_.output != nullptr && listeners_.output.is_captured;
    }
    [[nodiscard]] bool captures_error_output() const noexcept {
        return launched_.error_output != nullptr && listeners_.error_output.is_captured;
    }

private:
    /// Talks until there is a result; with the lock held.
    void talk(const std::optional<std::string>& input, Timeout timeout, const WaitLimits& limits);
    void begin(const std::optional<std::string>& input);
    /// Waits; `interrupted` comes after a grace for the child. Does not throw for ends.
    WaitEnd wait_for_end(const WaitLimits& limits);
    [[noreturn]] void throw_expired(Timeout timeout) const;
    void signal_at_drop() noexcept;
    void close_pipes_silently() noexcept;
    void wait_at_drop() noexcept;
    [[nodiscard]] bool is_unwinding() const noexcept;
    void hang_up() noexcept;

    subprocess::Args args_;
    subprocess::PopenOptions options_;
    int unwinding_;  ///< how many exceptions were under way at the start
    subprocess::Launched launched_;
    std::atomic<bool> is_text_;
    std::atomic<bool> has_hung_up_{false};
    std::atomic<bool> has_given_grace_{false};  ///< Ctrl-C makes it wait a moment, once

    threading::Lock conversation_lock_;  ///< guards what follows
    std::unique_ptr<subprocess::Exchange> exchange_;
    std::optional<std::size_t> output_;        ///< its number in the exchange
    std::optional<std::size_t> error_output_;  ///< likewise
    std::optional<subprocess::Output> result_;
    Listeners listeners_;
};

}  // namespace weft::detail

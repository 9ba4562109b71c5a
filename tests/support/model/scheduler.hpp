#pragma once

#include <semaphore.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

// The model's scheduler: real threads, of which one runs at a time. Every modelled operation asks
// here before it takes effect, and may find that other threads run first.

namespace weft::model {

/// How far a search goes. A search without preemptions only switches where a thread blocks or ends;
/// most errors need one or two.
struct Bounds {
    int preemptions = 2;     ///< switches away from a thread that could have gone on
    int spurious = 0;        ///< returns of futex waits for no reason
    int weak_failures = 0;   ///< failures of compare_exchange_weak for no reason
    int delayed_stores = 0;  ///< stores that are not seq_cst, kept in their thread's store buffer
    int cpus = 1;            ///< what os::usable_cpus() says
    std::int64_t nanoseconds_per_look = 1;  ///< by how much each look at the clock moves it
};

/// What the scheduler may do next.
struct Action {
    enum class Kind : std::uint8_t { run, time_out, wake_spuriously };
    Kind kind;
    int task;
};

/// Takes the decisions of one execution.
class Chooser {
public:
    virtual ~Chooser() = default;
    /// One of several actions, by its place; the first is to go on with the running thread, if that
    /// is possible.
    virtual std::size_t pick(std::span<const Action> actions) = 0;
    /// Whether something unusual happens that the bounds permit.
    virtual bool flip() = 0;
};

/// One operation of a thread that waits in the store buffer.
struct DelayedStore {
    void* object;
    void (*apply)(void* object, const void* value);
    alignas(8) std::byte value[8];
};

class Scheduler {
public:
    static Scheduler& instance();

    /// Runs the bodies, each as a thread, until all have ended. Fails the search (and does not
    /// return) when they cannot.
    void run(std::span<const std::function<void()>> bodies, const Bounds& bounds, Chooser& chooser);

    /// Where the model ends up when the program is wrong: tells the reason and ends the process.
    std::function<void(const std::string&)> on_failure;
    /// Told of every operation, in a replay.
    std::function<void(int task, const char* operation, const void* object)> on_operation;
    /// Called before each operation of a thread that the model does not run.
    std::function<void()> on_free_operation;

    // What modelled operations call. On threads that the model does not run, they have no effect.

    /// Others may run before this operation. An operation that drains writes this thread's store
    /// buffer to memory first.
    void point(const char* operation, const void* object, bool drains);
    [[nodiscard]] bool is_modelled() const;
    [[nodiscard]] bool fails_weakly();
    [[nodiscard]] bool delays_store();
    void delay(const DelayedStore& store);
    [[nodiscard]] const void* find_delayed(const void* object) const;
    void forget_delayed(const void* object);

    void futex_wait(const void* address, const std::function<bool()>& is_as_expected,
                    std::int64_t deadline);
    int futex_wake(const void* address, int most);
    void yield();
    [[nodiscard]] std::int64_t look_at_clock();
    [[nodiscard]] int cpus() const { return bounds_.cpus; }
    [[noreturn]] void fail(const std::string& reason);

private:
    enum class State : std::uint8_t { ready, yielding, asleep, ended };

    struct Task {
        int number = 0;
        State state = State::ended;
        const void* sleeps_on = nullptr;
        std::int64_t deadline = 0;
        std::uint64_t asleep_since = 0;
        int yields = 0;
        std::deque<DelayedStore> stores;
        const std::function<void()>* body = nullptr;
        const char* operation = "";
        sem_t turn;
    };

    Scheduler() = default;
    Task& task(int number);
    static void work(Scheduler& scheduler, Task& mine);
    void hand_on(Task& from);
    [[nodiscard]] bool have_all_ended() const;
    void list_actions(const Task& from);
    void drain(Task& mine, std::size_t count);
    [[nodiscard]] std::string describe() const;

    static thread_local Task* current_;

    std::deque<Task> tasks_;
    std::size_t running_ = 0;  ///< how many of the tasks belong to this execution
    std::vector<Action> actions_;
    Bounds bounds_;
    Chooser* chooser_ = nullptr;
    std::uint64_t steps_ = 0;
    int preemptions_ = 0;
    int spurious_ = 0;
    int weak_failures_ = 0;
    int delayed_stores_ = 0;
    std::int64_t clock_ = 0;
    sem_t is_ready_;  ///< posted by a new thread when it can be given a turn
    sem_t all_ended_;
};

}  // namespace weft::model

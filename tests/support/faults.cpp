#include "support/faults.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <new>
#include <system_error>

#include "support/fault_points.hpp"

namespace weft::test::faults {

namespace {

// More than any body that ends needs.
constexpr std::size_t kMostRuns = 100'000;

enum class Kind { none, allocation, call };

/// What is failing now; one loop runs at a time.
struct Injection {
    std::atomic<Kind> kind{Kind::none};
    std::atomic<bool> is_for_all{false};
    std::atomic<bool> is_persistent{false};
    std::atomic<std::size_t> seen{0};
    std::atomic<std::size_t> target{0};
    std::atomic<bool> has_failed{false};
    const std::function<int(const Call&)>* error = nullptr;
};

constinit Injection injection;
constinit thread_local bool is_armed_thread = false;
constinit thread_local int pauses = 0;

bool concerns_this_thread(Kind kind) noexcept {
    return injection.kind.load() == kind && pauses == 0 &&
           (is_armed_thread || injection.is_for_all.load());
}

bool is_due() noexcept {
    const std::size_t number = injection.seen.fetch_add(1) + 1;
    const std::size_t target = injection.target.load();
    if (number != target && !(injection.is_persistent.load() && number > target)) return false;
    injection.has_failed.store(true);
    return true;
}

template <class Options>
class Armed {
public:
    Armed(Kind kind, std::size_t target, const Options& options) {
        injection.seen = 0;
        injection.target = target;
        injection.has_failed = false;
        injection.is_for_all = options.threads == Threads::all;
        injection.is_persistent = options.persistence == Persistence::from_then_on;
        is_armed_thread = true;
        injection.kind = kind;
    }
    ~Armed() {
        injection.kind = Kind::none;
        is_armed_thread = false;
    }
    Armed(const Armed&) = delete;
    Armed& operator=(const Armed&) = delete;
};

/// Runs the body once; whatever leaves it is classified with nothing failing any more.
template <class Options>
std::exception_ptr run_armed(Kind kind, std::size_t target, const Options& options,
                             const std::function<void()>& body) {
    const Armed<Options> armed(kind, target, options);
    try {
        body();
    } catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

bool is_expected(Kind kind, const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
        return true;
    } catch (const std::system_error&) {
        return kind == Kind::call;
    } catch (...) {
        return false;
    }
}

template <class Options>
std::size_t run_all(Kind kind, const char* what, const std::function<void()>& body,
                    const Options& options) {
    for (std::size_t n = 1; n <= kMostRuns; ++n) {
        const std::exception_ptr thrown = run_armed(kind, n, options, body);
        const bool has_failed = injection.has_failed.load();
        if (thrown != nullptr && (!has_failed || !is_expected(kind, thrown))) {
            ADD_FAILURE() << "the body threw "
                          << (has_failed ? "something unexpected when " : "without a failure of ")
                          << what << ' ' << n;
            std::rethrow_exception(thrown);
        }
        options.invariant();
        if (testing::Test::HasFatalFailure()) return n;
        if (!has_failed) return n - 1;
    }
    ADD_FAILURE() << "the body still makes more of: " << what;
    return kMostRuns;
}

}  // namespace

bool is_allocation_to_fail() noexcept {
    return concerns_this_thread(Kind::allocation) && is_due();
}

int error_of(std::string_view name) noexcept {
    if (!concerns_this_thread(Kind::call)) return 0;
    const Pause while_asking;
    const int error = (*injection.error)(Call{name});
    return error != 0 && is_due() ? error : 0;
}

int usual_error(const Call& call) {
    struct Row {
        std::string_view name;
        int error;
    };
    static constexpr Row kRows[] = {
        {"futex_wait", EINTR},
        {"open", EMFILE},
        {"opendir", EMFILE},
        {"read", EINTR},
        {"write", EINTR},
        {"pipe2", EMFILE},
        {"eventfd", EMFILE},
        {"mmap", ENOMEM},
        {"fork", EAGAIN},
        {"pthread_create", EAGAIN},
        {"pthread_attr_init", ENOMEM},
        {"pthread_key_create", EAGAIN},
        {"pthread_atfork", ENOMEM},
        {"sched_getaffinity", EINVAL},
        {"poll", EINTR},
    };
    for (const Row& row : kRows) {
        if (row.name == call.name) return row.error;
    }
    return 0;
}

std::size_t for_every_allocation(const std::function<void()>& body,
                                 const AllocationOptions& options) {
    return run_all(Kind::allocation, "allocation", body, options);
}

std::size_t for_every_system_call(const std::function<void()>& body, const CallOptions& options) {
    injection.error = &options.error;
    const std::size_t runs = run_all(Kind::call, "system call", body, options);
    injection.error = nullptr;
    return runs;
}

Pause::Pause() noexcept {
    ++pauses;
}
Pause::~Pause() {
    --pauses;
}

}  // namespace weft::test::faults

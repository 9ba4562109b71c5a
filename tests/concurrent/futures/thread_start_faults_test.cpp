// Threads that cannot be started, and memory that is not there.

#include <weft/concurrent/futures.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <string_view>
#include <system_error>
#include <vector>

#include <weft/threading.hpp>

#include "support/faults.hpp"

namespace {

using namespace weft;
using futures::Future;
using futures::ThreadPoolExecutor;
namespace faults = weft::test::faults;

TEST(ThreadPoolStart, OfAFurtherWorkerMayFail) {
    const auto body = [] {
        threading::Event go;
        ThreadPoolExecutor pool(3);
        std::vector<Future<int>> all;
        for (int i = 0; i < 5; ++i) {
            all.push_back(pool.submit([&go, i] {
                go.wait();
                return i;
            }));
        }
        go.set();
        for (int i = 0; i < 5; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].result(), i);
        pool.shutdown();
        EXPECT_EQ(pool.stats().completed, 5u);
    };
    const auto threads_only = [](const faults::Call& call) {
        return call.name == "pthread_create" ? EAGAIN : 0;
    };
    // A worker may have started the others.
    EXPECT_GE(faults::for_every_system_call(body, {.error = threads_only}), 1u);
}

TEST(ThreadPoolStart, OfTheOnlyWorkerRefusesTheCallWhenItFails) {
    int runs = 0;
    std::size_t refusals = 0;
    const auto body = [&] {
        ThreadPoolExecutor other(1);
        try {
            other.submit([&] { ++runs; }).result();
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
            ++refusals;
        }
        other.submit([&] { ++runs; }).result();
    };
    const auto threads_only = [](const faults::Call& call) {
        return call.name == "pthread_create" ? EAGAIN : 0;
    };
    EXPECT_EQ(faults::for_every_system_call(body, {.error = threads_only}), 1u);
    EXPECT_EQ(refusals, 1u);
    EXPECT_EQ(runs, 3);
}

TEST(ThreadPoolStart, LosesNothingWithoutMemory) {
    faults::for_every_allocation([] {
        ThreadPoolExecutor pool({.max_workers = 2, .max_pending = 10});
        const auto first = pool.submit([] { return 1; });
        const auto second = pool.submit({.priority = 1, .name = "second"}, [] { return 2; });
        EXPECT_EQ(first.result() + second.result(), 3);
        int sum = 0;
        for (const int n : pool.map([](int m) { return m; }, {1, 2, 3})) sum += n;
        EXPECT_EQ(sum, 6);
    });
}

TEST(ThreadPoolStart, OfAWorkerInPlaceOfABlockedOneRefusesTheCallWhenItFails) {
    std::size_t refusals = 0;
    const auto body = [&] {
        ThreadPoolExecutor pool(1);
        const auto outer = pool.submit([&pool] {
            const std::vector<Future<int>> inner{pool.submit([] { return 1; })};
            int sum = 0;
            for (const auto& each : futures::as_completed(inner)) sum += each.result();
            return sum;
        });
        try {
            EXPECT_EQ(outer.result(), 1);
        } catch (const std::system_error& error) {
            EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
            ++refusals;
        }
    };
    const auto threads_only = [](const faults::Call& call) {
        return call.name == "pthread_create" ? EAGAIN : 0;
    };
    // The first worker's start is refused by submit() itself.
    const auto body_or_refusal = [&] {
        try {
            body();
        } catch (const std::system_error&) {
            ++refusals;
        }
    };
    EXPECT_EQ(faults::for_every_system_call(
                  body_or_refusal, {.threads = faults::Threads::all, .error = threads_only}),
              2u);
    EXPECT_EQ(refusals, 2u);
}

}  // namespace

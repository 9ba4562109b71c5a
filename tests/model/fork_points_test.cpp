// A queue forked at every single moment of an operation: what the child finds is whole.

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>

#include <weft/detail/bounded_word_queue.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/detail/one_lock_queue.hpp>
#include <weft/detail/word_array.hpp>

#include "model/scheduler.hpp"

namespace {

using weft::detail::BoundedWordQueue;
using weft::detail::OneLockQueue;
using weft::detail::Passage;
using weft::detail::WordStack;
using weft::model::Scheduler;

using Stack = OneLockQueue<WordStack>;

template <class Queue>
Passage push(Queue& queue, std::uint64_t word) {
    return queue.try_push(word);
}

/// For each n: forks before the n-th operation on an atomic that `work` does, as if on a thread
/// that the child does not have, and expects `check` to return zero there.
template <class Queue>
void fork_everywhere(const std::function<void(Queue&)>& prepare,
                     const std::function<void(Queue&)>& work,
                     const std::function<int(Queue&)>& check) {
    Scheduler& scheduler = Scheduler::instance();
    for (int n = 0;; ++n) {
        Queue queue(0);
        prepare(queue);
        int left = n;
        pid_t child = -1;
        scheduler.on_free_operation = [&] {
            if (left-- != 0) return;
            child = fork();
            if (child != 0) return;
            left = -1;  // no more
            weft::detail::fork_generation.fetch_add(2);
            _exit(check(queue));
        };
        work(queue);
        scheduler.on_free_operation = nullptr;
        if (child == -1) {
            EXPECT_GT(n, 4) << "there were operations to fork in";
            return;
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFEXITED(status)) << "before operation " << n;
        ASSERT_EQ(WEXITSTATUS(status), 0) << "before operation " << n;
    }
}

template <class Queue>
class ForkPoints : public testing::Test {};
using Queues = testing::Types<BoundedWordQueue, Stack>;
TYPED_TEST_SUITE(ForkPoints, Queues);

TYPED_TEST(ForkPoints, ANewBoundHoldsInTheChildOnceItIsSeen) {
    fork_everywhere<TypeParam>([](auto& queue) { push(queue, 1); },
                               [](auto& queue) { queue.set_maxsize(2); },
                               [](auto& queue) {
                                   while (queue.size() < 5 && push(queue, 1) == Passage::passed) {
                                   }
                                   return queue.size() == (queue.maxsize() == 2 ? 2u : 5u) ? 0 : 1;
                               });
}

TYPED_TEST(ForkPoints, AShutDownQueueTakesNothingInTheChild) {
    fork_everywhere<TypeParam>([](auto& queue) { push(queue, 1); },
                               [](auto& queue) {
                                   typename TypeParam::Contents contents;
                                   queue.shut_down(false, contents);
                               },
                               [](auto& queue) {
                                   const bool is_shut_down = queue.is_shut_down();
                                   if ((push(queue, 2) == Passage::shut_down) != is_shut_down)
                                       return 1;
                                   return queue.size() == (is_shut_down ? 1u : 2u) ? 0 : 2;
                               });
}

TYPED_TEST(ForkPoints, TheChildCanEmptyWhatAnImmediateShutdownHasLeft) {
    fork_everywhere<TypeParam>(
        [](auto& queue) {
            push(queue, 1);
            push(queue, 2);
        },
        [](auto& queue) {
            typename TypeParam::Contents contents;
            queue.shut_down(true, contents);
        },
        [](auto& queue) {
            if (queue.tasks().unfinished() < queue.size()) return 1;
            typename TypeParam::Contents contents;
            queue.shut_down(true, contents);
            typename TypeParam::Taken taken;
            if (queue.try_pop(taken) != Passage::shut_down) return 2;
            return queue.size() == 0 ? 0 : 3;
        });
}

TEST(StackForkPoints, AnArrayThatShrinksKeepsItsWords) {
    fork_everywhere<Stack>(
        [](Stack& queue) {
            for (std::uint64_t word = 0; word < 64; ++word) push(queue, word);
            Stack::Taken taken;
            while (queue.size() > 17) queue.try_pop(taken);
        },
        [](Stack& queue) {
            Stack::Taken taken;
            queue.try_pop(taken);
        },
        [](Stack& queue) {
            const std::uint64_t left = queue.size();
            if (left != 16 && left != 17) return 1;
            for (std::uint64_t word = left; word < 200; ++word) push(queue, word);
            for (std::uint64_t word = 200; word-- > 0;) {
                Stack::Taken taken;
                if (queue.try_pop(taken) != Passage::passed || taken.word != word) return 2;
            }
            return 0;
        });
}

}  // namespace

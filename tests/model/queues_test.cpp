// The engines of the bounded queues, in every interleaving within bounds.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

#include <weft/detail/bounded_word_queue.hpp>
#include <weft/detail/one_lock_queue.hpp>
#include <weft/detail/task_count.hpp>
#include <weft/detail/word_array.hpp>

#include "model/explore.hpp"
#include "programs.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft::model;
using weft::detail::BoundedWordQueue;
using weft::detail::Deadline;
using weft::detail::OneLockQueue;
using weft::detail::Passage;
using weft::detail::TaskCount;
using weft::detail::WaitEnd;
using weft::detail::WordStack;

using Stack = OneLockQueue<WordStack>;

TEST(TaskCountModel, JoinReturnsOnceAllIsDone) {
    EXPECT_TRUE(is_right(tasks_program(), {.preemptions = 3}));
}

TEST(TaskCountModel, MayBeDestroyedByWhoeverReturnsFromJoin) {
    EXPECT_TRUE(is_right([](Execution& run) {
        weft::detail::Atomic<std::uint64_t> put{2};
        auto tasks = std::make_unique<TaskCount>(put);
        require(tasks->finish_one(), "there was a task");
        run.thread([&] { require(tasks->finish_one(), "there was a task"); });
        run.thread([&] {
            require(tasks->join({}) == WaitEnd::notified, "all is done");
            tasks.reset();
        });
        run.go();
    }));
}

TEST(BoundedQueueModel, AProducerGoesOnWhenThereIsRoom) {
    EXPECT_TRUE(is_right(full_queue_program(1, 1), {.preemptions = 3}));
    EXPECT_TRUE(is_right(full_queue_program(2, 1)));
}

TEST(BoundedQueueModel, EveryProducerGoesOnWhenThereIsRoomForAll) {
    EXPECT_TRUE(is_right(full_queue_program(2, 2)));
}

TEST(BoundedQueueModel, AShutdownEndsEveryWait) {
    EXPECT_TRUE(is_right(shut_down_program()));
}

TEST(BoundedQueueModel, TheBoundHolds) {
    EXPECT_TRUE(is_right([](Execution& run) {
        BoundedWordQueue queue(1);
        int passed = 0;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] { passed += queue.try_push(1) == Passage::passed ? 1 : 0; });
        }
        run.go();
        require(passed == 1 && queue.size() == 1, "one of the two had room");
    }));
}

TEST(BoundedQueueModel, APutRacesWithAShutdown) {
    EXPECT_TRUE(is_right([](Execution& run) {
        BoundedWordQueue queue(0);
        Passage put = Passage::blocked;
        Passage got = Passage::blocked;
        run.thread([&] { put = queue.try_push(1); });
        run.thread([&] {
            BoundedWordQueue::Contents contents;
            queue.shut_down(false, contents);
        });
        run.thread([&] {
            BoundedWordQueue::Taken taken;
            got = queue.pop(taken, {});
        });
        run.go();
        require(put == Passage::passed || put == Passage::shut_down, "put or told");
        require(got == put, "what was put is got, and nothing else is waited for");
    }));
}

TEST(BoundedQueueModel, AnImmediateShutdownLeavesNothingAndLosesNothing) {
    EXPECT_TRUE(is_right([](Execution& run) {
        BoundedWordQueue queue(0);
        queue.try_push(1);
        int got = 0;
        int put = 1;
        run.thread([&] { put += queue.try_push(1) == Passage::passed ? 1 : 0; });
        run.thread([&] {
            BoundedWordQueue::Taken taken;
            got += queue.try_pop(taken) == Passage::passed ? 1 : 0;
        });
        int vanished = 0;
        run.thread([&] {
            BoundedWordQueue::Contents contents;
            queue.shut_down(true, contents);
            for (std::uint64_t word = 0; contents.next(word);) ++vanished;
        });
        run.go();
        require(put == got + vanished, "each word went one way");
        require(queue.tasks().unfinished() == static_cast<std::uint64_t>(got),
                "what was got is not done yet");
    }));
}

TEST(BoundedQueueModel, ALargerBoundWakesAProducer) {
    EXPECT_TRUE(is_right(
        [](Execution& run) {
            BoundedWordQueue queue(1);
            queue.try_push(1);
            run.thread(
                [&] { require(queue.push(2, nullptr, {}) == Passage::passed, "it had room"); });
            run.thread([&] { queue.set_maxsize(2); });
            run.go();
            require(queue.size() == 2, "both words are there");
        },
        {.preemptions = 3}));
}

TEST(BoundedQueueModel, ATimedPutLeavesItsPlaceToTheOther) {
    EXPECT_TRUE(is_right([](Execution& run) {
        BoundedWordQueue queue(1);
        queue.try_push(0);
        int put = 0;
        run.thread([&] {
            const Passage passage = queue.push(1, nullptr, {.deadline = Deadline::after(1ms)});
            if (passage == Passage::passed) ++put;
        });
        run.thread([&] {
            require(queue.push(2, nullptr, {}) == Passage::passed, "the untimed one had room");
            ++put;
        });
        run.thread([&] {
            BoundedWordQueue::Taken taken;
            require(queue.pop(taken, {}) == Passage::passed, "there was a word");
            // The timed one may have been first; the other then needs a second place.
            require(queue.pop(taken, {.deadline = Deadline::after(1ms)}) != Passage::shut_down,
                    "nobody shuts down");
        });
        // Whoever is left over is let in.
        BoundedWordQueue::Taken taken;
        run.thread([&] { (void)queue.pop(taken, {.deadline = Deadline::after(1ms)}); });
        run.thread([&] { queue.set_maxsize(0); });
        run.go();
        require(put >= 1, "the untimed one passed");
    }));
}

TEST(BoundedQueueModel, AWordThatComesBackKeepsItsPlaceAndItsOrder) {
    EXPECT_TRUE(is_right([](Execution& run) {
        BoundedWordQueue queue(2);
        BoundedWordQueue::Returned place;
        queue.try_push(1);
        queue.try_push(2);
        bool was_put = false;
        run.thread([&] {
            BoundedWordQueue::Taken taken;
            require(queue.try_pop_held(taken) == Passage::passed && taken.word == 1, "the first");
            require(queue.give_back(taken, place), "the queue was not emptied");
        });
        run.thread([&] { was_put = queue.try_push(3) == Passage::passed; });
        run.go();
        require(!was_put, "there was never room");
        for (std::uint64_t word = 1; word < 3; ++word) {
            BoundedWordQueue::Taken taken;
            require(queue.try_pop(taken) == Passage::passed && taken.word == word, "the order");
        }
    }));
}

TEST(OneLockQueueModel, ProducersAndConsumersMeet) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Stack queue(1);
        std::uint64_t sum = 0;
        for (std::uint64_t i = 1; i < 3; ++i) {
            run.thread([&, i] {
                std::uint64_t word = i;
                require(queue.push(word, nullptr, {}) == Passage::passed, "it had room");
            });
        }
        run.thread([&] {
            for (int i = 0; i < 2; ++i) {
                Stack::Taken taken;
                require(queue.pop(taken, {}) == Passage::passed, "it got a word");
                sum += taken.word;
            }
        });
        run.go();
        require(sum == 3, "each word was taken once");
    }));
}

TEST(OneLockQueueModel, AShutdownEndsEveryWait) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Stack queue(1);
        std::uint64_t first = 1;
        queue.try_push(first);
        run.thread([&] {
            std::uint64_t word = 2;
            require(queue.push(word, nullptr, {}) == Passage::shut_down, "it was told");
        });
        run.thread([&] { require(queue.tasks().join({}) == WaitEnd::notified, "all is done"); });
        run.thread([&] {
            Stack::Contents contents;
            queue.shut_down(true, contents);
        });
        run.go();
        require(queue.size() == 0, "nothing is left");
    }));
}

/// Whoever was told of an immediate shutdown, or sees the queue empty, sees all of it.
template <class Queue>
Program one_step_program() {
    return [](Execution& run) {
        Queue queue(0);
        std::uint64_t first = 1;
        queue.try_push(first);
        run.thread([&] {
            std::uint64_t word = 2;
            if (queue.try_push(word) != Passage::shut_down) return;
            typename Queue::Taken taken;
            require(queue.try_pop(taken) == Passage::shut_down, "nothing is left");
        });
        run.thread([&] {
            if (queue.size() == 0) require(queue.tasks().unfinished() == 0, "all are counted");
        });
        run.thread([&] {
            typename Queue::Contents contents;
            queue.shut_down(true, contents);
        });
        run.go();
    };
}

TEST(OneLockQueueModel, AnImmediateShutdownIsOneStep) {
    EXPECT_TRUE(is_right(one_step_program<Stack>()));
}

TEST(BoundedQueueModel, AnImmediateShutdownIsOneStep) {
    EXPECT_TRUE(is_right(one_step_program<BoundedWordQueue>()));
}

TEST(BoundedQueueModel, ALargerBoundCountsAWordThatIsOutOnce) {
    EXPECT_TRUE(is_right(larger_bound_program(), {.preemptions = 1}));
}

TEST(OneLockQueueModel, MayBeDestroyedByWhoeverGotTheLastWord) {
    EXPECT_TRUE(is_right([](Execution& run) {
        std::optional<Stack> queue(std::in_place, 1);
        run.thread([&] {
            std::uint64_t word = 1;
            queue->try_push(word);
        });
        run.thread([&] {
            Stack::Taken taken;
            require(queue->pop(taken, {}) == Passage::passed, "it got the word");
            queue.reset();
        });
        run.go();
    }));
}

}  // namespace
